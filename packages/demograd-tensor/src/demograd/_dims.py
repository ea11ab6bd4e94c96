"""Dimensions as arguments: PyTorch's names and NumPy's, negative numbers, and their errors."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

from demograd.errors import ArgumentError, ArgumentTypeError, OutOfRangeError

__all__ = ["accepts_axis", "as_dim", "as_dims", "as_shape"]

P = ParamSpec("P")
R = TypeVar("R")

_TORCH_NAMES = {"axis": "dim", "keepdims": "keepdim"}


def accepts_axis(function: Callable[P, R]) -> Callable[P, R]:
    """Let ``function`` take NumPy's ``axis`` and ``keepdims`` for ``dim`` and ``keepdim``.

    >>> @accepts_axis
    ... def total(x, dim=None):
    ...     return dim
    >>> total(0, axis=1)
    1
    """

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        if kwargs and ("axis" in kwargs or "keepdims" in kwargs):
            renamed: dict[str, Any] = {}
            for key, value in kwargs.items():
                key = _TORCH_NAMES.get(key, key)
                if key in renamed:
                    raise ArgumentTypeError(
                        f"{function.__name__}: {key} is given twice, once under NumPy's name."
                    )
                renamed[key] = value
            return function(*args, **renamed)
        return function(*args, **kwargs)

    return call


def as_dim(operation: str, dim: int, ndim: int) -> int:
    """A dimension counted from the front.

    Raises:
        OutOfRangeError: there is no such dimension.

    >>> as_dim("sum", -1, 3)
    2
    """
    # A zero-dimensional tensor is taken for one of length one, as in PyTorch.
    length = ndim or 1
    try:
        inside = -length <= dim < length
    except TypeError as error:
        raise ArgumentTypeError(
            f"{operation}: a dimension is an integer, not {type(dim).__name__}."
        ) from error
    if not inside:
        raise OutOfRangeError(
            f"{operation}: dimension {dim} does not exist.",
            [f"x: {ndim} dimensions, so dim from {-length} to {length - 1}"],
        )
    return dim % length


def as_dims(operation: str, dim: int | Sequence[int] | None, ndim: int) -> tuple[int, ...]:
    """The dimensions meant: all of them for None; counted from the front, none twice.

    >>> as_dims("sum", (-1, 0), 3)
    (2, 0)
    """
    if dim is None:
        return tuple(range(ndim))
    if isinstance(dim, (tuple, list)):
        dims = tuple(as_dim(operation, d, ndim) for d in dim)
        if len(set(dims)) != len(dims):
            raise ArgumentError(f"{operation}: a dimension appears twice in {tuple(dim)}.")
        return dims
    return (as_dim(operation, dim, ndim),)  # type: ignore[arg-type]


def as_shape(shape: Sequence[Any]) -> tuple[Any, ...]:
    """Sizes given as ``f(2, 3)`` or as ``f((2, 3))``."""
    if len(shape) == 1 and isinstance(shape[0], (tuple, list)):
        return tuple(shape[0])
    return tuple(shape)
