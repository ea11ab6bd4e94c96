"""NumPy's functions that pick elements, choose among arrays, or put values into one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from demograd import Tensor, ops
from demograd.errors import ArgumentError, OutOfRangeError, ShapeError
from demograd.operators import cast_to, isinf, isnan, where
from demograd.ops._numpy._arguments import Axis, along, axis_of, beside, plain, promoted, tensor
from demograd.ops._numpy._shapes import broadcast_arrays

__all__ = ["PICKING", "places_along"]


def take(a: Any, indices: Any, axis: int | None = None, mode: str = "raise") -> Tensor:
    x = tensor(a)
    x, dim = (x.reshape(-1), 0) if axis is None else (x, axis_of("take", axis, x))
    places = np.asarray(plain(indices))
    if mode == "wrap":
        places = places % x.shape[dim]
    elif mode == "clip":
        places = np.clip(places, 0, x.shape[dim] - 1)
    return x[along(dim, places)]


def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Tensor:
    x = tensor(arr)
    if axis is None:
        return x.reshape(-1)[plain(indices)]
    return x.reshape(-1)[places_along(x, plain(indices), axis_of("take_along_axis", axis, x))]


def places_along(x: Tensor, indices: Any, dim: int) -> Any:
    """Where in the row of all elements the indices along a dimension lead."""
    return np.take_along_axis(np.arange(x.numel()).reshape(x.shape), np.asarray(indices), dim)


def compress(condition: Any, a: Any, axis: int | None = None) -> Tensor:
    return take(a, np.flatnonzero(plain(condition)), axis)


def extract(condition: Any, arr: Any) -> Tensor:
    return take(arr, np.flatnonzero(plain(condition)))


def delete(arr: Any, obj: Any, axis: int | None = None) -> Tensor:
    x = tensor(arr)
    x, dim = (x.reshape(-1), 0) if axis is None else (x, axis_of("delete", axis, x))
    return x[along(dim, np.delete(np.arange(x.shape[dim]), plain(obj)))]


def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Tensor:
    x, new = promoted([arr, values])
    x, dim = (x.reshape(-1), 0) if axis is None else (x, axis_of("insert", axis, x))
    new = cast_to(new, x.dtype)
    # NumPy says where the new layers stand: the numbers from the old count on are theirs.
    old, where = x.shape[dim], plain(obj)
    new = new.reshape((*[1] * (x.ndim - new.ndim), *new.shape))
    if isinstance(where, slice) or np.size(where) != 1:
        count = len(np.insert(np.arange(old), where, old)) - old
    else:
        # At one place there may be several; for an integer they stand along the first dimension.
        new = ops.moveaxis(new, 0, dim) if np.ndim(where) == 0 else new
        count = new.shape[dim]
    numbers = np.insert(np.arange(old), where, old + np.arange(count))
    layers = ops.broadcast_to(new, (*x.shape[:dim], count, *x.shape[dim + 1 :]))
    return ops.cat([x, layers], dim)[along(dim, numbers)]


def diag(v: Any, k: int = 0) -> Tensor:
    return ops.diag(tensor(v), k)


def diagflat(v: Any, k: int = 0) -> Tensor:
    return ops.diag(tensor(v).reshape(-1), k)


def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    return ops.diagonal(tensor(a), offset, axis1, axis2)


def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Tensor:
    return diagonal(a, offset, axis1, axis2).sum(-1, dtype=dtype)


def tril(m: Any, k: int = 0) -> Tensor:
    return ops.tril(tensor(m), k)


def triu(m: Any, k: int = 0) -> Tensor:
    return ops.triu(tensor(m), k)


def sort(
    a: Any, axis: int | None = -1, kind: Any = None, order: Any = None, *, stable: Any = None
) -> Tensor:
    x = tensor(a)
    return ops.sort(x.reshape(-1), 0).values if axis is None else ops.sort(x, axis).values


def argsort(
    a: Any, axis: int | None = -1, kind: Any = None, order: Any = None, *, stable: Any = None
) -> Tensor:
    x = tensor(a)
    return ops.argsort(x.reshape(-1), 0) if axis is None else ops.argsort(x, axis)


def argmax(a: Any, axis: int | None = None, *, keepdims: Any = False) -> Tensor:
    return _extreme_place(ops.argmax, a, axis, keepdims)


def argmin(a: Any, axis: int | None = None, *, keepdims: Any = False) -> Tensor:
    return _extreme_place(ops.argmin, a, axis, keepdims)


def _extreme_place(
    function: Callable[..., Tensor], a: Any, axis: int | None, keepdims: Any
) -> Tensor:
    x = tensor(a)
    keep = False if keepdims is np._NoValue else bool(keepdims)
    if axis is None:
        out = function(x.reshape(-1), 0)
        return out.reshape([1] * x.ndim) if keep else out
    return function(x, axis, keep)


def trim_zeros(filt: Any, trim: str = "fb", axis: Axis = None) -> Tensor:
    x = tensor(filt)
    if x.ndim != 1:
        raise ShapeError("np.trim_zeros: a vector is trimmed.", [f"x: shape {x.shape}"])
    places = np.flatnonzero(np.asarray(x.data))
    first = int(places[0]) if "f" in trim.lower() and places.size else 0
    last = int(places[-1]) + 1 if "b" in trim.lower() and places.size else x.shape[0]
    return x[first:last] if places.size else x[:0]


# Choosing.


def where_(condition: Any, /, x: Any = None, y: Any = None) -> Any:
    if x is None and y is None:
        return tuple([Tensor(part) for part in np.nonzero(plain(tensor(condition).detach()))])
    if x is None or y is None:
        raise ArgumentError("np.where: both x and y, or neither, are to be given.")
    mask = tensor(condition)
    x, y = (v if hasattr(v, "dtype") or np.ndim(v) == 0 else beside(x, y)[i] for i, v in
            enumerate((x, y)))  # fmt: skip
    return where(mask if mask.dtype.kind == "b" else mask != 0, x, y)


def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Tensor:
    if len(condlist) != len(choicelist):
        raise ArgumentError(f"np.select: {len(condlist)} conditions and {len(choicelist)} choices.")
    out, *choices = promoted([default, *choicelist])
    for condition, choice in zip(reversed(condlist), reversed(choices), strict=True):
        out = where(tensor(condition), choice, out)
    return out


def choose(a: Any, choices: Any, mode: str = "raise") -> Tensor:
    parts = promoted(list(choices))
    index, *parts = broadcast_arrays(tensor(a), *parts)
    numbers = np.asarray(plain(index))
    if mode == "wrap":
        numbers = numbers % len(parts)
    elif mode == "clip":
        numbers = np.clip(numbers, 0, len(parts) - 1)
    if numbers.size and not 0 <= numbers.min() <= numbers.max() < len(parts):
        raise OutOfRangeError(f"np.choose: there are {len(parts)} choices, from 0 on.")
    return take_along_axis(ops.stack(parts), numbers[None], 0)[0]


def piecewise(x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Tensor:
    given = tensor(x)
    masks = [np.asarray(plain(c), dtype=bool) for c in _conditions(condlist, len(funclist), given)]
    if len(funclist) == len(masks) + 1:
        masks.append(~np.any(masks, axis=0))
    if len(masks) != len(funclist):
        raise ArgumentError(f"np.piecewise: {len(masks)} conditions, {len(funclist)} functions.")
    out: Tensor = ops.masked_fill(given, Tensor(np.ones(given.shape, dtype=bool)), 0)
    for mask, function in zip(masks, funclist, strict=True):
        value = function(given[mask], *args, **kw) if callable(function) else function
        if mask.any():
            out[mask] = cast_to(tensor(value), out.dtype)
    return out


def _conditions(condlist: Any, functions: int, x: Tensor) -> list[Any]:
    if isinstance(condlist, (list, tuple)) and not isinstance(condlist[0], (bool, np.bool_)):
        return list(condlist)
    array = np.asarray(plain(condlist))
    return list(array) if array.ndim > x.ndim or functions - array.shape[0] in (0, 1) else [array]


def clip(a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    low, high = (min if a_min is None else a_min), (max if a_max is None else a_max)
    x = tensor(a)
    return x.clone() if low is None and high is None else ops.clamp(x, low, high)


def nan_to_num(
    x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Tensor:
    given = tensor(x)
    if given.dtype.kind != "f":
        return given.clone()
    limits = np.finfo(given.dtype)
    high = float(limits.max) if posinf is None else posinf
    low = float(limits.min) if neginf is None else neginf
    values = given.detach()
    out = where(isnan(values), nan, given)
    out = where(isinf(values) & (values > 0), high, out)
    out = where(isinf(values) & (values < 0), low, out)
    return out if copy else given.copy_(out)


# Made of others.


def apply_along_axis(
    func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any
) -> Tensor:
    """Call a function on each vector along a dimension, and stack what it gives."""
    x = tensor(arr)
    dim = axis_of("apply_along_axis", axis, x)
    rest = [n for d, n in enumerate(x.shape) if d != dim]
    rows = ops.moveaxis(x, dim, -1).reshape(math.prod(rest), x.shape[dim])
    results = [tensor(func1d(row, *args, **kwargs)) for row in rows]
    out = ops.stack(results).reshape((*rest, *results[0].shape))
    inner = results[0].ndim
    return ops.moveaxis(
        out, tuple(range(len(rest), len(rest) + inner)), tuple(range(dim, dim + inner))
    )


def apply_over_axes(func: Callable[..., Any], a: Any, axes: Any) -> Tensor:
    """Call ``func(x, axis)`` for one dimension after another, and keep each with length one."""
    x = tensor(a)
    for axis in axes if isinstance(axes, (tuple, list)) else (axes,):
        out = tensor(func(x, axis))
        if out.ndim < x.ndim:
            dim = axis_of("apply_over_axes", axis, x)
            out = out.reshape((*out.shape[:dim], 1, *out.shape[dim:]))
        x = out
    return x


def bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> Tensor:
    """How often each number comes; with weights, the sum of theirs."""
    numbers = np.asarray(plain(x))
    counts = np.bincount(numbers, minlength=minlength)
    if weights is None:
        return Tensor(counts)
    given = tensor(weights)
    out = Tensor(np.zeros(len(counts), dtype=given.dtype))
    return ops.scatter_add(out, 0, Tensor(numbers.astype(np.int64)), given)


def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Tensor:
    steps = ops.diff(tensor(ary).reshape(-1))
    parts = promoted([p for p in (to_begin, steps, to_end) if p is not None])
    return ops.cat([p.reshape(-1) for p in parts])


def unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: float = 2 * np.pi) -> Tensor:
    """Steps of whole periods are taken out; they are constants."""
    x = tensor(p)
    values = np.asarray(x.data)
    return x + Tensor((np.unwrap(values, discont, axis, period=period) - values).astype(x.dtype))


def ix_(*args: Any) -> tuple[Tensor, ...]:
    return tuple([Tensor(part) for part in np.ix_(*[plain(x) for x in args])])


def sliding_window_view(
    x: Any, window_shape: Any, axis: Any = None, *, subok: bool = False, writeable: bool = False
) -> Tensor:
    given = tensor(x)
    places = np.arange(given.numel()).reshape(given.shape)
    return given.reshape(-1)[np.lib.stride_tricks.sliding_window_view(places, window_shape, axis)]


PICKING: dict[str, Callable[..., Any]] = {
    "argmax": argmax,
    "argmin": argmin,
    "argsort": argsort,
    "apply_along_axis": apply_along_axis,
    "apply_over_axes": apply_over_axes,
    "bincount": bincount,
    "choose": choose,
    "clip": clip,
    "compress": compress,
    "delete": delete,
    "diag": diag,
    "diagflat": diagflat,
    "diagonal": diagonal,
    "ediff1d": ediff1d,
    "extract": extract,
    "insert": insert,
    "ix_": ix_,
    "lib.stride_tricks.sliding_window_view": sliding_window_view,
    "nan_to_num": nan_to_num,
    "piecewise": piecewise,
    "select": select,
    "sort": sort,
    "take": take,
    "take_along_axis": take_along_axis,
    "trace": trace,
    "tril": tril,
    "trim_zeros": trim_zeros,
    "triu": triu,
    "unwrap": unwrap,
    "where": where_,
}
