"""Losses of numbers against numbers."""

from __future__ import annotations

from demograd import Tensor, ops
from demograd.errors import ArgumentError
from demograd.nn.functional._operands import check_tensors
from demograd.nn.functional._reduction import check_reduction, reduced, warn_of_broadcast

__all__ = ["huber_loss", "l1_loss", "mse_loss", "smooth_l1_loss"]


def _difference(operation: str, input: Tensor, target: Tensor, reduction: str) -> Tensor:
    """``input - target``, once the arguments have been looked at."""
    check_tensors(operation, {"input": input, "target": target})
    check_reduction(operation, reduction)
    warn_of_broadcast(operation, input, target)
    return input - target


def mse_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    """The squared error ``(x - y)²``, its mean by default.

    Shapes: input and target the same; the result has no dimension, or theirs for ``"none"``.

    Args:
        input: what was predicted.
        target: what should have been.
        reduction: ``"mean"`` over all elements, ``"sum"`` or ``"none"``.

    Raises:
        ShapeError: the shapes do not broadcast; where they do and differ, a UserWarning says so.
        ArgumentError: there is no such reduction.

    >>> import demograd as dg
    >>> mse_loss(dg.tensor([1.0, 2.0]), dg.tensor([0.0, 4.0]))
    tensor(2.5000)
    """
    difference = _difference("mse_loss", input, target, reduction)
    return reduced(difference * difference, reduction)


def l1_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    """The absolute error ``|x - y|``, its mean by default.

    The gradient at ``x = y`` is zero. Arguments, shapes and errors are those of :func:`mse_loss`.

    >>> import demograd as dg
    >>> l1_loss(dg.tensor([1.0, 2.0]), dg.tensor([0.0, 4.0]))
    tensor(1.5000)
    """
    difference = _difference("l1_loss", input, target, reduction)
    return reduced(ops.abs(difference), reduction)


def huber_loss(
    input: Tensor, target: Tensor, *, reduction: str = "mean", delta: float = 1.0
) -> Tensor:
    """Squared for small errors, linear for large ones, its mean by default.

    ``d² / 2`` where ``|d| < delta``, else ``delta (|d| - delta / 2)``, with ``d = x - y``.

    Args:
        input, target, reduction: as in :func:`mse_loss`.
        delta: where the two meet; positive.

    Raises:
        ShapeError: the shapes do not broadcast; where they do and differ, a UserWarning says so.
        ArgumentError: ``delta`` is not positive, or there is no such reduction.

    Reference: Huber, "Robust estimation of a location parameter", Annals of Mathematical
    Statistics 1964.

    >>> import demograd as dg
    >>> huber_loss(dg.tensor([0.5, 4.0]), dg.tensor([0.0, 0.0]), reduction="none")
    tensor([0.1250, 3.5000])
    """
    if not delta > 0:
        raise ArgumentError(f"huber_loss: delta is {delta}.", mend="Use delta > 0.")
    difference = _difference("huber_loss", input, target, reduction)
    size = ops.abs(difference)
    # Both branches are finite everywhere, so that the one not taken adds a gradient of zero.
    losses = ops.where(size < delta, 0.5 * difference * difference, delta * (size - 0.5 * delta))
    return reduced(losses, reduction)


def smooth_l1_loss(
    input: Tensor, target: Tensor, *, reduction: str = "mean", beta: float = 1.0
) -> Tensor:
    """The Huber loss over ``beta``: its slope is ±1 far out, whatever ``beta``.

    ``d² / (2 beta)`` where ``|d| < beta``, else ``|d| - beta / 2``; for ``beta = 0`` the absolute
    error.

    Args:
        input, target, reduction: as in :func:`mse_loss`.
        beta: where the two meet; not negative.

    Raises:
        ShapeError: the shapes do not broadcast; where they do and differ, a UserWarning says so.
        ArgumentError: ``beta`` is negative, or there is no such reduction.

    Reference: Girshick, "Fast R-CNN", ICCV 2015.

    >>> import demograd as dg
    >>> smooth_l1_loss(dg.tensor([0.5, 4.0]), dg.tensor([0.0, 0.0]), reduction="none")
    tensor([0.1250, 3.5000])
    """
    if not beta >= 0:
        raise ArgumentError(f"smooth_l1_loss: beta is {beta}.", mend="Use beta >= 0.")
    difference = _difference("smooth_l1_loss", input, target, reduction)
    size = ops.abs(difference)
    if beta == 0:
        return reduced(size, reduction)
    losses = ops.where(size < beta, difference * difference * (0.5 / beta), size - 0.5 * beta)
    return reduced(losses, reduction)
