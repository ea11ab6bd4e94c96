"""Comparisons and logic: results are booleans (or bits) and carry no gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from demograd._backend import as_numpy, backend_of
from demograd._binary import NOT_IMPLEMENTED, as_operand, explained, promote
from demograd._dims import accepts_axis, as_dims
from demograd._tensor import Tensor
from demograd.autograd._mode import everywhere
from demograd.autograd._views import refresh
from demograd.autograd._watchers import cut
from demograd.errors import DtypeError

__all__ = [
    "bitwise_and", "bitwise_not", "bitwise_or", "bitwise_xor", "eq", "ge", "gt", "le",
    "logical_and", "logical_not", "logical_or", "logical_xor", "lt", "ne",
]  # fmt: skip


def _compare(name: str, operation: Callable[[Any, Any], Any], x: Any, y: Any) -> Tensor:
    x, y = as_operand(x), as_operand(y)
    if x is None or y is None:
        return NOT_IMPLEMENTED
    if not isinstance(x, Tensor) and not isinstance(y, Tensor):
        x = Tensor(x)
    if isinstance(x, Tensor) and isinstance(y, Tensor) and x.dtype != y.dtype:
        x, y = promote(x.detach(), y.detach())
    if isinstance(x, Tensor) and isinstance(y, Tensor) and type(x._data) is not type(y._data):
        x, y = brought_together(name, (x, y)) or (x, y)
    try:
        out = operation(
            _raw(x) if isinstance(x, Tensor) else x, _raw(y) if isinstance(y, Tensor) else y
        )
    except (ValueError, TypeError, OverflowError) as error:
        raise explained(name, x, y, error) from error
    result = Tensor(out)
    if everywhere.watched:
        for operand in (x, y):
            if isinstance(operand, Tensor):
                cut(operand, f"the comparison {name}", result)
    return result


def _raw(x: Tensor) -> Any:
    """The array, also of a view whose base was given another one."""
    if x._seen is not None:
        refresh(x)
    return x._data


def eq(x: Any, y: Any) -> Tensor:
    """Elementwise ``x == y``."""
    return _compare("eq", lambda a, b: a == b, x, y)


def ne(x: Any, y: Any) -> Tensor:
    """Elementwise ``x != y``."""
    return _compare("ne", lambda a, b: a != b, x, y)


def lt(x: Any, y: Any) -> Tensor:
    """Elementwise ``x < y``."""
    return _compare("lt", lambda a, b: a < b, x, y)


def le(x: Any, y: Any) -> Tensor:
    """Elementwise ``x <= y``."""
    return _compare("le", lambda a, b: a <= b, x, y)


def gt(x: Any, y: Any) -> Tensor:
    """Elementwise ``x > y``."""
    return _compare("gt", lambda a, b: a > b, x, y)


def ge(x: Any, y: Any) -> Tensor:
    """Elementwise ``x >= y``."""
    return _compare("ge", lambda a, b: a >= b, x, y)


def bitwise_and(x: Any, y: Any) -> Tensor:
    """Elementwise ``x & y`` of booleans or integers."""
    return _compare("and", lambda a, b: a & b, x, y)


def bitwise_or(x: Any, y: Any) -> Tensor:
    """Elementwise ``x | y`` of booleans or integers."""
    return _compare("or", lambda a, b: a | b, x, y)


def bitwise_xor(x: Any, y: Any) -> Tensor:
    """Elementwise ``x ^ y`` of booleans or integers."""
    return _compare("xor", lambda a, b: a ^ b, x, y)


def bitwise_not(x: Tensor) -> Tensor:
    """Elementwise ``~x`` of booleans or integers.

    Raises:
        DtypeError: for floats.
    """
    if x.dtype.kind not in "biu":
        raise DtypeError(
            "~: only booleans and integers have bits to turn.",
            [x._describe()],
            "x == 0 negates it.",
        )
    return Tensor(~_raw(x))


def logical_and(x: Any, y: Any) -> Tensor:
    """Elementwise: whether both are true (not zero)."""
    return bitwise_and(_truth(x), _truth(y))


def logical_or(x: Any, y: Any) -> Tensor:
    """Elementwise: whether one or both are true (not zero)."""
    return bitwise_or(_truth(x), _truth(y))


def logical_xor(x: Any, y: Any) -> Tensor:
    """Elementwise: whether exactly one is true (not zero)."""
    return bitwise_xor(_truth(x), _truth(y))


def logical_not(x: Any) -> Tensor:
    """Elementwise: whether it is false (zero)."""
    return bitwise_not(_truth(x))


def _truth(x: Any) -> Tensor:
    return (x if isinstance(x, Tensor) else Tensor(x)).detach().bool()


@accepts_axis
def any(x: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Whether any element is true (not zero), over one dimension or all."""
    dims = None if dim is None else as_dims("any", dim, x.ndim) if x.ndim else ()
    return Tensor(backend_of(x._data).any(_raw(x), axis=dims, keepdims=keepdim))


@accepts_axis
def all(x: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Whether all elements are true (not zero), over one dimension or all."""
    dims = None if dim is None else as_dims("all", dim, x.ndim) if x.ndim else ()
    return Tensor(backend_of(x._data).all(_raw(x), axis=dims, keepdims=keepdim))


def isfinite(x: Tensor) -> Tensor:
    """Whether each element is neither infinite nor NaN."""
    return Tensor(backend_of(x._data).isfinite(_raw(x)))


def isnan(x: Tensor) -> Tensor:
    """Whether each element is NaN."""
    return Tensor(backend_of(x._data).isnan(_raw(x)))


def isinf(x: Tensor) -> Tensor:
    """Whether each element is infinite."""
    return Tensor(backend_of(x._data).isinf(_raw(x)))


def allclose(
    x: Tensor, y: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> bool:
    """Whether all elements agree within ``atol + rtol * |y|``."""
    y_data = as_numpy(_raw(y)) if isinstance(y, Tensor) else y
    return bool(np.allclose(as_numpy(_raw(x)), y_data, rtol, atol, equal_nan))


# At the end, because moving is an operation itself.
from demograd._libraries._moving import brought_together  # noqa: E402
