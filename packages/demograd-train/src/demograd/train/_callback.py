"""What a callback is, and what it sees."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from demograd.errors import ArgumentError
from demograd.interfaces import Model, Optimizer
from demograd.train._history import History
from demograd.train._metrics import Means, Metric

__all__ = ["Callback", "Run", "check_monitor", "learning_rates"]


@dataclass
class Run:
    """A training run as callbacks see it.

    Attributes:
        model, loss, optimizer, loader, validation, metrics: what ``fit`` was given.
        epochs: up to which epoch to train.
        callbacks: all of them, in the order in which they are called.
        history: the numbers of the epochs that are complete.
        epoch: the number of the present epoch, from 1; of the last one after the end.
        step: how many steps of the present epoch are done.
        steps: how many an epoch has; None if the loader has no length.
        stop_reason: why training is to end after this epoch, None to go on.
    """

    model: Model
    loss: Any
    optimizer: Optimizer
    loader: Iterable[Any]
    epochs: int
    validation: Iterable[Any] | None = None
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    callbacks: Sequence[Callback] = ()
    history: History = field(default_factory=History)
    epoch: int = 0
    step: int = 0
    steps: int | None = None
    stop_reason: str | None = None
    _means: Means = field(default_factory=Means)

    @property
    def means(self) -> dict[str, float]:
        """Loss and metrics, averaged over the samples of this epoch so far."""
        return self._means.values()

    @property
    def lr(self) -> float:
        """The learning rate of the first parameter group."""
        return float(self.optimizer.param_groups[0]["lr"])

    @property
    def names(self) -> list[str]:
        """What the history has of each epoch."""
        measured = ["loss", *self.metrics]
        checked = [f"val_{name}" for name in measured] if self.validation is not None else []
        return ["epoch", *measured, *checked, "lr"]

    def stop(self, reason: str) -> None:
        """End training after this epoch; for a person to read, ``reason`` says why."""
        self.stop_reason = reason


class Callback:
    """Something that is done at certain moments of training; subclasses override what they need.

    In each epoch: ``on_epoch_begin``; for each batch ``on_gradients`` and ``on_batch_end``; then,
    with the validation done and the row in the history, ``on_epoch_end`` and ``on_save``. All
    callbacks have seen ``on_epoch_end`` before the first sees ``on_save``, so that what is saved
    there is the state in which the next epoch begins.

    A callback with a state of its own gives it in ``state_dict``, so that a resumed run goes on
    from it.

    >>> class Greet(Callback):
    ...     def on_epoch_end(self, run):
    ...         print(f"epoch {run.epoch} of {run.epochs}")
    """

    def on_fit_begin(self, run: Run) -> None:
        """Before the first step; a resumed run has its state already."""

    def on_epoch_begin(self, run: Run) -> None:
        """Before the first batch of an epoch; the model is in training mode."""

    def on_gradients(self, run: Run) -> None:
        """The gradients are there and finite, and the step is not yet taken."""

    def on_batch_end(self, run: Run) -> None:
        """The step is taken; ``run.means`` has it in."""

    def on_epoch_end(self, run: Run) -> None:
        """The epoch's row is ``run.history[-1]``; change here what the next epoch uses."""

    def on_save(self, run: Run) -> None:
        """Every callback has seen the end of the epoch: write here what is to be kept."""

    def on_fit_end(self, run: Run) -> None:
        """After the last step, also when training ends by an error or an interrupt."""

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run needs, of tensors and plain data; nothing by default."""
        return {}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from what ``state_dict`` gave."""


def check_monitor(callback: Callback, monitor: str, run: Run) -> None:
    """Refuse to watch a number that the history will not have."""
    if monitor not in run.names:
        needs = ", which needs validation=..." if monitor.startswith("val_") else "."
        raise ArgumentError(
            f"{type(callback).__name__}: there is no {monitor!r} to watch{needs}",
            [f"each epoch has: {', '.join(run.names)}"],
            f'{type(callback).__name__}(..., monitor="{run.names[1]}")',
        )


def learning_rates(optimizer: Optimizer) -> str:
    """The learning rate of each group, in words."""
    rates = [f"{float(group['lr']):g}" for group in optimizer.param_groups]
    return f"learning rate{'s' if len(rates) > 1 else ''} {', '.join(rates)}"
