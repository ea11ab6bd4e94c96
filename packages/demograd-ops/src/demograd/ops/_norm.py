"""Norms of vectors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from demograd import Tensor
from demograd.autograd import Function
from demograd.errors import ArgumentError, DtypeError
from demograd.operators import accepts_axis, as_dims, cast_to
from demograd.operators import sum as total
from demograd.ops._arguments import as_tensor
from demograd.ops._extremes import amax, amin
from demograd.ops._operands import refuse_empty
from demograd.ops._sign import abs as magnitude

__all__ = ["Norm", "PNorm", "norm"]


class Norm(Function):
    """The Euclidean norm over dimensions; at zero its gradient is taken as zero."""

    def forward(self, x: Any, *, dims: tuple[int, ...], keepdim: bool) -> Any:
        xp = self.xp
        self.kept = tuple([1 if i in dims else n for i, n in enumerate(x.shape)])
        out = xp.sqrt(xp.sum(x * x, axis=dims, keepdims=keepdim))
        self.save_for_backward(x, out)
        return out

    def backward(self, grad: Any) -> Any:
        x, out = self.saved_tensors
        return x * _quotient(self.xp, grad, out, self.kept)


class PNorm(Function):
    """``(sum |x|**p) ** (1/p)`` over dimensions; where it is zero, so is its gradient."""

    def forward(self, x: Any, *, p: float, dims: tuple[int, ...], keepdim: bool) -> Any:
        xp = self.xp
        self.p = p
        self.kept = tuple([1 if i in dims else n for i, n in enumerate(x.shape)])
        out = xp.sum(xp.abs(x) ** p, axis=dims, keepdims=keepdim) ** (1 / p)
        self.save_for_backward(x, out)
        return out

    def backward(self, grad: Any) -> Any:
        x, out = self.saved_tensors
        xp, p = self.xp, self.p
        # Where an element is zero its sign is, so any finite power will do there.
        size = xp.where(x == 0, 1.0, xp.abs(x))
        slope = xp.sign(x) * size ** (p - 1)
        power = xp.where(out == 0, 1.0, out) ** (p - 1)
        return slope * _quotient(xp, grad, xp.where(out == 0, 0.0, power), self.kept)


def _quotient(xp: Any, grad: Any, divisor: Any, kept: tuple[int, ...]) -> Any:
    """``grad / divisor``, and zero where the divisor is."""
    zero = divisor == 0
    quotient = xp.where(zero, 0.0, grad / xp.where(zero, 1.0, divisor))
    return xp.reshape(quotient, kept)


@accepts_axis
def norm(
    x: Tensor,
    p: float | str | None = "fro",
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
) -> Tensor:
    """The p-norm over one, several or all dimensions, taken as one vector.

    ``(sum |x|**p) ** (1/p)``; for ``p = inf`` the largest magnitude, for ``-inf`` the smallest, for
    0 the number of elements that are not zero (which has no gradient).

    Args:
        x: floats of any shape.
        p: a number, or ``"fro"`` for 2.
        dim: which dimensions; all by default. NumPy's name ``axis`` is taken too.
        keepdim: keep them with length one. NumPy's name ``keepdims`` is taken too.
        dtype: compute in this type.

    Raises:
        DtypeError: the tensor is not of floats and no ``dtype`` is given.
        ArgumentError: ``p`` is something else.
        OutOfRangeError: there is no such dimension.
        ShapeError: an infinite norm over no elements.

    >>> norm(Tensor([[3.0, 4.0], [6.0, 8.0]]), dim=1)
    tensor([ 5., 10.])
    """
    x = as_tensor("norm", x)
    if dtype is not None:
        x = x.to(dtype=dtype)
    if x.dtype.kind != "f":
        raise DtypeError(
            "norm: the norm of integers or booleans is not one of them.",
            [f"x: shape {x.shape}, dtype {x.dtype}"],
            "x.float().norm(), or norm(x, dtype=dg.float32).",
        )
    if x.dtype.itemsize == 2:
        # The square of 300 is beyond half precision.
        return cast_to(norm(x.float(), p, dim, keepdim), x.dtype)
    power = 2.0 if p is None or p == "fro" else p
    if not isinstance(power, (int, float)):
        raise ArgumentError(
            f"norm: p is {p!r}.",
            mend='Use a number, float("inf"), or "fro".',
        )
    dims = as_dims("norm", dim, x.ndim) if x.ndim else ()
    if power == 2:
        out: Tensor = Norm.apply(x, dims=dims, keepdim=keepdim)
    elif math.isinf(power):
        refuse_empty("norm", x, dims)
        out = (amax if power > 0 else amin)(magnitude(x), dims, keepdim)
    elif power == 0:
        out = total(cast_to(x != 0, x.dtype), dims, keepdim)
    else:
        out = PNorm.apply(x, p=float(power), dims=dims, keepdim=keepdim)
    return out
