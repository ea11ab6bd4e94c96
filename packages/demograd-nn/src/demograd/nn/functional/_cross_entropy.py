"""Cross-entropy of classes: the softmax and the logarithm of its probabilities, as one rule."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from demograd import Function, Tensor, ops
from demograd.errors import ArgumentError, DtypeError, ShapeError
from demograd.nn.functional._classes import as_rows, check_classes
from demograd.nn.functional._expected import (
    expect_log_probabilities,
    expect_logits,
    warn_of_one_class,
)
from demograd.nn.functional._operands import check_floats, check_tensors, kind_of
from demograd.nn.functional._reduction import check_reduction, reduced

__all__ = ["NegativePick", "SoftmaxCrossEntropy", "cross_entropy", "nll_loss"]


class SoftmaxCrossEntropy(Function):
    """``log Σ e**x - x[target]`` of each row, their mean or their sum.

    The derivative is ``softmax(x) - onehot(target)``. One rule in the place of six, and no matrix
    of logarithms is made. Shapes: x ``(rows, classes)``, target ``(rows,)``, result ``(rows,)`` for
    ``"none"``, else ``()``.
    """

    @np.errstate(invalid="ignore")
    def forward(self, x: Any, target: Any, *, reduction: str = "none") -> Any:
        xp = self.xp
        self.save_for_backward(x, target)
        self.reduction = reduction
        shifted, exponentials, sums = _exponentials(xp, x)
        self.probabilities = exponentials / sums if self.needs_input_grad[0] else None
        losses = xp.log(sums[:, 0]) - _picked(xp, shifted, target)
        if reduction == "none":
            return losses
        total = xp.sum(losses)
        return total / x.shape[0] if reduction == "mean" else total

    def backward(self, grad: Any) -> Any:
        x, target = self.saved_tensors
        xp = self.xp
        p = self.probabilities
        if type(p) is not type(x):
            # The pass is recorded: computed from the Tensor x, p has a derivative itself.
            _, exponentials, sums = _exponentials(xp, x)
            p = exponentials / sums
        if self.reduction == "none":
            grad = grad[:, None]
        elif self.reduction == "mean":
            grad = grad / max(x.shape[0], 1)
        return (p - xp.astype(_hot(xp, x.shape[1], target), x.dtype)) * grad, None


class NegativePick(Function):
    """``-x[target]`` of each row; shapes as in :class:`SoftmaxCrossEntropy`."""

    def forward(self, x: Any, target: Any) -> Any:
        self.save_for_backward(target)
        self.classes = x.shape[1]
        return -_picked(self.xp, x, target)

    def backward(self, grad: Any) -> Any:
        (target,) = self.saved_tensors
        xp = self.xp
        return xp.where(_hot(xp, self.classes, target), -grad[:, None], 0.0), None


def _exponentials(xp: Any, x: Any) -> tuple[Any, Any, Any]:
    """``x`` less each row's largest element, its exponential, and that one's sum over the row.

    The largest exponential is then ``e**0``: nothing overflows.
    """
    shifted = x - xp.max(x, axis=1, keepdims=True)
    exponentials = xp.exp(shifted)
    return shifted, exponentials, xp.sum(exponentials, axis=1, keepdims=True)


def _picked(xp: Any, x: Any, target: Any) -> Any:
    """The element of each row at the row's class."""
    return xp.index(x, (xp.arange(x.shape[0]), target))


def _hot(xp: Any, classes: int, target: Any) -> Any:
    """Rows that are true at their class."""
    return xp.arange(classes) == target[:, None]


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """``-log softmax(x)[target]`` of logits x, its mean by default; finite for any finite x.

    With probabilities q as the target, ``-Σ q log softmax(x)``. Label smoothing mixes the target
    with the uniform distribution: ``(1 - ε) q + ε / C``.

    Shapes: input ``(C,)``, ``(N, C)`` or ``(N, C, d1, ...)``; target ``()``, ``(N,)`` or
    ``(N, d1, ...)`` of class numbers, or the input's shape of probabilities. The result has no
    dimension, or for ``"none"`` the shape of class numbers.

    Args:
        input: logits, any real numbers: the softmax is part of the loss.
        target: class numbers from 0 to C - 1, or probabilities of the input's shape.
        weight: one factor for each class, ``(C,)``; the mean is then weighted.
        ignore_index: a class number that is passed over.
        reduction: ``"mean"`` over what is not ignored, ``"sum"`` or ``"none"``.
        label_smoothing: the ε above, from 0 to 1.

    Raises:
        ShapeError: input, target and weight do not fit.
        DtypeError: class numbers are not integers.
        OutOfRangeError: a target is no class.
        ArgumentError: ``label_smoothing`` is outside 0 to 1, or there is no such reduction.

    Reference: Szegedy et al., "Rethinking the Inception architecture", CVPR 2016 (smoothing).

    >>> import demograd as dg
    >>> x = dg.tensor([[1e4, -1e4], [0.0, 0.0]], requires_grad=True)
    >>> loss = cross_entropy(x, dg.tensor([0, 1]))
    >>> loss
    tensor(0.3466, grad_fn=<SoftmaxCrossEntropyBackward>)
    >>> loss.backward()
    >>> x.grad
    tensor([[ 0.0000,  0.0000],
            [ 0.2500, -0.2500]])
    """
    operation = "cross_entropy"
    check_tensors(operation, {"input": input, "target": target})
    check_floats(operation, {"input": input})
    check_reduction(operation, reduction)
    if not 0.0 <= label_smoothing <= 1.0:
        raise ArgumentError(
            f"{operation}: label_smoothing is {label_smoothing}.", mend="Use a value from 0 to 1."
        )
    expect_logits(operation, input, "softmax")
    if target.shape == input.shape and input.ndim and kind_of(target) == "f":
        return _of_probabilities(input, target, weight, reduction, label_smoothing)
    return _of_classes(operation, input, target, weight, ignore_index, reduction, label_smoothing)


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """``-x[target]`` of log-probabilities x, its mean by default: what follows a log-softmax.

    Shapes, arguments and errors are those of :func:`cross_entropy` with class numbers.

    >>> import demograd as dg
    >>> log_p = dg.tensor([[0.5, 0.5], [0.9, 0.1]]).log()
    >>> nll_loss(log_p, dg.tensor([0, 1]), reduction="none")
    tensor([0.6931, 2.3026])
    """
    check_tensors("nll_loss", {"input": input, "target": target})
    check_floats("nll_loss", {"input": input})
    check_reduction("nll_loss", reduction)
    expect_log_probabilities("nll_loss", input)
    return _of_classes("nll_loss", input, target, weight, ignore_index, reduction, 0.0)


def _of_classes(
    operation: str,
    input: Tensor,
    target: Tensor,
    weight: Tensor | None,
    ignore_index: int,
    reduction: str,
    smoothing: float,
) -> Tensor:
    chosen, counted = check_classes(operation, input, target, ignore_index)
    rows = as_rows(input)
    plain = operation == "cross_entropy" and not smoothing
    if plain and weight is None and counted is None and reduction != "none":
        return cast(Tensor, SoftmaxCrossEntropy.apply(rows, chosen, reduction=reduction))
    if plain:
        losses = cast(Tensor, SoftmaxCrossEntropy.apply(rows, chosen))
    else:
        if smoothing:
            rows = ops.log_softmax(rows, dim=1)
        losses = cast(Tensor, NegativePick.apply(rows, chosen))
    factors = None
    if weight is not None:
        _check_weight(operation, weight, input)
        factors = weight[chosen]
        losses = losses * factors
    if smoothing:
        spread = -(rows if weight is None else rows * weight).sum(dim=1)
        losses = (1.0 - smoothing) * losses + (smoothing / rows.shape[1]) * spread
    if counted is not None:
        # Where, and not times zero: what is passed over may be infinite.
        losses = ops.where(counted, losses, 0.0)
        factors = counted.to(losses.dtype) if factors is None else ops.where(counted, factors, 0.0)
    if reduction == "none":
        return losses if losses.shape == target.shape else losses.reshape(target.shape)
    if reduction == "mean" and factors is not None:
        # NaN where nothing counts, as in PyTorch.
        with np.errstate(invalid="ignore"):
            return losses.sum() / factors.sum()
    return reduced(losses, reduction)


def _of_probabilities(
    input: Tensor, target: Tensor, weight: Tensor | None, reduction: str, smoothing: float
) -> Tensor:
    dim = 0 if input.ndim == 1 else 1
    classes = input.shape[dim]
    if classes == 1:
        warn_of_one_class("cross_entropy", input)
    if smoothing:
        target = target * (1.0 - smoothing) + smoothing / classes
    terms = target * ops.log_softmax(input, dim=dim)
    if weight is not None:
        _check_weight("cross_entropy", weight, input)
        terms = terms * weight.reshape(-1, *[1] * (input.ndim - 1 - dim))
    losses = -terms.sum(dim=dim)
    return reduced(losses, reduction)


def _check_weight(operation: str, weight: Tensor, input: Tensor) -> None:
    check_tensors(operation, {"weight": weight})
    classes = input.shape[0 if input.ndim == 1 else 1]
    if weight.shape != (classes,):
        raise ShapeError(
            f"{operation}: the weight has not one factor for each class.",
            [
                f"input: shape {input.shape}   {classes} classes",
                f"weight: shape {weight.shape}, expected ({classes},)",
            ],
        )
    if weight.dtype != input.dtype:
        raise DtypeError(
            f"{operation}: the weight has another type than the input.",
            [f"input: dtype {input.dtype}", f"weight: dtype {weight.dtype}"],
            f"weight.to(dg.{input.dtype}) would fit.",
        )
