"""The Gaussian error linear unit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from demograd import Tensor
from demograd.autograd import Function
from demograd.errors import ArgumentError
from demograd.ops._operands import only_floating

__all__ = ["GELU", "gelu"]

_ROOT = math.sqrt(2 / math.pi)
_CUBIC = 0.044715
_LOG_ROOT = math.log(math.sqrt(2 * math.pi))  # the density's factor, which joins the exponent


class GELU(Function):
    """``x P(x)``, with P the distribution function of the normal law; a layer as ``GELU.apply``.

    With p its density, the derivative is ``P(x) + x p(x)``. P costs so much that the derivative is
    computed with it, as a second output that the node keeps; its own derivative is
    ``(2 - x**2) p(x)``.

    With ``approximate="tanh"``, P is ``(1 + tanh(u)) / 2`` with
    ``u = sqrt(2 / pi) (x + 0.044715 x**3)``.

    >>> GELU.apply(Tensor([-1.0, 0.0, 2.0]))
    tensor([-0.1587,  0.0000,  1.9545])
    """

    @classmethod
    def apply(cls, x: Any, **settings: Any) -> Any:
        """The first output; the second is the node's own."""
        out, *_ = super().apply(x, **settings)
        return out

    @np.errstate(over="ignore")
    def forward(self, x: Any, *, approximate: str = "none") -> Any:
        self.set_materialize_grads(False)
        (needed,) = self.needs_input_grad
        xp = self.xp
        if approximate != "none":
            self.save_for_backward(x)
            return (x * _by_tanh(xp, x),)
        below = xp.normal_cdf(x)
        if not needed:
            return (below * x,)
        # In place: to find fresh memory takes longer than to compute.
        slope = _density(xp, x)
        slope *= x
        slope += below
        below *= x
        self.save_for_backward(x, slope)
        return below, slope

    def backward(self, grad: Any, slope_grad: Any = None) -> Any:
        x, *slopes = self.saved_tensors
        xp = self.xp
        x_grad = None
        if grad is not None:
            x_grad = grad * (slopes[0] if slopes else _slope_by_tanh(xp, x))
        if slope_grad is not None:
            bent = slope_grad * ((2 - x * x) * _density(xp, x))
            x_grad = bent if x_grad is None else x_grad + bent
        return x_grad


def _density(xp: Any, x: Any) -> Any:
    """p(x)."""
    exponent = x * x
    exponent *= -0.5
    exponent -= _LOG_ROOT
    return xp.exp(exponent)


def _by_tanh(xp: Any, x: Any) -> Any:
    """P(x), approximately."""
    return xp.tanh(x * (1 + x * x * _CUBIC) * _ROOT) * 0.5 + 0.5


def _slope_by_tanh(xp: Any, x: Any) -> Any:
    """The derivative of the approximation."""
    below = _by_tanh(xp, x)
    # p = dP/dx = P (1 - P) * 2 du/dx. In this order a product that has vanished stays zero where
    # x**2 overflows.
    steep = x * (below * (1 - below)) * (2 * _ROOT)
    return below + steep + steep * x * x * (3 * _CUBIC)


def gelu(x: Tensor, approximate: str = "none") -> Tensor:
    """``x P(x)`` of each element, with P the distribution function of the normal law.

    Args:
        x: floats, of any shape.
        approximate: ``"none"``, or ``"tanh"`` for the faster ``(1 + tanh(u)) / 2`` in place of P,
            ``u = sqrt(2 / pi) (x + 0.044715 x**3)``.

    Raises:
        ArgumentError: ``approximate`` is something else.
        ArgumentTypeError: ``x`` is no Tensor.
        DtypeError: ``x`` is not of floats.

    Reference: Hendrycks and Gimpel, "Gaussian Error Linear Units (GELUs)", arXiv:1606.08415.

    >>> gelu(Tensor([-1.0, 0.0, 2.0]))
    tensor([-0.1587,  0.0000,  1.9545])
    """
    if approximate not in ("none", "tanh"):
        raise ArgumentError(f"gelu: approximate is {approximate!r}.", mend='Use "none" or "tanh".')
    out: Tensor = GELU.apply(only_floating("gelu", x), approximate=approximate)
    return out
