"""The sigmoid linear unit."""

from __future__ import annotations

from typing import Any

import numpy as np

from demograd import Tensor
from demograd.autograd import Function
from demograd.ops._operands import only_floating
from demograd.ops._sigmoid import logistic

__all__ = ["SiLU", "silu"]


class SiLU(Function):
    """``x s(x)``, with s the logistic function; a layer as ``SiLU.apply``.

    The derivative is ``s + x s (1 - s)``.

    >>> SiLU.apply(Tensor([-1.0, 0.0, 2.0]))
    tensor([-0.2689,  0.0000,  1.7616])
    """

    # For large negative x, e**-x overflows to infinity, and the quotient is the right zero.
    @np.errstate(over="ignore")
    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return x / (1 + self.xp.exp(-x))

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved_tensors
        s = logistic(self.xp, x)
        return grad * (s * (1 + x * (1 - s)))


def silu(x: Tensor) -> Tensor:
    """``x / (1 + e**-x)`` of each element, also called swish.

    Raises:
        ArgumentTypeError: ``x`` is no Tensor.
        DtypeError: ``x`` is not of floats.

    Reference: Elfwing, Uchibe and Doya, "Sigmoid-weighted linear units for neural network function
    approximation in reinforcement learning", Neural Networks 2018.

    >>> silu(Tensor([-1.0, 0.0, 2.0]))
    tensor([-0.2689,  0.0000,  1.7616])
    """
    out: Tensor = SiLU.apply(only_floating("silu", x))
    return out
