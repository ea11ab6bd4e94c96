"""Convolution of images: three Functions that are each other's derivatives.

``y = conv(x, w)`` is linear in either operand, so there are three products of two of x, w and y
that lead to the third: ``Conv2d`` makes y, ``Conv2dInput`` the gradient of x, and ``Conv2dWeight``
that of w. The derivative of each is made of the two others, to any order.

All of them are matrix products over rows of windows. A copy of the image in which only the
columns of each window are laid out, ``kw`` times the image, is enough: the rows of a window then
follow one another in memory, and the matrix that BLAS takes for each row of windows is a view.

Reference: Cho and Brand, "MEC: memory-efficient convolution for deep neural network", ICML 2017.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from demograd import Tensor, result_type
from demograd.autograd import Function
from demograd.errors import ArgumentError, ShapeError
from demograd.operators import as_operand, cast_to
from demograd.ops._arguments import as_tensor
from demograd.ops._windows import Windows, as_images, from_rows, in_order, pair, to_rows

__all__ = ["Conv2d", "Conv2dInput", "Conv2dWeight", "conv2d"]


class Conv2d(Function):
    """``y[n, o, h, w] = b[o] + sum over c, i, j of w[o, c, i, j] x[n, c, h s + i d, w s + j d]``.

    With step s and spacing d, on the padded x; the channels c are those of the group of o.
    """

    def forward(self, x: Any, w: Any, bias: Any, *, windows: Windows, groups: int) -> Any:
        xp = self.xp
        x_needed, w_needed, _ = self.needs_input_grad
        self.save_for_backward(x if w_needed else None, w if x_needed else None)
        self.windows, self.groups = windows, groups
        self.x_shape, self.w_shape = x.shape, w.shape
        columns = _columns(xp, to_rows(xp, x, windows), windows, groups)
        out = _matrix(xp, w, groups) @ columns
        if bias is not None:
            out += xp.reshape(bias, (groups, -1, 1))
        height, width = windows.counts
        return from_rows(xp, xp.reshape(out, (height, w.shape[0], width, x.shape[0])))

    def backward(self, grad: Any) -> Any:
        x, w = map(as_operand, self.saved_tensors)
        x_needed, w_needed, bias_needed = self.needs_input_grad
        bias_grad = _sum_by_output(self.xp, grad) if bias_needed else None
        grad = as_operand(grad)
        settings: dict[str, Any] = {"windows": self.windows, "groups": self.groups}
        return (
            Conv2dInput.apply(grad, w, shape=self.x_shape, **settings) if x_needed else None,
            Conv2dWeight.apply(x, grad, shape=self.w_shape, **settings) if w_needed else None,
            bias_grad,
        )


class Conv2dInput(Function):
    """From the gradient of ``conv(x, w)``, and w, the gradient of x."""

    def forward(
        self, grad: Any, w: Any, *, shape: tuple[int, ...], windows: Windows, groups: int
    ) -> Any:
        xp = self.xp
        grad_needed, w_needed = self.needs_input_grad
        self.save_for_backward(grad if w_needed else None, w if grad_needed else None)
        self.windows, self.groups, self.w_shape = windows, groups, w.shape
        batch, channels, height, width = shape
        (top, _), (left, right) = windows.padding
        kernel_rows, kernel_columns = windows.size
        count = windows.counts[1]
        seen = _by_group(xp, grad, groups)
        # For each row of the kernel, (group, channels * kernel columns, outputs).
        w = xp.permute_dims(_split_groups(xp, w, groups), (3, 0, 2, 4, 1))
        w = xp.reshape(w, (kernel_rows, groups, channels // groups * kernel_columns, w.shape[-1]))

        padded = (height, channels, left + width + right, batch)

        def parts() -> Iterator[tuple[Any, Any]]:
            # Nothing at no place: all that there is where the windows see nothing but padding.
            yield (slice(0), ...), xp.zeros((0, *padded[1:]), dtype=grad.dtype)
            for h in range(height):
                # A row of x was seen through row i of the kernel by one row of windows, or by none.
                taps = [(i, *divmod(top + h - i * windows.spacing[0], windows.step[0]))
                        for i in reversed(range(kernel_rows))]  # fmt: skip
                taps = [tap for tap in taps if tap[2] == 0 and 0 <= tap[1] < windows.counts[0]]
                if not taps:
                    continue
                # Side by side, so that the matrix product sums over them.
                part = xp.index(seen, _evenly([place for _, place, _ in taps]))
                kernel = xp.concat([xp.index(w, i) for i, _, _ in taps], axis=-1)
                part = xp.permute_dims(part, (1, 0, 2, 3))
                wide = kernel @ xp.reshape(part, (groups, kernel.shape[-1], count * batch))
                wide = xp.reshape(wide, (channels, kernel_columns, count, batch))
                for j in range(kernel_columns):
                    place = h, slice(None), windows.along(1, j), slice(None)
                    yield place, xp.index(wide, (slice(None), j))

        rows = xp.overlap_add(padded, parts())
        if left or right:
            rows = xp.index(rows, (slice(None), slice(None), slice(left, left + width)))
        return from_rows(xp, rows)

    def backward(self, outer: Any) -> Any:
        grad, w = map(as_operand, self.saved_tensors)
        outer = as_operand(outer)
        grad_needed, w_needed = self.needs_input_grad
        settings: dict[str, Any] = {"windows": self.windows, "groups": self.groups}
        return (
            Conv2d.apply(outer, w, None, **settings) if grad_needed else None,
            Conv2dWeight.apply(outer, grad, shape=self.w_shape, **settings) if w_needed else None,
        )


class Conv2dWeight(Function):
    """From x and the gradient of ``conv(x, w)`` the gradient of w."""

    def forward(
        self, x: Any, grad: Any, *, shape: tuple[int, ...], windows: Windows, groups: int
    ) -> Any:
        xp = self.xp
        x_needed, grad_needed = self.needs_input_grad
        self.save_for_backward(x if grad_needed else None, grad if x_needed else None)
        self.windows, self.groups, self.x_shape = windows, groups, x.shape
        columns = _columns(xp, to_rows(xp, x, windows), windows, groups)
        seen = xp.matrix_transpose(_by_group(xp, grad, groups))
        # Row by row: one product with all rows would hold a gradient of w for each.
        total = xp.index(columns, 0) @ xp.index(seen, 0)
        for row in range(1, windows.counts[0]):
            total += xp.index(columns, row) @ xp.index(seen, row)
        outputs, channels, height, width = shape
        total = xp.reshape(total, (groups, height, channels, width, outputs // groups))
        return xp.reshape(xp.permute_dims(total, (0, 4, 2, 1, 3)), shape)

    def backward(self, outer: Any) -> Any:
        x, grad = map(as_operand, self.saved_tensors)
        outer = as_operand(outer)
        x_needed, grad_needed = self.needs_input_grad
        settings: dict[str, Any] = {"windows": self.windows, "groups": self.groups}
        return (
            Conv2dInput.apply(grad, outer, shape=self.x_shape, **settings) if x_needed else None,
            Conv2d.apply(x, outer, None, **settings) if grad_needed else None,
        )


def _columns(xp: Any, rows: Any, windows: Windows, groups: int) -> Any:
    """``(windows down, groups, elements of a window, windows across * batch)`` of padded rows.

    The elements of a window stand in the order (kernel row, channel, kernel column).
    """
    (kernel_rows, kernel_columns), (down, across) = windows.size, windows.step
    # What is not in order in memory would be slow to read, once for each window that it is in.
    wide = xp.windows(in_order(xp, rows), 2, kernel_columns, across, windows.spacing[1])
    wide = xp.permute_dims(wide, (0, 1, 3, 2, 4))
    height, channels, _, count, batch = wide.shape
    # The only copy, unless there are several groups or the kernel's rows are spaced.
    wide = in_order(xp, wide)
    wide = xp.reshape(wide, (height, groups, channels // groups * kernel_columns, count * batch))
    tall = xp.windows(wide, 0, kernel_rows, down, windows.spacing[0])
    tall = xp.permute_dims(tall, (0, 2, 1, 3, 4))
    size = kernel_rows * wide.shape[2]
    return xp.reshape(tall, (windows.counts[0], groups, size, count * batch))


def _split_groups(xp: Any, w: Any, groups: int) -> Any:
    """``(outputs, channels, ...)`` as ``(groups, outputs of a group, channels, ...)``."""
    return xp.reshape(w, (groups, w.shape[0] // groups, *w.shape[1:]))


def _matrix(xp: Any, w: Any, groups: int) -> Any:
    """The kernel as ``(groups, outputs of a group, elements of a window)``."""
    w = xp.permute_dims(_split_groups(xp, w, groups), (0, 1, 3, 2, 4))
    return xp.reshape(w, (groups, w.shape[1], w.shape[2] * w.shape[3] * w.shape[4]))


def _by_group(xp: Any, grad: Any, groups: int) -> Any:
    """``(N, outputs, H, W)`` as ``(H, groups, outputs of a group, W * N)``."""
    batch, outputs, height, width = grad.shape
    rows = xp.permute_dims(grad, (2, 1, 3, 0))
    return xp.reshape(rows, (height, groups, outputs // groups, width * batch))


def _sum_by_output(xp: Any, grad: Any) -> Any:
    """The sum over all but the output channels, as a matrix product: that is the fastest."""
    batch, outputs, height, width = grad.shape
    rows = xp.reshape(xp.permute_dims(grad, (2, 1, 3, 0)), (height, outputs, width * batch))
    each = rows @ xp.reshape(xp.ones_like(xp.index(rows, (0, 0))), (width * batch, 1))
    return xp.reshape(xp.sum(each, axis=0), (outputs,))


def _evenly(places: list[int]) -> slice:
    """Rising places that are evenly apart, as a slice: it takes a view."""
    return slice(places[0], places[-1] + 1, places[1] - places[0] if places[1:] else 1)


def conv2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] | str = 0,
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
) -> Tensor:
    """The convolution of images with a kernel (which is not turned round: a correlation).

    ``y[n, o, h, w] = b[o] + sum over c, i, j of weight[o, c, i, j] x[n, c, h s + i d, w s + j d]``
    with bias b, stride s and dilation d, on x padded with zeros.

    Shapes: x ``(N, C, H, W)`` or ``(C, H, W)``, weight ``(O, C / groups, kh, kw)``, bias ``(O,)``;
    y ``(N, O, H', W')`` with ``H' = (H + 2 padding - dilation (kh - 1) - 1) // stride + 1``.

    Args:
        x: images.
        weight: the kernel.
        bias: added to each output channel.
        stride: by how much the window moves.
        padding: zeros at all sides; ``"same"`` for as many as keep the size (with stride 1 only),
            ``"valid"`` for none.
        dilation: how far apart the elements of the window are.
        groups: into how many groups the channels are divided; each sees its own inputs only.
            Except for the padding, what is a number here may be two, for (rows, columns).

    Raises:
        ShapeError: the channels, the bias or the sizes do not fit.
        ArgumentError: a setting is not positive, or ``"same"`` is used with another stride.

    Reference: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016.

    >>> x = Tensor([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]]])
    >>> conv2d(x, Tensor([[[[1.0, 0.0], [0.0, -1.0]]]]))
    tensor([[[[-4., -4.],
              [-4., -4.]]]])
    """
    x, batched = as_images("conv2d", as_tensor("conv2d", x))
    weight = as_tensor("conv2d", weight)
    operands = [x, weight] if bias is None else [x, weight, as_tensor("conv2d", bias)]
    _check(x, weight, bias, groups)
    windows = _windows(x, weight, stride, padding, dilation)
    dtype = result_type(*operands)
    # The bias is there or not; Conv2d takes None where it is not.
    given = [cast_to(operand, dtype) for operand in operands] + [None] * (bias is None)
    out: Tensor = Conv2d.apply(*given, windows=windows, groups=groups)
    return out if batched else out.reshape(out.shape[1:])


def _way_out(shape: tuple[int, ...], channels: int) -> str:
    """For images whose channels come last, and for a batch of images without that dimension."""
    n, c, h, w = shape
    if w == channels:
        return f"x.permute(0, 3, 1, 2) would fit: {(n, w, c, h)}, the channels before the rows."
    if n == 1 and channels == 1:
        return f"x.reshape{(c, 1, h, w)} would fit: a batch of images of one channel."
    return ""


def _check(x: Tensor, weight: Tensor, bias: Tensor | None, groups: int) -> None:
    if weight.ndim != 4:
        raise ShapeError(
            "conv2d: a kernel has four dimensions, (O, C / groups, kh, kw).",
            [f"weight: shape {weight.shape}"],
        )
    channels, outputs = x.shape[1], weight.shape[0]
    if groups < 1 or outputs % groups or channels % groups:
        raise ArgumentError(
            f"conv2d: the channels cannot be divided into {groups} groups.",
            [f"x: {channels} channels", f"weight: {outputs} output channels"],
        )
    if channels != weight.shape[1] * groups:
        each = f" in each of {groups} groups" if groups > 1 else ""
        raise ShapeError(
            "conv2d: the kernel is for another number of channels.",
            [
                f"x: shape {x.shape}   {channels} channels",
                f"weight: shape {weight.shape}   {weight.shape[1]} channels{each}",
            ],
            _way_out(x.shape, weight.shape[1] * groups)
            or f"A kernel of shape {(outputs, channels // groups, *weight.shape[2:])} would fit.",
        )
    if bias is not None and bias.shape != (outputs,):
        raise ShapeError(
            "conv2d: the bias needs one element for each output channel.",
            [f"bias: shape {bias.shape}", f"weight: shape {weight.shape}"],
        )


def _windows(x: Tensor, weight: Tensor, stride: Any, padding: Any, dilation: Any) -> Windows:
    size = weight.shape[2], weight.shape[3]
    step, spacing = pair("conv2d", "stride", stride), pair("conv2d", "dilation", dilation)
    span = [d * (k - 1) + 1 for d, k in zip(spacing, size, strict=True)]
    if padding == "same":
        if step != (1, 1):
            raise ArgumentError('conv2d: padding "same" is for stride 1 only.')
        # Where the number is odd, the last side gets one more, as in PyTorch.
        top, left = (span[0] - 1) // 2, (span[1] - 1) // 2
        around = ((top, span[0] - 1 - top), (left, span[1] - 1 - left))
    else:
        both = pair("conv2d", "padding", 0 if padding == "valid" else padding, 0)
        around = ((both[0], both[0]), (both[1], both[1]))
    lengths = [n + sum(p) for n, p in zip(x.shape[2:], around, strict=True)]
    if min(size) < 1 or any(n < s for n, s in zip(lengths, span, strict=True)):
        raise ShapeError(
            "conv2d: the kernel is larger than the padded images.",
            [
                f"x: shape {x.shape}   padded to {lengths[0]} x {lengths[1]}",
                f"weight: shape {weight.shape}   reaches over {span[0]} x {span[1]}",
            ],
        )
    counts = [(n - s) // t + 1 for n, s, t in zip(lengths, span, step, strict=True)]
    return Windows(size, step, spacing, around, (counts[0], counts[1]))
