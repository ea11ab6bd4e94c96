"""The absolute value and the sign."""

from __future__ import annotations

from typing import Any

from demograd import Tensor
from demograd.autograd import Function
from demograd.ops._operands import numeric

__all__ = ["Abs", "Sign", "abs", "sign"]


class Abs(Function):
    """``|x|``; the derivative is the sign of x, zero at zero."""

    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return self.xp.abs(x)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved_tensors
        return grad * self.xp.sign(x)


class Sign(Function):
    """-1, 0 or 1; flat, so the gradient is zero."""

    def forward(self, x: Any) -> Any:
        return self.xp.sign(x)

    def backward(self, grad: Any) -> Any:
        return self.xp.zeros_like(grad)


def abs(x: Tensor) -> Tensor:
    """The absolute value of each element; its gradient at zero is zero.

    Raises:
        ArgumentTypeError: ``x`` is no Tensor.
        DtypeError: ``x`` is of booleans.

    >>> abs(Tensor([-1.5, 2.0]))
    tensor([1.5000, 2.0000])
    """
    out: Tensor = Abs.apply(numeric("abs", x))
    return out


def sign(x: Tensor) -> Tensor:
    """-1, 0 or 1 for each element, with a gradient of zero.

    The sign of NaN is NaN, as in NumPy; PyTorch gives zero, which hides where a NaN came from.

    Raises:
        ArgumentTypeError: ``x`` is no Tensor.
        DtypeError: ``x`` is of booleans.

    >>> sign(Tensor([-1.5, 0.0, 2.0]))
    tensor([-1.,  0.,  1.])
    """
    out: Tensor = Sign.apply(numeric("sign", x))
    return out
