"""Arguments of NumPy's functions as tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from demograd import Tensor, get_default_dtype, ops, result_type
from demograd.operators import as_dim, as_dims, cast_to

__all__ = ["along", "axes_of", "axis_of", "beside", "plain", "promoted", "tensor"]

Axis = int | Sequence[int] | None


def tensor(x: Any) -> Tensor:
    """A Tensor as it is; an array as one; a list with Tensors in it stacked."""
    (out,) = beside(x)
    return out


def beside(*values: Any) -> list[Tensor]:
    """Several arguments as tensors; numbers and lists take the type of the floats they stand by.

    Not by way of the default type, which would round them to single precision.
    """
    held = [_held(x) for x in values]
    typed = [x.data if isinstance(x, Tensor) else x for x in held if hasattr(x, "dtype")]
    dtype = result_type(*typed) if typed else get_default_dtype()
    floats = dtype if dtype.kind in "fc" else get_default_dtype()
    return [x if isinstance(x, Tensor) else _made(x, floats) for x in held]


def _held(x: Any) -> Any:
    if isinstance(x, (list, tuple)) and any(_holds_tensors(part) for part in x):
        return ops.stack(promoted(x))
    return x


def _made(x: Any, floats: Any) -> Tensor:
    if hasattr(x, "dtype"):
        return Tensor(x)
    array = np.asarray(x)
    return Tensor(array.astype(floats) if array.dtype.kind == "f" else array)


def _holds_tensors(x: Any) -> bool:
    if isinstance(x, (list, tuple)):
        return any(_holds_tensors(part) for part in x)
    return isinstance(x, Tensor)


def promoted(values: Sequence[Any]) -> list[Tensor]:
    """Several arguments as tensors in the type of the result."""
    given = beside(*values)
    dtype = result_type(*[x.data for x in given])
    return [cast_to(x, dtype) for x in given]


def plain(x: Any) -> Any:
    """What is a setting and not an operand, such as an index, as NumPy's array."""
    return x.numpy() if isinstance(x, Tensor) else x


def axis_of(name: str, axis: int, x: Tensor) -> int:
    """A dimension counted from the front."""
    return as_dim(f"np.{name}", int(axis), x.ndim)


def axes_of(name: str, axis: Any, x: Tensor) -> tuple[int, ...]:
    """Dimensions counted from the front; all for None."""
    return as_dims(f"np.{name}", axis, x.ndim) if x.ndim else ()


def along(axis: int, part: Any) -> tuple[Any, ...]:
    """An index that takes a part along one dimension."""
    return (*[slice(None)] * axis, part)
