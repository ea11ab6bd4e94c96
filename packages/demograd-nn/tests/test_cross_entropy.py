"""cross_entropy and nll_loss."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import demograd as dg
from demograd import nn
from demograd.errors import (
    ArgumentError,
    ArgumentTypeError,
    DtypeError,
    OutOfRangeError,
    ShapeError,
)
from demograd.nn import functional as F
from demograd.nn.functional._cross_entropy import NegativePick, SoftmaxCrossEntropy
from demograd.testing import check_function

TARGET = dg.tensor([0, 2, 1, 2])
WEIGHT = np.array([1.0, 2.0, 0.5])


def draw(*shape, seed=0):
    return dg.tensor(np.random.default_rng(seed).standard_normal(shape))


def reference(x, target, weight=None, ignore=-100, reduction="mean", smoothing=0.0):
    """The definition, row by row, in double precision."""
    x, target = np.asarray(x, dtype=np.float64), np.asarray(target)
    if x.ndim == 1:
        x, target = x[None], target[None]
    x = np.moveaxis(x, 1, -1)
    log_p = x - np.logaddexp.reduce(x, axis=-1, keepdims=True)
    weight = np.ones(x.shape[-1]) if weight is None else weight
    if target.shape == x.shape[:-1]:
        counted = target != ignore
        one_hot = np.eye(x.shape[-1])[np.where(counted, target, 0)]
        q = one_hot * (1 - smoothing) + smoothing / x.shape[-1]
        losses = np.where(counted, -(q * log_p * weight).sum(-1), 0.0)
        divisor = np.where(counted, (one_hot * weight).sum(-1), 0.0).sum()
    else:
        q = np.moveaxis(target, 1, -1) * (1 - smoothing) + smoothing / x.shape[-1]
        losses = -(q * log_p * weight).sum(-1)
        divisor = losses.size
    return {"none": losses, "sum": losses.sum(), "mean": losses.sum() / divisor}[reduction]


SETTINGS = [
    {},
    {"weight": WEIGHT},
    {"ignore": 2},
    {"smoothing": 0.3},
    {"weight": WEIGHT, "ignore": 0},
    {"weight": WEIGHT, "smoothing": 0.3},
    {"ignore": 1, "smoothing": 0.3},
    {"weight": WEIGHT, "ignore": 2, "smoothing": 0.3},
]


def ours(x, target, reduction, weight=None, ignore=-100, smoothing=0.0):
    return F.cross_entropy(
        x,
        target,
        None if weight is None else dg.tensor(weight).to(x.dtype),
        ignore_index=ignore,
        reduction=reduction,
        label_smoothing=smoothing,
    )


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("given_", SETTINGS, ids=str)
def test_class_numbers_give_the_definition_and_its_derivatives(given_, reduction):
    x = draw(4, 3)
    out = ours(x, TARGET, reduction, **given_)
    expected = reference(x.numpy(), TARGET.numpy(), reduction=reduction, **given_)
    np.testing.assert_allclose(out.numpy(), expected, rtol=1e-12)
    check_function(lambda x: ours(x, TARGET, reduction, **given_), x)


@given(
    shape=st.lists(st.integers(1, 3), min_size=1, max_size=4).map(tuple),
    classes=st.integers(1, 4),
    seed=st.integers(0, 99),
    reduction=st.sampled_from(["mean", "sum", "none"]),
)
@settings(max_examples=25, deadline=None)
def test_the_classes_are_the_second_dimension_whatever_follows(shape, classes, seed, reduction):
    rng = np.random.default_rng(seed)
    x = dg.tensor(rng.standard_normal((shape[0], classes, *shape[1:])))
    target = dg.tensor(rng.integers(0, classes, shape))
    out = F.cross_entropy(x, target, reduction=reduction)
    np.testing.assert_allclose(
        out.numpy(),
        reference(x.numpy(), target.numpy(), reduction=reduction),
        rtol=1e-12,
        atol=1e-12,
    )
    check_function(lambda x: F.cross_entropy(x, target, reduction=reduction), x)


def test_one_sample_needs_no_dimension_for_samples():
    x = draw(3)
    out = F.cross_entropy(x, dg.tensor(1))
    np.testing.assert_allclose(out.item(), reference(x.numpy(), 1), rtol=1e-12)
    assert F.cross_entropy(x, dg.tensor(1), reduction="none").shape == ()
    check_function(lambda x: F.cross_entropy(x, dg.tensor(1)), x)


@pytest.mark.parametrize("given_", [{}, {"weight": WEIGHT}, {"smoothing": 0.3}], ids=str)
@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 2)])
def test_probabilities_give_the_definition_and_its_derivatives(shape, given_):
    x = draw(*shape)
    target = dg.tensor(np.random.default_rng(1).dirichlet(np.ones(3), (shape[0], *shape[2:])))
    target = target.permute(0, 2, 1) if len(shape) == 3 else target
    for reduction in ("mean", "sum", "none"):
        out = ours(x, target, reduction, **given_)
        expected = reference(x.numpy(), target.numpy(), reduction=reduction, **given_)
        np.testing.assert_allclose(out.numpy(), expected, rtol=1e-12)
    check_function(lambda x, q: ours(x, q, "mean", **given_), x, target)


def test_the_rule_is_the_composition_of_log_softmax_and_nll():
    x = draw(4, 3).requires_grad_()
    fused, composed = F.cross_entropy(x, TARGET), F.nll_loss(F.log_softmax(x, dim=1), TARGET)
    np.testing.assert_allclose(fused.item(), composed.item(), rtol=1e-14)
    (a,) = dg.autograd.grad(fused, x)
    (b,) = dg.autograd.grad(composed, x)
    np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("rule", [SoftmaxCrossEntropy, NegativePick])
def test_the_rules_keep_the_promises_of_a_function(rule):
    check_function(rule, draw(4, 3), TARGET)


def test_a_hessian_of_the_rule_is_that_of_the_softmax():
    x = draw(1, 3).requires_grad_()
    (slope,) = dg.autograd.grad(F.cross_entropy(x, dg.tensor([1])), x, create_graph=True)
    rows = [dg.autograd.grad(slope[0, i], x, retain_graph=True)[0].tolist()[0] for i in range(3)]
    p = F.softmax(x.detach(), dim=1).numpy()[0]
    np.testing.assert_allclose(rows, np.diag(p) - np.outer(p, p), rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("given_", [{}, {"smoothing": 0.1}], ids=str)
def test_logits_of_ten_thousand_give_finite_losses_and_exact_gradients(dtype, given_):
    rows = [[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4 - 1], [1e4, 1e4, 1e4], [0.0, 1e4, 3.0]]
    x = dg.tensor(rows, dtype=dtype, requires_grad=True)
    loss = ours(x, TARGET, "sum", **given_)
    loss.backward()
    p = np.exp(np.array(rows) - np.logaddexp.reduce(rows, axis=1, keepdims=True))
    smoothing = given_.get("smoothing", 0.0)
    q = np.eye(3)[TARGET.numpy()] * (1 - smoothing) + smoothing / 3
    np.testing.assert_allclose(x.grad.numpy(), p - q, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(
        loss.item(), reference(rows, TARGET.numpy(), reduction="sum", **given_), rtol=1e-6
    )


def test_what_is_ignored_may_be_infinite_and_gets_no_gradient():
    x = dg.tensor([[-np.inf, 0.0], [1.0, 2.0]], requires_grad=True)
    loss = F.cross_entropy(x, dg.tensor([-100, 1]))
    loss.backward()
    np.testing.assert_allclose(loss.item(), np.log1p(np.exp(-1.0)), rtol=1e-6)
    assert x.grad.tolist()[0] == [0.0, 0.0]


def test_a_mean_over_nothing_is_nan_as_in_pytorch():
    x = dg.ones(2, 3, requires_grad=True)
    assert np.isnan(F.cross_entropy(x, dg.tensor([-100, -100])).item())
    assert F.cross_entropy(x, dg.tensor([-100, -100]), reduction="sum").item() == 0.0
    assert np.isnan(F.cross_entropy(dg.ones(0, 3), dg.zeros(0, dtype=dg.int64)).item())


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8"])
def test_class_numbers_may_be_of_any_integer_type(dtype):
    expected = F.cross_entropy(draw(4, 3), TARGET).item()
    assert F.cross_entropy(draw(4, 3), TARGET.to(dtype)).item() == expected


def test_a_changed_input_makes_the_backward_pass_refuse():
    x = draw(4, 3).requires_grad_()
    logits = x * 1.0
    loss = F.cross_entropy(logits, TARGET)
    logits += 1.0
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


def test_a_graph_may_be_walked_twice():
    x = draw(4, 3).requires_grad_()
    loss = F.cross_entropy(x, TARGET)
    loss.backward(retain_graph=True)
    first = np.array(x.grad.numpy())
    loss.backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * first)


@pytest.mark.parametrize(
    "given_", [{}, {"weight": WEIGHT}, {"ignore": 2}, {"weight": WEIGHT, "ignore": 0}], ids=str
)
def test_nll_loss_is_the_same_of_log_probabilities(given_):
    x = draw(4, 3)
    log_p = F.log_softmax(x, dim=1)
    weight = None if "weight" not in given_ else dg.tensor(WEIGHT)
    for reduction in ("mean", "sum", "none"):
        out = F.nll_loss(
            log_p,
            TARGET,
            weight,
            ignore_index=given_.get("ignore", -100),
            reduction=reduction,
        )
        expected = reference(x.numpy(), TARGET.numpy(), reduction=reduction, **given_)
        np.testing.assert_allclose(out.numpy(), expected, rtol=1e-12)


def test_the_modules_keep_their_settings_and_call_the_functions():
    x, weight = draw(4, 3), dg.tensor(WEIGHT)
    loss = nn.CrossEntropyLoss(weight, ignore_index=2, reduction="sum", label_smoothing=0.1)
    expected = ours(x, TARGET, "sum", WEIGHT, 2, 0.1)
    assert loss(x, TARGET).item() == expected.item()
    assert list(loss.state_dict()) == ["weight"]
    log_p = F.log_softmax(x, dim=1)
    picked = F.nll_loss(log_p, TARGET, weight, ignore_index=2, reduction="sum")
    assert (
        nn.NLLLoss(weight, ignore_index=2, reduction="sum")(log_p, TARGET).item() == picked.item()
    )


X = dg.zeros(4, 10)

BAD_INPUT = [
    (
        lambda: F.cross_entropy(X, dg.tensor([0, 1, 12, 3])),
        OutOfRangeError,
        """\
cross_entropy: a target is no class.
  input: shape (4, 10)   10 classes, 0 to 9
  target: shape (4,)   12 at 2
A model for this target gives at least 13 numbers a row.""",
    ),
    (
        lambda: F.cross_entropy(X, dg.tensor([1, 2, 10, 3])),
        OutOfRangeError,
        """\
cross_entropy: a target is no class.
  input: shape (4, 10)   10 classes, 0 to 9
  target: shape (4,)   10 at 2
target - 1 would fit: classes are counted from zero.""",
    ),
    (
        lambda: F.nll_loss(X, dg.tensor([0, -1, 2, 3])),
        OutOfRangeError,
        """\
nll_loss: a target is no class.
  input: shape (4, 10)   10 classes, 0 to 9
  target: shape (4,)   -1 at 1
ignore_index=-1 passes over it.""",
    ),
    (
        lambda: F.cross_entropy(dg.zeros(2, 3, 2), dg.tensor([[0, 1], [2, 5]])),
        OutOfRangeError,
        """\
cross_entropy: a target is no class.
  input: shape (2, 3, 2)   3 classes, 0 to 2
  target: shape (2, 2)   5 at (1, 1)
A model for this target gives at least 6 numbers a row.""",
    ),
    (
        lambda: F.cross_entropy(dg.zeros(3), dg.tensor(4)),
        OutOfRangeError,
        """\
cross_entropy: a target is no class.
  input: shape (3,)   3 classes, 0 to 2
  target: shape ()   4
A model for this target gives at least 5 numbers a row.""",
    ),
    (
        lambda: F.cross_entropy(X, dg.tensor([0.0, 1.0, 2.0, 3.0])),
        DtypeError,
        """\
cross_entropy: the target is of float32, and class numbers are integers.
  input: shape (4, 10)   10 classes
  target: shape (4,)
target.long() makes integers of it; probabilities have the input's shape (4, 10).""",
    ),
    (
        lambda: F.cross_entropy(X.long(), dg.tensor([0, 1, 2, 3])),
        DtypeError,
        """\
cross_entropy: input is not of floats.
  input: shape (4, 10), dtype int64
input.float() makes floats of it.""",
    ),
    (
        lambda: F.cross_entropy(X, dg.tensor([[0], [1], [2], [3]])),
        ShapeError,
        """\
cross_entropy: there is not one class for each row of the input.
  input: shape (4, 10)   10 classes
  target: shape (4, 1), expected (4,)
target.reshape(4) would fit.""",
    ),
    (
        lambda: F.cross_entropy(X, X.long()),
        ShapeError,
        """\
cross_entropy: there is not one class for each row of the input.
  input: shape (4, 10)   10 classes
  target: shape (4, 10), expected (4,)
target.float() makes probabilities of a one-hot target; target.argmax(1) gives the class \
numbers.""",
    ),
    (
        lambda: F.cross_entropy(X, dg.tensor([0, 1, 2])),
        ShapeError,
        """\
cross_entropy: there is not one class for each row of the input.
  input: shape (4, 10)   10 classes
  target: shape (3,), expected (4,)
The model gave 4 rows for 3 targets: x.flatten(1) keeps a row for each sample, x.reshape(-1, n) \
need not.""",
    ),
    (
        lambda: F.cross_entropy(dg.tensor(1.0), dg.tensor(0)),
        ShapeError,
        """\
cross_entropy: the input has no dimension of classes.
  input: shape (), expected (C,), (N, C) or (N, C, d1, ...)""",
    ),
    (
        lambda: F.cross_entropy(X, dg.tensor([0, 1, 2, 3]), dg.ones(4)),
        ShapeError,
        """\
cross_entropy: the weight has not one factor for each class.
  input: shape (4, 10)   10 classes
  weight: shape (4,), expected (10,)""",
    ),
    (
        lambda: F.cross_entropy(X, dg.tensor([0, 1, 2, 3]), dg.ones(10, dtype=dg.float64)),
        DtypeError,
        """\
cross_entropy: the weight has another type than the input.
  input: dtype float32
  weight: dtype float64
weight.to(dg.float32) would fit.""",
    ),
    (
        lambda: F.cross_entropy(X, [0, 1, 2, 3]),
        ArgumentTypeError,
        """\
cross_entropy: target is no Tensor.
  target: list
dg.tensor(x) makes one of numbers or an array.""",
    ),
    (
        lambda: F.cross_entropy(X, dg.tensor([0, 1, 2, 3]), label_smoothing=1.5),
        ArgumentError,
        "cross_entropy: label_smoothing is 1.5.\nUse a value from 0 to 1.",
    ),
    (
        lambda: F.cross_entropy(X, dg.tensor([0, 1, 2, 3]), reduction="total"),
        ArgumentError,
        'cross_entropy: reduction is \'total\'.\nUse "none", "mean" or "sum".',
    ),
    (
        lambda: nn.CrossEntropyLoss(reduction="total"),
        ArgumentError,
        'CrossEntropyLoss: reduction is \'total\'.\nUse "none", "mean" or "sum".',
    ),
]


@pytest.mark.parametrize(("act", "kind", "text"), BAD_INPUT)
def test_a_wrong_target_says_what_is_wrong_and_how_it_would_fit(act, kind, text):
    with pytest.raises(kind) as error:
        act()
    assert str(error.value) == text
