"""The affine map of a linear layer, as one rule."""

from __future__ import annotations

import math
from typing import Any, cast

from demograd import Function, Tensor
from demograd.errors import ShapeError
from demograd.nn.functional._operands import check_one_dtype, check_tensors

__all__ = ["Affine", "linear"]


class _Unusual(Exception):
    """Operands that do not fit, or that fit for a reason that takes longer to find."""


class Affine(Function):
    """``x Wᵀ + b``: ``dx = g W``, ``dW = gᵀ x``, and ``db`` is the sum of the rows of ``g``.

    One rule in the place of three: the transpose needs no node, and ``b`` is added in the memory
    of the product. Leading dimensions of ``x`` are so many rows: one tall matrix is what BLAS
    multiplies fastest, and on all of its threads.
    """

    def forward(self, x: Any, weight: Any, bias: Any, *, checked: bool = False) -> Any:
        if not checked:
            dtype = weight.dtype
            if len(weight.shape) != 2 or x.dtype is not dtype:
                raise _Unusual
            if bias is not None and (bias.shape != weight.shape[:1] or bias.dtype is not dtype):
                raise _Unusual
        x_needed, weight_needed, _ = self.needs_input_grad
        self.save_for_backward(x if weight_needed else None, weight if x_needed else None)
        xp = self.xp
        self.shape = shape = x.shape
        if len(shape) > 2:
            x = xp.reshape(x, (math.prod(shape[:-1]), shape[-1]))
        out = xp.matmul(x, weight.mT)
        if bias is not None:
            out += bias
        return out if len(shape) <= 2 else xp.reshape(out, (*shape[:-1], out.shape[-1]))

    def backward(self, grad: Any) -> Any:
        x, weight = self.saved_tensors
        xp = self.xp
        x_needed, weight_needed, bias_needed = self.needs_input_grad
        shape, rows = self.shape, grad
        if len(shape) != 2:
            # One tall matrix of a stack of them, and one of a single row of a vector.
            rows = xp.reshape(grad, (math.prod(shape[:-1]), grad.shape[-1]))
            if weight_needed:
                x = xp.reshape(x, (math.prod(shape[:-1]), shape[-1]))
        x_grad = None
        if x_needed:
            x_grad = xp.matmul(rows, weight)
            if len(shape) != 2:
                x_grad = xp.reshape(x_grad, shape)
        return (
            x_grad,
            xp.matmul(rows.mT, x) if weight_needed else None,
            xp.sum(rows, axis=0) if bias_needed else None,
        )


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
    # People call it with arrays, whatever the types say.
    if isinstance(input, Tensor) and isinstance(weight, Tensor):  # type: ignore[redundant-expr]
        try:
            return cast(Tensor, Affine.apply(input, weight, bias))
        except (ValueError, _Unusual):
            pass
    return _looked_at_closely(input, weight, bias)


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
    return cast(Tensor, Affine.apply(input, weight, bias, checked=True))


def _way_out(shape: tuple[int, ...], in_features: int) -> str:
    for start in range(1, len(shape)):
        flat = (*shape[:start], math.prod(shape[start:]))
        if flat[-1] == in_features:
            return f"x.flatten({start}) would fit: {flat}."
    if shape[:1] == (in_features,) and len(shape) == 2:
        return f"x.T would fit: {shape[::-1]}."
    found = shape[-1] if shape else 1
    return f"A layer with in_features={found} takes this input."
