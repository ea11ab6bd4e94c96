"""Keeping gradients in bounds."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from demograd import Tensor, no_grad
from demograd.errors import ArgumentError, NonFiniteError, warn

__all__ = ["clip_grad_norm_", "clip_grad_value_"]


def _gradients(operation: str, parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    """The gradients that are there, in the order of the parameters."""
    given = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    gradients = [x.grad for x in given if x.grad is not None]
    used_up = not given and hasattr(parameters, "__next__")
    if not gradients and (given or used_up):
        warn(
            f"{operation}: there is no gradient, so nothing is clipped.",
            [f"parameters: {'an iterator that gave none' if used_up else len(given)}"],
            "model.parameters() makes a new iterator each time."
            if used_up
            else "Clip between loss.backward() and optimizer.step().",
        )
    return gradients


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Scale all gradients by one factor, in place, if their common norm exceeds ``max_norm``.

    ``grad *= min(1, max_norm / (norm + 1e-6))``, where the norm is that of all gradients seen as
    one vector, so that its direction stays.

    Args:
        parameters: those without a gradient are passed over.
        max_norm: not negative.
        norm_type: the p of the norm; ``float("inf")`` takes the largest magnitude.
        error_if_nonfinite: raise where the norm is NaN or infinite, and leave the gradients.

    Returns:
        The norm before clipping.

    Raises:
        ArgumentError: ``max_norm`` is negative, or ``norm_type`` is not positive.
        NonFiniteError: the norm is not finite, and ``error_if_nonfinite`` is given.

    Reference: Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural
    networks", ICML 2013.

    >>> x = Tensor([3.0, 4.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> clip_grad_norm_(x, 1.0)
    tensor(10.)
    >>> x.grad
    tensor([0.6000, 0.8000])
    """
    p = float(norm_type)
    if not max_norm >= 0 or not p > 0:
        raise ArgumentError(
            "clip_grad_norm_: there is no such norm.",
            [f"max_norm: {max_norm}", f"norm_type: {norm_type}"],
            "Use max_norm >= 0 and norm_type > 0.",
        )
    gradients = _gradients("clip_grad_norm_", parameters)
    total = _norm([gradient.detach().cpu().numpy() for gradient in gradients], p)
    if error_if_nonfinite and not math.isfinite(total):
        raise NonFiniteError(
            f"clip_grad_norm_: the norm of the gradients is {total}.",
            [
                f"gradient {number}: shape {gradient.shape}, not finite"
                for number, gradient in enumerate(gradients)
                if not np.isfinite(gradient.detach().cpu().numpy()).all()
            ],
            "error_if_nonfinite=False lets it pass; a smaller learning rate may mend it.",
        )
    factor = max_norm / (total + 1e-6)
    if not factor >= 1.0:  # NaN too: PyTorch scales by it, and so shows where it came from
        with no_grad():
            for gradient in gradients:
                gradient.mul_(factor)
    return Tensor(total, dtype=gradients[0].dtype if gradients else None)


def _norm(arrays: list[Any], p: float) -> float:
    """The p-norm of all elements together."""
    if math.isinf(p):
        return max((float(np.abs(a).max()) for a in arrays if a.size), default=0.0)
    if p == 2.0 and all(a.dtype != np.float16 for a in arrays):
        # A dot product reads each array once and makes none.
        with np.errstate(over="ignore", invalid="ignore"):
            square = sum(float(np.dot(flat, flat)) for flat in (a.reshape(-1) for a in arrays))
        if 1e-30 < square < math.inf:
            return math.sqrt(square)
    # Squares of single-precision numbers beyond 1e19 overflow there, and not in double precision.
    total = sum(float((np.abs(a.astype(np.float64)) ** p).sum()) for a in arrays)
    return float(total ** (1.0 / p))


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Move each element of each gradient into ``[-clip_value, clip_value]``, in place.

    Args:
        parameters: those without a gradient are passed over.
        clip_value: not negative.

    Raises:
        ArgumentError: ``clip_value`` is negative.

    >>> x = Tensor([3.0, -0.1], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> clip_grad_value_(x, 1.0)
    >>> x.grad
    tensor([ 1.0000, -0.2000])
    """
    if not clip_value >= 0:
        raise ArgumentError(
            f"clip_grad_value_: clip_value is {clip_value}.", mend="Use a value >= 0."
        )
    with no_grad():
        for gradient in _gradients("clip_grad_value_", parameters):
            gradient.copy_(
                Tensor(np.clip(gradient.detach().cpu().numpy(), -clip_value, clip_value))
            )
