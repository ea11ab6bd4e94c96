"""The chain of operations from a loss to a node, in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from demograd.autograd._function import Function, Output
from demograd.diagnostics._settings import Pass

__all__ = ["chain_to", "chain_words"]

MOST = 7  # lines of a chain; the middle of a longer one is left out


def chain_to(node: Function, passes: Iterable[Pass]) -> list[Function]:
    """The nodes from the root of a backward pass to this one: a shortest way.

    Args:
        node: where the way ends.
        passes: the passes that are under way, innermost first; the first from whose root the node
            is reached is meant.
    """
    for each in passes:
        roots = [root() for root in each.roots]
        found = _way([root for root in roots if isinstance(root, Function)], node)
        if found:
            return found
    return []


def _way(roots: Sequence[Function], node: Function) -> list[Function]:
    came_from: dict[Any, Any] = dict.fromkeys(roots)
    queue = list(roots)
    for current in queue:
        if current is node:
            break
        for edge in current._edges:
            # What is earlier than the node does not lead to it.
            if (
                isinstance(edge, Function)
                and edge not in came_from
                and (edge._time >= node._time or type(edge) is Output)
            ):
                came_from[edge] = current
                queue.append(edge)
    if node not in came_from:
        return []
    way = []
    at: Any = node
    while at is not None:
        if type(at) is not Output:
            way.append(at)
        at = came_from[at]
    return way[::-1]


def chain_words(way: Sequence[Function]) -> list[str]:
    """A line for each place in the user's code, with the operations that it made."""
    lines = []
    for (place, path), group in groupby(way, key=lambda node: (node.place, node.module_path)):
        nodes = list(group)
        names = [node.name for node in nodes]
        if len(names) > MOST:
            names = [*names[:3], f"{len(names) - 6} more", *names[-3:]]
        where = f", {place.where}" if place is not None else ""
        inside = f", in {path}" if path else ""
        lines.append((f"{' <- '.join(names)}{where}{inside}", len(nodes)))
    if len(lines) <= MOST:
        return [line for line, _ in lines]
    left_out = sum(count for _, count in lines[3:-3])
    head, tail = lines[:3], lines[-3:]
    return [*(line for line, _ in head), f"... {left_out} more ...", *(line for line, _ in tail)]
