"""Pooling of images: the largest, or the mean, of each window."""

from __future__ import annotations

import functools
import math
import operator
from typing import Any

import numpy as np

from demograd import Tensor
from demograd.autograd import Function
from demograd.errors import ArgumentError, DtypeError, ShapeError
from demograd.operators import as_operand
from demograd.ops._arguments import as_tensor
from demograd.ops._masking import keep
from demograd.ops._windows import Windows, as_images, from_rows, in_order, pair, to_rows

__all__ = [
    "AvgPool2d", "AvgPool2dInput", "MaxPool2d", "MaxPool2dInput", "MaxPool2dPick", "avg_pool2d",
    "max_pool2d",
]  # fmt: skip


class MaxPool2d(Function):
    """The largest of each window, the first of equal ones; the gradient goes where it stands."""

    def forward(self, x: Any, *, windows: Windows, least: float) -> Any:
        xp = self.xp
        rows = to_rows(xp, x, windows, least)
        if windows.size == (1, 1):
            rows = xp.asarray(rows, copy=True)  # nothing below makes a new array then
        if not self.needs_input_grad[0]:
            taps = [xp.index(rows, tap) for tap in windows.taps()]
            return from_rows(xp, functools.reduce(xp.maximum, taps[1:], taps[0]))
        self.windows, self.shape = windows, x.shape
        # Row by row first: of equal elements that stand in one row, the one to the left counts.
        largest, number = _largest(xp, rows, None, 1, windows)
        largest, number = _largest(xp, largest, number, 0, windows)
        self.save_for_backward(number)
        return from_rows(xp, largest)

    def backward(self, grad: Any) -> Any:
        (number,) = self.saved_tensors
        return MaxPool2dInput.apply(
            as_operand(grad), number, shape=self.shape, windows=self.windows
        )


class MaxPool2dInput(Function):
    """From the gradient of the largest elements, and their numbers, that of the images."""

    def forward(self, grad: Any, number: Any, *, shape: tuple[int, ...], windows: Windows) -> Any:
        xp = self.xp
        self.windows = windows
        self.save_for_backward(number)
        # In order, for it is read once for each element of a window.
        grad = in_order(xp, xp.permute_dims(grad, (2, 1, 3, 0)))
        rows = xp.overlap_add(
            windows.padded(shape),
            ((tap, keep(xp, number == k, grad)) for k, tap in enumerate(windows.taps())),
            disjoint=windows.disjoint,
        )
        return from_rows(xp, rows, windows)

    def backward(self, outer: Any) -> Any:
        (number,) = self.saved_tensors
        return MaxPool2dPick.apply(as_operand(outer), number, windows=self.windows), None


class MaxPool2dPick(Function):
    """Of each window the element with the given number: what ``MaxPool2dInput`` undoes."""

    def forward(self, x: Any, number: Any, *, windows: Windows) -> Any:
        xp = self.xp
        self.windows, self.shape = windows, x.shape
        self.save_for_backward(number)
        rows = to_rows(xp, x, windows)
        picked = [
            keep(xp, number == k, xp.index(rows, tap)) for k, tap in enumerate(windows.taps())
        ]
        return from_rows(xp, functools.reduce(operator.add, picked))

    def backward(self, outer: Any) -> Any:
        (number,) = self.saved_tensors
        outer = as_operand(outer)
        return MaxPool2dInput.apply(outer, number, shape=self.shape, windows=self.windows), None


def _largest(xp: Any, x: Any, number: Any, axis: int, windows: Windows) -> tuple[Any, Any]:
    """The largest element of windows along one axis of rows, and its number in the window.

    Args:
        x: rows ``(H, C, W, N)``.
        number: what each element of x is numbered by itself; None for 0.
        axis: 0 for windows down, 1 for windows across.
        windows: where they lie.
    """
    # Bytes, in which arithmetic is modulo 256: the differences below may be negative.
    kind = xp.uint8 if math.prod(windows.size) <= 256 else xp.int64
    factor = windows.size[1] if axis == 0 else 1
    best: Any = None
    best_number: Any = None
    for tap in range(windows.size[axis]):
        place = (slice(None),) * (2 * axis) + (windows.along(axis, tap),)
        other = xp.index(x, place)
        if number is None:
            other_number: Any = xp.full((1,) * 4, tap, dtype=kind)
        else:
            other_number = xp.index(number, place) + xp.asarray(factor * tap, dtype=kind)
        if tap == 0:
            best, best_number = other, other_number
            continue
        # A NaN is the largest: nothing is below it, and after one nothing is larger.
        won = xp.astype(~(other <= best) & (best == best), kind)
        best = xp.maximum(best, other)
        # Not `where`, which takes a branch at each element.
        best_number = best_number + won * (other_number - best_number)
    return best, xp.broadcast_to(best_number, best.shape)


class AvgPool2d(Function):
    """The sum of each window over ``divisor``: one number, or one for each window."""

    def forward(self, x: Any, *, windows: Windows, divisor: Any) -> Any:
        xp = self.xp
        self.windows, self.divisor, self.shape = windows, divisor, x.shape
        rows = to_rows(xp, x, windows)
        total = functools.reduce(operator.add, [xp.index(rows, tap) for tap in windows.taps()])
        return from_rows(xp, total / _like(xp, divisor, total))

    def backward(self, grad: Any) -> Any:
        settings: dict[str, Any] = {"windows": self.windows, "divisor": self.divisor}
        return AvgPool2dInput.apply(as_operand(grad), shape=self.shape, **settings)


class AvgPool2dInput(Function):
    """From the gradient of the means, that of the images: each element gets an equal share."""

    def forward(self, grad: Any, *, shape: tuple[int, ...], windows: Windows, divisor: Any) -> Any:
        xp = self.xp
        self.windows, self.divisor = windows, divisor
        share = xp.permute_dims(grad, (2, 1, 3, 0)) / _like(xp, divisor, grad)
        rows = xp.overlap_add(windows.padded(shape), ((tap, share) for tap in windows.taps()))
        return from_rows(xp, rows, windows)

    def backward(self, outer: Any) -> Any:
        return AvgPool2d.apply(as_operand(outer), windows=self.windows, divisor=self.divisor)


def _like(xp: Any, divisor: Any, x: Any) -> Any:
    """The divisor as a number, or as an array of the library and type of ``x``."""
    return divisor if isinstance(divisor, int) else xp.asarray(divisor, dtype=x.dtype)


def max_pool2d(
    x: Tensor,
    kernel_size: int | tuple[int, int],
    stride: int | tuple[int, int] | None = None,
    padding: int | tuple[int, int] = 0,
    dilation: int | tuple[int, int] = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """The largest element of each window; the gradient goes to the first of equal ones.

    Shapes: x ``(N, C, H, W)`` or ``(C, H, W)``; the result ``(N, C, H', W')`` with
    ``H' = (H + 2 padding - dilation (kernel_size - 1) - 1) // stride + 1``.

    Args:
        x: images.
        kernel_size: the size of a window.
        stride: by how much it moves; by default its size.
        padding: at all sides, with what is smaller than any number; at most half the window.
        dilation: how far apart the elements of a window are.
        ceil_mode: round the size of the result up: a last window may reach beyond the image.
            What is a number here may be two, for (rows, columns).

    Raises:
        ShapeError: there is no whole window in the images.
        ArgumentError: a setting is not positive, or the padding more than half the window.

    >>> max_pool2d(Tensor([[[1.0, 2.0], [4.0, 3.0]]]), 2)
    tensor([[[4.]]])
    """
    x, batched = as_images("max_pool2d", as_tensor("max_pool2d", x))
    windows = _windows("max_pool2d", x, kernel_size, stride, padding, dilation, ceil_mode)
    least = -math.inf if x.dtype.kind == "f" else int(np.iinfo(x.dtype).min)
    out: Tensor = MaxPool2d.apply(x, windows=windows, least=least)
    return out if batched else out.reshape(out.shape[1:])


def avg_pool2d(
    x: Tensor,
    kernel_size: int | tuple[int, int],
    stride: int | tuple[int, int] | None = None,
    padding: int | tuple[int, int] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window.

    Shapes: x ``(N, C, H, W)`` or ``(C, H, W)``; the result ``(N, C, H', W')`` with
    ``H' = (H + 2 padding - kernel_size) // stride + 1``.

    Args:
        x: images.
        kernel_size: the size of a window.
        stride: by how much it moves; by default its size.
        padding: zeros at all sides; at most half the window.
        ceil_mode: round the size of the result up: a last window may reach beyond the padding,
            and what is there is not counted.
        count_include_pad: whether the zeros of the padding count as elements.
        divisor_override: divide each sum by this number instead.
            What is a number here may be two, for (rows, columns).

    Raises:
        ShapeError: there is no whole window in the images.
        ArgumentError: a setting is not positive, or the padding more than half the window.
        DtypeError: the images are not of floats.

    >>> avg_pool2d(Tensor([[[1.0, 2.0], [4.0, 3.0]]]), 2)
    tensor([[[2.5000]]])
    """
    x, batched = as_images("avg_pool2d", as_tensor("avg_pool2d", x))
    if x.dtype.kind != "f":
        raise DtypeError(
            "avg_pool2d: the mean of integers is not one of them.",
            [f"x: shape {x.shape}, dtype {x.dtype}"],
            "x.float() makes floats of it.",
        )
    windows = _windows("avg_pool2d", x, kernel_size, stride, padding, 1, ceil_mode)
    if divisor_override is not None and divisor_override == 0:
        raise ArgumentError("avg_pool2d: divisor_override is 0.")
    divisor: Any = divisor_override or math.prod(windows.size)
    around = pair("avg_pool2d", "padding", padding, 0)
    if divisor_override is None and (ceil_mode or (any(around) and not count_include_pad)):
        rows, columns = (
            _counted(windows, axis, x.shape[2 + axis], around[axis], count_include_pad)
            for axis in (0, 1)
        )
        divisor = (rows[:, None] * columns)[:, None, :, None]
    out: Tensor = AvgPool2d.apply(x, windows=windows, divisor=divisor)
    return out if batched else out.reshape(out.shape[1:])


def _counted(windows: Windows, axis: int, length: int, around: int, with_padding: bool) -> Any:
    """How many elements of each window count along an axis."""
    reach = around if with_padding else 0
    first = np.arange(windows.counts[axis]) * windows.step[axis] - around
    last = first + windows.size[axis]
    return np.minimum(last, length + reach) - np.maximum(first, -reach)


def _windows(
    operation: str, x: Tensor, size: Any, stride: Any, padding: Any, dilation: Any, ceil: bool
) -> Windows:
    lengths = pair(operation, "kernel_size", size)
    step = lengths if stride is None else pair(operation, "stride", stride)
    spacing = pair(operation, "dilation", dilation)
    around = pair(operation, "padding", padding, 0)
    span = [d * (k - 1) + 1 for d, k in zip(spacing, lengths, strict=True)]
    if any(p > k // 2 for p, k in zip(around, lengths, strict=True)):
        raise ArgumentError(
            f"{operation}: the padding is more than half the window.",
            [f"padding: {around}", f"kernel_size: {lengths}"],
        )
    counts, ends = [], []
    for n, p, s, t in zip(x.shape[2:], around, span, step, strict=True):
        free = n + 2 * p - s
        count = (free + (t - 1 if ceil else 0)) // t + 1
        # A window that would begin in the padding at the end is left out, as in PyTorch.
        count -= bool(ceil and (count - 1) * t >= n + p)
        counts.append(count)
        ends.append(p + max((count - 1) * t - free, 0))
    if min(counts) < 1:
        raise ShapeError(
            f"{operation}: the window is larger than the padded images.",
            [
                f"x: shape {x.shape}, padded by {around}",
                f"window: reaches over {span[0]} x {span[1]}",
            ],
        )
    pads = (around[0], ends[0]), (around[1], ends[1])
    return Windows(lengths, step, spacing, pads, (counts[0], counts[1]))
