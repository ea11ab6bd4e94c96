"""Derivatives of derivatives: every rule of the core to third order, and what they are used for."""

import importlib

import numpy as np
import pytest

import demograd as dg
from demograd.autograd import grad, gradcheck, gradgradcheck
from demograd.autograd._function import Alias, Output
from demograd.operators import Cast

RNG = np.random.default_rng(0)


def draw(*shape):
    return dg.tensor(RNG.random(shape) + 0.5, requires_grad=True)


# Each rule of the core, by the name of its class: a function that applies it, and its inputs.
RULES = {
    "Add": (lambda x, y: (x + y) ** 3, draw(2, 3), draw(3)),
    "Sub": (lambda x, y: (x - y) ** 3, draw(2, 3), draw(2, 1)),
    "Mul": (lambda x, y: x * y * x, draw(2, 3), draw(3)),
    "Div": (lambda x, y: x / y, draw(3), draw(3)),
    "Neg": (lambda x: (-x) ** 3, draw(3)),
    "Pow": (lambda x, y: x**y, draw(3), draw(3)),
    "Remainder": (lambda x, y: (x % y) ** 3, draw(3), draw(3)),
    "Log": (dg.operators.log, draw(3)),
    "Where": (lambda x, y: dg.where(x.detach() > y.detach(), x, y) ** 3, draw(4), draw(4)),
    "MatMul": (lambda x, y: x @ y @ x, draw(2, 2, 2), draw(2, 2)),
    "Cast": (lambda x: Cast.apply(x, dtype=np.dtype("float64")) ** 3, draw(3)),
    "Clone": (lambda x: x.clone() ** 3, draw(3)),
    "Sum": (lambda x: x.sum(0) ** 3, draw(2, 3)),
    "Mean": (lambda x: x.mean(1, keepdim=True) ** 3, draw(2, 3)),
    "Reshape": (lambda x: x.reshape(3, 2) ** 3, draw(2, 3)),
    "Permute": (lambda x: x.T**3, draw(2, 3)),
    "Expand": (lambda x: x.expand(2, 3) ** 3, draw(3)),
    "Index": (lambda x: x[[0, 2, 0]] ** 3, draw(3)),
    "IndexAdd": (lambda x: dg.operators.index_add((4,), [0, 2, 0], x) ** 3, draw(3)),
    "SetIndex": (lambda x, y: with_rows(x, y) ** 3, draw(3, 2), draw(2)),
}
# What has no derivative of its own: it carries none, or none of a float64 array is to be had.
WITHOUT = {"FloorDivide", "Move", "Refusal"}


def with_rows(x, y):
    out = x * 1
    out[1] = y
    return out


MODULES = [
    "_arithmetic",
    "_casting",
    "_inplace",
    "_matmul",
    "_libraries._moving",
    "_shaping",
    "autograd._once",
]


def test_the_table_names_every_rule_of_the_core():
    found = set()
    for name in MODULES:
        module = importlib.import_module(f"demograd.{name}")
        found |= {
            key
            for key, value in vars(module).items()
            if isinstance(value, type)
            and issubclass(value, dg.Function)
            and value.__module__ == module.__name__
            and value not in (dg.Function, Alias, Output)
        }
    assert found == set(RULES) | WITHOUT


@pytest.mark.parametrize("name", RULES)
class TestEveryRule:
    def test_has_a_right_first_derivative(self, name):
        function, *inputs = RULES[name]
        assert gradcheck(function, inputs)

    def test_has_a_right_second_derivative(self, name):
        function, *inputs = RULES[name]
        assert gradgradcheck(function, inputs)

    def test_has_a_right_third_derivative(self, name):
        function, *inputs = RULES[name]

        def first(*xs):
            out = function(*xs)
            # Squared, so that the second derivative depends on the inputs of linear rules too.
            return grad((out * out).sum(), xs, create_graph=True)

        assert gradgradcheck(first, inputs, atol=1e-4)


def test_third_derivatives_have_their_values():
    x = dg.tensor(2.0, requires_grad=True)
    found, derivative = [], x**4 + 1 / x
    for _ in range(3):
        (derivative,) = grad(derivative, x, create_graph=True)
        found.append(derivative.item())
    assert found == pytest.approx([4 * 8 - 1 / 4, 12 * 4 + 2 / 8, 24 * 2 - 6 / 16])


def test_a_gradient_penalty_is_differentiated():
    """Gulrajani et al., "Improved training of Wasserstein GANs", 2017."""
    w1, w2 = draw(3, 4), draw(4, 1)

    def penalty(w1, w2, x):
        score = ((x @ w1) ** 2 @ w2).sum()
        (slope,) = grad(score, x, create_graph=True)
        length = (slope * slope).sum(1) ** 0.5
        return ((length - 1) ** 2).mean()

    x = draw(5, 3)
    assert gradcheck(lambda a, b: penalty(a, b, x), (w1, w2))
    penalty(w1, w2, x).backward()
    assert w1.grad.shape == w1.shape
    assert w2.grad.shape == w2.shape
    expected = grad(penalty(w1, w2, x), (w1, w2))
    for found, wanted in zip((w1.grad, w2.grad), expected, strict=True):
        np.testing.assert_array_equal(found.numpy(), wanted.numpy())


def test_a_hessian_vector_product_is_the_gradient_of_a_product():
    """Pearlmutter, "Fast exact multiplication by the Hessian", 1994."""
    a, x, v = draw(3, 3), draw(3), draw(3)
    a, v = a.detach(), v.detach()
    energy = (x @ a @ x) / 2 + (x**3).sum() / 6
    (slope,) = grad(energy, x, create_graph=True)
    (product,) = grad((slope * v).sum(), x)
    matrix = (a.numpy() + a.numpy().T) / 2 + np.diag(x.detach().numpy())
    np.testing.assert_allclose(product.numpy(), matrix @ v.numpy())
    # By a vector for the gradient, and through the transform, the same.
    (slope,) = grad((x @ a @ x) / 2 + (x**3).sum() / 6, x, create_graph=True)
    np.testing.assert_allclose(grad(slope, x, v)[0].numpy(), product.numpy())
    by_hvp = dg.func.hvp(lambda x: (x @ a @ x) / 2 + (x**3).sum() / 6, x.detach(), v)[1]
    np.testing.assert_allclose(by_hvp.numpy(), product.numpy())


def test_a_step_of_gradient_descent_is_differentiated():
    """As meta-learning does: Finn et al., "Model-agnostic meta-learning", 2017."""
    rate = dg.tensor(0.1, dtype="float64", requires_grad=True)
    start, x = draw(3), draw(4, 3).detach()

    def after_steps(rate, start):
        w = start
        for _ in range(3):
            (slope,) = grad(((x @ w) ** 2).mean(), w, create_graph=True)
            w = w - rate * slope
        return ((x @ w - 1) ** 2).mean()

    assert gradcheck(after_steps, (rate, start))
    assert gradgradcheck(after_steps, (rate, start), atol=1e-4)


def test_gradients_are_taken_within_gradients():
    x, y = dg.tensor(3.0, requires_grad=True), dg.tensor(2.0, requires_grad=True)
    (inner,) = grad(x * x * y, x, create_graph=True)  # 2 x y
    (outer,) = grad(inner * x, x, create_graph=True)  # 4 x y
    by_x, by_y = grad(outer, (x, y))
    assert (inner.item(), outer.item(), by_x.item(), by_y.item()) == (12.0, 24.0, 8.0, 12.0)
