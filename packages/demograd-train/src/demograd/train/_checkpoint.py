"""Checkpoints: all that a run needs to go on as if it had never been interrupted."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any, Literal

from demograd.errors import ArgumentError
from demograd.train._callback import Callback, Run, check_monitor
from demograd.train._files import PARTIAL, as_path, make_folder
from demograd.train._resume import snapshot
from demograd.train._saving import save
from demograd.train._stopping import Best

__all__ = ["Checkpoint"]


class Checkpoint(Callback):
    """Write the run into a folder after each epoch, so that ``fit(..., resume=folder)`` goes on.

    ``last.safetensors`` is the state after the last epoch, ``best.safetensors`` that after the
    best one, if ``monitor`` says what is best. Each holds model, loss, optimizer, callbacks (and
    with them the schedule), history, epoch and the state of the random generators, and is at any
    moment either the former one or the new one, whole: see :func:`demograd.train.save`. A run
    that goes on from it gives the same numbers, bit for bit, as one that was never interrupted.

    The folder is the run's own: what a killed process left half-written in it is removed.

    Args:
        folder: where to; made if it is not there.
        monitor: a column of the history that says which epoch is the best.
        mode: ``"min"`` if less of it is better, ``"max"`` if more is.
        every: after how many epochs; the last one is always saved.

    Raises:
        ArgumentError: ``mode`` or ``every`` is something else; at the start, there is no such
            column.
        FileError: at the start or after an epoch, the folder or a file cannot be written; the
            former checkpoint is as it was.

    >>> Checkpoint("runs/digits", monitor="val_loss").last.name
    'last.safetensors'
    """

    def __init__(
        self,
        folder: str | PathLike[str],
        *,
        monitor: str | None = None,
        mode: Literal["min", "max"] = "min",
        every: int = 1,
    ) -> None:
        if every < 1:
            raise ArgumentError(
                "Checkpoint: every must be at least 1.",
                [f"every: {every!r}"],
                "every=5 saves each fifth epoch, and the last.",
            )
        self.folder = as_path(folder, "Checkpoint")
        self.last: Path = self.folder / "last.safetensors"
        self.best: Path = self.folder / "best.safetensors"
        self.monitor = monitor
        self.every = every
        self._best = Best("Checkpoint", mode)

    def on_fit_begin(self, run: Run) -> None:
        if self.monitor is not None:
            check_monitor(self, self.monitor, run)
        make_folder(self.folder, operation="Checkpoint")
        for leftover in self.folder.glob(f".*{PARTIAL}"):
            leftover.unlink(missing_ok=True)

    def on_save(self, run: Run) -> None:
        improved = self.monitor is not None and self._best.improved(run.history[-1][self.monitor])
        final = run.epoch >= run.epochs or run.stop_reason is not None
        due = final or run.epoch % self.every == 0
        if improved or due:
            state = snapshot(run)
            # The best first: a run that is killed in between does this epoch again.
            if improved:
                save(state, self.best)
            if due:
                save(state, self.last)

    def state_dict(self) -> dict[str, Any]:
        return {} if self._best.value is None else {"best": self._best.value}

    def load_state_dict(self, state_dict: Any) -> None:
        self._best.value = state_dict["best"]
