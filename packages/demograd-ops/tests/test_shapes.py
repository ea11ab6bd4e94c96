"""What the functions that move elements promise beyond their values."""

from typing import Any

import numpy as np
import pytest

import demograd as dg
from demograd import Tensor, ops
from demograd.autograd import grad, gradcheck

X = np.arange(24.0).reshape(2, 3, 4)


VIEWS: list[tuple[str, Any]] = [
    ("broadcast_to", lambda x: ops.broadcast_to(x, (5, 2, 3, 4))),
    ("chunk", lambda x: ops.chunk(x, 2, 1)[1]),
    ("diagonal", lambda x: ops.diagonal(x, 1, 1, 2)),
    ("flatten", lambda x: ops.flatten(x, 1)),
    ("movedim", lambda x: ops.movedim(x, 0, -1)),
    ("split", lambda x: ops.split(x, [1, 2], 1)[1]),
    ("squeeze", lambda x: ops.squeeze(x[:1])),
    ("swapdims", lambda x: ops.swapdims(x, 0, 1)),
    ("unbind", lambda x: ops.unbind(x, 2)[3]),
    ("unflatten", lambda x: ops.unflatten(x, 2, (2, 2))),
    ("unsqueeze", lambda x: ops.unsqueeze(x, 1)),
    ("view", lambda x: ops.view(x, 6, -1)),
]

COPIES: list[tuple[str, Any]] = [
    ("cat of one", lambda x: ops.cat([x])),
    ("flip", lambda x: ops.flip(x, 0)),
    ("flip nothing", lambda x: ops.flip(x, ())),
    ("gather", lambda x: ops.gather(x, 0, dg.zeros(2, 3, 4, dtype=dg.int64))),
    ("index_select", lambda x: ops.index_select(x, 0, dg.tensor([0, 1]))),
    ("max_pool2d of one", lambda x: ops.max_pool2d(x, 1)),
    ("pad by nothing", lambda x: ops.pad(x, (0, 0))),
    ("pad by nothing, mirrored", lambda x: ops.pad(x, (0, 0), "reflect")),
    ("repeat once", lambda x: ops.repeat(x, 1, 1, 1)),
    ("roll by nothing", lambda x: ops.roll(x, 0, 0)),
    ("sort", lambda x: ops.sort(x).values),
    ("tile once", lambda x: ops.tile(x, 1)),
]


@pytest.mark.parametrize("function", [f for _, f in VIEWS], ids=[name for name, _ in VIEWS])
def test_a_view_shares_the_memory(function: Any) -> None:
    x = Tensor(X)
    assert np.shares_memory(function(x).data, x.data)


@pytest.mark.parametrize("function", [f for _, f in COPIES], ids=[name for name, _ in COPIES])
def test_a_copy_has_memory_of_its_own(function: Any) -> None:
    x = Tensor(X)
    out = function(x)
    assert not np.shares_memory(out.data, x.data)
    assert out.data.flags.writeable


@pytest.mark.parametrize("used", [0, 1, 2])
@pytest.mark.parametrize("function", [lambda x: ops.split(x, 1, 1), lambda x: ops.unbind(x, 1)])
def test_pieces_that_are_not_used_have_a_gradient_of_zero(function: Any, used: int) -> None:
    x = Tensor(X, requires_grad=True)
    piece = function(x)[used]
    (slope,) = grad((piece * piece).sum(), x, create_graph=True)
    assert slope is not None
    used_ones = np.zeros_like(X)
    used_ones[:, used] = 1
    np.testing.assert_array_equal(slope.detach().numpy(), 2 * X * used_ones)
    (second,) = grad(slope.sum(), x)
    assert second is not None
    np.testing.assert_array_equal(second.numpy(), 2 * used_ones)


def test_unused_pieces_are_zeros_of_the_same_library() -> None:
    library = pytest.importorskip("array_api_strict", reason="array-api-strict is not installed")
    x = Tensor(library.asarray(X), requires_grad=True)
    piece = ops.split(x, 2, 2)[1]
    (slope,) = grad((piece * piece).sum(), x, create_graph=True)
    assert slope is not None
    (second,) = grad(slope.sum(), x)
    assert second is not None
    expected = np.zeros_like(X)
    expected[..., 2:] = 2
    np.testing.assert_array_equal(np.asarray(second.data), expected)


def test_all_pieces_of_a_split_make_one_node() -> None:
    x = Tensor(X, requires_grad=True)
    a, b = ops.split(x, 2, 2)
    assert a.grad_fn is b.grad_fn
    assert a.grad_fn is not None
    assert a.grad_fn.name == "Split"


def test_joining_promotes_as_pytorch_does() -> None:
    whole, single, double = Tensor([1]), Tensor([2.0]), Tensor([3.0], dtype="float64")
    assert ops.cat([whole, single]).dtype == dg.float32
    assert ops.cat([single, double]).dtype == dg.float64
    assert ops.stack([whole[0], single[0]]).dtype == dg.float32
    a, b = single.requires_grad_(), double.requires_grad_()
    ops.cat([a, b]).sum().backward()
    assert a.grad is not None
    assert b.grad is not None
    assert (a.grad.dtype, b.grad.dtype) == (dg.float32, dg.float64)


def test_a_loop_may_begin_to_join_with_an_empty_vector() -> None:
    x = Tensor(X, requires_grad=True)
    out = ops.cat([Tensor(np.zeros(0)), x, Tensor(np.zeros(0))], 1)
    assert out.shape == X.shape
    out.sum().backward()
    assert x.grad is not None
    np.testing.assert_array_equal(x.grad.numpy(), np.ones_like(X))
    assert ops.cat([Tensor(np.zeros(0)), Tensor(np.zeros(0))], 0).shape == (0,)


def test_names_of_numpy_for_dimensions_are_taken() -> None:
    x = Tensor(X)
    assert ops.cat([x, x], axis=1).shape == (2, 6, 4)  # type: ignore[call-arg]
    assert ops.stack([x, x], axis=1).shape == (2, 2, 3, 4)  # type: ignore[call-arg]
    assert ops.squeeze(x[:1], axis=0).shape == (3, 4)  # type: ignore[call-arg]
    assert ops.norm(x, axis=1, keepdims=True).shape == (2, 1, 4)  # type: ignore[call-arg]


def test_a_number_without_dimensions_may_be_indexed_by_zero() -> None:
    x = Tensor(5.0, requires_grad=True)
    assert ops.gather(x, 0, Tensor([0, 0])).tolist() == [5.0, 5.0]
    assert ops.index_select(x, 0, Tensor([0])).tolist() == 5.0
    assert ops.sort(x).indices.tolist() == 0
    assert ops.topk(x, 1).values.tolist() == 5.0
    assert ops.squeeze(x, 0).shape == ()
    assert ops.flatten(x).shape == (1,)
    assert ops.take_along_dim(x, Tensor(0), 0).shape == ()
    (slope,) = grad(ops.gather(x, 0, Tensor([0, 0])).sum(), x)
    assert slope is not None
    assert slope.tolist() == 2.0


def test_an_empty_index_gathers_nothing_whatever_its_dimensions() -> None:
    assert ops.gather(Tensor(X), 1, dg.zeros(0, dtype=dg.int64)).shape == (0,)


def test_small_indices_do_not_overflow() -> None:
    x = Tensor(np.arange(600.0).reshape(2, 300))
    index = Tensor(np.array([[100], [101]], dtype="uint8"))
    assert ops.gather(x, 1, index).tolist() == [[100.0], [401.0]]
    assert ops.gather(x, 1, index.int()).tolist() == [[100.0], [401.0]]


def test_where_places_repeat_the_overwritten_source_has_no_slope() -> None:
    x = dg.zeros(3, requires_grad=True)
    src = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    out = ops.scatter(x, 0, Tensor([1, 1, 2]), src)
    assert out.tolist() == [0.0, 2.0, 3.0]
    (out * out).sum().backward()
    assert x.grad is not None
    assert src.grad is not None
    assert x.grad.tolist() == [0.0, 0.0, 0.0]
    assert src.grad.tolist() == [0.0, 4.0, 6.0]


def test_changes_in_place_are_those_of_pytorch() -> None:
    x = dg.zeros(2, 3)
    assert x.scatter_(1, Tensor([[2], [0]]), 1.0) is x
    assert x.tolist() == [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    assert x.scatter_(1, Tensor([[0]]), value=5).tolist()[0] == [5.0, 0.0, 1.0]
    assert x.scatter_add_(1, Tensor([[0, 0]]), Tensor([[1.0, 2.0]])).tolist()[0] == [8.0, 0.0, 1.0]
    assert x.masked_fill_(x > 4, -1.0).tolist()[0] == [-1.0, 0.0, 1.0]


def test_a_change_in_place_is_differentiated() -> None:
    x = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    src = Tensor([5.0], requires_grad=True)
    y = x * 1.0
    y.scatter_add_(0, Tensor([1]), src)
    y.masked_fill_(Tensor([True, False, False]), 0.0)
    (y * y).sum().backward()
    assert x.grad is not None
    assert src.grad is not None
    assert x.grad.tolist() == [0.0, 14.0, 6.0]
    assert src.grad.tolist() == [14.0]


def test_a_value_is_rounded_to_the_type_of_the_tensor() -> None:
    whole = Tensor([1, 2])
    assert ops.masked_fill(whole, whole > 1, 1.7).tolist() == [1, 1]
    assert ops.pad(whole, (1, 0), value=1.7).tolist() == [1, 1, 2]
    assert ops.pad(whole > 1, (1, 0)).tolist() == [False, False, True]
    assert ops.masked_fill(Tensor([1.0]), Tensor([True]), Tensor(2)).dtype == dg.float32


def test_equal_elements_keep_their_order_and_a_nan_is_the_largest() -> None:
    x = Tensor([2.0, 1.0, 2.0, np.nan, 1.0])
    assert ops.sort(x).indices.tolist() == [1, 4, 0, 2, 3]
    assert ops.sort(x, descending=True).indices.tolist() == [3, 0, 2, 1, 4]
    assert ops.argsort(x, descending=True).tolist() == [3, 0, 2, 1, 4]
    assert ops.topk(x, 2, largest=False).indices.tolist() == [1, 4]


def test_sorting_by_indices_is_undone_by_take_along_dim() -> None:
    x = Tensor(np.random.default_rng(0).standard_normal((3, 4)))
    order = ops.argsort(x, 1)
    np.testing.assert_array_equal(
        ops.take_along_dim(x, order, 1).numpy(), ops.sort(x, 1).values.numpy()
    )


NORMS = [2, 1, 3, 1.5, 0.5, -1, float("inf"), -float("inf"), "fro"]


@pytest.mark.parametrize("p", NORMS)
@pytest.mark.parametrize("dim", [None, 1, (0, 2), -1])
@pytest.mark.parametrize("keepdim", [False, True])
def test_a_norm_is_that_of_all_elements_as_one_vector(p: Any, dim: Any, keepdim: bool) -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, 2))
    order = 2 if p == "fro" else p
    dims = range(3) if dim is None else np.atleast_1d(dim) % 3
    rest = [d for d in range(3) if d not in dims]
    flat = x.transpose(*rest, *dims).reshape(*[x.shape[d] for d in rest], -1)
    expected = np.linalg.norm(flat, order, axis=-1)
    if keepdim:
        expected = expected.reshape([1 if d in dims else n for d, n in enumerate(x.shape)])
    out = ops.norm(Tensor(x), p, dim, keepdim)
    assert out.shape == expected.shape
    np.testing.assert_allclose(out.numpy(), expected, rtol=1e-13)


@pytest.mark.parametrize("p", NORMS)
def test_a_norm_differentiates_twice(p: Any) -> None:
    values = np.random.default_rng(0).permutation(6).reshape(2, 3) - 2.4
    x = Tensor(values, requires_grad=True)

    def slope(x: Any) -> Any:
        return grad(ops.norm(x, p, 1).sum(), x, create_graph=True)[0] + x * 0

    gradcheck(lambda x: ops.norm(x, p, 1), x)
    gradcheck(slope, x)


@pytest.mark.parametrize("p", NORMS)
def test_a_norm_runs_on_another_array_library_to_third_order(p: Any) -> None:
    library = pytest.importorskip("array_api_strict", reason="array-api-strict is not installed")
    values = np.random.default_rng(0).permutation(6).reshape(2, 3) - 2.4

    def derivatives(x: Tensor) -> list[Any]:
        found = [ops.norm(x, p, 1)]
        for _ in range(3):
            total = (found[-1] * found[-1] * found[-1]).sum()
            (slope,) = grad(total, x, create_graph=True)
            assert slope is not None
            found.append(slope)
        return [np.asarray(x.detach().data) for x in found]

    expected = derivatives(Tensor(values, requires_grad=True))
    found = derivatives(Tensor(library.asarray(values), requires_grad=True))
    for ours, numpys in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, numpys, rtol=1e-10)


@pytest.mark.parametrize("p", [2, 1, 3, 1.5, 0.5, float("inf")])
def test_a_norm_of_zeros_has_a_gradient_of_zero(p: float) -> None:
    x = Tensor([[0.0, 0.0], [0.0, 2.0]], requires_grad=True)
    ops.norm(x, p, 1).sum().backward()
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), [[0.0, 0.0], [0.0, 1.0]], rtol=1e-6)
    (first,) = grad(ops.norm(x, p, 1).sum(), x, create_graph=True)
    assert first is not None
    (second,) = grad(first.sum(), x, materialize_grads=True)
    assert second is not None
    assert np.isfinite(second.numpy()).all()


def test_the_zero_norm_counts_and_has_no_gradient() -> None:
    out = ops.norm(Tensor([0.0, 2.0, np.inf, np.nan], requires_grad=True), 0)
    assert out.item() == 3.0
    assert not out.requires_grad


def test_a_norm_in_half_precision_squares_in_single() -> None:
    x = Tensor(np.array([300.0, 400.0], dtype="float16"), requires_grad=True)
    out = ops.norm(x)
    out.backward()
    assert (out.item(), out.dtype) == (500.0, dg.float16)
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), [0.6, 0.8], rtol=1e-3)


NUMPY: list[tuple[str, Any]] = [
    ("argsort", lambda x: np.argsort(x, axis=1)),
    ("concatenate", lambda x: np.concatenate([x, x], axis=1)),
    ("concatenate flat", lambda x: np.concatenate((x, x), axis=None)),
    ("diag", lambda x: np.diag(x[0], k=1)),
    ("diagonal", lambda x: np.diagonal(x, offset=1, axis1=2, axis2=0)),
    ("dot", lambda x: np.dot(x[0], x[0].T)),
    ("dot with a number", lambda x: np.dot(x, 2.0)),
    ("dot with a vector", lambda x: np.dot(x, x[0, 0])),
    ("einsum", lambda x: np.einsum("ijk,ijl->kl", x, x, optimize=True)),
    ("expand_dims", lambda x: np.expand_dims(x, 1)),
    ("flip", lambda x: np.flip(x)),
    ("flip along", lambda x: np.flip(x, axis=1)),
    ("moveaxis", lambda x: np.moveaxis(x, 0, -1)),
    ("norm", lambda x: np.linalg.norm(x)),
    ("norm along", lambda x: np.linalg.norm(x, 1, axis=2, keepdims=True)),
    ("outer", lambda x: np.outer(x, x[0])),
    ("pad", lambda x: np.pad(x, ((1, 0), (0, 2), (1, 1)))),
    ("pad all", lambda x: np.pad(x, 1, constant_values=7.0)),
    ("pad mode edge", lambda x: np.pad(x, 1, mode="edge")),
    ("ravel", lambda x: np.ravel(x)),
    ("repeat", lambda x: np.repeat(x, 2)),
    ("repeat along", lambda x: np.repeat(x, [1, 0, 2], axis=1)),
    ("roll", lambda x: np.roll(x, 2)),
    ("roll along", lambda x: np.roll(x, 1, axis=(0, 2))),
    ("sort", lambda x: np.sort(x, axis=0)),
    ("squeeze", lambda x: np.squeeze(x[:1], axis=0)),
    ("stack", lambda x: np.stack([x, x], axis=-1)),
    ("swapaxes", lambda x: np.swapaxes(x, 0, 2)),
    ("take", lambda x: np.take(x, [[0, -1]], axis=1)),
    ("take flat", lambda x: np.take(x, [5, 3])),
    ("tile", lambda x: np.tile(x, (2, 1))),
    ("tril", lambda x: np.tril(x, k=-1)),
    ("triu", lambda x: np.triu(x, 1)),
]


@pytest.mark.parametrize("function", [f for _, f in NUMPY], ids=[name for name, _ in NUMPY])
def test_a_function_of_numpy_means_what_it_means_in_numpy(function: Any) -> None:
    values = np.random.default_rng(1).standard_normal((2, 3, 4))
    x = Tensor(values, requires_grad=True)
    out = function(x)
    assert isinstance(out, Tensor)
    assert out.requires_grad or out.dtype == dg.int64
    np.testing.assert_allclose(out.detach().numpy(), function(values), rtol=1e-13)


@pytest.mark.parametrize("where", [2, [1, 3], [3, 1], []])
def test_split_of_numpy_cuts_at_places_or_into_equal_pieces(where: Any) -> None:
    x = Tensor(X, requires_grad=True)
    found = np.split(x, where, axis=2)  # type: ignore[arg-type]
    expected = np.split(X, where, axis=2)
    assert len(found) == len(expected)
    for ours, numpys in zip(found, expected, strict=True):
        assert isinstance(ours, Tensor)
        np.testing.assert_array_equal(ours.detach().numpy(), numpys)


def test_the_array_api_has_these_functions_on_tensors() -> None:
    x = Tensor(X)
    xp = x.__array_namespace__()
    np.testing.assert_array_equal(xp.concat([x, x], axis=1).numpy(), np.concatenate([X, X], 1))
    np.testing.assert_array_equal(
        xp.take_along_axis(x, Tensor([[[1]]]), axis=2).numpy(), X[..., 1:2]
    )
    np.testing.assert_array_equal(xp.sort(x, axis=1, descending=True).numpy(), X[:, ::-1])
    np.testing.assert_array_equal(xp.unstack(x, axis=1)[2].numpy(), X[:, 2])
    np.testing.assert_array_equal(xp.roll(x, 1, axis=2).numpy(), np.roll(X, 1, 2))
