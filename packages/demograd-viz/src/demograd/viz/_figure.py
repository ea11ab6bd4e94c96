"""Figures of Matplotlib without pyplot: nothing global is touched, no display is needed."""

from __future__ import annotations

import io
from typing import Any

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from demograd.viz._style import INK, MUTED

__all__ = ["Picture", "axes", "literal", "new_figure", "plain_log", "tidy"]


class Picture(Figure):
    """A Matplotlib Figure that shows itself in a notebook without pyplot's help."""

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        self.savefig(file, format="png", dpi=110)
        return file.getvalue()


def new_figure(width: float, height: float, title: str | None = None) -> Picture:
    """An empty figure of this size in inches."""
    figure = Picture(figsize=(width, height), layout="constrained", facecolor="white")
    if title:
        figure.suptitle(literal(title), color=INK, fontsize=12, fontweight="bold")
    return figure


def axes(figure: Figure, rows: int = 1, columns: int = 1) -> list[Axes]:
    """The axes of a grid, row by row."""
    grid: Any = figure.subplots(rows, columns, squeeze=False)
    return list(grid.flat)


def tidy(ax: Axes) -> None:
    """A light frame, and a grid behind what is drawn."""
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(MUTED)
    ax.tick_params(colors=MUTED, labelcolor=INK, labelsize=9)
    ax.grid(True, color="#E4E8EC", linewidth=0.8)
    ax.set_axisbelow(True)


def plain_log(axis: Axis) -> None:
    """Numbers as they are read, such as 0.02, on a logarithmic axis; few of them where it is long.

    Only ranges of less than four powers of ten have numbers between the powers.
    """
    low, high = axis.get_view_interval()
    subs = (1.0, 2.0, 5.0) if high / low < 1e4 else (1.0,)
    axis.set_major_locator(LogLocator(subs=subs))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def literal(text: str) -> str:
    """A text that Matplotlib does not read as mathematics."""
    return text.replace("$", r"\$")
