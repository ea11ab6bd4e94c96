"""The keywords of NumPy's ufuncs: ``out``, ``where`` and ``dtype``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from demograd import _casting, _inplace, _shaping
from demograd._backend import NUMPY_TYPES
from demograd._dtype import get_default_dtype
from demograd._tensor import Tensor
from demograd.errors import ArgumentError, ArgumentTypeError, DtypeError, GradientError, ShapeError

__all__ = ["as_tensor", "call_with_keywords", "refuse_others", "single_out", "store"]

# Where a value says no more than the default does, or only how memory is laid out.
_HARMLESS: dict[str, Any] = {"casting": ("same_kind",), "order": "KACF", "subok": (True, False)}


def as_tensor(x: Any, beside: tuple[Any, ...] = ()) -> Tensor:
    """A Tensor as it is, an array as one; numbers in the type of the floats beside them."""
    if isinstance(x, Tensor):
        return x
    if isinstance(x, (np.ndarray, np.generic)):
        return Tensor(x)
    array = np.asarray(x)
    if array.dtype.kind == "f":
        dtypes = [v.dtype for v in beside if hasattr(v, "dtype") and v.dtype.kind in "fc"]
        array = array.astype(np.result_type(*dtypes) if dtypes else get_default_dtype())
    return Tensor(array)


def call_with_keywords(
    ufunc: Any, rule: Callable[..., Any], inputs: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """``np.<ufunc>(x, y, out=..., where=..., dtype=...)``."""
    name = f"np.{ufunc.__name__}"
    rest = dict(kwargs)
    out, where, dtype = rest.pop("out", None), rest.pop("where", True), rest.pop("dtype", None)
    refuse_others(name, rest)
    if dtype is not None:
        inputs = tuple([_casting.cast_to(as_tensor(x), np.dtype(dtype)) for x in inputs])
    if where is True:
        result = rule(*inputs)
        if dtype is not None and isinstance(result, Tensor) and result.dtype.kind == "f":
            result = _casting.cast_to(result, np.dtype(dtype))
        return result if out is None else store(name, out, result)
    if ufunc.signature is not None or ufunc.nout != 1:
        raise ArgumentTypeError(f"{name}: where cannot be used with this function.")
    if out is None or out[0] is None:
        raise ArgumentError(
            f"{name}: with where and no out, the other elements would be what memory holds.",
            mend=f"Give out=dg.zeros(...), or use np.where(condition, {name}(x), otherwise).",
        )
    return _where(name, rule, inputs, out[0], where)


def _where(name: str, rule: Callable[..., Any], inputs: Any, out: Any, where: Any) -> Any:
    """Compute at the chosen places alone: elsewhere zero times an infinite slope would be NaN."""
    mask = np.asarray(where.data if isinstance(where, Tensor) else where, dtype=bool)
    operands = [as_tensor(x, inputs) for x in inputs]
    shape = tuple(out.shape)
    shapes = [*[x.shape for x in operands], mask.shape]
    try:
        fits = np.broadcast_shapes(*shapes, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(
            f"{name}: the operands do not broadcast to the shape of out.",
            [*[f"operand: shape {s}" for s in shapes[:-1]], f"where: shape {mask.shape}",
             f"out: shape {shape}"],
        )  # fmt: skip
    mask = np.broadcast_to(mask, shape)
    chosen = [_shaping.index(_shaping.expand(x, shape), mask) for x in operands]
    values = rule(*chosen)
    target = as_tensor(out)
    _refuse_cast(name, values, target)
    filled = _inplace.SetIndex.apply(target, _casting.cast_to(values, target.dtype), index=mask)
    return store(name, out, filled)


def refuse_others(name: str, kwargs: dict[str, Any]) -> None:
    """Raise for keywords that mean something and are not honoured."""
    for key, value in kwargs.items():
        if key in _HARMLESS and value in _HARMLESS[key]:
            continue
        raise ArgumentTypeError(
            f"{name}: the argument {key} cannot be used with Tensors.",
            mend=f"Leave it out, or give {name} x.detach().numpy(), without the gradient.",
        )


def single_out(out: Any) -> Any:
    """The one array of ``out``, which NumPy hands over as a tuple of one."""
    return out[0] if isinstance(out, tuple) and len(out) == 1 else out


def store(name: str, out: Any, result: Any) -> Any:
    """Write a result into ``out`` and return it, as NumPy does."""
    if isinstance(result, tuple):
        given = out if isinstance(out, tuple) else (out,)
        return tuple(
            [r if o is None else store(name, o, r) for o, r in zip(given, result, strict=True)]
        )
    out = single_out(out)
    if out is None:
        return result
    if isinstance(out, Tensor):
        _refuse_cast(name, result, out)
        return _inplace.copy_(out, result)
    if not isinstance(out, np.ndarray):
        raise ArgumentTypeError(f"{name}: out is of type {type(out).__name__}, not an array.")
    if result.requires_grad:
        raise GradientError(
            f"{name}: the result requires a gradient, which the array out cannot carry.",
            [f"result: shape {result.shape}", f"out: NumPy array of shape {out.shape}"],
            "Make out a Tensor, dg.zeros(...); or a = a + x in place of a += x.",
        )
    _refuse_cast(name, result, out)
    out[...] = result.data
    return out


def _refuse_cast(name: str, result: Any, out: Any) -> None:
    if type(getattr(out, "data", None)) in NUMPY_TYPES or isinstance(out, np.ndarray):
        if not np.can_cast(result.dtype, out.dtype, "same_kind"):
            raise DtypeError(
                f"{name}: the result has a type that out cannot hold.",
                [f"result: dtype {result.dtype}", f"out: dtype {out.dtype}"],
                f"Make out of {result.dtype}.",
            )
