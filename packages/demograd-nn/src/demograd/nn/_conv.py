"""Convolutional layers."""

from __future__ import annotations

import math
from typing import Any

import demograd as dg
from demograd import Tensor, ops
from demograd.errors import ArgumentError
from demograd.nn import init
from demograd.nn._module import Module
from demograd.nn._parameter import Parameter
from demograd.nn.functional._operands import check_one_dtype, check_tensors

__all__ = ["Conv2d"]

Pair = int | tuple[int, int]
_PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


def _pair(value: Pair) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


class Conv2d(Module):
    """The convolution of images with trained kernels; see :func:`demograd.ops.conv2d`.

    Weight and bias start uniform in ``±1 / sqrt(C_in kh kw / groups)``.

    Shapes: input ``(N, C_in, H, W)`` or without N, result ``(N, C_out, H', W')`` with
    ``H' = (H + 2 padding - dilation (kh - 1) - 1) // stride + 1``.

    Args:
        in_channels: C_in.
        out_channels: C_out.
        kernel_size: the size of a window.
        stride: by how much it moves.
        padding: what is added at all sides; ``"same"`` keeps the size, ``"valid"`` adds nothing.
        dilation: how far apart the elements of a window are.
        groups: into how many groups the channels are divided; each sees its own inputs only.
        bias: whether a number is added to each output channel.
        padding_mode: what is added: ``"zeros"``, ``"reflect"``, ``"replicate"`` or ``"circular"``.
        device: where the parameters are; the default device if left out.
        dtype: of the parameters; the default type if left out.
            What is a size here is a number, or two for (rows, columns).

    Attributes:
        weight: shape ``(C_out, C_in / groups, kh, kw)``.
        bias: shape ``(C_out,)``, or None.

    Raises:
        ArgumentError: the channels cannot be divided into groups, or a setting is out of range.
        ShapeError: when called, the input has other channels, or is smaller than the kernel.
        DtypeError: when called, the input has another type than the weight.

    Reference: LeCun et al., "Gradient-based learning applied to document recognition", 1998.

    >>> import demograd as dg
    >>> layer = Conv2d(1, 4, kernel_size=3, padding=1)
    >>> layer
    Conv2d(1, 4, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
    >>> layer(dg.ones(2, 1, 8, 8)).shape
    (2, 4, 8, 8)
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        stride: Pair = 1,
        padding: Pair | str = 0,
        dilation: Pair = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise ArgumentError(
                f"Conv2d: the channels cannot be divided into {groups} groups.",
                [f"in_channels: {in_channels}", f"out_channels: {out_channels}"],
            )
        if padding_mode not in _PADDING_MODES:
            raise ArgumentError(
                f"Conv2d: padding_mode is {padding_mode!r}.",
                mend=f"Use one of {', '.join(map(repr, _PADDING_MODES))}.",
            )
        if isinstance(padding, str) and padding not in ("same", "valid"):
            raise ArgumentError(
                f"Conv2d: padding is {padding!r}.", mend='Use "same", "valid" or numbers.'
            )
        if padding == "same" and _pair(stride) != (1, 1):
            raise ArgumentError(
                'Conv2d: padding "same" is for stride 1 only.', [f"stride: {stride}"]
            )
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = _pair(kernel_size)
        self.stride = _pair(stride)
        self.padding = padding if isinstance(padding, str) else _pair(padding)
        self.dilation = _pair(dilation)
        self.groups = groups
        self.padding_mode = padding_mode
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        self.weight = Parameter(dg.empty(shape, device=device, dtype=dtype))
        shift = Parameter(dg.empty(out_channels, device=device, dtype=dtype)) if bias else None
        self.register_parameter("bias", shift)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        # kaiming_uniform with a = sqrt(5) is uniform in ±1 / sqrt(fan_in).
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in = math.prod(self.weight.shape[1:])
            bound = 1.0 / math.sqrt(fan_in) if fan_in else 0.0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        """The convolution of the images."""
        check_tensors("Conv2d", {"input": x})
        check_one_dtype("Conv2d", {"input": x, "weight": self.weight})
        padding = self.padding
        if self.padding_mode != "zeros":
            x = ops.pad(x, self._widths(), self.padding_mode)
            padding = 0, 0
        return ops.conv2d(
            x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups
        )

    def _widths(self) -> list[int]:
        """What is added before and after, the last dimension first, as ``pad`` takes it."""
        if self.padding == "valid":
            return [0, 0, 0, 0]
        if isinstance(self.padding, tuple):
            rows, columns = self.padding
            return [columns, columns, rows, rows]
        reach = [d * (k - 1) for d, k in zip(self.dilation, self.kernel_size, strict=True)]
        return [width for r in reversed(reach) for width in (r // 2, r - r // 2)]

    def extra_repr(self) -> str:
        """The settings that differ from their defaults."""
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}"
        text += f", stride={self.stride}"
        if self.padding != (0, 0):
            text += f", padding={self.padding}"
        if self.dilation != (1, 1):
            text += f", dilation={self.dilation}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text
