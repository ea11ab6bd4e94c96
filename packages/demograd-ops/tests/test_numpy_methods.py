"""The methods and keywords of NumPy's ufuncs on Tensors: the right gradient, or a refusal."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import demograd as dg
from demograd import Tensor
from demograd.autograd import gradcheck, gradgradcheck
from demograd.errors import (
    ArgumentError,
    ArgumentTypeError,
    DemogradWarning,
    DtypeError,
    GradientError,
    ShapeError,
)

X = np.array([[0.55, -1.45, 2.1], [3.9, 0.2, -2.8]])
Y = np.array([[1.35, 2.4, -0.45], [0.75, -1.25, 0.6]])
MASK = np.array([[True, False, True], [False, True, True]])
# Not arctan2: NumPy's own arctan2.reduce skips elements on some processors.
PAIRS = """
    add divide fmax fmin hypot logaddexp logaddexp2 maximum minimum multiply subtract
""".split()


def agrees(call: Callable[[Any], Any], at: Any = X) -> None:
    """Value as on arrays; first and second derivative as differences say."""
    found = call(Tensor(at.copy(), requires_grad=True))
    expected = call(at.copy())
    assert isinstance(found, Tensor)
    assert found.requires_grad
    assert found.dtype == np.asarray(expected).dtype
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-13, atol=1e-14)
    x = Tensor(at.copy(), requires_grad=True)
    gradcheck(call, x)
    gradgradcheck(call, x)


@pytest.mark.parametrize("name", PAIRS)
def test_reduce_along_a_dimension(name: str) -> None:
    ufunc = getattr(np, name)
    agrees(lambda x: ufunc.reduce(x))
    agrees(lambda x: ufunc.reduce(x, axis=1, keepdims=True))
    agrees(lambda x: ufunc.reduce(x, -1, np.float64))


@pytest.mark.parametrize("name", "add hypot logaddexp logaddexp2 maximum minimum multiply".split())
def test_reduce_with_an_initial_value_a_mask_and_several_dimensions(name: str) -> None:
    ufunc = getattr(np, name)
    agrees(lambda x: ufunc.reduce(x, axis=1, initial=0.75))
    agrees(lambda x: ufunc.reduce(x, axis=1, initial=0.75, where=MASK))
    if ufunc.identity is not None:
        agrees(lambda x: ufunc.reduce(x, axis=1, where=MASK))
    if name not in ("logaddexp2", "hypot"):
        agrees(lambda x: ufunc.reduce(x, axis=(0, 1)))
        agrees(lambda x: ufunc.reduce(x, axis=None, keepdims=True))


@pytest.mark.parametrize("name", PAIRS)
def test_accumulate_outer_and_reduceat(name: str) -> None:
    ufunc = getattr(np, name)
    agrees(lambda x: ufunc.accumulate(x))
    agrees(lambda x: ufunc.accumulate(x, axis=1))
    agrees(lambda x: ufunc.outer(x, Y[0]))
    agrees(lambda x: ufunc.outer(Y[:, 0], x))
    agrees(lambda x: ufunc.reduceat(x, [0, 2, 1], axis=1))


def changed(call: Callable[[Any, Any], None]) -> Callable[[Any], Any]:
    def function(x: Any) -> Any:
        out = x * 1.5
        call(out, x)
        return out

    return function


@pytest.mark.parametrize("name", PAIRS)
def test_at_takes_a_place_again_that_is_named_again(name: str) -> None:
    ufunc = getattr(np, name)
    agrees(changed(lambda a, x: ufunc.at(a, ([0, 1, 0, 0], [1, 2, 1, 0]), x[0, 2])))
    agrees(changed(lambda a, x: ufunc.at(a, (slice(None), [0, 0, 2]), x * 0.5)))
    agrees(changed(lambda a, x: ufunc.at(a, 1, x[0])))
    agrees(changed(lambda a, x: ufunc.at(a, MASK, 0.35)))


def test_at_of_a_function_of_one_number() -> None:
    agrees(changed(lambda a, x: np.exp.at(a, ([0, 0], [1, 2]))))
    agrees(changed(lambda a, x: np.negative.at(a, ([0, 0, 0], [1, 2, 1]))))


def test_logical_reductions() -> None:
    x = dg.tensor([[1.0, 0.0], [2.0, 3.0]], requires_grad=True)
    assert np.logical_and.reduce(x, axis=1).tolist() == [False, True]
    assert np.logical_or.reduce(x).tolist() == [True, True]
    assert np.logical_xor.reduce(x, axis=1).tolist() == [True, False]


# Keywords.


def test_out_of_tensors_is_changed_in_place_and_the_gradient_goes_on() -> None:
    x = Tensor(X, requires_grad=True)
    out = dg.zeros(2, 3, dtype="float64")
    assert np.multiply(x, x, out=out) is out
    out.sum().backward()
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), 2 * X)
    whole = dg.zeros(4, dtype="float64")
    part = whole[1:3]
    np.sum(x * 2, axis=1, out=part)
    (whole * whole).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * X + 8 * X.sum(1, keepdims=True))
    np.testing.assert_allclose(whole.detach().numpy()[1:3], 2 * X.sum(1))


@pytest.mark.parametrize("call", [
    lambda x, out: np.add(x, x, out=out),
    lambda x, out: np.add(x, x, out),
    lambda x, out: np.sum(x[None], axis=0, out=out),
    lambda x, out: np.concatenate([x[:1], x[1:]], out=out),
    lambda x, out: np.clip(x, 0, 1, out=out),
    lambda x, out: np.maximum.accumulate(x, out=out),
    lambda x, out: np.cumsum(x, axis=0, out=out),
])  # fmt: skip
def test_an_array_as_out_carries_no_gradient_and_is_refused(call: Any) -> None:
    x = Tensor(X, requires_grad=True)
    with pytest.raises(GradientError) as e:
        call(x, np.zeros((2, 3)))
    assert "which the array out cannot carry.\n" in str(e.value)
    assert str(e.value).endswith(
        "Make out a Tensor, dg.zeros(...); or a = a + x in place of a += x."
    )
    plain = Tensor(X)
    out = np.zeros((2, 3))
    assert call(plain, out) is out
    expected = np.zeros((2, 3))
    call(X, expected)
    np.testing.assert_array_equal(out, expected)


def test_an_array_changed_in_place_by_a_tensor_is_refused() -> None:
    a, x = np.zeros((2, 3)), Tensor(X, requires_grad=True)
    with pytest.raises(GradientError) as e:
        a += x
    assert str(e.value) == (
        "np.add: the result requires a gradient, which the array out cannot carry.\n"
        "  result: shape (2, 3)\n"
        "  out: NumPy array of shape (2, 3)\n"
        "Make out a Tensor, dg.zeros(...); or a = a + x in place of a += x."
    )
    np.testing.assert_array_equal(a, np.zeros((2, 3)))
    a += x.detach()
    np.testing.assert_array_equal(a, X)
    with pytest.raises(GradientError):
        a[0] = x[0]


def test_a_number_put_into_an_array_is_warned_of_and_one_that_is_asked_for_is_not() -> None:
    x = dg.tensor(2.0, requires_grad=True, name="loss")
    history = np.zeros(2)
    with pytest.warns(DemogradWarning) as caught:
        history[0] = x
    assert str(caught[0].message) == (
        "a[i] = x: an array's element carries no gradient.\n"
        "  loss of shape (), dtype float32\n"
        "a[i] = x.item() says that it may end there; np.stack keeps it, as a Tensor a does.\n"
        'If it is meant: warnings.filterwarnings("ignore", '
        'r"a\\[i\\] = x: an array\'s element carries no gradient")'
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        history[1] = x.item()
        assert float(x) == 2.0
        history[1] = x.detach()
    assert history.tolist() == [2.0, 2.0]


def test_where_computes_at_the_chosen_places_alone_so_that_no_slope_is_nan() -> None:
    values = np.array([4.0, 0.0, -1.0, 2.25])
    agrees(
        lambda x: np.sqrt(x, where=values > 0, out=x * 3.0),
        values,
    )
    x = Tensor(values, requires_grad=True)
    out = np.log(x, where=values > 0, out=dg.zeros(4, dtype="float64"))
    out.sum().backward()
    assert x.grad is not None
    np.testing.assert_array_equal(x.grad.numpy(), [0.25, 0.0, 0.0, 1 / 2.25])
    agrees(lambda x: np.divide(Y, x, where=MASK, out=x * 0))


def test_where_alone_is_refused() -> None:
    with pytest.raises(ArgumentError) as e:
        np.exp(Tensor(X), where=MASK)
    assert str(e.value) == (
        "np.exp: with where and no out, the other elements would be what memory holds.\n"
        "Give out=dg.zeros(...), or use np.where(condition, np.exp(x), otherwise)."
    )


def test_a_data_type_is_computed_in() -> None:
    x = dg.tensor([1.0, 2.0], requires_grad=True)
    out = np.exp(x, dtype=np.float64)
    assert out.dtype == dg.float64
    np.testing.assert_allclose(out.detach().numpy(), np.exp([1.0, 2.0]), rtol=1e-15)
    assert np.add.reduce(x, dtype="float64").dtype == dg.float64
    assert np.sum(x, dtype="float64").dtype == dg.float64
    assert np.mean(x, dtype="float64").dtype == dg.float64
    out.sum().backward()
    assert x.grad is not None
    assert x.grad.dtype == dg.float32


def test_what_does_not_fit_into_out_is_refused() -> None:
    x = dg.tensor([1.5, 2.0])
    with pytest.raises(DtypeError) as e:
        np.exp(x, out=dg.zeros(2, dtype="int64"))
    assert str(e.value) == (
        "np.exp: the result has a type that out cannot hold.\n"
        "  result: dtype float32\n"
        "  out: dtype int64\n"
        "Make out of float32."
    )
    with pytest.raises(ShapeError):
        np.exp(x, out=dg.zeros(3))
    with pytest.raises(ShapeError):
        np.exp(x, out=dg.zeros(3), where=[True])


@pytest.mark.parametrize(("call", "name", "argument"), [
    (lambda x: np.add(x, x, casting="unsafe"), "np.add", "casting"),
    (lambda x: np.matmul(x, x.T, axes=[(0, 1), (0, 1), (0, 1)]), "np.matmul", "axes"),
    (lambda x: np.add(x, x, signature="dd->d"), "np.add", "signature"),
    (lambda x: np.pad(x, 1, "constant", stat_length=3), "np.pad", "stat_length"),
])  # fmt: skip
def test_a_keyword_that_is_not_honoured_is_refused(call: Any, name: str, argument: str) -> None:
    with pytest.raises(ArgumentTypeError) as e:
        call(Tensor(X, requires_grad=True))
    assert str(e.value) == (
        f"{name}: the argument {argument} cannot be used with Tensors.\n"
        f"Leave it out, or give {name} x.detach().numpy(), without the gradient."
    )


def test_a_reduction_with_a_mask_and_no_value_to_begin_with_is_refused() -> None:
    with pytest.raises(ArgumentError) as e:
        np.maximum.reduce(Tensor(X), where=MASK)
    assert str(e.value) == (
        "np.maximum.reduce: with where there must be an initial value.\n"
        "Give initial=..., the result over no elements."
    )
    with pytest.raises(ArgumentError) as e:
        np.subtract.reduce(Tensor(X), axis=(0, 1))
    assert str(e.value) == (
        "np.subtract.reduce: the order matters, so there is one axis, not (0, 1)."
    )


# What is no array of NumPy's own.


@pytest.mark.parametrize("call", [
    lambda x, m: x * m,
    lambda x, m: np.add(m, x),
    lambda x, m: np.concatenate([x, m]),
])  # fmt: skip
def test_a_masked_array_is_refused_because_its_mask_would_be_lost(call: Any) -> None:
    x = Tensor(X, requires_grad=True)
    if call(X, X) is not None:
        with pytest.raises(ArgumentTypeError) as e:
            call(x, np.ma.masked_array(X, ~MASK))
    assert str(e.value) == (
        "tensor: a masked array has a mask, which a tensor would lose.\n"
        "  data: shape (2, 3), 2 elements masked\n"
        "data.filled(0) is an array; dg.where(mask, x, y) chooses, with the gradient."
    )


def test_an_array_on_the_left_records() -> None:
    x = Tensor(X, requires_grad=True)
    for out in (Y + x, Y - x, Y * x, Y / x, np.abs(Y) ** x, Y @ x.T, np.float64(2.0) * x):
        assert isinstance(out, Tensor)
        assert out.requires_grad
    assert (x < Y).dtype == dg.bool


@pytest.mark.parametrize("call", [np.asarray, np.array, lambda x: np.array([x, x]),
    lambda x: np.array([x[0, 0], x[0, 1]]), lambda x: np.vectorize(float)(x),
    lambda x: np.polynomial.polynomial.polyval(1.0, x), np.ma.masked_array,
    lambda x: np.random.default_rng(0).normal(x), np.ascontiguousarray, np.float64,
])  # fmt: skip
def test_an_array_of_a_tensor_that_requires_a_gradient_is_refused(call: Any) -> None:
    with pytest.raises(GradientError):
        call(Tensor(X, requires_grad=True))


def test_an_array_of_a_tensor_that_requires_none_is_its_values() -> None:
    assert np.asarray(Tensor(X)).dtype == np.float64
    assert np.array([Tensor(X), Tensor(Y)]).shape == (2, 2, 3)
    memory = Tensor(X.copy())
    assert np.asarray(memory) is memory.data
    with pytest.raises(ValueError, match="copy"):
        np.asarray(memory, dtype=np.float32, copy=False)
