"""What is in the picture of a graph: shapes, arrows and frames, before anybody draws them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from demograd import Tensor
from demograd.viz._fold import Unit, fold
from demograd.viz._leaves import gather
from demograd.viz._record import CONSTANT, NO_CALL, Record
from demograd.viz._style import dtype_text, plural, printable, shape_text

__all__ = ["Frame", "Line", "Picture", "Shape", "draw"]

# The parts of a line of text, each with its weight: strong, plain or faint.
Line = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Shape:
    """A box or an ellipse with its lines of text.

    Attributes:
        key: its name in the file that is written.
        kind: a key of ``_style.SHAPES``.
        lines: what stands in it.
        frame: the number of the frame that it stands in, or ``NO_CALL``.
        hint: shown when a pointer rests on it.
    """

    key: str
    kind: str
    lines: tuple[Line, ...]
    frame: int
    hint: str = ""


@dataclass(frozen=True)
class Frame:
    """The frame around what a call of a module did, and which frame it stands in."""

    label: str
    parent: int
    depth: int


@dataclass
class Picture:
    """Everything to be drawn; arrows are pairs of keys, in the order of the operands."""

    title: str
    shapes: dict[str, Shape] = field(default_factory=dict)
    arrows: list[tuple[str, str]] = field(default_factory=list)
    frames: dict[int, Frame] = field(default_factory=dict)
    note: str = ""


def draw(
    record: Record, parameters: Mapping[int, str], max_nodes: int, title: str, constants: bool
) -> Picture:
    """The picture of a recorded graph.

    Args:
        record: the graph.
        parameters: the names of parameters by the tensors' ids.
        max_nodes: how many operations, and how many leaves, are drawn one by one.
        title: stands above the picture.
        constants: whether operands that require no gradient are shown.
    """
    draft = _Draft(record, parameters, max_nodes, title)
    draft.add_results()
    draft.add_leaves()
    draft.add_units()
    draft.add_arrows(constants)
    draft.add_frames()
    draft.add_note()
    return draft.picture


class _Draft:
    """A picture in the making."""

    def __init__(
        self, record: Record, parameters: Mapping[int, str], max_nodes: int, title: str
    ) -> None:
        self.record = record
        self.parameters = parameters
        self.max_nodes = max_nodes
        self.picture = Picture(title)
        self.units, self.unit_of = fold(record, max_nodes)
        self.roots: dict[int, list[str]] = {}
        for source, name in record.roots:
            self.roots.setdefault(source, []).append(name)
        leaf_roots = [-2 - source for source in self.roots if source < CONSTANT]
        self.leaves = gather(record, self.units, self.unit_of, leaf_roots, max_nodes)
        self.result_keys: dict[int, str] = {}  # by the operation's number
        self.leaf_keys: dict[int, str] = {}  # by the leaf's number

    def _add(
        self, key: str, kind: str, lines: Iterable[Line | None], frame: int, hint: str = ""
    ) -> None:
        drawn = tuple(line for line in lines if line is not None)
        self.picture.shapes[key] = Shape(key, kind, drawn, frame, hint)

    def _common_frame(self, units: Iterable[int]) -> int:
        """The innermost call around all of these units."""
        calls = self.record.calls
        frames = [self.units[unit].call for unit in units]
        common = frames[0] if frames else NO_CALL
        for frame in frames:
            while common != frame:
                if NO_CALL in (common, frame):
                    return NO_CALL
                if calls[common].depth >= calls[frame].depth:
                    common = calls[common].parent
                else:
                    frame = calls[frame].parent
        return common

    # Tensors.

    def add_results(self) -> None:
        """A box for what each unit computes and others use, and the arrow to it.

        What leaves a folded unit shares one box; a root always has its own.
        """
        inner = self.record.sources >= 0
        made, takers = self.record.sources[inner], self.unit_of[self.record.consumers[inner]]
        leaving = self.unit_of[made] != takers
        uses = np.unique(np.stack([made[leaving], takers[leaving]]), axis=1).T.tolist()
        contents: dict[str, list[int]] = {}
        frames: dict[str, set[int]] = {}
        for op, taker in [*uses, *((root, None) for root in self.roots if root >= 0)]:
            unit = int(self.unit_of[op])
            alone = op in self.roots or self.units[unit].kind == "operation"
            key = f"tensor{op}" if alone else f"results{unit}"
            if op not in self.result_keys:
                self.result_keys[op] = key
                contents.setdefault(key, []).append(op)
            frames.setdefault(key, {unit}).update([] if taker is None else [taker])
        for key, ops in contents.items():
            self._add_result(key, ops, self._common_frame(sorted(frames[key])))
            self.picture.arrows.append((f"unit{self.unit_of[ops[0]]}", key))

    def _add_result(self, key: str, ops: list[int], frame: int) -> None:
        nodes = self.record.nodes
        types = {tuple(map(_typed, nodes[op].output_shapes, nodes[op].output_dtypes)) for op in ops}
        lines: tuple[Line, ...] = types.pop() if len(types) == 1 else ()
        if names := self.roots.get(ops[0]):
            self._add(key, "output", [_named(names), *lines], NO_CALL)
        elif len(ops) == 1:
            self._add(key, "tensor", lines, frame)
        else:
            self._add(key, "many", [((plural(len(ops), "tensor"), "plain"),), *lines], frame)

    def add_leaves(self) -> None:
        """A box for each leaf, or for several that are drawn together."""
        for leaves, users in self.leaves.groups:
            key = f"leaf{leaves[0]}"
            self.leaf_keys.update(dict.fromkeys(leaves, key))
            frame = self._common_frame(users)
            if len(leaves) > 1:
                self._add(key, "many", [((self._counted(leaves), "plain"),)], frame)
                continue
            x = self.record.leaves[leaves[0]]
            name = self.parameters.get(id(x)) or x.name
            names = [name] if name else self.roots.get(-2 - leaves[0])
            lines = [_named(names), _typed(x.shape, x.dtype)]
            if self._is_parameter(x):
                self._add(key, "parameter", lines, frame)
            else:
                # A parameter belongs to its module; other leaves come from outside.
                self._add(key, "leaf", lines, NO_CALL)

    def _is_parameter(self, x: Tensor) -> bool:
        # Without a model, the layers' own subclass of Tensor tells parameters from other leaves.
        return id(x) in self.parameters or type(x) is not Tensor

    def _counted(self, leaves: Iterable[int]) -> str:
        """Leaves in words: ``2 parameters (650 numbers), 1 leaf tensor``."""
        tensors = [self.record.leaves[leaf] for leaf in leaves]
        parameters = [x for x in tensors if self._is_parameter(x)]
        parts = []
        if parameters:
            numbers = plural(sum(x.numel() for x in parameters), "number")
            parts.append(f"{plural(len(parameters), 'parameter')} ({numbers})")
        if len(tensors) > len(parameters):
            parts.append(plural(len(tensors) - len(parameters), "leaf tensor"))
        return ", ".join(parts)

    # Operations.

    def add_units(self) -> None:
        """An ellipse for each operation, and a shape for each folded unit."""
        for number, unit in enumerate(self.units):
            key = f"unit{number}"
            if unit.kind == "operation":
                node = self.record.nodes[unit.number]
                name = printable(node.name)
                hint = f"{name}: holds {plural(node.nbytes_saved, 'byte')} for the backward pass"
                self._add(key, "operation", [((name, "plain"),)], unit.call, hint)
                continue
            lines = self._folded(unit)
            if hidden := self.leaves.hidden.get(number):
                lines.append(((self._counted(hidden), "faint"),))
            self._add(key, "call" if unit.kind == "call" else "fold", lines, unit.call)

    def _folded(self, unit: Unit) -> list[Line]:
        """What a folded unit says of itself."""
        operations = plural(unit.size, "operation")
        if unit.kind == "call":
            label = printable(self.record.calls[unit.number].label)
            return [((label, "strong"),), ((operations, "faint"),)]
        if unit.kind == "repeat":
            times = unit.counts[0]
            line: Line = ((_listed(unit.names), "plain"), (f" × {times:,}", "strong"))
            return [line, ((operations, "faint"),)] if unit.size > times else [line]
        common = [f"{n} × {count:,}" for n, count in zip(unit.names, unit.counts, strict=True)]
        return [((operations, "strong"),), ((_listed(common), "faint"),)]

    def add_arrows(self, constants: bool) -> None:
        """Arrows from operands: each as often as it is used, but into a folded unit once."""
        record, unit_of = self.record, self.unit_of
        takers = unit_of[record.consumers]
        makers = np.where(record.sources >= 0, unit_of[record.sources.clip(0)], -1)
        folded = np.array([unit.kind != "operation" for unit in self.units], dtype=np.bool_)
        left_out = folded[takers] | (not constants)
        drawn = (makers != takers) & ~((record.sources == CONSTANT) & left_out)
        seen: set[tuple[str, str]] = set()
        pairs = zip(record.sources[drawn].tolist(), takers[drawn].tolist(), strict=True)
        for number, (source, unit) in enumerate(pairs):
            if source == CONSTANT:
                tail = f"constant{number}"
                hint = "an operand that requires no gradient"
                lines = [(("constant", "faint"),)]
                self._add(tail, "constant", lines, self.units[unit].call, hint)
            elif source >= 0:
                tail = self.result_keys[source]
            elif -2 - source in self.leaf_keys:
                tail = self.leaf_keys[-2 - source]
            else:
                continue  # hidden in the folded unit
            arrow = (tail, f"unit{unit}")
            once = folded[unit] or self.picture.shapes[tail].kind == "many"
            if not (once and arrow in seen):
                self.picture.arrows.append(arrow)
                seen.add(arrow)

    # Around them.

    def add_frames(self) -> None:
        """The frames around what is drawn."""
        for shape in self.picture.shapes.values():
            frame = shape.frame
            while frame != NO_CALL and frame not in self.picture.frames:
                call = self.record.calls[frame]
                self.picture.frames[frame] = Frame(printable(call.label), call.parent, call.depth)
                frame = call.parent

    def add_note(self) -> None:
        """Say what was folded."""
        operations, leaves = len(self.record.nodes), len(self.record.leaves)
        folded = operations - sum(unit.kind == "operation" for unit in self.units)
        merged = leaves - sum(len(group) == 1 for group, _ in self.leaves.groups)
        parts = []
        if folded:
            parts.append(f"{folded:,} of {plural(operations, 'operation')}")
        if merged:
            parts.append(f"{merged:,} of {plural(leaves, 'leaf tensor')}")
        if parts:
            self.picture.note = f"{' and '.join(parts)} folded (max_nodes={self.max_nodes})"


def _named(names: list[str] | None) -> Line | None:
    known = [printable(name) for name in names or () if name]
    return ((", ".join(known), "strong"),) if known else None


def _typed(shape: Iterable[int], dtype: Any) -> Line:
    return ((shape_text(shape), "plain"), (f"  {dtype_text(dtype)}", "faint"))


def _listed(texts: Iterable[str]) -> str:
    """The first few of several texts."""
    texts = [printable(text) for text in texts]
    return ", ".join(texts[:3] + ["…"] * (len(texts) > 3))
