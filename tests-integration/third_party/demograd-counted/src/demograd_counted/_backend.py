"""What demograd asks of an array library beyond the array API standard."""

from __future__ import annotations

from typing import Any

import numpy as np

from demograd.interfaces import Backend
from demograd_counted._arrays import Array, namespace, operations, unwrapped

__all__ = ["CountedBackend"]


class CountedBackend(Backend):
    """Arrays that count.

    What is not written here comes from ``Backend``, in terms of the standard: ``windows`` and
    ``erf``, say.
    """

    def __init__(self) -> None:
        super().__init__(namespace)

    def from_numpy(self, array: np.ndarray[Any, Any], index: int | None = None) -> Array:
        return Array(array.copy())

    def to_numpy(self, x: Array) -> np.ndarray[Any, Any]:
        return x.values

    def index(self, x: Array, index: Any) -> Array:
        operations["index"] += 1
        return x[index]

    def index_add(self, shape: tuple[int, ...], index: Any, values: Array) -> Array:
        operations["index_add"] += 1
        out = np.zeros(shape, dtype=values.dtype)
        np.add.at(out, unwrapped(index), values.values)
        return Array(out)

    def index_set(self, x: Array, index: Any, values: Any) -> Array:
        operations["index_set"] += 1
        out = x.values.copy()
        out[unwrapped(index)] = unwrapped(values)
        return Array(out)

    def overlap_add(self, shape: tuple[int, ...], parts: Any, *, disjoint: bool = False) -> Array:
        operations["overlap_add"] += 1
        given = list(parts)
        out = np.zeros(shape, dtype=given[0][1].dtype)
        for index, values in given:
            out[index] += values.values
        return Array(out)
