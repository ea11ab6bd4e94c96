"""Logarithms and powers to the bases 2 and 10, and the logarithm of a sum of exponentials."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from demograd import Tensor
from demograd.autograd import Function
from demograd.operators import binary
from demograd.ops._operands import as_floating, float_operand

__all__ = ["Exp2", "Log2", "Log10", "LogAddExp", "exp2", "log2", "log10", "logaddexp"]


class Log2(Function):
    """The logarithm to the base 2; the derivative is ``1 / (x log(2))``."""

    @np.errstate(divide="ignore", invalid="ignore")
    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return self.xp.log2(x)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved_tensors
        return grad / (x * math.log(2))


class Log10(Function):
    """The logarithm to the base 10; the derivative is ``1 / (x log(10))``."""

    @np.errstate(divide="ignore", invalid="ignore")
    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return self.xp.log10(x)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved_tensors
        return grad / (x * math.log(10))


class Exp2(Function):
    """``2**x``; the derivative is ``log(2)`` times the value."""

    @np.errstate(over="ignore")
    def forward(self, x: Any) -> Any:
        out = 2.0**x
        self.save_for_backward(out)
        return out

    def backward(self, grad: Any) -> Any:
        (out,) = self.saved_tensors
        return grad * (out * math.log(2))


class LogAddExp(Function):
    """``log(e**x + e**y)``; the derivatives are the shares ``e**x`` and ``e**y`` of the sum."""

    def forward(self, x: Any, y: Any) -> Any:
        out = self.xp.logaddexp(x, y)
        self.save_for_backward(x, y, out)
        return out

    def backward(self, grad: Any) -> Any:
        x, y, out = self.saved_tensors
        xp = self.xp
        x_needed, y_needed = self.needs_input_grad
        return (
            grad * xp.exp(_below(xp, x, out)) if x_needed else None,
            grad * xp.exp(_below(xp, y, out)) if y_needed else None,
        )


def _below(xp: Any, x: Any, out: Any) -> Any:
    """``x - out``; zero and not NaN where both are one infinity."""
    return xp.where(x == out, xp.zeros_like(out), x - out)


def log2(x: Tensor) -> Tensor:
    """The logarithm to the base 2 of each element; minus infinity at 0, NaN below.

    Raises:
        ArgumentTypeError: ``x`` is no Tensor.

    >>> log2(Tensor([1.0, 8.0]))
    tensor([0., 3.])
    """
    out: Tensor = Log2.apply(as_floating("log2", x))
    return out


def log10(x: Tensor) -> Tensor:
    """The logarithm to the base 10 of each element; minus infinity at 0, NaN below.

    Raises:
        ArgumentTypeError: ``x`` is no Tensor.

    >>> log10(Tensor([1.0, 100.0], dtype="float64"))
    tensor([0., 2.], dtype=float64)
    """
    out: Tensor = Log10.apply(as_floating("log10", x))
    return out


def exp2(x: Tensor) -> Tensor:
    """``2**x`` of each element; infinity where that is too large for the type.

    Raises:
        ArgumentTypeError: ``x`` is no Tensor.

    >>> exp2(Tensor([0.0, 3.0]))
    tensor([1., 8.])
    """
    out: Tensor = Exp2.apply(as_floating("exp2", x))
    return out


def logaddexp(x: Tensor, y: Tensor) -> Tensor:
    """``log(e**x + e**y)``, broadcast, without overflow.

    Raises:
        ArgumentTypeError: an operand is neither a Tensor nor a number.
        ShapeError: the shapes do not broadcast.

    >>> logaddexp(Tensor([0.0, 1000.0]), Tensor([0.0, 1000.0]))
    tensor([6.9315e-01, 1.0007e+03])
    """
    return binary(LogAddExp, *float_operand("logaddexp", x, y))
