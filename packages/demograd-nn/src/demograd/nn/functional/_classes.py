"""Class numbers as targets: which there are, which are passed over, and what is wrong with them."""

from __future__ import annotations

import math

import numpy as np

from demograd import Tensor, ops
from demograd.errors import DtypeError, OutOfRangeError, ShapeError
from demograd.nn.functional._expected import warn_of_one_class
from demograd.nn.functional._operands import kind_of, known_values

__all__ = ["as_rows", "check_classes"]


def as_rows(input: Tensor) -> Tensor:
    """``(C,)``, ``(N, C)`` or ``(N, C, d1, ...)`` as a matrix with a row for each target."""
    if input.ndim == 2:
        return input
    if input.ndim == 1:
        return input.reshape(1, -1)
    last = input.permute(0, *range(2, input.ndim), 1)
    return last.reshape(math.prod(last.shape[:-1]), last.shape[-1])


def check_classes(
    operation: str, input: Tensor, target: Tensor, ignore_index: int
) -> tuple[Tensor, Tensor | None]:
    """The class of each row, and which rows count (None: all of them).

    Where a row is passed over its class is given as zero.

    Raises:
        ShapeError: there is not one class for each row.
        DtypeError: the classes are not integers.
        OutOfRangeError: a class is outside 0 to C - 1.
    """
    shape = input.shape
    if not shape:
        raise ShapeError(
            f"{operation}: the input has no dimension of classes.",
            ["input: shape (), expected (C,), (N, C) or (N, C, d1, ...)"],
        )
    classes = shape[0] if len(shape) == 1 else shape[1]
    wanted = () if len(shape) == 1 else (shape[0], *shape[2:])
    if target.shape != wanted:
        raise _misfit(operation, input, target, classes, wanted)
    if classes == 1 and operation == "cross_entropy":
        warn_of_one_class(operation, input)
    if kind_of(target) != "i":
        raise DtypeError(
            f"{operation}: the target is of {target.dtype}, and class numbers are integers.",
            [f"input: shape {shape}   {classes} classes", f"target: shape {target.shape}"],
            f"target.long() makes integers of it; probabilities have the input's shape {shape}.",
        )
    chosen = target if target.ndim == 1 else target.reshape(-1)
    values = known_values(chosen)
    if values is not None:
        # Seen without their sign negative numbers are the largest: one look finds all outside.
        large = values.astype(np.int64, copy=False).view(np.uint64)
        outside = bool(values.size) and int(large.max()) >= classes
        if not outside and not 0 <= ignore_index < classes:
            return chosen, None
        wrong = ((values < 0) | (values >= classes)) & (values != ignore_index)
        if wrong.any():
            raise _no_class(operation, input, target, classes, int(np.argmax(wrong)))
        if not (values == ignore_index).any():
            return chosen, None
    counted = chosen != ignore_index
    return ops.where(counted, chosen, 0), counted


def _misfit(
    operation: str, input: Tensor, target: Tensor, classes: int, wanted: tuple[int, ...]
) -> ShapeError:
    if target.shape == input.shape:
        mend = (
            "target.float() makes probabilities of a one-hot target; target.argmax(1) gives the "
            "class numbers."
        )
    elif target.numel() == math.prod(wanted):
        mend = f"target.reshape({', '.join(map(str, wanted))}) would fit."
    elif input.ndim == 2 and target.ndim == 1:
        mend = (
            f"The model gave {input.shape[0]} rows for {target.shape[0]} targets: x.flatten(1) "
            "keeps a row for each sample, x.reshape(-1, n) need not."
        )
    else:
        mend = "The dimension of classes is the second, or the only one."
    return ShapeError(
        f"{operation}: there is not one class for each row of the input.",
        [
            f"input: shape {input.shape}   {classes} classes",
            f"target: shape {target.shape}, expected {wanted}",
        ],
        mend,
    )


def _no_class(
    operation: str, input: Tensor, target: Tensor, classes: int, number: int
) -> OutOfRangeError:
    values = target.cpu().numpy()
    place = tuple(int(i) for i in np.unravel_index(number, target.shape))
    value = int(values[place])
    if value == classes and values.min() >= 1:
        mend = "target - 1 would fit: classes are counted from zero."
    elif value < 0:
        mend = f"ignore_index={value} passes over it."
    else:
        mend = f"A model for this target gives at least {int(values.max()) + 1} numbers a row."
    at = place[0] if len(place) == 1 else place
    return OutOfRangeError(
        f"{operation}: a target is no class.",
        [
            f"input: shape {input.shape}   {classes} classes, 0 to {classes - 1}",
            f"target: shape {target.shape}   {value}" + (f" at {at}" if place else ""),
        ],
        mend,
    )
