"""The array API's functions on Tensors, where their names or arguments differ from PyTorch's.

Rules find them as ``xp.<name>`` in a recorded backward pass, and ``x.__array_namespace__()`` has
them. What NumPy's own functions do with Tensors stands in ``_numpy``.

Reference: Python array API standard, 2024.12.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from demograd import Tensor, full, ops

__all__ = ["ARRAY_FUNCTIONS"]

Axis = int | Sequence[int] | None


def clip(x: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """Within two bounds, either of which may be left out."""
    return x.clone() if min is None and max is None else ops.clamp(x, min, max)


def cumulative_prod(
    x: Tensor, axis: int | None = None, *, dtype: Any = None, include_initial: bool = False
) -> Tensor:
    """Running products along a dimension; along all elements in row order where none is given."""
    return _running(ops.cumprod, 1, x, axis, dtype, include_initial)


def cumulative_sum(
    x: Tensor, axis: int | None = None, *, dtype: Any = None, include_initial: bool = False
) -> Tensor:
    """Running sums along a dimension; along all elements in row order where none is given."""
    return _running(ops.cumsum, 0, x, axis, dtype, include_initial)


def _running(
    function: Callable[..., Tensor], initial: int, x: Tensor, axis: int | None, dtype: Any,
    include_initial: bool,
) -> Tensor:  # fmt: skip
    out = function(x.reshape(-1) if axis is None else x, axis or 0, dtype=dtype)
    if not include_initial:
        return out
    shape = list(out.shape)
    shape[axis or 0] = 1
    return ops.cat([full(shape, initial, dtype=out.dtype), out], axis or 0)


def max(x: Tensor, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """The largest element over dimensions."""
    return ops.amax(x, axis, keepdims)


def min(x: Tensor, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """The smallest element over dimensions."""
    return ops.amin(x, axis, keepdims)


def round(x: Tensor) -> Tensor:
    """The nearest integer, of two the even one."""
    return ops.round(x)


def std(
    x: Tensor,
    axis: Axis = None,
    *,
    correction: float = 0.0,
    keepdims: bool = False,
) -> Tensor:
    """The standard deviation; without a correction by default."""
    return ops.std(x, axis, keepdim=keepdims, correction=correction)


def var(
    x: Tensor,
    axis: Axis = None,
    *,
    correction: float = 0.0,
    keepdims: bool = False,
) -> Tensor:
    """The variance; without a correction by default."""
    return ops.var(x, axis, keepdim=keepdims, correction=correction)


ARRAY_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "clip": clip,
    "cumulative_prod": cumulative_prod,
    "cumulative_sum": cumulative_sum,
    "max": max,
    "min": min,
    "round": round,
    "std": std,
    "var": var,
}
