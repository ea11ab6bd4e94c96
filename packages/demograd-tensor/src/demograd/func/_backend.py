"""The backend whose arrays are ``Batched``: the array API's names, each with its batching.

What has no batching of its own is run for each sample in turn, and the results are stacked.

Reference: Python array API standard, 2024.12.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from demograd import _backend
from demograd._tensor import Tensor
from demograd.errors import MappingError
from demograd.func import _indexing, _products, _shapes
from demograd.func._batched import Batched, aligned, beneath, in_namespace, level_of, spread
from demograd.func._reductions import along_one, over_axes, position
from demograd.func._tree import leaves_of, map_tree

__all__ = ["batched_backend"]

# Element by element; the numbers among the arguments are settings or operands.
ELEMENTWISE = """
abs acos acosh add asin asinh atan atan2 atanh bitwise_and bitwise_invert bitwise_left_shift
bitwise_or bitwise_right_shift bitwise_xor ceil clip conj copysign cos cosh divide equal erf exp
expm1 floor floor_divide full_like greater greater_equal hypot imag isfinite isinf isnan less
less_equal log log10 log1p log2 logaddexp logical_and logical_not logical_or logical_xor maximum
minimum multiply negative nextafter not_equal ones_like positive pow real reciprocal remainder round
sign signbit sin sinh sqrt square subtract tan tanh trunc where zeros_like empty_like
""".split()
# Of ``linalg``: they take a matrix, and by the standard a stack of matrices as well.
OF_STACKS = "cholesky det diagonal eigh eigvalsh inv pinv qr slogdet svd svdvals trace".split()
REDUCTIONS = "all any max mean min prod std sum var".split()


def elementwise(name: str) -> Callable[..., Any]:
    """The batching of a function of elements."""

    def run(*arrays: Any, **settings: Any) -> Any:
        level = level_of(arrays)
        if level is None:
            return getattr(beneath(arrays), name)(*arrays, **settings)
        xp, values, mapped = aligned(level, arrays)
        return Batched(level, getattr(xp, name)(*values, **settings), mapped)

    return run


def one_by_one(find: Callable[[Any], Callable[..., Any]]) -> Callable[..., Any]:
    """A function without a batching of its own: sample by sample, the results stacked.

    Args:
        find: gives the function, for a namespace.
    """

    def run(*args: Any, **settings: Any) -> Any:
        arrays = leaves_of((args, settings))
        level = level_of(arrays)
        if level is None:
            return find(beneath(arrays))(*args, **settings)

        def held(x: Any) -> Any:
            return x.value if type(x) is Batched and x.level is level else x

        xp = beneath([held(x) for x in arrays])

        def sample(x: Any, number: int) -> Any:
            if type(x) is Batched and x.level is level:
                value = in_namespace(xp, x.value)
                return xp.index(value, number) if x.mapped else value
            return x

        results = [
            find(xp)(*map_tree(lambda x: sample(x, i), args),  # noqa: B023 - called at once
                     **map_tree(lambda x: sample(x, i), settings))  # noqa: B023
            for i in range(level.size)
        ]  # fmt: skip
        if not results:
            raise MappingError(
                "vmap: a function that runs sample by sample has no sample to run on."
            )
        if isinstance(results[0], tuple):
            return tuple([Batched(level, xp.stack(part, axis=0), True)
                          for part in zip(*results, strict=True)])  # fmt: skip
        return Batched(level, xp.stack(results, axis=0), True)

    return run


class BatchedBackend(_backend.Backend):
    """The array API's names, and those that ``Backend`` adds, on ``Batched``."""

    wraps = True

    def __init__(self) -> None:
        super().__init__(self, "vmap")  # what Backend does by the standard's names is done by these

    def __getattr__(self, name: str) -> Any:
        # Reached once for each name: what is found is kept as an attribute of its own.
        if name.startswith("_") or name == "namespace":
            raise AttributeError(name)
        if name in ("linalg", "fft"):
            value: Any = _Extension(name)
        else:
            value = getattr(_backend.numpy_backend, name)
            if callable(value) and not isinstance(value, type):
                value = one_by_one(lambda xp: getattr(xp, name))
        setattr(self, name, value)
        return value

    def __repr__(self) -> str:
        return "<demograd backend of vmap>"

    def apply(self, function: type, inputs: tuple[Any, ...], settings: dict[str, Any]) -> Any:
        """What ``function.apply`` does where an input is mapped."""
        from demograd.func._applying import apply

        return apply(function, inputs, settings)

    def bare(self, x: Batched) -> Batched:
        """A mapped array without any history that it holds."""
        value = x.value
        while isinstance(value, Tensor):
            value = value._data
        return Batched(x.level, self.bare(value) if type(value) is Batched else value, x.mapped)

    def write(self, x: Tensor, values: Any, by: str) -> None:
        """Make a mapped tensor hold other values, in place."""
        from demograd.func._writing import write

        write(x, values, by)

    def beside(self, x: Batched, values: Any) -> Any:
        """New NumPy values beside a mapped array: in memory for each sample, as that one's."""
        if type(values) is Batched:
            return values
        held = values
        if x.mapped:
            held = np.array(np.broadcast_to(values, (x.level.size, *np.shape(values))))
        if type(x.value) is Batched:
            held = self.beside(x.value, held)
        else:
            held = _backend.backend_of(x.base).from_numpy(held)
        return Batched(x.level, held, x.mapped)

    def unmapped(self, shape: tuple[int, ...], values: Any, by: str) -> Exception:
        """The error for a tensor that is the same for all samples, and mapped values for it."""
        from demograd.func._writing import unmapped

        return unmapped(shape, values, by)

    # Types, and arrays of nothing but numbers.

    def astype(self, x: Any, dtype: Any, /, *, copy: bool = True) -> Any:
        if type(x) is not Batched:
            return beneath([x]).astype(x, dtype, copy=copy)
        return Batched(x.level, beneath([x.value]).astype(x.value, dtype, copy=copy), x.mapped)

    def asarray(
        self, x: Any, /, *, dtype: Any = None, device: Any = None, copy: bool | None = None
    ) -> Any:
        if type(x) is not Batched:
            settings = {} if dtype is None else {"dtype": dtype}
            return beneath([x]).asarray(x, copy=copy, **settings)
        if copy:
            return self.astype(x, x.dtype if dtype is None else dtype)
        return x if dtype is None or x.dtype == dtype else self.astype(x, dtype)

    def from_numpy(self, array: Any, index: int | None = None) -> Any:
        return array

    def to_numpy(self, x: Any) -> Any:
        return x.__array__()  # it says why not

    def device_of(self, x: Any) -> str:
        return _backend.backend_of(x.base).device_of(x.base)

    def has_history(self, x: Any) -> bool:
        from demograd.func._applying import tracked

        return tracked(x)

    def is_traced(self, x: Any) -> bool:
        return _backend.backend_of(x.base).is_traced(x.base)

    def index(self, x: Any, index: Any) -> Any:
        return _indexing.index(x, index)

    def index_add(self, shape: tuple[int, ...], index: Any, values: Any) -> Any:
        return _indexing.index_add(shape, index, values)

    def index_set(self, x: Any, index: Any, values: Any) -> Any:
        return _indexing.index_set(x, index, values)

    def windows(self, x: Any, axis: int, length: int, step: int = 1, spacing: int = 1) -> Any:
        if type(x) is not Batched:
            return beneath([x]).windows(x, axis, length, step, spacing)
        place = axis + int(x.mapped)
        held = beneath([x.value]).windows(x.value, place, length, step, spacing)
        return Batched(x.level, held, x.mapped)

    def overlap_add(
        self, shape: tuple[int, ...], parts: Iterable[tuple[Any, Any]], **settings: Any
    ) -> Any:
        given = list(parts)
        level = level_of([values for _, values in given])
        if level is None:
            return beneath([values for _, values in given]).overlap_add(shape, given, **settings)
        held = [((slice(None), *index), spread(values, level)) for index, values in given]
        xp = beneath([values for _, values in held])
        return Batched(level, xp.overlap_add((level.size, *shape), held, **settings), True)

    def erf(self, x: Any) -> Any:
        return _ERF(x)


class _Extension:
    """A namespace within the namespace, such as ``linalg``."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)

        def find(xp: Any) -> Callable[..., Any]:
            function: Callable[..., Any] = getattr(getattr(xp, self._name), name)
            return function

        value = of_stacks(find) if name in OF_STACKS else one_by_one(find)
        if name == "solve":
            value = _products.solve
        setattr(self, name, value)
        return value


def of_stacks(find: Callable[[Any], Callable[..., Any]]) -> Callable[..., Any]:
    """A function of one matrix, or of a stack of them: samples are a stack."""

    def run(x: Any, /, **settings: Any) -> Any:
        if type(x) is not Batched:
            return find(beneath([x]))(x, **settings)
        out = find(beneath([x.value]))(x.value, **settings)
        if isinstance(out, tuple):
            return tuple([Batched(x.level, part, x.mapped) for part in out])
        return Batched(x.level, out, x.mapped)

    return run


_ERF = elementwise("erf")
RULES: dict[str, Callable[..., Any]] = {
    **{name: elementwise(name) for name in ELEMENTWISE},
    **{name: over_axes(name) for name in REDUCTIONS},
    **{name: along_one(name) for name in ("cumulative_prod", "cumulative_sum", "cumsum")},
    **{name: along_one(name, -1) for name in ("argsort", "sort")},
    **{name: position(name) for name in ("argmax", "argmin")},
    **{name: getattr(_shapes, name) for name in _shapes.__all__ if name != "place_of"},
    "matmul": _products.matmul,
    "take": _indexing.take,
    "take_along_axis": _indexing.take_along_axis,
}
batched_backend = BatchedBackend()
for _name, _rule in RULES.items():
    if _name not in vars(BatchedBackend):
        setattr(batched_backend, _name, _rule)
_backend._backends[Batched] = batched_backend
