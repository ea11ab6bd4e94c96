"""A simple layout for the picture of a graph, for where Graphviz's ``dot`` is missing.

Each frame is laid out by itself, the innermost first, and is then one box in the frame around it:
so frames never overlap. In a frame the boxes stand in rows by the longest path to them, in a row
by the mean place of their neighbours, and beneath one another as far as their widths allow.
Everything is computed for data that flow downwards, and turned at the end.

Reference: Sugiyama, Tagawa, Toda, "Methods for Visual Understanding of Hierarchical System
Structures", IEEE Transactions on Systems, Man, and Cybernetics, 1981.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from demograd.viz._picture import Picture
from demograd.viz._record import NO_CALL

__all__ = ["LABEL", "PAD", "Box", "Item", "Layout", "lay_out"]

Point = tuple[float, float]
Item = str | int  # the key of a shape, or the number of a frame

PAD, LABEL = 12.0, 16.0  # inside a frame, and the height of its label
_GAP, _ROW_GAP, _PORT_GAP = 18.0, 26.0, 14.0  # between boxes in a row, rows, ports and a row
_SPREAD = 14.0  # between the heads of arrows that end in one box
_IN, _OUT = "in ", "out "  # how the names of ports begin
_SWEEPS = 6
_MOST_BENDS = 4000  # a picture whose arrows bend more often gets straight ones


@dataclass
class Box:
    """A rectangle by its centre."""

    width: float
    height: float
    x: float = 0.0
    y: float = 0.0


@dataclass(frozen=True)
class Layout:
    """Where everything stands, the picture's left upper corner at zero.

    Attributes:
        boxes: the rectangles of shapes and frames.
        routes: for each arrow the points that it passes, from its tail to its head.
        width, height: of the whole.
        sideways: whether the data flow to the left or right.
    """

    boxes: dict[Item, Box]
    routes: list[list[Point]]
    width: float
    height: float
    sideways: bool


def lay_out(
    picture: Picture,
    sizes: Mapping[str, tuple[float, float]],
    label_widths: Mapping[int, float],
    direction: str,
) -> Layout:
    """Place a picture's shapes, of these widths and heights, and its frames and arrows.

    Args:
        picture: what to place.
        sizes: width and height of each shape.
        label_widths: the width of each frame's label.
        direction: TB, LR, BT or RL.
    """
    sideways, backwards = direction in ("LR", "RL"), direction in ("BT", "RL")
    boxes: dict[Item, Box] = {
        key: Box(height, width) if sideways else Box(width, height)
        for key, (width, height) in sizes.items()
    }
    around: dict[Item, int] = {key: shape.frame for key, shape in picture.shapes.items()}
    around.update({number: frame.parent for number, frame in picture.frames.items()})
    held: dict[int, list[Item]] = {number: [] for number in (NO_CALL, *picture.frames)}
    for item, frame in around.items():
        held[frame].append(item)
    paths = [_path(around, tail, head) for tail, head in picture.arrows]
    arrows: dict[int, list[tuple[Item, Item]]] = {number: [] for number in held}
    for path in paths:
        for frame, start, end in path:
            arrows[frame].append((start, end))

    innermost_first = sorted(picture.frames, key=lambda number: -picture.frames[number].depth)
    arranged: dict[int, _Rows] = {}
    for number in [*innermost_first, NO_CALL]:
        rows = _arrange({item: boxes[item] for item in held[number]}, arrows[number])
        arranged[number] = rows
        if number != NO_CALL:
            boxes[number] = _enclose(rows, label_widths[number], sideways, backwards)
    # From the outermost inwards: each frame's place is known before that of what is in it.
    for number in reversed(innermost_first):
        arranged[number].move(boxes[number].x, boxes[number].y)
    ways = [_way(path, arranged) for path in paths]
    return _turned(boxes, _routes(picture.arrows, ways, boxes), sideways, backwards)


Segment = tuple[int, Item, Item]  # a part of an arrow: in which frame, from where, to where


def _path(around: Mapping[Item, int], tail: str, head: str) -> list[Segment]:
    """An arrow in parts, one for each frame that it passes.

    It leaves and enters a frame through a port, so that the frame's layout makes way for it.
    Arrows that start in the same shape share their ports.
    """
    leaving, entering = _frames(around, tail), _frames(around, head)
    while leaving and entering and leaving[-1] == entering[-1]:
        leaving.pop()
        entering.pop()
    path: list[Segment] = []
    item: Item = tail
    for frame in leaving:
        path.append((frame, item, f"{_OUT}{frame} {tail}"))
        item = frame
    entering.reverse()
    inner: list[Item] = [*entering, head]
    path.append((around[item], item, inner[0]))
    for frame, end in zip(entering, inner[1:], strict=True):
        path.append((frame, f"{_IN}{frame} {tail}", end))
    return path


def _frames(around: Mapping[Item, int], item: Item) -> list[int]:
    """The frames around an item, the innermost first."""
    frames = []
    frame = around[item]
    while frame != NO_CALL:
        frames.append(frame)
        frame = around[frame]
    return frames


def _way(path: Sequence[Segment], arranged: Mapping[int, _Rows]) -> list[Point]:
    """The bends and ports that an arrow passes."""
    points: list[Point] = []
    for frame, start, end in path:
        rows = arranged[frame]
        passed = [start] if str(start).startswith(_IN) else []
        passed += rows.bends[start, end]
        passed += [end] if str(end).startswith(_OUT) else []
        for box in (rows.boxes[item] for item in passed):
            points += [(box.x, box.y + shift) for shift in (-box.height / 2, box.height / 2)]
    return list(dict.fromkeys(points))


@dataclass
class _Rows:
    """The contents of one frame in rows; bends are boxes where an arrow passes through a row."""

    boxes: dict[Item, Box]
    rows: list[list[Item]]
    bends: dict[tuple[Item, Item], list[Item]] = field(default_factory=dict)

    def move(self, dx: float, dy: float) -> None:
        for box in self.boxes.values():
            box.x, box.y = box.x + dx, box.y + dy


def _ranks(items: Sequence[Item], arrows: Iterable[tuple[Item, Item]]) -> dict[Item, int]:
    """The row of each item: below everything that leads to it; a source just above its use.

    Ports are in the first and in the last row.
    """
    after: dict[Item, list[Item]] = {item: [] for item in items}
    missing = dict.fromkeys(items, 0)
    for tail, head in arrows:
        after[tail].append(head)
        missing[head] += 1
    sources = [item for item in items if not missing[item]]
    rank = dict.fromkeys(items, 0)
    ready = list(sources)
    # The list grows while it is walked. Items on a cycle, which only calls that overlap in
    # several threads could form, are never ready and stay in the first row.
    for item in ready:
        for head in after[item]:
            rank[head] = max(rank[head], rank[item] + 1)
            missing[head] -= 1
            if not missing[head]:
                ready.append(head)
    last = max(rank.values(), default=0)
    for item in items:
        if str(item).startswith(_OUT):
            rank[item] = last
    for item in sources:
        if after[item] and not str(item).startswith(_IN):
            rank[item] = max(0, min(rank[head] for head in after[item]) - 1)
    return rank


def _arrange(boxes: dict[Item, Box], arrows: list[tuple[Item, Item]]) -> _Rows:
    """Place the contents of one frame, and the ports that its arrows name."""
    boxes = dict(boxes)
    for item in (end for arrow in arrows for end in arrow):
        boxes.setdefault(item, Box(2.0, 0.0))
    rank = _ranks(list(boxes), arrows)
    out = _Rows(dict(boxes), [[] for _ in range(max(rank.values(), default=-1) + 1)])
    pairs = list(dict.fromkeys(arrows))
    bent = sum(max(rank[head] - rank[tail], 0) for tail, head in pairs) <= _MOST_BENDS
    above: dict[Item, list[Item]] = {}
    below: dict[Item, list[Item]] = {}
    placed: set[Item] = set()
    for tail, head in pairs:
        between = range(rank[tail] + 1, rank[head] if bent else 0)
        way: list[Item] = [f"{tail}>{head}>{row}" for row in between]
        out.boxes.update((bend, Box(2.0, 0.0)) for bend in way)
        out.bends[tail, head] = way
        for a, b in zip([tail, *way], [*way, head], strict=True):
            below.setdefault(a, []).append(b)
            above.setdefault(b, []).append(a)
        rank.update(zip(way, between, strict=True))
        # Rows are filled in the order of the arrows, which is that of the operands.
        for item in (tail, *way):
            if item not in placed:
                placed.add(item)
                out.rows[rank[item]].append(item)
    for item in boxes:
        if item not in placed:
            out.rows[rank[item]].append(item)
    _order(out.rows, above, below)
    heights = [max((out.boxes[item].height for item in row), default=0.0) for row in out.rows]
    y = 0.0
    for number, row in enumerate(out.rows):
        height = heights[number]
        x = 0.0
        for item in row:
            box = out.boxes[item]
            if item not in boxes:
                box.height = height  # a bend goes straight through its row
            box.x, box.y = x + box.width / 2, y + height / 2
            x += box.width + _GAP
        y += height + (_ROW_GAP if all(heights[number : number + 2]) else _PORT_GAP)
    for sweep in range(2 * _SWEEPS):
        near = below if sweep % 2 else above
        for row in out.rows[::-1] if sweep % 2 else out.rows:
            wanted = []
            for item in row:
                neighbours = [out.boxes[n].x for n in near.get(item, ())]
                wanted.append(_mean(neighbours, out.boxes[item].x))
            _shift([out.boxes[item] for item in row], wanted)
    return out


def _order(
    rows: list[list[Item]], above: Mapping[Item, list[Item]], below: Mapping[Item, list[Item]]
) -> None:
    """Sort each row by the mean place of its items' neighbours, upwards and downwards in turns.

    Upwards first: so operands, whose order means something, keep it, and what they were computed
    from follows.
    """
    place = {item: float(i) for row in rows for i, item in enumerate(row)}
    for sweep in range(_SWEEPS):
        near = above if sweep % 2 else below
        for row in rows if sweep % 2 else rows[::-1]:
            means = {
                item: _mean([place[n] for n in near.get(item, ())], place[item]) for item in row
            }
            row.sort(key=means.__getitem__)
            place.update({item: float(i) for i, item in enumerate(row)})


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _shift(row: list[Box], wanted: list[float]) -> None:
    """Move boxes as near to where they are wanted as their widths and order allow.

    With the widths taken off that is isotonic regression: neighbours that collide move as one
    block to the mean of what they want (pool adjacent violators).
    """
    offsets, offset = [], 0.0
    for box in row:
        offsets.append(offset + box.width / 2)
        offset += box.width + _GAP
    blocks: list[tuple[float, int]] = []  # the sum and the number of the places that a block wants
    for place, offset in zip(wanted, offsets, strict=True):
        total, number = place - offset, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / number:
            former = blocks.pop()
            total, number = total + former[0], number + former[1]
        blocks.append((total, number))
    places = [total / number for total, number in blocks for _ in range(number)]
    for box, place, offset in zip(row, places, offsets, strict=True):
        box.x = place + offset


def _enclose(rows: _Rows, label: float, sideways: bool, backwards: bool) -> Box:
    """The box around a frame's contents, which are moved so that its centre is at zero."""
    contents = rows.boxes.values()
    left = min(box.x - box.width / 2 for box in contents) - PAD
    right = max(box.x + box.width / 2 for box in contents) + PAD
    top = min(box.y - box.height / 2 for box in contents) - PAD
    bottom = max(box.y + box.height / 2 for box in contents) + PAD
    # The label stands at the top of what is seen in the end.
    if sideways:
        left -= LABEL
        bottom = max(bottom, top + label + 2 * PAD)
    else:
        # Twice the label, so that an arrow which enters in the middle does not cross it.
        lacking = max(0.0, 2 * (label + PAD) - (right - left))
        left, right = left - lacking / 2, right + lacking / 2
        top, bottom = (top, bottom + LABEL) if backwards else (top - LABEL, bottom)
    rows.move(-(left + right) / 2, -(top + bottom) / 2)
    return Box(right - left, bottom - top)


def _routes(
    arrows: Sequence[tuple[str, str]], ways: Sequence[list[Point]], boxes: Mapping[Item, Box]
) -> list[list[Point]]:
    """The points of each arrow; heads that end in one box stand side by side."""
    routes: list[list[Point]] = []
    ending: dict[str, list[int]] = {}
    for i, ((tail, head), way) in enumerate(zip(arrows, ways, strict=True)):
        start, end = boxes[tail], boxes[head]
        routes.append(
            [(start.x, start.y + start.height / 2), *way, (end.x, end.y - end.height / 2)]
        )
        ending.setdefault(head, []).append(i)
    for head, numbers in ending.items():
        step = min(_SPREAD, 0.6 * boxes[head].width / len(numbers))
        numbers.sort(key=lambda i: routes[i][-2][0])
        for place, i in enumerate(numbers):
            x, y = routes[i][-1]
            routes[i][-1] = (x + step * (place - (len(numbers) - 1) / 2), y)
    return routes


def _turned(
    boxes: dict[Item, Box], routes: list[list[Point]], sideways: bool, backwards: bool
) -> Layout:
    """Everything as it is seen."""
    left = min(box.x - box.width / 2 for box in boxes.values())
    right = max(box.x + box.width / 2 for box in boxes.values())
    top = min(box.y - box.height / 2 for box in boxes.values())
    bottom = max(box.y + box.height / 2 for box in boxes.values())
    for route in routes:
        left, right = min(left, *(x for x, _ in route)), max(right, *(x for x, _ in route))

    def turn(x: float, y: float) -> Point:
        x, y = x - left, bottom - y if backwards else y - top
        return (y, x) if sideways else (x, y)

    seen: dict[Item, Box] = {}
    for item, box in boxes.items():
        size = (box.height, box.width) if sideways else (box.width, box.height)
        seen[item] = Box(*size, *turn(box.x, box.y))
    width, height = right - left, bottom - top
    if sideways:
        width, height = height, width
    return Layout(seen, [[turn(*p) for p in r] for r in routes], width, height, sideways)
