"""How a loss becomes one number, and how its two operands must fit."""

from __future__ import annotations

import math

import numpy as np

from demograd import Tensor
from demograd.errors import ArgumentError, ShapeError, warn

__all__ = ["check_reduction", "reduced", "warn_of_broadcast"]


def check_reduction(operation: str, reduction: str) -> None:
    """Refuse what is no reduction of a loss."""
    if reduction not in ("none", "mean", "sum"):
        raise ArgumentError(
            f"{operation}: reduction is {reduction!r}.", mend='Use "none", "mean" or "sum".'
        )


def reduced(losses: Tensor, reduction: str) -> Tensor:
    """All losses, their mean or their sum."""
    if reduction == "mean":
        return losses.mean()
    return losses.sum() if reduction == "sum" else losses


def warn_of_broadcast(operation: str, input: Tensor, target: Tensor) -> None:
    """Refuse shapes that do not broadcast, and warn of those that do.

    ``(N,)`` against ``(N, 1)`` compares each with each, and the loss still goes down: few mistakes
    are as hard to see.
    """
    x, y = input.shape, target.shape
    if x == y:
        return
    wanted = ", ".join(map(str, x))
    same = math.prod(x) == math.prod(y)
    try:
        result = np.broadcast_shapes(x, y)
    except ValueError:
        raise ShapeError(
            f"{operation}: the target does not fit the input.",
            [f"input: shape {x}", f"target: shape {y}"],
            f"target.reshape({wanted}) would fit." if same else "The two must have one shape.",
        ) from None
    warn(
        f"{operation}: input and target differ in shape, and each is repeated along the other.",
        [f"input: shape {x}", f"target: shape {y}", f"compared: shape {result}"],
        f"target.reshape({wanted}) compares element with element."
        if same
        else f"target.expand{result} says that this is meant.",
    )
