"""The matrix product ``@``."""

from __future__ import annotations

from typing import Any

from demograd._binary import NOT_IMPLEMENTED, as_operand, label, promote, settled
from demograd._tensor import Tensor
from demograd.autograd._function import Function
from demograd.errors import ShapeError

__all__ = ["MatMul", "matmul", "product"]


class MatMul(Function):
    """``x @ y`` of matrices, or stacks of them: ``dx = g @ yᵀ`` and ``dy = xᵀ @ g``."""

    _saves = (0, 1)

    def forward(self, x: Any, y: Any) -> Any:
        x_needed, y_needed = self.needs_input_grad
        self.save_for_backward(x if y_needed else None, y if x_needed else None)
        return x @ y

    def backward(self, grad: Any) -> Any:
        x, y = self.saved_tensors
        x_needed, y_needed = self.needs_input_grad
        return grad @ y.mT if x_needed else None, x.mT @ grad if y_needed else None


def matmul(x: Any, y: Any) -> Tensor:
    """Matrix product; vectors and stacks of matrices as in NumPy.

    Shapes: ``(..., n, k) @ (..., k, m)`` gives ``(..., n, m)``; a vector ``(k,)`` is a row on the
    left and a column on the right, and that dimension is dropped from the result.

    Raises:
        ShapeError: the inner dimensions differ, or an operand has no dimension.

    >>> matmul(Tensor([[1.0, 2.0]]), Tensor([3.0, 4.0]))
    tensor([11.])
    """
    return settled("matmul", product(x, y), x, y)


def product(x: Any, y: Any) -> Tensor:
    """What ``x @ y`` is, or ``NotImplemented``."""
    x, y = as_operand(x), as_operand(y)
    if x is None or y is None:
        return NOT_IMPLEMENTED
    if not isinstance(x, Tensor) or not isinstance(y, Tensor):
        x, y = [v if isinstance(v, Tensor) else Tensor(v) for v in (x, y)]
        raise _misfit(x, y)
    if x._data.dtype is not y._data.dtype:
        x, y = promote(x, y)
    x_shape, y_shape = x.shape, y.shape
    if not x_shape or not y_shape or x_shape[-1] != y_shape[-2 if len(y_shape) > 1 else 0]:
        raise _misfit(x, y)
    if len(x_shape) == 1:
        out = product(x.reshape(1, -1), y)
        return out.reshape(out.shape[:-2] + out.shape[-1:] if len(y_shape) > 1 else out.shape[:-1])
    if len(y_shape) == 1:
        return product(x, y.reshape(-1, 1)).reshape(x_shape[:-1])
    if len(x_shape) > 2 and len(y_shape) == 2:
        # One product of a tall matrix: faster, and its gradient needs no sum over the stack.
        flat: Tensor = MatMul.apply(x.reshape(-1, x_shape[-1]), y)
        return flat.reshape(*x_shape[:-1], y_shape[-1])
    try:
        stacked: Tensor = MatMul.apply(x, y)
    except ValueError as error:
        raise ShapeError(
            "matmul: the stacks of matrices do not broadcast.",
            [f"{label(x, 'x')}: shape {x_shape}", f"{label(y, 'y')}: shape {y_shape}"],
        ) from error
    return stacked


def _misfit(x: Tensor, y: Tensor) -> ShapeError:
    x_name, y_name = label(x, "x"), label(y, "y")
    if not x.shape or not y.shape:
        return ShapeError(
            "matmul: an operand has no dimension.",
            [f"{x_name}: shape {x.shape}", f"{y_name}: shape {y.shape}"],
            "x * y multiplies by a number.",
        )
    which = "second-to-last" if y.ndim > 1 else "only"
    inner = y.shape[-2 if y.ndim > 1 else 0]
    mend = "The last dimension of the left one must be the second-to-last of the right one."
    if y.ndim > 1 and x.shape[-1] == y.shape[-1]:
        fit = f"{x.shape} @ {(*y.shape[:-2], y.shape[-1], y.shape[-2])}"
        mend = f"{x_name} @ {y_name}.mT would fit: {fit}."
    elif x.ndim > 1 and x.shape[-2] == inner:
        fit = f"{(*x.shape[:-2], x.shape[-1], x.shape[-2])} @ {y.shape}"
        mend = f"{x_name}.mT @ {y_name} would fit: {fit}."
    return ShapeError(
        "matmul: the inner dimensions differ.",
        [
            f"{x_name}: shape {x.shape}   last dimension {x.shape[-1]}",
            f"{y_name}: shape {y.shape}   {which} dimension {inner}",
        ],
        mend,
    )
