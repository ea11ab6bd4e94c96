"""Variance and standard deviation: corrections, no freedom, equal elements."""

import numpy as np
import pytest

import demograd as dg
from demograd import Tensor, ops
from demograd.autograd import grad, gradgradcheck


@pytest.mark.parametrize("correction", [0, 1, 2, 0.5])
def test_the_correction_is_taken_off_the_number_of_elements(correction: float) -> None:
    x = np.array([1.0, 4.0, 2.0, 8.0])
    expected = np.sum((x - x.mean()) ** 2) / (4 - correction)
    leaf = Tensor(x, requires_grad=True)
    assert ops.var(leaf, correction=correction).item() == pytest.approx(expected, rel=1e-14)
    assert ops.std(leaf, correction=correction).item() == pytest.approx(expected**0.5, rel=1e-14)
    gradgradcheck(lambda x: ops.var(x, correction=correction), leaf)


def test_the_correction_is_one_by_default_and_unbiased_is_its_old_name() -> None:
    x = dg.tensor([[1.0, 2.0], [3.0, 5.0]])
    assert x.var().item() == ops.var(x, correction=1).item() == x.var(unbiased=True).item()
    assert x.var(False).item() == ops.var(x, correction=0).item()
    assert x.std(0, False, True).tolist() == ops.std(x, 0, keepdim=True, correction=0).tolist()


def test_one_element_has_no_variance_and_too_large_a_correction_gives_infinity() -> None:
    x = Tensor([3.0], requires_grad=True)
    out = ops.var(x)
    out.backward()
    assert np.isnan(out.item())
    assert x.grad is not None
    assert np.isnan(x.grad.numpy()).all()
    assert ops.var(dg.tensor([3.0, 4.0]), correction=10).item() == float("inf")
    assert np.isnan(ops.var(dg.zeros(0)).item())
    assert np.isnan(ops.std(dg.zeros(2, 0), 1).numpy()).all()


def test_the_deviation_of_equal_elements_has_gradient_zero() -> None:
    x = Tensor(np.array([3.0, 3.0]), requires_grad=True)
    (slope,) = grad(ops.std(x), x, create_graph=True)
    assert slope is not None
    assert slope.tolist() == [0.0, 0.0]
    (bend,) = grad(slope.sum(), x)
    assert bend is not None
    assert np.isfinite(bend.numpy()).all()


def test_the_variance_of_many_halves_does_not_overflow() -> None:
    x = np.tile(np.array([30.0, -30.0], "float16"), 1000)
    assert ops.var(Tensor(x), correction=0).item() == 900.0
