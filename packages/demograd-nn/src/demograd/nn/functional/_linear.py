"""The affine map of a linear layer, as one rule."""

from __future__ import annotations

import math
from typing import Any, cast

from demograd import Function, Tensor
from demograd.errors import ShapeError
from demograd.nn.functional._operands import check_one_dtype, check_tensors

__all__ = ["Affine", "linear"]


class Affine(Function):
    """``x Wᵀ + b``: ``dx = g W``, ``dW = gᵀ x``, and ``db = g``, which the engine sums.

    One rule in the place of three: the transpose needs no node, and ``b`` is added in the memory
    of the product. Leading dimensions of ``x`` are so many rows.
    """

    def forward(self, x: Any, weight: Any, bias: Any) -> Any:
        x_needed, weight_needed, _ = self.needs_input_grad
        self.save_for_backward(x if weight_needed else None, weight if x_needed else None)
        out = x @ weight.mT
        if bias is not None:
            out += bias
        return out

    def backward(self, grad: Any) -> Any:
        x, weight = self.saved_tensors
        x_needed, weight_needed, bias_needed = self.needs_input_grad
        weight_grad = None
        if weight_needed:
            rows, x_rows = grad, x
            if len(x.shape) != 2:
                rows = self.xp.reshape(grad, (-1, grad.shape[-1]))
                x_rows = self.xp.reshape(x, (-1, x.shape[-1]))
            weight_grad = rows.mT @ x_rows
        return grad @ weight if x_needed else None, weight_grad, grad if bias_needed else None


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """The affine map ``y = x Wᵀ + b``.

    Shapes: input ``(..., in_features)``, weight ``(out_features, in_features)``, bias
    ``(out_features,)``; result ``(..., out_features)``, ``(...)`` of a weight ``(in_features,)``.

    Args:
        input: floats, of the weight's type.
        weight: one row for each output.
        bias: added to each row, or None.

    Raises:
        ShapeError: the input's last dimension is not ``in_features``, or the bias does not fit.
        DtypeError: the types differ.

    >>> import demograd as dg
    >>> linear(dg.tensor([[1.0, 2.0]]), dg.tensor([[1.0, 1.0], [0.0, 3.0]]), dg.tensor([0.5, 0.0]))
    tensor([[3.5000, 6.0000]])
    """
    try:
        shape, dtype = weight.shape, weight.dtype
        fits = input.shape[-1] == shape[1] and input.dtype is dtype and len(shape) == 2
        fits = fits and isinstance(input, Tensor)
        if bias is not None:
            fits = fits and bias.shape == shape[:1] and bias.dtype is dtype
    except (AttributeError, IndexError):
        fits = False
    if not fits:
        return _looked_at_closely(input, weight, bias)
    return cast(Tensor, Affine.apply(input, weight, bias))


def _looked_at_closely(input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """What the fast way above does not take: one output without a dimension, and all errors."""
    operands = {"input": input, "weight": weight, **({} if bias is None else {"bias": bias})}
    check_tensors("linear", operands)
    check_one_dtype("linear", operands)
    if weight.ndim == 1 and input.shape[-1:] == weight.shape:
        out = input.matmul(weight)
        return out if bias is None else out + bias
    if weight.ndim not in (1, 2):
        raise ShapeError(
            "linear: the weight is no matrix.",
            [f"weight: shape {weight.shape}, expected (out_features, in_features)"],
        )
    in_features = weight.shape[-1]
    if input.shape[-1:] != (in_features,):
        raise ShapeError(
            "linear: the input's last dimension is not in_features.",
            [
                f"input: shape {input.shape}   "
                + (f"last dimension {input.shape[-1]}" if input.ndim else "no dimension"),
                f"weight: shape {weight.shape}   in_features {in_features}",
            ],
            _way_out(input.shape, in_features),
        )
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ShapeError(
            "linear: the bias does not have one number for each output.",
            [
                f"weight: shape {weight.shape}   out_features {weight.shape[0]}",
                f"bias: shape {bias.shape}",
            ],
        )
    return cast(Tensor, Affine.apply(input, weight, bias))


def _way_out(shape: tuple[int, ...], in_features: int) -> str:
    for start in range(1, len(shape)):
        flat = (*shape[:start], math.prod(shape[start:]))
        if flat[-1] == in_features:
            return f"x.flatten({start}) would fit: {flat}."
    if shape[:1] == (in_features,) and len(shape) == 2:
        return f"x.T would fit: {shape[::-1]}."
    found = shape[-1] if shape else 1
    return f"A layer with in_features={found} takes this input."
