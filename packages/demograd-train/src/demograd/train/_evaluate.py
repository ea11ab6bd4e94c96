"""Evaluation: loss and metrics over a loader, with nothing changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import demograd
from demograd.errors import ArgumentTypeError, ShapeError
from demograd.interfaces import Model
from demograd.train._batch import check_loader, no_batch, size_of, split
from demograd.train._metrics import Means, Metric, check_metrics

__all__ = ["evaluate", "measure", "number_of"]


def evaluate(
    model: Model,
    loss: Any,
    loader: Iterable[Any],
    metrics: Mapping[str, Metric] | None = None,
) -> dict[str, float]:
    """Loss and metrics of a model, averaged over the samples of a loader.

    The model is switched to evaluation and back to as it was, each module for itself; nothing is
    recorded.

    Args:
        model: called with the inputs of a batch.
        loss: called as ``loss(output, target)``; gives the mean over the batch as a Tensor.
        loader: gives batches ``(x, target)``.
        metrics: by name, called as ``metric(output, target)``; each gives the mean over the batch.

    Returns:
        ``loss`` and each metric by name.

    Raises:
        DataError: the loader gave no batch.
        ArgumentTypeError: a batch is no pair, or the loss gave no Tensor.

    >>> from demograd import Tensor
    >>> class Double:
    ...     training = True
    ...
    ...     def __call__(self, x):
    ...         return 2 * x
    ...
    ...     def eval(self):
    ...         self.training = False
    >>> batches = [(Tensor([1.0, 2.0]), Tensor([2.0, 5.0])), (Tensor([3.0]), Tensor([6.0]))]
    >>> evaluate(Double(), lambda output, target: ((output - target) ** 2).mean(), batches)
    {'loss': 0.3333333333333333}
    """
    checked = check_metrics("evaluate", metrics)
    check_loader("evaluate", "loader", loader, 1)
    means = Means()
    with _evaluation(model), demograd.no_grad():
        for batch in loader:
            inputs, target = split("evaluate", batch)
            output = model(*inputs)
            value = number_of("evaluate", loss(output, target))
            means.add(size_of(target), {"loss": value, **measure(checked, output, target)})
    if not means:
        raise no_batch("evaluate", "loader", loader)
    return means.values()


def measure(metrics: Mapping[str, Metric], output: Any, target: Any) -> dict[str, float]:
    """What each metric says of a batch."""
    if not metrics:
        return {}
    with demograd.no_grad():
        return {name: float(metric(output, target)) for name, metric in metrics.items()}


def number_of(operation: str, value: Any) -> float:
    """The loss as a number; refuses what is no Tensor with one element."""
    if not isinstance(value, demograd.Tensor):
        raise ArgumentTypeError(
            f"{operation}: the loss must be a Tensor.",
            [f"loss: {type(value).__name__}"],
            "Compute it with Tensors throughout; float(...) and .item() cut the graph.",
        )
    if value.numel() != 1:
        raise ShapeError(
            f"{operation}: the loss is not a single number.",
            [f"loss: shape {value.shape}"],
            'Let it take the mean: CrossEntropyLoss(reduction="mean"), or .mean().',
        )
    return float(value.item())


@contextmanager
def _evaluation(model: Any) -> Iterator[None]:
    """The model in evaluation mode; after it, each module in the mode that it had."""
    modules = list(model.modules()) if hasattr(model, "modules") else [model]
    modes = [(module, module.training) for module in modules]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
