"""What an author of an array library for demograd runs: the checks, and a use or two."""

from typing import Any

import numpy as np
import pytest
from demograd_counted import Array, CountedBackend, operations

import demograd as dg
from demograd import operators
from demograd.errors import DeviceError
from demograd.testing import check_array_library, check_backend

A = np.random.default_rng(0).uniform(0.5, 2.0, (2, 3))
B = np.random.default_rng(1).uniform(0.5, 2.0, (2, 3))

USES: dict[str, Any] = {
    "add": (operators.add, A, B),
    "sub from a number": (lambda x: 1.0 - x, A),
    "mul": (operators.mul, A, B),
    "div": (operators.div, A, B),
    "pow": (operators.pow, A, B),
    "log": (operators.log, A),
    "matmul": (lambda x, y: x @ y.mT, A, B),
    "sum": (lambda x: x.sum(0), A),
    "mean": (lambda x: x.mean(1, keepdim=True), A),
    "shapes": (lambda x: x.reshape(3, 2).T.expand(2, 2, 3), A),
    "index": (lambda x: x[1, ::2] * x[np.array([0, 0]), 1:], A),
    "where": (lambda x, y: dg.where(x < y, x, y), A, B),
    "cast": (lambda x: x.float().double(), A),
}


def test_the_backend_keeps_its_promises():
    check_backend(CountedBackend())


@pytest.mark.parametrize("name", USES)
def test_rules_run_on_counted_arrays_as_on_numpys(name):
    function, *arrays = USES[name]
    check_array_library(function, *map(dg.Tensor, arrays), device="demograd_counted", order=3)


def test_it_is_found_by_its_entry_point_and_by_its_arrays():
    with dg.backend("demograd_counted") as library:
        x = dg.ones(2, requires_grad=True)
    assert type(library) is CountedBackend
    assert type(x.data) is Array
    assert x.device == dg.device("demograd_counted") == dg.Tensor(Array([1.0])).device
    assert x.cpu().tolist() == [1.0, 1.0]


def test_operations_are_counted_forward_and_backward():
    x = dg.tensor([1.0, 2.0], device="demograd_counted", requires_grad=True)
    operations.clear()
    loss = (x * x).sum()
    assert dict(operations) == {"mul": 1, "sum": 1}
    loss.backward()
    assert operations["mul"] == 3
    assert x.grad.tolist() == [2.0, 4.0]


def test_a_change_in_place_replaces_the_array():
    x = dg.tensor([1.0, 2.0], device="demograd_counted")
    held, view = x.data, x[:1]
    x += 1
    view *= 10
    assert (x.tolist(), view.tolist(), held.values.tolist()) == ([20.0, 3.0], [20.0], [1.0, 2.0])


def test_it_does_not_mix_with_numpy():
    with pytest.raises(DeviceError) as caught:
        dg.ones(2) * dg.ones(2, device="demograd_counted")
    assert (
        str(caught.value)
        == """mul: the tensors are on different devices.
  x: shape (2,), dtype float32, on cpu
  y: shape (2,), dtype float32, on demograd_counted
Move one of them: y.to("cpu"), or x.to("demograd_counted")."""
    )
