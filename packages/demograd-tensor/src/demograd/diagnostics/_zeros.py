"""Where a gradient became zero: the operations that let nothing through, and why."""

from __future__ import annotations

from typing import Any

from demograd._tensor import Tensor
from demograd.autograd._function import Function
from demograd.diagnostics._graph import Graph
from demograd.diagnostics._notes import Flow
from demograd.diagnostics._ranges import share

__all__ = ["blocked", "stopped", "thinned"]

MOST = 3  # operations that are named

# Why a rule gives zero, by the operator's name, whatever package it is from.
_WHY: dict[str, str] = {
    **dict.fromkeys(["Mul", "MatMul", "Affine", "Conv2d", "Prod"], "multiplied by zero"),
    **dict.fromkeys(
        ["Sigmoid", "Tanh", "Softmax", "SiLU", "Erf", "GELU"],
        "saturated: so far out that its slope is 0",
    ),
    **dict.fromkeys(["ReLU", "ELU"], "inactive: its inputs are not positive"),
    "Clamp": "outside the bounds, where it is flat",
    **dict.fromkeys(["Where", "Keep", "Tril", "Triu"], "masked out"),
    **dict.fromkeys(
        ["Sign", "Floor", "Ceil", "Round", "Trunc", "FloorDivide"],
        "a step function, whose slope is 0 everywhere",
    ),
    **dict.fromkeys(
        ["Maximum", "Minimum", "Max", "Min", "AMax", "AMin", "MaxPool2d"], "another is taken"
    ),
    **dict.fromkeys(
        ["Index", "Gather", "IndexSelect", "Diagonal", "SetIndex", "Lookup"],
        "other elements are taken",
    ),
    "Abs": "the slope of |x| at 0 is taken as 0",
    "Square": "the slope of x**2 at 0 is 0",
    "Pow": "the slope of the power there is 0",
    "Norm": "the slope of the norm at 0 is taken as 0",
    "Exp": "e**x is so small that it is 0",
}


def blocked(graph: Graph, x: Tensor) -> list[str] | None:
    """Lines that name the operations at which the gradient towards ``x`` became zero.

    None if nobody can know: the saved values are gone, and no pass was watched.
    """
    way = graph.leading_to(x)
    members: set[Any] = set(way)
    if way and all(graph.flow(node) is None for node in way):
        return None
    found: list[str] = []
    for node in way:
        flow = graph.flow(node)
        if flow is None or flow.arrived[0] == flow.arrived[1]:
            continue  # nothing arrives: it was stopped closer to the loss
        parts = [_part(flow, i) for i in graph.towards(node, members, x)]
        if all(part is None or part[0] == part[1] for part in parts):
            found.append(_said(node, f"{_why(node)}, at 100 % of its elements"))
    if not found:
        holders: list[Any] = [x, *way]
        hooked = any(holder._hooks for holder in holders)
        cancel = "the contributions that arrive by several ways cancel each other"
        return ["a hook is registered on the way, and may have made it zero" if hooked else cancel]
    return [*found[:MOST], *([f"and {len(found) - MOST} more"] if len(found) > MOST else [])]


def thinned(graph: Graph, x: Tensor) -> list[str]:
    """Lines that name the operations that let least of the gradient towards ``x`` through."""
    way = graph.leading_to(x)
    members: set[Any] = set(way)
    losses: list[tuple[float, str]] = []
    for node in way:
        flow = graph.flow(node)
        if flow is None or not flow.arrived[1]:
            continue
        before = flow.arrived[0] / flow.arrived[1]
        for i in graph.towards(node, members, x):
            part = _part(flow, i)
            # What only moves elements, or spreads them, adds zeros that mean nothing.
            if part is None or not part[1] or node.name in _MOVES:
                continue
            after = part[0] / part[1]
            if after - before > 0.05:
                words = f"{_why(node)}, at {share(*part)} of its elements"
                losses.append((before - after, _said(node, words)))
    return [words for _, words in sorted(losses)[:MOST]]


def stopped(graph: Graph, x: Tensor) -> list[str]:
    """Lines that name the operations whose rules give no gradient towards ``x`` at all.

    Empty if a gradient arrives by any way.
    """
    way = graph.leading_to(x)
    members: set[Any] = set(way)
    target: Any = x._node or x
    alive: set[Any] = {graph.root}
    found = []
    for node in way:
        if node not in alive:
            continue
        flow = graph.flow(node)
        gives = False
        for i in graph.towards(node, members, x):
            if flow is None or flow.parts[i : i + 1] != (None,):
                alive.add(node._edges[i])
                gives = True
        if not gives:
            found.append(_said(node, "its rule gives no gradient for this input"))
    return [] if target in alive else found[:MOST]


_MOVES = frozenset(["Index", "Gather", "IndexSelect", "Diagonal", "Lookup", "Pad", "Split", "Cat"])


def _part(flow: Flow, number: int) -> tuple[int, int] | None:
    return flow.parts[number] if number < len(flow.parts) else None


def _why(node: Function) -> str:
    return _WHY.get(node.name, "its slope is 0")


def _said(node: Function, words: str) -> str:
    inside = f" in {node.module_path}" if node.module_path else ""
    where = f"; made at {node.place}" if node.place is not None else ""
    return f"{node.name}{inside}: {words}{where}"
