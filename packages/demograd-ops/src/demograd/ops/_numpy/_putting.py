"""NumPy's functions that put values into an array, in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from demograd import Tensor, ops
from demograd.errors import GradientError
from demograd.operators import cast_to
from demograd.ops._numpy._arguments import axis_of, plain, tensor
from demograd.ops._numpy._picking import places_along

__all__ = ["PUTTING"]


def _target(name: str, arr: Any, *values: Any) -> Any:
    """The tensor to change; None for an array, which NumPy changes itself."""
    if isinstance(arr, Tensor):
        return arr
    if any(isinstance(v, Tensor) and v.requires_grad for v in values):
        raise GradientError(
            f"np.{name}: the values require a gradient, which an array cannot carry.",
            [f"array of shape {np.shape(arr)}"],
            "Make it a Tensor: x = dg.tensor(x).",
        )
    return None


def copyto(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    x = _target("copyto", dst, src)
    if x is None:
        np.copyto(dst, plain(src), casting=casting, where=plain(where))  # type: ignore[arg-type]
    elif where is True:
        x.copy_(src)
    else:
        mask = np.broadcast_to(np.asarray(plain(where), dtype=bool), x.shape)
        x[mask] = ops.broadcast_to(cast_to(tensor(src), x.dtype), x.shape)[mask]


def put(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    x = _target("put", a, v)
    if x is None:
        np.put(a, plain(ind), plain(v), mode=mode)  # type: ignore[arg-type]
        return
    places = np.asarray(plain(ind)).reshape(-1)
    if mode == "wrap":
        places = places % x.numel()
    elif mode == "clip":
        places = np.clip(places, 0, x.numel() - 1)
    values = tensor(v).reshape(-1)
    x[np.unravel_index(places % x.numel(), x.shape)] = cast_to(
        values[np.arange(len(places)) % values.numel()], x.dtype
    )


def place(arr: Any, mask: Any, vals: Any) -> None:
    x = _target("place", arr, vals)
    if x is None:
        np.place(arr, plain(mask), plain(vals))
        return
    chosen = np.asarray(plain(mask), dtype=bool)
    values = tensor(vals).reshape(-1)
    x[chosen] = cast_to(values[np.arange(chosen.sum()) % values.numel()], x.dtype)


def putmask(a: Any, /, mask: Any, values: Any) -> None:
    x = _target("putmask", a, values)
    if x is None:
        np.putmask(a, plain(mask), plain(values))
        return
    chosen = np.broadcast_to(np.asarray(plain(mask), dtype=bool), x.shape)
    given = tensor(values).reshape(-1)
    numbers = np.arange(x.numel()).reshape(x.shape)[chosen] % given.numel()
    x[chosen] = cast_to(given[numbers], x.dtype)


def put_along_axis(arr: Any, indices: Any, values: Any, axis: int | None) -> None:
    x = _target("put_along_axis", arr, values)
    if x is None:
        np.put_along_axis(arr, plain(indices), plain(values), axis)
        return
    where = np.asarray(plain(indices))
    if axis is None:
        places = where
    else:
        places = places_along(x, where, axis_of("put_along_axis", axis, x))
    new = ops.broadcast_to(cast_to(tensor(values), x.dtype), places.shape)
    x[np.unravel_index(places, x.shape)] = new


def fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    x = _target("fill_diagonal", a, val)
    if x is None:
        np.fill_diagonal(a, plain(val), wrap)
        return
    marks = np.zeros(x.shape, dtype=bool)
    np.fill_diagonal(marks, True, wrap)
    values = tensor(val).reshape(-1)
    x[marks] = cast_to(values[np.arange(marks.sum()) % values.numel()], x.dtype)


PUTTING: dict[str, Callable[..., Any]] = {
    "copyto": copyto,
    "fill_diagonal": fill_diagonal,
    "place": place,
    "put": put,
    "put_along_axis": put_along_axis,
    "putmask": putmask,
}
