"""The array API's functions on Tensors, where their names or arguments differ from PyTorch's.

Rules find them as ``xp.<name>`` in a recorded backward pass, and NumPy's own functions arrive here
too (``np.max(x, axis=0)``), so arguments are taken by position as NumPy takes them.

Reference: Python array API standard, 2024.12.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from demograd import Tensor, ops

__all__ = ["ARRAY_FUNCTIONS"]

Axis = int | Sequence[int] | None


def clip(x: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """Within two bounds, either of which may be left out."""
    return x.clone() if min is None and max is None else ops.clamp(x, min, max)


def cumulative_sum(x: Tensor, axis: int | None = None, *, dtype: Any = None) -> Tensor:
    """Running sums along a dimension; along all elements in row order where none is given."""
    if axis is None:
        return ops.cumsum(x.reshape(-1), 0, dtype=dtype)
    return ops.cumsum(x, axis, dtype=dtype)


def max(x: Tensor, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """The largest element over dimensions."""
    return ops.amax(x, axis, keepdims)


def min(x: Tensor, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """The smallest element over dimensions."""
    return ops.amin(x, axis, keepdims)


def round(x: Tensor, decimals: int = 0) -> Tensor:
    """The nearest integer, or the nearest multiple of ``10**-decimals``."""
    return ops.round(x, decimals=decimals)


def std(
    x: Tensor,
    axis: Axis = None,
    *,
    correction: float = 0.0,
    keepdims: bool = False,
    ddof: float | None = None,
) -> Tensor:
    """The standard deviation; without a correction by default, and NumPy's name for it."""
    return ops.std(x, axis, keepdim=keepdims, correction=correction if ddof is None else ddof)


def var(
    x: Tensor,
    axis: Axis = None,
    *,
    correction: float = 0.0,
    keepdims: bool = False,
    ddof: float | None = None,
) -> Tensor:
    """The variance; without a correction by default, and NumPy's name for it."""
    return ops.var(x, axis, keepdim=keepdims, correction=correction if ddof is None else ddof)


ARRAY_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "clip": clip,
    "cumsum": cumulative_sum,
    "cumulative_sum": cumulative_sum,
    "max": max,
    "min": min,
    "round": round,
    "std": std,
    "var": var,
}
