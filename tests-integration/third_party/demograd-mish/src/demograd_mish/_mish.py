"""Mish: ``x * tanh(softplus(x))``."""

from __future__ import annotations

import math
from typing import Any, cast

from demograd import Function, Tensor, get_default_dtype
from demograd.operators import cast_to

__all__ = ["Mish", "mish"]


class Mish(Function):
    """``x * t`` with ``t = tanh(softplus(x))``; its derivative is ``t + x * dt/dx``."""

    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        t, _ = _gate(self.xp, x)
        return x * t

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved_tensors
        t, slope = _gate(self.xp, x)
        return grad * (t + x * slope)


def _gate(xp: Any, x: Any) -> tuple[Any, Any]:
    """``t = tanh(softplus(x))`` and its derivative, as polynomials of ``n = e**-|x|``.

    As ``softplus(x) = log(1 + e**x)``, ``t = (e**2x + 2 e**x) / (e**2x + 2 e**x + 2)``. Written
    with e**x below zero and e**-x above, no term exceeds 5: nothing overflows or cancels.
    """
    below = x < 0
    # As a power, because the core has no exp: the rule may run on Tensors, where xp is the core's.
    n = math.e ** xp.where(below, x, -x)
    square = n * n
    top = xp.where(below, square + 2 * n, 1 + 2 * n)
    bottom = top + xp.where(below, xp.full_like(n, 2.0), 2 * square)
    slope = 4 * (1 + n) * xp.where(below, n, square) / (bottom * bottom)
    return top / bottom, slope


def mish(x: Tensor) -> Tensor:
    """Elementwise ``x * tanh(log(1 + e**x))``: a smooth ReLU with a small dip below zero.

    Args:
        x: any shape; integers are taken as floats of the default type.

    Returns:
        A tensor of the same shape.

    Reference: Misra, "Mish: a self regularized non-monotonic activation function", 2019,
    arXiv:1908.08681.

    >>> import demograd as dg
    >>> mish(dg.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.3034,  0.0000,  0.8651])
    """
    return cast(Tensor, Mish.apply(x if x.dtype.kind == "f" else cast_to(x, get_default_dtype())))
