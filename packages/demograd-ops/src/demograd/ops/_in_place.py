"""The functions of one tensor as changes in place: ``x.exp_()``, ``x.clamp_(0, 1)``.

Each is the ordinary function, whose result is written into the tensor's memory; the core's
``change`` keeps gradients right, or refuses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from demograd import Tensor
from demograd.operators import change
from demograd.ops import (
    _clamping,
    _exponential,
    _hyperbolic,
    _inverse_hyperbolic,
    _logarithmic,
    _powers,
    _rounding,
    _sigmoid,
    _sign,
    _trigonometric,
)

__all__ = ["IN_PLACE"]


def _in_place(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    name = f"{function.__name__}_"

    def method(x: Tensor, *args: Any, **settings: Any) -> Tensor:
        # Tensors among the arguments are operands, whose gradients may be wanted.
        named = list(settings)
        return change(
            x,
            name,
            lambda old, *given: function(
                old,
                *given[: len(args)],
                **dict(zip(named, given[len(args) :], strict=True)),
            ),
            *args,
            *settings.values(),
        )

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f":func:`demograd.{function.__name__}`, in place; returns the tensor itself."
    return method


IN_PLACE: dict[str, Callable[..., Tensor]] = {
    f"{function.__name__}_": _in_place(function)
    for function in (
        _clamping.clamp,
        _clamping.relu,
        _exponential.exp,
        _exponential.expm1,
        _exponential.log1p,
        _hyperbolic.cosh,
        _hyperbolic.sinh,
        _hyperbolic.tanh,
        _inverse_hyperbolic.acosh,
        _inverse_hyperbolic.asinh,
        _inverse_hyperbolic.atanh,
        _logarithmic.exp2,
        _logarithmic.log2,
        _logarithmic.log10,
        _powers.reciprocal,
        _powers.rsqrt,
        _powers.sqrt,
        _powers.square,
        _rounding.ceil,
        _rounding.floor,
        _rounding.round,
        _rounding.trunc,
        _sigmoid.erf,
        _sigmoid.sigmoid,
        _sign.abs,
        _sign.sign,
        _trigonometric.acos,
        _trigonometric.asin,
        _trigonometric.atan,
        _trigonometric.cos,
        _trigonometric.sin,
        _trigonometric.tan,
    )
}
