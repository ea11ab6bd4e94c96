"""The first way in: ``pip install demograd-tensor``, with NumPy as its only dependency."""

import pytest


@pytest.fixture(scope="module")
def alone(environment_with):
    return environment_with("demograd-tensor")


def test_numpy_is_the_only_dependency(alone):
    assert alone.installed() == {"demograd-tensor", "numpy"}


def test_pythons_operators_differentiate_to_any_order(alone):
    alone.run("""
import math
import numpy as np
import demograd as dg
from demograd.autograd import grad

x = dg.tensor(3.0, requires_grad=True, dtype=dg.float64)
y = (x**3 - 2 * x + 1) / x
expected = [9 - 2 + 1 / 3, 6 - 1 / 9, 2 + 2 / 27, -6 / 81, 24 / 243]
for value in expected:
    assert math.isclose(y.item(), value, rel_tol=1e-12), (y.item(), value)
    (y,) = grad(y, x, create_graph=True)
""")


def test_matrices_broadcasting_and_indexing_differentiate(alone):
    alone.run("""
import numpy as np
import demograd as dg

x = dg.tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
w = dg.tensor(np.ones((3, 4)), requires_grad=True)
b = dg.tensor(np.full(4, 0.5), requires_grad=True)

out = -(x @ w + b)
assert out.shape == (2, 4)
out.sum().backward()
assert np.array_equal(x.grad.numpy(), np.full((2, 3), -4.0))
assert np.array_equal(w.grad.numpy(), -np.array([[3.0] * 4, [5.0] * 4, [7.0] * 4]))
assert np.array_equal(b.grad.numpy(), np.full(4, -2.0))

x.grad = None
(x[1].mean() + x[:, 0].reshape(2, 1).T.sum() + x[x > 3.5].sum()).backward()
assert np.allclose(x.grad.numpy(), [[1, 0, 0], [1 + 1 / 3, 1 + 1 / 3, 1 + 1 / 3]])
""")


def test_a_linear_regression_trains(alone):
    alone.run("""
import numpy as np
import demograd as dg

dg.manual_seed(0)
x = dg.randn(200, 3)
target = x @ dg.tensor([[2.0], [-3.0], [0.5]]) + 1.0
w = dg.zeros(3, 1, requires_grad=True)
b = dg.zeros(1, requires_grad=True)
for _ in range(300):
    loss = ((x @ w + b - target) ** 2).mean()
    w.grad = b.grad = None
    loss.backward()
    with dg.no_grad():
        w -= 0.1 * w.grad
        b -= 0.1 * b.grad
assert loss.item() < 1e-8, loss.item()
assert np.allclose(w.detach().numpy().ravel(), [2.0, -3.0, 0.5], atol=1e-4)
assert np.allclose(b.item(), 1.0, atol=1e-4)
""")


def test_a_users_own_function_works(alone):
    alone.run("""
import numpy as np
import demograd as dg
from demograd.autograd import Function, gradcheck, gradgradcheck


class Cube(Function):
    def forward(self, x):
        self.save_for_backward(x)
        return x * x * x

    def backward(self, grad):
        (x,) = self.saved_tensors
        return 3 * x * x * grad


class Square(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * x * grad


x = dg.tensor(np.linspace(-1.0, 1.0, 5), requires_grad=True)
for function in (Cube, Square):
    assert gradcheck(function.apply, (x,))
    assert gradgradcheck(function.apply, (x,))
""")


def test_what_is_not_installed_is_named_with_its_distribution(alone):
    alone.run("""
import demograd as dg
from demograd.errors import DemogradError

x = dg.tensor([1.0])
wanted = [
    (lambda: x.exp(), "demograd-ops"),
    (lambda: dg.exp(x), "demograd-ops"),
    (lambda: dg.nn.Linear(1, 1), "demograd-nn"),
    (lambda: dg.optim.SGD, "demograd-optim"),
    (lambda: dg.data.load_digits, "demograd-data"),
    (lambda: dg.train.fit, "demograd-train"),
    (lambda: dg.viz.graph, "demograd-viz"),
]
for use, distribution in wanted:
    try:
        use()
    except AttributeError as error:
        assert isinstance(error, DemogradError), type(error)
        assert f"pip install {distribution}" in str(error), str(error)
    else:
        raise AssertionError(f"no error names {distribution}")
assert not hasattr(x, "no_such_method")
""")


def test_types_are_found_by_a_type_checker(alone, type_check):
    assert type_check(
        alone,
        """
import demograd as dg

x = dg.tensor([1.0], requires_grad=True)
reveal_type(x)
reveal_type((x * 2 + x @ x).sum())
reveal_type(x.grad)
""",
    ) == [
        "demograd._tensor.Tensor",
        "demograd._tensor.Tensor",
        "demograd._tensor.Tensor | None",
    ]
