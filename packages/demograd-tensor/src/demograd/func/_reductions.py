"""Batching of what runs along axes: sums, extremes, orders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from demograd.func._batched import Batched, beneath
from demograd.func._shapes import place_of, reshape

__all__ = ["along_one", "over_axes", "position"]


def over_axes(name: str) -> Callable[..., Any]:
    """The batching of a reduction over one, several or all axes."""

    def reduce(x: Any, /, axis: Any = None, *, keepdims: bool = False, **settings: Any) -> Any:
        if type(x) is not Batched:
            return getattr(beneath([x]), name)(x, axis=axis, keepdims=keepdims, **settings)
        function = getattr(beneath([x.value]), name)
        if x.mapped:
            axes = range(x.ndim) if axis is None else [axis] if isinstance(axis, int) else axis
            axis = tuple([place_of(i, x.ndim) + 1 for i in axes])
        return Batched(
            x.level, function(x.value, axis=axis, keepdims=keepdims, **settings), x.mapped
        )

    return reduce


def along_one(name: str, default: int | None = None) -> Callable[..., Any]:
    """The batching of what runs along one axis and keeps it; over all elements for None."""

    def run(x: Any, /, axis: int | None = default, **settings: Any) -> Any:
        if type(x) is not Batched:
            return getattr(beneath([x]), name)(x, axis=axis, **settings)
        if axis is None:
            x, axis = reshape(x, (-1,)), 0
        function = getattr(beneath([x.value]), name)
        place = place_of(axis, x.ndim) + int(x.mapped)
        return Batched(x.level, function(x.value, axis=place, **settings), x.mapped)

    return run


def position(name: str) -> Callable[..., Any]:
    """The batching of ``argmax`` and ``argmin``."""

    def find(x: Any, /, *, axis: int | None = None, keepdims: bool = False) -> Any:
        if type(x) is not Batched:
            return getattr(beneath([x]), name)(x, axis=axis, keepdims=keepdims)
        if axis is None:
            out = find(reshape(x, (-1,)), axis=0)
            return reshape(out, (1,) * x.ndim) if keepdims else out
        function = getattr(beneath([x.value]), name)
        place = place_of(axis, x.ndim) + int(x.mapped)
        return Batched(x.level, function(x.value, axis=place, keepdims=keepdims), x.mapped)

    return find
