"""Pooling layers."""

from __future__ import annotations

from demograd import Tensor, ops
from demograd.nn._module import Module

__all__ = ["AvgPool2d", "MaxPool2d"]

Pair = int | tuple[int, int]


class MaxPool2d(Module):
    """The largest element of each window; see :func:`demograd.ops.max_pool2d`.

    Shapes: ``(N, C, H, W)`` or without N; the result has
    ``H' = (H + 2 padding - dilation (kernel_size - 1) - 1) // stride + 1``.

    Args:
        kernel_size: the size of a window.
        stride: by how much it moves; its size if left out.
        padding: at all sides, with what is smaller than any number; at most half the window.
        dilation: how far apart the elements of a window are.
        ceil_mode: round the size of the result up.
            What is a size here is a number, or two for (rows, columns).

    >>> import demograd as dg
    >>> MaxPool2d(2)(dg.tensor([[[1.0, 2.0], [4.0, 3.0]]]))
    tensor([[[4.]]])
    """

    def __init__(
        self,
        kernel_size: Pair,
        stride: Pair | None = None,
        padding: Pair = 0,
        dilation: Pair = 1,
        *,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.ceil_mode = ceil_mode

    def forward(self, x: Tensor) -> Tensor:
        """The largest of each window."""
        return ops.max_pool2d(
            x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode
        )

    def extra_repr(self) -> str:
        """The settings."""
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class AvgPool2d(Module):
    """The mean of each window; see :func:`demograd.ops.avg_pool2d`.

    Shapes: ``(N, C, H, W)`` or without N; the result has
    ``H' = (H + 2 padding - kernel_size) // stride + 1``.

    Args:
        kernel_size: the size of a window.
        stride: by how much it moves; its size if left out.
        padding: zeros at all sides; at most half the window.
        ceil_mode: round the size of the result up.
        count_include_pad: whether the zeros of the padding count as elements.
        divisor_override: divide each sum by this number instead.
            What is a size here is a number, or two for (rows, columns).

    >>> import demograd as dg
    >>> AvgPool2d(2)(dg.tensor([[[1.0, 2.0], [4.0, 3.0]]]))
    tensor([[[2.5000]]])
    """

    def __init__(
        self,
        kernel_size: Pair,
        stride: Pair | None = None,
        padding: Pair = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, x: Tensor) -> Tensor:
        """The mean of each window."""
        return ops.avg_pool2d(
            x,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )

    def extra_repr(self) -> str:
        """The settings."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"
