"""Elements put, or added, at places that arrays of indices name."""

from __future__ import annotations

import math
from typing import Any

from demograd import Tensor
from demograd.autograd import Function
from demograd.errors import ArgumentTypeError, DtypeError, ShapeError
from demograd.operators import accepts_axis, change
from demograd.ops._arguments import as_index, as_tensor
from demograd.ops._gathering import checked_dim, places_of, summed

__all__ = [
    "Scatter", "ScatterAdd", "scatter", "scatter_", "scatter_add", "scatter_add_",
]  # fmt: skip


class Scatter(Function):
    """A copy of ``x`` with ``out[i, index[i, j]] = src[i, j]``, here along dimension 1."""

    def forward(self, x: Any, index: Any, src: Any, *, dim: int) -> Any:
        xp = self.xp
        places = places_of(xp, x.shape, index, dim)
        flat = xp.reshape(x, (-1,))
        stays = None
        if self.needs_input_grad[2]:
            # Where two elements go to one place, one of them is overwritten and has no slope.
            numbers = xp.reshape(xp.arange(math.prod(places.shape)), places.shape)
            last = xp.index_set(xp.zeros(flat.shape, dtype=numbers.dtype), places, numbers)
            stays = xp.index(last, places) == numbers
        self.save_for_backward(places, stays)
        return xp.reshape(xp.index_set(flat, places, src), x.shape)

    def backward(self, grad: Any) -> Any:
        places, stays = self.saved_tensors
        xp = self.xp
        flat = xp.reshape(grad, (-1,))
        x_needed, _, src_needed = self.needs_input_grad
        return (
            xp.reshape(xp.index_set(flat, places, 0.0), grad.shape) if x_needed else None,
            None,
            xp.where(stays, xp.index(flat, places), 0.0) if src_needed else None,
        )


class ScatterAdd(Function):
    """``x`` with ``out[i, index[i, j]] += src[i, j]``, here along dimension 1."""

    def forward(self, x: Any, index: Any, src: Any, *, dim: int) -> Any:
        places = places_of(self.xp, x.shape, index, dim)
        self.save_for_backward(places)
        return x + summed(self.xp, x.shape, places, src)

    def backward(self, grad: Any) -> Any:
        (places,) = self.saved_tensors
        xp = self.xp
        src_needed = self.needs_input_grad[2]
        picked = xp.index(xp.reshape(grad, (-1,)), places) if src_needed else None
        return grad, None, picked


@accepts_axis
def scatter(
    x: Tensor, dim: int, index: Tensor, src: Any = None, *, value: float | None = None
) -> Tensor:
    """A copy with elements put along one dimension: ``out[i, index[i, j]] = src[i, j]``.

    Where an index repeats, the last element stays.

    Args:
        x: any shape.
        dim: along which dimension. NumPy's name ``axis`` is taken too.
        index: integers from 0, as for :func:`gather`.
        src: a tensor of the type of ``x``, at least as long as the index; or a number.
        value: a number, instead of ``src``.

    Raises:
        OutOfRangeError: an index is outside the dimension, or there is no such dimension.
        ShapeError: the shape of the index or of the source does not fit.
        DtypeError: the index is not of integers, or the source of another type than ``x``.
        ArgumentTypeError: neither ``src`` nor ``value`` is given, or both.

    >>> scatter(Tensor([[0, 0, 0], [0, 0, 0]]), 1, Tensor([[2], [0]]), 7)
    tensor([[0, 0, 7],
            [7, 0, 0]])
    """
    x, index = as_tensor("scatter", x), as_index("scatter", index)
    place = checked_dim("scatter", x, dim, index)
    if (src is None) == (value is None):
        raise ArgumentTypeError("scatter: give either src or value.")
    source = value if src is None else src
    if not isinstance(source, (bool, int, float)):
        source = _source("scatter", x, index, source)
    out: Tensor = Scatter.apply(x, index, source, dim=place)
    return out


@accepts_axis
def scatter_add(x: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """Elements added along one dimension: ``out[i, index[i, j]] += src[i, j]`` for ``dim=1``.

    Args:
        x: any shape.
        dim: along which dimension. NumPy's name ``axis`` is taken too.
        index: integers from 0, as for :func:`gather`; what repeats adds up.
        src: of the type of ``x``, at least as long as the index.

    Raises:
        OutOfRangeError: an index is outside the dimension, or there is no such dimension.
        ShapeError: the shape of the index or of the source does not fit.
        DtypeError: the index is not of integers, or the source of another type than ``x``.

    >>> scatter_add(Tensor([0.0, 0.0]), 0, Tensor([1, 1, 0]), Tensor([1.0, 2.0, 4.0]))
    tensor([4., 3.])
    """
    x, index = as_tensor("scatter_add", x), as_index("scatter_add", index)
    place = checked_dim("scatter_add", x, dim, index)
    source = _source("scatter_add", x, index, src)
    out: Tensor = ScatterAdd.apply(x, index, source, dim=place)
    return out


def scatter_(
    x: Tensor, dim: int, index: Tensor, src: Any = None, *, value: float | None = None
) -> Tensor:
    """:func:`scatter`, in place."""
    source = src if value is None else value
    return change(x, "scatter_", lambda old, new: scatter(old, dim, index, new), source)


def scatter_add_(x: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """:func:`scatter_add`, in place."""
    return change(x, "scatter_add_", lambda old, new: scatter_add(old, dim, index, new), src)


def _source(operation: str, x: Tensor, index: Tensor, src: Any) -> Tensor:
    """The part of the source that the index has places for."""
    source = as_tensor(operation, src)
    if source.dtype != x.dtype:
        raise DtypeError(
            f"{operation}: the source has another type than the tensor.",
            [f"x: dtype {x.dtype}", f"src: dtype {source.dtype}"],
            "src.to(x.dtype) has the same.",
        )
    if source.ndim != index.ndim or any(
        n > m for n, m in zip(index.shape, source.shape, strict=True)
    ):
        raise ShapeError(
            f"{operation}: the index is longer than the source.",
            [f"index: shape {index.shape}", f"src: shape {source.shape}"],
        )
    if source.shape == index.shape:
        return source
    return source[tuple(slice(n) for n in index.shape)]
