"""Functions that join, split, reorder, pick and put elements: one table, and what holds."""

import functools
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

import demograd as dg
from demograd import Tensor, ops
from demograd.autograd import grad, gradcheck, gradgradcheck
from demograd.testing import check_function

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Use:
    """A function of tensors of the given shapes, and the same in NumPy."""

    function: Callable[..., Any]
    reference: Callable[..., Any]
    shapes: list[Shape]


@dataclass(frozen=True)
class Case:
    name: str
    # Settings are drawn to fit the shape.
    make: Callable[[Shape, np.random.Generator], Use]
    ndims: tuple[int, int] = (1, 3)
    # Whether it needs an element along each dimension.
    needs_elements: bool = False


def one(make: Callable[[Shape, np.random.Generator], tuple[Any, Any]]) -> Any:
    """A function of one tensor."""

    def use(shape: Shape, rng: np.random.Generator) -> Use:
        function, reference = make(shape, rng)
        return Use(function, reference, [shape])

    return use


def a_dim(shape: Shape, rng: np.random.Generator) -> int:
    """Counted from the front or from the back."""
    return int(rng.integers(-len(shape), len(shape)))


def with_length(shape: Shape, dim: int, length: int) -> Shape:
    dim %= len(shape)
    return (*shape[:dim], length, *shape[dim + 1 :])


def cat(shape: Shape, rng: np.random.Generator) -> Use:
    dim = a_dim(shape, rng)
    other = with_length(shape, dim, int(rng.integers(0, 4)))
    return Use(
        lambda x, y: ops.cat([x, y, x], dim),
        lambda x, y: np.concatenate([x, y, x], dim),
        [shape, other],
    )


def stack(shape: Shape, rng: np.random.Generator) -> Use:
    dim = int(rng.integers(-len(shape) - 1, len(shape) + 1))
    return Use(
        lambda x, y: ops.stack((x, y), dim), lambda x, y: np.stack((x, y), dim), [shape, shape]
    )


def split(shape: Shape, rng: np.random.Generator) -> Any:
    dim, size = a_dim(shape, rng), int(rng.integers(1, 4))
    places = list(range(size, shape[dim], size))
    return lambda x: ops.split(x, size, dim), lambda x: tuple(np.split(x, places, dim))


def split_in_lengths(shape: Shape, rng: np.random.Generator) -> Any:
    dim = a_dim(shape, rng)
    places = sorted(rng.integers(0, shape[dim] + 1, 2).tolist())
    lengths = np.diff([0, *places, shape[dim]]).tolist()
    return lambda x: ops.split(x, lengths, dim), lambda x: tuple(np.split(x, places, dim))


def chunk(shape: Shape, rng: np.random.Generator) -> Any:
    dim, number = a_dim(shape, rng), int(rng.integers(1, 5))
    size = max(-(-shape[dim] // number), 1)
    places = list(range(size, shape[dim], size)) if shape[dim] else [0] * (number - 1)
    return lambda x: ops.chunk(x, number, dim), lambda x: tuple(np.split(x, places, dim))


def unbind(shape: Shape, rng: np.random.Generator) -> Any:
    dim = a_dim(shape, rng)
    return (
        lambda x: ops.unbind(x, dim),
        lambda x: tuple(np.take(x, i, dim) for i in range(shape[dim])),
    )


def flatten(shape: Shape, rng: np.random.Generator) -> Any:
    first, last = sorted(rng.integers(0, len(shape), 2).tolist())
    middle = int(np.prod(shape[first : last + 1]))
    wanted = (*shape[:first], middle, *shape[last + 1 :])
    return lambda x: ops.flatten(x, first, last - len(shape)), lambda x: x.reshape(wanted)


def unflatten(shape: Shape, rng: np.random.Generator) -> Any:
    dim = a_dim(shape, rng)
    wanted = list(shape)
    wanted[dim % len(shape)] = 1
    wanted.insert(dim % len(shape) + 1, shape[dim])
    return lambda x: ops.unflatten(x, dim, (1, -1)), lambda x: x.reshape(wanted)


def squeeze(shape: Shape, rng: np.random.Generator) -> Any:
    dims = tuple(set((rng.integers(0, len(shape), 2)).tolist()))
    ones = tuple(d for d in dims if shape[d] == 1)
    return lambda x: ops.squeeze(x, dims), lambda x: np.squeeze(x, ones)


def unsqueeze(shape: Shape, rng: np.random.Generator) -> Any:
    dim = int(rng.integers(-len(shape) - 1, len(shape) + 1))
    return lambda x: ops.unsqueeze(x, dim), lambda x: np.expand_dims(x, dim)


def movedim(shape: Shape, rng: np.random.Generator) -> Any:
    source = tuple(rng.permutation(len(shape))[:2].tolist())
    destination = tuple(rng.permutation(len(shape))[: len(source)].tolist())
    return (
        lambda x: ops.movedim(x, source, destination),
        lambda x: np.moveaxis(x, source, destination),
    )


def swapdims(shape: Shape, rng: np.random.Generator) -> Any:
    a, b = a_dim(shape, rng), a_dim(shape, rng)
    return lambda x: ops.swapdims(x, a, b), lambda x: np.swapaxes(x, a, b)


def broadcast_to(shape: Shape, rng: np.random.Generator) -> Use:
    wanted = (2, *shape)
    narrow = tuple(1 if rng.random() < 0.5 else n for n in shape)
    return Use(
        lambda x: ops.broadcast_to(x, wanted), lambda x: np.broadcast_to(x, wanted), [narrow]
    )


def flip(shape: Shape, rng: np.random.Generator) -> Any:
    dims = tuple(rng.permutation(len(shape))[:2].tolist())
    return lambda x: ops.flip(x, dims), lambda x: np.flip(x, dims)


def roll(shape: Shape, rng: np.random.Generator) -> Any:
    shifts, dim = tuple(rng.integers(-5, 6, 2).tolist()), a_dim(shape, rng)
    return lambda x: ops.roll(x, shifts, (0, dim)), lambda x: np.roll(x, shifts, (0, dim))


def roll_all(shape: Shape, rng: np.random.Generator) -> Any:
    shift = int(rng.integers(-5, 6))
    return lambda x: ops.roll(x, shift), lambda x: np.roll(x, shift)


def repeat(shape: Shape, rng: np.random.Generator) -> Any:
    repeats = tuple(rng.integers(0, 3, len(shape) + 1).tolist())
    return lambda x: ops.repeat(x, *repeats), lambda x: np.tile(x, repeats)


def tile(shape: Shape, rng: np.random.Generator) -> Any:
    repeats = int(rng.integers(0, 3))
    return lambda x: ops.tile(x, (repeats,)), lambda x: np.tile(x, repeats)


def repeat_interleave(shape: Shape, rng: np.random.Generator) -> Any:
    dim = a_dim(shape, rng)
    repeats = rng.integers(0, 3, shape[dim]).tolist()
    return (
        lambda x: ops.repeat_interleave(x, repeats, dim),
        lambda x: np.repeat(x, repeats, dim),
    )


def pad(shape: Shape, rng: np.random.Generator) -> Any:
    last = shape[-1]
    left = int(rng.integers(-(last // 2), 3))
    right = int(rng.integers(-(last // 2), 3))
    inside = slice(max(-left, 0), last - max(-right, 0))
    widths = [(0, 0)] * (len(shape) - 1) + [(max(left, 0), max(right, 0))]
    return (
        lambda x: ops.pad(x, (left, right), value=1.5),
        lambda x: np.pad(x[..., inside], widths, constant_values=1.5),
    )


def pad_by(mode: str, numpys: str, reach: int) -> Any:
    def make(shape: Shape, rng: np.random.Generator) -> Any:
        pairs = [tuple(rng.integers(0, max(n + reach, 0) + 1, 2).tolist()) for n in shape]
        flat = [n for pair in reversed(pairs) for n in pair]
        return lambda x: ops.pad(x, flat, mode), lambda x: np.pad(x, pairs, mode=numpys)  # type: ignore[call-overload]

    return one(make)


def shorter(shape: Shape, dim: int, rng: np.random.Generator) -> Shape:
    """The shape of an index: any length along the dimension, no longer along the others."""
    lengths = [int(rng.integers(0, n + 1)) if n < 2 else n - int(rng.integers(2)) for n in shape]
    return with_length(tuple(lengths), dim, int(rng.integers(0, 5)))


def like(x: Tensor, index: Any) -> Tensor:
    """An index, or a mask, of the array library of ``x``."""
    library = getattr(x.data, "__array_namespace__", lambda: np)()
    return Tensor(library.asarray(index))


def gather(shape: Shape, rng: np.random.Generator) -> Any:
    dim = a_dim(shape, rng)
    index = rng.integers(0, shape[dim], shorter(shape, dim, rng))
    front = with_length(index.shape, dim, shape[dim])
    return (
        lambda x: ops.gather(x, dim, like(x, index)),
        lambda x: np.take_along_axis(x[tuple(map(slice, front))], index, dim),
    )


def take_along_dim(shape: Shape, rng: np.random.Generator) -> Any:
    dim = a_dim(shape, rng)
    index = rng.integers(-shape[dim], shape[dim], with_length((1,) * len(shape), dim, 3))
    whole = np.broadcast_to(index, with_length(shape, dim, 3))
    return (
        lambda x: ops.take_along_dim(x, like(x, index), dim),
        lambda x: np.take_along_axis(x, whole, dim),
    )


def index_select(shape: Shape, rng: np.random.Generator) -> Any:
    dim = a_dim(shape, rng)
    index = rng.integers(0, shape[dim], 5)
    return lambda x: ops.index_select(x, dim, like(x, index)), lambda x: np.take(x, index, dim)


def scatter(shape: Shape, rng: np.random.Generator) -> Use:
    dim = a_dim(shape, rng)
    index = rng.integers(0, shape[dim], shorter(shape, dim, rng))

    def reference(x: Any, src: Any) -> Any:
        out = x.copy()
        for at in np.ndindex(index.shape):
            to = list(at)
            to[dim % len(shape)] = index[at]
            out[tuple(to)] = src[at]
        return out

    longer = with_length(shape, dim, index.shape[dim] + 1)
    return Use(lambda x, src: ops.scatter(x, dim, like(x, index), src), reference, [shape, longer])


def scatter_number(shape: Shape, rng: np.random.Generator) -> Any:
    dim = a_dim(shape, rng)
    index = rng.integers(0, shape[dim], with_length(shape, dim, 2))

    def reference(x: Any) -> Any:
        out = x.copy()
        np.put_along_axis(out, index, 2.5, dim)
        return out

    return lambda x: ops.scatter(x, dim, like(x, index), 2.5), reference


def scatter_add(shape: Shape, rng: np.random.Generator) -> Use:
    dim = a_dim(shape, rng)
    index = rng.integers(0, shape[dim], shorter(shape, dim, rng))

    def reference(x: Any, src: Any) -> Any:
        out = x.copy()
        for at in np.ndindex(index.shape):
            to = list(at)
            to[dim % len(shape)] = index[at]
            out[tuple(to)] += src[at]
        return out

    return Use(
        lambda x, src: ops.scatter_add(x, dim, like(x, index), src),
        reference,
        [shape, index.shape],
    )


def masked_fill(shape: Shape, rng: np.random.Generator) -> Any:
    mask = rng.random((3, *shape)) < 0.5
    return (
        lambda x: ops.masked_fill(x, like(x, mask), -1.5),
        lambda x: np.where(mask, np.asarray(-1.5, x.dtype), x),
    )


def masked_select(shape: Shape, rng: np.random.Generator) -> Any:
    mask = rng.random(shape[-1]) < 0.5
    return (
        lambda x: ops.masked_select(x, like(x, mask)),
        lambda x: x[np.broadcast_to(mask, shape)],
    )


def triangle(function: Any, reference: Any) -> Any:
    def make(shape: Shape, rng: np.random.Generator) -> Any:
        k = int(rng.integers(-4, 5))
        return lambda x: function(x, k), lambda x: reference(x, k)

    return one(make)


def diagonal(shape: Shape, rng: np.random.Generator) -> Any:
    offset = int(rng.integers(-4, 5))
    a, b = rng.permutation(len(shape))[:2].tolist()
    return (
        lambda x: ops.diagonal(x, offset, a - len(shape), b),
        lambda x: np.diagonal(x, offset, a, b),
    )


def diag(shape: Shape, rng: np.random.Generator) -> Any:
    offset = int(rng.integers(-2, 3))
    return lambda x: ops.diag(x, offset), lambda x: np.diag(x, offset)


def sort(shape: Shape, rng: np.random.Generator) -> Any:
    dim, down = a_dim(shape, rng), bool(rng.integers(2))

    def reference(x: Any) -> Any:
        return np.flip(np.sort(x, dim), dim) if down else np.sort(x, dim)

    return lambda x: ops.sort(x, dim, down).values, reference


def topk(shape: Shape, rng: np.random.Generator) -> Any:
    dim = a_dim(shape, rng)
    k = int(rng.integers(0, shape[dim] + 1))

    def reference(x: Any) -> Any:
        return np.take(np.flip(np.sort(x, dim), dim), np.arange(k), dim)

    return lambda x: ops.topk(x, k, dim).values, reference


def diff(shape: Shape, rng: np.random.Generator) -> Any:
    dim, n = a_dim(shape, rng), int(rng.integers(0, 3))
    return lambda x: ops.diff(x, n, dim), lambda x: np.diff(x, n, dim)


def diff_between(shape: Shape, rng: np.random.Generator) -> Use:
    dim = a_dim(shape, rng)
    edge = with_length(shape, dim, 1)
    return Use(
        lambda x, a, b: ops.diff(x, dim=dim, prepend=a, append=b),
        lambda x, a, b: np.diff(x, 1, dim, a, b),
        [shape, edge, edge],
    )


def tensordot(shape: Shape, rng: np.random.Generator) -> Use:
    a, b, c = shape
    pairs = [0, 2], [2, 0]
    return Use(
        lambda x, y: ops.tensordot(x, y, pairs),
        lambda x, y: np.tensordot(x, y, pairs),
        [(a, b, c), (c, 2, a)],
    )


def product(function: Any, reference: Any, *kinds: str) -> Any:
    """A product whose operands have the lengths that the letters stand for."""

    def make(shape: Shape, rng: np.random.Generator) -> Use:
        lengths = dict(zip("bnkm", (*shape, 2), strict=True))
        shapes = [tuple(lengths[letter] for letter in kind) for kind in kinds]
        return Use(function, reference, shapes)

    return make


CASES = [
    Case("bmm", product(ops.bmm, np.matmul, "bnk", "bkm"), (3, 3)),
    Case("broadcast_to", broadcast_to),
    Case("cat", cat),
    Case("chunk", one(chunk)),
    Case("diag", one(diag), (1, 2)),
    Case("diagonal", one(diagonal), (2, 3)),
    Case("diff", one(diff)),
    Case("diff between", diff_between),
    Case("dot", product(ops.dot, np.dot, "k", "k"), (3, 3)),
    Case("flatten", one(flatten)),
    Case("flip", one(flip)),
    Case("gather", one(gather), needs_elements=True),
    Case("index_select", one(index_select), needs_elements=True),
    Case("masked_fill", one(masked_fill)),
    Case("masked_select", one(masked_select)),
    Case("mm", product(ops.mm, np.matmul, "nk", "km"), (3, 3)),
    Case("movedim", one(movedim)),
    Case("mv", product(ops.mv, np.matmul, "nk", "k"), (3, 3)),
    Case("outer", product(ops.outer, np.outer, "n", "k"), (3, 3)),
    Case("pad", one(pad)),
    Case("pad circular", pad_by("circular", "wrap", 0), needs_elements=True),
    Case("pad reflect", pad_by("reflect", "reflect", -1), needs_elements=True),
    Case("pad replicate", pad_by("replicate", "edge", 1), needs_elements=True),
    Case("ravel", one(lambda shape, rng: (ops.ravel, np.ravel))),
    Case("repeat", one(repeat)),
    Case("repeat_interleave", one(repeat_interleave)),
    Case("roll", one(roll)),
    Case("roll of all", one(roll_all)),
    Case("scatter", scatter, needs_elements=True),
    Case("scatter of a number", one(scatter_number), needs_elements=True),
    Case("scatter_add", scatter_add, needs_elements=True),
    Case("sort", one(sort)),
    Case("split", one(split)),
    Case("split in lengths", one(split_in_lengths)),
    Case("squeeze", one(squeeze)),
    Case("squeeze all", one(lambda shape, rng: (ops.squeeze, np.squeeze))),
    Case("stack", stack),
    Case("swapdims", one(swapdims)),
    Case("take_along_dim", one(take_along_dim), needs_elements=True),
    Case("tensordot", tensordot, (3, 3)),
    Case("tile", one(tile)),
    Case("topk", one(topk)),
    Case("tril", triangle(ops.tril, np.tril), (2, 3)),
    Case("triu", triangle(ops.triu, np.triu), (2, 3)),
    Case("unbind", one(unbind)),
    Case("unflatten", one(unflatten)),
    Case("unsqueeze", one(unsqueeze)),
    Case(
        "view", one(lambda shape, rng: (lambda x: ops.view(x, -1, 1), lambda x: x.reshape(-1, 1)))
    ),
]

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def drawn(data: Any, case: Case, smallest: int, largest: int) -> tuple[Use, list[Any]]:
    """A use of the function and arrays for it, without ties."""
    low, high = case.ndims
    least = max(smallest, int(case.needs_elements))
    sides = {"min_side": least, "max_side": largest}
    shape = data.draw(array_shapes(min_dims=low, max_dims=high, **sides))
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    use = case.make(shape, rng)
    return use, [points(s, rng) for s in use.shapes]


def points(shape: Shape, rng: np.random.Generator) -> Any:
    size = int(np.prod(shape))
    return ((rng.permutation(size) - size / 2 + 0.25) * (1.6 / max(size, 1))).reshape(shape)


def fixed(case: Case) -> tuple[Use, list[Any]]:
    rng = np.random.default_rng(5)
    use = case.make((2, 3, 2)[: case.ndims[1]], rng)
    return use, [points(s, rng) for s in use.shapes]


def as_tuple(x: Any) -> tuple[Any, ...]:
    return tuple(x) if isinstance(x, (tuple, list)) else (x,)


@every_case
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_the_value_is_that_of_numpy(case: Case, data: Any) -> None:
    use, arrays = drawn(data, case, 0, 4)
    found = as_tuple(use.function(*map(Tensor, arrays)))
    expected = as_tuple(use.reference(*arrays))
    assert [x.shape for x in found] == [x.shape for x in expected]
    for ours, numpys in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours.numpy(), numpys, rtol=1e-14, atol=1e-14)


@every_case
@given(data=st.data())
@settings(max_examples=6, deadline=None)
def test_first_and_second_derivative_agree_with_differences(case: Case, data: Any) -> None:
    use, arrays = drawn(data, case, 1, 3)
    tensors = [Tensor(x, requires_grad=True) for x in arrays]
    gradcheck(use.function, tensors)
    gradgradcheck(use.function, tensors)


def derivatives(use: Use, tensors: list[Tensor]) -> list[Tensor]:
    """The values, and the derivatives of the sum of their fourth powers up to the third."""
    found = list(as_tuple(use.function(*tensors)))
    total = functools.reduce(operator.add, [(x**4).sum() for x in found])
    for _ in range(3):
        slopes = grad(total, tensors, create_graph=True, materialize_grads=True)
        found += [x for x in slopes if x is not None]
        total = functools.reduce(operator.add, [(x * x).sum() for x in slopes if x is not None])
    return found


@every_case
def test_the_rules_run_on_another_array_library_to_third_order(case: Case) -> None:
    library = pytest.importorskip("array_api_strict", reason="array-api-strict is not installed")
    use, arrays = fixed(case)
    expected = derivatives(use, [Tensor(x, requires_grad=True) for x in arrays])
    theirs = [Tensor(library.asarray(x), requires_grad=True) for x in arrays]
    found = derivatives(use, theirs)
    assert len(found) == len(expected)
    for ours, numpys in zip(found, expected, strict=True):
        assert type(ours.data) is type(library.asarray(arrays[0]))
        np.testing.assert_allclose(
            np.asarray(ours.detach().data), numpys.detach().numpy(), rtol=1e-10, atol=1e-10
        )


@every_case
def test_the_interface_of_function_is_kept(case: Case) -> None:
    use, arrays = fixed(case)
    check_function(use.function, *map(Tensor, arrays))


@every_case
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_value_and_gradient_keep_the_data_type(case: Case, dtype: str) -> None:
    use, arrays = fixed(case)
    tensors = [Tensor(x.astype(dtype), requires_grad=True) for x in arrays]
    outs = as_tuple(use.function(*tensors))
    assert {out.dtype for out in outs} == {np.dtype(dtype)}
    for out in outs[1:]:
        out.sum().backward()
    outs[0].sum().backward()
    for x in tensors:
        assert x.grad is not None
        assert x.grad.dtype == dtype
        assert x.grad.shape == x.shape


@every_case
def test_elements_may_lie_in_memory_in_any_order(case: Case) -> None:
    use, arrays = fixed(case)

    def strange(x: Any) -> list[Any]:
        backwards = np.flip(np.flip(x).copy())
        transposed = x.T.copy().T
        read_only = x.copy()
        read_only.flags.writeable = False
        return [backwards, transposed, read_only]

    expected = derivatives(use, [Tensor(x, requires_grad=True) for x in arrays])
    for variants in zip(*map(strange, arrays), strict=True):
        found = derivatives(use, [Tensor(x, requires_grad=True) for x in variants])
        for ours, straight in zip(found, expected, strict=True):
            np.testing.assert_allclose(
                ours.detach().numpy(), straight.detach().numpy(), rtol=1e-12, atol=1e-12
            )


@every_case
def test_elements_may_share_memory(case: Case) -> None:
    use, arrays = fixed(case)
    repeated = [np.broadcast_to(x[..., :1], x.shape) for x in arrays]
    assert all(0 in x.strides for x in repeated if x.shape[-1] > 1)
    expected = as_tuple(use.reference(*[x.copy() for x in repeated]))
    found = as_tuple(use.function(*[Tensor(x, requires_grad=True) for x in repeated]))
    for ours, numpys in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours.detach().numpy(), numpys, rtol=1e-14)


@every_case
@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_empty_tensors_have_empty_gradients(case: Case, data: Any) -> None:
    use, arrays = drawn(data, case, 0, 2)
    tensors = [Tensor(x, requires_grad=True) for x in arrays]
    for out in as_tuple(use.function(*tensors)):
        for x, slope in zip(tensors, grad(out.sum(), tensors, allow_unused=True, retain_graph=True),
                            strict=True):  # fmt: skip
            assert slope is None or slope.shape == x.shape


@every_case
def test_integers_stay_integers(case: Case) -> None:
    use, arrays = fixed(case)
    if case.name in ("pad", "masked_fill", "scatter of a number"):
        return  # their value is no integer; what becomes of it is tested below
    integers = [np.arange(x.size).reshape(x.shape) for x in arrays]
    found = as_tuple(use.function(*map(Tensor, integers)))
    for ours, numpys in zip(found, as_tuple(use.reference(*integers)), strict=True):
        assert ours.dtype == dg.int64
        np.testing.assert_array_equal(ours.numpy(), numpys)
