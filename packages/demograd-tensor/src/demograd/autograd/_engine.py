"""The engine: reverse-mode differentiation of a recorded graph, in one loop.

Backward collects the nodes that the outputs were computed by, sorts them by the time at which
they were made, and walks from the latest to the earliest. An operation can only use what exists
already, so every consumer of a value is later than the value: when the walk reaches a node, its
gradient is complete. That is a topological order, and it costs one sort and no recursion.

Gradients of leaves are gathered on the way and added to ``.grad`` at the very end, all or none:
an exception in a rule leaves every ``.grad`` as it was.

Reference: Baydin et al., "Automatic Differentiation in Machine Learning: a Survey", JMLR 2018.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from demograd._backend import FLOAT_SCALARS, backend_of
from demograd._storage import changes, latest, owner
from demograd._tensor import Tensor
from demograd.autograd._accumulate import accumulate, separate
from demograd.autograd._fitting import fitted
from demograd.autograd._function import Function, Output
from demograd.autograd._hooks import run_hooks
from demograd.autograd._mode import set_grad_enabled
from demograd.autograd._recorded import recorded_twin, twin
from demograd.autograd._watchers import watchers
from demograd.errors import ArgumentTypeError, GradientError, ShapeError

__all__ = ["as_tuple", "backward", "grad"]


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
                "Make a leaf with requires_grad=True before computing with it, outside no_grad.",
            )
        if seed is None:
            if x.numel() != 1:
                raise GradientError(
                    f"{operation}: only a tensor of one element has a gradient without more words.",
                    [x._describe()],
                    "x.sum().backward(), or x.backward(gradient) with a gradient of its shape.",
                )
            seed = backend_of(x._data).ones_like(x._data)
            if type(x._data) in FLOAT_SCALARS:
                seed = seed[()]
        else:
            if not isinstance(seed, Tensor):
                seed = Tensor(seed)
            if seed.shape != x.shape:
                raise ShapeError(
                    f"{operation}: the gradient has another shape than its tensor.",
                    [x._describe(), f"gradient: shape {seed.shape}"],
                )
            seed = seed.to(x.dtype)
            seed = seed if create_graph else seed._data
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
    order = _collect(roots)
    catch: dict[Any, Tensor] = {}
    allowed: set[Any] | None = None
    if wanted is not None:
        catch = {x._node: x for x in wanted.values() if x._node is not None}
        allowed = _leading_to(order, wanted)
    caught: dict[Tensor, Any] = {}
    leaves: dict[Tensor, Any] = {}
    pending: dict[Any, Any] = {}
    for edge, seed in zip(roots, seeds, strict=True):
        gathered: dict[Any, Any] = pending if isinstance(edge, Function) else leaves
        gathered[edge] = gathered[edge] + seed if edge in gathered else seed

    dressed = create_graph or bool(watchers())
    # A derivative may well be infinite or NaN: that is the caller's to see, not NumPy's to warn of.
    with set_grad_enabled(create_graph), np.errstate(all="ignore"):
        for node in order:
            gradient = pending.pop(node, None)
            if gradient is None:
                continue
            edges = node._edges
            several = False
            if node._special:
                if node._hooks is not None:
                    gradient = run_hooks(node, gradient)
                several = node._outputs is not None
            if allowed is not None:
                if node in catch:
                    caught[catch[node]] = gradient
                edges = [_if_leading(edge, allowed, wanted) for edge in edges]
                if not any(edge is not None for edge in edges):
                    continue
            if type(node) is Output:
                _into_slot(pending, node, gradient)
                continue
            if several:
                gradient = _materialized(node, gradient, create_graph)
            saved = node.saved_tensors
            if saved is None:
                raise _freed(node)
            if saved and latest.time > node._time:
                _check_unchanged(node, saved)
            if dressed or edges is not node._edges:
                parts = _run_dressed(node, gradient, edges, create_graph)
            elif several:
                parts = node.backward(*gradient)
            else:
                parts = node.backward(gradient)
            if type(parts) is not tuple:
                parts = tuple(parts) if type(parts) is list else (parts,)
            if len(parts) != len(edges):
                if len(parts) < len(edges) or any(p is not None for p in parts[len(edges) :]):
                    raise _wrong_number(node, parts)
                parts = parts[: len(edges)]  # None for arguments that were left to their defaults
            if saved and not retain_graph:
                node.saved_tensors = None
            for edge, part in zip(edges, parts):  # noqa: B905 - a keyword here costs 0.2 us a node
                if edge is None or part is None:
                    continue
                kind = edge._kind
                if kind is not None:
                    gathered = pending
                    # A NumPy scalar's type says all about it; an array's shape and dtype must fit.
                    fits = type(part) is kind and (
                        kind in FLOAT_SCALARS
                        or (part.shape == edge._shape and part.dtype is edge._dtype)
                    )
                else:
                    gathered, data = leaves, edge._data
                    kind = type(data)
                    fits = type(part) is kind and (
                        kind in FLOAT_SCALARS
                        or (part.shape == data.shape and part.dtype is data.dtype)
                    )
                if not fits:
                    part = fitted(part, edge, create_graph)
                if edge in gathered:
                    gathered[edge] = gathered[edge] + part
                else:
                    gathered[edge] = part

        for x, gradient in leaves.items():
            if x._hooks is not None:
                leaves[x] = run_hooks(x, gradient)
    if wanted is not None:
        return {x: g for x, g in leaves.items() if id(x) in wanted} | caught
    return leaves


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


def _into_slot(pending: dict[Any, Any], output: Output, gradient: Any) -> None:
    """Gather the gradient of one of several outputs with its node."""
    node = output.node
    slots = pending.setdefault(node, [None] * len(node._outputs or ()))
    former = slots[output.index]
    slots[output.index] = gradient if former is None else former + gradient


def _materialized(node: Function, slots: list[Any], recorded: bool) -> list[Any]:
    """The gradients of several outputs: zeros for those that nobody used."""
    made = list(slots)
    for number, (shape, dtype, _) in enumerate(node._outputs or ()):
        if made[number] is None:
            zeros = node.xp.zeros(shape, dtype=dtype)
            made[number] = Tensor(zeros) if recorded else zeros
    return made


def _run_dressed(node: Function, gradient: Any, edges: Sequence[Any], recorded: bool) -> Any:
    """Run a rule on a copy of its node: for Tensors, fewer inputs, or a watcher."""
    copy = recorded_twin(node) if recorded else twin(node)
    copy.needs_input_grad = tuple([edge is not None for edge in edges])
    gradients = (gradient,) if node._outputs is None else tuple(gradient)
    for watcher in watchers():
        watcher.entering(node, gradients)
    parts = copy.backward(*gradients)
    for watcher in watchers():
        watcher.leaving(node, gradients, parts if type(parts) is tuple else (parts,))
    return parts


def _freed(node: Function) -> GradientError:
    return GradientError(
        f"backward: the graph was freed by an earlier backward, at {node.name}.",
        [f"{node.name}: output shapes {node.output_shapes}"],
        "Give the first one retain_graph=True, or compute the loss anew.",
    )


def _wrong_number(node: Function, parts: tuple[Any, ...]) -> GradientError:
    return GradientError(
        f"backward: {node.name} has {len(node._edges)} inputs, but its rule returned "
        f"{len(parts)} gradients.",
        mend="Return one for each positional argument of forward, None where there is none.",
    )


def _check_unchanged(node: Function, saved: tuple[Any, ...]) -> None:
    for number, array in enumerate(saved):
        if type(array) is not np.ndarray:
            continue  # scalars and other libraries' arrays are never written to
        change = changes.get(id(array if array.base is None else owner(array)))
        if change is not None and change.time > node._time:
            raise GradientError(
                f"backward: a value that {node.name} saved was changed in place afterwards.",
                [
                    f"{node.name}: saved value {number}, shape {array.shape}, dtype {array.dtype}",
                    f"changed by: {change.by}",
                ],
                "Change a copy (x = x.clone()), or make the change after backward.",
            )
