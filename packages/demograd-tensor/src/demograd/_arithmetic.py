"""Python's own operators on Tensors: ``+ - * / ** @``, unary minus, and what their rules need.

Each operator is a Function with its derivative rule, and a thin function that settles data types
and words the errors. The rules never look at shapes: the engine sums a gradient back over what
broadcasting repeated.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from demograd._backend import FLOAT_SCALARS
from demograd._dtype import get_default_dtype, result_type
from demograd._tensor import Tensor
from demograd.autograd._clock import tick
from demograd.autograd._function import Function, check_views, new
from demograd.autograd._mode import everywhere, grad_mode
from demograd.errors import ArgumentError, DtypeError, ShapeError

__all__ = [
    "Add", "Cast", "Clone", "Div", "Log", "MatMul", "Mul", "Neg", "Pow", "Sub", "Where",
    "add", "cast_to", "clone", "div", "floor_divide", "log", "matmul", "mul", "neg", "pow",
    "remainder", "sub", "where",
]  # fmt: skip

ndarray = np.ndarray
# What Python takes as "ask the other operand"; the type checker knows it in operators only.
NOT_IMPLEMENTED = cast(Tensor, NotImplemented)


class Add(Function):
    """``x + y``."""

    _saves = ()

    def forward(self, x: Any, y: Any) -> Any:
        return x + y

    def backward(self, grad: Any) -> Any:
        return grad, grad


class Sub(Function):
    """``x - y``."""

    _saves = ()

    def forward(self, x: Any, y: Any) -> Any:
        return x - y

    def backward(self, grad: Any) -> Any:
        return grad, -grad if self.needs_input_grad[1] else None


class Mul(Function):
    """``x * y``: each factor's derivative is the other factor."""

    _saves = (0, 1)

    def forward(self, x: Any, y: Any) -> Any:
        x_needed, y_needed = self.needs_input_grad
        self.save_for_backward(x if y_needed else None, y if x_needed else None)
        return x * y

    def backward(self, grad: Any) -> Any:
        x, y = self.saved_tensors
        x_needed, y_needed = self.needs_input_grad
        return grad * y if x_needed else None, grad * x if y_needed else None


class Div(Function):
    """``x / y``; with ``q = x / y`` the derivatives are ``1 / y`` and ``-q / y``."""

    _saves = (1, -1)

    def forward(self, x: Any, y: Any) -> Any:
        out = x / y
        self.save_for_backward(y, out if self.needs_input_grad[1] else None)
        return out

    def backward(self, grad: Any) -> Any:
        y, out = self.saved_tensors
        over_y = grad / y
        return over_y, -over_y * out if self.needs_input_grad[1] else None


class Neg(Function):
    """``-x``."""

    def forward(self, x: Any) -> Any:
        return -x

    def backward(self, grad: Any) -> Any:
        return -grad


class Pow(Function):
    """``x ** y``; the derivatives are ``y x**(y-1)`` and ``x**y log(x)``.

    The limits at ``x = 0`` are taken as PyTorch takes them: a zero exponent has slope zero in x,
    and ``0 ** y`` has slope zero in y where ``y >= 0``.
    """

    _saves = (0, 1, -1)

    def forward(self, x: Any, y: Any) -> Any:
        out = x**y
        self.save_for_backward(x, y, out if self.needs_input_grad[1] else None)
        return out

    def backward(self, grad: Any) -> Any:
        x, y, out = self.saved_tensors
        xp = self.xp
        x_needed, y_needed = self.needs_input_grad
        x_grad = y_grad = None
        if x_needed:
            if isinstance(y, (int, float)):
                x_grad = grad * (y * x ** (y - 1)) if y != 0 else xp.zeros_like(grad)
            else:
                # Where the exponent is zero, x**(y-1) may be infinite: take x**0 there instead.
                zero = y == 0
                slope = y * x ** xp.where(zero, xp.ones_like(y), y - 1)
                x_grad = grad * slope
        if y_needed:
            if isinstance(x, (int, float)):
                if x == 0:
                    slope = xp.where(y >= 0, xp.zeros_like(out), -(out * float("inf")))
                else:
                    slope = out * (np.log(x) if x > 0 else float("nan"))
                    slope = xp.astype(slope, out.dtype)
            else:
                # log(0) is minus infinity: keep it away from the product 0 * inf.
                flat = (x == 0) & (y >= 0)
                slope = out * xp.log(xp.where(flat, xp.ones_like(x), x))
            y_grad = grad * slope
        return x_grad, y_grad


class Log(Function):
    """``log(x)``, the natural logarithm."""

    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return self.xp.log(x)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved_tensors
        return grad / x


class Where(Function):
    """``x`` where the condition holds, else ``y``."""

    def forward(self, condition: Any, x: Any, y: Any) -> Any:
        self.save_for_backward(condition)
        return self.xp.where(condition, x, y)

    def backward(self, grad: Any) -> Any:
        (condition,) = self.saved_tensors
        xp = self.xp
        zero = xp.zeros_like(grad)
        _, x_needed, y_needed = self.needs_input_grad
        return (
            None,
            xp.where(condition, grad, zero) if x_needed else None,
            xp.where(condition, zero, grad) if y_needed else None,
        )


class MatMul(Function):
    """``x @ y`` of matrices, or stacks of them: ``dx = g @ yᵀ`` and ``dy = xᵀ @ g``."""

    _saves = (0, 1)

    def forward(self, x: Any, y: Any) -> Any:
        x_needed, y_needed = self.needs_input_grad
        self.save_for_backward(x if y_needed else None, y if x_needed else None)
        return x @ y

    def backward(self, grad: Any) -> Any:
        x, y = self.saved_tensors
        x_needed, y_needed = self.needs_input_grad
        return grad @ y.mT if x_needed else None, x.mT @ grad if y_needed else None


class Cast(Function):
    """The same values in another data type; the engine casts the gradient back."""

    def forward(self, x: Any, *, dtype: Any) -> Any:
        return self.xp.astype(x, dtype)

    def backward(self, grad: Any) -> Any:
        return grad


class Clone(Function):
    """A copy of the values."""

    def forward(self, x: Any) -> Any:
        return self.xp.asarray(x, copy=True)

    def backward(self, grad: Any) -> Any:
        return grad


# A number of these types takes the type of the floats that it meets.
_NUMBERS = frozenset([float, int])


def as_operand(x: Any) -> Any:
    """A Tensor, or a Python number; None for what cannot be an operand."""
    if isinstance(x, (Tensor, bool, int, float, complex)) and not isinstance(x, np.generic):
        return x
    if isinstance(x, np.generic):
        return x.item()  # a NumPy scalar never widens, as in PyTorch
    if isinstance(x, np.ndarray) or hasattr(x, "__array_namespace__"):
        return Tensor(x)
    return None


def binary(function: type[Function], x: Any, y: Any) -> Tensor:
    """Apply an operator of two operands: settle their data types, and word what goes wrong."""
    if isinstance(x, Tensor) and isinstance(y, Tensor):
        x_data, y_data = x._data, y._data
        kind = type(x_data)
        if kind is not type(y_data) or not (
            kind in FLOAT_SCALARS or (kind is ndarray and x_data.dtype is y_data.dtype)
        ):
            return _promoted(function, x, y)
        if x._base is not None or y._base is not None:
            check_views(function, x, y)
        x_needed, y_needed = x._requires_grad, y._requires_grad
    elif type(y) in _NUMBERS and isinstance(x, Tensor) and _holds_floats(x._data):
        check_views(function, x)
        x_data, y_data, x_needed, y_needed = x._data, y, x._requires_grad, False
    elif type(x) in _NUMBERS and isinstance(y, Tensor) and _holds_floats(y._data):
        check_views(function, y)
        x_data, y_data, x_needed, y_needed = x, y._data, False, y._requires_grad
    else:
        return _promoted(function, x, y)
    # From here on what Function.apply does, in half the time: there are two operands of one type of
    # floats and one new array as the output. Nine of ten operations of a small network are of
    # this kind, and the general case costs more than everything else together.
    node = function()
    x_edge = y_edge = None
    recording = (x_needed or y_needed) and (everywhere.on or grad_mode.enabled)
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
    except ValueError as error:
        raise explained(function.__name__.lower(), x, y, error) from error
    tensor = new(Tensor)
    tensor._data = out
    if recording:
        node._kind = kind = type(out)
        if kind not in FLOAT_SCALARS:
            node._shape = out.shape
            node._dtype = out.dtype
        if function._saves is None:
            node._input_ids = (id(x_data), id(y_data))
            node._output_id = id(out)
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
    x, y = promote(x, y)
    try:
        out: Tensor = function.apply(x, y)
        return out
    except ValueError as error:
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


def explained(operation: str, x: Any, y: Any, error: ValueError) -> ValueError:
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
                f"{_name(x, 'x')}: shape {x_shape}   dimension -{place} has length {a}",
                f"{_name(y, 'y')}: shape {y_shape}   dimension -{place} has length {b}",
            ],
            mend,
        )
    if isinstance(error, (ShapeError, ArgumentError, DtypeError)):
        return error
    return ArgumentError(f"{operation}: {error}")


def _name(x: Any, otherwise: str) -> str:
    return (x.name if isinstance(x, Tensor) else None) or otherwise


def add(x: Any, y: Any, *, alpha: Any = 1) -> Tensor:
    """Elementwise ``x + alpha * y``, broadcast.

    >>> add(Tensor([1.0, 2.0]), 1)
    tensor([2., 3.])
    """
    return binary(Add, x, y if alpha == 1 else mul(y, alpha))


def sub(x: Any, y: Any, *, alpha: Any = 1) -> Tensor:
    """Elementwise ``x - alpha * y``, broadcast."""
    return binary(Sub, x, y if alpha == 1 else mul(y, alpha))


def mul(x: Any, y: Any) -> Tensor:
    """Elementwise ``x * y``, broadcast."""
    return binary(Mul, x, y)


def div(x: Any, y: Any, *, rounding_mode: str | None = None) -> Tensor:
    """Elementwise ``x / y``, broadcast; integers are divided as floats of the default type.

    Args:
        rounding_mode: ``"floor"`` or ``"trunc"`` to round the quotient (no gradient then).

    >>> div(Tensor([3, 4]), 2)
    tensor([1.5000, 2.0000])
    """
    if rounding_mode is not None:
        if rounding_mode not in ("floor", "trunc"):
            raise ArgumentError(
                f"div: rounding_mode is {rounding_mode!r}.", mend='Use None, "floor" or "trunc".'
            )
        round_ = np.floor if rounding_mode == "floor" else np.trunc
        quotient = div(_detached(x), _detached(y))
        return Tensor(np.asarray(round_(quotient.data)))
    if isinstance(x, Tensor) and x.dtype.kind == "f":
        return binary(Div, x, y)
    x, y = as_operand(x), as_operand(y)
    if x is None or y is None:
        return NOT_IMPLEMENTED
    if not (_is_float(x) or _is_float(y)):
        # NumPy would make float64 of integers; PyTorch makes the default type.
        x = cast_to(x if isinstance(x, Tensor) else Tensor(x), get_default_dtype())
    return binary(Div, x, y)


def _is_float(x: Any) -> bool:
    return x.dtype.kind in "fc" if isinstance(x, Tensor) else isinstance(x, (float, complex))


def _detached(x: Any) -> Any:
    return x.detach() if isinstance(x, Tensor) else x


def neg(x: Tensor) -> Tensor:
    """Elementwise ``-x``.

    Raises:
        DtypeError: for booleans, as in NumPy and PyTorch.
    """
    if x.dtype.kind == "b":
        raise DtypeError("neg: booleans have no minus.", mend="~x negates them.")
    out: Tensor = Neg.apply(x)
    return out


def pow(x: Any, y: Any) -> Tensor:
    """Elementwise ``x ** y``, broadcast.

    >>> pow(Tensor([1.0, 2.0, 3.0]), 2)
    tensor([1., 4., 9.])
    """
    return binary(Pow, x, y)


def log(x: Tensor) -> Tensor:
    """Elementwise natural logarithm; minus infinity at 0, NaN below."""
    x = x if x.dtype.kind in "fc" else cast_to(x, get_default_dtype())
    with np.errstate(divide="ignore", invalid="ignore"):
        out: Tensor = Log.apply(x)
        return out


def where(condition: Any, x: Any, y: Any) -> Tensor:
    """``x`` where ``condition`` holds, ``y`` elsewhere, broadcast."""
    condition = condition if isinstance(condition, Tensor) else Tensor(condition)
    if not isinstance(x, Tensor) and not isinstance(y, Tensor):
        x = Tensor(x)
    x, y = promote(as_operand(x), as_operand(y))
    # Python numbers become arrays: the standard's where takes arrays.
    dtype = result_type(*(v._data if isinstance(v, Tensor) else v for v in (x, y)))
    x, y = (v if isinstance(v, Tensor) else Tensor(v, dtype=dtype) for v in (x, y))
    out: Tensor = Where.apply(condition, x, y)
    return out


def floor_divide(x: Any, y: Any) -> Tensor:
    """Elementwise quotient rounded down; it carries no gradient."""
    x, y = promote(as_operand(_detached(x)), as_operand(_detached(y)))
    values = [v._data if isinstance(v, Tensor) else v for v in (x, y)]
    return Tensor(values[0] // values[1])


def remainder(x: Any, y: Any) -> Tensor:
    """Elementwise ``x - y * floor(x / y)``: the sign is that of ``y``."""
    return sub(x, mul(floor_divide(x, y), y))


def cast_to(x: Tensor, dtype: Any) -> Tensor:
    """The same values in another data type; the tensor itself if it has it already."""
    return x if x.dtype == dtype else cast(Tensor, Cast.apply(x, dtype=dtype))


def clone(x: Tensor) -> Tensor:
    """A copy that stays in the graph."""
    out: Tensor = Clone.apply(x)
    return out


def matmul(x: Any, y: Any) -> Tensor:
    """Matrix product; vectors and stacks of matrices as in NumPy.

    Shapes: ``(..., n, k) @ (..., k, m)`` gives ``(..., n, m)``; a vector ``(k,)`` is a row on the
    left and a column on the right, and that dimension is dropped from the result.

    Raises:
        ShapeError: the inner dimensions differ, or an operand has no dimension.

    >>> matmul(Tensor([[1.0, 2.0]]), Tensor([3.0, 4.0]))
    tensor([11.])
    """
    x, y = as_operand(x), as_operand(y)
    if not isinstance(x, Tensor) or not isinstance(y, Tensor):
        return NOT_IMPLEMENTED
    if x._data.dtype is not y._data.dtype:
        x, y = promote(x, y)
    x_shape, y_shape = x.shape, y.shape
    if not x_shape or not y_shape or x_shape[-1] != y_shape[-2 if len(y_shape) > 1 else 0]:
        raise _misfit(x, y)
    if len(x_shape) == 1:
        out = matmul(x.reshape(1, -1), y)
        return out.reshape(out.shape[:-2] + out.shape[-1:] if len(y_shape) > 1 else out.shape[:-1])
    if len(y_shape) == 1:
        return matmul(x, y.reshape(-1, 1)).reshape(x_shape[:-1])
    if len(x_shape) > 2 and len(y_shape) == 2:
        # One product of a tall matrix: faster, and its gradient needs no sum over the stack.
        flat: Tensor = MatMul.apply(x.reshape(-1, x_shape[-1]), y)
        return flat.reshape(*x_shape[:-1], y_shape[-1])
    try:
        product: Tensor = MatMul.apply(x, y)
    except ValueError as error:
        raise ShapeError(
            "matmul: the stacks of matrices do not broadcast.",
            [f"{_name(x, 'x')}: shape {x_shape}", f"{_name(y, 'y')}: shape {y_shape}"],
        ) from error
    return product


def _misfit(x: Tensor, y: Tensor) -> ShapeError:
    x_name, y_name = _name(x, "x"), _name(y, "y")
    if not x.shape or not y.shape:
        return ShapeError(
            "matmul: an operand has no dimension.",
            [f"{x_name}: shape {x.shape}", f"{y_name}: shape {y.shape}"],
            "x * y multiplies by a number.",
        )
    which = "second-to-last" if y.ndim > 1 else "only"
    inner = y.shape[-2 if y.ndim > 1 else 0]
    mend = "The last dimension of the left one must be the second-to-last of the right one."
    if y.ndim > 1 and x.shape[-1] == y.shape[-1]:
        fit = f"{x.shape} @ {(*y.shape[:-2], y.shape[-1], y.shape[-2])}"
        mend = f"{x_name} @ {y_name}.mT would fit: {fit}."
    elif x.ndim > 1 and x.shape[-2] == inner:
        fit = f"{(*x.shape[:-2], x.shape[-1], x.shape[-2])} @ {y.shape}"
        mend = f"{x_name}.mT @ {y_name} would fit: {fit}."
    return ShapeError(
        "matmul: the inner dimensions differ.",
        [
            f"{x_name}: shape {x.shape}   last dimension {x.shape[-1]}",
            f"{y_name}: shape {y.shape}   {which} dimension {inner}",
        ],
        mend,
    )
