"""Arrays in words: shape, smallest and largest, zeros, and what is not finite."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from demograd._backend import FLOAT_SCALARS, NUMPY_TYPES
from demograd._tensor import Tensor

__all__ = ["as_numpy", "count_zeros", "is_finite", "non_finite", "number", "range_of", "share"]


def as_numpy(value: Any) -> Any:
    """The values as a NumPy array or scalar; None for what has none, or cannot be looked at."""
    data = value._data if isinstance(value, Tensor) else value
    if type(data) in NUMPY_TYPES:
        return data
    if isinstance(data, (int, float)):
        return np.float64(data)
    if not hasattr(data, "__array_namespace__"):
        return None
    try:
        return np.asarray(data)
    except Exception:  # noqa: BLE001 - a tracer, or memory of another device: not to be seen here
        return None


def is_finite(array: Any) -> bool:
    """Whether no element is NaN or infinite; it is asked of each result and each gradient."""
    if type(array) in FLOAT_SCALARS:
        return math.isfinite(array)
    return array is None or array.dtype.kind != "f" or bool(np.isfinite(array).all())


def count_zeros(x: Any) -> tuple[int, int] | None:
    """How many elements are zero, and how many there are; None where that cannot be seen."""
    array = as_numpy(x)
    if type(array) in FLOAT_SCALARS:
        return int(array == 0), 1
    return None if array is None else (array.size - int(np.count_nonzero(array)), array.size)


def non_finite(array: Any) -> tuple[int, int]:
    """How many elements are NaN, and how many are infinite."""
    if is_finite(array):
        return 0, 0
    return int(np.isnan(array).sum()), int(np.isinf(array).sum())


def number(value: Any) -> str:
    """A number in few digits.

    >>> number(np.float32(0.1)), number(-0.0), number(np.int64(3))
    ('0.1', '0', '3')
    """
    return f"{float(value) + 0.0:.4g}"


def share(part: int, whole: int) -> str:
    """Such as ``37 %``; never 0 % of some, nor 100 % of not all.

    >>> share(1, 3000), share(2999, 3000), share(3, 3)
    ('less than 1 %', 'more than 99 %', '100 %')
    """
    percent = 100 * part / whole if whole else 0.0
    if 0 < percent < 1:
        return "less than 1 %"
    if 99 < percent < 100:
        return "more than 99 %"
    return f"{percent:.0f} %"


def range_of(value: Any, *, signs: bool = False) -> str:
    """Such as ``shape (3,), float32, from 0 to 2, 1 zero``.

    Args:
        value: a Tensor, an array or a number.
        signs: say how many are negative.
    """
    if isinstance(value, (bool, int, float)):
        return number(value)
    array = as_numpy(value)
    if array is None:
        return type(value._data if isinstance(value, Tensor) else value).__name__
    parts = [f"shape {tuple(array.shape)}", str(array.dtype)]
    nan, infinite = non_finite(array)
    finite = array[np.isfinite(array)] if nan or infinite else array
    if finite.size and finite.dtype.kind in "fiu":
        low, high = number(finite.min()), number(finite.max())
        parts.append(f"all {low}" if low == high else f"from {low} to {high}")
        zeros, negative = int((finite == 0).sum()), int((finite < 0).sum())
        parts += [f"{zeros} zero"] * (zeros > 0 and low != high)
        parts += [f"{negative} negative"] * (signs and negative > 0)
    parts += [f"{nan} nan"] * (nan > 0) + [f"{infinite} infinite"] * (infinite > 0)
    return ", ".join(parts)
