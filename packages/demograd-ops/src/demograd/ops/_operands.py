"""What the functions that compute ask of a tensor before a rule runs."""

from __future__ import annotations

from typing import Any

from demograd import Tensor, get_default_dtype
from demograd.errors import DtypeError, ShapeError
from demograd.operators import as_dims, cast_to
from demograd.ops._arguments import as_tensor

__all__ = ["as_floating", "dims_of", "integral", "numeric", "only_floating", "refuse_empty"]


def as_floating(operation: str, x: Any) -> Tensor:
    """The tensor itself if it is of floats; integers and booleans in the default type.

    >>> as_floating("exp", Tensor([1, 2]))
    tensor([1., 2.])
    """
    if isinstance(x, Tensor) and getattr(x.dtype, "kind", "") == "f":
        return x  # nearly always, so this comes first
    tensor = as_tensor(operation, x)
    return cast_to(tensor, get_default_dtype()) if integral(tensor) else tensor


def only_floating(operation: str, x: Any) -> Tensor:
    """The tensor itself if it is of floats; others are refused."""
    if isinstance(x, Tensor) and getattr(x.dtype, "kind", "") == "f":
        return x
    tensor = as_tensor(operation, x)
    if integral(tensor):
        raise DtypeError(
            f"{operation}: the tensor is not of floats.",
            [f"x: shape {tensor.shape}, dtype {tensor.dtype}"],
            "x.float() makes floats of it.",
        )
    return tensor


def numeric(operation: str, x: Any) -> Tensor:
    """The tensor itself, unless it is of booleans."""
    tensor = x if isinstance(x, Tensor) else as_tensor(operation, x)
    if getattr(tensor.dtype, "kind", "") == "b":
        raise DtypeError(
            f"{operation}: booleans are no numbers.",
            [f"x: shape {tensor.shape}, dtype {tensor.dtype}"],
            "x.long() makes integers of them.",
        )
    return tensor


def integral(x: Tensor) -> bool:
    """Whether a tensor is of integers or booleans."""
    dtype = x.dtype
    try:
        return dtype.kind in "iub"
    except AttributeError:
        # Another library's types have no kind; its namespace sorts them.
        namespace = x.data.__array_namespace__()
        return bool(namespace.isdtype(dtype, ("integral", "bool")))


def dims_of(operation: str, x: Tensor, dim: Any) -> tuple[int, ...]:
    """The dimensions to reduce, counted from the front; none in a zero-dimensional tensor."""
    dims = as_dims(operation, dim, x.ndim)
    return dims if x.ndim else ()


def refuse_empty(operation: str, x: Tensor, dims: tuple[int, ...]) -> None:
    """Raise where a dimension to choose an element from has none."""
    for dim in dims:
        if x.shape[dim] == 0:
            raise ShapeError(
                f"{operation}: there is nothing to choose from.",
                [f"x: shape {x.shape}   dimension {dim} has length 0"],
            )
