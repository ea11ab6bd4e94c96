"""The rules of the core, and changes in place, on the arrays of another library.

``USES`` names a use of every rule; the tests that assemble all packages check that none is missing,
and run the table on JAX and CuPy as well.
"""

from typing import Any

import array_api_strict
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import demograd as dg
from demograd import Tensor, operators
from demograd.errors import GradientError
from demograd.testing import check_array_library

A = np.random.default_rng(0).uniform(0.5, 2.0, (2, 3))
B = np.random.default_rng(1).uniform(0.5, 2.0, (2, 3))
V = np.random.default_rng(2).uniform(0.5, 2.0, 3)
MASK = A > 1.2


def changed_in_place(x: Tensor, y: Tensor) -> Tensor:
    out = x * 2
    out += y
    out[0] = y[1] * y[1]
    out[:, 1:] *= 3
    return out


USES: dict[str, tuple[Any, ...]] = {
    "add": (operators.add, A, V),
    "sub": (operators.sub, A, V),
    "sub from a number": (lambda x: 1.5 - x, A),
    "mul": (operators.mul, A, B),
    "div": (operators.div, A, V),
    "pow": (operators.pow, A, B),
    "pow of a number": (lambda x: x**3, A),
    "floor_divide": (operators.floor_divide, A, V),
    "remainder": (operators.remainder, A, V),
    "neg": (operators.neg, A),
    "log": (operators.log, A),
    "where": (operators.where, MASK, A, B),
    "where with a number": (lambda c, x: dg.where(c, x, 0.5), MASK, A),
    "matmul": (lambda x, y: x @ y.mT, A, B),
    "matmul of a vector": (lambda x, v: x @ v, A, V),
    "sum": (lambda x: x.sum(0), A),
    "sum of integers": (lambda x: x.sum(), np.arange(4)),
    "mean": (lambda x: x.mean(1, keepdim=True), A),
    "reshape": (lambda x: x.reshape(3, 2), A),
    "permute": (lambda x: x.permute(1, 0), A),
    "expand": (lambda v: v.expand(2, 3), V),
    "cast": (lambda x: x.to(dg.float32).to(dg.float64), A),
    "clone": (operators.clone, A),
    "move": (lambda x: (x.cpu() * 2).to(x.device), A),
    "index by numbers": (lambda x: x[1, ::2], A),
    "index by places": (lambda x: x[:, np.array([2, 0, 2])], A),
    "index by a tensor": (lambda x, i: x[i], A, np.array([1, 1, 0])),
    "index by a mask": (lambda x: x[MASK], A),
    "index_add": (lambda v: operators.index_add((4,), np.array([1, 1, 3]), v), V),
    "in place": (changed_in_place, A, B),
    "in place, at one place twice": (lambda v, w: _set_twice(v, w), V, V + 1),
    "comparisons": (lambda x, y: ((x < y) & (x != y)) | ~(x >= y), A, B),
    "any, all": (lambda m: dg.where(m.any(0) ^ m.all(0), 1.0, 2.0), MASK),
    "isfinite": (lambda x: dg.isfinite(x) & ~dg.isnan(x) & ~dg.isinf(x), A),
    "zeros_like": (lambda x: dg.zeros_like(x) + dg.ones_like(x) * dg.full_like(x, 2.0), A),
}


def _set_twice(v: Tensor, w: Tensor) -> Tensor:
    out = v * 1
    out[np.array([0, 0, 1])] = w
    return out


@pytest.mark.parametrize("name", USES)
def test_the_rule_runs_on_another_array_library(name: str) -> None:
    function, *arrays = USES[name]
    check_array_library(function, *map(Tensor, arrays), device=array_api_strict, order=3)


def strict(values: Any, **settings: Any) -> Tensor:
    return Tensor(array_api_strict.asarray(np.array(values, dtype="float64")), **settings)


def test_a_change_of_a_view_is_seen_by_its_base_and_by_other_views() -> None:
    base = strict(np.arange(6)).reshape(2, 3)
    row, column = base[0], base[:, 1]
    row *= 10.0
    assert base.tolist() == [[0.0, 10.0, 20.0], [3.0, 4.0, 5.0]]
    assert column.tolist() == [10.0, 4.0]
    base.zero_()
    assert (row + 1).tolist() == [1.0, 1.0, 1.0]
    assert bool((column == 0).all())


def test_what_numpy_would_have_copied_is_no_view() -> None:
    base = strict(np.arange(6)).reshape(2, 3)
    flat = base.T.reshape(6)
    flat += 1.0
    assert base.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    assert flat.tolist() == [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]


def test_a_value_saved_before_a_change_keeps_its_gradient() -> None:
    x = strict([1.0, 2.0], requires_grad=True)
    y = x * 2
    z = y * y
    with dg.no_grad():
        y += 1
    z.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [8.0, 16.0]  # z was computed of what y was


def test_gradients_gather_in_one_tensor() -> None:
    x = strict([1.0, 2.0], requires_grad=True)
    (x * x).sum().backward()
    gradient = x.grad
    (x * x).sum().backward()
    assert x.grad is gradient
    assert gradient is not None
    assert gradient.tolist() == [4.0, 8.0]


VIEWS: list[Any] = [
    lambda x: x[0],
    lambda x: x[..., 1:],
    lambda x: x.reshape(-1),
    lambda x: x.T,
    lambda x: x[::2],
]
CHANGES: list[Any] = [
    lambda x, y: x.mul_(1.5),
    lambda x, y: x.add_((y * y).mean()),
    lambda x, y: x.fill_(0.5),
    lambda x, y: x.copy_(y.sum() * 0.1),
]


def run_program(steps: list[tuple[int, int, int]], leaf: Tensor) -> tuple[list[Any], Any]:
    """The values of all tensors at the end, and the gradient of the leaf."""
    tensors = [leaf * 1]
    for kind, which, where in steps:
        x = tensors[where % len(tensors)]
        if kind == 0:
            tensors.append(VIEWS[which % len(VIEWS)](x) if x.ndim and x.numel() else x * 2)
        elif kind == 1:
            CHANGES[which % len(CHANGES)](x, tensors[which % len(tensors)])
        else:
            tensors.append(x * x)
    total: Any = 0.0
    for x in tensors:
        total = total + x.sum()
    total.backward()
    assert leaf.grad is not None
    return [x.tolist() for x in tensors], leaf.grad.tolist()


NUMBERS = st.integers(0, 9)


@settings(max_examples=60, deadline=None)
@given(
    view=NUMBERS,
    change=NUMBERS,
    steps=st.lists(st.tuples(st.integers(0, 2), NUMBERS, NUMBERS), max_size=8),
)
def test_programs_of_views_and_changes_do_what_they_do_on_numpy(
    view: int, change: int, steps: list[tuple[int, int, int]]
) -> None:
    steps = [(0, view, 0), (1, change, 1), *steps]
    start = np.random.default_rng(0).uniform(0.5, 1.5, (4, 3))
    try:
        values, gradient = run_program(steps, Tensor(start, requires_grad=True))
    except GradientError:
        return  # NumPy's memory was written to; here it is replaced, and all gradients are right
    found, slope = run_program(steps, strict(start, requires_grad=True))
    for ours, numpys in zip(found, values, strict=True):
        np.testing.assert_allclose(ours, numpys, rtol=1e-12)
    np.testing.assert_allclose(slope, gradient, rtol=1e-12)
