"""Softmax, log-softmax and logsumexp of large, infinite and no elements."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special

import demograd as dg
from demograd import Tensor, ops
from demograd.autograd import grad

EXTREME = np.array([[-1e4, 0.0, 1e4], [1e4, 1e4, 1e4 - 1], [-1e4, -1e4, -1e4 + 2]])


def _jacobian_rows(function: Callable[[Tensor], Tensor], dtype: str) -> tuple[Any, Any]:
    """The values, and the gradient of the weighted sum of each row."""
    x = Tensor(EXTREME.astype(dtype), requires_grad=True)
    out = function(x)
    weights = np.array([0.5, -1.0, 2.0], dtype)
    (slope,) = grad((out * Tensor(weights)).sum(), x)
    assert slope is not None
    return out.detach().numpy(), slope.numpy()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_large_arguments_give_the_right_finite_softmax_and_gradient(dtype: str) -> None:
    weights = np.array([0.5, -1.0, 2.0])
    p = scipy.special.softmax(EXTREME, axis=1)
    tolerance = 1e-6 if dtype == "float32" else 1e-12
    value, slope = _jacobian_rows(lambda x: ops.softmax(x, 1), dtype)
    np.testing.assert_allclose(value, p, rtol=tolerance, atol=tolerance)
    expected = p * (weights - (p * weights).sum(1, keepdims=True))
    np.testing.assert_allclose(slope, expected, rtol=tolerance, atol=tolerance)
    value, slope = _jacobian_rows(lambda x: ops.log_softmax(x, 1), dtype)
    np.testing.assert_allclose(value, scipy.special.log_softmax(EXTREME, axis=1), rtol=tolerance)
    np.testing.assert_allclose(
        slope, weights - p * weights.sum(), rtol=tolerance, atol=4 * tolerance
    )
    value, slope = _jacobian_rows(lambda x: ops.logsumexp(x, 1), dtype)
    expected = scipy.special.logsumexp(EXTREME, axis=1)
    np.testing.assert_allclose(value, expected, rtol=tolerance)
    # In float32, numbers next to 1e4 are a thousandth apart, and so is the exponent.
    np.testing.assert_allclose(
        slope, p * weights[:, None], rtol=1e-3 if dtype == "float32" else 1e-11
    )


INF = float("inf")
# Function, argument, value, gradient of the sum weighted by 1, 2: PyTorch 2.13's.
INFINITIES = [
    ("softmax", [-INF, 0.0], [0.0, 1.0], [0.0, 0.0]),
    ("softmax", [-INF, -INF], [np.nan, np.nan], [np.nan, np.nan]),
    ("softmax", [INF, 0.0], [np.nan, np.nan], [np.nan, np.nan]),
    ("log_softmax", [-INF, 0.0], [-INF, 0.0], [1.0, -1.0]),
    ("log_softmax", [-INF, -INF], [np.nan, np.nan], [np.nan, np.nan]),
    ("logsumexp", [-INF, 0.0], 0.0, [0.0, 3.0]),
    ("logsumexp", [-INF, -INF], -INF, [np.nan, np.nan]),
    ("logsumexp", [INF, 0.0], INF, [np.nan, 0.0]),
]


@pytest.mark.parametrize(("name", "at", "value", "slope"), INFINITIES)
@pytest.mark.filterwarnings("error")
def test_infinities_are_treated_as_in_pytorch(name: str, at: Any, value: Any, slope: Any) -> None:
    x = Tensor(np.array(at), requires_grad=True)
    out = getattr(ops, name)(x, 0)
    (out * Tensor(np.array([1.0, 2.0]))).sum().backward()
    assert x.grad is not None
    np.testing.assert_array_equal(out.detach().numpy(), value)
    np.testing.assert_array_equal(x.grad.numpy(), slope)


def test_softmax_and_logsumexp_over_no_elements() -> None:
    assert ops.softmax(dg.zeros(2, 0), 1).shape == (2, 0)
    assert ops.log_softmax(dg.zeros(2, 0), 1).shape == (2, 0)
    assert ops.logsumexp(dg.zeros(0, 2), 0).tolist() == [-INF, -INF]


def test_softmax_can_compute_in_another_type() -> None:
    assert ops.softmax(dg.tensor([1, 2]), 0, dtype=dg.float64).dtype == dg.float64
    assert ops.log_softmax(dg.tensor([1.0, 2.0]), 0, dg.float16).dtype == dg.float16


def test_logsumexp_makes_floats_of_integers() -> None:
    assert ops.logsumexp(dg.tensor([0, 0]), 0).item() == pytest.approx(np.log(2))
