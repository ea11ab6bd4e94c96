"""Normalising layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import demograd as dg
from demograd import Tensor
from demograd.errors import ShapeError
from demograd.nn import functional, init
from demograd.nn._module import Module
from demograd.nn._parameter import Parameter

__all__ = ["BatchNorm1d", "BatchNorm2d", "LayerNorm"]


class _BatchNorm(Module):
    """Batch normalisation of channels; a subclass says how many dimensions its input has."""

    dimensions: tuple[int, ...]
    expected: str
    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats

        def empty(wanted: bool) -> Tensor | None:
            return dg.empty(num_features, device=device, dtype=dtype) if wanted else None

        weight, shift = empty(affine), empty(affine and bias)
        self.register_parameter("weight", None if weight is None else Parameter(weight))
        self.register_parameter("bias", None if shift is None else Parameter(shift))
        self.register_buffer("running_mean", empty(track_running_stats))
        self.register_buffer("running_var", empty(track_running_stats))
        count = dg.zeros((), device=device, dtype=dg.int64) if track_running_stats else None
        self.register_buffer("num_batches_tracked", count)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Start the running mean at zero, the running variance at one."""
        if self.running_mean is not None and self.running_var is not None:
            init.zeros_(self.running_mean)
            init.ones_(self.running_var)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Start everything anew: weights of one, biases of zero."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """The input with each channel normalised."""
        if x.ndim not in self.dimensions:
            raise ShapeError(
                f"{type(self).__name__}: the input has {x.ndim} dimensions.",
                [f"input: shape {x.shape}, expected {self.expected}"],
                "x.unsqueeze(0) makes a batch of one sample."
                if x.ndim + 1 in self.dimensions
                else "",
            )
        tracking = self.training and self.track_running_stats
        counter = self.num_batches_tracked if tracking else None
        momentum = self.momentum
        if momentum is None:
            momentum = 0.0 if counter is None else 1.0 / (counter.item() + 1)
        # Without running values the batch's own are taken in evaluation too.
        of_batch = self.training or self.running_mean is None or self.running_var is None
        out = functional.batch_norm(
            x,
            self.running_mean if not self.training or tracking else None,
            self.running_var if not self.training or tracking else None,
            self.weight,
            self.bias,
            of_batch,
            momentum,
            self.eps,
        )
        if counter is not None:
            counter.add_(1)
        return out

    def extra_repr(self) -> str:
        """The settings."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(_BatchNorm):
    """Batch normalisation of features: each channel to mean 0, variance 1.

    ``y = (x - μ) / sqrt(σ² + eps) · weight + bias``. In training μ and σ² are those of the batch,
    and the running ones follow them; in evaluation they are the running ones.

    Shapes: input and result ``(N, C)`` or ``(N, C, L)``.

    Args:
        num_features: C, the number of channels.
        eps: keeps the root from zero.
        momentum: the share of each batch in the running values; None for the mean over all batches.
        affine: whether there are weight and bias.
        track_running_stats: False takes the batch's values in evaluation too.
        bias: whether ``affine`` has a bias.
        device: where parameters and buffers are; the default device if left out.
        dtype: of parameters and buffers; the default type if left out.

    Attributes:
        weight, bias: shape ``(C,)``, or None.
        running_mean, running_var: buffers of shape ``(C,)``, or None.
        num_batches_tracked: a buffer, the number of batches seen in training, or None.

    Raises:
        ShapeError: when called, the input has other dimensions or channels, or in training a
            channel has only one value.

    Reference: Ioffe and Szegedy, "Batch normalization: accelerating deep network training by
    reducing internal covariate shift", ICML 2015.

    >>> import demograd as dg
    >>> layer = BatchNorm1d(2)
    >>> layer(dg.tensor([[1.0, 10.0], [3.0, 30.0]])).detach()
    tensor([[-1.0000, -1.0000],
            [ 1.0000,  1.0000]])
    >>> layer.running_mean
    tensor([0.2000, 2.0000])
    """

    dimensions = (2, 3)
    expected = "(N, C) or (N, C, L)"


class BatchNorm2d(_BatchNorm):
    """Batch normalisation of images: each channel to mean 0, variance 1.

    Arguments, attributes and errors are those of :class:`BatchNorm1d`.

    Shapes: input and result ``(N, C, H, W)``.

    >>> import demograd as dg
    >>> BatchNorm2d(3)(dg.ones(4, 3, 8, 8)).shape
    (4, 3, 8, 8)
    """

    dimensions = (4,)
    expected = "(N, C, H, W)"


class LayerNorm(Module):
    """Layer normalisation: each sample's last dimensions to mean 0, variance 1.

    ``y = (x - μ) / sqrt(σ² + eps) · weight + bias``.

    Shapes: input and result ``(..., *normalized_shape)``.

    Args:
        normalized_shape: the lengths of the last dimensions, or of the last one.
        eps: keeps the root from zero.
        elementwise_affine: whether there are weight and bias.
        bias: whether ``elementwise_affine`` has a bias.
        device: where the parameters are; the default device if left out.
        dtype: of the parameters; the default type if left out.

    Attributes:
        weight, bias: shape ``normalized_shape``, or None.

    Raises:
        ShapeError: when called, the input does not end in ``normalized_shape``.

    Reference: Ba, Kiros and Hinton, "Layer normalization", arXiv:1607.06450.

    >>> import demograd as dg
    >>> LayerNorm(2)(dg.tensor([[1.0, 3.0], [10.0, 30.0]])).detach()
    tensor([[-1.0000,  1.0000],
            [-1.0000,  1.0000]])
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else normalized_shape
        self.normalized_shape = tuple(shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine

        def empty(wanted: bool) -> Parameter | None:
            if not wanted:
                return None
            return Parameter(dg.empty(self.normalized_shape, device=device, dtype=dtype))

        self.register_parameter("weight", empty(elementwise_affine))
        self.register_parameter("bias", empty(elementwise_affine and bias))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start anew: weights of one, biases of zero."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """The input with each sample normalised."""
        return functional.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The settings."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )
