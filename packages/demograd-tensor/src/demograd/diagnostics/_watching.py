"""The watcher behind ``dg.debug``: it notes where each node was made, and makes the checks."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

from demograd._tensor import Tensor
from demograd.autograd._function import Function
from demograd.autograd._scope import open_calls
from demograd.autograd._watchers import Watcher
from demograd.diagnostics._cuts import carry_on, note_left
from demograd.diagnostics._fingerprint import check_prints, prints_of
from demograd.diagnostics._non_finite import check_backward, check_forward
from demograd.diagnostics._notes import Flow, NodeNotes, tensor_notes
from demograd.diagnostics._ranges import as_numpy, count_zeros, is_finite
from demograd.diagnostics._settings import Pass, state
from demograd.diagnostics._spot import place_of, spot_here

__all__ = ["Diagnostician", "flow_through"]


class Diagnostician(Watcher):
    """Sees what runs, under the settings of its thread."""

    def ran(self, node: Function, inputs: tuple[Any, ...], outputs: tuple[Tensor, ...]) -> None:
        settings = state.settings
        if settings is None:
            return
        notes = NodeNotes(spot_here(), open_calls())
        if state.running and state.running[-1]._notes is not None:
            original = state.running[-1]
            notes.calls, notes.of = original._notes.calls, (original.name, original._notes)
        carry_on(node, inputs, outputs, notes)
        if any(output._requires_grad for output in outputs):
            node._notes = notes
            if settings.buffers:
                notes.prints = prints_of(node)
        # A rule is judged as a whole, when it is done.
        if settings.forward and not state.running:
            for output in outputs:
                if not is_finite(as_numpy(output)):
                    check_forward(node, inputs, outputs, settings, notes)
                    break

    def starting(self, roots: Sequence[Any]) -> None:
        state.passes.append(Pass(tuple([weakref.ref(root) for root in roots]), spot_here()))

    def entering(self, node: Function, gradients: tuple[Any, ...]) -> None:
        settings = state.settings
        if settings is not None and settings.buffers:
            check_prints(node)
        state.running.append(node)

    def leaving(self, node: Function, gradients: tuple[Any, ...], parts: tuple[Any, ...]) -> None:
        state.running.pop()
        settings = state.settings
        if settings is None:
            return
        if node._notes is not None:
            node._notes.flow = flow_through(gradients, parts)
        for edge, part in zip(node._edges, parts, strict=False):
            if part is not None and edge is not None and edge._kind is None and state.passes:
                notes = tensor_notes(edge)
                notes.reached, notes.cleared = state.passes[-1], None
        check_backward(node, gradients, parts, settings)

    def failed(self, node: Function, error: BaseException) -> None:
        state.running.pop()
        if node._notes is not None and isinstance(error, Exception):
            error.add_note(f"in the backward of {node.name}, made at {place_of(node._notes.spot)}")

    def cut(self, x: Tensor, how: str, out: Tensor | None) -> None:
        if state.settings is not None:
            note_left(x, how, out)

    def cleared(self, x: Tensor) -> None:
        if state.settings is not None and x._grad is not None:
            tensor_notes(x).cleared = spot_here()


def flow_through(gradients: Sequence[Any], parts: Sequence[Any]) -> Flow:
    """How much of the gradients of a node's outputs is zero, and of each input's."""
    arrived = [count for x in gradients if (count := count_zeros(x)) is not None]
    return Flow(
        (sum(zeros for zeros, _ in arrived), sum(size for _, size in arrived)),
        tuple([count_zeros(part) for part in parts]),
    )
