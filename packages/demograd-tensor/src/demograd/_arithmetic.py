"""Python's own operators on Tensors: ``+ - * / **``, unary minus, and what their rules need.

Each operator is a Function with its derivative rule, and a thin function that settles data types.
The rules never look at shapes: the engine sums a gradient back over what broadcasting repeated.
``log`` and ``where`` are here because the derivative of ``x ** y`` needs them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from demograd._backend import backend_of
from demograd._binary import NOT_IMPLEMENTED, as_operand, binary, promote, settled
from demograd._casting import cast_to
from demograd._dtype import get_default_dtype, result_type
from demograd._tensor import Tensor
from demograd.autograd._function import Function
from demograd.errors import ArgumentError, DtypeError

__all__ = [
    "Add",
    "Div",
    "FloorDivide",
    "Log",
    "Mul",
    "Neg",
    "Pow",
    "Remainder",
    "Sub",
    "Where",
    "add",
    "div",
    "divide",
    "floor_divide",
    "log",
    "mul",
    "neg",
    "pow",
    "remainder",
    "sub",
    "where",
]


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
    """``x / y``; the derivatives are ``1 / y`` and ``-(x / y) / y``."""

    _saves = (0, 1)

    def forward(self, x: Any, y: Any) -> Any:
        # The quotient is not saved: it may be changed in place later, as in PyTorch.
        self.save_for_backward(x if self.needs_input_grad[1] else None, y)
        return x / y

    def backward(self, grad: Any) -> Any:
        x, y = self.saved_tensors
        over_y = grad / y
        return over_y, -over_y * (x / y) if self.needs_input_grad[1] else None


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
                # 0 * x**(0-1) is not to become 0 * inf: take x**1 where the power would overflow.
                flat = (y == 0) & (x * x == 0)
                slope = y * x ** xp.where(flat, xp.ones_like(y), y - 1)
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


class FloorDivide(Function):
    """``x // y``; it is flat between its steps."""

    _saves = ()

    def forward(self, x: Any, y: Any) -> Any:
        return x // y

    def backward(self, grad: Any) -> Any:
        return None, None


class Remainder(Function):
    """``x % y``; the derivatives are ``1`` and ``-(x // y)``.

    Not computed as ``x - y * (x // y)``, which loses all digits of a large quotient.
    """

    _saves = (0, 1)

    def forward(self, x: Any, y: Any) -> Any:
        y_needed = self.needs_input_grad[1]
        self.save_for_backward(x if y_needed else None, y if y_needed else None)
        return x % y

    def backward(self, grad: Any) -> Any:
        x, y = self.saved_tensors
        return grad, -grad * (x // y) if self.needs_input_grad[1] else None


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


def add(x: Any, y: Any, *, alpha: Any = 1) -> Tensor:
    """Elementwise ``x + alpha * y``, broadcast.

    >>> add(Tensor([1.0, 2.0]), 1)
    tensor([2., 3.])
    """
    return settled("add", binary(Add, x, y if alpha == 1 else mul(y, alpha)), x, y)


def sub(x: Any, y: Any, *, alpha: Any = 1) -> Tensor:
    """Elementwise ``x - alpha * y``, broadcast."""
    return settled("sub", binary(Sub, x, y if alpha == 1 else mul(y, alpha)), x, y)


def mul(x: Any, y: Any) -> Tensor:
    """Elementwise ``x * y``, broadcast."""
    return settled("mul", binary(Mul, x, y), x, y)


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
        down = settled("div", floor_divide(x, y), x, y)
        if rounding_mode == "floor":
            return down
        # Rounded towards zero: one up where the quotient is negative and not whole.
        x, y = _detached(x), _detached(y)
        return cast_to(down + ((down < 0) & (down * y != x)), down.dtype)
    return settled("div", divide(x, y), x, y)


def divide(x: Any, y: Any) -> Tensor:
    """What ``x / y`` is, or ``NotImplemented``."""
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
    return settled("pow", binary(Pow, x, y), x, y)


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
    if as_operand(x) is None or as_operand(y) is None:
        return settled("where", NOT_IMPLEMENTED, x, y)
    x, y = promote(as_operand(x), as_operand(y))
    # Python numbers become arrays, of the other operand's library: the standard takes arrays.
    dtype = result_type(*(v._data if isinstance(v, Tensor) else v for v in (x, y)))
    xp = backend_of(x._data if isinstance(x, Tensor) else y._data)
    x, y = (
        v if isinstance(v, Tensor) else Tensor(xp.from_numpy(np.asarray(v, dtype))) for v in (x, y)
    )
    out: Tensor = Where.apply(condition, x, y)
    return out


def floor_divide(x: Any, y: Any) -> Tensor:
    """Elementwise quotient rounded down; it carries no gradient."""
    return binary(FloorDivide, _detached(x), _detached(y))


def remainder(x: Any, y: Any) -> Tensor:
    """Elementwise ``x - y * floor(x / y)``: the sign is that of ``y``."""
    return binary(Remainder, x, y)
