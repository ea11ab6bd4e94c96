"""The exponential linear unit."""

from __future__ import annotations

from typing import Any

from demograd import Tensor
from demograd.autograd import Function
from demograd.ops._operands import only_floating

__all__ = ["ELU", "elu"]


class ELU(Function):
    """``x`` where it is positive, ``alpha (e**x - 1)`` elsewhere; a layer as ``ELU.apply``.

    The derivative is 1 where x is positive, ``alpha e**x`` elsewhere.

    >>> ELU.apply(Tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """

    def forward(self, x: Any, *, alpha: float = 1.0) -> Any:
        xp = self.xp
        self.alpha = alpha
        self.save_for_backward(x)
        # The exponential is kept from x that is positive, where it could overflow.
        return xp.where(x > 0, x, xp.expm1(xp.where(x > 0, 0.0, x)) * alpha)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved_tensors
        xp = self.xp
        return grad * xp.where(x > 0, 1.0, xp.exp(xp.where(x > 0, 0.0, x)) * self.alpha)


def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """``x`` where it is positive, ``alpha (e**x - 1)`` elsewhere.

    Raises:
        ArgumentTypeError: ``x`` is no Tensor.
        DtypeError: ``x`` is not of floats.

    Reference: Clevert, Unterthiner and Hochreiter, "Fast and accurate deep network learning by
    exponential linear units (ELUs)", ICLR 2016.

    >>> elu(Tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    out: Tensor = ELU.apply(only_floating("elu", x), alpha=alpha)
    return out
