"""Rounding. Its results are flat almost everywhere, so the gradients are zero, as in PyTorch."""

from __future__ import annotations

from typing import Any

from demograd import Tensor
from demograd.autograd import Function
from demograd.errors import DtypeError
from demograd.ops._operands import integral, numeric

__all__ = ["Ceil", "Floor", "Round", "Trunc", "ceil", "floor", "round", "trunc"]


class Floor(Function):
    """The largest integer that is not larger."""

    def forward(self, x: Any) -> Any:
        return self.xp.floor(x)

    def backward(self, grad: Any) -> Any:
        return self.xp.zeros_like(grad)


class Ceil(Function):
    """The smallest integer that is not smaller."""

    def forward(self, x: Any) -> Any:
        return self.xp.ceil(x)

    def backward(self, grad: Any) -> Any:
        return self.xp.zeros_like(grad)


class Trunc(Function):
    """The integer next to it on the side of zero."""

    def forward(self, x: Any) -> Any:
        return self.xp.trunc(x)

    def backward(self, grad: Any) -> Any:
        return self.xp.zeros_like(grad)


class Round(Function):
    """The nearest integer, or the nearest multiple of ``10**-decimals``; ties to even."""

    def forward(self, x: Any, *, decimals: int = 0) -> Any:
        if decimals == 0:
            return self.xp.round(x)
        if decimals > 0:
            return self.xp.round(x * 10.0**decimals) / 10.0**decimals
        # A negative power of ten is not exact: divide by the positive one.
        return self.xp.round(x / 10.0**-decimals) * 10.0**-decimals

    def backward(self, grad: Any) -> Any:
        return self.xp.zeros_like(grad)


def floor(x: Tensor) -> Tensor:
    """Each element rounded down; the gradient is zero. Integers stay as they are.

    Raises:
        ArgumentTypeError: ``x`` is no Tensor.
        DtypeError: ``x`` is of booleans.

    >>> floor(Tensor([-1.5, 1.5]))
    tensor([-2.,  1.])
    """
    x = numeric("floor", x)
    return x.clone() if integral(x) else Floor.apply(x)


def ceil(x: Tensor) -> Tensor:
    """Each element rounded up; the gradient is zero. Integers stay as they are.

    Raises:
        ArgumentTypeError: ``x`` is no Tensor.
        DtypeError: ``x`` is of booleans.

    >>> ceil(Tensor([-1.5, 1.5]))
    tensor([-1.,  2.])
    """
    x = numeric("ceil", x)
    return x.clone() if integral(x) else Ceil.apply(x)


def trunc(x: Tensor) -> Tensor:
    """Each element rounded towards zero; the gradient is zero. Integers stay as they are.

    Raises:
        ArgumentTypeError: ``x`` is no Tensor.
        DtypeError: ``x`` is of booleans.

    >>> trunc(Tensor([-1.5, 1.5]))
    tensor([-1.,  1.])
    """
    x = numeric("trunc", x)
    return x.clone() if integral(x) else Trunc.apply(x)


def round(x: Tensor, *, decimals: int = 0) -> Tensor:
    """Each element rounded to ``decimals`` places; the gradient is zero.

    A tie goes to the even neighbour (IEEE 754). A negative number of places rounds to tens,
    hundreds and so on.

    Raises:
        ArgumentTypeError: ``x`` is no Tensor.
        DtypeError: ``x`` is of booleans, or of integers with ``decimals`` other than zero.

    >>> round(Tensor([0.5, 1.5, 2.4]))
    tensor([0., 2., 2.])
    """
    x = numeric("round", x)
    if not integral(x):
        out: Tensor = Round.apply(x, decimals=decimals)
        return out
    if decimals != 0:
        raise DtypeError(
            f"round: integers cannot be rounded to {decimals} decimals.",
            [f"x: shape {x.shape}, dtype {x.dtype}"],
            "x.float() makes floats of them.",
        )
    return x.clone()
