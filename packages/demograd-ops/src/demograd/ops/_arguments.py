"""Arguments of the functions that move elements: tensors, indices and masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from demograd import Tensor
from demograd.errors import ArgumentTypeError, DtypeError, OutOfRangeError
from demograd.operators import as_operand, known_values

__all__ = ["as_index", "as_mask", "as_tensor", "refuse_outside", "shape_lines"]


def as_tensor(operation: str, x: Any) -> Tensor:
    """The tensor itself; an array becomes one.

    >>> as_tensor("cat", np.zeros(1))
    tensor([0.], dtype=float64)
    """
    operand = x if type(x) is Tensor else as_operand(x)
    if isinstance(operand, Tensor):
        return operand
    raise ArgumentTypeError(
        f"{operation}: expected a Tensor, not {type(x).__name__}.",
        mend="dg.tensor(x) makes one.",
    )


def as_index(operation: str, index: Any) -> Tensor:
    """An index of integers, as int64: smaller types would overflow when places are computed."""
    tensor = as_tensor(operation, index)
    if tensor.dtype == np.int64:
        return tensor
    if tensor.dtype.kind not in "iu":
        raise DtypeError(
            f"{operation}: an index is of integers.",
            [f"index: shape {tensor.shape}, dtype {tensor.dtype}"],
            "index.long() makes integers of it.",
        )
    return tensor.long()


def as_mask(operation: str, mask: Any) -> Tensor:
    """A mask of booleans."""
    tensor = as_tensor(operation, mask)
    if tensor.dtype.kind != "b":
        raise DtypeError(
            f"{operation}: a mask is of booleans.",
            [f"mask: shape {tensor.shape}, dtype {tensor.dtype}"],
            "mask != 0, or mask.bool(), makes booleans of it.",
        )
    return tensor


def refuse_outside(operation: str, index: Tensor, length: int, dim: int) -> None:
    """Raise where an int64 index is not from 0 to ``length - 1``: none counts from the end."""
    values = known_values(index)
    if values is None:
        return
    # Read without its sign a negative number is larger than any length.
    if values.size and values.astype(np.int64, copy=False).view(np.uint64).max() >= length:
        wrong = values[(values < 0) | (values >= length)].flat[0]
        raise OutOfRangeError(
            f"{operation}: index {wrong} is outside dimension {dim}.",
            [f"x: dimension {dim} has length {length}, so an index is from 0 to {length - 1}"],
            f"index % {length} counts negative ones from the end." if -length <= wrong < 0 else "",
        )


def shape_lines(tensors: Sequence[Tensor]) -> list[str]:
    """The shapes of several tensors, a line each."""
    return [f"tensor {i}: shape {x.shape}" for i, x in enumerate(tensors)]
