"""A :class:`Summary` as a table: by rich for terminals, and as HTML for notebooks."""

from __future__ import annotations

import io
from html import escape
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from demograd.viz._style import printable, shape_text

if TYPE_CHECKING:
    from demograd.viz._summary import Row, Summary

__all__ = ["html", "plain", "renderable"]

_MOST_SHAPES = 3
_HEADER = ("layer", "class", "output shape", "parameters", "trainable")
_CELL = "padding:2px 12px;border:0;"


def renderable(found: Summary) -> RenderableType:
    """The table for rich; the texts are not markup, whatever stands in a name."""
    table = Table(box=SIMPLE_HEAD, show_edge=False, header_style="bold", pad_edge=False)
    for number, title in enumerate(_HEADER):
        table.add_column(title, justify="left" if number < 3 else "right", no_wrap=True)
    for row in found.rows:
        layer, kind, shapes, parameters, trainable = _cells(row)
        name = Text.assemble((row.guide, "dim"), (layer, "bold"))
        table.add_row(name, Text(kind, "cyan"), Text(shapes), Text(parameters), Text(trainable))
    totals = Table(box=None, show_header=False, pad_edge=False)
    totals.add_column(style="bold")
    totals.add_column()
    for title, text in _totals(found):
        totals.add_row(Text(title), Text(text))
    return Group(table, "", totals)


def plain(found: Summary) -> str:
    """The table as plain text, as wide as it needs to be."""
    file = io.StringIO()
    # A width that nothing reaches: the table takes what it needs. In a notebook rich would show the
    # table at once and write nothing to the file.
    console = Console(
        file=file, width=10_000, color_system=None, force_terminal=False, force_jupyter=False
    )
    console.print(renderable(found))
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines())


def html(found: Summary) -> str:
    """The table as HTML, in the colours of the page around it."""
    out = ['<table style="border-collapse:collapse;font-size:90%">', "<thead><tr>"]
    for number, title in enumerate(_HEADER):
        out.append(f'<th style="{_CELL}{_align(number)}border-bottom:1px solid">{title}</th>')
    out.append("</tr></thead><tbody>")
    for row in found.rows:
        out.append("<tr>")
        for number, text in enumerate(_cells(row)):
            content = escape(text)
            if number == 0:
                guide = escape(row.guide).replace(" ", "&nbsp;")
                content = f'<code style="opacity:.6">{guide}</code><b>{content}</b>'
            out.append(f'<td style="{_CELL}{_align(number)}">{content}</td>')
        out.append("</tr>")
    out.append('</tbody></table><table style="border-collapse:collapse;font-size:90%"><tbody>')
    for title, text in _totals(found):
        out.append(f'<tr><th style="{_CELL}text-align:left">{title}</th>')
        out.append(f'<td style="{_CELL}">{escape(text)}</td></tr>')
    out.append("</tbody></table>")
    return "".join(out)


def _align(column: int) -> str:
    return f"text-align:{'left' if column < 3 else 'right'};"


def _cells(row: Row) -> tuple[str, str, str, str, str]:
    """Name, class, output shapes, numbers of parameters; a blank where there is none."""
    shapes = ", ".join(map(shape_text, row.shapes[:_MOST_SHAPES]))
    if len(row.shapes) > _MOST_SHAPES:
        shapes += f", … ({len(row.shapes)})"
    if row.calls > 1:
        shapes += f"  × {row.calls:,}"
    number = row.trainable + row.frozen
    return (
        printable(row.name or "model"),
        printable(row.kind),
        shapes,
        f"{number:,}" if number else "",
        f"{row.trainable:,}" if number else "",
    )


def _totals(found: Summary) -> list[tuple[str, str]]:
    memory = {
        "inputs": found.input_bytes,
        "outputs": found.output_bytes,
        "parameters": found.parameter_bytes,
        "total": found.total_bytes,
    }
    return [
        (
            "parameters",
            f"{found.parameters:,} (trainable {found.trainable:,}, frozen {found.frozen:,})",
        ),
        ("memory", ", ".join(f"{name} {_megabytes(size)}" for name, size in memory.items())),
    ]


def _megabytes(size: int) -> str:
    """Three digits, of millions of bytes."""
    millions = size / 1e6
    if 0 < millions < 0.001:
        return "<0.001 MB"
    return f"{millions:,.0f} MB" if millions >= 100 else f"{millions:.3g} MB"
