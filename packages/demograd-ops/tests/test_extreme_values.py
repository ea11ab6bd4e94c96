"""Kinks, large arguments, overflow and undefined values."""

import warnings
from typing import Any

import numpy as np
import pytest
import scipy.special

from demograd import Tensor, activations, ops
from demograd.autograd import grad


def gelu(x: Any) -> Any:
    return x * scipy.special.ndtr(x)


# Name, at which point, the gradient there: PyTorch 2.13's, where the derivative is not unique.
AT_KINKS = [
    ("abs", [0.0, -0.0], [0.0, 0.0]),
    ("relu", [0.0, float("nan"), float("inf")], [0.0, 1.0, 1.0]),
    ("sqrt", [0.0], [float("inf")]),
    ("rsqrt", [0.0], [float("-inf")]),
    ("leaky_relu", [0.0], [pytest.approx(0.01)]),
    ("elu", [0.0], [1.0]),
    ("softplus", [20.5], [1.0]),
]


@pytest.mark.parametrize(("name", "at", "expected"), AT_KINKS, ids=[row[0] for row in AT_KINKS])
def test_the_gradient_at_a_kink_is_that_of_pytorch(
    name: str, at: list[float], expected: list[float]
) -> None:
    x = Tensor(at, requires_grad=True)
    getattr(activations if hasattr(activations, name) else ops, name)(x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == expected


def test_relu_stops_an_infinite_gradient_where_it_is_closed() -> None:
    # For few elements and for many: the two ways in which a mask is applied.
    for number in (4, 5000):
        x = Tensor(np.resize([-1.0, 4.0], number), requires_grad=True)
        ops.relu(x).sqrt().sum().backward()
        assert x.grad is not None
        np.testing.assert_array_equal(x.grad.numpy(), np.resize([0.0, 0.25], number))


EXTREME = [-1e4, -200.0, -90.0, -20.0, -1.0, 0.0, 1.0, 20.0, 90.0, 200.0, 1e4]
# Name, value and derivative from float64 formulas that do not overflow.
STABLE = {
    "sigmoid": (scipy.special.expit, lambda x: scipy.special.expit(x) * scipy.special.expit(-x)),
    "tanh": (np.tanh, lambda x: 4 * scipy.special.expit(2 * x) * scipy.special.expit(-2 * x)),
    "softplus": (lambda x: np.logaddexp(0, x), scipy.special.expit),
    "silu": (
        lambda x: x * scipy.special.expit(x),
        lambda x: scipy.special.expit(x) * (1 + x * scipy.special.expit(-x)),
    ),
    "gelu": (gelu, lambda x: scipy.special.ndtr(x) + x * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)),
    "elu": (
        lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
        lambda x: np.exp(np.minimum(x, 0)),
    ),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", STABLE)
def test_large_arguments_give_the_right_finite_values_and_gradients(name: str, dtype: str) -> None:
    value, derivative = STABLE[name]
    x = Tensor(np.array(EXTREME, dtype), requires_grad=True)
    exact = np.array(EXTREME)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        out = getattr(activations, name)(x)
        (slope,) = grad(out.sum(), x, create_graph=True)
        assert slope is not None
        (bend,) = grad(slope.sum(), x)
    assert bend is not None
    tolerance = 1e-6 if dtype == "float32" else 1e-8
    np.testing.assert_allclose(out.detach().numpy(), value(exact), rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(
        slope.detach().numpy(), derivative(exact), rtol=tolerance, atol=tolerance
    )
    assert np.isfinite(bend.numpy()).all()


@pytest.mark.parametrize("name", ["exp", "sigmoid", "expm1"])
def test_small_values_keep_their_relative_accuracy(name: str) -> None:
    x = np.array([-80.0, -20.0, -1e-6])
    exact = {"exp": np.exp, "sigmoid": scipy.special.expit, "expm1": np.expm1}[name](x)
    out = getattr(ops, name)(Tensor(x.astype("float32")))
    np.testing.assert_allclose(out.numpy(), exact, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "at", "value"),
    [
        ("exp", 1e4, "inf"),
        ("log", 0.0, "-inf"),
        ("log", -1.0, "nan"),
        ("log1p", -1.0, "-inf"),
        ("sqrt", -1.0, "nan"),
        ("rsqrt", 0.0, "inf"),
        ("reciprocal", 0.0, "inf"),
        ("asin", 2.0, "nan"),
        ("sin", float("inf"), "nan"),
        ("cosh", 1e4, "inf"),
        ("square", 1e200, "inf"),
    ],
)
def test_what_overflows_or_is_undefined_gives_no_warning(name: str, at: float, value: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for x in (np.array(at), np.full(3, at)):
            leaf = Tensor(x, requires_grad=True)
            out = getattr(ops, name)(leaf)
            out.sum().backward()
            np.testing.assert_array_equal(out.detach().numpy(), np.full(x.shape, float(value)))


@pytest.mark.parametrize(
    ("name", "slope", "bend"),
    [
        ("gelu", 0.5, 2 / np.sqrt(2 * np.pi)),
        ("sigmoid", 0.25, 0.0),
        ("silu", 0.5, 0.5),
        ("softplus", 0.5, 0.25),
    ],
)
def test_smooth_functions_are_smooth_at_zero(name: str, slope: float, bend: float) -> None:
    # A rule that works with the absolute value would be flat there.
    x = Tensor(np.zeros(1), requires_grad=True)
    (first,) = grad(getattr(activations, name)(x).sum(), x, create_graph=True)
    assert first is not None
    (second,) = grad(first.sum(), x)
    assert second is not None
    assert first.item() == pytest.approx(slope, rel=1e-14)
    assert second.item() == pytest.approx(bend, rel=1e-14)
