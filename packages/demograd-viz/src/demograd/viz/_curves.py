"""``curves``: what a training run measured, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from demograd.errors import ArgumentError, DataError
from demograd.viz._history import Columns, read_history
from demograd.viz._style import INK, MUTED, PALETTE, printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["curves"]

# Columns that count or time and measure nothing.
_STEPS = ("epoch", "step")
_BESIDES = ("lr", "learning_rate", "seconds", "time", "duration")
# Which curve of a metric a column is, by the beginning of its name.
_PREFIXES = {
    "train_": "training", "training_": "training", "val_": "validation", "valid_": "validation",
    "validation_": "validation", "test_": "test",
}  # fmt: skip
_LOOKS = {
    "training": (PALETTE[0], "-", "o"), "validation": (PALETTE[1], "--", "s"),
    "test": (PALETTE[2], ":", "^"),
}  # fmt: skip


def curves(
    history: Any,
    *,
    metrics: Iterable[str] | None = None,
    log: bool = False,
    title: str | None = None,
) -> Figure:
    """Loss and the other metrics over the epochs, training and validation in one panel each.

    A column ``loss`` or ``train_loss`` is the training's, ``val_loss`` the validation's. The best
    value of the validation, or of the training if there is none, is marked: the smallest of what
    is called loss, error or perplexity, else the largest.

    Args:
        history: a list of dictionaries (a row an epoch), a dictionary of lists, a ``History`` of
            demograd-train, or the path of its ``history.json`` or ``history.csv``.
        metrics: which to show, in this order; all of the history's if left out, but for times
            and learning rates.
        log: whether losses stand on a logarithmic scale.
        title: of the whole figure.

    Returns:
        A Matplotlib figure: ``figure.savefig("curves.png")``.

    Raises:
        FileError, DataError, ArgumentTypeError: the history cannot be read.
        ArgumentError: a metric is not in it.

    >>> figure = curves(
    ...     [{"epoch": 1, "loss": 0.9, "val_loss": 1.0}, {"epoch": 2, "loss": 0.4, "val_loss": 0.6}]
    ... )
    >>> [ax.get_ylabel() for ax in figure.axes]
    ['loss']
    """
    columns = read_history(history)
    panels = _panels(columns)
    if metrics is not None:
        chosen = list(metrics)
        unknown = [name for name in chosen if name not in panels]
        if unknown or not chosen:
            raise ArgumentError(
                f"curves: the history has no metric {unknown[0]!r}."
                if unknown
                else "curves: metrics names none.",
                [f"metrics: {', '.join(panels) or 'none'}"],
            )
        panels = {name: panels[name] for name in chosen}
    else:
        panels = {name: lines for name, lines in panels.items() if name not in _BESIDES}
    if not panels or not next(iter(columns.values())):
        raise DataError(
            "curves: there is nothing to draw.",
            [f"columns: {', '.join(columns) or 'none'}"],
            "A history has a row for each epoch, such as {'epoch': 1, 'loss': 0.5}.",
        )
    from demograd.viz._figure import axes, new_figure

    # Up to three panels stand side by side.
    across = min(len(panels), 3)
    down = math.ceil(len(panels) / across)
    figure = new_figure(4.6 * across, 3.4 * down, title)
    grid = axes(figure, down, across)
    for ax in grid[len(panels) :]:
        ax.remove()
    x_name, x = _steps(columns)
    for ax, (name, lines) in zip(grid, panels.items(), strict=False):
        _draw_panel(ax, name, lines, x_name, x, log and _is_loss(name))
    return figure


def _panels(columns: Columns) -> dict[str, dict[str, list[float]]]:
    """For each metric its curves: training, validation, test."""
    panels: dict[str, dict[str, list[float]]] = {}
    for name, values in columns.items():
        if name in _STEPS:
            continue
        prefix = next((p for p in _PREFIXES if name.startswith(p) and len(name) > len(p)), "")
        panels.setdefault(name[len(prefix) :], {})[_PREFIXES.get(prefix, "training")] = values
    return panels


def _steps(columns: Columns) -> tuple[str, list[float]]:
    for name in _STEPS:
        if name in columns:
            return name, columns[name]
    return "epoch", [float(i + 1) for i in range(len(next(iter(columns.values()))))]


def _is_loss(name: str) -> bool:
    return any(word in name.lower() for word in ("loss", "error", "perplexity"))


def _draw_panel(
    ax: Axes,
    name: str,
    lines: dict[str, list[float]],
    x_name: str,
    x: list[float],
    log: bool,
) -> None:
    from matplotlib.ticker import MaxNLocator

    from demograd.viz._figure import literal, plain_log, tidy

    tidy(ax)
    label = literal(printable(name))
    few = len(x) <= 20
    for split, values in lines.items():
        colour, style, marker = _LOOKS[split]
        # A curve of one point would not be seen without a mark.
        ax.plot(
            x, values, color=colour, linestyle=style, linewidth=1.8, label=split,
            marker=marker if few else None, markersize=4,
        )  # fmt: skip
    split = next(s for s in ("validation", "test", "training") if s in lines)
    finite = [(v, step) for v, step in zip(lines[split], x, strict=True) if math.isfinite(v)]
    if finite:
        best, step = min(finite) if _is_loss(name) else max(finite, key=lambda f: (f[0], -f[1]))
        ax.plot([step], [best], "o", markersize=8, markerfacecolor="none", markeredgewidth=1.4,
                markeredgecolor=INK, zorder=5)  # fmt: skip
        ax.set_title(
            f"best {split} {label}: {best:.4g} at {x_name} {step:g}", fontsize=9, color=MUTED
        )
    if log and any(0 < value < math.inf for values in lines.values() for value in values):
        ax.set_yscale("log")
        plain_log(ax.yaxis)
    ax.set_xlabel(x_name, color=INK)
    ax.set_ylabel(label, color=INK)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend(frameon=False, fontsize=9)
