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


class GELU(Function):
    """``x P(x)``, with P the distribution function of the normal law; a layer as ``GELU.apply``.

    With p its density, the derivative is ``P(x) + x p(x)``. With ``approximate="tanh"``, P is
    ``(1 + tanh(u)) / 2``, ``u = sqrt(2 / pi) (x + 0.044715 x**3)``.

    >>> GELU.apply(Tensor([-1.0, 0.0, 2.0]))
    tensor([-0.1587,  0.0000,  1.9545])
    """

    @np.errstate(over="ignore")
    def forward(self, x: Any, *, approximate: str = "none") -> Any:
        self.approximate = approximate
        self.save_for_backward(x)
        return x * _distribution(self.xp, x, approximate)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved_tensors
        xp = self.xp
        below = _distribution(xp, x, self.approximate)
        if self.approximate == "none":
            density = xp.exp(x * x * -0.5) * (1 / math.sqrt(2 * math.pi))
            return grad * (below + x * density)
        # p = dP/dx = P (1 - P) * 2 du/dx. In this order a product that has vanished stays zero
        # where x**2 overflows.
        steep = x * (below * (1 - below)) * (2 * _ROOT)
        return grad * (below + steep + steep * x * x * (3 * _CUBIC))


def _distribution(xp: Any, x: Any, approximate: str) -> Any:
    """P(x), exact or approximate."""
    if approximate == "none":
        return xp.erf(x * math.sqrt(0.5)) * 0.5 + 0.5
    return xp.tanh(x * (1 + x * x * _CUBIC) * _ROOT) * 0.5 + 0.5


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
