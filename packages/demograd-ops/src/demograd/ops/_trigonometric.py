"""Sine, cosine, tangent and their inverses, in radians."""

from __future__ import annotations

from typing import Any

import numpy as np

from demograd import Tensor
from demograd.autograd import Function
from demograd.ops._operands import as_floating

__all__ = [
    "Acos", "Asin", "Atan", "Cos", "Sin", "Tan", "acos", "asin", "atan", "cos", "sin", "tan",
]  # fmt: skip


class Sin(Function):
    """The sine; the derivative is the cosine."""

    @np.errstate(invalid="ignore")
    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return self.xp.sin(x)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved_tensors
        return grad * self.xp.cos(x)


class Cos(Function):
    """The cosine; the derivative is minus the sine."""

    @np.errstate(invalid="ignore")
    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return self.xp.cos(x)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved_tensors
        return -grad * self.xp.sin(x)


class Tan(Function):
    """The tangent; the derivative is ``1 + out**2``."""

    @np.errstate(invalid="ignore")
    def forward(self, x: Any) -> Any:
        out = self.xp.tan(x)
        self.save_for_backward(out)
        return out

    def backward(self, grad: Any) -> Any:
        (out,) = self.saved_tensors
        return grad * (out * out + 1)


class Asin(Function):
    """The inverse sine; the derivative is ``1 / sqrt(1 - x**2)``."""

    @np.errstate(invalid="ignore")
    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return self.xp.asin(x)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved_tensors
        return grad / self.xp.sqrt(1 - x * x)


class Acos(Function):
    """The inverse cosine; the derivative is ``-1 / sqrt(1 - x**2)``."""

    @np.errstate(invalid="ignore")
    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return self.xp.acos(x)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved_tensors
        return -grad / self.xp.sqrt(1 - x * x)


class Atan(Function):
    """The inverse tangent; the derivative is ``1 / (1 + x**2)``."""

    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return self.xp.atan(x)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved_tensors
        return grad / (x * x + 1)


def sin(x: Tensor) -> Tensor:
    """The sine of each element, in radians.

    Raises:
        ArgumentTypeError: ``x`` is no Tensor.

    >>> sin(Tensor([0.0, 1.0]))
    tensor([0.0000, 0.8415])
    """
    out: Tensor = Sin.apply(as_floating("sin", x))
    return out


def cos(x: Tensor) -> Tensor:
    """The cosine of each element, in radians.

    Raises:
        ArgumentTypeError: ``x`` is no Tensor.

    >>> cos(Tensor([0.0, 1.0]))
    tensor([1.0000, 0.5403])
    """
    out: Tensor = Cos.apply(as_floating("cos", x))
    return out


def tan(x: Tensor) -> Tensor:
    """The tangent of each element, in radians.

    Raises:
        ArgumentTypeError: ``x`` is no Tensor.

    >>> tan(Tensor([0.0, 1.0]))
    tensor([0.0000, 1.5574])
    """
    out: Tensor = Tan.apply(as_floating("tan", x))
    return out


def asin(x: Tensor) -> Tensor:
    """The angle, from -pi/2 to pi/2, whose sine each element is; NaN outside -1 to 1.

    Raises:
        ArgumentTypeError: ``x`` is no Tensor.

    >>> asin(Tensor([0.0, 1.0]))
    tensor([0.0000, 1.5708])
    """
    out: Tensor = Asin.apply(as_floating("asin", x))
    return out


def acos(x: Tensor) -> Tensor:
    """The angle, from 0 to pi, whose cosine each element is; NaN outside -1 to 1.

    Raises:
        ArgumentTypeError: ``x`` is no Tensor.

    >>> acos(Tensor([0.0, 1.0]))
    tensor([1.5708, 0.0000])
    """
    out: Tensor = Acos.apply(as_floating("acos", x))
    return out


def atan(x: Tensor) -> Tensor:
    """The angle, from -pi/2 to pi/2, whose tangent each element is.

    Raises:
        ArgumentTypeError: ``x`` is no Tensor.

    >>> atan(Tensor([0.0, 1.0]))
    tensor([0.0000, 0.7854])
    """
    out: Tensor = Atan.apply(as_floating("atan", x))
    return out
