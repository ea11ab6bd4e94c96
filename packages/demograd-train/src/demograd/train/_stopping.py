"""Stopping when nothing gets better any more, and what "better" is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from demograd.errors import ArgumentError
from demograd.train._callback import Callback, Run, check_monitor

__all__ = ["Best", "EarlyStopping"]


class Best:
    """The best value so far of a number that is watched.

    Args:
        operation: who watches, for messages.
        mode: ``"min"`` if less is better, ``"max"`` if more is.
        min_delta: by how much a value must be better to count, at least 0.
    """

    def __init__(self, operation: str, mode: str, min_delta: float = 0.0) -> None:
        if mode not in ("min", "max"):
            raise ArgumentError(
                f"{operation}: mode must be 'min' or 'max'.",
                [f"mode: {mode!r}"],
                'mode="min" for a loss, mode="max" for an accuracy.',
            )
        if not min_delta >= 0:
            raise ArgumentError(
                f"{operation}: min_delta must be at least 0.",
                [f"min_delta: {min_delta!r}"],
                "min_delta=1e-4, for example.",
            )
        self._sign = 1.0 if mode == "min" else -1.0
        self._min_delta = min_delta
        self.value: float | None = None

    def improved(self, value: float) -> bool:
        """Take in a value; whether it is the best so far. A NaN never is."""
        if value != value:
            return False
        if self.value is not None and not (
            self._sign * value < self._sign * self.value - self._min_delta
        ):
            return False
        self.value = value
        return True


class EarlyStopping(Callback):
    """Stop when a number has not become better for some epochs.

    The model keeps the parameters of the last epoch; :class:`demograd.train.Checkpoint` with the
    same ``monitor`` keeps the best.

    Args:
        monitor: a column of the history.
        patience: how many epochs without a better value to wait, at least 1.
        mode: ``"min"`` if less is better (a loss), ``"max"`` if more is (an accuracy).
        min_delta: by how much a value must be better to count, at least 0.

    Raises:
        ArgumentError: one of them is out of its range; at the start, no such column.

    Source: L. Prechelt, "Early Stopping - But When?", 1998.

    >>> EarlyStopping("val_accuracy", patience=3, mode="max").waited
    0
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        patience: int = 5,
        mode: Literal["min", "max"] = "min",
        min_delta: float = 0.0,
    ) -> None:
        if patience < 1:
            raise ArgumentError(
                "EarlyStopping: patience must be at least 1.",
                [f"patience: {patience!r}"],
                "patience=5 waits five epochs.",
            )
        self.monitor = monitor
        self.patience = patience
        self.waited = 0
        self._best = Best("EarlyStopping", mode, min_delta)

    @property
    def best(self) -> float | None:
        """The best value so far."""
        return self._best.value

    def on_fit_begin(self, run: Run) -> None:
        check_monitor(self, self.monitor, run)
        self._stop_if_due(run)

    def on_epoch_end(self, run: Run) -> None:
        improved = self._best.improved(run.history[-1][self.monitor])
        self.waited = 0 if improved else self.waited + 1
        self._stop_if_due(run)

    def _stop_if_due(self, run: Run) -> None:
        if self.waited >= self.patience:
            run.stop(f"{self.monitor} has not become better for {self.waited} epochs")

    def state_dict(self) -> dict[str, Any]:
        return {"best": self._best.value, "waited": self.waited}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        self._best.value = state_dict["best"]
        self.waited = state_dict["waited"]
