"""Where in the user's own code something happens: the nearest caller outside demograd."""

from __future__ import annotations

import linecache
import sys
from dataclasses import dataclass
from types import FrameType

__all__ = ["Place", "user_frame", "user_place"]


@dataclass(frozen=True, slots=True)
class Place:
    """A line of code.

    >>> print(Place("train.py", 12, "step"))
    train.py:12, in step
    """

    file: str
    line: int
    function: str

    @property
    def code(self) -> str:
        """The text of the line; empty where the source cannot be read."""
        return linecache.getline(self.file, self.line).strip()

    @property
    def where(self) -> str:
        """File and line, or cell and line in a notebook: ``train.py:12``, ``Cell In[3]:1``."""
        return f"{_cell(self.file) or self.file}:{self.line}"

    def __str__(self) -> str:
        code = self.code
        return f"{self.where}, in {self.function}" + (f": {code}" if code else "")


def _cell(file: str) -> str | None:
    """What IPython calls the cell that it compiled under this file name."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    name = getattr(getattr(shell, "compile", None), "format_code_name", lambda _: None)(file)
    return None if name is None else " ".join(name)


def user_frame() -> FrameType:
    """The frame of the nearest caller whose module is not one of demograd's."""
    frame = sys._getframe(1)
    while frame.f_back is not None and _is_ours(frame):
        frame = frame.f_back
    return frame


def user_place() -> Place:
    """The line of that caller, without reading its source."""
    frame = user_frame()
    return Place(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)


def _is_ours(frame: FrameType) -> bool:
    name = str(frame.f_globals.get("__name__", ""))
    return name == "demograd" or name.startswith("demograd.")
