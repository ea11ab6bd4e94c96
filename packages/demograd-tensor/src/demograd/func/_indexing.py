"""Batching of indexing: of samples by one index, and by one for each sample.

Where all samples are indexed alike, a full slice is put before the index. Two cases differ:
NumPy puts the dimensions of arrays that a slice or None separates in front, so before the
samples' own; and where each sample has its own index, the samples are counted along with it. Then
``index`` brings the dimensions that arrays index to the front, and the others write to the flat
array, by the place of each element.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from demograd._backend import numpy_backend
from demograd._dtype import native
from demograd._levels import Level
from demograd.errors import MappingError
from demograd.func._batched import (
    Batched,
    aligned,
    beneath,
    in_namespace,
    level_of,
    on_level,
    spread,
)
from demograd.func._shapes import broadcast_to, permute_dims, place_of, reshape

__all__ = ["index", "index_add", "index_set", "take", "take_along_axis"]


def index(x: Any, key: Any, /) -> Any:
    """``x[key]`` of each sample."""
    parts = _parts(key)
    level = level_of((x, *parts))
    if level is None:
        return beneath([x]).index(x, key)
    if not _own_index(level, parts) and _stays_behind(parts):
        if type(x) is Batched and x.level is level:
            place = (slice(None), *parts) if x.mapped else parts
            return Batched(level, beneath([x.value]).index(x.value, place), x.mapped)
    return _gathered(level, x, parts)


def index_add(shape: tuple[int, ...], key: Any, values: Any, /) -> Any:
    """Zeros of ``shape`` with values added at an index, for each sample."""
    parts = _parts(key)
    level = level_of((values, *parts))
    if level is None:
        return beneath([values]).index_add(shape, key, values)
    own = _own_index(level, parts)
    if not own and _stays_behind(parts):
        if not values.mapped:
            out = beneath([values.value]).index_add(shape, key, values.value)
            return Batched(level, out, False)
        values = broadcast_to(values, _place_shape(shape, key))
        xp = beneath([values.value, *parts])
        out = xp.index_add((level.size, *shape), (slice(None), *parts), values.value)
        return Batched(level, out, True)
    if len(parts) == 1 and own and shape and _kind(parts[0]) != "b":
        # Layers along the first dimension, as for an embedding: all samples' layers in one row.
        rest = shape[1:]
        layers = _counted(parts[0], level, shape[0])
        held = spread(broadcast_to(on_level(level, values), (*parts[0].shape, *rest)), level)
        xp = beneath([held, layers])
        held = xp.reshape(in_namespace(xp, held), (math.prod(layers.shape), *rest))
        layers = beneath([layers]).reshape(layers, (-1,))
        out = xp.index_add((level.size * shape[0], *rest), layers, held)
        return Batched(level, xp.reshape(out, (level.size, *shape)), True)
    places, place_shape = _places(level, shape, parts)
    flat = spread(broadcast_to(on_level(level, values), place_shape), level)
    xp = beneath([flat, places])
    flat = xp.reshape(in_namespace(xp, flat), (-1,))
    out = xp.index_add((level.size * math.prod(shape),), places, flat)
    return Batched(level, xp.reshape(out, (level.size, *shape)), True)


def index_set(x: Any, key: Any, values: Any, /) -> Any:
    """A copy of each sample of ``x`` with ``values``, broadcast, at an index."""
    parts = _parts(key)
    level = level_of((x, values, *parts))
    if level is None:
        return beneath([x, values]).index_set(x, key, values)
    shape = tuple(x.shape)
    number = not hasattr(values, "shape")
    own = _own_index(level, parts)
    if not own and _stays_behind(parts):
        if not number:
            values = broadcast_to(on_level(level, values), _place_shape(shape, key))
        if not _mapped(x) and (number or not values.mapped):
            bare = values if number else values.value
            xp = beneath([x.value if type(x) is Batched else x, bare])
            held = in_namespace(xp, x.value if type(x) is Batched else x)
            return Batched(level, xp.index_set(held, key, in_namespace(xp, bare)), False)
        held = spread(x, level)
        bare = values if number else spread(values, level)
        xp = beneath([held, bare])
        place = (slice(None), *parts)
        out = xp.index_set(in_namespace(xp, held), place, in_namespace(xp, bare))
        return Batched(level, out, True)
    places, place_shape = _places(level, shape, parts)
    held = spread(x, level)
    bare = values if number else spread(broadcast_to(on_level(level, values), place_shape), level)
    xp = beneath([held, bare, places])
    held = xp.reshape(in_namespace(xp, held), (-1,))
    if not number:
        bare = xp.reshape(in_namespace(xp, bare), (-1,))
    out = xp.index_set(held, places, bare)
    return Batched(level, xp.reshape(out, (level.size, *shape)), True)


def take(x: Any, indices: Any, /, *, axis: int | None = None) -> Any:
    """The layers along an axis that indices name."""
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    return index(x, (*(slice(None),) * place_of(axis, len(x.shape)), indices))


def take_along_axis(x: Any, indices: Any, /, *, axis: int = -1) -> Any:
    """Elements picked along an axis, the other dimensions in step."""
    level = level_of((x, indices))
    place = place_of(axis, len(x.shape))
    if level is None:
        return beneath([x, indices]).take_along_axis(x, indices, axis=place)
    values = [spread(x, level), spread(indices, level)]
    xp = beneath(values)
    held, places = (in_namespace(xp, value) for value in values)
    return Batched(level, xp.take_along_axis(held, places, axis=place + 1), True)


def _parts(key: Any) -> tuple[Any, ...]:
    return key if type(key) is tuple else (key,)


def _mapped(x: Any) -> bool:
    return type(x) is Batched and x.mapped


def _own_index(level: Level, parts: tuple[Any, ...]) -> bool:
    """Whether a part of the index is an array of this vmap."""
    return any(type(part) is Batched and part.level is level for part in parts)


def _is_array(part: Any) -> bool:
    return hasattr(part, "shape") and (part.shape != () or type(part) is Batched)


def _stays_behind(parts: tuple[Any, ...]) -> bool:
    """Whether the dimensions that an index makes stay where they are when a slice is put before.

    They don't where arrays (and, beside arrays, integers) are separated by slices or None.
    """
    if not any(_is_array(part) for part in parts):
        return True
    kinds = [_is_array(part) or _is_integer(part) for part in parts]
    first, last = kinds.index(True), len(kinds) - 1 - kinds[::-1].index(True)
    return all(kinds[first:last])


def _is_integer(part: Any) -> bool:
    return part is not None and part is not Ellipsis and not isinstance(part, slice)


def _kind(part: Any) -> str:
    """The kind of an array's numbers, ``"b"`` for a mask; nothing for what is no array."""
    return native(part.dtype).kind if hasattr(part, "dtype") else ""


def _known(part: Any) -> Any:
    """An array of integers as NumPy's, for libraries whose own cannot be an index."""
    library = beneath([part])
    if library is numpy_backend or library.wraps or library.is_traced(part):
        return part
    return library.to_numpy(part)


def _place_shape(shape: tuple[int, ...], key: Any) -> tuple[int, ...]:
    return tuple(index(np.broadcast_to(np.zeros(()), shape), key).shape)


def _whole(ndim: int, parts: tuple[Any, ...]) -> tuple[Any, ...]:
    """The index with a part for each dimension, masks as the integers that they stand for."""
    named: list[Any] = []
    for part in parts:
        if _kind(part) == "b":
            if type(part) is Batched:
                raise MappingError(
                    "vmap: x[mask] would have another number of elements for each sample.",
                    [f"mask: shape {part.shape}, one for each of {part.level.size}"],
                    "dg.where(mask, x, 0) keeps the shape.",
                )
            named.extend(np.nonzero(np.asarray(part)))
        else:
            named.append(part)
    known = sum(1 for part in named if part is not None and part is not Ellipsis)
    if known > ndim:
        raise IndexError(f"too many indices: {known} for an array of {ndim} dimensions")
    missing = (slice(None),) * (ndim - known)
    if not any(part is Ellipsis for part in named):
        named.append(Ellipsis)
    place = next(i for i, part in enumerate(named) if part is Ellipsis)
    return (*named[:place], *missing, *named[place + 1 :])


def _gathered(level: Level, x: Any, parts: tuple[Any, ...]) -> Any:
    """``x[parts]`` with arrays among the parts, which any sample may have of its own."""
    together = _stays_behind(parts)
    parts = _whole(len(x.shape), parts)
    places = [i for i, part in enumerate(parts) if _is_integer(part)]
    # First the slices; then the dimensions that arrays index are brought to the front.
    sliced = index(x, tuple([slice(None) if i in places else p for i, p in enumerate(parts)]))
    others = [i for i in range(len(parts)) if i not in places]
    front = permute_dims(sliced, (*places, *others))
    _, arrays, own = aligned(level, [parts[i] for i in places])
    arrays = [_known(array) for array in arrays]
    front = on_level(level, front)
    if own:
        ndim = max(getattr(array, "ndim", 0) for array in arrays)
        key = tuple(arrays)
        if front.mapped:
            key = (np.arange(level.size).reshape(-1, *(1,) * (ndim - 1)), *key)
    else:
        key = (slice(None), *arrays) if front.mapped else tuple(arrays)
    namespace = beneath([front.value, *key])
    out = Batched(level, namespace.index(in_namespace(namespace, front.value), key),
                  own or front.mapped)  # fmt: skip
    if not together:
        return out
    # Where arrays stand together, their dimensions stand in the place of the first.
    before, made = len([i for i in others if i < places[0]]), out.ndim - len(others)
    order = (*range(made, made + before), *range(made), *range(made + before, out.ndim))
    return permute_dims(out, order)


def _places(
    level: Level, shape: tuple[int, ...], parts: tuple[Any, ...]
) -> tuple[Any, tuple[int, ...]]:
    """The places that an index names in all samples laid end to end, flat, and its shape in one."""
    size = math.prod(shape)
    numbers = np.arange(size).reshape(shape)
    named = on_level(level, index(numbers, parts))
    counted = _counted(named, level, size)
    return beneath([counted]).reshape(counted, (-1,)), named.shape


def _counted(places: Any, level: Level, length: int) -> Any:
    """Places in one sample, as those in all samples of this length laid end to end."""
    held = _known(spread(places, level))
    xp = beneath([held])
    starts = (np.arange(level.size) * length).reshape(-1, *(1,) * (len(held.shape) - 1))
    return xp.where(held < 0, held + length, held) + in_namespace(xp, starts)
