"""Products of vectors, matrices and larger arrays under names that say which dimensions meet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from demograd import Tensor
from demograd.errors import ShapeError
from demograd.operators import as_dims, matmul, mul, permute
from demograd.ops._arguments import as_tensor

__all__ = ["bmm", "dot", "mm", "mv", "outer", "tensordot"]

_KINDS = {1: "a vector", 2: "a matrix", 3: "a stack of matrices"}


def dot(x: Tensor, y: Tensor) -> Tensor:
    """The scalar product of two vectors of one length.

    Raises:
        ShapeError: an operand is no vector, or the lengths differ.

    >>> dot(Tensor([1.0, 2.0]), Tensor([3.0, 4.0]))
    tensor(11.)
    """
    return _product("dot", x, y, 1, 1)


def mv(x: Tensor, y: Tensor) -> Tensor:
    """The product of a matrix ``(n, k)`` and a vector ``(k,)``.

    Raises:
        ShapeError: the operands are not those, or the inner lengths differ.

    >>> mv(Tensor([[1.0, 2.0], [0.0, 1.0]]), Tensor([3.0, 4.0]))
    tensor([11.,  4.])
    """
    return _product("mv", x, y, 2, 1)


def mm(x: Tensor, y: Tensor) -> Tensor:
    """The product of two matrices, ``(n, k)`` and ``(k, m)``.

    Raises:
        ShapeError: the operands are not those, or the inner lengths differ.

    >>> mm(Tensor([[1.0, 2.0]]), Tensor([[3.0], [4.0]]))
    tensor([[11.]])
    """
    return _product("mm", x, y, 2, 2)


def bmm(x: Tensor, y: Tensor) -> Tensor:
    """The products of two equally long stacks of matrices, ``(b, n, k)`` and ``(b, k, m)``.

    Raises:
        ShapeError: the operands are not those, or the stacks or the inner lengths differ.

    >>> bmm(Tensor([[[1.0, 2.0]]]), Tensor([[[3.0], [4.0]]]))
    tensor([[[11.]]])
    """
    return _product("bmm", x, y, 3, 3)


def outer(x: Tensor, y: Tensor) -> Tensor:
    """All products of an element of one vector, ``(n,)``, and one of another, ``(m,)``: ``(n, m)``.

    Raises:
        ShapeError: an operand is no vector.

    >>> outer(Tensor([1, 2]), Tensor([3, 4]))
    tensor([[3, 4],
            [6, 8]])
    """
    x, y = as_tensor("outer", x), as_tensor("outer", y)
    _check_kinds("outer", x, y, 1, 1)
    return mul(x.reshape(-1, 1), y)


def tensordot(x: Tensor, y: Tensor, dims: int | Sequence[Sequence[int]] = 2) -> Tensor:
    """The sum of products over dimensions of ``x`` that meet dimensions of ``y``.

    The result has the other dimensions of ``x``, then those of ``y``.

    Args:
        x, y: tensors.
        dims: how many of the last dimensions of ``x`` meet the first of ``y``; or two lists, which
            of ``x`` and which of ``y``.

    Raises:
        ShapeError: dimensions that meet differ in number or in length.
        OutOfRangeError: there is no such dimension.

    >>> tensordot(Tensor([[1.0, 2.0], [3.0, 4.0]]), Tensor([1.0, 10.0]), 1)
    tensor([21., 43.])
    """
    x, y = as_tensor("tensordot", x), as_tensor("tensordot", y)
    if isinstance(dims, int):
        if not 0 <= dims <= min(x.ndim, y.ndim):
            raise ShapeError(
                f"tensordot: {dims} dimensions cannot meet.",
                [f"x: shape {x.shape}", f"y: shape {y.shape}"],
            )
        dims = (range(x.ndim - dims, x.ndim), range(dims))
    of_x, of_y = (
        as_dims("tensordot", (d,) if isinstance(d, int) else tuple(d), v.ndim)
        for d, v in zip(dims, (x, y), strict=True)
    )
    meeting = [x.shape[i] for i in of_x]
    if meeting != [y.shape[i] for i in of_y]:
        raise ShapeError(
            "tensordot: the dimensions that meet differ.",
            [f"x: shape {x.shape}   dimensions {of_x}", f"y: shape {y.shape}   dimensions {of_y}"],
        )
    rest_x = tuple([i for i in range(x.ndim) if i not in of_x])
    rest_y = tuple([i for i in range(y.ndim) if i not in of_y])
    length = math.prod(meeting)
    rows, columns = [x.shape[i] for i in rest_x], [y.shape[i] for i in rest_y]
    left = permute(x, (*rest_x, *of_x)).reshape(math.prod(rows), length)
    right = permute(y, (*of_y, *rest_y)).reshape(length, math.prod(columns))
    return matmul(left, right).reshape((*rows, *columns))


def _product(operation: str, x: Any, y: Any, x_ndim: int, y_ndim: int) -> Tensor:
    x, y = as_tensor(operation, x), as_tensor(operation, y)
    _check_kinds(operation, x, y, x_ndim, y_ndim)
    inner = y.shape[0 if y_ndim == 1 else -2]
    if x.shape[-1] != inner or x.shape[:-2] != y.shape[:-2]:
        what = "the inner lengths differ" if x.shape[-1] != inner else "the stacks differ in length"
        turned = y_ndim > 1 and (*x.shape[:-2], x.shape[-1]) == (*y.shape[:-2], y.shape[-1])
        raise ShapeError(
            f"{operation}: {what}.",
            [f"x: shape {x.shape}", f"y: shape {y.shape}"],
            f"dg.{operation}(x, y.mT) would fit." if turned else "",
        )
    return matmul(x, y)


def _check_kinds(operation: str, x: Tensor, y: Tensor, x_ndim: int, y_ndim: int) -> None:
    if x.ndim != x_ndim or y.ndim != y_ndim:
        raise ShapeError(
            f"{operation}: expected {_KINDS[x_ndim]} and {_KINDS[y_ndim]}.",
            [f"x: shape {x.shape}", f"y: shape {y.shape}"],
            "x @ y multiplies vectors, matrices and stacks of them.",
        )
