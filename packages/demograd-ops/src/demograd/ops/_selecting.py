"""Elements chosen, or replaced, by masks of booleans."""

from __future__ import annotations

from typing import Any

from demograd import Tensor
from demograd.errors import ShapeError
from demograd.operators import cast_to, change, expand, where
from demograd.operators import index as picked
from demograd.ops._arguments import as_mask, as_tensor

__all__ = ["masked_fill", "masked_fill_", "masked_select"]


def masked_fill(x: Tensor, mask: Tensor, value: Any) -> Tensor:
    """``value`` where the mask holds, ``x`` elsewhere.

    Args:
        x: any shape, broadcast with the mask.
        mask: booleans.
        value: a number or a tensor without dimensions; taken in the type of ``x``.

    Raises:
        DtypeError: the mask is not of booleans.
        ShapeError: the value has dimensions, or the shapes do not broadcast.

    >>> masked_fill(Tensor([1.0, 2.0]), Tensor([True, False]), 0.0)
    tensor([0., 2.])
    """
    x, mask = as_tensor("masked_fill", x), as_mask("masked_fill", mask)
    x, mask = _broadcast("masked_fill", x, mask)
    if not isinstance(value, Tensor):
        kind = x.dtype.type  # PyTorch rounds the value to the tensor's type
        return where(mask, kind(value).item(), x)
    if value.ndim:
        raise ShapeError(
            "masked_fill: the value must be a number.",
            [f"value: shape {value.shape}"],
            "dg.where(mask, value, x) takes the elements of a tensor.",
        )
    return where(mask, cast_to(value, x.dtype), x)


def masked_select(x: Tensor, mask: Tensor) -> Tensor:
    """The elements where the mask holds, as a vector.

    Args:
        x: any shape, broadcast with the mask.
        mask: booleans.

    Raises:
        DtypeError: the mask is not of booleans.
        ShapeError: the shapes do not broadcast.

    >>> masked_select(Tensor([[1, 2], [3, 4]]), Tensor([True, False]))
    tensor([1, 3])
    """
    x, mask = as_tensor("masked_select", x), as_mask("masked_select", mask)
    x, mask = _broadcast("masked_select", x, mask)
    return picked(x, mask)


def masked_fill_(x: Tensor, mask: Tensor, value: Any) -> Tensor:
    """:func:`masked_fill`, in place."""
    return change(x, "masked_fill_", masked_fill, mask, value)


def _broadcast(operation: str, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    ndim = max(x.ndim, mask.ndim)
    shapes = [(1,) * (ndim - t.ndim) + t.shape for t in (x, mask)]
    if any(n != m and 1 not in (n, m) for n, m in zip(*shapes, strict=True)):
        raise ShapeError(
            f"{operation}: the shapes do not broadcast.",
            [f"x: shape {x.shape}", f"mask: shape {mask.shape}"],
            "Lengths must be equal, or one of them 1, counted from the last dimension.",
        )
    shape = [m if n == 1 else n for n, m in zip(*shapes, strict=True)]
    return expand(x, shape), expand(mask, shape)
