"""Custom operators that write to an input: ``mark_dirty``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from demograd._storage import mark_changed
from demograd._tensor import Tensor
from demograd.autograd._function import Function
from demograd.errors import ArgumentTypeError, GradientError

__all__ = ["check_returned", "stamp", "written_to"]


def stamp(operation: str, arrays: Sequence[Any]) -> None:
    """Stamp the memory of arrays that ``forward`` writes to."""
    for array in arrays:
        if isinstance(array, (np.generic, bool, int, float, complex)):
            raise ArgumentTypeError(
                f"{operation}: mark_dirty was given a number, which cannot be written to.",
                [f"number: {array!r}, of type {type(array).__name__}"],
                "Give the operator a tensor with a dimension, such as x.reshape(1).",
            )
        mark_changed([array], f"{operation}.forward")


def check_returned(node: Function, outs: Sequence[Any]) -> None:
    """Refuse an operator that does not return what it has marked."""
    for array in node._dirty:
        if not any(out is array for out in outs):
            raise GradientError(
                f"{node.name}: forward marked an input as dirty, and did not return it.",
                [f"input: shape {array.shape}, dtype {array.dtype}"],
                "Return the array itself: self.mark_dirty(x); return x.",
            )


def written_to(node: Function, inputs: Sequence[Any], out: Any, made: Tensor) -> Tensor:
    """The input that ``forward`` has written to and returned; it continues from ``made``."""
    from demograd._inplace import check_recordable, continue_from

    x: Tensor = next(x for x in inputs if isinstance(x, Tensor) and x._data is out)
    if made._requires_grad:
        check_recordable(x, node.name)
        continue_from(x, made)
    return x
