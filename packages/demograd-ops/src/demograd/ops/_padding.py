"""Elements added around a tensor, or taken away."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from demograd import Tensor
from demograd.autograd import Function
from demograd.errors import ArgumentError, ShapeError
from demograd.ops._arguments import as_tensor
from demograd.ops._gathering import index_select

__all__ = ["Pad", "pad"]

# For each mode, from which element of a dimension of n the place i, outside it, takes its value.
_SOURCES: dict[str, Callable[[Any, int], Any]] = {
    "reflect": lambda i, n: n - 1 - abs(n - 1 - abs(i)),
    "replicate": lambda i, n: np.clip(i, 0, n - 1),
    "circular": lambda i, n: i % n,
}
_LIMITS: dict[str, Callable[[int], float]] = {
    "reflect": lambda n: max(n - 1, 0),
    "replicate": lambda n: math.inf if n else 0,
    "circular": lambda n: n,
}


class Pad(Function):
    """One value around an array: ``widths`` are pairs (before, after), one for each dimension."""

    def forward(self, x: Any, *, widths: Sequence[tuple[int, int]], value: Any) -> Any:
        xp = self.xp
        shape = tuple([a + n + b for n, (a, b) in zip(x.shape, widths, strict=True)])
        self.inside = tuple([slice(a, a + n) for n, (a, _) in zip(x.shape, widths, strict=True)])
        return xp.index_set(xp.full(shape, value, dtype=x.dtype), self.inside, x)

    def backward(self, grad: Any) -> Any:
        return self.xp.index(grad, self.inside)


def pad(
    x: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> Tensor:
    """Elements added at both ends of dimensions; taken away where a number is negative.

    Args:
        x: any shape.
        pad: how many before and after, a pair for each dimension, beginning with the last:
            ``(left, right, top, bottom)``.
        mode: what is added: ``"constant"``; ``"reflect"``, the elements mirrored at the ends,
            which do not repeat; ``"replicate"``, the elements at the ends; ``"circular"``, those
            of the other end.
        value: that of mode ``"constant"``; zero by default.

    Raises:
        ArgumentError: an odd number of widths, an unknown mode, or a value with another mode.
        ShapeError: more pairs than dimensions, more taken away than there is, or more added than
            the mode can.

    >>> pad(Tensor([[1, 2], [3, 4]]), (1, 0))
    tensor([[0, 1, 2],
            [0, 3, 4]])
    >>> pad(Tensor([1, 2, 3]), (2, 1), "reflect")
    tensor([3, 2, 1, 2, 3, 2])
    """
    x, given = as_tensor("pad", x), [int(n) for n in pad]
    if len(given) % 2:
        raise ArgumentError(
            f"pad: the widths come in pairs, but there are {len(given)}.",
            mend="pad(x, (left, right, top, bottom))",
        )
    if mode != "constant" and mode not in _SOURCES:
        raise ArgumentError(
            f"pad: mode is {mode!r}.", mend='Use "constant", "reflect", "replicate" or "circular".'
        )
    if mode != "constant" and value is not None:
        raise ArgumentError(f"pad: mode {mode!r} takes no value.")
    pairs = list(zip(given[::2], given[1::2], strict=True))[::-1]
    if len(pairs) > x.ndim:
        raise ShapeError(
            "pad: there are more pairs of widths than dimensions.",
            [f"x: shape {x.shape}   {x.ndim} dimensions", f"pad: {tuple(given)}"],
        )
    widths = [(0, 0)] * (x.ndim - len(pairs)) + pairs
    if any(n + min(a, 0) + min(b, 0) < 0 for n, (a, b) in zip(x.shape, widths, strict=True)):
        raise ShapeError(
            "pad: more would be taken away than there is.",
            [f"x: shape {x.shape}", f"pad: {tuple(given)}"],
        )
    if any(min(pair) < 0 for pair in widths):
        lengths = zip(x.shape, widths, strict=True)
        x = x[tuple(slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in lengths)]
        widths = [(max(a, 0), max(b, 0)) for a, b in widths]
    if mode == "constant":
        kind = x.dtype.type  # PyTorch rounds the value to the tensor's type
        fill = kind(0 if value is None else value).item()
        out: Tensor = Pad.apply(x, widths=widths, value=fill)
        return out
    for dim, (before, after) in enumerate(widths):
        if before or after:
            _refuse_too_far(x, dim, before, after, mode)
            places = np.arange(-before, x.shape[dim] + after)
            sources = Tensor(_SOURCES[mode](places, x.shape[dim])).to(x.device)
            x = index_select(x, dim, sources)
    return x if any(map(any, widths)) else x.clone()


def _refuse_too_far(x: Tensor, dim: int, before: int, after: int, mode: str) -> None:
    length = x.shape[dim]
    limit = _LIMITS[mode](length)
    if max(before, after) > limit:
        raise ShapeError(
            f"pad: mode {mode!r} can add {limit} elements at most.",
            [
                f"x: shape {x.shape}   dimension {dim} has length {length}",
                f"pad: {before} before and {after} after",
            ],
        )
