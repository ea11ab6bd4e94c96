"""The standard's linear algebra on Tensors: ``xp.linalg.solve``, as rules and users call it.

Reference: Python array API standard, 2024.12, "Linear Algebra Extension".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from demograd import Tensor, linalg, ops
from demograd.operators import matmul, matrix_transpose, mul
from demograd.operators import sum as total
from demograd.ops._numpy._products import cross_of_three, matrix_power

__all__ = ["LINALG_FUNCTIONS"]


def solve(x1: Tensor, x2: Tensor, /) -> Tensor:
    """A vector only where ``x2`` has one dimension."""
    if x2.ndim == 1:
        return linalg.solve(x1, x2.reshape(-1, 1)).reshape(x1.shape[:-1])
    if x2.ndim == x1.ndim - 1:
        x2 = x2.reshape((1, *x2.shape))
    return linalg.solve(x1, x2)


def diagonal(x: Tensor, /, *, offset: int = 0) -> Tensor:
    """The diagonals of the matrices in the last two dimensions."""
    return ops.diagonal(x, offset, -2, -1)


def trace(x: Tensor, /, *, offset: int = 0, dtype: Any = None) -> Tensor:
    """The sums of the diagonals."""
    return diagonal(x, offset=offset).sum(-1, dtype=dtype)


def outer(x1: Tensor, x2: Tensor, /) -> Tensor:
    """All products of an element of one vector and one of another."""
    return ops.outer(x1, x2)


def matrix_norm(x: Tensor, /, *, keepdims: bool = False, ord: Any = "fro") -> Tensor:
    """The norms of the matrices in the last two dimensions."""
    return linalg.norm(x, ord, (-2, -1), keepdims)


def vector_norm(
    x: Tensor,
    /,
    *,
    axis: int | Sequence[int] | None = None,
    keepdims: bool = False,
    ord: float = 2,
) -> Tensor:
    """The norm of all elements, or over dimensions, as of one vector."""
    return ops.norm(x, ord, axis, keepdims)


def vecdot(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    """The scalar products of vectors that stand along a dimension."""
    return total(mul(x1, x2), axis)


def tensordot(x1: Tensor, x2: Tensor, /, *, axes: Any = 2) -> Tensor:
    """The sum of products over dimensions that meet."""
    return ops.tensordot(x1, x2, axes)


def cross(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    """The vector products of vectors of three components."""
    return cross_of_three(x1, x2, axis=axis)


def matrix_rank(x: Tensor, /, *, rtol: Any = None) -> Tensor:
    """How many singular values are not negligible; integers, by NumPy."""
    return Tensor(np.asarray(np.linalg.matrix_rank(x.numpy(force=True), rtol=rtol)))


LINALG_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "linalg.cholesky": linalg.cholesky,
    "linalg.cross": cross,
    "linalg.det": linalg.det,
    "linalg.diagonal": diagonal,
    "linalg.inv": linalg.inv,
    "linalg.matmul": matmul,
    "linalg.matrix_norm": matrix_norm,
    "linalg.matrix_power": matrix_power,
    "linalg.matrix_rank": matrix_rank,
    "linalg.matrix_transpose": matrix_transpose,
    "linalg.outer": outer,
    "linalg.slogdet": linalg.slogdet,
    "linalg.solve": solve,
    "linalg.tensordot": tensordot,
    "linalg.trace": trace,
    "linalg.vecdot": vecdot,
    "linalg.vector_norm": vector_norm,
    "tensordot": tensordot,
    "vecdot": vecdot,
}
