"""How a node, and what it saved, are called in messages."""

from __future__ import annotations

from demograd._tensor import Tensor
from demograd.autograd._function import Function
from demograd.autograd._stale import origin

__all__ = ["made_where", "saved_as"]


def made_where(node: Function) -> list[str]:
    """Lines that say where a node was made."""
    notes = node._notes
    if notes is None:
        return ["made before dg.debug() was entered, so its line is not known"]
    lines = [f"made at {notes.place}"]
    if notes.module_path:
        lines.append(f"in {notes.module_path}")
    if notes.of is not None:
        name, original = notes.of
        lines.append(f"in the derivative of {name}, which was made at {original.place}")
    return lines


def saved_as(node: Function, number: int) -> str:
    """Which value of the operation a saved one is, such as ``input 0`` or the input's name."""
    place = origin(node, number)
    if place is None:
        return f"saved value {number}"
    if place < 0:
        return "output"
    edge = node._edges[place] if place < len(node._edges) else None
    return edge._label(f"input {place}") if isinstance(edge, Tensor) else f"input {place}"
