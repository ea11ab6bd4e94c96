"""Copies and data types: ``clone`` and ``to``."""

from __future__ import annotations

from typing import Any

from demograd._dtype import native
from demograd._tensor import Tensor
from demograd.autograd._function import Function

__all__ = ["Cast", "Clone", "cast_to", "clone"]


class Cast(Function):
    """The same values in another data type; the engine casts the gradient back."""

    def forward(self, x: Any, *, dtype: Any) -> Any:
        return self.xp.astype(x, dtype)

    def backward(self, grad: Any) -> Any:
        return grad


class Clone(Function):
    """A copy of the values."""

    def forward(self, x: Any) -> Any:
        return self.xp.asarray(x, copy=True)

    def backward(self, grad: Any) -> Any:
        return grad


def cast_to(x: Tensor, dtype: Any) -> Tensor:
    """The same values in another data type; the tensor itself if it has it already."""
    if x.dtype == native(dtype):
        return x
    out: Tensor = Cast.apply(x, dtype=dtype)
    return out


def clone(x: Tensor) -> Tensor:
    """A copy that stays in the graph."""
    out: Tensor = Clone.apply(x)
    return out
