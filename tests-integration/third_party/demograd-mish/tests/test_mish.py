"""Mish keeps the interface, follows the paper, and is found by its entry point."""

import numpy as np
import pytest
from demograd_mish import Mish, mish, provider

import demograd as dg
from demograd.testing import check_function, check_provider


def reference(x):
    return x * np.tanh(np.logaddexp(0.0, x))


def slope(x):
    """Of the reference: with w = softplus(x), tanh(w) + x (1 - tanh(w)**2) sigmoid(x)."""
    gate = np.tanh(np.logaddexp(0.0, x))
    return gate + x * (1 - gate**2) * np.exp(-np.logaddexp(0.0, -x))


WIDE = np.array([-1e4, -800.0, -40.0, -5.0, -1.0, -1e-9, 0.0, 1e-9, 1.0, 5.0, 40.0, 800.0, 1e4])


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0,)])
def test_the_operator_keeps_the_interface(shape):
    x = np.random.default_rng(0).standard_normal(shape) * 3
    check_function(Mish, dg.Tensor(np.asarray(x)))
    check_function(mish, dg.Tensor(np.asarray(x)))


def test_the_provider_keeps_the_interface():
    check_provider(provider)


def test_it_is_found_by_its_entry_point():
    x = dg.tensor([1.0])
    assert dg.mish is mish
    assert x.mish().item() == mish(x).item()


def test_values_and_slopes_are_the_references():
    x = dg.Tensor(WIDE, requires_grad=True)
    y = mish(x)
    y.sum().backward()
    np.testing.assert_allclose(y.detach().numpy(), reference(WIDE), rtol=1e-13)
    np.testing.assert_allclose(x.grad.numpy(), slope(WIDE), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_three_derivatives_stay_finite_far_out(dtype):
    x = dg.Tensor(WIDE.astype(dtype), requires_grad=True)
    y = mish(x).sum()
    for _ in range(3):
        (gradient,) = dg.autograd.grad(y, [x], create_graph=True)
        assert gradient.dtype == dtype
        assert np.isfinite(gradient.detach().numpy()).all()
        y = gradient.sum()


def test_integers_become_floats():
    y = mish(dg.tensor([0, 1]))
    assert y.dtype == dg.float32
    np.testing.assert_allclose(y.numpy(), [0.0, reference(1.0)], rtol=1e-6)


def test_what_is_not_a_number_stays_so():
    assert np.isnan(mish(dg.tensor([float("nan")])).numpy()).all()
