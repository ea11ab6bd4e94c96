"""Exponentials and logarithms; ``log`` itself lives in the core, whose own rules need it."""

from __future__ import annotations

from typing import Any

import numpy as np

from demograd import Tensor
from demograd.autograd import Function
from demograd.ops._operands import as_floating

__all__ = ["Exp", "Expm1", "Log1p", "exp", "expm1", "log1p"]


class Exp(Function):
    """``e**x``, its own derivative."""

    @np.errstate(over="ignore")
    def forward(self, x: Any) -> Any:
        out = self.xp.exp(x)
        self.save_for_backward(out)
        return out

    def backward(self, grad: Any) -> Any:
        (out,) = self.saved_tensors
        return grad * out


class Expm1(Function):
    """``e**x - 1``; the derivative is ``e**x``, one more than the value."""

    @np.errstate(over="ignore")
    def forward(self, x: Any) -> Any:
        out = self.xp.expm1(x)
        self.save_for_backward(out)
        return out

    def backward(self, grad: Any) -> Any:
        (out,) = self.saved_tensors
        return grad * (out + 1)


class Log1p(Function):
    """``log(1 + x)``; the derivative is ``1 / (1 + x)``."""

    @np.errstate(divide="ignore", invalid="ignore")
    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return self.xp.log1p(x)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved_tensors
        return grad / (x + 1)


def exp(x: Tensor) -> Tensor:
    """``e**x`` of each element; infinity where that is too large for the type.

    Raises:
        ArgumentTypeError: ``x`` is no Tensor.

    >>> exp(Tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """
    out: Tensor = Exp.apply(as_floating("exp", x))
    return out


def expm1(x: Tensor) -> Tensor:
    """``e**x - 1`` of each element, exact near zero, where ``exp(x) - 1`` cancels.

    Raises:
        ArgumentTypeError: ``x`` is no Tensor.

    >>> expm1(Tensor([0.0, 1e-10]))
    tensor([0.0000e+00, 1.0000e-10])
    """
    out: Tensor = Expm1.apply(as_floating("expm1", x))
    return out


def log1p(x: Tensor) -> Tensor:
    """``log(1 + x)`` of each element, exact near zero; minus infinity at -1, NaN below.

    Raises:
        ArgumentTypeError: ``x`` is no Tensor.

    >>> log1p(Tensor([0.0, 1.0]))
    tensor([0.0000, 0.6931])
    """
    out: Tensor = Log1p.apply(as_floating("log1p", x))
    return out
