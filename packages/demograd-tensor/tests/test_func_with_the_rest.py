"""The transforms together with what else watches, changes or delays a backward pass."""

import copy
import threading

import numpy as np
import pytest

import demograd as dg
from demograd import func
from demograd.autograd import checkpoint, detect_anomaly, graph, inference_mode
from demograd.errors import GradientError, NonFiniteError

X = np.array([[1.0, 2.0], [3.0, 4.0]])


def cubes(x):
    return x * x * x


def inside(f, x):
    return func.vmap(func.grad(lambda x: f(x).sum()))(x)


def outside(f, x):
    return func.grad(lambda x: func.vmap(f)(x).sum())(x)


def both(f, x):
    return func.grad(lambda x: (inside(f, x) ** 2).sum())(x)


EXPECTED = {inside: 3 * X**2, outside: 3 * X**2, both: 2 * 3 * X**2 * 6 * X}
WAYS = [inside, outside, both]


@pytest.mark.parametrize("way", WAYS)
class TestATransformWorks:
    def check(self, way, f=cubes):
        np.testing.assert_allclose(way(f, dg.tensor(X)).numpy(), EXPECTED[way])

    def test_with_checkpoints(self, way):
        self.check(way, lambda x: checkpoint(cubes, x, use_reentrant=False))

    def test_with_saved_tensors_hooks(self, way):
        with graph.saved_tensors_hooks(lambda x: x.clone(), lambda x: x):
            self.check(way)

    def test_under_debug(self, way):
        with dg.debug():
            self.check(way)

    def test_under_detect_anomaly(self, way):
        with detect_anomaly():
            self.check(way)

    def test_in_many_threads(self, way):
        failures = []

        def work():
            try:
                for _ in range(5):
                    self.check(way)
            except BaseException as error:  # noqa: BLE001 - it is raised below
                failures.append(error)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []

    def test_with_a_function_of_a_users_own(self, way):
        class Cube(dg.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x**3

            @staticmethod
            def backward(ctx, grad):
                (x,) = ctx.saved_tensors
                return 3 * x * x * grad

        self.check(way, Cube.apply)


def test_debug_names_the_operation_within_a_mapped_function():
    def f(x):
        return dg.operators.log(x - 1).sum()

    x = dg.tensor(X)
    with dg.debug(), pytest.raises(NonFiniteError, match=r"vmap\(Log\): made -inf"):
        outside(f, x)


def test_inference_mode_works_within_a_mapped_function():
    def f(x):
        with inference_mode():
            return x * 2

    assert func.vmap(f)(dg.tensor(X)).tolist() == (2 * X).tolist()


def test_hooks_and_retained_gradients_work_within_a_mapped_function():
    def f(x):
        x = x.detach().requires_grad_()
        y = x * x
        y.retain_grad()
        y.register_hook(lambda gradient: 2 * gradient)
        (y * y).sum().backward()
        return x.grad, y.grad

    of_x, of_y = func.vmap(f)(dg.tensor(X))
    one = [f(row) for row in dg.tensor(X)]
    np.testing.assert_allclose(of_x.numpy(), [g.numpy() for g, _ in one])
    np.testing.assert_allclose(of_y.numpy(), [g.numpy() for _, g in one])


def test_a_copy_within_a_mapped_function_has_memory_of_its_own():
    def f(x):
        other = copy.deepcopy(x)
        other += 1
        return x * 1

    assert func.vmap(f)(dg.tensor(X)).tolist() == X.tolist()


class Once(dg.Function):
    def forward(self, x):
        self.save_for_backward(x)
        return x * x

    @dg.autograd.once_differentiable
    def backward(self, grad):
        (x,) = self.saved_tensors
        return 2 * x * grad


def test_a_rule_that_is_differentiable_once_is_mapped_and_refuses_the_second_derivative():
    x = dg.tensor(X)
    for way in (inside, outside):
        assert way(Once.apply, x).tolist() == (2 * X).tolist()
    for second in (
        lambda: both(Once.apply, x),
        lambda: func.grad(func.grad(Once.apply))(x[0, 0]),
        lambda: func.hvp(lambda x: Once.apply(x).sum(), x, x),
        lambda: func.jvp(Once.apply, (x,), (x,)),
        lambda: func.jacfwd(Once.apply)(x),
    ):
        with pytest.raises(GradientError, match="Once can be differentiated once only"):
            second()


class Attribute(dg.Function):
    """It keeps its input where a recorded pass can't see it."""

    def forward(self, x):
        self.x = x
        return x * x

    def backward(self, grad):
        return 2 * self.x * grad


class Intermediate(dg.Function):
    """It saves a value whose derivative nobody knows."""

    def forward(self, x):
        double = 2 * x
        self.save_for_backward(double)
        return x * x

    def backward(self, grad):
        (double,) = self.saved_tensors
        return double * grad


def test_a_rule_whose_second_derivative_would_be_wrong_is_refused_there_and_nowhere_else():
    x = dg.tensor(X)
    for function in (Attribute, Intermediate):
        assert inside(function.apply, x).tolist() == (2 * X).tolist()
        with pytest.raises(GradientError):
            both(function.apply, x)
    assert outside(Intermediate.apply, x).tolist() == (2 * X).tolist()
