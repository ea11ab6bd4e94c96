"""Choosing what of a large graph is drawn one by one, and what is folded into one shape.

Operations and calls of modules form a tree of sequences: a call's own sequence is inside it. Each
sequence is in order of time, which is a topological order, so a stretch of it that is drawn as
one shape can close no cycle. From the outermost sequence inwards, as far as ``limit`` shapes go:

1. what repeats is folded: the first and the last time are drawn, the times between as one shape;
2. what is still too long is cut into equal blocks, one shape each;
3. calls of the next level are opened, all of them or none, each with an equal share of the rest.
"""

from __future__ import annotations

import itertools
from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demograd.viz._record import NO_CALL, Record

__all__ = ["Unit", "fold"]

Integers = NDArray[np.int64]

_LONGEST_PERIOD = 64
_FEWEST_TIMES = 4  # what occurs less often is not called a repetition
_SMALLEST_SHARE = 6  # shapes; a call that may not show that many stays closed


@dataclass(frozen=True)
class Unit:
    """What is drawn as one shape.

    Attributes:
        kind: ``operation``, ``call`` (a closed module), ``repeat`` or ``block``.
        call: the call in whose frame it is drawn.
        size: how many operations it stands for.
        number: of the operation or the call; -1 for the others.
        names: of the operations and calls that repeat, in order; of a block, the commonest first.
        counts: how many times each of the names occurs.
    """

    kind: str
    call: int
    size: int
    number: int = -1
    names: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()


@dataclass(frozen=True)
class _Stretch:
    """Consecutive items of a sequence; ``period`` is 0 where they do not repeat."""

    start: int
    stop: int
    period: int = 0


def fold(record: Record, limit: int) -> tuple[list[Unit], Integers]:
    """The units to draw, at most ``limit``, and for each operation the number of its unit."""
    if len(record.nodes) <= limit:
        units = [Unit("operation", int(c), 1, i) for i, c in enumerate(record.call_of.tolist())]
        return units, np.arange(len(units), dtype=np.int64)
    tree = _Tree(record)
    opened = {NO_CALL: _compressed(tree.keys(NO_CALL), limit)}
    count = len(opened[NO_CALL])
    level = _closed_calls(tree, opened, [NO_CALL])
    while level:
        lengths = [len(tree.items[call]) for call in level]
        room = limit - count + len(level)
        # A call with few items leaves its share to the others only if all fit whole.
        share = max(lengths) if sum(lengths) <= room else room // len(level)
        if share < min(_SMALLEST_SHARE, max(lengths)):
            break
        for call in level:
            opened[call] = _compressed(tree.keys(call), share)
            count += len(opened[call]) - 1
        level = _closed_calls(tree, opened, level)
    return _units(tree, opened)


class _Tree:
    """The sequences: of each call the operations and calls in it, by the time at which they end.

    An item is the number of an operation, or ``-1 - c`` for call ``c``.
    """

    def __init__(self, record: Record) -> None:
        self.record = record
        calls, call_of = record.calls, record.call_of.tolist()
        self._names: dict[str, int] = {}
        self.sizes = Counter(call_of)
        last = dict.fromkeys(range(NO_CALL, len(calls)), -1)
        for i, call in enumerate(call_of):
            last[call] = i
        ending: dict[int, list[int]] = {}
        # An inner call begins later than the one around it, and has the higher number.
        for call in range(len(calls) - 1, -1, -1):
            parent = calls[call].parent
            last[parent] = max(last[parent], last[call])
            self.sizes[parent] += self.sizes[call]
            ending.setdefault(last[call], []).append(call)
        items = {call: array("q") for call in last}
        for i, call in enumerate(call_of):
            items[call].append(i)
            for ended in ending.get(i, ()):
                items[calls[ended].parent].append(-1 - ended)
        self.items = {call: np.array(sequence, dtype=np.int64) for call, sequence in items.items()}

    def name(self, item: int) -> str:
        """The name of an operation, or of a call without its place: ``Linear`` of ``0: Linear``."""
        if item >= 0:
            return self.record.nodes[item].name
        return self.record.calls[-1 - item].label.rpartition(": ")[2]

    def size(self, items: Iterable[int]) -> int:
        """How many operations these items stand for."""
        return sum(1 if item >= 0 else self.sizes[-1 - item] for item in items)

    def keys(self, call: int) -> Integers:
        """A number for each item, equal where the names are; a root equals nothing."""
        roots = {source: -1 - k for k, (source, _) in enumerate(self.record.roots)}
        names = self._names
        return np.array(
            [
                roots[item] if item in roots and item >= 0
                else names.setdefault(self.name(item), len(names))
                for item in self.items[call].tolist()
            ],
            dtype=np.int64,
        )  # fmt: skip


def _closed_calls(
    tree: _Tree, opened: dict[int, list[_Stretch]], calls: Iterable[int]
) -> list[int]:
    """The calls that stand one by one in the sequences of these calls."""
    return [
        -1 - item
        for call in calls
        for stretch in opened[call]
        if stretch.stop - stretch.start == 1 and (item := int(tree.items[call][stretch.start])) < 0
    ]


def _compressed(keys: Integers, limit: int) -> list[_Stretch]:
    """A sequence as at most ``limit`` stretches, most of them single items."""
    if len(keys) <= limit:
        return [_Stretch(i, i + 1) for i in range(len(keys))]
    stretches: list[_Stretch] = []
    place = 0
    for repeat in sorted(_repeats(keys, limit), key=lambda s: s.start):
        stretches += [_Stretch(i, i + 1) for i in range(place, repeat.start)]
        stretches.append(repeat)
        place = repeat.stop
    stretches += [_Stretch(i, i + 1) for i in range(place, len(keys))]
    if len(stretches) <= limit:
        return stretches
    cuts = [round(k * len(stretches) / limit) for k in range(limit + 1)]
    return [
        stretches[a] if b - a == 1 else _Stretch(stretches[a].start, stretches[b - 1].stop)
        for a, b in itertools.pairwise(cuts)
    ]


def _repeats(keys: Integers, limit: int) -> list[_Stretch]:
    """Stretches that repeat with a short period, the longest first, until the rest is in limits.

    A sequence has period p where ``keys[i] == keys[i + p]``: one comparison of arrays a period.
    """
    found = []
    for period in range(1, min(_LONGEST_PERIOD, len(keys) // _FEWEST_TIMES) + 1):
        same = np.zeros(len(keys) - period + 2, dtype=np.int8)
        same[1:-1] = keys[period:] == keys[:-period]
        changes = np.flatnonzero(np.diff(same))
        starts, stops = changes[::2], changes[1::2]
        times = (stops - starts + period) // period
        often = times >= _FEWEST_TIMES
        found += [
            (int(k) * period, period, int(a))
            for k, a in zip(times[often], starts[often], strict=True)
        ]
    found.sort(key=lambda f: (-f[0], f[1]))
    taken = np.zeros(len(keys), dtype=np.bool_)
    chosen: list[_Stretch] = []
    count = len(keys)
    for length, period, start in found:
        if count <= limit:
            break
        if taken[start] or taken[start + length - 1] or taken[start : start + length].any():
            continue
        taken[start : start + length] = True
        # The first and the last time stay in sight, unless they alone would fill the picture.
        shown = period if 2 * period < limit // 2 else 0
        chosen.append(_Stretch(start + shown, start + length - shown, period))
        count -= length - 2 * shown - 1
    return chosen


def _units(tree: _Tree, opened: dict[int, list[_Stretch]]) -> tuple[list[Unit], Integers]:
    """Number the stretches of all opened calls, and give each operation its number."""
    units: list[Unit] = []
    unit_of = np.full(len(tree.record.nodes), -1, dtype=np.int64)
    unit_of_call = np.full(len(tree.record.calls), -1, dtype=np.int64)
    for call, stretches in opened.items():
        for stretch in stretches:
            items = tree.items[call][stretch.start : stretch.stop]
            if len(items) == 1 and items[0] < 0 and -1 - int(items[0]) in opened:
                continue
            unit_of[items[items >= 0]] = len(units)
            unit_of_call[-1 - items[items < 0]] = len(units)
            units.append(_unit(tree, call, items.tolist(), stretch.period))
    # What is inside a closed call goes where the call went; outer calls have lower numbers.
    for number, inner in enumerate(tree.record.calls):
        if unit_of_call[number] == -1 and inner.parent != NO_CALL:
            unit_of_call[number] = unit_of_call[inner.parent]
    inside = unit_of == -1
    unit_of[inside] = unit_of_call[tree.record.call_of[inside]]
    return units, unit_of


def _unit(tree: _Tree, call: int, items: list[int], period: int) -> Unit:
    size = tree.size(items)
    if len(items) == 1:
        if items[0] >= 0:
            return Unit("operation", call, 1, items[0])
        return Unit("call", call, size, -1 - items[0])
    if period:
        names = tuple(tree.name(item) for item in items[:period])
        return Unit("repeat", call, size, names=names, counts=(len(items) // period,) * period)
    common = Counter(tree.name(item) for item in items).most_common()
    return Unit(
        "block",
        call,
        size,
        names=tuple(name for name, _ in common),
        counts=tuple(count for _, count in common),
    )
