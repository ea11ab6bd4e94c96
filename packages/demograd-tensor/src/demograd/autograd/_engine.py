"""The engine: reverse-mode differentiation of a recorded graph, in one loop.

Backward walks from the latest node to the earliest. Each node was given the time at which it was
made, and an operation can only use what exists already, so every consumer of a value is later
than the value: of the nodes that a gradient has reached, the latest has its gradient complete. A
heap holds them. That is a topological order, found on the way, with no recursion.

Gradients of leaves are gathered on the way and added to ``.grad`` at the very end, all or none:
an exception in a rule leaves every ``.grad`` as it was.

Reference: Baydin et al., "Automatic Differentiation in Machine Learning: a Survey", JMLR 2018.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from operator import attrgetter
from typing import Any

import numpy as np

from demograd._backend import FLOAT_SCALARS, NUMPY_TYPES, backend_of
from demograd._libraries._moving import brought_together
from demograd._storage import latest
from demograd._tensor import Tensor
from demograd.autograd._accumulate import accumulate, added, separate
from demograd.autograd._fitting import fitted
from demograd.autograd._function import Function, Output
from demograd.autograd._hooks import run_hooks, run_node_hooks, run_prehooks
from demograd.autograd._mode import everywhere, grad_mode, switch
from demograd.autograd._no_graph import warn_of_leaf
from demograd.autograd._recorded import recorded_twin, twin
from demograd.autograd._stale import check_unchanged
from demograd.autograd._watchers import watchers
from demograd.errors import ArgumentTypeError, GradientError, ShapeError

__all__ = ["as_tuple", "backward", "grad"]

ndarray = np.ndarray  # looked up at each gradient


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Accumulate the sum of the gradients of ``tensors`` into ``.grad`` of the leaves.

    Args:
        tensors: what to differentiate.
        grad_tensors: the gradient of each; may be left out for tensors of one element.
        retain_graph: keep the saved values for another pass; by default as ``create_graph``.
        create_graph: record the pass, so that the gradients can be differentiated.
        inputs: only these tensors are given gradients.

    Raises:
        GradientError: see :meth:`demograd.Tensor.backward`.

    >>> x = Tensor(3.0, requires_grad=True)
    >>> backward(x * x)
    >>> x.grad
    tensor(6.)
    """
    roots, seeds = _roots("backward", tensors, grad_tensors, create_graph)
    wanted = None
    if inputs is not None:
        wanted = _wanted("backward", inputs)
    found = _run(roots, seeds, _or(retain_graph, create_graph), create_graph, wanted)
    for x in wanted.values() if wanted else ():
        if x._retained is not None:
            found.pop(x, None)  # retain_grad has put it into .grad on the way
    accumulate(found, create_graph)


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of the sum of ``outputs`` with respect to ``inputs``, returned.

    Args:
        outputs: what to differentiate.
        inputs: with respect to what; leaves, or tensors computed on the way.
        grad_outputs: the gradient of each output; may be left out for tensors of one element.
        retain_graph: keep the saved values for another pass; by default as ``create_graph``.
        create_graph: record the pass, so that the gradients can be differentiated.
        allow_unused: give None for an input that the outputs do not depend on.
        materialize_grads: give zeros instead of None.

    Raises:
        GradientError: an input was not used, and ``allow_unused`` is not given.

    >>> x = Tensor(2.0, requires_grad=True)
    >>> (dx,) = grad(x**3, x, create_graph=True)
    >>> grad(dx, x)
    (tensor(12.),)
    """
    roots, seeds = _roots("grad", outputs, grad_outputs, create_graph)
    wanted = _wanted("grad", inputs)
    found = _run(roots, seeds, _or(retain_graph, create_graph), create_graph, wanted)
    results: list[Tensor | None] = []
    for number, x in enumerate(wanted.values()):
        gradient = found.get(x)
        if gradient is None:
            if materialize_grads:
                gradient = backend_of(x._data).zeros_like(x._data)
            elif allow_unused:
                results.append(None)
                continue
            else:
                raise GradientError(
                    f"grad: input {number} was not used to compute the outputs.",
                    [f"input {number}: {x._describe()}"],
                    "grad(..., allow_unused=True) gives None for it, materialize_grads=True zeros.",
                )
        results.append(gradient if isinstance(gradient, Tensor) else Tensor(gradient))
    results = separate(results, seeds)
    # The same input may stand twice in the list.
    by_id = dict(zip(wanted, results, strict=True))
    return tuple(by_id[id(x)] for x in as_tuple(inputs))


def _or(value: bool | None, default: bool) -> bool:
    return default if value is None else value


def as_tuple(x: Any) -> tuple[Any, ...]:
    """Several things as a tuple, one thing as a tuple of one."""
    return tuple(x) if isinstance(x, (tuple, list)) else (x,)


def _wanted(operation: str, inputs: Any) -> dict[int, Tensor]:
    wanted = {}
    for number, x in enumerate(as_tuple(inputs)):
        if not isinstance(x, Tensor):
            raise ArgumentTypeError(
                f"{operation}: input {number} is of type {type(x).__name__}, not a Tensor."
            )
        if not x.requires_grad:
            raise GradientError(
                f"{operation}: input {number} does not require a gradient.",
                [f"input {number}: {x._describe()}"],
                "x.requires_grad_() before it is used makes it require one.",
            )
        wanted[id(x)] = x
    if not wanted:
        raise GradientError(f"{operation}: inputs is empty.")
    return wanted


def _roots(
    operation: str, tensors: Any, gradients: Any, create_graph: bool
) -> tuple[list[Any], list[Any]]:
    """The edges at which the pass starts, and the gradient that enters at each."""
    outputs = as_tuple(tensors)
    given = as_tuple(gradients) if gradients is not None else (None,) * len(outputs)
    if len(given) != len(outputs):
        raise GradientError(
            f"{operation}: {len(outputs)} outputs, but {len(given)} gradients for them."
        )
    edges, seeds = [], []
    for x, seed in zip(outputs, given, strict=True):
        if not isinstance(x, Tensor):
            raise ArgumentTypeError(f"{operation}: {type(x).__name__} is not a Tensor.")
        if not x.requires_grad:
            raise GradientError(
                f"{operation}: the tensor does not require a gradient.",
                [f"{x._describe()}, computed from nothing that requires one"],
                "Make a leaf with requires_grad=True before computing with it. A graph ends at "
                "no_grad, detach(), .data, item(), float(), numpy(), dg.tensor(x), and at "
                "integers (argmax).",
            )
        if seed is None:
            kind = type(x._data)
            if kind not in FLOAT_SCALARS and x.numel() != 1:
                raise GradientError(
                    f"{operation}: only a tensor of one element has a gradient without more words.",
                    [x._describe()],
                    "x.sum().backward(), or x.backward(gradient) with a gradient of its shape.",
                )
            seed = kind(1) if kind in FLOAT_SCALARS else backend_of(x._data).ones_like(x._data)
        else:
            if not isinstance(seed, Tensor):
                seed = Tensor(seed)
            if seed.shape != x.shape:
                raise ShapeError(
                    f"{operation}: the gradient has another shape than its tensor.",
                    [x._describe(), f"gradient: shape {seed.shape}"],
                )
            if type(seed._data) is not type(x._data):
                x, seed = brought_together(operation, (x, seed)) or (x, seed)
            seed = seed.to(x.dtype)
            seed = seed if create_graph else seed._data
        if x._node is None and operation == "backward":
            warn_of_leaf(x)
        edges.append(x._node or x)
        seeds.append(Tensor(seed) if create_graph and not isinstance(seed, Tensor) else seed)
    return edges, seeds


def _run(
    roots: list[Any],
    seeds: list[Any],
    retain_graph: bool,
    create_graph: bool,
    wanted: dict[int, Tensor] | None,
) -> dict[Tensor, Any]:
    """Walk the graph; the gradients of the leaves, or of the wanted tensors, as arrays."""
    leaves: dict[Tensor, Any] = {}
    pending: dict[Any, Any] = {}
    queue: list[tuple[int, Function]] = []  # a heap of what is pending, the latest node first
    for edge, seed in zip(roots, seeds, strict=True):
        gathered: dict[Any, Any] = pending if isinstance(edge, Function) else leaves
        if edge in gathered:
            gathered[edge] = gathered[edge] + seed
        else:
            gathered[edge] = seed
            if gathered is pending:
                heappush(queue, (-edge._time, edge))

    closely: _Closely | None = None
    careful = create_graph or wanted is not None or bool(watchers())
    if careful:
        closely = _Closely(roots, pending, queue, create_graph, wanted)
    take = pending.pop
    former_mode = grad_mode.enabled
    # A derivative may well be infinite or NaN: that is the caller's to see, not NumPy's to warn of.
    with np.errstate(all="ignore"):
        try:
            switch(create_graph)
            while queue:
                node = heappop(queue)[1]
                gradient = take(node)
                saved = node.saved_tensors
                if careful or node._special:
                    if closely is None:
                        closely = _Closely(roots, pending, queue, create_graph, wanted)
                    edges, parts = closely.run(node, gradient, saved)
                else:
                    if saved:
                        if latest.time > node._time:
                            check_unchanged(node, saved)
                    elif saved is None:
                        raise _freed(node)
                    edges = node._edges
                    parts = node.backward(gradient)
                if type(parts) is not tuple:
                    parts = tuple(parts) if type(parts) is list else (parts,)
                if len(parts) != len(edges):
                    parts = _of_number(len(edges), node, parts)
                if saved and not retain_graph and edges:
                    node.saved_tensors = None
                for edge, part in zip(edges, parts):  # noqa: B905 - a keyword here costs 0.2 us
                    if edge is None or part is None:
                        continue
                    kind = edge._kind
                    # A NumPy scalar's type says all about it; an array's shape and dtype must fit.
                    if kind is ndarray:
                        if not (
                            type(part) is ndarray
                            and part.shape == edge._shape
                            and part.dtype is edge._dtype
                        ):
                            part = fitted(part, edge, create_graph)
                    elif kind is None:
                        data = edge._data
                        if not (
                            type(part) is ndarray
                            and part.shape == data.shape
                            and part.dtype is data.dtype
                        ) and not (type(part) is type(data) and type(data) in FLOAT_SCALARS):
                            part = fitted(part, edge, create_graph)
                        leaves[edge] = added(leaves.pop(edge), part) if edge in leaves else part
                        continue
                    elif type(part) is not kind or kind not in FLOAT_SCALARS:
                        part = fitted(part, edge, create_graph)
                    if edge in pending:
                        pending[edge] = added(pending.pop(edge), part)
                    else:
                        pending[edge] = part
                        heappush(queue, (-edge._time, edge))

            for x, gradient in leaves.items():
                if x._hooks is not None:
                    leaves[x] = run_hooks(x, gradient)
        finally:
            # Put back here and not in a function, at whose call an interrupt may come.
            mode, grad_mode.enabled = grad_mode.enabled, former_mode
            if mode != former_mode:
                everywhere.note(former_mode)
    if wanted is not None and closely is not None:
        return {x: g for x, g in leaves.items() if id(x) in wanted} | closely.caught
    return leaves


class _Closely:
    """Runs the nodes that want more than their rule: hooks, several outputs, recorded passes.

    Attributes:
        caught: the gradients of wanted tensors that were met on the way.
    """

    def __init__(
        self,
        roots: list[Any],
        pending: dict[Any, Any],
        queue: list[tuple[int, Function]],
        create_graph: bool,
        wanted: dict[int, Tensor] | None,
    ) -> None:
        self.caught: dict[Tensor, Any] = {}
        self._pending = pending
        self._queue = queue
        self._create_graph = create_graph
        self._wanted = wanted
        self._watched = bool(watchers())
        for watcher in watchers():
            watcher.starting(roots)
        if wanted is not None:
            self._catch = {x._node: x for x in wanted.values() if x._node is not None}
            self._allowed = _leading_to(_collect(roots), wanted)

    def run(self, node: Function, gradient: Any, saved: Any) -> tuple[Sequence[Any], Any]:
        """The edges that want a gradient, None for those that do not, and what the rule gave."""
        edges = node._edges
        if node._hooks is not None:
            gradient = run_hooks(node, gradient)
        fewer = False
        if self._wanted is not None:
            if node in self._catch:
                self.caught[self._catch[node]] = gradient
            edges = [_if_leading(edge, self._allowed, self._wanted) for edge in edges]
            if not any(edge is not None for edge in edges):
                return (), ()
            fewer = True
        if type(node) is Output:
            self._into_slot(node, gradient)
            return (), ()
        recorded = self._create_graph
        gradients = (gradient,) if node._outputs is None else tuple(gradient)
        if saved is None:
            raise _freed(node)
        if saved and latest.time > node._time:
            check_unchanged(node, saved)
        if node._prehooks is not None:
            gradients = run_prehooks(node, gradients, recorded)
        given = gradients
        if node._outputs is not None and node._materialize:
            gradients = tuple(_materialized(node, gradients, recorded))
        if recorded or fewer or self._watched or node._packed:
            parts = self._dressed(node, gradients, edges)
        else:
            parts = node.backward(*gradients)
        if node._posthooks is not None:
            parts = run_node_hooks(node, edges, parts, given, recorded)
        return edges, parts

    def _dressed(self, node: Function, gradients: tuple[Any, ...], edges: Sequence[Any]) -> Any:
        """Run a rule on a copy of its node: on Tensors, for fewer inputs, or while one looks."""
        copy = recorded_twin(node) if self._create_graph else twin(node)
        if not self._create_graph:
            for gradient in gradients:
                if gradient is not None and type(gradient) not in NUMPY_TYPES:
                    copy.xp = backend_of(gradient)  # many passes at once: see demograd.func
        copy.needs_input_grad = tuple([edge is not None for edge in edges])
        for watcher in watchers():
            watcher.entering(node, gradients)
        try:
            parts = copy.backward(*gradients)
        except BaseException as error:
            for watcher in watchers():
                watcher.failed(node, error)
            raise
        for watcher in watchers():
            watcher.leaving(node, gradients, parts if type(parts) is tuple else (parts,))
        return parts

    def _into_slot(self, output: Output, gradient: Any) -> None:
        """Gather the gradient of one of several outputs with its node."""
        node = output.node
        slots = self._pending.get(node)
        if slots is None:
            slots = self._pending[node] = [None] * len(node._outputs or ())
            heappush(self._queue, (-node._time, node))
        former = slots[output.index]
        slots[output.index] = gradient if former is None else former + gradient


def _collect(roots: Iterable[Any]) -> list[Function]:
    """The nodes that the roots were computed by, latest first."""
    order = [edge for edge in dict.fromkeys(roots) if isinstance(edge, Function)]
    seen = set(order)
    # The list grows while it is walked, so it is the stack of the search as well.
    for node in order:
        for edge in node._edges:
            if edge is not None and edge._kind is not None and edge not in seen:
                seen.add(edge)
                order.append(edge)
    order.sort(key=attrgetter("_time"), reverse=True)
    return order


def _leading_to(order: list[Function], wanted: dict[int, Tensor]) -> set[Any]:
    """The nodes through which a wanted tensor is reached."""
    targets = {x._node for x in wanted.values() if x._node is not None}
    allowed: set[Any] = set()
    for node in reversed(order):
        if node in targets or any(
            e is not None and (e in allowed or id(e) in wanted) for e in node._edges
        ):
            allowed.add(node)
    return allowed


def _if_leading(edge: Any, allowed: set[Any], wanted: Any) -> Any:
    return edge if edge is not None and (edge in allowed or id(edge) in wanted) else None


def _materialized(node: Function, slots: Sequence[Any], recorded: bool) -> list[Any]:
    """The gradients of several outputs: zeros for those that nobody used."""
    made = list(slots)
    for number, (shape, dtype, _) in enumerate(node._outputs or ()):
        if made[number] is None:
            zeros = node.xp.zeros(shape, dtype=dtype)
            made[number] = Tensor(zeros) if recorded else zeros
    return made


def _freed(node: Function) -> GradientError:
    return GradientError(
        f"backward: the graph was freed by an earlier backward, at {node.name}.",
        [f"{node.name}: output shapes {node.output_shapes}"],
        "Compute the loss anew, or give the first one retain_graph=True. What is kept from an "
        "earlier step, such as a hidden state, is cut off from it by h = h.detach().",
    )


def _of_number(number: int, node: Function, parts: tuple[Any, ...]) -> tuple[Any, ...]:
    """A rule's gradients without the Nones for arguments that were left to their defaults."""
    if len(parts) > number and all(part is None for part in parts[number:]):
        return parts[:number]
    raise GradientError(
        f"backward: {node.name} has {len(node._edges)} inputs, but its rule returned "
        f"{len(parts)} gradients.",
        mend="Return one for each positional argument of forward, None where there is none.",
    )
