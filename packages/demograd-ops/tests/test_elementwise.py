"""Functions of one tensor, element by element: one table, and what holds for each row of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

import demograd as dg
from demograd import Tensor, activations, ops
from demograd.autograd import grad, gradcheck, gradgradcheck
from demograd.testing import check_function


@dataclass(frozen=True)
class Case:
    name: str
    function: Callable[..., Tensor]
    reference: Callable[[Any], Any]
    low: float = -3.0
    high: float = 3.0
    # Where the function has a kink or a jump, and differences say nothing.
    avoid: tuple[float, ...] = ()


def gelu(x: Any) -> Any:
    return x * scipy.special.ndtr(x)


def gelu_tanh(x: Any) -> Any:
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def softplus(x: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    return np.where(beta * x > threshold, x, np.logaddexp(0, beta * x) / beta)


CASES = [
    Case("abs", ops.abs, np.abs, avoid=(0.0,)),
    Case("acos", ops.acos, np.arccos, -0.9, 0.9),
    Case("acosh", ops.acosh, np.arccosh, 1.3, 4.0),
    Case("asin", ops.asin, np.arcsin, -0.9, 0.9),
    Case("asinh", ops.asinh, np.arcsinh),
    Case("atan", ops.atan, np.arctan),
    Case("atan2 of y", lambda y: ops.atan2(y, -0.5), lambda y: np.arctan2(y, -0.5), avoid=(0.0,)),
    Case("atan2 of x", lambda x: ops.atan2(0.5, x), lambda x: np.arctan2(0.5, x)),
    Case("atanh", ops.atanh, np.arctanh, -0.9, 0.9),
    Case("ceil", ops.ceil, np.ceil, avoid=(-3, -2, -1, 0, 1, 2, 3)),
    Case(
        "clamp", lambda x: ops.clamp(x, -1.0, 1.5), lambda x: np.clip(x, -1, 1.5), avoid=(-1, 1.5)
    ),
    Case(
        "clamp below", lambda x: ops.clamp(x, min=0.5), lambda x: np.maximum(x, 0.5), avoid=(0.5,)
    ),
    Case("copysign", lambda x: ops.copysign(x, -1.0), lambda x: np.copysign(x, -1.0), avoid=(0.0,)),
    Case("cos", ops.cos, np.cos),
    Case("cosh", ops.cosh, np.cosh),
    Case("elu", activations.elu, lambda x: np.where(x > 0, x, np.expm1(x)), avoid=(0.0,)),
    Case(
        "elu of alpha 0.5",
        lambda x: activations.elu(x, 0.5),
        lambda x: np.where(x > 0, x, 0.5 * np.expm1(x)),
        avoid=(0.0,),
    ),
    Case("erf", ops.erf, scipy.special.erf),
    Case("exp", ops.exp, np.exp),
    Case("exp2", ops.exp2, np.exp2),
    Case("expm1", ops.expm1, np.expm1),
    Case("floor", ops.floor, np.floor, avoid=(-3, -2, -1, 0, 1, 2, 3)),
    Case("gelu", activations.gelu, gelu),
    Case("gelu by tanh", lambda x: activations.gelu(x, approximate="tanh"), gelu_tanh),
    Case("hypot", lambda x: ops.hypot(x, 0.5), lambda x: np.hypot(x, 0.5)),
    Case(
        "leaky_relu", activations.leaky_relu, lambda x: np.where(x > 0, x, 0.01 * x), avoid=(0.0,)
    ),
    Case("log", ops.log, np.log, 0.3, 4.0),
    Case("log10", ops.log10, np.log10, 0.3, 4.0),
    Case("log1p", ops.log1p, np.log1p, -0.7, 4.0),
    Case("log2", ops.log2, np.log2, 0.3, 4.0),
    Case("logaddexp", lambda x: ops.logaddexp(x, 0.5), lambda x: np.logaddexp(x, 0.5)),
    Case("maximum", lambda x: ops.maximum(x, 0.5), lambda x: np.maximum(x, 0.5), avoid=(0.5,)),
    Case("minimum", lambda x: ops.minimum(0.5, x), lambda x: np.minimum(x, 0.5), avoid=(0.5,)),
    Case("reciprocal", ops.reciprocal, np.reciprocal, 0.3, 4.0),
    Case("relu", ops.relu, lambda x: np.maximum(x, 0), avoid=(0.0,)),
    Case("round", ops.round, np.round, avoid=(-2.5, -1.5, -0.5, 0.5, 1.5, 2.5)),
    Case("rsqrt", ops.rsqrt, lambda x: x**-0.5, 0.3, 4.0),
    Case("sigmoid", ops.sigmoid, scipy.special.expit),
    Case("sign", ops.sign, np.sign, avoid=(0.0,)),
    Case("silu", activations.silu, lambda x: x * scipy.special.expit(x)),
    Case("sin", ops.sin, np.sin),
    Case("sinh", ops.sinh, np.sinh),
    Case("softplus", activations.softplus, softplus),
    Case(
        "softplus of beta 2",
        lambda x: activations.softplus(x, 2.0, 1.0),
        lambda x: softplus(x, 2.0, 1.0),
        avoid=(0.5,),
    ),
    Case("sqrt", ops.sqrt, np.sqrt, 0.3, 4.0),
    Case("square", ops.square, np.square),
    Case("tan", ops.tan, np.tan, -1.2, 1.2),
    Case("tanh", ops.tanh, np.tanh),
    Case("trunc", ops.trunc, np.trunc, avoid=(-3, -2, -1, 0, 1, 2, 3)),
]

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def points(case: Case, shape: Any, seed: int = 0) -> Any:
    """Random float64 in the domain, at a distance from the kinks."""
    x = np.random.default_rng(seed).uniform(case.low, case.high, shape)
    for kink in case.avoid:
        x = np.where(np.abs(x - kink) < 0.01, kink + 0.02, x)
    return x


@every_case
@given(shape=array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4), seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_the_value_is_that_of_numpy_or_scipy(case: Case, shape: Any, seed: int) -> None:
    x = points(case, shape, seed)
    out = case.function(Tensor(x))
    assert out.shape == shape
    np.testing.assert_allclose(out.numpy(), case.reference(x), rtol=1e-12, atol=1e-12)


@every_case
def test_the_interface_of_function_is_kept(case: Case) -> None:
    check_function(case.function, Tensor(points(case, (2, 3))))


@every_case
@given(shape=array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=2), seed=st.integers(0, 99))
@settings(max_examples=5, deadline=None)
def test_first_and_second_derivative_agree_with_differences(
    case: Case, shape: Any, seed: int
) -> None:
    x = Tensor(points(case, shape, seed), requires_grad=True)
    gradcheck(case.function, x)
    gradgradcheck(case.function, x)


def derivatives(function: Callable[..., Tensor], x: Tensor) -> list[Tensor]:
    """The value, and the first three derivatives as far as they are not zero everywhere."""
    found = [function(x)]
    while len(found) < 4 and found[-1].requires_grad:
        (slope,) = grad(found[-1].sum(), x, create_graph=True, materialize_grads=True)
        assert slope is not None
        found.append(slope)
    return found


@every_case
def test_the_rules_run_on_another_array_library(case: Case) -> None:
    library = pytest.importorskip("array_api_strict", reason="array-api-strict is not installed")
    x = points(case, (2, 3))
    expected = derivatives(case.function, Tensor(x, requires_grad=True))
    found = derivatives(case.function, Tensor(library.asarray(x), requires_grad=True))
    assert len(found) == len(expected)
    for ours, numpys in zip(found, expected, strict=True):
        assert type(ours.data) is type(library.asarray(x))
        np.testing.assert_allclose(
            np.asarray(ours.detach().data), numpys.detach().numpy(), rtol=1e-10, atol=1e-10
        )


def second_derivative(function: Callable[..., Tensor], x: Tensor) -> Tensor:
    """The second derivative at each element, recorded; zeros where the first is constant."""
    found = derivatives(function, x)
    return found[2] + x * 0 if len(found) > 2 else x * 0


@every_case
def test_the_third_derivative_agrees_with_differences(case: Case) -> None:
    x = Tensor(points(case, (4,)), requires_grad=True)
    gradcheck(lambda x: second_derivative(case.function, x), x)


@every_case
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_value_and_gradient_keep_the_data_type(case: Case, dtype: str) -> None:
    values = points(case, (5,)).astype(dtype)
    for x in (Tensor(values, requires_grad=True), Tensor(values[0], requires_grad=True)):
        out = case.function(x)
        out.sum().backward()
        assert out.dtype == dtype
        assert x.grad is not None
        assert x.grad.dtype == dtype
    tolerance = {"float16": 6e-3, "float32": 2e-6, "float64": 1e-12}[dtype]
    exact = case.reference(values.astype("float64"))
    np.testing.assert_allclose(
        case.function(Tensor(values)).numpy(), exact, rtol=tolerance, atol=tolerance
    )


@every_case
def test_memory_may_be_strided_backwards_repeated_or_read_only(case: Case) -> None:
    x = points(case, (3, 4))
    repeated = np.broadcast_to(x[0], (3, 4))
    for view in (x[::-1, ::-2], x.T, repeated, np.asfortranarray(x)):
        leaf = Tensor(view, requires_grad=True)
        out = case.function(leaf)
        np.testing.assert_allclose(out.detach().numpy(), case.reference(view), rtol=1e-12)
        out.sum().backward()
        copy = Tensor(view.copy(), requires_grad=True)
        case.function(copy).sum().backward()
        assert leaf.grad is not None
        assert copy.grad is not None
        np.testing.assert_allclose(leaf.grad.numpy(), copy.grad.numpy(), rtol=1e-12)


@every_case
def test_nothing_is_recorded_under_no_grad(case: Case) -> None:
    x = Tensor(points(case, (2,)), requires_grad=True)
    with dg.no_grad():
        assert not case.function(x).requires_grad


FROM_INTEGERS = [
    "acos", "asin", "atan", "cos", "cosh", "erf", "exp", "expm1", "log", "log1p", "reciprocal",
    "rsqrt", "sigmoid", "sin", "sinh", "sqrt", "tan", "tanh",
]  # fmt: skip


@pytest.mark.parametrize("name", FROM_INTEGERS)
def test_integers_become_floats_of_the_default_type(name: str) -> None:
    function = getattr(ops, name)
    out = function(dg.tensor([1, 1]))
    assert out.dtype == dg.float32
    np.testing.assert_array_equal(out.numpy(), function(dg.tensor([1.0, 1.0])).numpy())


@pytest.mark.parametrize("name", ["abs", "ceil", "floor", "relu", "round", "sign", "trunc"])
def test_integers_stay_integers_where_the_result_is_one(name: str) -> None:
    x = dg.tensor([-2, 0, 3])
    out = getattr(ops, name)(x)
    assert out.dtype == dg.int64
    expected = {"abs": [2, 0, 3], "relu": [0, 0, 3], "sign": [-1, 0, 1]}.get(name, [-2, 0, 3])
    assert out.tolist() == expected
    assert out.data is not x.data


def test_square_keeps_integers() -> None:
    assert ops.square(dg.tensor([-2, 3])).tolist() == [4, 9]


@pytest.mark.parametrize(
    ("decimals", "expected"), [(0, [15.0, -2.0]), (1, [15.2, -2.5]), (-1, [20.0, -0.0])]
)
def test_round_to_decimals(decimals: int, expected: list[float]) -> None:
    out = ops.round(Tensor(np.array([15.25, -2.5])), decimals=decimals)
    np.testing.assert_allclose(out.numpy(), expected, rtol=1e-15)


@pytest.mark.parametrize("name", ["ceil", "floor", "round", "sign", "trunc"])
def test_flat_functions_have_a_gradient_of_zero_not_none(name: str) -> None:
    x = Tensor([1.3, -0.2], requires_grad=True)
    getattr(ops, name)(x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0.0, 0.0]


def test_functions_are_found_on_the_package_and_on_tensors() -> None:
    x = dg.tensor([1.0, 2.0])
    assert dg.exp(x).tolist() == x.exp().tolist() == ops.exp(x).tolist()
    assert np.exp(x).tolist() == ops.exp(x).tolist()
