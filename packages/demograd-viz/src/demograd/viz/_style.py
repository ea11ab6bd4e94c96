"""The colours, fonts and wordings that all pictures share.

The colours of data are those of Okabe and Ito, which stay apart for colour-blind readers.

Reference: Okabe and Ito, "Color Universal Design", 2008, https://jfly.uni-koeln.de/color/.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

__all__ = [
    "CLUSTER", "FONT", "FRAME", "INK", "MUTED", "PALETTE", "SHAPES", "Look", "dtype_text", "plural",
    "printable", "shape_text",
]  # fmt: skip

FONT = "Helvetica,Arial,sans-serif"
INK = "#1F2933"
MUTED = "#6B7785"

# Blue, vermilion, green, pink, orange, sky, yellow, black.
PALETTE = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000",
)  # fmt: skip


@dataclass(frozen=True)
class Look:
    """How one kind of shape is drawn."""

    fill: str
    line: str
    width: float = 1.0
    round: bool = False  # an ellipse
    double: bool = False  # a second outline: it stands for several


SHAPES = {
    "operation": Look("#E3EEF9", "#3B75AF", round=True),
    "tensor": Look("#FFFFFF", "#9AA5B1"),
    "parameter": Look("#FFEBC8", "#D98E04", width=1.3),
    "leaf": Look("#DCF3EA", "#009E73", width=1.3),
    "output": Look("#F8E3EF", "#B5538A", width=1.6),
    "constant": Look("none", "none"),
    "fold": Look("#E3EEF9", "#3B75AF", round=True, double=True),
    "call": Look("#EDF0F4", "#7B8794", double=True),
    "many": Look("#FFFFFF", "#9AA5B1", double=True),
}

# A module inside a module is a little darker.
CLUSTER = ("#F6F8FA", "#EDF1F5", "#E4E9EF", "#DBE2EA")
FRAME = "#C3CCD6"


def printable(text: str, longest: int = 48) -> str:
    r"""A name as it can stand in a picture: no control characters, and too long a one
    without its middle.

    >>> printable("a\nb")
    'a\\nb'
    """
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    if len(text) > longest:
        half = longest // 2
        text = f"{text[:half]}…{text[-half + 1 :]}"
    return text


def shape_text(shape: Iterable[int]) -> str:
    """A shape as Python writes it.

    >>> shape_text([3])
    '(3,)'
    """
    return str(tuple(shape))


def dtype_text(dtype: Any) -> str:
    """The data type's name without its library's.

    >>> dtype_text("array_api_strict.float32")
    'float32'
    """
    return printable(str(dtype).rpartition(".")[2])


def plural(count: int, noun: str) -> str:
    """A count with its noun.

    >>> plural(1, "tensor"), plural(1200, "tensor")
    ('1 tensor', '1,200 tensors')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
