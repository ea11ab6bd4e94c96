"""Fixed powers: squares, roots and reciprocals; ``pow`` itself lives in the core."""

from __future__ import annotations

from typing import Any

import numpy as np

from demograd import Tensor
from demograd.autograd import Function
from demograd.ops._operands import as_floating, numeric

__all__ = [
    "Reciprocal", "Rsqrt", "Sqrt", "Square", "reciprocal", "rsqrt", "sqrt", "square",
]  # fmt: skip


class Square(Function):
    """``x**2``; the derivative is ``2 x``."""

    @np.errstate(over="ignore")
    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return x * x

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved_tensors
        return grad * (x * 2)


class Sqrt(Function):
    """The square root; the derivative is ``1 / (2 sqrt(x))``, infinite at zero."""

    @np.errstate(invalid="ignore")
    def forward(self, x: Any) -> Any:
        out = self.xp.sqrt(x)
        self.save_for_backward(out)
        return out

    def backward(self, grad: Any) -> Any:
        (out,) = self.saved_tensors
        return grad / (out * 2)


class Rsqrt(Function):
    """``1 / sqrt(x)``; the derivative is ``-out**3 / 2``."""

    @np.errstate(divide="ignore", invalid="ignore")
    def forward(self, x: Any) -> Any:
        out = 1 / self.xp.sqrt(x)
        self.save_for_backward(out)
        return out

    def backward(self, grad: Any) -> Any:
        (out,) = self.saved_tensors
        return grad * (out * out * out * -0.5)


class Reciprocal(Function):
    """``1 / x``; the derivative is ``-out**2``."""

    @np.errstate(divide="ignore", over="ignore")
    def forward(self, x: Any) -> Any:
        out = 1 / x
        self.save_for_backward(out)
        return out

    def backward(self, grad: Any) -> Any:
        (out,) = self.saved_tensors
        return -grad * (out * out)


def square(x: Tensor) -> Tensor:
    """``x**2`` of each element; integers stay integers.

    Raises:
        ArgumentTypeError: ``x`` is no Tensor.
        DtypeError: ``x`` is of booleans.

    >>> square(Tensor([-2.0, 3.0]))
    tensor([4., 9.])
    """
    out: Tensor = Square.apply(numeric("square", x))
    return out


def sqrt(x: Tensor) -> Tensor:
    """The square root of each element; NaN below zero, and of infinite slope at zero.

    Raises:
        ArgumentTypeError: ``x`` is no Tensor.

    >>> sqrt(Tensor([4.0, 9.0]))
    tensor([2., 3.])
    """
    out: Tensor = Sqrt.apply(as_floating("sqrt", x))
    return out


def rsqrt(x: Tensor) -> Tensor:
    """``1 / sqrt(x)`` of each element; infinity at zero, NaN below.

    Raises:
        ArgumentTypeError: ``x`` is no Tensor.

    >>> rsqrt(Tensor([4.0, 0.25]))
    tensor([0.5000, 2.0000])
    """
    out: Tensor = Rsqrt.apply(as_floating("rsqrt", x))
    return out


def reciprocal(x: Tensor) -> Tensor:
    """``1 / x`` of each element; an infinity at zero.

    Raises:
        ArgumentTypeError: ``x`` is no Tensor.

    >>> reciprocal(Tensor([4.0, -0.5]))
    tensor([ 0.2500, -2.0000])
    """
    out: Tensor = Reciprocal.apply(as_floating("reciprocal", x))
    return out
