"""Metrics: what is measured beside the loss, and the mean of each over the samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from demograd import Tensor
from demograd.errors import ArgumentError, ShapeError

__all__ = ["Means", "Metric", "accuracy", "check_metrics"]

Metric = Callable[[Any, Any], Any]

# Columns of the history that a metric may not take.
TAKEN = frozenset({"epoch", "loss", "lr"})


def accuracy(output: Tensor, target: Tensor) -> float:
    """The share of samples whose largest output stands at the target class.

    ``mean(argmax(output, dim=1) == target)``

    Args:
        output: scores, logits or probabilities ``(N, C)`` or ``(N, C, d1, ...)``.
        target: class numbers ``(N,)`` or ``(N, d1, ...)``.

    Raises:
        ShapeError: the shapes do not belong together.

    >>> accuracy(Tensor([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]]), Tensor([1, 0, 0]))
    0.6666666666666666
    """
    if output.ndim < 2 or output.shape[:1] + output.shape[2:] != target.shape:
        raise ShapeError(
            "accuracy: output and target do not belong together.",
            [f"output: shape {output.shape}", f"target: shape {target.shape}"],
            "output has a score for each class, (N, C), and target the class numbers, (N,).",
        )
    scores = output.detach().cpu().numpy()
    classes = target.detach().cpu().numpy()
    return float(np.mean(np.argmax(scores, axis=1) == classes)) if classes.size else float("nan")


def check_metrics(operation: str, metrics: Mapping[str, Metric] | None) -> dict[str, Metric]:
    """The metrics by name; refuses names that the history has already."""
    checked = dict(metrics or {})
    for name in checked:
        if name in TAKEN or name.startswith("val_"):
            raise ArgumentError(
                f"{operation}: a metric cannot be called {name!r}.",
                [f"taken: {', '.join(sorted(TAKEN))}, and names that start with val_"],
                f'{operation}(..., metrics={{"accuracy": train.accuracy}})',
            )
    return checked


class Means:
    """Means over samples of numbers that come as means over batches."""

    def __init__(self) -> None:
        self._sums: dict[str, float] = {}
        self._count = 0

    def add(self, size: int, values: Mapping[str, float]) -> None:
        """Take in a batch of ``size`` samples."""
        self._count += size
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + size * value

    def __bool__(self) -> bool:
        return bool(self._sums)

    def values(self) -> dict[str, float]:
        """The means so far."""
        return {name: total / self._count for name, total in self._sums.items()}
