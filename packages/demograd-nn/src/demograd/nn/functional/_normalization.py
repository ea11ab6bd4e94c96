"""Values brought to mean 0 and variance 1 over a batch, and vectors to length 1."""

from __future__ import annotations

import math
from typing import Any

from demograd import Function, Tensor, no_grad, ops
from demograd.errors import ArgumentError, ShapeError
from demograd.nn.functional._operands import check_one_dtype, check_tensors

__all__ = ["Standardize", "batch_norm", "normalize"]

_CHANNELS = ("running_mean", "running_var", "weight", "bias")


class Standardize(Function):
    """``w (x - μ) / sqrt(σ² + eps) + b`` over some dimensions; the outputs are that, μ and σ².

    With ``r = 1 / sqrt(σ² + eps)``, ``z = (x - μ) r``, ``h = g w``, ``n`` the number of values that
    share a mean, and overlines for means over them::

        dx = r (h - h̅ - z (h z)̅) + (g_μ + 2 g_σ² z / r) / n      dw = g z      db = g

    because ``dμ/dx = 1 / n`` and ``dσ²/dx = 2 (x - μ) / n = 2 z / (r n)``. Kept are x and the small
    μ and σ², and z is computed again; w and b may be None.

    Reference: Ioffe and Szegedy, "Batch normalization", ICML 2015, section 3.
    """

    def forward(self, x: Any, weight: Any, bias: Any, *, dims: tuple[int, ...], eps: float) -> Any:
        xp = self.xp
        self.dims, self.eps = dims, eps
        self.count = math.prod([x.shape[i] for i in dims])
        mean = xp.mean(x, axis=dims, keepdims=True)
        out = x - mean
        variance = xp.mean(out * out, axis=dims, keepdims=True)
        # In place, here and below: to find fresh memory takes longer than to compute.
        out *= (variance + eps) ** -0.5
        if weight is not None:
            out *= weight
        if bias is not None:
            out += bias
        self.save_for_backward(x, weight, mean, variance)
        return out, mean, variance

    def backward(self, grad: Any, mean_grad: Any, variance_grad: Any) -> Any:
        x, weight, mean, variance = self.saved_tensors
        xp, dims, n = self.xp, self.dims, self.count
        x_needed, weight_needed, bias_needed = self.needs_input_grad
        r = (variance + self.eps) ** -0.5
        z = (x - mean) * r
        weight_grad = grad * z if weight_needed else None
        x_grad = None
        if x_needed:
            h = grad if weight is None else grad * weight
            # What all values of one mean share is gathered before it meets the large arrays.
            along = variance_grad * (2 / n) / r - xp.mean(h * z, axis=dims, keepdims=True) * r
            shift = mean_grad / n - xp.mean(h, axis=dims, keepdims=True) * r
            x_grad = h * r
            x_grad += z * along
            x_grad += shift
        return x_grad, weight_grad, grad if bias_needed else None


def _check_operands(operation: str, input: Any, *others: Any) -> None:
    """All of them Tensors of floats, and of one type."""
    operands = {"input": input}
    operands |= {n: x for n, x in zip(_CHANNELS, others, strict=True) if x is not None}
    check_tensors(operation, operands)
    check_one_dtype(operation, operands)


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """``(x - μ) / sqrt(σ² + eps) · weight + bias`` for each channel.

    In training μ and σ² are the batch's, and the running ones move towards them, in place:
    ``running = (1 - momentum) running + momentum batch``, with the variance unbiased there.
    Otherwise they are the running ones.

    Shapes: input and result ``(N, C)`` or ``(N, C, d1, ...)``; all others ``(C,)``.

    Args:
        input: floats.
        running_mean, running_var: may be None in training.
        weight, bias: a factor and a summand for each channel, or None.
        training: take the batch's mean and variance.
        momentum: the share of the batch in the running values, from 0 to 1.
        eps: keeps the root from zero.

    Raises:
        ShapeError: there is no channel dimension, something is not ``(C,)``, or a channel has only
            one value in training.
        DtypeError: the operands are not floats of one type.
        ArgumentError: not in training, and there are no running values.

    Reference: Ioffe and Szegedy, "Batch normalization", ICML 2015.

    >>> import demograd as dg
    >>> batch_norm(dg.tensor([[1.0], [3.0]]), None, None, training=True)
    tensor([[-1.0000],
            [ 1.0000]])
    """
    _check_channels(input, running_mean, running_var, weight, bias)
    view = (1, -1, *[1] * (input.ndim - 2))
    w = None if weight is None else weight.reshape(view)
    b = None if bias is None else bias.reshape(view)
    if training:
        dims = (0, *range(2, input.ndim))
        count = math.prod([input.shape[i] for i in dims])
        if count == 1:
            raise ShapeError(
                "batch_norm: a channel has one value, and one value has no variance.",
                [f"input: shape {input.shape}   training"],
                "Give at least two samples (DataLoader(..., drop_last=True) leaves out a last "
                "batch of one), or switch to model.eval().",
            )
        out: Tensor
        out, mean, variance = Standardize.apply(input, w, b, dims=dims, eps=eps)
        with no_grad():
            if running_mean is not None:
                _move(running_mean, mean.reshape(-1), momentum)
            if running_var is not None:
                _move(running_var, variance.reshape(-1) * (count / (count - 1)), momentum)
        return out
    if running_mean is None or running_var is None:
        raise ArgumentError(
            "batch_norm: there are no running mean and variance to take.",
            mend="training=True takes the batch's own.",
        )
    scale = ops.rsqrt(running_var + eps).reshape(view)
    scale = scale if w is None else scale * w
    shift = -running_mean.reshape(view) * scale
    return input * scale + (shift if b is None else shift + b)


def _move(running: Tensor, batch: Tensor, momentum: float) -> None:
    running.mul_(1.0 - momentum).add_(batch, alpha=momentum)


def _check_channels(input: Tensor, *others: Tensor | None) -> None:
    _check_operands("batch_norm", input, *others)
    if input.ndim < 2:
        raise ShapeError(
            "batch_norm: the input has no dimension of channels.",
            [f"input: shape {input.shape}, expected (N, C) or (N, C, d1, ...)"],
        )
    for name, x in zip(_CHANNELS, others, strict=True):
        if x is not None and x.shape != input.shape[1:2]:
            raise ShapeError(
                "batch_norm: the number of channels differs.",
                [
                    f"input: shape {input.shape}   {input.shape[1]} channels",
                    f"{name}: shape {x.shape}",
                ],
                f"A layer with num_features={input.shape[1]} takes this input.",
            )


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """``x / max(‖x‖_p, eps)`` along a dimension: vectors of length one.

    Args:
        input: any shape, which the result has too.
        p: of the norm.
        dim: along which dimension.
        eps: the least that is divided by.

    >>> import demograd as dg
    >>> normalize(dg.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """
    length = ops.norm(input, p, dim=dim, keepdim=True)
    return input / ops.clamp(length, min=eps)
