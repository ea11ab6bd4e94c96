"""Inverse hyperbolic functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from demograd import Tensor
from demograd.autograd import Function
from demograd.ops._operands import as_floating

__all__ = ["Acosh", "Asinh", "Atanh", "acosh", "asinh", "atanh"]


class Asinh(Function):
    """The inverse hyperbolic sine; the derivative is ``1 / sqrt(x**2 + 1)``."""

    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return self.xp.asinh(x)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved_tensors
        return grad / self.xp.sqrt(x * x + 1)


class Acosh(Function):
    """The inverse hyperbolic cosine; the derivative is ``1 / sqrt(x**2 - 1)``."""

    @np.errstate(invalid="ignore")
    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return self.xp.acosh(x)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved_tensors
        return grad / self.xp.sqrt(x * x - 1)


class Atanh(Function):
    """The inverse hyperbolic tangent; the derivative is ``1 / (1 - x**2)``."""

    @np.errstate(divide="ignore", invalid="ignore")
    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return self.xp.atanh(x)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved_tensors
        return grad / (1 - x * x)


def asinh(x: Tensor) -> Tensor:
    """The inverse hyperbolic sine of each element, ``log(x + sqrt(x**2 + 1))``.

    Raises:
        ArgumentTypeError: ``x`` is no Tensor.

    >>> asinh(Tensor([0.0, 1.0]))
    tensor([0.0000, 0.8814])
    """
    out: Tensor = Asinh.apply(as_floating("asinh", x))
    return out


def acosh(x: Tensor) -> Tensor:
    """The inverse hyperbolic cosine of each element, not negative; NaN below 1.

    Raises:
        ArgumentTypeError: ``x`` is no Tensor.

    >>> acosh(Tensor([1.0, 2.0]))
    tensor([0.0000, 1.3170])
    """
    out: Tensor = Acosh.apply(as_floating("acosh", x))
    return out


def atanh(x: Tensor) -> Tensor:
    """The inverse hyperbolic tangent of each element; infinite at -1 and 1, NaN beyond.

    Raises:
        ArgumentTypeError: ``x`` is no Tensor.

    >>> atanh(Tensor([0.0, 0.5]))
    tensor([0.0000, 0.5493])
    """
    out: Tensor = Atanh.apply(as_floating("atanh", x))
    return out
