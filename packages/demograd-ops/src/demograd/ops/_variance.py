"""Variance and standard deviation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from demograd import Tensor
from demograd.autograd import Function
from demograd.errors import ArgumentTypeError
from demograd.operators import accepts_axis
from demograd.ops._operands import dims_of, only_floating

__all__ = ["Std", "Var", "std", "var"]


class _Spread(Function):
    """What the variance and its root have in common."""

    def variance(self, x: Any, dims: tuple[int, ...], correction: float, keepdim: bool) -> Any:
        """The variance; what the gradient needs to know of the shape is kept."""
        xp = self.xp
        count = math.prod([x.shape[i] for i in dims])
        freedom = count - correction
        self.dims = dims
        self.kept = tuple([1 if i in dims else n for i, n in enumerate(x.shape)])
        # An infinite scale makes of no freedom what a division by zero would.
        self.scale = 1 / freedom if freedom > 0 else math.inf
        if count == 0:
            return xp.sum(x, axis=dims, keepdims=keepdim) * math.nan
        centred = self.centred(x)
        # A mean and not a sum: in half precision the sum of many squares would overflow.
        return xp.mean(centred * centred, axis=dims, keepdims=keepdim) * (count * self.scale)

    def centred(self, x: Any) -> Any:
        """``x`` less its mean."""
        return x - self.xp.mean(x, axis=self.dims, keepdims=True) if 0 not in x.shape else x


class Var(_Spread):
    """The variance, ``sum((x - mean)**2) / (n - correction)``.

    The derivative is ``2 (x - mean) / (n - correction)``: the mean's own share sums to zero.
    """

    @np.errstate(divide="ignore", invalid="ignore")
    def forward(self, x: Any, *, dims: tuple[int, ...], correction: float, keepdim: bool) -> Any:
        self.save_for_backward(x)
        return self.variance(x, dims, correction, keepdim)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved_tensors
        return self.xp.reshape(grad, self.kept) * self.centred(x) * (2 * self.scale)


class Std(_Spread):
    """The standard deviation, the root of the variance.

    The derivative is ``(x - mean) / (n - correction) / out``, and zero where ``out`` is zero.
    """

    @np.errstate(divide="ignore", invalid="ignore")
    def forward(self, x: Any, *, dims: tuple[int, ...], correction: float, keepdim: bool) -> Any:
        out = self.xp.sqrt(self.variance(x, dims, correction, keepdim))
        self.save_for_backward(x, out)
        return out

    def backward(self, grad: Any) -> Any:
        x, out = self.saved_tensors
        xp = self.xp
        flat = out == 0
        # Divide by one at zero: a quotient there would be NaN in the second derivative.
        over = xp.where(flat, 0.0, grad / xp.where(flat, 1.0, out))
        return xp.reshape(over, self.kept) * self.centred(x) * self.scale


@accepts_axis
def var(
    x: Tensor,
    dim: int | Sequence[int] | bool | None = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """The variance over one, several or all dimensions, ``sum((x - mean)**2) / (n - correction)``.

    NaN where ``n - correction`` is not positive and the elements are equal, else infinity.

    Args:
        x: floats, of any shape.
        dim: which dimensions; all by default. NumPy's name ``axis`` is taken too.
        unbiased: an older way to say ``correction=1`` (True) or ``correction=0`` (False).
        keepdim: keep them with length one. NumPy's name ``keepdims`` is taken too.
        correction: what is taken off the number of elements; 1 by default, which makes the
            estimate unbiased (Bessel's correction).

    Raises:
        DtypeError: ``x`` is not of floats.
        OutOfRangeError: there is no such dimension.
        ArgumentTypeError: both ``unbiased`` and ``correction`` are given.

    >>> var(Tensor([1.0, 2.0, 3.0, 4.0]))
    tensor(1.6667)
    >>> var(Tensor([1.0, 2.0, 3.0, 4.0]), correction=0)
    tensor(1.2500)
    """
    return _spread("var", Var, x, dim, unbiased, keepdim, correction)


@accepts_axis
def std(
    x: Tensor,
    dim: int | Sequence[int] | bool | None = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """The standard deviation over one, several or all dimensions, the root of :func:`var`.

    Where it is zero its slope is infinite on both sides; the gradient there is zero, as in PyTorch.

    Args:
        x: floats, of any shape.
        dim: which dimensions; all by default. NumPy's name ``axis`` is taken too.
        unbiased: an older way to say ``correction=1`` (True) or ``correction=0`` (False).
        keepdim: keep them with length one. NumPy's name ``keepdims`` is taken too.
        correction: what is taken off the number of elements; 1 by default.

    Raises:
        DtypeError: ``x`` is not of floats.
        OutOfRangeError: there is no such dimension.
        ArgumentTypeError: both ``unbiased`` and ``correction`` are given.

    >>> std(Tensor([[1.0, 3.0], [5.0, 5.0]]), dim=1)
    tensor([1.4142, 0.0000])
    """
    return _spread("std", Std, x, dim, unbiased, keepdim, correction)


def _spread(
    operation: str,
    function: type[Function],
    x: Tensor,
    dim: Any,
    unbiased: bool | None,
    keepdim: bool,
    correction: float | None,
) -> Tensor:
    if isinstance(dim, bool):
        dim, unbiased = None, dim  # var(x, False), as PyTorch takes it
    if unbiased is not None:
        if correction is not None:
            raise ArgumentTypeError(
                f"{operation}: both unbiased and correction are given.",
                mend=f"x.{operation}(correction=1) is the unbiased one.",
            )
        correction = 1 if unbiased else 0
    x = only_floating(operation, x)
    dims = dims_of(operation, x, dim)
    out: Tensor = function.apply(
        x, dims=dims, correction=1 if correction is None else correction, keepdim=keepdim
    )
    return out
