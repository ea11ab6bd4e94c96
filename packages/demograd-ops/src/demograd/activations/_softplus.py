"""The smooth rectifier."""

from __future__ import annotations

from typing import Any

from demograd import Tensor
from demograd.autograd import Function
from demograd.ops._operands import only_floating
from demograd.ops._sigmoid import logistic

__all__ = ["Softplus", "softplus"]


class Softplus(Function):
    """``log(1 + e**(beta x)) / beta``; a layer as ``Softplus.apply``.

    Above ``beta x = threshold`` it is x itself, as in PyTorch. The derivative is the logistic
    function of ``beta x``.

    >>> Softplus.apply(Tensor([-1e4, 0.0, 1e4]))
    tensor([0.0000e+00, 6.9315e-01, 1.0000e+04])
    """

    def forward(self, x: Any, *, beta: float = 1.0, threshold: float = 20.0) -> Any:
        xp = self.xp
        self.beta, self.threshold = beta, threshold
        self.save_for_backward(x)
        scaled = x * beta
        # log(1 + e**s) = max(s, 0) + log(1 + e**-|s|), where nothing overflows.
        smooth = xp.maximum(scaled, 0.0) + xp.log1p(xp.exp(-xp.abs(scaled)))
        return xp.where(scaled > threshold, x, smooth / beta)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved_tensors
        xp = self.xp
        scaled = x * self.beta
        return grad * xp.where(scaled > self.threshold, 1.0, logistic(xp, scaled))


def softplus(x: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """``log(1 + e**(beta x)) / beta`` of each element: a smooth ``max(x, 0)``.

    Args:
        x: floats, of any shape.
        beta: how sharp the bend at zero is.
        threshold: above ``beta x = threshold`` the result is x itself.

    Raises:
        ArgumentTypeError: ``x`` is no Tensor.
        DtypeError: ``x`` is not of floats.

    Reference: Dugas et al., "Incorporating second-order functional knowledge for better option
    pricing", NIPS 2000.

    >>> softplus(Tensor([-1.0, 0.0, 1.0]))
    tensor([0.3133, 0.6931, 1.3133])
    """
    x = only_floating("softplus", x)
    out: Tensor = Softplus.apply(x, beta=beta, threshold=threshold)
    return out
