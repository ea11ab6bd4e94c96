"""Other shapes of the same elements, as views of their memory where they lie right for it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from demograd import Tensor
from demograd.errors import ArgumentError, ShapeError
from demograd.operators import (
    accepts_axis,
    as_dim,
    as_dims,
    as_shape,
    expand,
    permute,
    reshape,
    transpose,
)  # fmt: skip
from demograd.ops._arguments import as_tensor

__all__ = [
    "broadcast_to", "flatten", "moveaxis", "movedim", "ravel", "squeeze", "swapaxes", "swapdims",
    "unflatten", "unsqueeze", "view",
]  # fmt: skip


def view(x: Tensor, *shape: Any) -> Tensor:
    """The same elements in another shape; one length may be -1.

    This is :func:`demograd.reshape`: it copies where the elements do not lie in order in memory.
    PyTorch's ``view`` refuses there, but in its memory other tensors lie in order than here.

    Raises:
        ShapeError: the number of elements differs.

    >>> view(Tensor([1, 2, 3, 4]), 2, -1)
    tensor([[1, 2],
            [3, 4]])
    """
    return reshape(as_tensor("view", x), *shape)


def flatten(x: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Several neighbouring dimensions made one; all by default.

    Args:
        x: any shape; without dimensions it becomes a vector of one element.
        start_dim, end_dim: the first and the last of them.

    Raises:
        ArgumentError: the first comes after the last.
        OutOfRangeError: there is no such dimension.

    >>> flatten(Tensor([[[1, 2]], [[3, 4]]]), 1)
    tensor([[1, 2],
            [3, 4]])
    """
    x = as_tensor("flatten", x)
    first, last = as_dim("flatten", start_dim, x.ndim), as_dim("flatten", end_dim, x.ndim)
    if first > last:
        raise ArgumentError(
            "flatten: start_dim comes after end_dim.",
            [f"x: shape {x.shape}", f"start_dim: {start_dim}", f"end_dim: {end_dim}"],
        )
    middle = math.prod(x.shape[first : last + 1])
    return reshape(x, (*x.shape[:first], middle, *x.shape[last + 1 :]))


def ravel(x: Tensor) -> Tensor:
    """All elements in row order as one dimension.

    >>> ravel(Tensor([[1, 2], [3, 4]]))
    tensor([1, 2, 3, 4])
    """
    return flatten(x)


@accepts_axis
def unflatten(x: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """One dimension made several, of the given lengths; one of them may be -1.

    Raises:
        ShapeError: the lengths do not multiply to that of the dimension.
        OutOfRangeError: there is no such dimension.

    >>> unflatten(Tensor([1, 2, 3, 4, 5, 6]), 0, (2, -1)).shape
    (2, 3)
    """
    x = as_tensor("unflatten", x)
    place = as_dim("unflatten", dim, x.ndim)
    length, lengths = x.shape[place], [int(n) for n in sizes]
    known = math.prod([n for n in lengths if n != -1])
    if lengths.count(-1) == 1 and known and length % known == 0:
        lengths[lengths.index(-1)] = length // known
    if min(lengths, default=0) < 0 or math.prod(lengths) != length:
        raise ShapeError(
            "unflatten: the sizes do not multiply to the length of the dimension.",
            [
                f"x: shape {x.shape}   dimension {place} has length {length}",
                f"sizes: {tuple(sizes)}",
            ],
            "One size may be -1: it is then computed from the others.",
        )
    return reshape(x, (*x.shape[:place], *lengths, *x.shape[place + 1 :]))


@accepts_axis
def squeeze(x: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """Without its dimensions of length one: all of them, or those named.

    Args:
        x: any shape.
        dim: one or several; a dimension of another length stays. NumPy's name ``axis`` is taken
            too.

    Raises:
        OutOfRangeError: there is no such dimension.

    >>> squeeze(Tensor([[[1], [2]]])).shape, squeeze(Tensor([[[1], [2]]]), 0).shape
    ((2,), (2, 1))
    """
    x = as_tensor("squeeze", x)
    dims = as_dims("squeeze", dim, x.ndim)
    return reshape(x, [n for i, n in enumerate(x.shape) if n != 1 or i not in dims])


@accepts_axis
def unsqueeze(x: Tensor, dim: int) -> Tensor:
    """With a new dimension of length one.

    Args:
        x: any shape.
        dim: where it stands in the result. NumPy's name ``axis`` is taken too.

    Raises:
        OutOfRangeError: the result has no such dimension.

    >>> unsqueeze(Tensor([1, 2]), -1).shape
    (2, 1)
    """
    x = as_tensor("unsqueeze", x)
    place = as_dim("unsqueeze", dim, x.ndim + 1)
    return reshape(x, (*x.shape[:place], 1, *x.shape[place:]))


def movedim(x: Tensor, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """Dimensions moved to other places; the rest keep their order.

    Args:
        x: any shape.
        source: which dimensions.
        destination: where each stands in the result.

    Raises:
        ArgumentError: a dimension appears twice, or the two differ in number.
        OutOfRangeError: there is no such dimension.

    >>> movedim(Tensor([[[1, 2]]]), 0, -1).shape
    (1, 2, 1)
    """
    x = as_tensor("movedim", x)
    sources = as_dims("movedim", source, x.ndim)
    destinations = as_dims("movedim", destination, x.ndim)
    if len(sources) != len(destinations):
        raise ArgumentError(
            "movedim: each source needs one destination.",
            [f"source: {source}", f"destination: {destination}"],
        )
    rest = iter([d for d in range(x.ndim) if d not in sources])
    moved = dict(zip(destinations, sources, strict=True))
    return permute(x, [moved[d] if d in moved else next(rest) for d in range(x.ndim)])


def swapdims(x: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions exchanged; another name of :func:`demograd.transpose`.

    >>> swapdims(Tensor([[1, 2, 3]]), 0, 1).shape
    (3, 1)
    """
    return transpose(as_tensor("swapdims", x), dim0, dim1)


def broadcast_to(x: Tensor, shape: Sequence[int]) -> Tensor:
    """Dimensions of length one repeated, new ones put in front, without a copy.

    Args:
        x: any shape.
        shape: the result's; -1 keeps a length.

    Raises:
        ShapeError: a length that is neither one nor the wanted one.

    >>> broadcast_to(Tensor([1, 2]), (2, 2))
    tensor([[1, 2],
            [1, 2]])
    """
    x, wanted = as_tensor("broadcast_to", x), as_shape((shape,))
    fits = len(wanted) >= x.ndim and all(
        n in (1, w) or w == -1 for n, w in zip(reversed(x.shape), reversed(wanted), strict=False)
    )
    if not fits:
        raise ShapeError(
            "broadcast_to: only dimensions of length one can be repeated.",
            [f"x: shape {x.shape}", f"wanted: {wanted}"],
        )
    return expand(x, wanted)


# NumPy's names, which PyTorch has too.
moveaxis, swapaxes = movedim, swapdims
