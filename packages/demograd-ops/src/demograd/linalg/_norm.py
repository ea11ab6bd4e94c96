"""Norms of vectors and matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from demograd import Tensor, ops
from demograd.errors import ArgumentError, ShapeError
from demograd.linalg._matrices import matrices
from demograd.operators import accepts_axis, as_dims
from demograd.operators import sum as total

__all__ = ["norm"]


@accepts_axis
def norm(
    A: Tensor,
    ord: float | str | None = None,
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
) -> Tensor:
    """The norm of vectors, or of matrices.

    Of all elements as one vector, its Euclidean norm, where neither ``ord`` nor ``dim`` is given.
    Of vectors, ``(sum |x|**p) ** (1/p)``, where ``dim`` is one number, or ``A`` has one dimension.
    Of matrices where ``dim`` is two, or ``A`` has two dimensions:

    - ``"fro"`` or None: Frobenius', the square root of the sum of squares;
    - ``1`` and ``-1``: the largest and the smallest sum of magnitudes of a column;
    - ``inf`` and ``-inf``: the same of a row.

    Args:
        A: floats.
        ord: which norm.
        dim: over which dimensions. NumPy's name ``axis`` is taken too.
        keepdim: keep them with length one. NumPy's name ``keepdims`` is taken too.

    Raises:
        ArgumentError: there is no such norm, or it needs singular values, which have no rule here.
        ShapeError: more than two dimensions and no word which.

    >>> norm(Tensor([3.0, 4.0]))
    tensor(5.)
    >>> norm(Tensor([[1.0, -2.0], [3.0, 4.0]]), 1)
    tensor(6.)
    """
    x = A if getattr(A, "ndim", 0) < 2 else matrices("norm", A)
    if ord is None and dim is None:
        return ops.norm(x, 2, None, keepdim)
    if dim is None and x.ndim > 2:
        raise ShapeError(
            "norm: of more than two dimensions it must be said which are meant.",
            [f"A: shape {x.shape}"],
            "norm(A, ord, dim=(-2, -1)) is that of each matrix of a stack.",
        )
    dims = as_dims("norm", dim, x.ndim)
    if len(dims) != 2:
        if isinstance(ord, str):
            raise ArgumentError(f"norm: {ord!r} is a norm of matrices, and dim is {dims}.")
        return ops.norm(x, 2 if ord is None else ord, dims, keepdim)
    if ord is None or ord == "fro":
        return ops.norm(x, 2, dims, keepdim)
    if not isinstance(ord, (int, float)) or abs(ord) not in (1, math.inf):
        raise ArgumentError(
            f"norm: the matrix norm {ord!r} is not available.",
            mend='There are "fro", 1, -1, inf and -inf; the others need singular values.',
        )
    return _of_sums(x, ord, dims, keepdim)


def _of_sums(x: Tensor, ord: float, dims: tuple[int, ...], keepdim: bool) -> Tensor:
    along, over = dims if abs(ord) == 1 else dims[::-1]
    sums = total(ops.abs(x), along, True)
    largest: Any = ops.amax if ord > 0 else ops.amin
    out: Tensor = largest(sums, over, True)
    return out if keepdim else ops.squeeze(out, (along, over))
