"""The line of the user's code, noted in a microsecond and put into words when somebody asks."""

from __future__ import annotations

import sys
from types import CodeType, FrameType

from demograd._place import Place

__all__ = ["Spot", "called_by_user", "place_of", "spot_here"]

# A code object and an offset into it: the number of the line is looked up later, for it takes
# longer than the operation.
Spot = tuple[CodeType, int]

# Whether a module of this name is one of demograd's.
_ours: dict[str, bool] = {}


def _is_ours(frame: FrameType) -> bool:
    name = frame.f_globals.get("__name__", "")
    known = _ours.get(name)
    if known is None:
        known = _ours[name] = name == "demograd" or str(name).startswith("demograd.")
    return known


def spot_here() -> Spot:
    """The nearest caller outside demograd, such as the ``forward`` of a user's module."""
    frame = sys._getframe(1)
    while _is_ours(frame) and frame.f_back is not None:
        frame = frame.f_back
    return frame.f_code, frame.f_lasti


def called_by_user() -> tuple[str, bool]:
    """Which function of demograd the user called, and whether it is a method of Tensor."""
    frame = sys._getframe(1)
    inner = frame
    while _is_ours(frame) and frame.f_back is not None:
        inner, frame = frame, frame.f_back
    return inner.f_code.co_name, inner.f_globals.get("__name__") == "demograd._tensor"


def place_of(spot: Spot) -> Place:
    """The line of a spot.

    >>> place_of((place_of.__code__, 0)).function
    'place_of'
    """
    code, offset = spot
    line = code.co_firstlineno
    for start, end, number in code.co_lines():
        if start <= offset < end and number is not None:
            line = number
            break
    return Place(code.co_filename, line, code.co_name)
