"""Progress: a bar an epoch on a terminal, a line an epoch elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from demograd.train._callback import Callback, Run

__all__ = ["progress_callback"]

USUAL_WIDTH = 80


def progress_callback(progress: bool | None) -> list[Callback]:
    """What shows the progress: nothing, a bar, or lines.

    Args:
        progress: ``None`` for a bar on a terminal or in a notebook and nothing elsewhere, so that
            a log is not flooded; ``True`` for lines elsewhere; ``False`` for nothing.
    """
    terminal = sys.stderr is not None and sys.stderr.isatty()
    if progress is False or (progress is None and not terminal):
        return []
    return [_Bar() if terminal else _Lines()]


def line(run: Run, values: Mapping[str, float]) -> str:
    """``epoch  3/30  loss 0.1234  accuracy 0.9712``."""
    words = [f"epoch {run.epoch:{len(str(run.epochs))}}/{run.epochs}"]
    words += [f"{name} {v:.4g}" for name, v in values.items() if name not in ("epoch", "lr")]
    return "  ".join(words)


def terminal_width() -> int | None:
    """What the terminal says: 0 if it does not know, and tqdm would then show nothing at all."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns
    except (AttributeError, OSError, ValueError):
        return None  # a notebook, or something else that only behaves like a terminal


class _Bar(Callback):
    _bar: Any = None  # tqdm's, while an epoch lasts

    def on_epoch_begin(self, run: Run) -> None:
        from tqdm.auto import tqdm  # slow to import, and not needed by those who want no bar

        blind = terminal_width() == 0
        self._bar = tqdm(
            desc=line(run, {}),
            total=run.steps,
            ncols=USUAL_WIDTH if blind else None,
            dynamic_ncols=not blind,
            bar_format="{desc} |{bar}| {percentage:3.0f}%",
        )

    def on_batch_end(self, run: Run) -> None:
        if self._bar is not None:
            self._bar.set_description_str(line(run, run.means), refresh=False)
            self._bar.update()

    def on_epoch_end(self, run: Run) -> None:
        if self._bar is not None:
            self._bar.set_description_str(line(run, run.history[-1]))
            self._bar.close()
            self._bar = None

    def on_fit_end(self, run: Run) -> None:
        if self._bar is not None:  # training ended within an epoch
            self._bar.close()
            self._bar = None


class _Lines(Callback):
    def on_epoch_end(self, run: Run) -> None:
        sys.stderr.write(line(run, run.history[-1]) + "\n")
        sys.stderr.flush()
