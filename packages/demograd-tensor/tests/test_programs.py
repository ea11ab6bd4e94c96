"""Random programs of operations, views and changes in place, against a naive functional twin.

The twin keeps memory as flat arrays and each tensor as places in one of them, and differentiates
forward: beside each value stand its derivatives with respect to every element of the leaves. All
of it is complex, with the leaves a tiny step along a direction of the imaginary axis, so that the
imaginary parts are one more derivative. It has no graph, no views and no saved values, and so none
of what can go wrong with them.

Whatever a program does, the values must be the twin's, and the first and second derivatives must
be, or the pass is refused because a saved value was overwritten.
"""

import operator

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import demograd as dg
from demograd.autograd import checkpoint, grad
from demograd.autograd.graph import saved_tensors_hooks
from demograd.errors import DemogradError, GradientError

SHAPES = [(2, 3), (3,)]  # of the leaves
COUNT = 9  # their elements
STEP = 1e-30
LIMIT = 1e3  # programs whose values grow beyond this say nothing


class Memory:
    """Elements without history; several families of tensors may show them."""

    def __init__(self, values):
        self.values = values.reshape(-1).copy()


class Family:
    """A base and its views: the derivatives of the elements of a memory."""

    def __init__(self, memory):
        self.memory = memory
        self.steps = np.zeros(memory.values.size)  # along the direction, over STEP
        self.slopes = np.zeros((memory.values.size, COUNT), complex)


class Dual:
    """Values, and their derivatives in one more dimension at the end."""

    def __init__(self, values, slopes):
        self.values = np.asarray(values, complex)
        self.slopes = slopes

    @classmethod
    def constant(cls, values):
        values = np.asarray(values, complex)
        return cls(values, np.zeros((*values.shape, COUNT), complex))

    def aligned(self, ndim):
        """With dimensions of length one put in front, as broadcasting does."""
        front = (1,) * (ndim - self.values.ndim)
        values, slopes = self.values, self.slopes
        return values.reshape(front + values.shape), slopes.reshape(front + slopes.shape)

    def broadcast(self, shape):
        values, slopes = self.aligned(len(shape))
        return Dual(np.broadcast_to(values, shape), np.broadcast_to(slopes, (*shape, COUNT)))

    def along(self, function):
        """The same for values and derivatives; the function leaves the last dimension alone."""
        return Dual(function(self.values), function(self.slopes))


def combined(x, y, values, by_x, by_y):
    """A function of two Duals from its values and its partial derivatives."""
    ndim = max(x.values.ndim, y.values.ndim)
    (a, da), (b, db) = x.aligned(ndim), y.aligned(ndim)
    return Dual(values(a, b), by_x(a, b)[..., None] * da + by_y(a, b)[..., None] * db)


def ones(a, b):
    return np.ones(np.broadcast_shapes(a.shape, b.shape))


def add(x, y):
    return combined(x, y, operator.add, ones, ones)


def sub(x, y):
    return combined(x, y, operator.sub, ones, lambda a, b: -ones(a, b))


def mul(x, y):
    return combined(x, y, operator.mul, lambda a, b: b + 0 * a, lambda a, b: a + 0 * b)


def div(x, y):
    return combined(
        x, y, operator.truediv, lambda a, b: 1 / b + 0 * a, lambda a, b: -a / b**2
    )  # fmt: skip


def power(x, n):
    return Dual(x.values**n, (n * x.values ** (n - 1))[..., None] * x.slopes)


def matmul(x, y):
    left = Dual(x.values[:, :, None], x.slopes[:, :, None])
    return mul(left, y).along(lambda a: a.sum(1))


def mean_last(x):
    axis = x.values.ndim - 1
    return x.along(lambda a: a.mean(axis, keepdims=True))


class Twin:
    """A tensor as places in the memory of a family."""

    def __init__(self, family, places):
        self.family = family
        self.places = places

    @classmethod
    def of(cls, dual):
        values, slopes = np.broadcast_arrays(dual.values[..., None], dual.slopes)
        family = Family(Memory(values[..., 0].real))
        family.steps[:] = values[..., 0].imag.reshape(-1) / STEP
        family.slopes[:] = slopes.reshape(-1, COUNT)
        return cls(family, np.arange(values[..., 0].size).reshape(values.shape[:-1]))

    def read(self):
        family = self.family
        values = family.memory.values[self.places] + 1j * STEP * family.steps[self.places]
        return Dual(values, family.slopes[self.places])

    def view(self, function):
        return Twin(self.family, function(self.places))

    def detached(self):
        return Twin(Family(self.family.memory), self.places)

    def write(self, dual, places, recorded=True):
        dual = dual.broadcast(places.shape)
        self.family.memory.values[places] = dual.values.real
        if recorded:
            self.family.steps[places] = dual.values.imag / STEP
            self.family.slopes[places] = dual.slopes


VIEWS = {
    "first": lambda x: x[0],
    "last": lambda x: x[-1:],
    "columns": lambda x: x[..., 1:],
    "backwards": lambda x: x[::-1],
    "element": lambda x: x[..., 0],
    "new": lambda x: x[None],
    "T": lambda x: x.T,
    "flat": lambda x: x.reshape(-1),
}
UNARY = {
    "neg": (operator.neg, lambda x: sub(Dual.constant(0.0), x)),
    "square": (lambda x: x**2, lambda x: power(x, 2)),
    "cube": (lambda x: x**3, lambda x: power(x, 3)),
    "affine": (
        lambda x: x * 0.5 + 1.0,
        lambda x: add(mul(x, Dual.constant(0.5)), Dual.constant(1.0)),
    ),
    "bounded": (
        lambda x: 1.0 / (x * x + 1.0),
        lambda x: div(Dual.constant(1.0), add(mul(x, x), Dual.constant(1.0))),
    ),
    "sum": (lambda x: x.sum(0), lambda x: x.along(lambda a: a.sum(0))),
    "mean": (lambda x: x.mean(-1, keepdim=True), mean_last),
    "clone": (lambda x: x.clone(), lambda x: x),
    "twice": (lambda x: x[[0, 0]], lambda x: x.along(lambda a: a[[0, 0]])),
}
BINARY = {
    "add": (operator.add, add),
    "sub": (operator.sub, sub),
    "mul": (operator.mul, mul),
    "div": (
        lambda x, y: x / (y * y + 1.0),
        lambda x, y: div(x, add(mul(y, y), Dual.constant(1.0))),
    ),
    "matmul": (operator.matmul, matmul),
}
IN_PLACE = {
    "+=": (operator.iadd, add),
    "-=": (operator.isub, sub),
    "*=": (operator.imul, mul),
    "/=": (
        lambda x, y: operator.itruediv(x, y * y + 1.0),
        lambda x, y: div(x, add(mul(y, y), Dual.constant(1.0))),
    ),
    "**=": (lambda x, y: operator.ipow(x, 2), lambda x, y: power(x, 2)),
    "add_": (
        lambda x, y: x.add_(y, alpha=0.5),
        lambda x, y: add(x, mul(y, Dual.constant(0.5))),
    ),
    "mul_": (lambda x, y: x.mul_(y), mul),
    "copy_": (lambda x, y: x.copy_(y), lambda x, y: y.broadcast(x.values.shape)),
    "zero_": (lambda x, y: x.zero_(), lambda x, y: Dual.constant(np.zeros(x.values.shape))),
    "fill_": (lambda x, y: x.fill_(0.5), lambda x, y: Dual.constant(np.full(x.values.shape, 0.5))),
    "number": (lambda x, y: operator.imul(x, -0.5), lambda x, y: mul(x, Dual.constant(-0.5))),
}


def packed(function, *args):
    with saved_tensors_hooks(lambda t: t.numpy().copy(), dg.Tensor):
        return function(*args)


WAYS = {
    "checkpoint": checkpoint,
    "checkpoint in a checkpoint": lambda f, x, y: checkpoint(
        lambda a, b: checkpoint(f, a * 2.0, b * 2.0), x * 0.5, y * 0.5
    ),
    "packed": packed,
    "packed checkpoint": lambda f, x, y: packed(checkpoint, f, x, y),
}
INDICES = {
    "integer": lambda shape: 0,
    "slice": lambda shape: slice(1, None),
    "steps": lambda shape: slice(None, None, -2),
    "column": lambda shape: (..., -1),
    "everything": lambda shape: ...,
    "list": lambda shape: [-1],
    "repeated": lambda shape: [0, 0],
    "mask": lambda shape: np.arange(np.prod(shape, dtype=int)).reshape(shape) % 2 == 0,
    "pairs": lambda shape: ([0, -1], [0, 0]),
}

# Why a change in place may be refused, besides what does not fit.
REFUSED = ["a leaf that requires", "a view of a leaf", "read-only, or shared by repetition"]

pick = st.integers(0, 5) | st.integers(0, 99)
mostly = st.sampled_from([True, True, True, False])


def named(table):
    return st.sampled_from(sorted(table))


OVERWRITTEN = "changed in place afterwards"


def without(x, name):
    """Whether the tensor is too small for a function: without dimensions, or without elements."""
    return (x.ndim == 0 and name in ("sum", "mean", "twice")) or (
        0 in x.shape and name in ("mean", "twice")
    )


def raw(x):
    return x.detach().numpy()


def zeros_for(x):
    return dg.zeros(x.shape, dtype=x.dtype)


def small(dual):
    return dual.values.size <= 24 and np.abs(dual.values).max(initial=0.0) < LIMIT


class Programs(RuleBasedStateMachine):
    """A program that grows, on Tensors and on their twins at once."""

    @initialize(seed=st.integers(0, 99))
    def start(self, seed):
        draw = np.random.default_rng(seed)
        self.tensors, self.twins = [], []
        self.direction = []
        start = 0
        for shape in SHAPES:
            values, direction = draw.uniform(-1.5, 1.5, (2, *shape))
            leaf = dg.tensor(values, requires_grad=True)
            size = values.size
            slopes = np.zeros((size, COUNT), complex)
            slopes[np.arange(size), start + np.arange(size)] = 1
            start += size
            dual = Dual(values + 1j * STEP * direction, slopes.reshape(*shape, COUNT))
            self.keep(leaf, Twin.of(dual))
            self.direction.append(dg.tensor(direction))
        self.leaves = self.tensors[:]
        self.of_leaves = [twin.family for twin in self.twins]
        # Bases with views, and products that have saved them.
        for leaf, twin in zip(self.leaves, self.twins[:], strict=True):
            base, base_twin = leaf * 1.0, Twin.of(twin.read())
            self.keep(base, base_twin)
            self.keep(base[:1], base_twin.view(lambda places: places[:1]))
            self.keep(base * base, Twin.of(mul(base_twin.read(), base_twin.read())))
        self.weights = draw.uniform(-1, 1, 500)

    def keep(self, tensor, twin):
        self.tensors.append(tensor)
        self.twins.append(twin)

    def chosen(self, number, condition=None):
        """A tensor and its twin, counted from the last: what is new is looked at most.

        Every eighth time the condition is left out: what does not fit must be refused.
        """
        pairs = list(zip(self.tensors, self.twins, strict=True))
        if condition is not None and number % 8 != 7:
            pairs = [pair for pair in pairs if condition(*pair)] or pairs
        return pairs[-1 - number % len(pairs)]

    def changeable(self, number):
        """One that can be changed in place while recording."""
        return self.chosen(
            number,
            lambda x, twin: (
                twin.family not in self.of_leaves
                and np.unique(twin.places).size == twin.places.size
            ),
        )

    def fitting(self, number, shape, related=None):
        """One that broadcasts to a shape; if so asked, one that shows memory of another."""

        def fits(x, twin):
            try:
                if np.broadcast_shapes(x.shape, shape) != shape:
                    return False
            except ValueError:
                return False
            return related is None or np.shares_memory(raw(x), raw(related))

        return self.chosen(number, fits)

    @rule(name=named(VIEWS), i=pick)
    def take_a_view(self, name, i):
        x, twin = self.chosen(i)
        try:
            expected = twin.view(VIEWS[name])
        except IndexError:
            with pytest.raises(DemogradError):
                VIEWS[name](x)
            return
        out = VIEWS[name](x)
        if not np.shares_memory(out.detach().numpy(), x.detach().numpy()) and out.numel():
            assert name == "flat"  # of elements out of order it is a copy
            expected = Twin.of(expected.read())
        self.keep(out, expected)

    @rule(i=pick)
    def repeat(self, i):
        x, twin = self.chosen(i)
        shape = (2, *x.shape)
        if len(shape) < 4:
            self.keep(x.expand(shape), twin.view(lambda places: np.broadcast_to(places, shape)))

    @rule(i=pick)
    def detach(self, i):
        x, twin = self.chosen(i)
        self.keep(x.detach(), twin.detached())

    @rule(name=named(UNARY), i=pick)
    def compute_from_one(self, name, i):
        x, twin = self.chosen(i)
        if without(x, name):
            return
        function, expected = UNARY[name]
        dual = expected(twin.read())
        if small(dual):
            self.keep(function(x), Twin.of(dual))

    @rule(name=named(BINARY), i=pick, j=pick)
    def compute_from_two(self, name, i, j):
        x, first = self.chosen(i)
        y, second = self.fitting(j, x.shape) if name != "matmul" else self.chosen(j)
        function, expected = BINARY[name]
        if name == "matmul" and not (x.ndim == y.ndim == 2 and x.shape[1] == y.shape[0]):
            return
        try:
            dual = expected(first.read(), second.read())
        except ValueError:
            with pytest.raises(DemogradError):
                function(x, y)
            return
        if small(dual):
            self.keep(function(x, y), Twin.of(dual))

    @rule(first=named(BINARY), then=named(UNARY), i=pick, j=pick, way=named(WAYS))
    def compute_in_another_way(self, first, then, i, j, way):
        x, x_twin = self.chosen(i)
        y, y_twin = self.fitting(j, x.shape)
        if x.shape != y.shape or without(x, then) or first == "matmul":
            return
        dual = UNARY[then][1](BINARY[first][1](x_twin.read(), y_twin.read()))
        if small(dual):
            out = WAYS[way](lambda a, b: UNARY[then][0](BINARY[first][0](a, b)), x, y)
            self.keep(out, Twin.of(dual))

    @rule(name=named(IN_PLACE), i=pick, j=pick, related=st.booleans(), recorded=mostly)
    def change_in_place(self, name, i, j, related, recorded):
        x, first = self.changeable(i)
        y, second = self.fitting(j, x.shape, x if related else None)
        function, expected = IN_PLACE[name]
        try:
            dual = expected(first.read(), second.read())
            fits = np.broadcast_shapes(dual.values.shape, x.shape) == x.shape
        except ValueError:
            fits = False
        if fits and not small(dual):
            return
        try:
            with dg.autograd.set_grad_enabled(recorded):
                function(x, y)
        except DemogradError as error:
            if fits and not any(known in str(error) for known in REFUSED):
                raise
            return  # and nothing has changed, which the invariant sees
        assert fits
        first.write(dual, first.places, recorded)

    @rule(name=named(INDICES), i=pick, j=pick, related=st.booleans(), recorded=mostly)
    def assign(self, name, i, j, related, recorded):
        x, first = self.changeable(i)
        y, second = self.fitting(j, x.shape, x if related else None)
        index = INDICES[name](x.shape)
        values = second.read()
        try:
            places = first.places[index]
            values = values.broadcast(places.shape)
        except (IndexError, ValueError):
            # NumPy drops dimensions of length one in front of the values, and so does demograd.
            with pytest.raises(DemogradError):
                x[index] = dg.ones(7, 7, 7)
            return
        try:
            with dg.autograd.set_grad_enabled(recorded):
                x[index] = y
        except DemogradError as error:
            if not any(known in str(error) for known in REFUSED):
                raise
            return
        first.write(values, places, recorded)

    def loss(self, numbers):
        """A weighted sum of some tensors, and what its derivatives should be."""
        total, slopes = dg.tensor(0.0, dtype="float64"), np.zeros(COUNT, complex)
        for number in numbers:
            x, twin = self.chosen(number)
            weights = self.weights[: x.numel()].reshape(x.shape)
            total = total + (x * dg.tensor(weights)).sum()
            slopes += (weights[..., None] * twin.read().slopes).reshape(-1, COUNT).sum(0)
        return total, slopes

    @rule(numbers=st.lists(pick, min_size=1, max_size=4), second=st.booleans())
    def differentiate(self, numbers, second):
        loss, slopes = self.loss(numbers)
        if not loss.requires_grad:
            np.testing.assert_array_equal(slopes, 0)
            return
        options = {"retain_graph": True, "materialize_grads": True}
        first = derivatives(loss, self.leaves, create_graph=second, **options)
        if first is None:
            return
        check(first, slopes.real)
        along = sum((g * d).sum() for g, d in zip(first, self.direction, strict=True))
        if second and along.requires_grad:
            curvature = derivatives(along, self.leaves, **options)
            if curvature is not None:
                check(curvature, slopes.imag / STEP)

    def teardown(self):
        """In the end each tensor is differentiated, by ``backward``."""
        for number in range(len(getattr(self, "tensors", ()))):
            loss, slopes = self.loss([number])
            if not loss.requires_grad:
                np.testing.assert_array_equal(slopes, 0)
                continue
            try:
                loss.backward(retain_graph=True)
            except GradientError as error:
                if OVERWRITTEN not in str(error):
                    raise
            else:
                check(
                    [zeros_for(x) if x.grad is None else x.grad for x in self.leaves], slopes.real
                )
            for x in self.leaves:
                x.grad = None

    @invariant()
    def values_are_the_twins(self):
        for x, twin in zip(self.tensors, self.twins, strict=True):
            expected = twin.read().values.real
            assert x.shape == expected.shape
            np.testing.assert_allclose(x.detach().numpy(), expected, rtol=1e-7, atol=1e-9)


def derivatives(loss, leaves, **options):
    """The gradients, or None where a saved value was overwritten."""
    try:
        return grad(loss, leaves, **options)
    except GradientError as error:
        if OVERWRITTEN in str(error):
            return None
        raise


def check(gradients, expected):
    actual = np.concatenate([g.detach().numpy().reshape(-1) for g in gradients])
    scale = max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(actual, expected, rtol=1e-6, atol=1e-8 * scale)


class TestARandomProgramAgreesWithItsTwinOrIsRefused(Programs.TestCase):
    settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
