"""The larger, the smaller, and values kept within bounds."""

from __future__ import annotations

from typing import Any

import numpy as np

from demograd import Tensor
from demograd.autograd import Function
from demograd.errors import ArgumentError, ArgumentTypeError, ShapeError
from demograd.operators import as_operand, binary, promote
from demograd.ops._masking import keep
from demograd.ops._operands import integral, numeric

__all__ = ["Clamp", "Maximum", "Minimum", "ReLU", "clamp", "maximum", "minimum", "relu"]


class Maximum(Function):
    """The larger of ``x`` and ``y``; the gradient goes to it, half to each of two equal ones."""

    def forward(self, x: Any, y: Any) -> Any:
        self.save_for_backward(x, y)
        return self.xp.maximum(x, y)

    def backward(self, grad: Any) -> Any:
        x, y = self.saved_tensors
        return _divided(self, grad, x == y, x < y, x > y)


class Minimum(Function):
    """The smaller of ``x`` and ``y``; the gradient goes to it, half to each of two equal ones."""

    def forward(self, x: Any, y: Any) -> Any:
        self.save_for_backward(x, y)
        return self.xp.minimum(x, y)

    def backward(self, grad: Any) -> Any:
        x, y = self.saved_tensors
        return _divided(self, grad, x == y, x > y, x < y)


def _divided(node: Function, grad: Any, equal: Any, x_loses: Any, y_loses: Any) -> Any:
    # Written with the losers and not the winners, because NaN is neither and passes gradients on.
    xp = node.xp
    x_needed, y_needed = node.needs_input_grad
    grad = xp.where(equal, grad / 2, grad)
    return (
        keep(xp, ~x_loses, grad) if x_needed else None,
        keep(xp, ~y_loses, grad) if y_needed else None,
    )


class Clamp(Function):
    """``min(max(x, low), high)``; either bound may be None.

    The gradient goes to x within the bounds and at them, outside to the bound that was taken.
    """

    def forward(self, x: Any, low: Any, high: Any) -> Any:
        self.save_for_backward(x, low, high)
        # Not the standard's clip, which leaves open what crossed bounds give.
        out = x if low is None else self.xp.maximum(x, low)
        return out if high is None else self.xp.minimum(out, high)

    def backward(self, grad: Any) -> Any:
        x, low, high = self.saved_tensors
        xp = self.xp
        x_needed, low_needed, high_needed = self.needs_input_grad
        x_grad = low_grad = high_grad = None
        if x_needed:
            if high is None:
                inside = x >= low
            else:
                inside = x <= high if low is None else (x >= low) & (x <= high)
            x_grad = keep(xp, inside, grad)
        if low_needed:
            taken = x < low
            low_grad = keep(xp, taken if high is None else taken & (low < high), grad)
        if high_needed:
            taken = x > high
            high_grad = keep(xp, taken if low is None else taken | (high < low), grad)
        return x_grad, low_grad, high_grad


class ReLU(Function):
    """The rectifier, ``max(x, 0)``; a layer as ``ReLU.apply``.

    The gradient passes where x is positive, and not at zero.

    >>> ReLU.apply(Tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def forward(self, x: Any) -> Any:
        out = self.xp.maximum(x, 0)
        # The result serves as well as x and is mostly saved by what comes next anyway.
        self.save_for_backward(out)
        return out

    def backward(self, grad: Any) -> Any:
        (out,) = self.saved_tensors
        # It is never below zero, and a NaN, which is not zero, lets the gradient through.
        return keep(self.xp, out != 0, grad)


def maximum(x: Tensor | float, y: Tensor | float) -> Tensor:
    """The larger of two, element by element; NaN where either is.

    Where they are equal, each is given half of the gradient.

    Args:
        x, y: Tensors of shapes that broadcast, or one of them a number.

    Raises:
        ShapeError: the shapes do not broadcast.
        ArgumentTypeError: an operand is neither a Tensor nor a number.

    >>> maximum(Tensor([1.0, 5.0]), Tensor([3.0, 2.0]))
    tensor([3., 5.])
    """
    return _binary("maximum", Maximum, x, y)


def minimum(x: Tensor | float, y: Tensor | float) -> Tensor:
    """The smaller of two, element by element; NaN where either is.

    Where they are equal, each is given half of the gradient.

    Args:
        x, y: Tensors of shapes that broadcast, or one of them a number.

    Raises:
        ShapeError: the shapes do not broadcast.
        ArgumentTypeError: an operand is neither a Tensor nor a number.

    >>> minimum(Tensor([1.0, 5.0]), Tensor([3.0, 2.0]))
    tensor([1., 2.])
    """
    return _binary("minimum", Minimum, x, y)


def _binary(operation: str, function: type[Function], x: Any, y: Any) -> Tensor:
    out = binary(function, x, y)
    if out is NotImplemented:
        raise _no_operand(operation, x if as_operand(x) is None else y)
    result: Tensor = out
    return result


def _no_operand(operation: str, x: Any) -> ArgumentTypeError:
    return ArgumentTypeError(
        f"{operation}: expected Tensors or numbers, not {type(x).__name__}.",
        mend="dg.tensor(x) makes a Tensor.",
    )


def clamp(
    x: Tensor, min: Tensor | float | None = None, max: Tensor | float | None = None
) -> Tensor:
    """Each element, but no smaller than ``min`` and no larger than ``max``.

    Where ``min`` is above ``max``, the result is ``max``. The gradient passes within the bounds
    and at them.

    Args:
        x: any shape; integers become floats if a bound is one.
        min, max: numbers, or Tensors that broadcast with ``x``; one of them may be None.

    Raises:
        ArgumentError: both bounds are None.
        ArgumentTypeError: ``x`` is no Tensor, or a bound neither a Tensor nor a number.
        ShapeError: the shapes do not broadcast.

    >>> clamp(Tensor([-1.0, 0.5, 2.0]), 0, 1)
    tensor([0.0000, 0.5000, 1.0000])
    """
    x = numeric("clamp", x)
    low, high = _bound(min), _bound(max)
    if low is None and high is None:
        raise ArgumentError("clamp: both bounds are None.", mend="x.clamp(min=0) needs one only.")
    between_tensors = isinstance(low, Tensor) or isinstance(high, Tensor)
    if between_tensors:
        _refuse_misfit({"x": x, "min": low, "max": high})
    if between_tensors or integral(x):  # else numbers take the type of the floats they meet
        if low is not None:
            x, low = promote(x, low)
        if high is not None:
            x, high = promote(x, high)
        if low is not None:
            x, low = promote(x, low)
    out: Tensor = Clamp.apply(x, low, high)
    return out


def _refuse_misfit(tensors: dict[str, Any]) -> None:
    shapes = {name: x.shape for name, x in tensors.items() if isinstance(x, Tensor)}
    try:
        np.broadcast_shapes(*shapes.values())
    except ValueError as error:
        raise ShapeError(
            "clamp: the shapes do not broadcast.",
            [f"{name}: shape {shape}" for name, shape in shapes.items()],
        ) from error


def _bound(bound: Any) -> Any:
    if bound is None:
        return None
    operand = as_operand(bound)
    if operand is None:
        raise _no_operand("clamp", bound)
    return operand


def relu(x: Tensor) -> Tensor:
    """``max(x, 0)`` of each element; the gradient passes where x is positive.

    Raises:
        ArgumentTypeError: ``x`` is no Tensor.
        DtypeError: ``x`` is of booleans.

    Reference: Nair and Hinton, "Rectified linear units improve restricted Boltzmann machines",
    ICML 2010.

    >>> relu(Tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    if not isinstance(x, Tensor) or x.dtype.kind == "b":  # type: ignore[redundant-expr]
        x = numeric("relu", x)
    out: Tensor = ReLU.apply(x)
    return out
