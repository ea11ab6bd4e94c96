"""Memory for results in between, taken once and used for arrays of all shapes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = ["Scratch"]


class Scratch:
    """Arrays of one data type whose values nobody needs any more.

    The memory is that of the largest array asked for so far: a cache that has it keeps it.

    >>> scratch = Scratch()
    >>> [a.shape for a in scratch.arrays((2, 3), np.dtype("float32"), 2)]
    [(2, 3), (2, 3)]
    """

    def __init__(self) -> None:
        self._memory: dict[Any, list[Any]] = {}
        self._views: dict[tuple[Any, Any], list[Any]] = {}

    def arrays(self, shape: tuple[int, ...], dtype: Any, count: int) -> list[Any]:
        """At least ``count`` arrays; those of another shape lie in the same memory."""
        views = self._views.get((shape, dtype))
        if views is None or len(views) < count:
            size = math.prod(shape)
            memory = self._memory.get(dtype, [])
            if len(memory) < count or (memory and memory[0].size < size):
                length = max(size, memory[0].size if memory else 0)
                memory = [np.empty(length, dtype) for _ in range(max(count, len(memory)))]
                self._memory[dtype] = memory
                self._views.clear()
            views = self._views[shape, dtype] = [m[:size].reshape(shape) for m in memory]
        return views
