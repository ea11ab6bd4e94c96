"""Applying an operator to two operands: their data types, the record, and the errors in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np

from demograd._backend import FLOAT_SCALARS, is_array
from demograd._casting import Cast
from demograd._dtype import result_type
from demograd._tensor import Tensor
from demograd.autograd._clock import tick
from demograd.autograd._function import Function, new
from demograd.autograd._mode import everywhere, grad_mode
from demograd.autograd._views import refresh
from demograd.errors import ArgumentError, ArgumentTypeError, DemogradError, DtypeError, ShapeError

__all__ = [
    "NOT_IMPLEMENTED", "as_operand", "binary", "explained", "label", "operation", "promote",
    "settled",
]  # fmt: skip

ndarray = np.ndarray
# What Python takes as "ask the other operand"; the type checker knows it in operators only.
NOT_IMPLEMENTED = cast(Tensor, NotImplemented)
# A number of these types takes the type of the floats that it meets.
_NUMBERS = frozenset([float, int])
_PYTHON_KINDS: tuple[Any, ...] = (int, float, complex)
_PYTHON_NUMBERS = frozenset([bool, int, float, complex])


def as_operand(x: Any) -> Any:
    """A Tensor, or a Python number; None for what cannot be an operand."""
    if isinstance(x, Tensor) or type(x) in _PYTHON_NUMBERS:
        return x
    if isinstance(x, np.generic):
        if x.dtype.kind in "biufc":
            # A NumPy scalar never widens, as in PyTorch; item() of a long double is one itself.
            return x.item() if x.dtype.char != "g" else float(x)
        return None
    for kind in _PYTHON_KINDS:
        if isinstance(x, kind):
            return kind(x)  # of a class of its own, such as an IntEnum
    if isinstance(x, np.ndarray) or is_array(x):
        return Tensor(x)
    return None


def binary(function: type[Function], x: Any, y: Any) -> Tensor:
    """Apply an operator of two operands: settle their data types, and word what goes wrong."""
    operate = _operations.get(function) or operation(function)
    return operate(x, y)


# Those that have been asked for.
_operations: dict[type[Function], Callable[[Any, Any], Tensor]] = {}


def operation(function: type[Function]) -> Callable[[Any, Any], Tensor]:
    """An operator of two operands as a function of them.

    It serves as a method of Tensor as it is: one call of Python less is a tenth of the time that an
    operation on a number takes.
    """

    def operate(x: Any, y: Any) -> Tensor:
        if isinstance(x, Tensor) and isinstance(y, Tensor):
            x_data, y_data = x._data, y._data
            kind = type(x_data)
            if kind not in FLOAT_SCALARS or kind is not type(y_data):
                if (
                    kind is not ndarray or type(y_data) is not ndarray
                    or x_data.dtype is not y_data.dtype
                ) and not _alike(x_data, y_data):  # fmt: skip
                    return _promoted(function, x, y)
                if x._base is not None or y._base is not None:
                    if refresh(x) | refresh(y):
                        return _promoted(function, x, y)
            x_needed, y_needed = x._requires_grad, y._requires_grad
        elif type(y) in _NUMBERS and isinstance(x, Tensor) and _holds_floats(x._data):
            if x._base is not None:
                refresh(x)
            x_data, y_data, x_needed, y_needed = x._data, y, x._requires_grad, False
        elif type(x) in _NUMBERS and isinstance(y, Tensor) and _holds_floats(y._data):
            if y._base is not None:
                refresh(y)
            x_data, y_data, x_needed, y_needed = x, y._data, False, y._requires_grad
        else:
            return _promoted(function, x, y)
        # From here on what Function.apply does, in half the time: there are two operands of one
        # type of floats and one new array as the output. Nine of ten operations of a small network
        # are of this kind, and the general case costs more than everything else together.
        recording = x_needed or y_needed
        if not everywhere.on:
            if everywhere.watched:
                return _applied(function, x, y)
            recording = recording and grad_mode.enabled
        node = function()
        x_edge = y_edge = None
        if recording:
            if x_needed:
                x_edge = x._node or x
            if y_needed:
                y_edge = y._node or y
                node.needs_input_grad = (True, True) if x_needed else (False, True)
            else:
                node.needs_input_grad = (True, False)
        else:
            node.needs_input_grad = (False, False)
        try:
            out = node.forward(x_data, y_data)
        except (ValueError, TypeError) as error:
            raise explained(function.__name__.lower(), x, y, error) from error
        tensor = new(Tensor)
        tensor._data = out
        if recording:
            node._kind = kind = type(out)
            if kind not in FLOAT_SCALARS:
                node._shape = out.shape
                node._dtype = out.dtype
            node._edges = (x_edge, y_edge)
            node._time = tick()
            if function._saves is None and node.saved_tensors:
                # A class of another package, which leaves it to the engine what it has saved.
                node._input_ids = (id(x_data), id(y_data))
                node._output_id = id(out)
            tensor._node = node
            tensor._requires_grad = True
        else:
            tensor._node = None
            tensor._requires_grad = False
        return tensor

    # Code of its own: CPython notes in it which types it meets, and with one code for all operators
    # it would note them in vain (PEP 659). That is another tenth of the time.
    operate.__code__ = operate.__code__.replace()
    _operations[function] = operate
    return operate


def _alike(x: Any, y: Any) -> bool:
    """Whether both are floats of one type, one a NumPy scalar and one an array."""
    return _holds_floats(x) and _holds_floats(y) and x.dtype is y.dtype


def _holds_floats(array: Any) -> bool:
    kind = type(array)
    return kind in FLOAT_SCALARS or (kind is ndarray and array.dtype.kind == "f")


def _promoted(function: type[Function], x: Any, y: Any) -> Tensor:
    """The same for operands of several types."""
    x, y = as_operand(x), as_operand(y)
    if x is None or y is None:
        return NOT_IMPLEMENTED
    if not isinstance(x, Tensor) and not isinstance(y, Tensor):
        x = Tensor(x)
    if isinstance(x, Tensor) and isinstance(y, Tensor) and type(x._data) is not type(y._data):
        # Before a cast, so that a message shows the operands as they were given.
        x, y = brought_together(function.__name__.lower(), (x, y)) or (x, y)
    return _applied(function, *promote(x, y))


def _applied(function: type[Function], x: Any, y: Any) -> Tensor:
    """The same where the types are settled, and somebody watches."""
    try:
        out: Tensor = function.apply(x, y)
        return out
    except (ValueError, TypeError, OverflowError) as error:
        raise explained(function.__name__.lower(), x, y, error) from error


def promote(x: Any, y: Any) -> tuple[Any, Any]:
    """Both operands in the type of the result; Python numbers stay what they are."""
    x_data = x._data if isinstance(x, Tensor) else x
    y_data = y._data if isinstance(y, Tensor) else y
    dtype = result_type(x_data, y_data)
    if isinstance(x, Tensor) and x.dtype != dtype:
        x = Cast.apply(x, dtype=dtype)
    if isinstance(y, Tensor) and y.dtype != dtype:
        y = Cast.apply(y, dtype=dtype)
    return x, y


def explained(operation: str, x: Any, y: Any, error: Exception) -> Exception:
    x_shape: tuple[int, ...] = getattr(x, "shape", ())
    y_shape: tuple[int, ...] = getattr(y, "shape", ())
    try:
        np.broadcast_shapes(x_shape, y_shape)
    except ValueError:
        wrong = [
            (i, a, b)
            for i, (a, b) in enumerate(zip(reversed(x_shape), reversed(y_shape), strict=False), 1)
            if a != b and 1 not in (a, b)
        ]
        place, a, b = wrong[0]
        mend = "Lengths must be equal, or one of them 1, counted from the last dimension."
        if len(y_shape) == 1 and y_shape[0] in x_shape:
            after = len(x_shape) - 1 - x_shape.index(y_shape[0])
            mend = f"y.reshape({', '.join(['-1'] + ['1'] * after)}) would fit."
        return ShapeError(
            f"{operation}: the shapes do not broadcast.",
            [
                f"{label(x, 'x')}: shape {x_shape}   dimension -{place} has length {a}",
                f"{label(y, 'y')}: shape {y_shape}   dimension -{place} has length {b}",
            ],
            mend,
        )
    if isinstance(error, DemogradError):
        return error
    if isinstance(error, TypeError):
        return DtypeError(
            f"{operation}: it is not defined for these data types.",
            [
                f"{label(x, 'x')}: {getattr(x, 'dtype', type(x).__name__)}",
                f"{label(y, 'y')}: {getattr(y, 'dtype', type(y).__name__)}",
            ],
            f"NumPy says: {error}",
        )
    return ArgumentError(f"{operation}: {error}")


def settled(operation: str, out: Any, *operands: Any) -> Tensor:
    """The result of a named operation; where there is none, an operand is no operand."""
    if out is not NotImplemented:
        result: Tensor = out
        return result
    wrong = [type(x).__name__ for x in operands if as_operand(x) is None]
    raise ArgumentTypeError(
        f"{operation}: an operand is of type {', '.join(wrong)}.",
        mend="Operands are Tensors, arrays and numbers; dg.tensor(...) takes nested lists.",
    )


def label(x: Any, otherwise: str) -> str:
    return (x.name if isinstance(x, Tensor) else None) or otherwise


# At the end, because moving is an operation itself.
from demograd._libraries._moving import brought_together  # noqa: E402
