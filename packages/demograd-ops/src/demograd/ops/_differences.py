"""Differences of neighbours."""

from __future__ import annotations

from demograd import Tensor
from demograd.errors import ArgumentError, ShapeError
from demograd.operators import accepts_axis, as_dim, index, ne, sub
from demograd.ops._arguments import as_tensor
from demograd.ops._joining import cat

__all__ = ["diff"]


@accepts_axis
def diff(
    x: Tensor,
    n: int = 1,
    dim: int = -1,
    prepend: Tensor | None = None,
    append: Tensor | None = None,
) -> Tensor:
    """Each element less the one before it, along a dimension; ``n`` times over.

    Args:
        x: at least one dimension.
        n: how often.
        dim: along which dimension. NumPy's name ``axis`` is taken too.
        prepend, append: what to put before and after ``x`` first.

    Raises:
        ArgumentError: ``n`` is negative.
        ShapeError: ``x`` has no dimension, or what is put beside it does not fit.
        OutOfRangeError: there is no such dimension.

    >>> diff(Tensor([1.0, 4.0, 9.0]))
    tensor([3., 5.])
    """
    x = as_tensor("diff", x)
    if n < 0:
        raise ArgumentError(f"diff: differences are taken {n} times.", mend="Use n = 0 or more.")
    if x.ndim == 0:
        raise ShapeError("diff: a zero-dimensional tensor has no neighbours.")
    dim = as_dim("diff", dim, x.ndim)
    parts = [part for part in (prepend, x, append) if part is not None]
    if len(parts) > 1:
        x = cat(parts, dim)
    every = (slice(None),) * dim
    for _ in range(n):
        later, earlier = index(x, (*every, slice(1, None))), index(x, (*every, slice(None, -1)))
        x = ne(later, earlier) if x.dtype.kind == "b" else sub(later, earlier)
    return x
