"""A graph of a million operations, and ten thousand steps, some of which fail."""

import copy
import gc
import pickle
import sys
import warnings

import numpy as np
import pytest

import demograd as dg
from demograd import nn, optim, viz

LENGTH = 1_000_000


@pytest.fixture
def without_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def without_recursion():
    """Barely more frames than the test itself needs."""
    former = sys.getrecursionlimit()
    viz.graph(dg.tensor(1.0, requires_grad=True) * 2.0)  # imports, which need frames of their own
    frame, depth = sys._getframe(), 0
    while frame is not None:
        frame, depth = frame.f_back, depth + 1
    sys.setrecursionlimit(depth + 60)
    yield
    sys.setrecursionlimit(former)


def test_a_chain_of_a_million_operations_needs_no_recursion(without_collector, without_recursion):
    x = dg.tensor(1.0, requires_grad=True, name="x")
    y = x
    for _ in range(LENGTH):
        y = y * 1.0
    assert repr(y) == "tensor(1., grad_fn=<MulBackward>)"
    twin = copy.deepcopy(x)
    assert (twin.item(), twin.name, twin.grad_fn) == (1.0, "x", None)
    assert pickle.loads(pickle.dumps(y.detach())).item() == 1.0
    for copied in (copy.deepcopy, pickle.dumps):
        with pytest.raises(dg.errors.GradientError):
            copied(y)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        drawn = viz.graph(y).source
    assert [str(w.message) for w in said] == [
        "graph: 999,997 of 1,000,000 operations folded (max_nodes=200)"
    ]
    assert len(drawn) < 10_000
    y.backward()
    assert x.grad.item() == 1.0
    del y
    z = x
    for _ in range(LENGTH):
        z = z * 1.0
    del z  # also a graph that no pass has been through is freed node by node
    assert (x * 2.0).item() == 2.0


class Raises(dg.autograd.Function):
    """Raises in forward or backward if ``where`` says so."""

    def forward(self, x, *, where):
        if where == "forward":
            raise RuntimeError(where)
        self.where = where
        return x * 1.0

    def backward(self, grad):
        if self.where == "backward":
            raise RuntimeError(self.where)
        return grad * 1.0


WHERE = ["forward", "backward", "tensor hook", "node hook", "module hook", "post-accumulate hook"]


class Trained:
    """A small model, and steps of training that may fail at a given place."""

    def __init__(self):
        dg.manual_seed(0)
        self.model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
        self.optimizer = optim.Adam(self.model.parameters(), lr=1e-3)
        draw = np.random.default_rng(0)
        self.x = dg.tensor(draw.standard_normal((4, 2)).astype(np.float32))

    def step(self, where=None):
        def raising(*_):
            raise RuntimeError(where)

        self.optimizer.zero_grad()
        handles = []
        if where == "module hook":
            handles.append(self.model[1].register_forward_hook(raising))
        if where == "post-accumulate hook":
            leaf = self.model[0].weight
            handles.append(leaf.register_post_accumulate_grad_hook(raising))
        try:
            out = self.model(Raises.apply(self.x * self.model[0].weight[0, 0], where=where))
            if where == "tensor hook":
                out.register_hook(raising)
            if where == "node hook":
                out.grad_fn.register_hook(raising)
            (out * out).mean().backward()
        finally:
            for handle in handles:
                handle.remove()
        self.optimizer.step()

    def values(self):
        return [p.tolist() for p in self.model.parameters()]


def growth(steps, step, settle=100):
    """How many objects, and blocks of Python's memory, there are more after the steps."""
    for number in range(settle):
        step(number)
    objects, blocks = len(gc.get_objects()), sys.getallocatedblocks()
    for number in range(settle, steps):
        step(number)
    return len(gc.get_objects()) - objects, sys.getallocatedblocks() - blocks


def test_ten_thousand_steps_leave_nothing_for_the_garbage_collector(without_collector):
    trained = Trained()
    objects, blocks = growth(10_000, lambda _: trained.step())
    assert objects <= 2
    assert blocks <= 500  # less than one in ten steps


def test_steps_that_fail_leave_nothing_and_spoil_nothing(without_collector):
    trained, undisturbed = Trained(), Trained()

    def step(number):
        if number % 2:
            where = WHERE[number // 2 % len(WHERE)]
            caught = None
            try:  # pytest.raises itself keeps something of each exception
                trained.step(where)
            except RuntimeError as error:
                caught = str(error)
            assert caught == where
        else:
            trained.step()

    objects, blocks = growth(10_000, step)
    for _ in range(5_000):
        undisturbed.step()
    assert trained.values() == undisturbed.values()
    assert objects <= 2
    assert blocks <= 500  # less than one in ten steps
