"""In-place changes of mapped tensors: for all samples at once, in the memory that they share.

As for NumPy's arrays, a change is seen by all views. Where the new values have a history outside of
the vmap and the old ones have none, the tensor is given a new array that has one; this is refused
for a tensor of which there are views, which would show the values without their history.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from demograd._backend import backend_of
from demograd._casting import cast_to, clone
from demograd._levels import Level
from demograd._shaping import expand
from demograd._storage import mark_changed, owner
from demograd._tensor import Tensor
from demograd.errors import GradientError, MappingError
from demograd.func._applying import tracked
from demograd.func._batched import Batched, aligned, level_of

__all__ = ["write"]


def write(x: Tensor, values: Any, by: str) -> None:
    """Make a mapped tensor hold other values.

    Raises:
        MappingError: the tensor is the same for all samples, and the values are not; or the values
            have a history that views of the tensor would not have.
        GradientError: the memory cannot be written to.
    """
    data = x._data
    level = data.level
    _refuse_unmapped(data, values, by)
    held = data.value
    _, (_, new), _ = aligned(level, [data, values])
    if isinstance(held, Tensor):
        held.copy_(_as_tensor(new))
    elif tracked(new):
        if x._base is not None or data.is_shared():
            raise MappingError(
                f"{by}: the new values have a gradient outside of vmap, and the tensor shares its "
                "memory with others.",
                [x._describe()],
                "Make a new tensor (x = x + y), or change a copy (x = x.clone()).",
            )
        whole = clone(expand(cast_to(_as_tensor(new), data.dtype), tuple(held.shape)))
        x._data = Batched(level, whole, data.mapped)
    elif type(held) is Batched:
        beneath = Tensor(held)
        write(beneath, new, by)
    elif isinstance(held, np.ndarray):
        if not held.flags.writeable:
            raise GradientError(
                f"{by}: the memory of the tensor is read-only, or shared by repetition.",
                [x._describe()],
                "x = x.clone() has memory of its own.",
            )
        held[...] = new
        mark_changed([owner(held)], by)
    elif data.is_shared():
        raise MappingError(
            f"{by}: the array cannot be written to, and views would not see its replacement.",
            [x._describe()],
            "Make a new tensor (x = x + y), or change a copy (x = x.clone()).",
        )
    else:
        library = backend_of(held)
        spread = library.broadcast_to(library.asarray(new), held.shape)
        x._data = Batched(level, library.astype(spread, held.dtype), data.mapped)


def _refuse_unmapped(data: Batched, values: Any, by: str) -> None:
    """Refuse values that differ from sample to sample where the tensor is one for all."""
    level: Level = data.level
    if level_of((data, values)) is level and (
        type(values) is not Batched or not values.mapped or data.mapped
    ):
        return
    raise unmapped(data.shape, values, by)


def unmapped(shape: tuple[int, ...], values: Batched, by: str) -> MappingError:
    """The error for a tensor that all samples share, and is to hold what each has of its own."""
    return MappingError(
        f"{by}: a tensor that all samples share cannot hold what each has of its own.",
        [
            f"x: shape {shape}, the same for all",
            f"new values: shape {values.shape}, one for each of {values.level.size}",
        ],
        "Make a new tensor (x = x + y), or start from a mapped one, such as dg.zeros_like(y).",
    )


def _as_tensor(x: Any) -> Tensor:
    return x if isinstance(x, Tensor) else Tensor(x)
