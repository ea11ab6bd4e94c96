"""Softmax and the logarithms of sums of exponentials, without overflow.

``e**x`` overflows float32 from x = 89 on. But ``softmax`` does not change when a constant is
taken off x, and ``logsumexp`` changes by that constant, so the largest element is taken off first:
then the largest exponential is ``e**0``, and what underflows is too small to count.

Reference: Blanchard, Higham and Higham, "Accurately computing the log-sum-exp and softmax
functions", IMA Journal of Numerical Analysis 2021.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from demograd import Tensor
from demograd.autograd import Function
from demograd.operators import accepts_axis, as_dim
from demograd.ops._arguments import as_tensor
from demograd.ops._operands import as_floating, dims_of, only_floating

__all__ = ["LogSoftmax", "LogSumExp", "Softmax", "log_softmax", "logsumexp", "softmax"]


class Softmax(Function):
    """``e**x / sum(e**x)`` along a dimension, by default the last; a layer as ``Softmax.apply``.

    With ``g`` the incoming gradient, the gradient is ``out * (g - sum(g * out))``.

    >>> Softmax.apply(Tensor([[0.0, 1.0], [1e4, -1e4]]))
    tensor([[0.2689, 0.7311],
            [1.0000, 0.0000]])
    """

    @np.errstate(invalid="ignore")
    def forward(self, x: Any, *, dim: int = -1) -> Any:
        xp = self.xp
        self.dim = dim
        out = xp.exp(_below_zero(xp, x, dim))
        out /= xp.sum(out, axis=dim, keepdims=True)
        self.save_for_backward(out)
        return out

    def backward(self, grad: Any) -> Any:
        (out,) = self.saved_tensors
        weighted = grad * out
        return weighted - out * self.xp.sum(weighted, axis=self.dim, keepdims=True)


class LogSoftmax(Function):
    """``x - log(sum(e**x))`` along a dimension, by default the last; a layer as ``apply``.

    With ``g`` the incoming gradient, the gradient is ``g - e**out * sum(g)``.

    >>> LogSoftmax.apply(Tensor([-1e4, 1e4, 1e4]))
    tensor([-2.0001e+04, -6.9315e-01, -6.9315e-01])
    """

    @np.errstate(divide="ignore", invalid="ignore")
    def forward(self, x: Any, *, dim: int = -1) -> Any:
        xp = self.xp
        self.dim = dim
        out = _below_zero(xp, x, dim)
        out -= xp.log(xp.sum(xp.exp(out), axis=dim, keepdims=True))
        self.save_for_backward(out)
        return out

    def backward(self, grad: Any) -> Any:
        (out,) = self.saved_tensors
        xp = self.xp
        return grad - xp.exp(out) * xp.sum(grad, axis=self.dim, keepdims=True)


class LogSumExp(Function):
    """``log(sum(e**x))`` over dimensions; the derivative is the softmax, ``e**(x - out)``."""

    @np.errstate(divide="ignore", invalid="ignore")
    def forward(self, x: Any, *, dims: tuple[int, ...], keepdim: bool) -> Any:
        xp = self.xp
        self.kept = tuple([1 if i in dims else n for i, n in enumerate(x.shape)])
        if 0 in x.shape:
            out = xp.log(xp.sum(x, axis=dims, keepdims=keepdim))
        else:
            largest = xp.max(x, axis=dims, keepdims=True)
            # Nothing is taken off where all are minus infinity, or one is plus infinity.
            largest = xp.where(xp.isfinite(largest), largest, 0.0)
            out = xp.log(xp.sum(xp.exp(x - largest), axis=dims, keepdims=keepdim))
            out += xp.reshape(largest, out.shape)
        self.save_for_backward(x, out)
        return out

    def backward(self, grad: Any) -> Any:
        x, out = self.saved_tensors
        xp = self.xp
        return xp.reshape(grad, self.kept) * xp.exp(x - xp.reshape(out, self.kept))


def _below_zero(xp: Any, x: Any, dim: int) -> Any:
    """``x`` less its largest element along a dimension; an array of its own."""
    return x - xp.max(x, axis=dim, keepdims=True) if 0 not in x.shape else x * 1


@accepts_axis
def softmax(x: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """``e**x / sum(e**x)`` along a dimension: positive numbers that sum to one.

    Args:
        x: floats, of any shape, which the result has too.
        dim: along which dimension. NumPy's name ``axis`` is taken too.
        dtype: compute in this type.

    Raises:
        DtypeError: ``x`` is not of floats, and no ``dtype`` is given.
        OutOfRangeError: there is no such dimension.

    >>> softmax(Tensor([1.0, 2.0, 3.0]), dim=0)
    tensor([0.0900, 0.2447, 0.6652])
    """
    return _along("softmax", Softmax, x, dim, dtype)


@accepts_axis
def log_softmax(x: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """The logarithm of the softmax, ``x - log(sum(e**x))``, finite where the softmax underflows.

    Args:
        x: floats, of any shape, which the result has too.
        dim: along which dimension. NumPy's name ``axis`` is taken too.
        dtype: compute in this type.

    Raises:
        DtypeError: ``x`` is not of floats, and no ``dtype`` is given.
        OutOfRangeError: there is no such dimension.

    >>> log_softmax(Tensor([1.0, 2.0, 3.0]), dim=0)
    tensor([-2.4076, -1.4076, -0.4076])
    """
    return _along("log_softmax", LogSoftmax, x, dim, dtype)


def _along(operation: str, function: type[Function], x: Any, dim: int, dtype: Any) -> Tensor:
    x = as_tensor(operation, x)
    x = only_floating(operation, x if dtype is None else x.to(dtype=dtype))
    dim = as_dim(operation, dim, x.ndim)
    if x.ndim == 0:
        only: Tensor = function.apply(x.reshape(1), dim=0)
        return only.reshape(())
    out: Tensor = function.apply(x, dim=dim)
    return out


@accepts_axis
def logsumexp(x: Tensor, dim: int | Sequence[int], keepdim: bool = False) -> Tensor:
    """``log(sum(e**x))`` over one or several dimensions: a smooth maximum.

    Minus infinity over no elements, and over elements that are all minus infinity (where the
    gradient is NaN, as in PyTorch).

    Args:
        x: any shape; integers become floats.
        dim: which dimensions. NumPy's name ``axis`` is taken too.
        keepdim: keep them with length one. NumPy's name ``keepdims`` is taken too.

    Raises:
        ArgumentTypeError: ``x`` is no Tensor.
        OutOfRangeError: there is no such dimension.

    >>> logsumexp(Tensor([[0.0, 0.0], [1e4, 1e4]]), dim=1)
    tensor([6.9315e-01, 1.0001e+04])
    """
    x = as_floating("logsumexp", x)
    out: Tensor = LogSumExp.apply(x, dims=dims_of("logsumexp", x, dim), keepdim=keepdim)
    return out
