"""Changes in place: ``+=`` and its kin, ``copy_``, and ``x[i] = v``.

An in-place operation computes the ordinary one on the old values, writes the result into the
tensor's memory, and makes the tensor continue from the new node; if the tensor is a view, its base
continues. A leaf that requires a gradient is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from demograd import _binary, _casting, _shaping
from demograd._backend import NUMPY_TYPES, backend_of, numpy_backend, picks_each_place_once
from demograd._levels import anywhere
from demograd._storage import mark_changed, owner
from demograd._tensor import Tensor
from demograd.autograd._clock import tick
from demograd.autograd._function import Alias, Function
from demograd.autograd._hooks import move_retained
from demograd.autograd._mode import grad_mode, no_grad
from demograd.autograd._rebinding import into_base, settle
from demograd.autograd._views import outside, places, refresh
from demograd.errors import DtypeError, GradientError, ShapeError

__all__ = [
    "SetIndex", "augmented", "change", "check_recordable", "continue_from", "copy_", "fill_",
    "set_index", "with_index_set", "zero_",
]  # fmt: skip


class SetIndex(Function):
    """A copy of ``x`` with ``values`` at an index."""

    def forward(self, x: Any, values: Any, *, index: Any) -> Any:
        self.index = _shaping.kept_index(index) if True in self.needs_input_grad else index
        self.lasts = (
            _lasts(self.xp, x.shape, self.index)
            if self.needs_input_grad[1] and not picks_each_place_once(index)
            else None
        )
        return self.xp.index_set(x, index, values)

    def backward(self, grad: Any) -> Any:
        x_needed, values_needed = self.needs_input_grad
        values_grad = None
        if values_needed:
            values_grad = self.xp.index(grad, self.index)
            if self.lasts is not None:
                zeros = self.xp.zeros_like(values_grad)
                values_grad = self.xp.where(self.xp.asarray(self.lasts), values_grad, zeros)
        return self.xp.index_set(grad, self.index, 0.0) if x_needed else None, values_grad


def _lasts(xp: Any, shape: tuple[int, ...], index: Any) -> Any:
    """Which values stay, where an index names a place several times: the last; None if all do."""
    xp = xp if xp.wraps else numpy_backend
    numbers = np.zeros(shape, dtype=np.int64)
    named = xp.index(numbers, index)
    count = np.arange(named.size).reshape(named.shape)
    stay = xp.index(xp.index_set(numbers, index, count), index) == count
    return None if isinstance(stay, np.ndarray) and stay.all() else stay


def with_index_set(x: Tensor, index: Any, values: Tensor) -> Tensor:
    """A copy of ``x`` with ``values``, broadcast, at an index."""
    if anywhere.on:
        x = _shaping.mapped_alike(x, index)
    out: Tensor = SetIndex.apply(x, values, index=index)
    return out


def change(x: Tensor, name: str, operation: Callable[..., Tensor], *operands: Any) -> Tensor:
    """Make ``x`` hold ``operation(x, *operands)``, in its own memory.

    Args:
        x: the tensor to change.
        name: how the change is called in messages, such as ``"+="``.
        operation: the ordinary, out-of-place operation.
        operands: its other operands.

    Raises:
        GradientError: a leaf that requires a gradient, or a view of one, while recording.
        ShapeError: the result has another shape.
        DtypeError: the result has a type that cannot be kept in the tensor.
    """
    _check_ordinary(x, name)
    if x._seen is not None:
        settle(x)
    recording = _is_recorded(x, *operands)
    if not recording:
        if not isinstance(x._data, (np.ndarray, np.generic)) and backend_of(x._data).wraps:
            # Outside of vmap it may well be recorded: there the rule may save the old values.
            result = operation(_as_it_is(x), *[_as_it_is(v) if v is x else v for v in operands])
        else:
            result = operation(x, *operands)
        _check_result(x, name, result)
        _write(x, result._data, name)
        return x
    check_recordable(x, name)
    # The rule may save the old values, of x and of what shares its memory: give it copies that the
    # write below leaves alone.
    whole = owner(x._data)
    operands = tuple(
        [_as_it_is(v) if isinstance(v, Tensor) and owner(v._data) is whole else v for v in operands]
    )
    result = operation(_as_it_is(x), *operands)
    _check_result(x, name, result)
    _write(x, result._data, name)
    continue_from(x, result)
    return x


def continue_from(x: Tensor, result: Tensor) -> None:
    """Let ``x``, whose memory holds the values of ``result``, have its history as well."""
    base = x if x._base is None else x._base
    updated = result
    if base is not x:
        # The history of the base goes on: its elements at the places of the view are replaced.
        flat = _as_it_is(base).reshape(-1)
        values = _casting.cast_to(result, x.dtype)
        updated = SetIndex.apply(flat, values, index=places(x, base)).reshape(base.shape)
    _continue_from(base, updated)
    refresh(x)


def augmented(x: Tensor, name: str, operation: Callable[..., Tensor], other: Any) -> Tensor:
    """``x += other`` and its kin: ``NotImplemented`` where Python is to ask ``other``."""
    if _binary.as_operand(other) is None:
        return _binary.NOT_IMPLEMENTED
    return change(x, name, operation, other)


def _is_recorded(x: Tensor, *operands: Any) -> bool:
    """Whether a change of ``x`` by these operands has a history."""
    return grad_mode.enabled and (
        x.requires_grad
        # A view that was taken in no_grad requires no gradient, but its memory is the base's.
        or (x._base is not None and x._base.requires_grad)
        or any(isinstance(v, Tensor) and v.requires_grad for v in operands)
    )


def _check_ordinary(x: Tensor, name: str) -> None:
    if x._base is outside and not grad_mode.inference:
        raise GradientError(
            f"{name}: a tensor from inference mode cannot be changed in place outside of it.",
            [x._describe()],
            "x = x.clone() is an ordinary tensor.",
        )


def check_recordable(x: Tensor, name: str) -> None:
    """Refuse a recorded change of a leaf, of a view of one, or of a view by an unknown rule."""
    base = x if x._base is None else x._base
    taken = x._taken
    while taken:
        (function, *_), taken = taken
        if not function.returns_view:
            raise GradientError(
                f"{name}: the tensor shows memory that {function.__name__} has taken from another "
                "one, and its rule is not known to be that of a view.",
                [x._describe()],
                "x = x.clone() has memory of its own; a class whose output shows elements of its "
                "input says returns_view = True.",
            )
    for leaf in (x, base):
        if leaf._node is not None or not leaf._requires_grad:
            continue
        what = "a leaf" if leaf is x else "a view of a leaf"
        raise GradientError(
            f"{name}: {what} that requires a gradient cannot be changed in place.",
            [leaf._describe()],
            "with dg.no_grad(): ... changes its values; x = x + y makes a new tensor.",
        )

    if base is not x and base._requires_grad and not x._requires_grad:
        raise GradientError(
            f"{name}: a view that was taken in no_grad cannot be changed in place while recording.",
            [f"view: {x._describe()}", f"base: {base._describe()}"],
            "Take the view and change it both in no_grad, or neither.",
        )


def _as_it_is(x: Tensor) -> Tensor:
    """A Tensor at the same place of the graph, with a copy of the values."""
    refresh(x)
    twin = Tensor.__new__(Tensor)
    twin._data = x._data.copy() if hasattr(x._data, "copy") else x._data
    twin._node, twin._requires_grad, twin._notes = x._node, x._requires_grad, x._notes
    if x._requires_grad and x._node is None:
        twin._node = Alias(x)  # the gradient is the leaf's, and not that of another one
    return twin


def _check_result(x: Tensor, name: str, result: Tensor) -> None:
    if result.shape != x.shape:
        raise ShapeError(
            f"{name}: the result does not fit into the tensor.",
            [f"{x._label('x')}: shape {x.shape}", f"result: shape {result.shape}"],
            "x = x + y makes a new tensor of the larger shape.",
        )
    if not np.can_cast(result.dtype, x.dtype, "same_kind"):
        raise DtypeError(
            f"{name}: the result has a type that the tensor cannot hold.",
            [f"{x._label('x')}: dtype {x.dtype}", f"result: dtype {result.dtype}"],
            f"x = x.to(dg.{result.dtype}) first.",
        )


def _write(x: Tensor, values: Any, name: str) -> None:
    """Put values into the memory of ``x``; arrays that cannot be written to are replaced."""
    data = x._data
    if isinstance(data, np.generic):
        data = x._data = np.asarray(data)
    if isinstance(data, np.ndarray):
        data = _writable(x, name)
        if type(values) not in NUMPY_TYPES and backend_of(values).wraps:
            raise backend_of(values).unmapped(data.shape, values, name)
        data[...] = values
        mark_changed([data], name)
    elif backend_of(data).wraps:
        backend_of(data).write(x, values, name)
    else:
        xp = backend_of(data)
        x._data = xp.astype(xp.broadcast_to(xp.asarray(values), data.shape), data.dtype)
        if x._seen is not None:
            into_base(x)


def _writable(x: Tensor, name: str) -> Any:
    """The array of ``x`` to write to."""
    data, base = x._data, x._base
    if data.flags.writeable:
        return data
    # NumPy lets nobody write to a diagonal, or to a part of what it has repeated, in case they
    # did not know. A view knows, and PyTorch writes to those that repeat nothing themselves.
    if (
        base is None
        or base is outside
        or not isinstance(base._data, np.ndarray)
        or not base._data.flags.writeable
        or _repeats(data)
    ):
        raise GradientError(
            f"{name}: the memory of the tensor is read-only, or shared by repetition.",
            [x._describe()],
            "x = x.clone() has memory of its own.",
        )
    alias = data.view()
    alias.flags.writeable = True
    return alias


def _repeats(array: np.ndarray[Any, Any]) -> bool:
    """Whether two elements may lie at one place."""
    span = array.itemsize
    for step, length in sorted(zip(map(abs, array.strides), array.shape, strict=True)):
        if length > 1:
            if step < span:
                return True
            span += step * (length - 1)
    return False


def _continue_from(x: Tensor, result: Tensor) -> None:
    """Make ``x`` the output of the node that computed ``result``."""
    node = result._node
    x._node = node
    x._requires_grad = result._requires_grad
    if x._retained is not None:
        move_retained(x)
    if node is not None:
        # An id of an array that is gone may be given again: the memory of x is no input.
        known = node._input_ids
        node._input_ids = [0 if identity == id(x._data) else identity for identity in known]
        # The rule may have saved its output: it now stands in the memory of x.
        node.saved_tensors = tuple(
            [x._data if a is result._data else a for a in node.saved_tensors or ()]
        )
        node._output_id = id(x._data)
        node._time = tick()  # after the stamp that the write has left


def copy_(x: Tensor, source: Any) -> Tensor:
    """Copy the values of ``source``, broadcast and cast, into ``x``."""
    source = source if isinstance(source, Tensor) else Tensor(source)
    if type(source._data) is not type(x._data) and source.device != x.device:
        source = move_to(source, x.device)

    def copied(old: Tensor, new: Tensor) -> Tensor:
        values = _shaping.expand(_casting.cast_to(new, old.dtype), old.shape)
        if old.requires_grad and grad_mode.enabled:
            # The history goes on, though with zeros: the tensor still requires a gradient.
            return with_index_set(old, ..., values)
        return values

    return change(x, "copy_", copied, source)


def fill_(x: Tensor, value: Any) -> Tensor:
    """Set every element to one value."""
    return copy_(x, value if isinstance(value, Tensor) else Tensor(value, dtype=x.dtype))


def zero_(x: Tensor) -> Tensor:
    """Set every element to zero."""
    return fill_(x, 0)


def set_index(x: Tensor, key: Any, values: Any) -> None:
    """``x[key] = values``, values broadcast to the place.

    Raises:
        ShapeError: the values do not broadcast to the place.
        OutOfRangeError: there is no such place.
    """
    _check_ordinary(x, "x[i] = v")
    key = _shaping._plain_index(key)
    values = values if isinstance(values, Tensor) else Tensor(values, dtype=x.dtype)
    values = _casting.cast_to(values, x.dtype)
    with no_grad():
        place = _shaping.index(x, key).shape
    extra = len(values.shape) - len(place)
    if extra > 0 and set(values.shape[:extra]) == {1}:
        values = values.reshape(values.shape[extra:])  # as NumPy, which drops them too
    try:
        fits = np.broadcast_shapes(values.shape, place) == place
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(
            "x[i] = v: the values do not fit the place.",
            [f"place: shape {place}", f"v: shape {values.shape}"],
        )
    if (
        _is_recorded(x, values)
        or not isinstance(x._data, np.ndarray)
        or not x._data.flags.writeable
        or anywhere.on
    ):
        change(x, "x[i] = v", lambda old, new: with_index_set(old, key, new), values)
    else:
        # Nothing to record: write where it belongs, and nowhere else.
        x._data[key] = values._data
        mark_changed([x._data], "x[i] = v")


# At the end, because moving is an operation itself.
from demograd._libraries._moving import move_to  # noqa: E402
