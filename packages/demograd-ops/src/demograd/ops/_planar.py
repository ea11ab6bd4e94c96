"""Functions of two coordinates: the angle and the length of a vector in the plane; signs."""

from __future__ import annotations

from typing import Any

from demograd import Tensor
from demograd.autograd import Function
from demograd.operators import binary
from demograd.ops._operands import float_operand

__all__ = ["Atan2", "CopySign", "Hypot", "atan2", "copysign", "hypot"]


class Atan2(Function):
    """The angle of ``(y, x)`` from the x axis; the derivatives are ``x / r**2``, ``-y / r**2``."""

    def forward(self, y: Any, x: Any) -> Any:
        self.save_for_backward(y, x)
        return self.xp.atan2(y, x)

    def backward(self, grad: Any) -> Any:
        y, x = self.saved_tensors
        xp = self.xp
        # At the origin there is no angle; its slope is taken as zero, as in PyTorch.
        square = x * x + y * y
        over = grad / xp.where(square == 0, xp.ones_like(square), square)
        y_needed, x_needed = self.needs_input_grad
        return over * x if y_needed else None, -over * y if x_needed else None


class Hypot(Function):
    """``sqrt(x**2 + y**2)``; the derivatives are ``x / out`` and ``y / out``."""

    def forward(self, x: Any, y: Any) -> Any:
        out = self.xp.hypot(x, y)
        self.save_for_backward(x, y, out)
        return out

    def backward(self, grad: Any) -> Any:
        x, y, out = self.saved_tensors
        x_needed, y_needed = self.needs_input_grad
        return (
            grad * (x / out) if x_needed else None,
            grad * (y / out) if y_needed else None,
        )


class CopySign(Function):
    """The magnitude of ``x`` with the sign of ``y``; its slope in x is 1, or -1 where it turns."""

    def forward(self, x: Any, y: Any) -> Any:
        self.save_for_backward(x, y)
        return self.xp.copysign(x, y)

    def backward(self, grad: Any) -> Any:
        x, y = self.saved_tensors
        xp = self.xp
        x_needed, y_needed = self.needs_input_grad
        return (
            grad * (xp.sign(x) * xp.copysign(xp.ones_like(grad), y)) if x_needed else None,
            xp.zeros_like(grad) if y_needed else None,
        )


def atan2(y: Tensor, x: Tensor) -> Tensor:
    """The angle of the vector ``(x, y)`` from the x axis, from -pi to pi, broadcast.

    Raises:
        ArgumentTypeError: an operand is neither a Tensor nor a number.
        ShapeError: the shapes do not broadcast.

    >>> atan2(Tensor([1.0, -1.0]), Tensor([1.0, 0.0]))
    tensor([ 0.7854, -1.5708])
    """
    return binary(Atan2, *float_operand("atan2", y, x))


def hypot(x: Tensor, y: Tensor) -> Tensor:
    """The length of the vector ``(x, y)``, broadcast, without overflow on the way.

    Raises:
        ArgumentTypeError: an operand is neither a Tensor nor a number.
        ShapeError: the shapes do not broadcast.

    >>> hypot(Tensor([3.0]), Tensor([4.0]))
    tensor([5.])
    """
    return binary(Hypot, *float_operand("hypot", x, y))


def copysign(x: Tensor, y: Tensor) -> Tensor:
    """The magnitude of ``x`` with the sign of ``y``, broadcast.

    Raises:
        ArgumentTypeError: an operand is neither a Tensor nor a number.
        ShapeError: the shapes do not broadcast.

    >>> copysign(Tensor([1.0, -2.0]), -1.0)
    tensor([-1., -2.])
    """
    return binary(CopySign, *float_operand("copysign", x, y))
