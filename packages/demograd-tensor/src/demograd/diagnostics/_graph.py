"""The graph behind a loss, as ``explain`` asks it: what leads where, and how much gets through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from demograd._tensor import Tensor
from demograd.autograd._engine import _collect
from demograd.autograd._fitting import fitted
from demograd.autograd._function import Function, Output
from demograd.autograd._mode import no_grad
from demograd.autograd._recorded import twin
from demograd.autograd._stale import check_unchanged
from demograd.diagnostics._cuts import cuts_of, merged
from demograd.diagnostics._notes import Count, Cut, Flow
from demograd.diagnostics._ranges import count_zeros
from demograd.diagnostics._watching import flow_through

__all__ = ["Graph"]


class Graph:
    """Everything that a loss was computed from.

    Args:
        loss: the tensor at which a backward pass begins, or the edge that stands for it.

    Attributes:
        nodes: the operations, latest first.
        leaves: the leaves that the loss depends on.
        freed: whether a backward pass has taken the saved values.
        packed: whether some are in a form that only a user's function, or a second run of a
            checkpointed block, can bring back: that is not for a question to do.
        error: what a backward pass would raise, once one has been tried.
    """

    error: str = ""

    def __init__(self, loss: Tensor | Function) -> None:
        edge: Any = loss if isinstance(loss, Function) else (loss._node or loss)
        self.root = edge
        self.nodes = _collect([edge])
        self._members = set(self.nodes)
        earliest_first = reversed(self.nodes)
        leaves = {id(e): e for node in earliest_first for e in node._edges if isinstance(e, Tensor)}
        if isinstance(edge, Tensor) and edge._requires_grad:
            leaves[id(edge)] = edge
        self._leaves = leaves
        self.leaves: list[Tensor] = list(leaves.values())
        self.freed = any(node.saved_tensors is None for node in self.nodes)
        self.packed = any(node._packed for node in self.nodes)
        self._probed: dict[Any, Flow] | None = None
        self._counts: dict[Any, Count | None] = {}
        self._loss = loss

    def reaches(self, x: Tensor) -> bool:
        """Whether the loss was computed from ``x``."""
        edge: Any = x._node or x
        return edge is self.root or id(x) in self._leaves or edge in self._members

    def leading_to(self, x: Tensor) -> list[Function]:
        """The operations between the loss and ``x``, latest first."""
        target: Any = x._node or x
        found: set[Any] = {target}
        way = []
        for node in reversed(self.nodes):
            if any(edge is not None and edge in found for edge in node._edges):
                found.add(node)
                way.append(node)
        return way[::-1]

    def towards(self, node: Function, way: set[Any], x: Tensor) -> list[int]:
        """The inputs of a node on the way that lead to ``x``."""
        target: Any = x._node or x
        return [i for i, e in enumerate(node._edges) if e is not None and (e is target or e in way)]

    def cuts(self) -> tuple[Cut, ...]:
        """Where values that the loss uses were cut off, as far as somebody watched."""
        noted = [node._notes.cuts for node in self.nodes if node._notes is not None]
        whole = [cuts_of(leaf) for leaf in self.leaves]
        if isinstance(self._loss, Tensor):
            whole.append(cuts_of(self._loss))
        return merged([*noted, *whole])

    def flow(self, node: Function) -> Flow | None:
        """How much of the gradient the node lets through; None where nobody can know."""
        if self._probed is not None:
            return self._probed.get(node)
        notes = node._notes
        return None if notes is None else notes.flow

    def tried(self) -> bool:
        """Try a backward pass, if there is still one to be had: whether it runs through."""
        if self.freed or self.packed:
            return False
        self._probe()
        return not self.error

    def zeros_at(self, x: Tensor) -> Count | None:
        """How much of the gradient of ``x`` is zero, by a pass that was tried."""
        return self._counts.get(x._node or x)

    def _probe(self) -> dict[Any, Flow]:
        """A backward pass that leaves no trace: no hook runs, nothing is freed or accumulated."""
        if self._probed is not None:
            return self._probed
        self._probed = {}
        pending: dict[Any, Any] = {self.root: self._seed()}
        with no_grad(), np.errstate(all="ignore"):
            for node in self.nodes:
                gradient = pending.pop(node, None)
                if gradient is None:
                    continue
                self._counts[node] = count_zeros(gradient)
                try:
                    parts = self._parts(node, gradient)
                except Exception as error:  # noqa: BLE001 - a rule may raise anything: it is told
                    self.error = f"{node.name}: {type(error).__name__}: {error}"
                    return self._probed
                for edge, part in parts:
                    former = pending.get(edge)
                    pending[edge] = part if former is None else _sum(former, part)
        for leaf in self.leaves:
            if leaf in pending:
                self._counts[leaf] = count_zeros(pending[leaf])
        return self._probed

    def _seed(self) -> Any:
        if isinstance(self.root, Tensor):
            return np.ones(self.root.shape, self.root.dtype)
        return self.root.xp.from_numpy(np.ones(self.root._shape, self.root._output_dtype))

    def _parts(self, node: Function, gradient: Any) -> list[tuple[Any, Any]]:
        """Of each input that wants one, its gradient."""
        if type(node) is Output:
            slots: list[Any] = [None] * len(node.node._outputs or ())
            slots[node.index] = gradient
            return [(node.node, slots)]
        gradients: Sequence[Any] = (gradient,)
        if node._outputs is not None:
            gradients = [
                node.xp.zeros(shape, dtype=dtype) if slot is None else slot
                for slot, (shape, dtype, _) in zip(gradient, node._outputs, strict=True)
            ]
        check_unchanged(node, node.saved_tensors or ())
        parts = twin(node).backward(*gradients)
        parts = tuple(parts) if isinstance(parts, (tuple, list)) else (parts,)
        assert self._probed is not None
        self._probed[node] = flow_through(gradients, parts)
        return [
            (edge, fitted(part, edge, False))
            for edge, part in zip(node._edges, parts, strict=False)
            if edge is not None and part is not None
        ]


def _sum(x: Any, y: Any) -> Any:
    if isinstance(x, list):  # the gradients of several outputs of one node
        return [b if a is None else a if b is None else a + b for a, b in zip(x, y, strict=True)]
    return x + y
