"""Losses of probabilities, or of their logits, against yes and no."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from demograd import Function, Tensor
from demograd.errors import ArgumentError, ShapeError
from demograd.nn.functional._expected import expect_logits
from demograd.nn.functional._operands import (
    check_floats,
    check_one_dtype,
    check_tensors,
    known_values,
)
from demograd.nn.functional._reduction import check_reduction, reduced
from demograd.operators import binary

__all__ = [
    "BinaryCrossEntropy",
    "BinaryCrossEntropyWithLogits",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
]


class BinaryCrossEntropy(Function):
    """``-(y log x + (1 - y) log(1 - x))``, each logarithm at least -100, as in PyTorch.

    The derivative by x is ``(x - y) / (x (1 - x))``, its denominator at least 1e-12 (in half
    precision, the smallest normal number).
    """

    def forward(self, x: Any, y: Any) -> Any:
        self.save_for_backward(x, y)
        xp = self.xp
        self.least = max(1e-12, float(xp.finfo(x.dtype).smallest_normal))
        return -(y * _log(xp, x) + (1 - y) * _log(xp, 1 - x))

    def backward(self, grad: Any) -> Any:
        x, y = self.saved_tensors
        xp = self.xp
        x_needed, y_needed = self.needs_input_grad
        spread = x * (1 - x)
        spread = xp.where(spread < self.least, self.least, spread)
        return (
            grad * (x - y) / spread if x_needed else None,
            grad * (_log(xp, 1 - x) - _log(xp, x)) if y_needed else None,
        )


def _log(xp: Any, x: Any) -> Any:
    """``log(x)``, at least -100; no logarithm of zero is ever taken."""
    tiny = x <= 4e-44  # about e**-100; in half precision, zero
    return xp.where(tiny, -100.0, xp.log(xp.where(tiny, 1.0, x)))


class BinaryCrossEntropyWithLogits(Function):
    """``max(x, 0) - x y + log(1 + e**-|x|)``: the cross-entropy of ``sigmoid(x)``, never infinite.

    The derivatives are ``sigmoid(x) - y`` and ``-x``.
    """

    def forward(self, x: Any, y: Any) -> Any:
        self.save_for_backward(x, y)
        xp = self.xp
        positive = x >= 0
        minus = xp.where(positive, -x, x)
        return xp.where(positive, x, 0.0) - x * y + xp.log1p(xp.exp(minus))

    def backward(self, grad: Any) -> Any:
        x, y = self.saved_tensors
        xp = self.xp
        x_needed, y_needed = self.needs_input_grad
        x_grad = None
        if x_needed:
            # The sigmoid by e**-|x| alone: neither it nor its derivative meets an infinity.
            positive = x >= 0
            small = xp.exp(xp.where(positive, -x, x))
            x_grad = grad * (xp.where(positive, 1.0, small) / (1 + small) - y)
        return x_grad, -grad * x if y_needed else None


def _check(operation: str, operands: dict[str, Any], reduction: str) -> None:
    check_tensors(operation, operands)
    check_reduction(operation, reduction)
    check_floats(operation, operands)
    input, target = operands["input"], operands["target"]
    if input.shape != target.shape:
        same = input.numel() == target.numel()
        wanted = ", ".join(map(str, input.shape))
        raise ShapeError(
            f"{operation}: the target has another shape than the input.",
            [f"input: shape {input.shape}", f"target: shape {target.shape}"],
            f"target.reshape({wanted}) would fit." if same else "The two must have one shape.",
        )


def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, reduction: str = "mean"
) -> Tensor:
    """``-(y log x + (1 - y) log(1 - x))`` of probabilities x, its mean by default.

    :func:`binary_cross_entropy_with_logits` is the safer choice: near 0 and 1 a probability has
    lost what its logit still has.

    Shapes: input and target the same; the result has no dimension, or theirs for ``"none"``.

    Args:
        input: probabilities from 0 to 1, such as a sigmoid gives.
        target: floats of the input's type, usually 0 or 1.
        weight: multiplies each loss, broadcast.
        reduction: ``"mean"`` over all elements, ``"sum"`` or ``"none"``.

    Raises:
        ShapeError: the shapes differ, or the weight does not broadcast.
        DtypeError: the target is of integers, or of another type.
        ArgumentError: an input is outside 0 to 1, or there is no such reduction.

    >>> import demograd as dg
    >>> binary_cross_entropy(dg.tensor([0.5, 0.9]), dg.tensor([1.0, 1.0]), reduction="none")
    tensor([0.6931, 0.1054])
    """
    operands = {"input": input, "target": target}
    _check("binary_cross_entropy", operands, reduction)
    check_one_dtype("binary_cross_entropy", operands)
    values = known_values(input)
    if values is not None and (outside := ~((values >= 0) & (values <= 1))).any():
        place = tuple(int(i) for i in np.argwhere(outside)[0])
        at = f" at {place[0] if len(place) == 1 else place}" if place else ""
        raise ArgumentError(
            "binary_cross_entropy: an input is no probability.",
            [f"input: shape {input.shape}   {values[place]:.6g}{at}"],
            "binary_cross_entropy_with_logits takes the numbers before the sigmoid.",
        )
    losses = cast(Tensor, BinaryCrossEntropy.apply(input, target))
    return reduced(losses if weight is None else losses * weight, reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """The binary cross-entropy of ``sigmoid(x)``, finite and exact for any x; its mean by default.

    ``-(p y log sigmoid(x) + (1 - y) log(1 - sigmoid(x)))``, with p the ``pos_weight``.

    Shapes: input and target the same; the result has no dimension, or theirs for ``"none"``.

    Args:
        input: logits, any real numbers.
        target: floats, usually 0 or 1.
        weight: multiplies each loss, broadcast.
        reduction: ``"mean"`` over all elements, ``"sum"`` or ``"none"``.
        pos_weight: multiplies the losses of positive targets, broadcast: above 1 it raises recall.

    Raises:
        ShapeError: the shapes differ, or a weight does not broadcast.
        DtypeError: the target is of integers.
        ArgumentError: there is no such reduction.

    >>> import demograd as dg
    >>> logits, target = dg.tensor([0.0, -1e4]), dg.tensor([1.0, 1.0])
    >>> binary_cross_entropy_with_logits(logits, target, reduction="none")
    tensor([6.9315e-01, 1.0000e+04])
    """
    _check("binary_cross_entropy_with_logits", {"input": input, "target": target}, reduction)
    expect_logits("binary_cross_entropy_with_logits", input, "sigmoid")
    rule = BinaryCrossEntropyWithLogits
    if pos_weight is None:
        losses = binary(rule, input, target)
    else:
        # log sigmoid(x) and log(1 - sigmoid(x)) apart: their sum in one would cancel.
        yes, no = binary(rule, input, 1.0), binary(rule, input, 0.0)
        losses = pos_weight * target * yes + (1 - target) * no
    return reduced(losses if weight is None else losses * weight, reduction)
