"""Sorting: integers say where each element comes from, and ``gather`` brings it."""

from __future__ import annotations

from typing import Any, NamedTuple

from demograd import Tensor
from demograd.autograd import Function
from demograd.errors import OutOfRangeError
from demograd.operators import accepts_axis, as_dim
from demograd.ops._arguments import as_tensor
from demograd.ops._gathering import gather

__all__ = ["ArgSort", "Sorted", "argsort", "sort", "topk"]


class Sorted(NamedTuple):
    """Elements in order along a dimension, and the index in it that each comes from."""

    values: Tensor
    indices: Tensor


class ArgSort(Function):
    """The indices that sort; integers, so there is no gradient and no rule for one."""

    def forward(self, x: Any, *, dim: int, descending: bool) -> Any:
        xp = self.xp
        if not descending:
            return xp.argsort(x, axis=dim, stable=True)
        # NumPy sorts upwards only. Sort the reverse, and read it from the end: equal elements
        # keep their order, which is PyTorch's promise for stable=True.
        upwards = xp.argsort(xp.flip(x, axis=dim), axis=dim, stable=True)
        return x.shape[dim] - 1 - xp.flip(upwards, axis=dim)


@accepts_axis
def argsort(x: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Tensor:
    """The indices that sort a tensor along a dimension; NaN counts as the largest.

    Args:
        x: any shape.
        dim: along which dimension. NumPy's name ``axis`` is taken too.
        descending: the largest first.
        stable: equal elements keep their order; they always do.

    Raises:
        OutOfRangeError: there is no such dimension.

    >>> argsort(Tensor([3.0, 1.0, 2.0]))
    tensor([1, 2, 0])
    """
    return _order("argsort", x, dim, descending)


@accepts_axis
def sort(x: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Sorted:
    """The elements in order along a dimension, and where each comes from.

    Args:
        x: any shape.
        dim: along which dimension. NumPy's name ``axis`` is taken too.
        descending: the largest first; NaN counts as the largest.
        stable: equal elements keep their order; they always do.

    Returns:
        ``values`` and ``indices``.

    Raises:
        OutOfRangeError: there is no such dimension.

    >>> sort(Tensor([3.0, 1.0, 2.0]), descending=True)
    Sorted(values=tensor([3., 2., 1.]), indices=tensor([0, 2, 1]))
    """
    indices = _order("sort", x, dim, descending)
    return Sorted(gather(x, dim, indices), indices)


@accepts_axis
def topk(x: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Sorted:
    """The ``k`` largest elements along a dimension, and where they come from.

    Args:
        x: any shape.
        k: how many, from 0 to the length of the dimension.
        dim: along which dimension. NumPy's name ``axis`` is taken too.
        largest: False for the smallest.
        sorted: in order; they always are.

    Returns:
        ``values`` and ``indices``.

    Raises:
        OutOfRangeError: there are fewer than ``k``, or there is no such dimension.

    >>> topk(Tensor([3.0, 1.0, 2.0]), 2)
    Sorted(values=tensor([3., 2.]), indices=tensor([0, 2]))
    """
    x = as_tensor("topk", x)
    place = as_dim("topk", dim, x.ndim)
    length = x.shape[place] if x.ndim else 1
    if not 0 <= k <= length:
        raise OutOfRangeError(
            f"topk: there are not {k} elements to choose.",
            [f"x: shape {x.shape}   dimension {place} has length {length}"],
        )
    indices = _order("topk", x, place, largest)
    indices = indices[(slice(None),) * place + (slice(k),)] if x.ndim else indices
    return Sorted(gather(x, place, indices), indices)


def _order(operation: str, x: Any, dim: int, descending: bool) -> Tensor:
    x = as_tensor(operation, x)
    place = as_dim(operation, dim, x.ndim)
    if x.ndim == 0:
        return _order(operation, x.reshape(1), 0, descending).reshape(())
    out: Tensor = ArgSort.apply(x, dim=place, descending=descending)
    return out
