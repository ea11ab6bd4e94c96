"""Random numbers within a vmap: refused, drawn for each sample, or once for all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from demograd._levels import running
from demograd.errors import MappingError
from demograd.func._batched import Batched

__all__ = ["drawn"]


def drawn(sample: Callable[[tuple[int, ...]], Any], shape: tuple[int, ...]) -> Any:
    """Random values of a shape, as the vmaps that this thread is inside of ask for them.

    Args:
        sample: draws values of a shape.
        shape: that of one sample.

    Raises:
        MappingError: one of the vmaps does not say how.
    """
    levels = running()
    for level in levels:
        if level.randomness == "error":
            raise MappingError(
                "vmap: random numbers are drawn, and it is not said whether for each sample.",
                [f"drawn: shape {shape}, within a vmap over {level.size} samples"],
                'vmap(..., randomness="different") draws for each, "same" once for all; or draw '
                "them outside, and give them as an argument.",
            )
    each = [level for level in levels if level.randomness == "different"]
    values = sample((*[level.size for level in each], *shape))
    for level in each:
        values = Batched(level, values, True)
    return values
