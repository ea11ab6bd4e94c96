"""How a Function is applied where an input is mapped.

A tensor inside a vmap is a Tensor whose array is ``Batched``. It takes part in two graphs. The
graph inside (``grad`` within ``vmap``) consists of ordinary nodes whose arrays happen to be
``Batched``. The graph outside (``vmap`` within ``grad``) is recorded where a ``Batched`` holds a
Tensor with a history: there the operation is one node, ``Mapped``, whose rule is the operation's
own rule for all samples at once. So a gradient outside is that of the rule, whatever the array
code of its ``forward`` is.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from demograd._dtype import DIFFERENTIABLE, native
from demograd._levels import Level
from demograd._tensor import Tensor
from demograd.autograd import _function
from demograd.autograd._clock import tick
from demograd.autograd._function import Function
from demograd.autograd._mode import everywhere, grad_mode, no_grad
from demograd.autograd._views import note_view, refresh
from demograd.autograd._watchers import ran
from demograd.errors import GradientError, MappingError
from demograd.func._backend import batched_backend
from demograd.func._batched import Batched, level_of, on_level
from demograd.func._mapped import Mapped, MappedView
from demograd.operators import MatMul

__all__ = ["apply", "lifted", "lifted_by", "tracked"]


def tracked(x: Any) -> bool:
    """Whether an array holds, at any depth, a Tensor with a history."""
    while True:
        if isinstance(x, Tensor):
            if x.requires_grad:
                return True
            x = x._data
        elif type(x) is Batched:
            x = x.value
        else:
            return False


def lifted(x: Tensor, level: Level) -> Tensor:
    """A tensor from outside of a vmap as one of the same values for all its samples."""
    if type(x._data) is Batched and x._data.level is level:
        return x
    out = Tensor.__new__(Tensor)
    out._data = Batched(level, x, False)
    out._node = None
    out._requires_grad = False
    return out


def lifted_by(x: Tensor, parts: tuple[Any, ...]) -> Tensor:
    """A tensor as one of the vmap that parts of an index belong to, if any does."""
    level = level_of(parts)
    return x if level is None or level_of([x._data, *parts]) is not level else lifted(x, level)


def apply(function: type[Function], inputs: tuple[Any, ...], settings: dict[str, Any]) -> Any:
    """What ``function.apply(*inputs, **settings)`` is, where an input is mapped."""
    level = level_of(_arrays(inputs, settings))
    assert level is not None
    given = tuple([lifted(x, level) if isinstance(x, Tensor) else x for x in inputs])
    enabled = everywhere.on or grad_mode.enabled
    arrays: list[Any] = []
    edges: list[Any] = []
    for x in given:
        if not isinstance(x, Tensor):
            arrays.append(x)
            edges.append(None)
            continue
        refresh(x)
        # Nothing is recorded outside either while recording is off.
        arrays.append(x._data if enabled else batched_backend.bare(x._data))
        edges.append((x._node or x) if enabled and x._requires_grad else None)
    needs = tuple([edge is not None for edge in edges])
    if any(type(a) is Batched and tracked(a.value) for a in arrays):
        node, out = _recorded_outside(function, level, arrays, needs, settings)
    else:
        node = function()
        node.xp = batched_backend
        node.needs_input_grad = needs
        out = node.forward(*arrays, **settings)
    if node._dirty:
        raise MappingError(
            f"vmap: {node.name}.forward writes to an input, which cannot be done for all samples.",
            mend="A Function that gives a new array can be mapped.",
        )
    if type(out) is tuple:
        outs = tuple([on_level(level, part) for part in out])
        tensors = _function._wrap_outputs(node, given, settings, arrays, edges, outs)
        for number, tensor in enumerate(tensors):
            _note_view(tensor, function, given, settings, number)
        if everywhere.watched:
            ran(node, given, tensors)
        return tensors
    out = on_level(level, out)
    tensor = Tensor.__new__(Tensor)
    tensor._data = out
    recorded = any(needs) and not node._non_differentiable and native(out.dtype) in DIFFERENTIABLE
    tensor._requires_grad = recorded
    tensor._node = node if recorded else None
    if recorded:
        node._kind, node._shape, node._dtype = Batched, out.shape, out.dtype
        node._edges, node._time = edges, tick()
        node._input_ids, node._output_id = [*map(id, arrays)], id(out)
    _note_view(tensor, function, given, settings)
    if everywhere.watched:
        ran(node, given, tensor)
    return tensor


def _note_view(tensor: Tensor, function: type[Function], given: tuple[Any, ...], *how: Any) -> None:
    """Remember of what a result is a view, and there that it is."""
    note_view(tensor, function, given, *how)
    if tensor._base is not None:
        tensor._base._data.views.append(weakref.ref(tensor))
    elif function.returns_view and not isinstance(tensor._data.base, np.ndarray):
        # Another library's arrays don't tell: a change of one would not be seen by the other.
        given[0]._data.views.append(weakref.ref(tensor))
        tensor._data.views.append(weakref.ref(given[0]))


def _arrays(inputs: tuple[Any, ...], settings: dict[str, Any]) -> list[Any]:
    """Every array that an operation is given, those of an index among its settings too."""
    found = [x._data if isinstance(x, Tensor) else x for x in inputs]
    for setting in settings.values():
        found.extend(setting if type(setting) is tuple else [setting])
    return found


def _recorded_outside(
    function: type[Function],
    level: Level,
    arrays: list[Any],
    needs: tuple[bool, ...],
    settings: dict[str, Any],
) -> tuple[Function, Any]:
    """Apply a Function to what the arrays hold: the node for inside, and the result."""
    held = [_as_tensor(a.value) if type(a) is Batched else a for a in arrays]
    mapped = tuple([a.mapped if type(a) is Batched else None for a in arrays])
    if function is MatMul and mapped == (True, False) and not any(needs):
        x, y = held
        if x.ndim == 3 and y.ndim == 2:
            # One tall matrix: the gradient of y is then one product, and not one for each sample.
            tall = MatMul.apply(x.reshape(-1, x.shape[2]), y)
            return MatMul(), Batched(level, tall.reshape(*x.shape[:2], y.shape[1]), True)
    # The results of all samples differ where anything that they are computed from does.
    over = any(mapped) or any(_of_samples(x, level) for x in _arrays((), settings))
    outside = MappedView if function.returns_view else Mapped
    outs = outside.apply(
        *held, function=function, level=level, mapped=mapped, over=over, settings=settings
    )
    several = type(outs) is tuple
    wrapped = [Batched(level, part, over) for part in (outs if several else (outs,))]
    out = tuple(wrapped) if several else wrapped[0]
    if not any(needs):
        return function(), out
    return _inside(function, level, arrays, wrapped, needs, settings), out


def _inside(
    function: type[Function],
    level: Level,
    arrays: list[Any],
    outs: list[Any],
    needs: tuple[bool, ...],
    settings: dict[str, Any],
) -> Function:
    """The node inside of an operation that is recorded outside as well.

    It is run again on the bare values, for what it keeps for its backward pass: inputs and outputs,
    in the place of which come those with a history.
    """
    node = function()
    node.xp, node.needs_input_grad = batched_backend, needs
    bare = [batched_backend.bare(a) if type(a) is Batched else a for a in arrays]
    with no_grad(), level:
        out = node.forward(*bare, **settings)
    given = out if type(out) is tuple else (out,)
    known = {id(a): b for a, b in zip((*bare, *given), (*arrays, *outs), strict=True)}
    for array in node.saved_tensors:
        if id(array) not in known and _is_floating(array):
            raise GradientError(
                f"vmap: {node.name} saved a value that is neither an input nor an output, so its "
                "own derivative is not known.",
                [f"saved value: shape {array.shape}, dtype {array.dtype}"],
                "Compute it again in backward from the inputs.",
            )
    node.saved_tensors = tuple([known.get(id(a), a) for a in node.saved_tensors])
    node._non_differentiable = tuple([known[id(a)] for a in node._non_differentiable])
    return node


def _is_floating(x: Any) -> bool:
    return hasattr(x, "dtype") and native(x.dtype) in DIFFERENTIABLE


def _of_samples(x: Any, level: Level) -> bool:
    return type(x) is Batched and x.level is level and x.mapped


def _as_tensor(value: Any) -> Any:
    return value if isinstance(value, Tensor) or not hasattr(value, "shape") else Tensor(value)
