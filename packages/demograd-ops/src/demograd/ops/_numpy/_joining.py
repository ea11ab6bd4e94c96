"""NumPy's functions that join arrays, and that split them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from demograd import Tensor, ops
from demograd.errors import ShapeError
from demograd.operators import cast_to
from demograd.ops._array_api_shapes import concat
from demograd.ops._numpy._arguments import along, axis_of, plain, promoted, tensor
from demograd.ops._numpy._shapes import grown

__all__ = ["JOINING"]


def concatenate(
    arrays: Sequence[Any], /, axis: int | None = 0, *, dtype: Any = None, casting: str = "same_kind"
) -> Tensor:
    given = promoted(arrays)
    if dtype is not None:
        given = [cast_to(x, np.dtype(dtype)) for x in given]
    return concat(given, axis)


def stack(
    arrays: Sequence[Any], axis: int = 0, *, dtype: Any = None, casting: str = "same_kind"
) -> Tensor:
    given = promoted(arrays)
    if dtype is not None:
        given = [cast_to(x, np.dtype(dtype)) for x in given]
    return ops.stack(given, axis)


def _joined(ndim: int, axis: int | None) -> Callable[..., Tensor]:
    def joined(tup: Sequence[Any], *, dtype: Any = None, casting: str = "same_kind") -> Tensor:
        parts = [grown(x, ndim) for x in promoted(tup)]
        place = (0 if parts[0].ndim == 1 else 1) if axis is None else axis
        return concatenate(parts, place, dtype=dtype)

    return joined


def column_stack(tup: Sequence[Any]) -> Tensor:
    parts = promoted(tup)
    return concatenate([x.reshape(-1, 1) if x.ndim < 2 else x for x in parts], 1)


def append(arr: Any, values: Any, axis: int | None = None) -> Tensor:
    x, new = promoted([arr, values])
    return concatenate([x.reshape(-1), new.reshape(-1)] if axis is None else [x, new], axis or 0)


def block(arrays: Any) -> Tensor:
    """Nested lists of blocks, joined along the last dimension inside and the others outside."""
    leaves = promoted(list(_leaves(arrays)))
    depth = _depth(arrays)
    return _blocks(arrays, depth, max(depth, *[x.ndim for x in leaves]), iter(leaves))


def _depth(arrays: Any) -> int:
    return 1 + _depth(arrays[0]) if isinstance(arrays, list) else 0


def _leaves(arrays: Any) -> Iterator[Any]:
    if isinstance(arrays, list):
        for part in arrays:
            yield from _leaves(part)
    else:
        yield arrays


def _blocks(arrays: Any, depth: int, ndim: int, leaves: Iterator[Tensor]) -> Tensor:
    if isinstance(arrays, list):
        return concatenate([_blocks(part, depth - 1, ndim, leaves) for part in arrays], -depth)
    x = next(leaves)
    return x.reshape((*[1] * (ndim - x.ndim), *x.shape))


# Splitting.


def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    x = tensor(ary)
    dim = axis_of("array_split", axis, x)
    # NumPy says where to cut, on the numbers of the layers.
    pieces = np.array_split(np.arange(x.shape[dim]), plain(indices_or_sections))
    starts = [_start(piece, x.shape[dim]) for piece in pieces]
    return [
        x[along(dim, slice(start, start + len(piece)))]
        for start, piece in zip(starts, pieces, strict=True)
    ]


def _start(piece: Any, length: int) -> int:
    return int(piece[0]) if len(piece) else length


def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    x = tensor(ary)
    dim = axis_of("split", axis, x)
    if isinstance(indices_or_sections, int) and x.shape[dim] % indices_or_sections:
        raise ShapeError(
            f"np.split: {indices_or_sections} equal pieces are not possible.",
            [f"x: shape {x.shape}   dimension {dim} has length {x.shape[dim]}"],
        )
    return array_split(x, indices_or_sections, dim)


def _split_along(name: str, axis: int, least: int) -> Callable[..., list[Tensor]]:
    def pieces(ary: Any, indices_or_sections: Any) -> list[Tensor]:
        x = tensor(ary)
        if x.ndim < least:
            raise ShapeError(f"np.{name}: there are too few dimensions.", [f"x: shape {x.shape}"])
        return split(x, indices_or_sections, 0 if name == "hsplit" and x.ndim == 1 else axis)

    return pieces


def unstack(x: Any, /, *, axis: int = 0) -> tuple[Tensor, ...]:
    return tuple(ops.unbind(tensor(x), axis))


JOINING: dict[str, Callable[..., Any]] = {
    "append": append,
    "array_split": array_split,
    "block": block,
    "column_stack": column_stack,
    "concat": concatenate,
    "concatenate": concatenate,
    "dsplit": _split_along("dsplit", 2, 3),
    "dstack": _joined(3, 2),
    "hsplit": _split_along("hsplit", 1, 1),
    "hstack": _joined(1, None),
    "split": split,
    "stack": stack,
    "unstack": unstack,
    "vsplit": _split_along("vsplit", 0, 2),
    "vstack": _joined(2, 0),
}
