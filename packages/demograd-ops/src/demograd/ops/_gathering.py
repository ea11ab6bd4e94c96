"""Elements picked by arrays of indices.

An element is reached through its *place* in the flat array: an index along one dimension and the
positions along all others make one number (``places_of``). NumPy reads and writes a flat array by
one array of places several times as fast as by one for each dimension.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from demograd import Tensor
from demograd.autograd import Function
from demograd.errors import ShapeError
from demograd.operators import accepts_axis, as_dim, expand, where
from demograd.ops._arguments import as_index, as_tensor, refuse_outside

__all__ = ["Gather", "IndexSelect", "gather", "index_select", "take_along_dim"]


def places_of(xp: Any, shape: Sequence[int], index: Any, dim: int) -> Any:
    """Places, in the flat array, of what ``index`` names along ``dim``.

    Along each other dimension the positions run from zero to the length of the index.
    """
    places = index * math.prod(shape[dim + 1 :])
    for d, length in enumerate(index.shape):
        if d != dim:
            along = xp.arange(length) * math.prod(shape[d + 1 :])
            places = places + xp.reshape(along, (-1,) + (1,) * (len(index.shape) - 1 - d))
    return places


def summed(xp: Any, shape: tuple[int, ...], places: Any, values: Any) -> Any:
    """Zeros of ``shape`` with ``values`` added at their places in the flat array."""
    places, values = xp.reshape(places, (-1,)), xp.reshape(values, (-1,))
    return xp.reshape(xp.index_add((math.prod(shape),), places, values), shape)


class Gather(Function):
    """``out[i, j] = x[i, index[i, j]]``, here along dimension 1; repeats add their gradients up."""

    def forward(self, x: Any, index: Any, *, dim: int) -> Any:
        self.shape = x.shape
        places = places_of(self.xp, x.shape, index, dim)
        self.save_for_backward(places)
        return self.xp.index(self.xp.reshape(x, (-1,)), places)

    def backward(self, grad: Any) -> Any:
        (places,) = self.saved_tensors
        return summed(self.xp, self.shape, places, grad), None


class IndexSelect(Function):
    """The layers of ``x`` along a dimension that a vector of indices names."""

    def forward(self, x: Any, index: Any, *, dim: int) -> Any:
        self.dim, self.shape = dim, x.shape
        index = self.xp.asarray(index)
        self.save_for_backward(index)
        return self.xp.take(x, index, axis=dim)

    def backward(self, grad: Any) -> Any:
        (index,) = self.saved_tensors
        every = (slice(None),) * self.dim
        return self.xp.index_add(self.shape, (*every, index), grad), None


@accepts_axis
def gather(x: Tensor, dim: int, index: Tensor) -> Tensor:
    """Elements picked along one dimension: ``out[i, j] = x[i, index[i, j]]`` for ``dim=1``.

    Args:
        x: any shape.
        dim: along which dimension. NumPy's name ``axis`` is taken too.
        index: integers from 0; as many dimensions as ``x``, and no longer than ``x`` along the
            others. The result has its shape.

    Raises:
        OutOfRangeError: an index is outside the dimension, or there is no such dimension.
        ShapeError: the shape of the index does not fit.
        DtypeError: the index is not of integers.

    >>> gather(Tensor([[1, 2], [3, 4]]), 1, Tensor([[0], [1]]))
    tensor([[1],
            [4]])
    """
    x, index = as_tensor("gather", x), as_index("gather", index)
    place = checked_dim("gather", x, dim, index)
    out: Tensor = Gather.apply(x, index, dim=place)
    return out


@accepts_axis
def index_select(x: Tensor, dim: int, index: Tensor) -> Tensor:
    """The layers along one dimension that ``index`` names, in its order.

    Args:
        x: any shape.
        dim: along which dimension. NumPy's name ``axis`` is taken too.
        index: a vector of integers from 0.

    Raises:
        OutOfRangeError: an index is outside the dimension, or there is no such dimension.
        ShapeError: the index is no vector.
        DtypeError: the index is not of integers.

    >>> index_select(Tensor([[1, 2, 3], [4, 5, 6]]), 1, Tensor([2, 0]))
    tensor([[3, 1],
            [6, 4]])
    """
    x, index = as_tensor("index_select", x), as_index("index_select", index)
    place = as_dim("index_select", dim, x.ndim)
    if index.ndim > 1:
        raise ShapeError(
            "index_select: the index must be a vector.", [f"index: shape {index.shape}"]
        )
    refuse_outside("index_select", index, x.shape[place] if x.ndim else 1, place)
    if x.ndim == 0:
        return index_select(x.reshape(1), 0, index).reshape(())
    out: Tensor = IndexSelect.apply(x, index.reshape(-1), dim=place)
    return out


@accepts_axis
def take_along_dim(x: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """Elements picked along one dimension, the shapes broadcast along all others.

    It undoes ``argsort``: ``x.take_along_dim(x.argsort(1), 1)`` is ``x`` sorted.

    Args:
        x: any shape.
        indices: integers; negative ones count from the end.
        dim: along which dimension; by default all elements in row order. NumPy's name ``axis``
            is taken too.

    Raises:
        OutOfRangeError: an index is outside the dimension, or there is no such dimension.
        ShapeError: the numbers of dimensions differ, or the shapes do not broadcast.
        DtypeError: the index is not of integers.

    >>> take_along_dim(Tensor([[10, 20], [30, 40]]), Tensor([[1]]), dim=1)
    tensor([[20],
            [40]])
    """
    x, index = as_tensor("take_along_dim", x), as_index("take_along_dim", indices)
    if dim is None:
        return take_along_dim(x.reshape(-1), index.reshape(-1), 0)
    place = as_dim("take_along_dim", dim, x.ndim)
    pairs = list(zip(x.shape, index.shape, strict=False))
    if x.ndim != index.ndim or any(
        n != m and 1 not in (n, m) for d, (n, m) in enumerate(pairs) if d != place
    ):
        raise ShapeError(
            "take_along_dim: the shapes do not broadcast.",
            [f"x: shape {x.shape}", f"indices: shape {index.shape}"],
            f"Except along dimension {place}, lengths must be equal, or one of them 1.",
        )
    length = x.shape[place] if x.ndim else 1
    index = where(index < 0, index + length, index)
    refuse_outside("take_along_dim", index, length, place)
    common = [m if n == 1 else n for n, m in pairs]
    x = expand(x, [length if d == place else n for d, n in enumerate(common)])
    index = expand(index, [index.shape[d] if d == place else n for d, n in enumerate(common)])
    out: Tensor = Gather.apply(x, index, dim=place)
    return out


def checked_dim(operation: str, x: Tensor, dim: int, index: Tensor) -> int:
    """The dimension, once the index fits."""
    place = as_dim(operation, dim, x.ndim)
    if index.numel() == 0 and index.ndim != x.ndim:
        return place  # as in PyTorch, an empty index fits anything
    shape = x.shape or (1,)
    too_long = [
        d for d, n in enumerate(index.shape) if d < len(shape) and d != place and n > shape[d]
    ]
    if (index.ndim != x.ndim and (x.ndim or index.ndim > 1)) or too_long:
        raise ShapeError(
            f"{operation}: the index does not fit the tensor.",
            [f"x: shape {x.shape}", f"index: shape {index.shape}"],
            f"It must have as many dimensions, and be no longer except along dimension {place}.",
        )
    refuse_outside(operation, index, shape[place], place)
    return place
