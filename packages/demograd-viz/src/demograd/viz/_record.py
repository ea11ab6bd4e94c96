"""Reading a recorded graph into flat arrays.

The nodes are numbered from the earliest to the latest, which is a topological order; what reads
them next needs neither recursion nor a search. A million nodes take a few integers each.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from demograd import Tensor
from demograd.interfaces import GraphNode

__all__ = ["CONSTANT", "NO_CALL", "Call", "Record", "read"]

Integers = NDArray[np.int64]

NO_CALL = -1
CONSTANT = -1


@dataclass
class Call:
    """One call of a module: when it began and ended, its name, and in which call it was made."""

    start: int
    end: int
    label: str
    parent: int = NO_CALL
    depth: int = 0


@dataclass(frozen=True)
class Record:
    """A recorded graph.

    Attributes:
        nodes: the operations, earliest first.
        sources, consumers: one entry for each operand: what it is, and the number of the operation
            that takes it. A source is an operation's number, ``-2 - k`` for leaf ``k``, or -1
            for a constant.
        leaves: the tensors that nothing computed, each once.
        calls: the calls of modules.
        call_of: for each operation the innermost call that made it, or ``NO_CALL``.
        roots: the source and the name of each tensor that was asked for.
    """

    nodes: list[GraphNode]
    sources: Integers
    consumers: Integers
    leaves: list[Tensor]
    calls: list[Call]
    call_of: Integers
    roots: list[tuple[int, str]]


def read(outputs: Sequence[tuple[str, Tensor]]) -> Record:
    """Everything from which the named tensors were computed."""
    nodes, numbers = _collect([x for _, x in outputs])
    leaves: list[Tensor] = []
    leaf_numbers: dict[int, int] = {}

    def number(source: GraphNode | Tensor | None) -> int:
        if source is None:
            return CONSTANT
        if not isinstance(source, Tensor):
            return numbers[id(source)]
        found = leaf_numbers.setdefault(id(source), len(leaves))
        if found == len(leaves):
            leaves.append(source)
        return -2 - found

    sources, consumers = array("q"), array("q")
    for i, node in enumerate(nodes):
        for source in node.next_functions:
            sources.append(number(source))
            consumers.append(i)
    roots = [(number(x if x.grad_fn is None else x.grad_fn), name) for name, x in outputs]
    flat = np.array(sources, dtype=np.int64)
    taken_by = np.array(consumers, dtype=np.int64)
    calls, call_of = _calls(nodes, flat, taken_by)
    return Record(nodes, flat, taken_by, leaves, calls, call_of, roots)


def _collect(outputs: Sequence[Tensor]) -> tuple[list[GraphNode], dict[int, int]]:
    """The nodes that the outputs were computed by, earliest first, and their numbers by id."""
    nodes: list[GraphNode] = []
    numbers: dict[int, int] = {}
    for x in outputs:
        if x.grad_fn is not None and id(x.grad_fn) not in numbers:
            numbers[id(x.grad_fn)] = 0
            nodes.append(x.grad_fn)
    # The list grows while it is walked, so it is the stack of the search as well.
    for node in nodes:
        for source in node.next_functions:
            if source is not None and id(source) not in numbers and not isinstance(source, Tensor):
                numbers[id(source)] = 0
                nodes.append(source)
    nodes.sort(key=attrgetter("time"))
    for i, node in enumerate(nodes):
        numbers[id(node)] = i
    return nodes, numbers


def _calls(
    nodes: list[GraphNode], sources: Integers, consumers: Integers
) -> tuple[list[Call], Integers]:
    """The calls of modules, and for each node the innermost one that it was made in.

    A call marks the nodes that it ended with, and says when it began. In one thread calls are
    nested or apart, and what was made between the beginning and the end was made in the call.
    Calls that overlap otherwise ran in several threads; then a node belongs to a call if the
    call's result was computed from it as well.
    """
    marks: list[tuple[int, int, str]] = []  # (number of the node, start of the call, label)
    for i, node in enumerate(nodes):
        for start, label in node.scopes:
            marks.append((i, start, str(label)))
    ends = {start: nodes[i].time for i, start, _ in marks}
    labels = {start: label for _, start, label in marks}
    calls = [Call(start, ends[start], labels[start]) for start in sorted(ends)]
    inner = array("q", [NO_CALL]) * len(nodes)
    if _are_nested(calls):
        _place_by_time(nodes, calls, inner)
    else:
        _place_by_use(nodes, sources, consumers, calls, marks, inner)
    # An outer call begins earlier, so its depth is known first.
    for call in calls:
        call.depth = 0 if call.parent == NO_CALL else calls[call.parent].depth + 1
    return calls, np.array(inner, dtype=np.int64)


def _are_nested(calls: list[Call]) -> bool:
    """Whether no call began in another and ended after it; sets the parents."""
    around: list[int] = []
    for number, call in enumerate(calls):
        while around and calls[around[-1]].end <= call.start:
            around.pop()
        if around:
            if call.end > calls[around[-1]].end:
                return False
            call.parent = around[-1]
        around.append(number)
    return True


def _place_by_time(nodes: list[GraphNode], calls: list[Call], inner: array[int]) -> None:
    """Give each node the innermost call that it was made in."""
    current, following = NO_CALL, 0
    for i, node in enumerate(nodes):
        time = node.time
        while following < len(calls) and calls[following].start < time:
            current = following
            following += 1
        while current != NO_CALL and calls[current].end < time:
            current = calls[current].parent
        inner[i] = current


def _place_by_use(
    nodes: list[GraphNode],
    sources: Integers,
    consumers: Integers,
    calls: list[Call],
    marks: list[tuple[int, int, str]],
    inner: array[int],
) -> None:
    """Give each node the latest call whose result it led to; sets the parents.

    The walk goes from the latest node to the earliest, so what is known of all consumers of a
    node is known before the node. Calls are numbered by their beginning: the later is the inner.
    """
    numbers = {}
    for number, begun in enumerate(calls):
        numbers[begun.start] = number
        begun.parent = NO_CALL

    def begun_before(call: int, time: int) -> int:
        while call != NO_CALL and calls[call].start >= time:
            call = calls[call].parent
        return call

    first_operand = np.searchsorted(consumers, np.arange(len(nodes) + 1))
    for i in range(len(nodes) - 1, -1, -1):
        call = inner[i]
        while marks and marks[-1][0] == i:
            _, start, _ = marks.pop()
            mark = numbers[start]
            calls[mark].parent = max(calls[mark].parent, begun_before(call, start))
            call = max(call, mark)
        inner[i] = call
        for source in sources[first_operand[i] : first_operand[i + 1]].tolist():
            if source >= 0:
                inner[source] = max(inner[source], begun_before(call, nodes[source].time))
