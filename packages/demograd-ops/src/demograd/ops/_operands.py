"""What the functions that compute ask of a tensor before a rule runs."""

from __future__ import annotations

from typing import Any

from demograd import Tensor, get_default_dtype
from demograd.errors import ArgumentTypeError, DtypeError, ShapeError
from demograd.operators import as_dims, as_operand, cast_to
from demograd.ops._arguments import as_tensor

__all__ = [
    "as_floating", "dims_of", "float_operand", "integral", "numeric", "only_floating",
    "refuse_empty",
]  # fmt: skip


def as_floating(operation: str, x: Any) -> Tensor:
    """The tensor itself if it is of floats; integers and booleans in the default type.

    >>> as_floating("exp", Tensor([1, 2]))
    tensor([1., 2.])
    """
    if isinstance(x, Tensor) and getattr(x.dtype, "kind", "") == "f":
        return x  # nearly always, so this comes first
    tensor = as_tensor(operation, x)
    return cast_to(tensor, get_default_dtype()) if integral(tensor) else tensor


def float_operand(operation: str, x: Any, y: Any) -> tuple[Any, Any]:
    """Two operands, Tensors or numbers; where neither is of floats, one becomes one."""
    for operand in (x, y):
        if as_operand(operand) is None:
            raise ArgumentTypeError(
                f"{operation}: expected Tensors or numbers, not {type(operand).__name__}.",
                mend="dg.tensor(x) makes a Tensor.",
            )
    x, y = as_operand(x), as_operand(y)
    if not isinstance(x, Tensor) and not isinstance(y, Tensor):
        x = Tensor(x)
    if any(isinstance(v, Tensor) and not integral(v) for v in (x, y)):
        return x, y
    if isinstance(x, Tensor):
        return as_floating(operation, x), y
    return x, as_floating(operation, y)


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
    if tensor.dtype.kind == "b":
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
