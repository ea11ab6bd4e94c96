"""One tensor as several: pieces along a dimension, all views of its memory.

The pieces are the outputs of one node, whose rule joins their gradients again. A piece that the
loss does not use counts as zeros.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from demograd import Tensor
from demograd.autograd import Function
from demograd.errors import ArgumentError, ShapeError
from demograd.operators import accepts_axis, as_dim
from demograd.ops._arguments import as_tensor

__all__ = ["Split", "Unbind", "chunk", "split", "unbind"]


class Split(Function):
    """Pieces of given lengths along a dimension."""

    returns_view = True

    def forward(self, x: Any, *, lengths: Sequence[int], dim: int) -> Any:
        self.dim = dim
        before = (slice(None),) * dim
        pieces, start = [], 0
        for length in lengths:
            pieces.append(self.xp.index(x, (*before, slice(start, start + length))))
            start += length
        return tuple(pieces)

    def backward(self, *grads: Any) -> Any:
        return self.xp.concat(grads, axis=self.dim)


class Unbind(Function):
    """The layers along a dimension, without that dimension."""

    returns_view = True

    def forward(self, x: Any, *, dim: int) -> Any:
        self.dim = dim
        before = (slice(None),) * dim
        return tuple([self.xp.index(x, (*before, i)) for i in range(x.shape[dim])])

    def backward(self, *grads: Any) -> Any:
        return self.xp.stack(grads, axis=self.dim)


@accepts_axis
def split(
    x: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0
) -> tuple[Tensor, ...]:
    """The tensor in pieces along a dimension: all of one length, or of the lengths given.

    Args:
        x: at least one dimension.
        split_size_or_sections: the length of each piece (the last may be shorter), or a list of
            lengths.
        dim: along which dimension. NumPy's name ``axis`` is taken too.

    Raises:
        ArgumentError: a length is negative or, for a dimension that is not empty, zero.
        ShapeError: the lengths do not sum to that of the dimension, or there is no dimension.
        OutOfRangeError: there is no such dimension.

    >>> split(Tensor([1, 2, 3, 4, 5]), 2)
    (tensor([1, 2]), tensor([3, 4]), tensor([5]))
    >>> split(Tensor([1, 2, 3]), [1, 2])
    (tensor([1]), tensor([2, 3]))
    """
    x, place, total = _divisible("split", x, dim)
    if not isinstance(split_size_or_sections, int):
        lengths = [int(n) for n in split_size_or_sections]
        if min(lengths, default=0) < 0:
            raise ArgumentError(f"split: a length is negative in {lengths}.")
        if sum(lengths) != total:
            raise ShapeError(
                "split: the lengths do not sum to that of the dimension.",
                [
                    f"x: shape {x.shape}   dimension {place} has length {total}",
                    f"lengths: {lengths}   their sum is {sum(lengths)}",
                ],
            )
        return _pieces(x, lengths, place)
    size = split_size_or_sections
    if size < 0 or (size == 0 and total):
        raise ArgumentError(
            f"split: a piece cannot have length {size}.",
            [f"x: shape {x.shape}   dimension {place} has length {total}"],
        )
    lengths = [min(size, total - start) for start in range(0, total, size)] if total else [0]
    return _pieces(x, lengths, place)


@accepts_axis
def chunk(x: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """The tensor in at most ``chunks`` pieces of one length along a dimension.

    Where the dimension cannot be divided evenly, the last piece is shorter, or there are fewer.

    Raises:
        ArgumentError: ``chunks`` is not positive.
        ShapeError: the tensor has no dimension.
        OutOfRangeError: there is no such dimension.

    >>> chunk(Tensor([1, 2, 3, 4, 5]), 3)
    (tensor([1, 2]), tensor([3, 4]), tensor([5]))
    """
    x, place, total = _divisible("chunk", x, dim)
    if chunks <= 0:
        raise ArgumentError(f"chunk: the number of pieces must be positive, not {chunks}.")
    if total == 0:
        return _pieces(x, [0] * chunks, place)
    return split(x, -(-total // chunks), place)


@accepts_axis
def unbind(x: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The layers of a tensor along a dimension, which they do not have any more.

    Raises:
        ShapeError: the tensor has no dimension.
        OutOfRangeError: there is no such dimension.

    >>> unbind(Tensor([[1, 2], [3, 4]]), dim=1)
    (tensor([1, 3]), tensor([2, 4]))
    """
    x, place, total = _divisible("unbind", x, dim)
    return tuple(Unbind.apply(x, dim=place)) if total else ()


def _divisible(operation: str, x: Any, dim: int) -> tuple[Tensor, int, int]:
    """The tensor, the dimension and its length."""
    x = as_tensor(operation, x)
    if x.ndim == 0:
        raise ShapeError(f"{operation}: a tensor without dimensions cannot be divided.")
    place = as_dim(operation, dim, x.ndim)
    return x, place, x.shape[place]


def _pieces(x: Tensor, lengths: list[int], dim: int) -> tuple[Tensor, ...]:
    return tuple(Split.apply(x, lengths=lengths, dim=dim)) if lengths else ()
