"""The history as files, epoch by epoch."""

from __future__ import annotations

from os import PathLike

from demograd.train._callback import Callback, Run
from demograd.train._files import as_path, make_folder

__all__ = ["HistoryWriter"]


class HistoryWriter(Callback):
    """Write the history after each epoch, as ``history.json`` and ``history.csv``.

    Both are there whole at any moment, with all epochs up to the last.

    Args:
        folder: where to; made if it is not there.

    Raises:
        FileError: at the start or after an epoch, the folder or a file cannot be written.

    >>> HistoryWriter("runs/digits").json.name
    'history.json'
    """

    def __init__(self, folder: str | PathLike[str]) -> None:
        self.folder = as_path(folder, "HistoryWriter")
        self.json = self.folder / "history.json"
        self.csv = self.folder / "history.csv"

    def on_fit_begin(self, run: Run) -> None:
        make_folder(self.folder, operation="HistoryWriter")

    def on_save(self, run: Run) -> None:
        run.history.save(self.json)
        run.history.save(self.csv)
