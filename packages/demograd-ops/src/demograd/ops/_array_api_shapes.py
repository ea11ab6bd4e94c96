"""The array API's functions that move elements, on Tensors.

Where PyTorch means something else by a name than the standard (``repeat``, ``sort``), here it has
the meaning of the standard.

Reference: Python array API standard, 2024.12.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from demograd import Tensor, ops
from demograd.errors import ShapeError
from demograd.operators import as_dim, as_dims
from demograd.operators import index as picked

__all__ = ["SHAPE_FUNCTIONS"]

Axis = int | Sequence[int] | None


def concat(arrays: Sequence[Tensor], axis: int | None = 0) -> Tensor:
    """Arrays end to end; all elements in row order where no axis is given."""
    if axis is None:
        return ops.cat([x.reshape(-1) for x in arrays])
    return ops.cat(arrays, axis)


def flip(x: Tensor, axis: Axis = None) -> Tensor:
    """The order along dimensions reversed; along all by default."""
    return ops.flip(x, as_dims("flip", axis, x.ndim))


def repeat(x: Tensor, repeats: Any, axis: int | None = None) -> Tensor:
    """Each element followed by its copies."""
    return ops.repeat_interleave(x, repeats, axis)


def roll(x: Tensor, shift: int | Sequence[int], axis: Axis = None) -> Tensor:
    """Elements shifted along dimensions; one shift may stand for all of them."""
    if isinstance(shift, int) and isinstance(axis, Sequence):
        shift = (shift,) * len(axis)
    return ops.roll(x, shift, axis)


def sort(x: Tensor, axis: int = -1, *, descending: bool = False, stable: bool = True) -> Tensor:
    """The elements in order along a dimension, alone."""
    return ops.sort(x, axis, descending).values


def squeeze(x: Tensor, axis: Axis = None) -> Tensor:
    """Without dimensions of length one; one of another length is refused."""
    dims = as_dims("squeeze", axis, x.ndim)
    if axis is not None and any(x.shape[d] != 1 for d in dims):
        raise ShapeError(f"squeeze: a dimension among {axis} is not of length 1 in {x.shape}.")
    return ops.squeeze(x, axis)


def take(x: Tensor, indices: Any, axis: int | None = None) -> Tensor:
    """The layers along one dimension that integers name; negative ones count from the end."""
    if axis is None:
        return picked(x.reshape(-1), indices)
    return picked(x, (slice(None),) * as_dim("take", axis, x.ndim) + (indices,))


def tril(x: Tensor, k: int = 0) -> Tensor:
    """The lower triangle."""
    return ops.tril(x, k)


def triu(x: Tensor, k: int = 0) -> Tensor:
    """The upper triangle."""
    return ops.triu(x, k)


def take_along_axis(x: Tensor, indices: Any, axis: int | None = -1) -> Tensor:
    """Elements picked along one dimension."""
    return ops.take_along_dim(x, indices, axis)


SHAPE_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "concat": concat,
    "flip": flip,
    "repeat": repeat,
    "roll": roll,
    "sort": sort,
    "squeeze": squeeze,
    "take": take,
    "take_along_axis": take_along_axis,
    "tril": tril,
    "triu": triu,
    "unstack": ops.unbind,
}
