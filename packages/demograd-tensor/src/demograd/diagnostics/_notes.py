"""What is known of a node or a tensor that was made while somebody watched."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from demograd._place import Place
from demograd._tensor import Tensor
from demograd.diagnostics._settings import Pass
from demograd.diagnostics._spot import Spot, place_of

__all__ = ["Cut", "Flow", "Leaves", "NodeNotes", "TensorNotes", "path_of_calls", "tensor_notes"]

# Leaves by their ids, weakly: what is cut off is not to be kept alive by the note of it.
Leaves = Mapping[int, "weakref.ref[Tensor]"]
# Of a gradient: how many of its elements are zero, and how many there are.
Count = tuple[int, int]


@dataclass(slots=True, eq=False)
class Cut:
    """Where values left the graph: by what, at which line, and of which leaves they were made."""

    how: str
    spot: Spot
    calls: tuple[str, ...]
    value: str
    leaves: Leaves
    node: weakref.ref[Any] | None
    switched: Place | None = None  # the line that switched recording off

    def __str__(self) -> str:
        where = f" in {path_of_calls(self.calls)}" if self.calls else ""
        how = self.how
        if self.switched is not None:
            how += f" (entered at {self.switched.where})"
        return f"{self.value}, cut by {how}{where} at {place_of(self.spot)}"


@dataclass(slots=True)
class Flow:
    """How much of a gradient a node let through, counted in its last backward pass."""

    arrived: Count
    parts: tuple[Count | None, ...]


@dataclass(slots=True, eq=False)
class NodeNotes:
    """Of a node: the line and the modules that made it, and what is needed to find faults."""

    spot: Spot
    calls: tuple[str, ...]
    of: tuple[str, NodeNotes] | None = None  # it is part of the recorded backward of this one
    cuts: tuple[Cut, ...] = ()  # of its constant inputs
    prints: tuple[Any, ...] = ()  # fingerprints of what it saved
    flow: Flow | None = None
    leaves: Leaves | None = None  # that it was computed from, once asked

    @property
    def place(self) -> Place:
        """The line of the user's code."""
        return place_of(self.spot)

    @property
    def module_path(self) -> str:
        """The modules, such as ``1.attention.proj: Linear``."""
        return path_of_calls(self.calls)


@dataclass(slots=True, eq=False)
class TensorNotes:
    """Of a tensor: how its values left the graph, and what became of its gradient."""

    cuts: tuple[Cut, ...] = ()
    reached: Pass | None = None  # the backward pass that last gave it a gradient
    cleared: Spot | None = None  # since then


def tensor_notes(x: Tensor) -> TensorNotes:
    """The notes of a tensor, made if there are none."""
    if x._notes is None:
        x._notes = TensorNotes()
    notes: TensorNotes = x._notes
    return notes


def path_of_calls(labels: tuple[str, ...]) -> str:
    """Labels of calls, outermost first, as one path.

    >>> path_of_calls(("GPT", "1: Block", "attention: Attention", "proj: Linear"))
    '1.attention.proj: Linear'
    >>> path_of_calls(("Sequential",))
    'Sequential'
    """
    names: list[str] = []
    kind = ""
    for label in labels:
        name, colon, rest = label.partition(": ")
        kind = rest if colon else label
        if colon:
            names.append(name)
        elif names:
            names.append(f"({label})")  # a module that is registered nowhere
    return f"{'.'.join(names)}: {kind}" if names else kind
