"""Values brought to mean 0 and variance 1 over the features of each sample."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

from demograd import Function, Tensor, float16
from demograd.errors import ShapeError
from demograd.nn.functional._operands import check_one_dtype, check_tensors

__all__ = ["StandardizeRows", "layer_norm"]


class StandardizeRows(Function):
    """``w (x - μ) / sqrt(σ² + eps) + b`` of rows of n numbers; w and b are rows, or None.

    With ``c = x - μ``, ``r = 1 / sqrt(σ² + eps)``, ``h = g w``, and overlines for a row's means::

        dx = r h - r³ (h c)̅ c - r h̅        dw = Σ g c r        db = g

    x alone is kept; μ and r cost less to compute again than a second output costs to record.

    Reference: Ba, Kiros and Hinton, "Layer normalization", arXiv:1607.06450.
    """

    def forward(self, x: Any, weight: Any, bias: Any, *, count: int, eps: float) -> Any:
        self.count, self.eps, self.shape = count, eps, x.shape
        self.save_for_backward(x, weight)
        out, r = self._centred(self._rows(x))
        # In place, here and below: to find fresh memory takes longer than to compute.
        out *= r
        if weight is not None:
            out *= self._row(weight)
        if bias is not None:
            out += self._row(bias)
        return self.xp.reshape(out, x.shape)

    def backward(self, grad: Any) -> Any:
        x, weight = self.saved_tensors
        xp, n = self.xp, self.count
        x_needed, weight_needed, bias_needed = self.needs_input_grad
        g = self._rows(grad)
        c, r = self._centred(self._rows(x))
        x_grad = weight_grad = None
        if weight_needed:
            # The sum over the rows of g c, each times its r: a product of matrices.
            weight_grad = xp.reshape((g * c).mT @ r, weight.shape)
        if x_needed:
            h = g if weight is None else g * self._row(weight)
            # What all values of one row share is gathered before it meets the large arrays.
            along = xp.row_dots(h, c) * r * r * r / -n
            shift = xp.row_sums(h) * r / -n
            x_grad = h * r
            x_grad += c * along
            x_grad += shift
            x_grad = xp.reshape(x_grad, self.shape)
        return x_grad, weight_grad, grad if bias_needed else None

    def _rows(self, x: Any) -> Any:
        return self.xp.reshape(x, (math.prod(self.shape) // max(self.count, 1), self.count))

    def _row(self, x: Any) -> Any:
        return self.xp.reshape(x, (self.count,))

    def _centred(self, rows: Any) -> tuple[Any, Any]:
        """``x - μ``, an array of its own, and r."""
        xp, n = self.xp, self.count
        c = rows - xp.row_sums(rows) / n
        return c, (xp.row_dots(c, c) / n + self.eps) ** -0.5


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """``(x - μ) / sqrt(σ² + eps) · weight + bias`` over the last dimensions of each sample.

    Shapes: input and result ``(..., *normalized_shape)``; weight and bias ``normalized_shape``.

    Args:
        input: floats.
        normalized_shape: the lengths of the dimensions over which mean and variance are taken.
        weight, bias: a factor and a summand for each place, or None.
        eps: keeps the root from zero.

    Raises:
        ShapeError: the input does not end in ``normalized_shape``, or weight or bias differ.
        DtypeError: the operands are not floats of one type.

    Reference: Ba, Kiros and Hinton, "Layer normalization", arXiv:1607.06450.

    >>> import demograd as dg
    >>> layer_norm(dg.tensor([[1.0, 3.0], [10.0, 30.0]]), (2,))
    tensor([[-1.0000,  1.0000],
            [-1.0000,  1.0000]])
    """
    others = {"weight": weight, "bias": bias}
    operands = {"input": input, **{name: x for name, x in others.items() if x is not None}}
    check_tensors("layer_norm", operands)
    check_one_dtype("layer_norm", operands)
    shape = tuple(normalized_shape)
    if not shape or input.shape[-len(shape) :] != shape:
        raise ShapeError(
            "layer_norm: the input does not end in normalized_shape.",
            [f"input: shape {input.shape}", f"normalized_shape: {shape}"],
            f"normalized_shape={input.shape[-max(len(shape), 1) :]} would fit."
            if len(input.shape) >= max(len(shape), 1)
            else "",
        )
    for name, x in (("weight", weight), ("bias", bias)):
        if x is not None and x.shape != shape:
            raise ShapeError(
                f"layer_norm: the {name} differs from normalized_shape.",
                [f"{name}: shape {x.shape}", f"normalized_shape: {shape}"],
            )
    settings = {"count": math.prod(shape), "eps": eps}
    if input.dtype == float16:
        # The sum of many squares overflows in half precision.
        wide = [None if x is None else x.float() for x in (input, weight, bias)]
        return cast(Tensor, StandardizeRows.apply(*wide, **settings)).to(float16)
    return cast(Tensor, StandardizeRows.apply(input, weight, bias, **settings))
