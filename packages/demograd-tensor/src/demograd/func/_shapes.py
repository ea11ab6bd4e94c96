"""Batching of what moves elements and changes shapes: dimensions shift by one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from demograd.func._batched import Batched, beneath, in_namespace, level_of, spread

__all__ = [
    "broadcast_to", "concat", "expand_dims", "flip", "matrix_transpose", "moveaxis", "permute_dims",
    "place_of", "repeat", "reshape", "roll", "squeeze", "stack", "tile", "tril", "triu", "unstack",
]  # fmt: skip


def place_of(axis: int, ndim: int) -> int:
    """An axis of one sample, counted from the front.

    Raises:
        IndexError: there is no such axis.
    """
    if not -ndim <= axis < ndim:
        raise IndexError(f"axis {axis} does not exist in an array of {ndim} dimensions")
    return axis % ndim


def _held(x: Batched, function: str, *arguments: Any, **settings: Any) -> Batched:
    """A function of what ``x`` holds, whose arguments say which dimensions are meant there."""
    out = getattr(beneath([x.value]), function)(x.value, *arguments, **settings)
    return Batched(x.level, out, x.mapped)


def _plain(function: str, x: Any, *arguments: Any, **settings: Any) -> Any:
    return getattr(beneath([x]), function)(x, *arguments, **settings)


def reshape(x: Any, /, shape: tuple[int, ...], *, copy: bool | None = None) -> Any:
    if type(x) is not Batched:
        return _plain("reshape", x, shape)
    wanted = tuple(shape)
    if -1 in wanted:  # of one sample; the dimension of all samples is known
        known = math.prod([n for n in wanted if n != -1])
        missing = x.size // known if known else 0
        wanted = tuple([missing if n == -1 else n for n in wanted])
    return _held(x, "reshape", (x.level.size, *wanted) if x.mapped else wanted)


def permute_dims(x: Any, /, axes: tuple[int, ...]) -> Any:
    if type(x) is not Batched:
        return _plain("permute_dims", x, axes)
    places = tuple([place_of(axis, x.ndim) for axis in axes])
    return _held(x, "permute_dims", (0, *[i + 1 for i in places]) if x.mapped else places)


def matrix_transpose(x: Any, /) -> Any:
    return x.mT


def moveaxis(x: Any, source: Any, destination: Any, /) -> Any:
    sources = [source] if isinstance(source, int) else list(source)
    targets = [destination] if isinstance(destination, int) else list(destination)
    ndim = len(x.shape)
    sources = [place_of(i, ndim) for i in sources]
    order = [i for i in range(ndim) if i not in sources]
    for target, axis in sorted(zip([place_of(i, ndim) for i in targets], sources, strict=True)):
        order.insert(target, axis)
    return permute_dims(x, tuple(order))


def broadcast_to(x: Any, /, shape: tuple[int, ...]) -> Any:
    if type(x) is not Batched:
        return _plain("broadcast_to", x, tuple(shape))
    if not x.mapped:
        return _held(x, "broadcast_to", tuple(shape))
    missing = len(shape) - x.ndim
    if missing < 0:
        raise ValueError(f"an array of shape {x.shape} cannot be broadcast to {tuple(shape)}")
    x = reshape(x, (*(1,) * missing, *x.shape))
    return _held(x, "broadcast_to", (x.level.size, *shape))


def expand_dims(x: Any, /, axis: int = 0) -> Any:
    place = place_of(axis, len(x.shape) + 1)
    return reshape(x, (*x.shape[:place], 1, *x.shape[place:]))


def squeeze(x: Any, /, axis: int | Sequence[int] | None = None) -> Any:
    ndim = len(x.shape)
    if axis is None:
        places = [i for i, n in enumerate(x.shape) if n == 1]
    else:
        places = [place_of(i, ndim) for i in ([axis] if isinstance(axis, int) else axis)]
    if any(x.shape[i] != 1 for i in places):
        raise ValueError(f"an axis among {axis} is not of length 1 in {x.shape}")
    return reshape(x, tuple([n for i, n in enumerate(x.shape) if i not in places]))


def concat(arrays: Sequence[Any], /, *, axis: int | None = 0) -> Any:
    level = level_of(arrays)
    if level is None:
        return beneath(arrays).concat(arrays, axis=axis)
    if axis is None:
        arrays, axis = [reshape(x, (-1,)) for x in arrays], 0
    values = [spread(x, level) for x in arrays]
    xp = beneath(values)
    place = place_of(axis, len(arrays[0].shape)) + 1
    return Batched(level, xp.concat([in_namespace(xp, v) for v in values], axis=place), True)


def stack(arrays: Sequence[Any], /, *, axis: int = 0) -> Any:
    level = level_of(arrays)
    if level is None:
        return beneath(arrays).stack(arrays, axis=axis)
    values = [spread(x, level) for x in arrays]
    xp = beneath(values)
    place = place_of(axis, len(arrays[0].shape) + 1) + 1
    return Batched(level, xp.stack([in_namespace(xp, v) for v in values], axis=place), True)


def unstack(x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
    before = (slice(None),) * place_of(axis, len(x.shape))
    return tuple([x[(*before, i)] for i in range(x.shape[len(before)])])


def flip(x: Any, /, *, axis: int | Sequence[int] | None = None) -> Any:
    if type(x) is not Batched:
        return _plain("flip", x, axis=axis)
    places = range(x.ndim) if axis is None else [axis] if isinstance(axis, int) else axis
    shift = int(x.mapped)
    return _held(x, "flip", axis=tuple([place_of(i, x.ndim) + shift for i in places]))


def roll(x: Any, /, shift: Any, *, axis: int | Sequence[int] | None = None) -> Any:
    if type(x) is not Batched:
        return _plain("roll", x, shift, axis=axis)
    if axis is None:
        return reshape(roll(reshape(x, (-1,)), shift, axis=0), x.shape)
    places = [axis] if isinstance(axis, int) else list(axis)
    shifts = [shift] * len(places) if isinstance(shift, int) else list(shift)
    places = [place_of(i, x.ndim) + int(x.mapped) for i in places]
    return _held(x, "roll", tuple(shifts), axis=tuple(places))


def tile(x: Any, repetitions: tuple[int, ...], /) -> Any:
    if type(x) is not Batched:
        return _plain("tile", x, repetitions)
    times = (1,) * (x.ndim - len(repetitions)) + tuple(repetitions)
    x = reshape(x, (*(1,) * (len(times) - x.ndim), *x.shape))
    return _held(x, "tile", (1, *times) if x.mapped else times)


def repeat(x: Any, repeats: int, /, *, axis: int | None = None) -> Any:
    if type(x) is not Batched:
        return _plain("repeat", x, repeats, axis=axis)
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    return _held(x, "repeat", repeats, axis=place_of(axis, x.ndim) + int(x.mapped))


def tril(x: Any, /, *, k: int = 0) -> Any:
    return _held(x, "tril", k=k) if type(x) is Batched else _plain("tril", x, k=k)


def triu(x: Any, /, *, k: int = 0) -> Any:
    return _held(x, "triu", k=k) if type(x) is Batched else _plain("triu", x, k=k)
