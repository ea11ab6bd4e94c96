"""NumPy's functions that reshape, join, split and repeat."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from demograd import Tensor, ops
from demograd.errors import ArgumentError, ShapeError
from demograd.operators import cast_to
from demograd.ops._numpy._arguments import (
    Axis,
    along,
    axes_of,
    axis_of,
    beside,
    plain,
    tensor,
)

__all__ = ["SHAPES", "broadcast_arrays", "grown", "roll"]


def reshape(a: Any, /, shape: Any, order: str = "C", *, copy: bool | None = None) -> Tensor:
    x = tensor(a)
    _in_rows("reshape", order, x)
    out = x.reshape(shape)
    return out.clone() if copy else out


def ravel(a: Any, order: str = "C") -> Tensor:
    x = tensor(a)
    _in_rows("ravel", order, x)
    return x.reshape(-1)


def _in_rows(name: str, order: str, x: Tensor) -> None:
    if order not in "CAK":
        raise ArgumentError(
            f"np.{name}: the order {order!r} is not available for Tensors.",
            mend=f"np.{name}(x.T) goes by columns.",
        )


def transpose(a: Any, axes: Any = None) -> Tensor:
    x = tensor(a)
    return x.T if axes is None else x.permute(tuple(axes))


def matrix_transpose(x: Any, /) -> Tensor:
    return tensor(x).mT


def moveaxis(a: Any, source: Any, destination: Any) -> Tensor:
    return ops.moveaxis(tensor(a), source, destination)


def rollaxis(a: Any, axis: int, start: int = 0) -> Tensor:
    x = tensor(a)
    axis = axis_of("rollaxis", axis, x)
    start = start + x.ndim if start < 0 else start
    return ops.moveaxis(x, axis, start - 1 if axis < start else start)


def swapaxes(a: Any, axis1: int, axis2: int) -> Tensor:
    return ops.swapaxes(tensor(a), axis1, axis2)


def squeeze(a: Any, axis: Axis = None) -> Tensor:
    x = tensor(a)
    for d in axes_of("squeeze", axis, x) if axis is not None else ():
        if x.shape[d] != 1:
            raise ShapeError(
                "np.squeeze: a dimension is not of length one.",
                [f"x: shape {x.shape}   dimension {d} has length {x.shape[d]}"],
            )
    return ops.squeeze(x, axis)


def expand_dims(a: Any, axis: Any) -> Tensor:
    x = tensor(a)
    places = axis if isinstance(axis, (tuple, list)) else (axis,)
    ndim = x.ndim + len(places)
    new = {p % ndim for p in places if -ndim <= p < ndim}
    if len(new) != len(places):
        raise ArgumentError(f"np.expand_dims: {axis} are not different dimensions of {ndim}.")
    lengths = iter(x.shape)
    return x.reshape([1 if d in new else next(lengths) for d in range(ndim)])


def broadcast_to(array: Any, shape: Any, subok: bool = False) -> Tensor:
    return ops.broadcast_to(tensor(array), (shape,) if isinstance(shape, int) else tuple(shape))


def broadcast_arrays(*args: Any, subok: bool = False) -> tuple[Any, ...]:
    """All in one shape; what is not numeric, such as None or text, stays an array of NumPy's."""
    others = {i: a for i, x in enumerate(args) if (a := _not_numeric(x)) is not None}
    numbers = iter(beside(*[x for i, x in enumerate(args) if i not in others]))
    given = [others[i] if i in others else next(numbers) for i in range(len(args))]
    shape = np.broadcast_shapes(*[x.shape for x in given])
    return tuple(
        [
            ops.broadcast_to(x, shape) if isinstance(x, Tensor) else np.broadcast_to(x, shape)
            for x in given
        ]
    )


def _not_numeric(x: Any) -> Any:
    if isinstance(x, (Tensor, list, tuple)):
        return None
    array = np.asarray(x)
    return None if array.dtype.kind in "biufc" else array


def atleast(ndim: int) -> Callable[..., Any]:
    def atleast_(*arys: Any) -> Any:
        found = tuple([grown(x, ndim) for x in beside(*arys)])
        return found[0] if len(found) == 1 else found

    return atleast_


def grown(x: Tensor, ndim: int) -> Tensor:
    if x.ndim >= ndim:
        return x
    if ndim == 3:
        shape = {0: (1, 1, 1), 1: (1, *x.shape, 1), 2: (*x.shape, 1)}[x.ndim]
        return x.reshape(shape)
    return x.reshape((*[1] * (ndim - x.ndim), *x.shape))


def tile(A: Any, reps: Any) -> Tensor:
    return ops.tile(tensor(A), (reps,) if isinstance(reps, int) else tuple(plain(reps)))


def repeat(a: Any, repeats: Any, axis: int | None = None) -> Tensor:
    x = tensor(a)
    x, dim = (x.reshape(-1), 0) if axis is None else (x, axis_of("repeat", axis, x))
    places = np.repeat(np.arange(x.shape[dim]), plain(repeats))
    return x[along(dim, places)]


def resize(a: Any, new_shape: Any) -> Tensor:
    flat = tensor(a).reshape(-1)
    shape = (new_shape,) if isinstance(new_shape, int) else tuple(new_shape)
    return flat[np.resize(np.arange(flat.numel()), math.prod(shape))].reshape(shape)


def flip(m: Any, axis: Axis = None) -> Tensor:
    x = tensor(m)
    return ops.flip(x, axes_of("flip", axis, x)) if x.ndim else x


def fliplr(m: Any) -> Tensor:
    return flip(m, 1)


def flipud(m: Any) -> Tensor:
    return flip(m, 0)


def rot90(m: Any, k: int = 1, axes: Any = (0, 1)) -> Tensor:
    x = tensor(m)
    first, second = axis_of("rot90", axes[0], x), axis_of("rot90", axes[1], x)
    if first == second:
        raise ArgumentError("np.rot90: the two dimensions are one.")
    turns = k % 4
    if turns == 0:
        return x
    if turns == 2:
        return ops.flip(x, (first, second))
    if turns == 1:
        return ops.swapaxes(ops.flip(x, (second,)), first, second)
    return ops.flip(ops.swapaxes(x, first, second), (second,))


def roll(a: Any, shift: Any, axis: Axis = None) -> Tensor:
    x = tensor(a)
    shift = plain(shift)
    if axis is not None and np.ndim(axis) and np.ndim(shift) == 0:
        shift = (shift,) * np.size(axis)
    return ops.roll(x, shift, axis)


def pad(array: Any, pad_width: Any, mode: str = "constant", *, constant_values: Any = 0) -> Tensor:
    """Modes that copy elements or put constants; the others have no rule."""
    x = tensor(array)
    if mode not in ("constant", "edge", "reflect", "symmetric", "wrap"):
        raise ArgumentError(
            f"np.pad: the mode {mode!r} has no rule here.",
            mend='There are "constant", "edge", "reflect", "symmetric" and "wrap".',
        )
    if isinstance(pad_width, dict):
        pad_width = [pad_width.get(d, pad_width.get(d - x.ndim, 0)) for d in range(x.ndim)]
        pad_width = [(w, w) if isinstance(w, int) else w for w in pad_width]
    if mode != "constant":
        places = np.pad(np.arange(x.numel()).reshape(x.shape), pad_width, mode)  # type: ignore[call-overload]
        return x.reshape(-1)[places]
    if np.ndim(constant_values) == 0 and not isinstance(constant_values, Tensor):
        pairs = np.broadcast_to(np.asarray(pad_width), (x.ndim, 2))
        return ops.pad(x, pairs[::-1].reshape(-1).tolist(), "constant", constant_values)
    inside = np.pad(np.ones(x.shape, dtype=bool), pad_width, constant_values=False)
    constants = np.pad(
        np.zeros(x.shape, x.dtype), pad_width, constant_values=plain(constant_values)
    )
    outer = Tensor(constants)
    return _placed(outer, inside, x)


def _placed(outer: Tensor, inside: Any, x: Tensor) -> Tensor:
    if x.numel() == 0:
        return outer
    corner = [axis.min() for axis in np.nonzero(inside)]
    where = tuple([slice(int(c), int(c) + n) for c, n in zip(corner, x.shape, strict=True)])
    out = outer.clone()
    out[where] = x
    return out


def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> Any:
    if indexing not in ("xy", "ij"):
        raise ArgumentError(f"np.meshgrid: indexing is {indexing!r}.", mend='Use "xy" or "ij".')
    given = [x.reshape(-1) for x in beside(*xi)]
    count = len(given)
    order = [1, 0, *range(2, count)] if indexing == "xy" and count > 1 else range(count)
    parts = [
        x.reshape([-1 if place == d else 1 for d in range(count)])
        for x, place in zip(given, order, strict=True)
    ]
    return tuple(parts) if sparse else broadcast_arrays(*parts)


def copy(a: Any, order: str = "K", subok: bool = False) -> Tensor:
    return tensor(a).clone()


def astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Tensor:
    out = cast_to(tensor(x), np.dtype(dtype))
    return out.clone() if copy and out is x else out


SHAPES: dict[str, Callable[..., Any]] = {
    "astype": astype,
    "atleast_1d": atleast(1),
    "atleast_2d": atleast(2),
    "atleast_3d": atleast(3),
    "broadcast_arrays": broadcast_arrays,
    "broadcast_to": broadcast_to,
    "copy": copy,
    "expand_dims": expand_dims,
    "flip": flip,
    "fliplr": fliplr,
    "flipud": flipud,
    "matrix_transpose": matrix_transpose,
    "meshgrid": meshgrid,
    "moveaxis": moveaxis,
    "pad": pad,
    "permute_dims": transpose,
    "ravel": ravel,
    "repeat": repeat,
    "reshape": reshape,
    "resize": resize,
    "roll": roll,
    "rollaxis": rollaxis,
    "rot90": rot90,
    "squeeze": squeeze,
    "swapaxes": swapaxes,
    "tile": tile,
    "transpose": transpose,
}
