"""The leaky rectifier."""

from __future__ import annotations

from typing import Any

from demograd import Tensor
from demograd.autograd import Function
from demograd.ops._operands import only_floating

__all__ = ["LeakyReLU", "leaky_relu"]


class LeakyReLU(Function):
    """``x`` where it is positive, ``negative_slope * x`` elsewhere; a layer as ``LeakyReLU.apply``.

    >>> LeakyReLU.apply(Tensor([-1.0, 2.0]))
    tensor([-0.0100,  2.0000])
    """

    def forward(self, x: Any, *, negative_slope: float = 0.01) -> Any:
        self.negative_slope = negative_slope
        self.save_for_backward(x)
        return self.xp.where(x > 0, x, x * negative_slope)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved_tensors
        return self.xp.where(x > 0, grad, grad * self.negative_slope)


def leaky_relu(x: Tensor, negative_slope: float = 0.01) -> Tensor:
    """``x`` where it is positive, ``negative_slope * x`` elsewhere.

    Raises:
        ArgumentTypeError: ``x`` is no Tensor.
        DtypeError: ``x`` is not of floats.

    Reference: Maas, Hannun and Ng, "Rectifier nonlinearities improve neural network acoustic
    models", ICML 2013.

    >>> leaky_relu(Tensor([-1.0, 2.0]), 0.1)
    tensor([-0.1000,  2.0000])
    """
    x = only_floating("leaky_relu", x)
    out: Tensor = LeakyReLU.apply(x, negative_slope=negative_slope)
    return out
