"""Windows over images: where they lie, and the memory layout in which they are cheap.

Images come as ``(N, C, H, W)``: batch, channels, rows, columns. The rules of convolution and
pooling work on *rows*, ``(H, C, W, N)``: the batch is innermost, so that a step to the right moves
a whole batch, and every copy, sum and maximum runs over long stretches of memory. That measures
two to ten times as fast as with the batch outermost. A result is handed out as an
``(N, C, H, W)`` view of such memory; what follows elementwise keeps it, and the next layer takes
it as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from demograd import Tensor
from demograd.errors import ArgumentError, ShapeError

__all__ = ["Windows", "as_images", "from_rows", "in_order", "pair", "to_rows"]


class Windows(NamedTuple):
    """Where the windows lie: sizes for (rows, columns)."""

    size: tuple[int, int]
    step: tuple[int, int]
    spacing: tuple[int, int]  # between the elements of a window
    padding: tuple[tuple[int, int], tuple[int, int]]  # (top, bottom), (left, right)
    counts: tuple[int, int]  # how many windows there are

    def taps(self) -> Iterator[tuple[slice, ...]]:
        """For each element of a window: where, in padded rows, all windows have theirs."""
        for i in range(self.size[0]):
            for j in range(self.size[1]):
                yield self.along(0, i), slice(None), self.along(1, j), slice(None)

    def along(self, axis: int, tap: int) -> slice:
        """Along rows (0) or columns (1): where all windows have their element number ``tap``."""
        first = tap * self.spacing[axis]
        return slice(first, first + self.step[axis] * (self.counts[axis] - 1) + 1, self.step[axis])

    def padded(self, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
        """The shape of the padded rows of images of this shape."""
        batch, channels, height, width = shape
        (top, bottom), (left, right) = self.padding
        return top + height + bottom, channels, left + width + right, batch

    @property
    def disjoint(self) -> bool:
        """Whether each element belongs to one window at most."""
        return self.spacing == (1, 1) and all(
            step >= size for step, size in zip(self.step, self.size, strict=True)
        )


def to_rows(xp: Any, x: Any, windows: Windows, fill: float = 0.0) -> Any:
    """Images as padded rows ``(H, C, W, N)``; a view where there is no padding."""
    x = xp.permute_dims(x, (2, 1, 3, 0))
    height, _, width, _ = x.shape
    (top, bottom), (left, right) = windows.padding
    if not (top or bottom or left or right):
        return x
    shape = windows.padded((x.shape[3], x.shape[1], height, width))
    place = (slice(top, top + height), slice(None), slice(left, left + width))
    if fill == 0.0:
        return xp.index_add(shape, place, x)
    return xp.index_set(xp.full(shape, fill, dtype=x.dtype), place, x)


def in_order(xp: Any, x: Any) -> Any:
    """The same elements one after the other in memory; a copy only where they are not."""
    return xp.reshape(xp.reshape(x, (-1,)), x.shape)


def from_rows(xp: Any, rows: Any, windows: Windows | None = None) -> Any:
    """Rows ``(H, C, W, N)`` as images ``(N, C, H, W)``, without the padding of ``windows``."""
    if windows is not None:
        (top, bottom), (left, right) = windows.padding
        inside = slice(top, rows.shape[0] - bottom), slice(None), slice(left, rows.shape[2] - right)
        rows = xp.index(rows, inside)
    return xp.permute_dims(rows, (3, 1, 0, 2))


def pair(operation: str, name: str, value: Any, least: int = 1) -> tuple[int, int]:
    """A size for rows and columns: one number for both, or two."""
    both = (value, value) if isinstance(value, int) else tuple(value)
    both = both * 2 if len(both) == 1 else both
    if len(both) != 2 or not all(isinstance(n, int) and n >= least for n in both):
        raise ArgumentError(
            f"{operation}: {name} is {value!r}.",
            mend=f"Use a whole number from {least}, or two of them for (rows, columns).",
        )
    return both[0], both[1]


def as_images(operation: str, x: Tensor) -> tuple[Tensor, bool]:
    """Images with a batch dimension, and whether it was there."""
    if x.ndim not in (3, 4):
        raise ShapeError(
            f"{operation}: expected images (N, C, H, W) or one image (C, H, W).",
            [f"x: shape {x.shape}"],
        )
    return (x, True) if x.ndim == 4 else (x.reshape((1, *x.shape)), False)
