"""The logistic function, and the error function: the two usual S-shaped curves."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from demograd import Tensor
from demograd.autograd import Function
from demograd.ops._operands import as_floating

__all__ = ["Erf", "Sigmoid", "erf", "logistic", "sigmoid"]


class Sigmoid(Function):
    """The logistic function ``1 / (1 + e**-x)``; a layer as ``Sigmoid.apply``.

    The derivative is ``out (1 - out)``.

    >>> Sigmoid.apply(Tensor([0.0, -1e4, 1e4]))
    tensor([0.5000, 0.0000, 1.0000])
    """

    # For large negative x, e**-x overflows to infinity, and its reciprocal is the right zero.
    @np.errstate(over="ignore")
    def forward(self, x: Any) -> Any:
        out = 1 / (1 + self.xp.exp(-x))
        self.save_for_backward(out)
        return out

    def backward(self, grad: Any) -> Any:
        (out,) = self.saved_tensors
        return grad * (out * (1 - out))


class Erf(Function):
    """The error function; the derivative is ``2 / sqrt(pi) e**(-x**2)``."""

    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return self.xp.erf(x)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved_tensors
        return grad * (self.xp.exp(-(x * x)) * (2 / math.sqrt(math.pi)))


def logistic(xp: Any, x: Any) -> Any:
    """``1 / (1 + e**-x)`` as array code, for the rules of other functions.

    Unlike the plain formula it never meets an infinity, whose derivatives would be NaN: only
    ``e**-|x|`` is computed.
    """
    positive = x >= 0
    small = xp.exp(xp.where(positive, -x, x))
    return xp.where(positive, 1.0, small) / (1 + small)


def sigmoid(x: Tensor) -> Tensor:
    """The logistic function ``1 / (1 + e**-x)`` of each element, between 0 and 1.

    Raises:
        ArgumentTypeError: ``x`` is no Tensor.

    >>> sigmoid(Tensor([0.0, 2.0]))
    tensor([0.5000, 0.8808])
    """
    out: Tensor = Sigmoid.apply(as_floating("sigmoid", x))
    return out


def erf(x: Tensor) -> Tensor:
    """The error function ``2 / sqrt(pi)`` times the integral of ``e**(-t**2)`` from 0 to x.

    Raises:
        ArgumentTypeError: ``x`` is no Tensor.

    >>> erf(Tensor([0.0, 1.0]))
    tensor([0.0000, 0.8427])
    """
    out: Tensor = Erf.apply(as_floating("erf", x))
    return out
