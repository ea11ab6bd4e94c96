"""Scaled dot-product attention: its rule against the composition, masks, dropout and errors."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import demograd as dg
from demograd import ops
from demograd.autograd import grad, gradcheck
from demograd.errors import ArgumentError, ArgumentTypeError, DtypeError, ShapeError
from demograd.nn import functional as F
from demograd.nn.functional._attention import Attention
from demograd.testing import check_function


def draw(*shape, seed=0):
    return dg.tensor(np.random.default_rng(seed).standard_normal(shape))


def composed(q, k, v, mask=None, is_causal=False, scale=None):
    """What the rule stands for, in operators of their own."""
    scores = q @ k.mT * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    if is_causal:
        seen = dg.tensor(np.tril(np.ones(scores.shape[-2:], bool)))
        scores = ops.masked_fill(scores, ~seen, -math.inf)
    if mask is not None:
        if mask.dtype == dg.bool:
            scores = ops.masked_fill(scores, ~mask, -math.inf)
        else:
            scores = scores + mask
    return ops.softmax(scores, -1) @ v


def seen(*shape):
    """A mask of booleans in which every query sees some key."""
    mask = np.random.default_rng(3).random(shape) < 0.6
    mask[..., 0] = True
    return dg.tensor(mask)


MASKS = {
    "none": None,
    "floats for each pair": draw(3, 4, seed=4),
    "floats for each key": draw(4, seed=4),
    "floats for each query of a stack": draw(2, 1, 3, 1, seed=4),
    "booleans for each pair": seen(3, 4),
    "booleans for each stack": seen(2, 1, 3, 4),
}


# Fewer numbers in query, key and value than pairs make a sequence long: see the rule.
FEATURES = pytest.mark.parametrize("features", [2, 1], ids=["short", "long"])


@FEATURES
@pytest.mark.parametrize("is_causal", [False, True], ids=["all", "causal"])
@pytest.mark.parametrize("name", MASKS)
def test_the_rule_is_the_composition_with_its_derivatives(name, is_causal, features):
    mask = MASKS[name]
    shapes = [(2, 1, n, features) for n in (3, 4, 4)]
    operands = [draw(*shape, seed=seed) for seed, shape in enumerate(shapes)]
    operands += [] if mask is None else [mask]
    for scale in (None, 0.3):
        given = {"is_causal": is_causal, "scale": scale}
        out = F.scaled_dot_product_attention(*operands, **given)
        np.testing.assert_allclose(out.numpy(), composed(*operands, **given).numpy(), rtol=1e-12)
    check_function(F.scaled_dot_product_attention, *operands, **given)


@given(
    leading=st.lists(st.integers(1, 2), max_size=2).map(tuple),
    sizes=st.tuples(*[st.integers(1, 3)] * 4),
    is_causal=st.booleans(),
)
@settings(max_examples=15, deadline=None)
def test_any_shapes_are_taken(leading, sizes, is_causal):
    queries, keys, features, values = sizes
    operands = [
        draw(*leading, queries, features),
        draw(*leading, keys, features, seed=1),
        draw(*leading[1:], keys, values, seed=2),
    ]
    out = F.scaled_dot_product_attention(*operands, is_causal=is_causal)
    expected = composed(*operands, is_causal=is_causal)
    assert out.shape == (*leading, queries, values)
    np.testing.assert_allclose(out.numpy(), expected.numpy(), rtol=1e-12)
    check_function(F.scaled_dot_product_attention, *operands, is_causal=is_causal)


@FEATURES
def test_the_second_output_has_its_derivatives_too(features):
    operands = [draw(2, n, features, seed=n) for n in (3, 5, 5)]
    check_function(Attention, *operands, None, scale=0.7)
    check_function(lambda *xs: Attention.apply(*xs, None, scale=0.7)[1], *operands)
    kept = np.random.default_rng(0).random((2, 3, 5)) < 0.6
    check_function(Attention, *operands, None, scale=0.7, kept=kept, keep_scale=1.5)


@FEATURES
def test_the_third_derivative_agrees_with_differences(features):
    operands = [draw(n, features, seed=n) for n in (2, 4, 4)]

    def second(q, k, v):
        out = (F.scaled_dot_product_attention(q, k, v) ** 2).sum()
        first = grad(out, (q, k, v), create_graph=True)
        return grad(sum((g**2).sum() for g in first), q, create_graph=True)[0]

    gradcheck(second, [x.requires_grad_() for x in operands])


@FEATURES
def test_the_rule_runs_on_another_array_library(features):
    library = pytest.importorskip("array_api_strict", reason="array-api-strict is not installed")
    operands = [*[draw(2, n, features, seed=n) for n in (3, 5, 5)], seen(3, 5)]

    def run(wrap):
        xs = [dg.Tensor(wrap(x.numpy()), requires_grad=x.dtype != dg.bool) for x in operands]
        out = F.scaled_dot_product_attention(*xs, is_causal=True)
        first = grad((out**2).sum(), xs[:3], create_graph=True)
        second = grad(sum((g**2).sum() for g in first), xs[:3])
        return [np.asarray(x.detach().data) for x in (out, *first, *second)]

    for found, expected in zip(run(library.asarray), run(np.asarray), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("features", [64, 8], ids=["short", "long"])
def test_values_and_gradients_keep_the_type(dtype, features):
    xs = [draw(2, 70, features, seed=s).to(dtype).requires_grad_() for s in range(3)]
    out = F.scaled_dot_product_attention(*xs, is_causal=True)
    out.sum().backward()
    assert out.dtype == np.dtype(dtype)
    assert {x.grad.dtype for x in xs} == {np.dtype(dtype)}
    wide = [x.detach().double().requires_grad_() for x in xs]
    expected = composed(*wide, is_causal=True)
    expected.sum().backward()
    tolerance = {"float16": 1e-2, "float32": 2e-6, "float64": 1e-13}[dtype]
    np.testing.assert_allclose(out.detach().numpy(), expected.detach().numpy(), atol=tolerance)
    for x, y in zip(xs, wide, strict=True):
        np.testing.assert_allclose(x.grad.numpy(), y.grad.numpy(), atol=10 * tolerance)


def test_a_query_that_sees_no_key_gives_zeros_and_takes_no_gradient():
    q, k, v = (draw(2, 3, seed=s).requires_grad_() for s in range(3))
    for mask in (dg.tensor([[True, False], [False, False]]), dg.full((2, 2), -math.inf).double()):
        out = F.scaled_dot_product_attention(q, k, v, mask)
        assert out[1].tolist() == [0.0] * 3
        q_grad, *_ = grad(out.sum(), (q, k, v))
        assert q_grad[1].tolist() == [0.0] * 3
    assert F.scaled_dot_product_attention(q, k[:0], v[:0]).tolist() == [[0.0] * 3] * 2


def test_large_scores_do_not_overflow():
    q = dg.tensor([[1e4, 0.0], [-1e4, 0.0]], requires_grad=True)
    out = F.scaled_dot_product_attention(q, q, dg.tensor([[1.0], [2.0]]))
    out.sum().backward()
    assert out.tolist() == [[1.0], [2.0]]
    assert np.isfinite(q.grad.numpy()).all()


def test_the_same_tensor_may_be_query_key_and_value():
    check_function(lambda x: F.scaled_dot_product_attention(x, x, x), draw(3, 4))


def test_keys_that_several_queries_share_are_keys_repeated():
    q, k, v = draw(2, 4, 3, 2), draw(2, 2, 5, 2, seed=1), draw(2, 1, 5, 3, seed=2)
    repeated = ops.repeat_interleave(k, 2, 1), ops.repeat_interleave(v, 4, 1)
    np.testing.assert_array_equal(
        F.scaled_dot_product_attention(q, k, v, enable_gqa=True).numpy(),
        F.scaled_dot_product_attention(q, *repeated).numpy(),
    )
    check_function(F.scaled_dot_product_attention, q, k, v, enable_gqa=True)


def test_dropout_leaves_out_weights_and_scales_the_others():
    q, k, v = draw(6, 8, 4), draw(6, 40, 4, seed=1), draw(6, 40, 3, seed=2)
    dg.manual_seed(0)
    out = F.scaled_dot_product_attention(q, k, v, dropout_p=0.25)
    dg.manual_seed(0)
    kept = dg.rand(6, 8, 40, dtype=dg.float32).numpy() >= 0.25
    weights = ops.softmax(q @ k.mT * 0.5, -1)
    expected = weights * dg.tensor(kept / 0.75) @ v
    np.testing.assert_allclose(out.numpy(), expected.numpy(), rtol=1e-12)
    settings = {"scale": 0.5, "kept": kept, "keep_scale": 1 / 0.75}
    few = [x[:2, :4] for x in (q, k, v)]
    check_function(Attention, *few, None, **{**settings, "kept": kept[:2, :4, :4]})
    assert not F.scaled_dot_product_attention(q, k, v, dropout_p=1.0).numpy().any()


def test_what_is_kept_grows_with_the_length_and_not_with_its_square():
    for length in (8, 16, 24, 32, 64, 128):
        q = dg.zeros(length, 8, requires_grad=True)
        out = F.scaled_dot_product_attention(q, q.clone(), q.clone(), is_causal=True)
        assert out.grad_fn.nbytes_saved <= 2 * 3 * q.nbytes


NAME = "scaled_dot_product_attention"


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda: F.scaled_dot_product_attention(dg.ones(4), dg.ones(4), dg.ones(4)),
            ShapeError,
            f"""{NAME}: an operand has too few dimensions.
  query: shape (4,)
  key: shape (4,)
  value: shape (4,)
x.unsqueeze(0) makes a vector a sequence of one.""",
        ),
        (
            lambda: F.scaled_dot_product_attention(dg.ones(2, 4), dg.ones(3, 5), dg.ones(3, 4)),
            ShapeError,
            f"""{NAME}: queries and keys have different lengths, and no product.
  query: shape (2, 4)
  key: shape (3, 5)
  value: shape (3, 4)
The last dimension of query and key must be one.""",
        ),
        (
            lambda: F.scaled_dot_product_attention(dg.ones(2, 4), dg.ones(3, 4), dg.ones(2, 4)),
            ShapeError,
            f"""{NAME}: there is not one value for each key.
  query: shape (2, 4)
  key: shape (3, 4)
  value: shape (2, 4)
The second-to-last dimension of key and value must be one.""",
        ),
        (
            lambda: F.scaled_dot_product_attention(
                dg.ones(4, 2, 4), dg.ones(2, 3, 4), dg.ones(2, 3, 4)
            ),
            ShapeError,
            f"""{NAME}: the stacks do not broadcast.
  query: shape (4, 2, 4)
  key: shape (2, 3, 4)
  value: shape (2, 3, 4)
The dimensions before the last two must be equal, or 1. enable_gqa=True shares a key among \
several queries.""",
        ),
        (
            lambda: F.scaled_dot_product_attention(
                dg.ones(4, 2, 4), dg.ones(3, 3, 4), dg.ones(3, 3, 4), enable_gqa=True
            ),
            ShapeError,
            f"""{NAME}: the queries cannot be shared out among the keys.
  query: shape (4, 2, 4)
  key: shape (3, 3, 4)
  value: shape (3, 3, 4)
The third dimension from the end of the query must be a multiple of the others'.""",
        ),
        (
            lambda: F.scaled_dot_product_attention(
                dg.ones(2, 4), dg.ones(3, 4), dg.ones(3, 4), dg.ones(3, 2)
            ),
            ShapeError,
            f"""{NAME}: the mask does not broadcast to the scores.
  query: shape (2, 4)
  key: shape (3, 4)
  value: shape (3, 4)
  attn_mask: shape (3, 2), expected (2, 3)
attn_mask of shape (2, 3) is one for the whole stack.""",
        ),
        (
            lambda: F.scaled_dot_product_attention(
                dg.ones(2, 4), dg.ones(3, 4), dg.ones(3, 4), dg.ones(2, 3).long()
            ),
            DtypeError,
            f"""{NAME}: the mask has another type than the query.
  query: dtype float32
  attn_mask: dtype int64
attn_mask.bool() says which keys are seen, attn_mask.to(dg.float32) is added.""",
        ),
        (
            lambda: F.scaled_dot_product_attention(
                dg.ones(2, 4), dg.ones(3, 4), dg.ones(3, 4), dropout_p=1.5
            ),
            ArgumentError,
            f"""{NAME}: p is 1.5, and a probability is from 0 to 1.
p is the share of elements that are zeroed.""",
        ),
    ],
    ids=[
        "vectors", "features", "values", "stacks", "shared", "mask's shape", "mask's type", "p",
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_words(call, kind, message):
    with pytest.raises(kind) as e:
        call()
    assert str(e.value) == message


def test_other_types_are_refused():
    x = dg.ones(2, 4)
    with pytest.raises(DtypeError, match="the operands have different types"):
        F.scaled_dot_product_attention(x, x.double(), x)
    with pytest.raises(DtypeError, match="is not of floats"):
        F.scaled_dot_product_attention(x.long(), x.long(), x.long())
    with pytest.raises(ArgumentTypeError, match="is no Tensor"):
        F.scaled_dot_product_attention(x, x, x, [[True]])
