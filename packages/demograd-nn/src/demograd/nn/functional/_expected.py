"""Warnings of inputs that a loss takes and that are nearly certainly not what it expects."""

from __future__ import annotations

from demograd import Tensor
from demograd.errors import warn
from demograd.nn.functional._operands import known_values

__all__ = ["expect_log_probabilities", "expect_logits", "warn_of_one_class"]

# The activations whose results are no logits, by the names of their nodes.
SQUASHED = frozenset(["Softmax", "Sigmoid"])


def expect_logits(operation: str, input: Tensor, inside: str) -> None:
    """Warn of probabilities where logits are expected.

    Args:
        operation: the loss.
        input: what the model gave.
        inside: the activation that is part of the loss.
    """
    if type(input.grad_fn).__name__ in SQUASHED:
        made = type(input.grad_fn).__name__
        warn(
            f"{operation}: the input has been squashed already, and the loss does it again.",
            [
                f"input: shape {input.shape}, made by {made}",
                f"{operation} takes logits: the {inside} is part of it",
            ],
            f"Leave the {made} out of the model, and apply it where probabilities are wanted.",
        )


def warn_of_one_class(operation: str, input: Tensor) -> None:
    """Warn of one class, whose softmax is one."""
    warn(
        f"{operation}: there is one class, so the loss is zero whatever the input.",
        [f"input: shape {input.shape}   1 class"],
        "For yes or no: binary_cross_entropy_with_logits with one number a sample, or a model "
        "with two classes.",
    )


def expect_log_probabilities(operation: str, input: Tensor) -> None:
    """Warn of what cannot be logarithms of probabilities: these are at most zero."""
    values = known_values(input)
    # With a margin, for what rounding does to a logarithm of one.
    if values is None or not values.size or not values.max() > 0.01:
        return
    node = input.grad_fn
    made = f", made by {node.name}" if node is not None else ""
    warn(
        f"{operation}: the input has positive numbers, which are no logarithms of probabilities.",
        [f"input: shape {input.shape}{made}"],
        "log_softmax(x, dim=1) makes them of logits, and cross_entropy takes the logits "
        "themselves.",
    )
