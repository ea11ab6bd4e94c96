"""Many threads over shared parameters: right totals, and modes that stay in their thread.

The numbers are small integers, so every sum of floats is exact in whatever order it is added, and a
lost gradient shows as a wrong total. Run on an interpreter without a global lock as well.
"""

import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import demograd as dg
from demograd import Tensor
from demograd.autograd import grad
from demograd.errors import GradientError

THREADS = 16
ROUNDS = 25


@pytest.fixture(autouse=True)
def switch_often() -> Any:
    """Threads take turns as often as the interpreter can."""
    former = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(former)


def in_threads(work: Callable[[int], Any], number: int = THREADS) -> list[Any]:
    """``work(i)`` in threads that start together; what each returned, or its error is raised."""
    results: list[Any] = [None] * number
    errors: list[BaseException] = []
    gate = threading.Barrier(number)

    def run(i: int) -> None:
        try:
            gate.wait()
            results[i] = work(i)
        except BaseException as error:  # noqa: BLE001 - raised again below
            errors.append(error)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results


def integers(*shape: int, seed: int = 0) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).integers(-3, 4, shape).astype(np.float64)


def test_passes_over_shared_parameters_add_up_exactly() -> None:
    w = dg.tensor(integers(4, 3), requires_grad=True)
    b = dg.tensor(integers(3), requires_grad=True)
    scale = dg.tensor(2.0, dtype="float64", requires_grad=True)  # without dimensions: a scalar

    def work(i: int) -> None:
        x = dg.tensor(integers(5, 4, seed=i))
        for _ in range(ROUNDS):
            ((x @ w + b) * scale).sum().backward()

    in_threads(work)
    inputs = [integers(5, 4, seed=i) for i in range(THREADS)]
    sums: Any = sum(x.sum(0) for x in inputs)
    outs: Any = sum((x @ w.detach().numpy() + b.detach().numpy()).sum() for x in inputs)
    assert w.grad is not None
    assert b.grad is not None
    assert scale.grad is not None
    np.testing.assert_array_equal(w.grad.numpy(), np.tile(2 * ROUNDS * sums[:, None], 3))
    np.testing.assert_array_equal(b.grad.numpy(), np.full(3, 2.0 * ROUNDS * THREADS * 5))
    assert scale.grad.item() == ROUNDS * outs


def test_passes_through_one_shared_graph_add_up_exactly() -> None:
    x = dg.tensor(integers(6), requires_grad=True)
    shared = x * x

    def work(i: int) -> None:
        for _ in range(ROUNDS):
            (shared * (i + 1)).sum().backward(retain_graph=True)

    in_threads(work)
    assert x.grad is not None
    total = ROUNDS * sum(range(1, THREADS + 1))
    np.testing.assert_array_equal(x.grad.numpy(), 2 * x.detach().numpy() * total)


def test_recorded_and_ordinary_passes_through_one_graph_do_not_meet() -> None:
    x = dg.tensor(integers(6) + 5, requires_grad=True)
    cube = (x**3).sum()

    def work(i: int) -> list[float]:
        for _ in range(ROUNDS):
            if i % 2:
                (slope,) = grad(cube, x, create_graph=True)
                (found,) = grad(slope.sum(), x)
                expected = 6 * x.detach().numpy()
            else:
                (found,) = grad(cube, x, retain_graph=True)
                expected = 3 * x.detach().numpy() ** 2
            np.testing.assert_array_equal(found.numpy(), expected)
        return []

    in_threads(work)
    assert x.grad is None


def test_modes_and_hooks_stay_in_their_thread() -> None:
    x = dg.tensor(integers(3), requires_grad=True)

    def work(i: int) -> None:
        for number in range(ROUNDS):
            off = (i + number) % 2 == 0
            with dg.set_grad_enabled(not off):
                y = x * 2
                assert y.requires_grad is not off
                with dg.no_grad():
                    assert not (y * 2).requires_grad
                assert dg.is_grad_enabled() is not off
            calls: list[float] = []
            z = x * (i + 1)
            handle = z.register_hook(lambda g, calls=calls: calls.append(g.sum().item()))
            grad(z.sum(), x)
            handle.remove()
            assert calls == [3.0]

    in_threads(work)
    assert dg.is_grad_enabled()


def test_a_change_in_one_thread_is_seen_by_a_pass_in_another() -> None:
    def work(i: int) -> None:
        x = dg.tensor(integers(4, seed=i) + 5, requires_grad=True)
        for _ in range(ROUNDS):
            y = x * 1
            z = (y * y).sum()
            changer = threading.Thread(target=lambda y=y: change(y))
            changer.start()
            changer.join()
            with pytest.raises(GradientError):
                z.backward()

    def change(y: Tensor) -> None:
        with dg.no_grad():
            y += 1

    in_threads(work, 4)


def test_random_numbers_are_drawn_once_each() -> None:
    dg.manual_seed(0)
    drawn = in_threads(lambda i: [dg.rand(1, dtype="float64").item() for _ in range(ROUNDS)])
    found = sorted(number for numbers in drawn for number in numbers)
    dg.manual_seed(0)
    expected = sorted(dg.rand(1, dtype="float64").item() for _ in range(ROUNDS * THREADS))
    assert found == expected


def test_views_and_changes_of_tensors_of_their_own_do_not_meet() -> None:
    def work(i: int) -> list[Any]:
        x = dg.tensor(integers(3, 4, seed=i), requires_grad=True)
        for _ in range(ROUNDS):
            x.grad = None
            y = x * 2
            y[0] *= 3
            y[:, 1:].add_(1)
            (y * y).sum().backward()
        assert x.grad is not None
        return [x.grad.tolist()]

    alone = [work(i) for i in range(THREADS)]
    assert in_threads(work) == alone
