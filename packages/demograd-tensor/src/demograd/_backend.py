"""An array library as the rules see it: the array API standard's names, and a few more.

Every rule computes with ``self.xp``, which is one of these. The names of the standard
(``exp``, ``sum``, ``where``, ...) come from the library's own namespace; what the standard
lacks and the rules need is defined here once for NumPy and once, more slowly, in terms of the
standard for any other library.

Reference: Python array API standard, 2024.12.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np

from demograd._erf import erf_single
from demograd._memory import keep_freed_memory
from demograd.errors import ArgumentTypeError

__all__ = [
    "FLOAT_SCALARS", "NUMPY_TYPES", "Backend", "NumpyBackend", "as_numpy", "backend_of", "is_array",
    "known_values", "numpy_backend", "picks_each_place_once",
]  # fmt: skip

# A zero-dimensional result may stay a NumPy scalar inside a Tensor: it is an immutable
# zero-dimensional array, and its arithmetic is eight times as fast as an array's.
NUMPY_TYPES: frozenset[type] = frozenset([np.ndarray, *np.sctypeDict.values()])
FLOAT_SCALARS: frozenset[type] = frozenset([np.float16, np.float32, np.float64])


_add_up: Any = np.add.reduce  # NumPy's types know no keepdims that is not spelled out


class Backend:
    """An array library: its namespace, and the functions that the standard lacks.

    Args:
        namespace: a module (or object) with the array API standard's functions.
        name: how ``device=`` calls it; by default as the namespace is called.

    Attributes:
        on_host: whether the arrays' memory is the computer's own, where NumPy sees it.
        wraps: whether its arrays hold those of other libraries, and mix with them.

    >>> xp = Backend(np)
    >>> float(xp.exp(xp.asarray(0.0)))
    1.0
    """

    on_host: bool = True
    wraps: bool = False

    def __init__(self, namespace: Any, name: str | None = None) -> None:
        self.namespace = namespace
        self.name = name or _name_of(namespace).partition(".")[0]

    def __getattr__(self, name: str) -> Any:
        # Reached once for each name: the function is kept as an attribute of its own.
        if name in ("namespace", "name"):
            raise AttributeError(name)
        value = getattr(self.namespace, name)
        setattr(self, name, value)
        return value

    def __repr__(self) -> str:
        return f"<demograd backend on {_name_of(self.namespace)}>"

    def astype(self, x: Any, dtype: Any, /, *, copy: bool = True) -> Any:
        """``x`` in another data type, which may be named by NumPy's."""
        own = getattr(self.namespace, dtype.name) if isinstance(dtype, np.dtype) else dtype
        return self.namespace.astype(x, own, copy=copy)

    def index(self, x: Any, index: Any) -> Any:
        """``x[index]``, for any index that NumPy takes."""
        # The standard knows few kinds of index: let NumPy find the places, and take those.
        xp = self.namespace
        places = np.arange(math.prod(x.shape)).reshape(x.shape)[index]
        taken = xp.take(xp.reshape(x, (-1,)), xp.asarray(places.reshape(-1)), axis=0)
        return xp.reshape(taken, places.shape)

    def index_add(self, shape: tuple[int, ...], index: Any, values: Any) -> Any:
        """Zeros of ``shape`` with ``values`` added at ``index``; what repeats adds up."""
        # The standard has no scatter: count how often each place is meant, as a matrix product.
        xp = self.namespace
        size = math.prod(shape)
        places = np.arange(size).reshape(shape)[index].reshape(-1)
        one_hot = xp.asarray(np.arange(size)[:, None] == places[None, :])
        summed = xp.astype(one_hot, values.dtype) @ xp.reshape(values, (-1,))
        return xp.reshape(summed, shape)

    def index_set(self, x: Any, index: Any, values: Any) -> Any:
        """A copy of ``x`` with ``values``, broadcast, at ``index``."""
        xp = self.namespace
        size = math.prod(x.shape)
        shape = np.arange(size).reshape(x.shape)[index].shape
        source = np.full(x.shape, -1)
        source[index] = np.arange(math.prod(shape)).reshape(shape)
        values = xp.broadcast_to(xp.asarray(values, dtype=x.dtype), shape)
        chosen = xp.asarray(np.maximum(source, 0).reshape(-1))
        if values.size == 0:
            return xp.asarray(x, copy=True)
        moved = xp.reshape(xp.take(xp.reshape(values, (-1,)), chosen, axis=0), x.shape)
        return xp.where(xp.asarray(source >= 0), moved, x)

    def windows(self, x: Any, axis: int, length: int, step: int = 1, spacing: int = 1) -> Any:
        """Windows that slide along an axis, in place of which come two: (windows, length).

        Window ``k`` holds the elements ``k * step + j * spacing`` for ``j`` below ``length``.
        """
        xp = self.namespace
        count = (x.shape[axis] - spacing * (length - 1) - 1) // step + 1
        places = np.arange(count)[:, None] * step + np.arange(length) * spacing
        taken = xp.take(x, xp.asarray(places.reshape(-1)), axis=axis)
        return xp.reshape(taken, (*x.shape[:axis], count, length, *x.shape[axis + 1 :]))

    def overlap_add(
        self,
        shape: tuple[int, ...],
        parts: Iterable[tuple[Any, Any]],
        *,
        disjoint: bool = False,
    ) -> Any:
        """Zeros of ``shape`` with each of ``parts``, pairs (slices, values), added at its place.

        ``disjoint`` says that no two parts overlap: it is enough to put each at its place.
        """
        out: Any = None
        for index, values in parts:
            if out is None:
                out = self.namespace.zeros(shape, dtype=values.dtype)
            if disjoint:
                out[index] = values
            else:
                out[index] += values
        return out

    def row_sums(self, x: Any) -> Any:
        """The sum over the last axis, which is kept with length one."""
        return self.namespace.sum(x, axis=-1, keepdims=True)

    def row_products(self, x: Any, y: Any) -> Any:
        """Each row of x times each row of y, ``x @ y.mT``, of stacks of matrices."""
        return x @ y.mT

    def row_dots(self, x: Any, y: Any) -> Any:
        """The sum of ``x * y`` over the last axis, which is kept with length one."""
        return self.namespace.sum(x * y, axis=-1, keepdims=True)

    def erf(self, x: Any) -> Any:
        """The error function; from SciPy, on NumPy copies."""
        from scipy.special import erf

        # SciPy has no half precision and answers in double.
        return self.namespace.asarray(erf(self.to_numpy(x)), dtype=x.dtype)

    def normal_cdf(self, x: Any) -> Any:
        """The distribution function of the normal law, ``(1 + erf(x / sqrt(2))) / 2``."""
        out = self.erf(x * math.sqrt(0.5))
        out *= 0.5
        out += 0.5
        return out

    def from_numpy(self, array: np.ndarray[Any, Any], index: int | None = None) -> Any:
        """An array of this library with the values of a NumPy array, whose memory it may share.

        Args:
            array: the values.
            index: on which of the library's devices; on the current one if left out.
        """
        return self.namespace.asarray(array)

    def to_numpy(self, x: Any) -> np.ndarray[Any, Any]:
        """A NumPy array with the values of one of this library, whose memory it may share."""
        return np.asarray(x)

    def device_of(self, x: Any) -> str:
        """The device of an array: the name of this backend, and ``:1`` and so on where several."""
        return self.name

    def has_history(self, x: Any) -> bool:
        """Whether an array holds Tensors that are part of a graph."""
        return False

    def is_traced(self, x: Any) -> bool:
        """Whether an array stands for values that a compiler will know later."""
        return False

    def moved(self, x: Any, library: Backend, index: int | None) -> Any:
        """The same values as an array of another library, or on another device."""
        from demograd._libraries._moving import moved

        return moved(x, library, index)


def _name_of(namespace: Any) -> str:
    return str(getattr(namespace, "__name__", type(namespace).__name__))


class NumpyBackend(Backend):
    """NumPy itself."""

    def __init__(self) -> None:
        super().__init__(np, "cpu")

    def astype(self, x: Any, dtype: Any, /, *, copy: bool = True) -> Any:
        return np.astype(x, dtype, copy=copy) if type(x) is np.ndarray else x.astype(dtype)

    # NumPy's functions of these names are written in Python, with more checks than the rules need;
    # what is behind them takes a third of the time.

    def reshape(self, x: Any, shape: tuple[int, ...], /) -> Any:
        return x.reshape(shape)

    def permute_dims(self, x: Any, axes: tuple[int, ...], /) -> Any:
        return x.transpose(axes)

    def sum(self, x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
        if axis is not None and not keepdims and x.ndim == 2 and axis in (0, (0,)):
            if x.dtype.kind == "f" and x.dtype.itemsize >= 4:
                # The sum of the rows as a product with ones: BLAS takes a third of the time.
                return _ones(x.shape[0], x.dtype).dot(x)
        return _add_up(x, axis=axis, keepdims=keepdims)

    def cumulative_sum(self, x: Any, /, *, axis: Any = None) -> Any:
        return np.cumsum(x, axis=axis)  # NumPy 2.0 lacks the standard's name

    def cumulative_prod(self, x: Any, /, *, axis: Any = None) -> Any:
        return np.cumprod(x, axis=axis)

    def mean(self, x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
        if x.size == 0 or x.dtype.itemsize < 4:
            return np.mean(x, axis=axis, keepdims=keepdims)  # it sums halves in single precision
        total = self.sum(x, axis=axis, keepdims=keepdims)
        return total / (x.size // total.size)

    def matmul(self, x: Any, y: Any, /) -> Any:
        # Of two small matrices `dot` is done in two thirds of the time.
        return x.dot(y) if x.ndim == 2 and y.ndim == 2 else np.matmul(x, y)

    def max(self, x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
        maximum: Any = np.maximum
        return maximum.reduce(x, axis=axis, keepdims=keepdims)

    def min(self, x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
        minimum: Any = np.minimum
        return minimum.reduce(x, axis=axis, keepdims=keepdims)

    def broadcast_to(self, x: Any, shape: tuple[int, ...], /) -> Any:
        if x.size != 1:
            return np.broadcast_to(x, shape)
        out: np.ndarray[Any, Any] = np.ndarray(shape, x.dtype, x, 0, (0,) * len(shape))
        out.flags.writeable = False  # all elements are one
        return out

    def index(self, x: Any, index: Any) -> Any:
        return x[index]

    def index_set(self, x: Any, index: Any, values: Any) -> Any:
        out = np.array(x)
        out[index] = values
        return out

    def index_add(self, shape: tuple[int, ...], index: Any, values: Any) -> Any:
        out = np.zeros(shape, dtype=values.dtype)
        if picks_each_place_once(index):
            out[index] = values
        else:
            _add_at(out, index, values)
        return out

    def erf(self, x: Any) -> Any:
        if x.dtype.itemsize > 4:
            return super().erf(x)
        return erf_single(x.astype(np.float32, copy=False)).astype(x.dtype, copy=False)

    def normal_cdf(self, x: Any) -> Any:
        if x.dtype.itemsize > 4:
            return super().normal_cdf(x)
        out = erf_single(x.astype(np.float32, copy=False), math.sqrt(0.5))
        out *= 0.5
        out += 0.5
        return out.astype(x.dtype, copy=False)

    def row_sums(self, x: Any) -> Any:
        # A product with ones, which BLAS adds up six times as fast as NumPy's sum. Not of long
        # rows, where NumPy's sum of sums is the more exact one.
        if x.size < 1024 or x.shape[-1] > 1024 or x.dtype.char not in "fd":
            return _add_up(x, axis=-1, keepdims=True)
        return (x @ _ones(x.shape[-1], x.dtype))[..., None]

    def row_products(self, x: Any, y: Any) -> Any:
        # Small matrices, as in attention, BLAS multiplies twice as fast if neither is transposed.
        return x @ (np.ascontiguousarray(y.mT) if y.ndim > 2 else y.mT)

    def row_dots(self, x: Any, y: Any) -> Any:
        if x.dtype.char not in "fd":
            return _add_up(x * y, axis=-1, keepdims=True)
        return np.vecdot(x, y)[..., None]

    def windows(self, x: Any, axis: int, length: int, step: int = 1, spacing: int = 1) -> Any:
        # A view: nothing is copied, however much the windows overlap.
        count = (x.shape[axis] - spacing * (length - 1) - 1) // step + 1
        stride = x.strides[axis]
        return np.lib.stride_tricks.as_strided(
            x,
            (*x.shape[:axis], count, length, *x.shape[axis + 1 :]),
            (*x.strides[:axis], step * stride, spacing * stride, *x.strides[axis + 1 :]),
            writeable=False,
        )

    def from_numpy(self, array: np.ndarray[Any, Any], index: int | None = None) -> Any:
        return array


def picks_each_place_once(index: Any) -> bool:
    """Whether no place can repeat: integers, slices and boolean masks only."""
    parts = index if type(index) is tuple else (index,)
    return all(
        part is None
        or part is Ellipsis
        or isinstance(part, (int, slice, np.integer))
        or (isinstance(part, np.ndarray) and part.dtype == np.bool_)
        for part in parts
    )


def _add_at(out: np.ndarray[Any, Any], index: Any, values: np.ndarray[Any, Any]) -> None:
    """``np.add.at``, for an ``out`` that is in order in memory."""
    *before, last = index if type(index) is tuple else (index,)
    along = len(before)
    if not isinstance(last, np.ndarray) or not all(
        isinstance(part, slice) and part == slice(None) for part in before
    ):
        np.add.at(out, index, values)
        return
    # Layers along one dimension, as for an embedding: NumPy adds to a flat array, at places that
    # are all written out, five times as fast.
    length, row = out.shape[along], math.prod(out.shape[along + 1 :])
    layers = last.reshape(-1).astype(np.int64)
    layers[layers < 0] += length
    layers = np.arange(math.prod(out.shape[:along]))[:, None] * length + layers
    places = layers[:, :, None] * row + np.arange(row)
    np.add.at(out.reshape(-1), places.reshape(-1), values.reshape(-1))


@lru_cache(64)
def _ones(length: int, dtype: Any) -> Any:
    """Ones to multiply with."""
    ones = np.ones(length, dtype)
    ones.flags.writeable = False
    return ones


numpy_backend = NumpyBackend()
keep_freed_memory()

# One backend for each array type that has been met.
_backends: dict[type, Backend] = {}


def is_array(x: Any) -> bool:
    """Whether an object is an array of NumPy, or of a library that Tensors may hold."""
    # CuPy's arrays have the standard's functions, and do not say so.
    return hasattr(x, "__array_namespace__") or type(x).__module__ == "cupy"


def backend_of(array: Any) -> Backend:
    """The backend of an array, found by its type.

    >>> backend_of(np.zeros(2)) is numpy_backend
    True

    Raises:
        ArgumentTypeError: the object is no array of the array API standard.
    """
    kind = type(array)
    if kind in NUMPY_TYPES or isinstance(array, (np.ndarray, np.generic)):
        return numpy_backend
    backend = _backends.get(kind)
    if backend is None:
        if not is_array(array):
            raise ArgumentTypeError(
                f"backend: an object of type {kind.__name__} is not an array.",
                mend="Use arrays of NumPy, or of a library that follows the array API standard.",
            )
        from demograd._libraries._backends import backend_for

        backend = _backends[kind] = backend_for(array)
    return backend


def known_values(x: Any) -> np.ndarray[Any, Any] | None:
    """The values of a Tensor where they can be looked at; None where a compiler traces them."""
    array = x._data
    if type(array) in NUMPY_TYPES:
        return np.asarray(array)
    library = backend_of(array)
    return None if library.wraps or library.is_traced(array) else library.to_numpy(array)


def as_numpy(array: Any) -> np.ndarray[Any, Any]:
    """The values of an array of any library as a NumPy array; NumPy's own as it is."""
    if type(array) in NUMPY_TYPES:
        return np.asarray(array)
    return backend_of(array).to_numpy(array)
