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

from demograd._backend import NUMPY_TYPES, backend_of
from demograd._tensor_backend import tensor_backend
from demograd._dtype import DIFFERENTIABLE
from demograd._storage import changed_since, changes
from demograd._tensor import Tensor
from demograd.autograd._accumulate import accumulate
from demograd.autograd._function import Function, Output
from demograd.autograd._hooks import run_hooks
from demograd.autograd._mode import set_grad_enabled
from demograd.errors import ArgumentTypeError, GradientError, ShapeError

__all__ = ["backward", "grad"]

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
    # The same input may stand twice in the list.
    by_id = dict(zip(wanted, results, strict=True))
    return tuple(by_id[id(x)] for x in _as_tuple(inputs))


def _or(value: bool | None, default: bool) -> bool:
    return default if value is None else value


def _as_tuple(x: Any) -> tuple[Any, ...]:
    return tuple(x) if isinstance(x, (tuple, list)) else (x,)


def _wanted(operation: str, inputs: Any) -> dict[int, Tensor]:
    wanted = {}
    for number, x in enumerate(_as_tuple(inputs)):
        if not isinstance(x, Tensor):
            raise ArgumentTypeError(
                f"{operation}: input {number} is of type {type(x).__name__}, not a Tensor."
            )
        if not x._requires_grad:
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
    outputs = _as_tuple(tensors)
    given = _as_tuple(gradients) if gradients is not None else (None,) * len(outputs)
    if len(given) != len(outputs):
        raise GradientError(
            f"{operation}: {len(outputs)} outputs, but {len(given)} gradients for them."
        )
    edges, seeds = [], []
    for x, seed in zip(outputs, given, strict=True):
        if not isinstance(x, Tensor):
            raise ArgumentTypeError(f"{operation}: {type(x).__name__} is not a Tensor.")
        if not x._requires_grad:
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
    """Walk the graph; the gradients of the leaves, or of the wanted tensors."""
    order = _collect(roots)
    allowed = None
    catch: dict[Function, Tensor] = {}
    if wanted is not None:
        catch = {x._node: x for x in wanted.values() if x._node is not None}
        allowed = _leading_to(order, wanted)
    found: dict[Tensor, Any] = {}
    pending: dict[Any, Any] = {}
    for edge, seed in zip(roots, seeds, strict=True):
        _deliver(edge, seed, pending, found, wanted)
    with set_grad_enabled(create_graph):
        for node in order:
            if node not in pending or (allowed is not None and node not in allowed):
                continue
            gradient = pending.pop(node)
            if node._hooks:
                gradient = run_hooks(node, gradient)
            if node in catch:
                found[catch[node]] = gradient
            if type(node) is Output:
                slots = pending.setdefault(node.node, [None] * len(node.node._outputs or ()))
                former = slots[node.index]
                slots[node.index] = gradient if former is None else former + gradient
                continue
            edges = node._edges
            if allowed is not None:
                edges = tuple(
                    [e if e in allowed or id(e) in wanted else None for e in edges]  # type: ignore[operator]
                )
                if not any(e is not None for e in edges):
                    continue
            gradients = _apply_rule(node, gradient, edges, create_graph)
            if not retain_graph and node.saved_tensors:
                node.saved_tensors = None
            for edge, part in zip(edges, gradients, strict=True):
                if part is not None and edge is not None:
                    _deliver(edge, part, pending, found, wanted)
    for x, gradient in found.items():
        if x._node is None and x._hooks:
            found[x] = run_hooks(x, gradient)
    return found


def _collect(roots: Iterable[Any]) -> list[Function]:
    """The nodes that the roots were computed by, latest first."""
    order = [edge for edge in dict.fromkeys(roots) if isinstance(edge, Function)]
    seen = set(order)
    # The list grows while it is walked, so it is the stack of the search as well.
    for node in order:
        for edge in node._edges:
            if edge is not None and edge not in seen and isinstance(edge, Function):
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


def _deliver(
    edge: Any,
    gradient: Any,
    pending: dict[Any, Any],
    found: dict[Tensor, Any],
    wanted: dict[int, Tensor] | None,
) -> None:
    """Add a gradient to what has come to an edge so far."""
    if isinstance(edge, Function):
        shape, dtype, gathered = edge._shape, edge._dtype, pending
    else:
        if wanted is not None and id(edge) not in wanted:
            return
        shape, dtype, gathered = edge._data.shape, edge._data.dtype, found
    try:
        fits = gradient.dtype is dtype and gradient.shape == shape
    except AttributeError:
        fits = False
    if not fits:
        gradient = _fitted(gradient, shape, dtype, edge)
    former = gathered.get(edge)
    gathered[edge] = gradient if former is None else former + gradient


def _fitted(gradient: Any, shape: tuple[int, ...], dtype: Any, edge: Any) -> Any:
    """A rule's gradient in its input's shape and dtype: summed over what was broadcast."""
    if not hasattr(gradient, "shape"):
        gradient = np.asarray(gradient)
    xp = tensor_backend if isinstance(gradient, Tensor) else backend_of(gradient)
    if gradient.shape != shape:
        extra = len(gradient.shape) - len(shape)
        axes = tuple(range(extra)) + tuple(
            extra + i
            for i, length in enumerate(shape)
            if length == 1 and gradient.shape[extra + i] != 1
        )
        summed = xp.sum(gradient, axis=axes) if extra >= 0 and axes else gradient
        try:
            # A gradient of one element stands for all of them only if it may broadcast.
            gradient = xp.reshape(summed, shape)
        except (ValueError, RuntimeError):
            gradient = _expanded(xp, gradient, shape, edge)
    if gradient.dtype != dtype:
        gradient = xp.astype(gradient, dtype)
    return gradient


def _expanded(xp: Any, gradient: Any, shape: tuple[int, ...], edge: Any) -> Any:
    try:
        return xp.broadcast_to(gradient, shape)
    except (ValueError, RuntimeError) as error:
        raise GradientError(
            "backward: a rule returned a gradient that does not fit its input.",
            [f"input: shape {shape}, {edge!r}", f"gradient: shape {tuple(gradient.shape)}"],
            "The gradient must have the input's shape, or one that it broadcasts to.",
        ) from error


def _apply_rule(node: Function, gradient: Any, edges: tuple[Any, ...], recorded: bool) -> Any:
    """Run a node's backward on arrays, or on Tensors if the pass is recorded."""
    saved = node.saved_tensors
    if saved is None:
        raise GradientError(
            f"backward: the graph was freed by an earlier backward, at {node.name}.",
            [f"{node.name}: output shapes {node.output_shapes}"],
            "Give the first one retain_graph=True, or compute the loss anew.",
        )
    if changes and saved:
        _check_unchanged(node, saved)
    outputs = node._outputs
    if outputs is None:
        gradients = (gradient,)
    else:
        xp = tensor_backend if recorded else node.xp
        gradients = tuple(
            [
                xp.zeros(shape, dtype=dtype) if g is None else g
                for g, (shape, dtype, _) in zip(gradient, outputs, strict=True)
            ]
        )
    rule = type(node).backward
    if recorded:
        node = _recorded_twin(node)
    if edges is not node._edges:
        if not recorded:
            node = _twin(node)
        node.needs_input_grad = tuple([edge is not None for edge in edges])
    result = rule(node, *gradients)
    if type(result) is not tuple:
        result = tuple(result) if isinstance(result, list) else (result,)
    if len(result) != len(edges):
        raise GradientError(
            f"backward: {node.name} has {len(edges)} inputs, but its rule returned "
            f"{len(result)} gradients.",
            mend="Return one for each positional argument of forward, None where there is none.",
        )
    if not recorded and any(isinstance(part, Tensor) for part in result):
        result = tuple([part._data if isinstance(part, Tensor) else part for part in result])
    return result


def _check_unchanged(node: Function, saved: tuple[Any, ...]) -> None:
    for number, array in enumerate(saved):
        change = changed_since(array, node._time)
        if change is not None:
            raise GradientError(
                f"backward: a value that {node.name} saved was changed in place afterwards.",
                [
                    f"{node.name}: saved value {number}, shape {array.shape}, dtype {array.dtype}",
                    f"changed by: {change.by}",
                ],
                "Change a copy (x = x.clone()), or make the change after backward.",
            )


def _twin(node: Function) -> Function:
    """A copy of a node that a pass may dress up without another thread seeing it."""
    twin = object.__new__(type(node))
    twin.__dict__.update(node.__dict__)
    return twin


def _recorded_twin(node: Function) -> Function:
    """The node as a recorded pass sees it: its saved values are Tensors in the graph."""
    if node.once_differentiable:
        raise GradientError(
            f"backward: {node.name} can be differentiated once only.",
            mend="Its rule is marked once_differentiable; leave create_graph out.",
        )
    twin = _twin(node)
    twin.xp = tensor_backend
    origins = {edge._output_id if isinstance(edge, Function) else id(edge._data): edge
               for edge in reversed(node._edges) if edge is not None}  # fmt: skip
    if node._outputs is None:
        origins[node._output_id] = node
    saved = []
    for array in node.saved_tensors:
        for index, (_, _, identity) in enumerate(node._outputs or ()):
            if id(array) == identity:
                origins[identity] = Output(node, index, array)
        saved.append(_as_saved_tensor(node, array, origins))
    twin.saved_tensors = tuple(saved)
    for key, value in node.__dict__.items():
        if not key.startswith("_") and key != "saved_tensors" and id(value) in origins:
            if isinstance(value, np.ndarray):
                raise GradientError(
                    f"backward: {node.name} keeps an input or output as self.{key}, where the "
                    "recorded pass cannot see it.",
                    mend="Keep it with self.save_for_backward(...).",
                )
    return twin


def _as_saved_tensor(node: Function, array: Any, origins: dict[int, Any]) -> Any:
    if array is None or isinstance(array, (bool, int, float, complex)):
        return array
    tensor = Tensor.__new__(Tensor)
    tensor._data, tensor._node, tensor._requires_grad = array, None, False
    edge = origins.get(id(array))
    if isinstance(edge, Tensor):
        return edge
    if edge is not None:
        tensor._node, tensor._requires_grad = edge, True
    elif array.dtype in DIFFERENTIABLE and id(array) not in node._constants:
        raise GradientError(
            f"backward: {node.name} saved a value that is neither an input nor an output, so its "
            "own derivative is not known.",
            [f"saved value: shape {array.shape}, dtype {array.dtype}"],
            "Compute it again in backward from the inputs, or leave create_graph out.",
        )
    return tensor
