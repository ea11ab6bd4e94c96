"""Hyperbolic functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from demograd import Tensor
from demograd.autograd import Function
from demograd.ops._operands import as_floating

__all__ = ["Cosh", "Sinh", "Tanh", "cosh", "sinh", "tanh"]


class Sinh(Function):
    """The hyperbolic sine; the derivative is the hyperbolic cosine."""

    @np.errstate(over="ignore")
    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return self.xp.sinh(x)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved_tensors
        return grad * self.xp.cosh(x)


class Cosh(Function):
    """The hyperbolic cosine; the derivative is the hyperbolic sine."""

    @np.errstate(over="ignore")
    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return self.xp.cosh(x)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved_tensors
        return grad * self.xp.sinh(x)


class Tanh(Function):
    """The hyperbolic tangent, ``(e**x - e**-x) / (e**x + e**-x)``; a layer as ``Tanh.apply``.

    The derivative is ``1 - out**2``.

    >>> Tanh.apply(Tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """

    def forward(self, x: Any) -> Any:
        out = self.xp.tanh(x)
        self.save_for_backward(out)
        return out

    def backward(self, grad: Any) -> Any:
        (out,) = self.saved_tensors
        return grad * (1 - out * out)


def sinh(x: Tensor) -> Tensor:
    """``(e**x - e**-x) / 2`` of each element.

    Raises:
        ArgumentTypeError: ``x`` is no Tensor.

    >>> sinh(Tensor([0.0, 1.0]))
    tensor([0.0000, 1.1752])
    """
    out: Tensor = Sinh.apply(as_floating("sinh", x))
    return out


def cosh(x: Tensor) -> Tensor:
    """``(e**x + e**-x) / 2`` of each element.

    Raises:
        ArgumentTypeError: ``x`` is no Tensor.

    >>> cosh(Tensor([0.0, 1.0]))
    tensor([1.0000, 1.5431])
    """
    out: Tensor = Cosh.apply(as_floating("cosh", x))
    return out


def tanh(x: Tensor) -> Tensor:
    """``(e**x - e**-x) / (e**x + e**-x)`` of each element, between -1 and 1.

    Raises:
        ArgumentTypeError: ``x`` is no Tensor.

    >>> tanh(Tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """
    out: Tensor = Tanh.apply(as_floating("tanh", x))
    return out
