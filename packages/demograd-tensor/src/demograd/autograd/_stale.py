"""Saved values that were overwritten before the pass that needs them: found, and named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from demograd._storage import Change, changes, owner
from demograd._tensor import Tensor
from demograd.autograd._function import Function
from demograd.errors import GradientError

__all__ = ["change_since", "check_unchanged", "origin", "stale"]


def change_since(array: Any, time: int) -> Change | None:
    """The last change of the memory of ``array``, if it was later than ``time``."""
    if type(array) is not np.ndarray and not isinstance(getattr(array, "base", None), np.ndarray):
        return None  # scalars and other libraries' arrays are never written to
    change = changes.get(id(array if array.base is None else owner(array)))
    return change if change is not None and change.time > time else None


def check_unchanged(node: Function, saved: Sequence[Any]) -> None:
    """Refuse to run a node one of whose saved arrays was changed after it was made."""
    for number, array in enumerate(saved):
        change = change_since(array, node._time)
        if change is not None:
            raise stale(node, number, array.shape, array.dtype, change)


def stale(
    node: Function, number: int, shape: tuple[int, ...], dtype: Any, change: Change
) -> GradientError:
    """Says which operation saved what, where, and what changed it, and where."""
    facts = [
        f"{node.name}: saved {_what(node, number)}, of shape {shape}, dtype {dtype}",
        f"changed by: {change.by}",
    ]
    mend = "Change a copy (x = x.clone()), or make the change after backward."
    if node.place is not None:
        facts.insert(1, f"saved at: {node.place}")
    if change.place is not None:
        facts.append(f"changed at: {change.place}")
    if node.place is None or change.place is None:
        mend += "\nUnder dg.debug() this message names the lines of both."
    return GradientError(
        f"backward: a value that {node.name} saved was changed in place afterwards.", facts, mend
    )


def _what(node: Function, number: int) -> str:
    """What a saved value is to its node: which input, with its name or origin, or the output."""
    place = origin(node, number)
    if place is None:
        return f"value {number}"
    if place < 0:
        return "its output" if node._outputs is None else f"its output {-1 - place}"
    edge = node._edges[place]
    what = f"its input {place}"
    if isinstance(edge, Tensor):
        return f"{edge.name}, {what}" if edge.name else f"{what}, a leaf"
    return what if edge is None else f"{what}, made by {getattr(edge, 'node', edge).name}"


def origin(node: Function, number: int) -> int | None:
    """Which input a saved value is, counted from 0, or which output, counted from -1 down."""
    if node._saves is not None:
        return node._saves[number]
    identity = id(node.saved_tensors[number])
    places = [place for place, known in enumerate(node._input_ids) if known == identity]
    if places:
        # Two inputs may hold one array, and have different histories.
        edges = {id(node._edges[place]) for place in places}
        return places[0] if len(edges) == 1 else None
    if node._outputs is None:
        return -1 if identity == node._output_id else None
    outputs = [known for _, _, known in node._outputs]
    return -1 - outputs.index(identity) if identity in outputs else None
