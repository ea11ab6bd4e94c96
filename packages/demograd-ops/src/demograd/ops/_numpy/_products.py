"""NumPy's products, and ``np.linalg``."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from demograd import Tensor, linalg, ops
from demograd.errors import ArgumentError, ShapeError
from demograd.operators import matmul, mul
from demograd.operators import sum as total
from demograd.ops._numpy._arguments import Axis, axis_of, plain, promoted, tensor
from demograd.ops._numpy._picking import trace as trace_
from demograd.ops._numpy._ufuncs import vecdot

__all__ = ["PRODUCTS"]


def dot(a: Any, b: Any) -> Tensor:
    """The last dimension of one with the second-to-last of the other; numbers multiply."""
    x, y = promoted([a, b])
    if not x.ndim or not y.ndim:
        return mul(x, y)
    if x.ndim <= 2 and y.ndim <= 2:
        return matmul(x, y)
    return ops.tensordot(x, y, ([x.ndim - 1], [max(y.ndim - 2, 0)]))


def inner(a: Any, b: Any, /) -> Tensor:
    x, y = promoted([a, b])
    if not x.ndim or not y.ndim:
        return mul(x, y)
    return ops.tensordot(x, y, ([x.ndim - 1], [y.ndim - 1]))


def vdot(a: Any, b: Any, /) -> Tensor:
    x, y = promoted([a, b])
    return ops.dot(x.reshape(-1), y.reshape(-1))


def outer(a: Any, b: Any) -> Tensor:
    x, y = promoted([a, b])
    return ops.outer(x.reshape(-1), y.reshape(-1))


def tensordot(a: Any, b: Any, axes: Any = 2) -> Tensor:
    x, y = promoted([a, b])
    return ops.tensordot(x, y, plain(axes))


def einsum(*operands: Any, optimize: Any = None) -> Tensor:
    equation, *given = operands
    if not isinstance(equation, str):
        raise ArgumentError(
            "np.einsum: the equation is to be a string.", mend='np.einsum("ij,jk->ik", x, y)'
        )
    return ops.einsum(equation, *promoted(given))


def kron(a: Any, b: Any) -> Tensor:
    """Each element of one times the whole of the other."""
    x, y = promoted([a, b])
    ndim = max(x.ndim, y.ndim)
    shapes = [(*[1] * (ndim - v.ndim), *v.shape) for v in (x, y)]
    wide = x.reshape([n for pair in zip(shapes[0], [1] * ndim, strict=True) for n in pair])
    fine = y.reshape([n for pair in zip([1] * ndim, shapes[1], strict=True) for n in pair])
    return mul(wide, fine).reshape([n * m for n, m in zip(*shapes, strict=True)])


def cross(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Tensor:
    x, y = promoted([a, b])
    if axis is not None:
        axisa = axisb = axisc = axis
    x, y = ops.moveaxis(x, axisa, -1), ops.moveaxis(y, axisb, -1)
    if x.shape[-1] != 3 or y.shape[-1] != 3:
        raise ShapeError(
            "np.cross: vectors of three components are multiplied.",
            [f"a: shape {x.shape}", f"b: shape {y.shape}"],
        )
    (x0, x1, x2), (y0, y1, y2) = (ops.unbind(v, -1) for v in (x, y))
    out = ops.stack([x1 * y2 - x2 * y1, x2 * y0 - x0 * y2, x0 * y1 - x1 * y0], -1)
    return ops.moveaxis(out, -1, axisc)


# np.linalg.


def cross_of_three(x1: Any, x2: Any, /, *, axis: int = -1) -> Tensor:
    return cross(x1, x2, axis=axis)


def solve(a: Any, b: Any) -> Tensor:
    """As in NumPy 2, ``b`` is a vector where it has one dimension, and matrices else."""
    x, y = promoted([a, b])
    if y.ndim == 1:
        return (
            linalg.solve(x, y.reshape(-1, 1)).reshape((*x.shape[:-2], -1))
            if x.ndim > 2
            else (linalg.solve(x, y))
        )
    if y.ndim == x.ndim - 1:
        y = y.reshape((1, *y.shape))  # not a stack of vectors, as in PyTorch
    return linalg.solve(x, y)


def inv(a: Any) -> Tensor:
    return linalg.inv(tensor(a))


def det(a: Any) -> Tensor:
    return linalg.det(tensor(a))


def slogdet(a: Any) -> linalg.SlogDetResult:
    return linalg.slogdet(tensor(a))


def cholesky(a: Any, /, *, upper: bool = False) -> Tensor:
    return linalg.cholesky(tensor(a), upper=upper)


def norm(x: Any, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Tensor:
    return linalg.norm(_floating(x), ord, axis, keepdims)


def _floating(x: Any) -> Tensor:
    given = tensor(x)
    return given.float() if given.dtype.kind in "iub" else given


def vector_norm(x: Any, /, *, axis: Axis = None, keepdims: bool = False, ord: float = 2) -> Tensor:
    return ops.norm(_floating(x), ord, axis, keepdims)


def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Tensor:
    return linalg.norm(_floating(x), ord, (-2, -1), keepdims)


def matrix_power(a: Any, n: int) -> Tensor:
    """By repeated squaring."""
    x = tensor(a)
    if n < 0:
        x, n = linalg.inv(x), -n
    if n == 0:
        return ops.broadcast_to(Tensor(np.eye(x.shape[-1], dtype=x.dtype)), x.shape)
    out: Tensor | None = None
    while n:
        if n % 2:
            out = x if out is None else matmul(out, x)
        n //= 2
        x = matmul(x, x) if n else x
    assert out is not None
    return out


def multi_dot(arrays: Sequence[Any]) -> Tensor:
    """The product of several matrices, from the left; the first and the last may be vectors."""
    return functools.reduce(matmul, promoted(arrays))


def tensorsolve(a: Any, b: Any, axes: Any = None) -> Tensor:
    x, y = promoted([a, b])
    if axes is not None:
        last = [axis_of("linalg.tensorsolve", d, x) for d in axes]
        x = x.permute((*[d for d in range(x.ndim) if d not in last], *last))
    shape = x.shape[y.ndim :]
    return linalg.solve(x.reshape(y.numel(), math.prod(shape)), y.reshape(-1)).reshape(shape)


def tensorinv(a: Any, ind: int = 2) -> Tensor:
    x = tensor(a)
    rows, columns = x.shape[:ind], x.shape[ind:]
    out = linalg.inv(x.reshape(math.prod(rows), math.prod(columns)))
    return out.reshape((*columns, *rows))


def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Tensor:
    return trace_(x, offset, -2, -1, dtype)


def diagonal(x: Any, /, *, offset: int = 0) -> Tensor:
    return ops.diagonal(tensor(x), offset, -2, -1)


def vecdot_along(x1: Any, x2: Any, /, *, axis: int = -1) -> Tensor:
    return total(mul(*promoted([x1, x2])), axis)


def matmul_(x1: Any, x2: Any, /) -> Tensor:
    return matmul(*promoted([x1, x2]))


def matrix_transpose(x: Any, /) -> Tensor:
    return tensor(x).mT


PRODUCTS: dict[str, Callable[..., Any]] = {
    "cross": cross,
    "dot": dot,
    "einsum": einsum,
    "inner": inner,
    "kron": kron,
    "linalg.cholesky": cholesky,
    "linalg.cross": cross_of_three,
    "linalg.det": det,
    "linalg.diagonal": diagonal,
    "linalg.inv": inv,
    "linalg.matmul": matmul_,
    "linalg.matrix_norm": matrix_norm,
    "linalg.matrix_power": matrix_power,
    "linalg.matrix_transpose": matrix_transpose,
    "linalg.multi_dot": multi_dot,
    "linalg.norm": norm,
    "linalg.outer": outer,
    "linalg.slogdet": slogdet,
    "linalg.solve": solve,
    "linalg.tensordot": tensordot,
    "linalg.tensorinv": tensorinv,
    "linalg.tensorsolve": tensorsolve,
    "linalg.trace": trace,
    "linalg.vecdot": vecdot_along,
    "linalg.vector_norm": vector_norm,
    "outer": outer,
    "tensordot": tensordot,
    "vdot": vdot,
    "vecdot": vecdot,
}
