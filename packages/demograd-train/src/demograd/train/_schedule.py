"""Learning-rate schedules as callbacks."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Literal

from demograd.errors import ArgumentError, ArgumentTypeError
from demograd.train._callback import Callback, Run, check_monitor

__all__ = ["Schedule"]


class Schedule(Callback):
    """Step a learning-rate schedule after each epoch, or after each batch.

    Args:
        scheduler: what has ``step()``, ``state_dict()`` and ``load_state_dict()``, as the
            schedules of ``demograd.optim.lr_scheduler`` have. One whose ``step`` asks for a
            value, as ReduceLROnPlateau's does, is given the watched number.
        by: ``"epoch"``, or ``"batch"`` for schedules that are made in steps, as OneCycleLR is.
        monitor: which column of the history to give it; where it asks for a value, by default
            ``val_loss``, or ``loss`` without validation.

    Raises:
        ArgumentTypeError: it is no schedule.
        ArgumentError: ``by`` is something else, a number is to be watched batch by batch, or, at
            the start, the schedule belongs to another optimizer or there is no such column.

    >>> class Halve:
    ...     def __init__(self, optimizer):
    ...         self.optimizer = optimizer
    ...
    ...     def step(self):
    ...         self.optimizer.param_groups[0]["lr"] /= 2
    ...
    ...     def state_dict(self):
    ...         return {}
    ...
    ...     def load_state_dict(self, state_dict):
    ...         pass
    >>> Schedule(Halve(None)).by
    'epoch'
    """

    def __init__(
        self,
        scheduler: Any,
        by: Literal["epoch", "batch"] = "epoch",
        monitor: str | None = None,
    ) -> None:
        lacking = [
            name
            for name in ("step", "state_dict", "load_state_dict")
            if not callable(getattr(scheduler, name, None))
        ]
        if lacking:
            raise ArgumentTypeError(
                "Schedule: this is no learning-rate schedule.",
                [f"scheduler: {type(scheduler).__name__} without {', '.join(lacking)}"],
                "Schedule(demograd.optim.lr_scheduler.StepLR(optimizer, step_size=10))",
            )
        if by not in ("epoch", "batch"):
            raise ArgumentError(
                "Schedule: by must be 'epoch' or 'batch'.", [f"by: {by!r}"], 'by="batch"'
            )
        self.scheduler = scheduler
        self.by = by
        self.monitor = monitor
        required, optional = _arguments_of_step(scheduler)
        # PyTorch's step(epoch=None) takes a number, but not one that was measured.
        if monitor is not None and not required and optional in ([], ["epoch"]):
            raise ArgumentError(
                "Schedule: this schedule watches no number.",
                [f"scheduler: {type(scheduler).__name__}", f"monitor: {monitor!r}"],
                "Leave monitor out.",
            )
        self._wants_value = bool(required) or monitor is not None
        if self._wants_value and by == "batch":
            raise ArgumentError(
                "Schedule: a number can be watched by epochs only.",
                [f"scheduler: {type(scheduler).__name__}, whose step() takes a value"],
                'Schedule(scheduler, by="epoch")',
            )

    def on_fit_begin(self, run: Run) -> None:
        owner = getattr(self.scheduler, "optimizer", run.optimizer)
        if owner is not run.optimizer:
            raise ArgumentError(
                "Schedule: the schedule belongs to another optimizer than the one that trains.",
                [f"scheduler: {type(self.scheduler).__name__} of a {type(owner).__name__}"],
                "Make it of this one: StepLR(optimizer, step_size=10).",
            )
        if self._wants_value:
            if self.monitor is None:
                self.monitor = "loss" if run.validation is None else "val_loss"
            check_monitor(self, self.monitor, run)

    def on_batch_end(self, run: Run) -> None:
        if self.by == "batch":
            self.scheduler.step()

    def on_epoch_end(self, run: Run) -> None:
        if self.by == "epoch":
            values = [run.history[-1][self.monitor]] if self.monitor is not None else []
            self.scheduler.step(*values)

    def state_dict(self) -> dict[str, Any]:
        return dict(self.scheduler.state_dict())

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        self.scheduler.load_state_dict(state_dict)


def _arguments_of_step(scheduler: Any) -> tuple[list[str], list[str]]:
    """The positional arguments of ``step``: those that must be given, and those that may be."""
    arguments = [
        parameter
        for parameter in inspect.signature(scheduler.step).parameters.values()
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    required = [a.name for a in arguments if a.default is a.empty]
    return required, [a.name for a in arguments if a.default is not a.empty]
