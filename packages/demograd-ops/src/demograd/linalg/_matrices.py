"""What the functions of matrices ask of their arguments, and how NumPy's errors are worded."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from demograd import Tensor, get_default_dtype
from demograd.errors import ArgumentTypeError, ShapeError
from demograd.linalg._errors import LinAlgError
from demograd.operators import as_operand, cast_to

__all__ = ["in_single", "matrices", "square", "worded"]


def matrices(operation: str, x: Any) -> Tensor:
    """A tensor of floats with at least two dimensions."""
    operand = as_operand(x)
    if not isinstance(operand, Tensor):
        raise ArgumentTypeError(
            f"{operation}: expected a Tensor, not {type(x).__name__}.",
            mend="dg.tensor(x) makes one.",
        )
    if operand.ndim < 2:
        raise ShapeError(
            f"{operation}: a matrix has at least two dimensions.", [f"x: shape {operand.shape}"]
        )
    return cast_to(operand, get_default_dtype()) if operand.dtype.kind in "iub" else operand


def square(operation: str, x: Any) -> Tensor:
    """The same, of as many rows as columns."""
    tensor = matrices(operation, x)
    if tensor.shape[-1] != tensor.shape[-2]:
        raise ShapeError(
            f"{operation}: the matrices are not square.",
            [f"x: shape {tensor.shape}   {tensor.shape[-2]} rows, {tensor.shape[-1]} columns"],
        )
    return tensor


def in_single(function: Callable[..., Any], *tensors: Tensor) -> Any:
    """Run on half-precision tensors in single precision: LAPACK has no other."""
    dtype = tensors[0].dtype
    if dtype.itemsize > 2:
        return function(*tensors)
    out = function(*[x.float() for x in tensors])
    if isinstance(out, tuple):
        return tuple([cast_to(part, dtype) for part in out])
    return cast_to(out, dtype)


@contextlib.contextmanager
def worded(operation: str, what: str, mend: str) -> Iterator[None]:
    """Say what NumPy's error means."""
    try:
        yield
    except np.linalg.LinAlgError as error:
        if isinstance(error, LinAlgError):
            raise
        raise LinAlgError(f"{operation}: {what}.", [f"NumPy says: {error}"], mend) from error
