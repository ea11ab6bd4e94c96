"""Elements in reverse, shifted around, and repeated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from demograd import Tensor
from demograd.autograd import Function
from demograd.errors import ArgumentError, ShapeError
from demograd.operators import accepts_axis, as_dims, as_shape
from demograd.ops._arguments import as_tensor
from demograd.ops._gathering import index_select

__all__ = ["Flip", "Repeat", "Roll", "flip", "repeat", "repeat_interleave", "roll", "tile"]


class Flip(Function):
    """The order along dimensions reversed."""

    def forward(self, x: Any, *, dims: tuple[int, ...]) -> Any:
        self.dims = dims
        # A copy as in PyTorch, though a view would do: a change of the result leaves x alone.
        return self.xp.asarray(self.xp.flip(x, axis=dims), copy=True)

    def backward(self, grad: Any) -> Any:
        return self.xp.flip(grad, axis=self.dims)


class Roll(Function):
    """Elements shifted along dimensions; what leaves at one end enters at the other."""

    def forward(self, x: Any, *, shifts: tuple[int, ...], dims: tuple[int, ...]) -> Any:
        self.back = tuple([-shift for shift in shifts])
        self.dims = dims
        return self.xp.roll(x, shifts, axis=dims)

    def backward(self, grad: Any) -> Any:
        return self.xp.roll(grad, self.back, axis=self.dims)


class Repeat(Function):
    """Copies of the whole side by side along each dimension; their gradients add up."""

    def forward(self, x: Any, *, repeats: tuple[int, ...]) -> Any:
        shape = (1,) * (len(repeats) - len(x.shape)) + x.shape
        self.folded = tuple([n for pair in zip(repeats, shape, strict=True) for n in pair])
        self.copies = tuple(range(0, 2 * len(repeats), 2))
        return self.xp.tile(x, repeats)

    def backward(self, grad: Any) -> Any:
        return self.xp.sum(self.xp.reshape(grad, self.folded), axis=self.copies)


def flip(x: Tensor, *dims: Any) -> Tensor:
    """The order along dimensions reversed; a copy.

    Args:
        x: any shape.
        dims: which dimensions.

    Raises:
        OutOfRangeError: there is no such dimension.
        ArgumentError: a dimension appears twice.

    >>> flip(Tensor([[1, 2], [3, 4]]), (0, 1))
    tensor([[4, 3],
            [2, 1]])
    """
    x = as_tensor("flip", x)
    out: Tensor = Flip.apply(x, dims=as_dims("flip", as_shape(dims), x.ndim) if x.ndim else ())
    return out


def roll(x: Tensor, shifts: int | Sequence[int], dims: int | Sequence[int] | None = None) -> Tensor:
    """Elements shifted along dimensions; what leaves at one end enters at the other.

    Args:
        x: any shape.
        shifts: by how many places, for each dimension.
        dims: which dimensions; without them all elements shift in row order.

    Raises:
        ArgumentError: there is not one shift for each dimension.
        OutOfRangeError: there is no such dimension.

    >>> roll(Tensor([1, 2, 3, 4]), 1)
    tensor([4, 1, 2, 3])
    """
    x = as_tensor("roll", x)
    by = (shifts,) if isinstance(shifts, int) else tuple(shifts)
    if dims is None and len(by) == 1:
        return roll(x.reshape(-1), by, 0).reshape(x.shape)
    along = () if dims is None else (dims,) if isinstance(dims, int) else tuple(dims)
    if len(by) != len(along):
        raise ArgumentError(
            "roll: there must be one shift for each dimension.",
            [f"shifts: {shifts}", f"dims: {dims}"],
        )
    # A dimension may come twice, as in PyTorch: its shifts add up.
    places = tuple([as_dims("roll", d, x.ndim)[0] for d in along])
    out: Tensor = Roll.apply(x, shifts=by, dims=places)
    return out


def repeat(x: Tensor, *repeats: Any) -> Tensor:
    """Copies of the whole side by side: ``repeats`` times along each dimension.

    Args:
        x: any shape.
        repeats: one number for each dimension, and for new ones in front.

    Raises:
        ShapeError: there are fewer numbers than dimensions.
        ArgumentError: a number is negative.

    >>> repeat(Tensor([1, 2]), 2, 2)
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """
    x, times = as_tensor("repeat", x), tuple([int(n) for n in as_shape(repeats)])
    if len(times) < x.ndim:
        raise ShapeError(
            "repeat: every dimension needs a number of repeats.",
            [f"x: shape {x.shape}   {x.ndim} dimensions", f"repeats: {times}"],
            "dg.tile(x, repeats) takes one for the missing ones.",
        )
    return _repeated("repeat", x, times)


def tile(x: Tensor, *dims: Any) -> Tensor:
    """Copies of the whole side by side; where numbers are missing in front, once.

    Raises:
        ArgumentError: a number is negative.

    >>> tile(Tensor([[1], [2]]), 2)
    tensor([[1, 1],
            [2, 2]])
    """
    x, times = as_tensor("tile", x), tuple([int(n) for n in as_shape(dims)])
    return _repeated("tile", x, (1,) * (x.ndim - len(times)) + times)


def _repeated(operation: str, x: Tensor, times: tuple[int, ...]) -> Tensor:
    if min(times, default=1) < 0:
        raise ArgumentError(f"{operation}: a number of repeats is negative in {times}.")
    out: Tensor = Repeat.apply(x, repeats=times)
    return out


@accepts_axis
def repeat_interleave(
    x: Tensor, repeats: int | Sequence[int] | Tensor, dim: int | None = None
) -> Tensor:
    """Each element followed by its copies along a dimension.

    Args:
        x: any shape.
        repeats: how often each element comes: one number, or one for each.
        dim: along which dimension; by default all elements in row order. NumPy's name ``axis``
            is taken too.

    Raises:
        ArgumentError: a number is negative, or there is not one for each element.
        OutOfRangeError: there is no such dimension.

    >>> repeat_interleave(Tensor([1, 2]), 2)
    tensor([1, 1, 2, 2])
    """
    x = as_tensor("repeat_interleave", x)
    if dim is None:
        return repeat_interleave(x.reshape(-1), repeats, 0)
    (place,) = as_dims("repeat_interleave", dim, x.ndim)
    length = x.shape[place] if x.ndim else 1
    times = repeats.cpu().numpy() if isinstance(repeats, Tensor) else np.asarray(repeats)
    whole = times.size == 0 or (times.dtype.kind in "iu" and times.min() >= 0)
    if times.size not in (1, length) or not whole:
        raise ArgumentError(
            "repeat_interleave: expected one whole number of repeats, or one for each element.",
            [f"x: dimension {place} has length {length}", f"repeats: {times.tolist()}"],
        )
    times = times.reshape(-1).astype(np.int64)
    return index_select(x, place, Tensor(np.repeat(np.arange(length), times)).to(x.device))
