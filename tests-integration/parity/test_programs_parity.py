"""Random programs of operations, views and changes in place, run by PyTorch and by demograd.

At each step both compute the same values, or both refuse. After what PyTorch alone refuses (such as
a change by a value that shares some of the memory) a new program begins: demograd's own tests
compare it with a twin. What demograd alone refuses fails, but for one thing that the page on
differences names: a change of memory that ``expand`` has repeated.

A pass gives the same first and second derivatives, or is refused by both, or by PyTorch alone,
which saves more of some values.
"""

import operator

import numpy as np
import torch
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import demograd as dg
from demograd.errors import DemogradError

SHAPES = [(2, 3), (3,)]
LIMIT = 1e3

VIEWS = {
    "first": lambda x: x[0],
    "last": lambda x: x[-1:],
    "columns": lambda x: x[..., 1:],
    "steps": lambda x: x[::2],
    "element": lambda x: x[..., 0],
    "new": lambda x: x[None],
    "transposed": lambda x: x.transpose(0, -1),
    "flat": lambda x: x.reshape(-1),
    "repeated": lambda x: x.expand(2, *x.shape),
    "detached": lambda x: x.detach(),
}
UNARY = {
    "neg": operator.neg,
    "square": lambda x: x**2,
    "cube": lambda x: x**3,
    "affine": lambda x: x * 0.5 + 1.0,
    "bounded": lambda x: 1.0 / (x * x + 1.0),
    "sum": lambda x: x.sum(0),
    "mean": lambda x: x.mean(-1, keepdim=True),
    "clone": lambda x: x.clone(),
    "twice": lambda x: x[[0, 0]],
    "exp": lambda x: x.exp(),
    "tanh": lambda x: x.tanh(),
    "relu": lambda x: x.relu(),
}
BINARY = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": lambda x, y: x / (y * y + 1.0),
    "matmul": operator.matmul,
}
IN_PLACE = {
    "+=": operator.iadd,
    "-=": operator.isub,
    "*=": operator.imul,
    "/=": lambda x, y: operator.itruediv(x, y * y + 1.0),
    "**=": lambda x, y: operator.ipow(x, 2),
    "add_": lambda x, y: x.add_(y, alpha=0.5),
    "mul_": lambda x, y: x.mul_(y),
    "copy_": lambda x, y: x.copy_(y),
    "zero_": lambda x, y: x.zero_(),
    "fill_": lambda x, y: x.fill_(0.5),
    "clamp_": lambda x, y: x.clamp_(-0.5, 0.5),
    "relu_": lambda x, y: x.relu_(),
    "exp_": lambda x, y: x.exp_(),
}
INDICES = {
    "integer": lambda shape: 0,
    "slice": lambda shape: slice(1, None),
    "column": lambda shape: (..., -1),
    "everything": lambda shape: ...,
    "list": lambda shape: [-1],
    "pairs": lambda shape: ([0, -1], [0, 0]),
}

pick = st.integers(0, 99)
REFUSED = (RuntimeError, IndexError, ValueError)


def named(table):
    return st.sampled_from(sorted(table))


def numbers(x):
    return x.detach().numpy()


def attempt(function, *operands):
    """What a function gives, or the error with which it refuses."""
    try:
        return function(*operands)
    except REFUSED as error:
        return error


class Programs(RuleBasedStateMachine):
    """A program that grows, in both libraries."""

    @initialize(seed=st.integers(0, 99))
    def start(self, seed):
        draw = np.random.default_rng(seed)
        self.pairs = []
        self.leaves = ([], [])
        self.directions = []
        for shape in SHAPES:
            values, direction = draw.uniform(-1.5, 1.5, (2, *shape))
            leaves = [library.tensor(values, requires_grad=True) for library in (dg, torch)]
            self.directions.append(direction)
            for known, leaf in zip(self.leaves, leaves, strict=True):
                known.append(leaf)
            self.pairs += [tuple(leaves), tuple(leaf * 1.0 for leaf in leaves)]
        self.weights = draw.uniform(-1, 1, 500)

    def chosen(self, number):
        return self.pairs[number % len(self.pairs)]

    def compute(self, function, *pairs):
        ours, theirs = (attempt(function, *operands) for operands in zip(*pairs, strict=True))
        if isinstance(theirs, Exception) or isinstance(ours, Exception):
            assert isinstance(theirs, Exception), f"demograd alone refuses: {ours}"
            assert isinstance(ours, DemogradError), f"PyTorch alone refuses: {theirs}"
        elif theirs.numel() <= 24 and (numbers(theirs).size == 0 or abs(theirs).max() < LIMIT):
            self.pairs.append((ours, theirs))

    def change(self, function, ours, theirs, recorded):
        # As a rehearsal: what grows too large says nothing.
        with torch.no_grad():
            rehearsed = attempt(function, theirs.clone())
        if isinstance(rehearsed, torch.Tensor) and rehearsed.abs().max().item() >= LIMIT:
            return
        with torch.set_grad_enabled(recorded):
            their_error = attempt(function, theirs)
        with dg.autograd.set_grad_enabled(recorded):
            our_error = attempt(function, ours)
        refused = isinstance(their_error, Exception), isinstance(our_error, Exception)
        if refused == (False, True):
            assert "shared by repetition" in str(our_error), f"demograd alone refuses: {our_error}"
        if refused[0] != refused[1]:
            self.start(len(self.pairs))

    @rule(name=named(VIEWS), i=pick)
    def take_a_view(self, name, i):
        x = self.chosen(i)
        if x[0].ndim == 0 and name in ("first", "last", "columns", "steps", "element"):
            return
        before = len(self.pairs)
        self.compute(VIEWS[name], x)
        if len(self.pairs) > before and x[0].numel():
            shared = [
                np.shares_memory(numbers(a), numbers(b))
                for a, b in zip(x, self.pairs[-1], strict=True)
            ]
            assert shared[0] == shared[1]

    @rule(name=named(UNARY), i=pick)
    def compute_from_one(self, name, i):
        x = self.chosen(i)
        if x[0].ndim == 0 and name in ("sum", "mean", "twice"):
            return
        if 0 in x[0].shape and name == "mean":
            return  # of nothing it is NaN, which equals nothing
        self.compute(UNARY[name], x)

    @rule(name=named(BINARY), i=pick, j=pick)
    def compute_from_two(self, name, i, j):
        self.compute(BINARY[name], self.chosen(i), self.chosen(j))

    @rule(name=named(IN_PLACE), i=pick, j=pick, recorded=st.sampled_from([True, True, True, False]))
    def change_in_place(self, name, i, j, recorded):
        (x, y), operands = self.chosen(i), dict(zip((dg, torch), self.chosen(j), strict=True))

        def function(t):
            return IN_PLACE[name](t, operands[dg if isinstance(t, dg.Tensor) else torch])

        if x.numel():
            self.change(function, x, y, recorded)

    @rule(name=named(INDICES), i=pick, j=pick, recorded=st.sampled_from([True, True, True, False]))
    def assign(self, name, i, j, recorded):
        (x, y), (ours, theirs) = self.chosen(i), self.chosen(j)
        if not x.numel() or np.shares_memory(numbers(y), numbers(theirs)):
            return
        if name == "pairs" and x.shape[:1] == (1,):
            return  # one place, named twice: the page on differences says what comes of it
        index = INDICES[name](x.shape)

        def function(t):
            t[index] = ours if isinstance(t, dg.Tensor) else theirs
            return t

        self.change(function, x, y, recorded)

    @rule(which=st.lists(pick, min_size=1, max_size=4), second=st.booleans())
    def differentiate(self, which, second):
        ours, theirs = (
            attempt(self.derivatives, library, number, which, second)
            for number, library in enumerate((dg, torch))
        )
        if isinstance(theirs, Exception):
            # It refuses when the loss depends on nothing as well; then demograd does, too.
            if "modified by an inplace operation" not in str(theirs):
                assert isinstance(ours, Exception), f"PyTorch alone refuses: {theirs}"
            return
        assert not isinstance(ours, Exception), f"demograd alone refuses: {ours}"
        scale = max(1.0, np.abs(theirs).max())
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-8 * scale)

    def derivatives(self, library, number, which, second):
        """The gradients of a weighted sum of some tensors, and then a product with its Hessian."""
        leaves = self.leaves[number]
        loss = 0.0
        for i in which:
            x = self.chosen(i)[number]
            weights = self.weights[: x.numel()].reshape(tuple(x.shape))
            loss = loss + (x * library.tensor(weights)).sum()
        options = {"retain_graph": True, "materialize_grads": True}
        first = library.autograd.grad(loss, leaves, create_graph=second, **options)
        found = [numbers(g).reshape(-1) for g in first]
        if second:
            along = sum(
                (g * library.tensor(d)).sum() for g, d in zip(first, self.directions, strict=True)
            )
            if along.requires_grad:
                found += [
                    numbers(g).reshape(-1) for g in library.autograd.grad(along, leaves, **options)
                ]
            else:
                found += [np.zeros(d.size) for d in self.directions]
        return np.concatenate(found)

    @invariant()
    def both_have_the_same_values(self):
        for ours, theirs in self.pairs:
            assert ours.shape == tuple(theirs.shape)
            np.testing.assert_allclose(numbers(ours), numbers(theirs), rtol=1e-7, atol=1e-9)


class TestARandomProgramIsThatOfPyTorch(Programs.TestCase):
    settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
