"""NumPy's ufuncs that neither the standard nor PyTorch has, or that mean something else there."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from demograd import Tensor, ops
from demograd.autograd import Function
from demograd.operators import (
    as_operand,
    binary,
    cast_to,
    floor_divide,
    isnan,
    matmul,
    mul,
    remainder,
    where,
)
from demograd.operators import pow as power
from demograd.operators import sum as total
from demograd.ops._operands import as_floating, float_operand

__all__ = ["UFUNCS"]


class Cbrt(Function):
    """The cube root; the derivative is a third of ``1 / out**2``."""

    def forward(self, x: Any) -> Any:
        out = self.xp.sign(x) * self.xp.abs(x) ** (1 / 3)
        self.save_for_backward(out)
        return out

    def backward(self, grad: Any) -> Any:
        (out,) = self.saved_tensors
        return grad / (3 * (out * out))


class Fmod(Function):
    """The remainder with the sign of ``x``; the derivatives are 1 and minus the whole quotient."""

    def forward(self, x: Any, y: Any) -> Any:
        out = self.xp.copysign(abs(x) % abs(y), x)
        self.save_for_backward(x, y, out)
        return out

    def backward(self, grad: Any) -> Any:
        x, y, out = self.saved_tensors
        x_needed, y_needed = self.needs_input_grad
        return grad if x_needed else None, -grad * ((x - out) / y) if y_needed else None


def _floating(name: str, x: Any) -> Tensor:
    return as_floating(name, x if isinstance(x, Tensor) else Tensor(x))


def cbrt(x: Any) -> Tensor:
    out: Tensor = Cbrt.apply(_floating("np.cbrt", x))
    return out


def fmod(x: Any, y: Any) -> Tensor:
    x, y = as_operand(x), as_operand(y)
    if any(
        isinstance(v, float) or getattr(getattr(v, "dtype", None), "kind", "") == "f"
        for v in (x, y)
    ):
        return binary(Fmod, *float_operand("np.fmod", x, y))
    return Tensor(np.fmod(*[v.data if isinstance(v, Tensor) else v for v in (x, y)]))


def positive(x: Any) -> Tensor:
    return x.clone()  # type: ignore[no-any-return]


def conjugate(x: Any) -> Any:
    """Of real numbers: themselves."""
    return Tensor(np.conjugate(x.data)) if x.dtype.kind == "c" else x.clone()


def fabs(x: Any) -> Tensor:
    return ops.abs(_floating("np.fabs", x))


def rint(x: Any) -> Tensor:
    return ops.round(x)


def degrees(x: Any) -> Tensor:
    return _floating("np.degrees", x) * (180 / math.pi)


def radians(x: Any) -> Tensor:
    return _floating("np.radians", x) * (math.pi / 180)


def float_power(x: Any, y: Any) -> Tensor:
    """In double precision, whatever the operands are."""
    return power(_double(x), _double(y))


def _double(x: Any) -> Any:
    operand = as_operand(x)
    return cast_to(operand, np.dtype("float64")) if isinstance(operand, Tensor) else float(operand)


def fmax(x: Any, y: Any) -> Tensor:
    """The larger; of a number and a NaN the number. Of equal ones ``x`` has the gradient."""
    return _chosen(x, y, lambda a, b: a >= b)


def fmin(x: Any, y: Any) -> Tensor:
    return _chosen(x, y, lambda a, b: a <= b)


def _chosen(x: Any, y: Any, better: Callable[[Any, Any], Tensor]) -> Tensor:
    x, y = (v if isinstance(v, Tensor) else Tensor(v) for v in (as_operand(x), as_operand(y)))
    return where(better(x, y) | isnan(y), x, y)


def heaviside(x: Any, y: Any) -> Tensor:
    """0 below zero, 1 above it, ``y`` at it; its slope in ``x`` is taken as zero."""
    x, y = float_operand("np.heaviside", x, y)
    x = (x if isinstance(x, Tensor) else Tensor(x)).detach()
    return where(x == 0, y, where(isnan(x), x, cast_to(x > 0, x.dtype)))


def logaddexp2(x: Any, y: Any) -> Tensor:
    x, y = float_operand("np.logaddexp2", x, y)
    scale = math.log(2)
    return ops.logaddexp(x * scale, y * scale) / scale


def ldexp(x: Any, exponent: Any) -> Tensor:
    x = _floating("np.ldexp", x)
    exponents = exponent.data if isinstance(exponent, Tensor) else exponent
    return mul(x, Tensor(np.ldexp(np.ones((), x.dtype), exponents)))


def frexp(x: Any) -> tuple[Tensor, Tensor]:
    """Mantissas of 0.5 up to 1, which carry the gradient, and exponents of two."""
    x = _floating("np.frexp", x)
    _, exponents = np.frexp(np.asarray(x.data))
    return ldexp(x, -exponents), Tensor(exponents)


def modf(x: Any) -> tuple[Tensor, Tensor]:
    """The fractional part, which carries the gradient, and the whole one."""
    x = _floating("np.modf", x)
    whole = ops.trunc(x)
    return x - whole.detach(), whole


def divmod_(x: Any, y: Any) -> tuple[Tensor, Tensor]:
    return floor_divide(x, y), remainder(x, y)


def vecdot(x: Any, y: Any) -> Tensor:
    """The scalar products of vectors that stand along the last dimension."""
    return total(mul(x, y), -1)


def matvec(x: Any, y: Any) -> Tensor:
    """Matrices by vectors, both in stacks that broadcast."""
    product = matmul(x, _column(y))
    return product.reshape(product.shape[:-1])


def vecmat(x: Any, y: Any) -> Tensor:
    """Vectors by matrices, both in stacks that broadcast."""
    product = matmul(_column(x).mT, y)
    return product.reshape((*product.shape[:-2], product.shape[-1]))


def _column(x: Any) -> Tensor:
    tensor = x if isinstance(x, Tensor) else Tensor(x)
    return tensor.reshape((*tensor.shape, 1))


UFUNCS: dict[str, Callable[..., Any]] = {
    "cbrt": cbrt,
    "conjugate": conjugate,
    "deg2rad": radians,
    "degrees": degrees,
    "divmod": divmod_,
    "fabs": fabs,
    "float_power": float_power,
    "fmax": fmax,
    "fmin": fmin,
    "fmod": fmod,
    "frexp": frexp,
    "heaviside": heaviside,
    "ldexp": ldexp,
    "logaddexp2": logaddexp2,
    "matvec": matvec,
    "modf": modf,
    "positive": positive,
    "rad2deg": degrees,
    "radians": radians,
    "rint": rint,
    "scipy.special.erf": ops.erf,
    "scipy.special.expit": ops.sigmoid,
    "vecdot": vecdot,
    "vecmat": vecmat,
}
