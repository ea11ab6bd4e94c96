"""Triangles and diagonals of matrices."""

from __future__ import annotations

from typing import Any

from demograd import Tensor
from demograd.autograd import Function
from demograd.errors import ArgumentError, ShapeError
from demograd.operators import as_dim, permute
from demograd.ops._arguments import as_tensor

__all__ = ["Diag", "Diagonal", "Tril", "Triu", "diag", "diagonal", "tril", "triu"]


class Tril(Function):
    """The lower triangle, zeros elsewhere."""

    def forward(self, x: Any, *, diagonal: int) -> Any:
        self.diagonal = diagonal
        return self.xp.tril(x, k=diagonal)

    def backward(self, grad: Any) -> Any:
        return self.xp.tril(grad, k=self.diagonal)


class Triu(Function):
    """The upper triangle, zeros elsewhere."""

    def forward(self, x: Any, *, diagonal: int) -> Any:
        self.diagonal = diagonal
        return self.xp.triu(x, k=diagonal)

    def backward(self, grad: Any) -> Any:
        return self.xp.triu(grad, k=self.diagonal)


class Diagonal(Function):
    """A diagonal of the last two dimensions, as a view."""

    returns_view = True

    def forward(self, x: Any, *, offset: int) -> Any:
        self.shape, self.offset = x.shape, offset
        return self.xp.linalg.diagonal(x, offset=offset)

    def backward(self, grad: Any) -> Any:
        return _spread(self.xp, grad, self.shape, self.offset)


class Diag(Function):
    """A square matrix with a vector on a diagonal, zeros elsewhere."""

    def forward(self, x: Any, *, offset: int) -> Any:
        self.offset = offset
        n = x.shape[0] + abs(offset)
        return _spread(self.xp, x, (n, n), offset)

    def backward(self, grad: Any) -> Any:
        n = grad.shape[0]
        return self.xp.index(self.xp.reshape(grad, (-1,)), _every((n, n), self.offset))


def _spread(xp: Any, x: Any, shape: tuple[int, ...], offset: int) -> Any:
    """Zeros of ``shape`` with the last dimension of ``x`` on a diagonal of the last two."""
    *batch, n, m = shape
    return xp.reshape(xp.index_add((*batch, n * m), (..., _every(shape, offset)), x), shape)


def _every(shape: tuple[int, ...], offset: int) -> slice:
    """Where a diagonal stands in the row of all elements of a matrix: m + 1 apart."""
    n, m = shape[-2:]
    first = offset if offset >= 0 else -offset * m
    length = max(min(n + min(offset, 0), m - max(offset, 0)), 0)
    return slice(first, first + length * (m + 1), m + 1)


def tril(x: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle of the last two dimensions, zeros elsewhere.

    Args:
        x: at least two dimensions.
        diagonal: the last diagonal kept: 0 the main one, above it positive, below it negative.

    Raises:
        ShapeError: there are fewer than two dimensions.

    >>> tril(Tensor([[1, 2], [3, 4]]))
    tensor([[1, 0],
            [3, 4]])
    """
    out: Tensor = Tril.apply(_matrix("tril", x), diagonal=diagonal)
    return out


def triu(x: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle of the last two dimensions, zeros elsewhere.

    Args:
        x: at least two dimensions.
        diagonal: the first diagonal kept: 0 the main one, above it positive, below it negative.

    Raises:
        ShapeError: there are fewer than two dimensions.

    >>> triu(Tensor([[1, 2], [3, 4]]), 1)
    tensor([[0, 2],
            [0, 0]])
    """
    out: Tensor = Triu.apply(_matrix("triu", x), diagonal=diagonal)
    return out


def diagonal(x: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """A diagonal over two dimensions, which becomes the last; a view that cannot be written to.

    Args:
        x: at least two dimensions.
        offset: which diagonal: 0 the main one, above it positive, below it negative.
        dim1, dim2: rows and columns.

    Raises:
        ArgumentError: the two dimensions are one.
        OutOfRangeError: there is no such dimension.

    >>> diagonal(Tensor([[1, 2, 3], [4, 5, 6]]), 1)
    tensor([2, 6])
    """
    x = as_tensor("diagonal", x)
    rows, columns = as_dim("diagonal", dim1, x.ndim), as_dim("diagonal", dim2, x.ndim)
    if rows == columns:
        raise ArgumentError(f"diagonal: dim1 and dim2 are both dimension {rows}.")
    rest = [d for d in range(x.ndim) if d not in (rows, columns)]
    x = permute(x, (*rest, rows, columns))
    # Outside the matrix every diagonal is empty.
    offset = max(-x.shape[-2], min(offset, x.shape[-1]))
    out: Tensor = Diagonal.apply(x, offset=offset)
    return out


def diag(x: Tensor, diagonal: int = 0) -> Tensor:
    """A vector as the diagonal of a matrix; a matrix's diagonal as a vector.

    Args:
        x: one or two dimensions.
        diagonal: which diagonal: 0 the main one, above it positive, below it negative.

    Raises:
        ShapeError: there are neither one nor two dimensions.

    >>> diag(Tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    x = as_tensor("diag", x)
    if x.ndim == 2:
        return _diagonal(x, diagonal)
    if x.ndim != 1:
        raise ShapeError(
            "diag: expected a vector or a matrix.",
            [f"x: shape {x.shape}"],
            "dg.diagonal(x, dim1=-2, dim2=-1) takes the diagonals of a stack of matrices.",
        )
    out: Tensor = Diag.apply(x, offset=diagonal)
    return out


def _matrix(operation: str, x: Any) -> Tensor:
    tensor = as_tensor(operation, x)
    if tensor.ndim < 2:
        raise ShapeError(
            f"{operation}: a matrix has at least two dimensions.", [f"x: shape {tensor.shape}"]
        )
    return tensor


# Under a name that the argument of diag does not hide.
_diagonal = diagonal
