"""NumPy's sums, products, extremes and statistics, with ``initial``, ``where`` and ``ddof``."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from demograd import Tensor, ops
from demograd.errors import ArgumentError, ArgumentTypeError
from demograd.operators import cast_to, isnan, where
from demograd.ops._numpy._arguments import Axis, axes_of, axis_of, beside, tensor

__all__ = ["REDUCTIONS", "floats", "kept"]


def _reduction(ufunc: Any, at_once: Callable[..., Any]) -> Callable[..., Any]:
    def reduced(
        a: Any,
        axis: Axis = None,
        dtype: Any = None,
        *,
        keepdims: Any = False,
        initial: Any = None,
        where: Any = True,
    ) -> Any:
        x = tensor(a)
        if where is True and initial is None and axis != ():
            return at_once(x, axis, kept(keepdims), dtype=dtype)
        # The methods of ufuncs on Tensors are the core's.
        return ufunc.reduce(
            x, axis=axis, dtype=dtype, keepdims=kept(keepdims), initial=_given(initial),
            where=_chosen(where),
        )  # fmt: skip

    return reduced


def _extreme(ufunc: Any, at_once: Callable[..., Any]) -> Callable[..., Any]:
    def extreme(
        a: Any,
        axis: Axis = None,
        *,
        keepdims: Any = False,
        initial: Any = None,
        where: Any = True,
    ) -> Any:
        x = tensor(a)
        if where is True and initial is None and axis != ():
            return at_once(x, axis, kept(keepdims))
        return ufunc.reduce(
            x, axis=axis, keepdims=kept(keepdims), initial=_given(initial), where=_chosen(where)
        )

    return extreme


def kept(keepdims: Any) -> bool:
    return False if keepdims is np._NoValue else bool(keepdims)


def _given(value: Any) -> Any:
    return None if value is np._NoValue else value


def _chosen(where: Any) -> Any:
    return True if where is np._NoValue else where


def mean(
    a: Any, axis: Axis = None, dtype: Any = None, *, keepdims: Any = False, where: Any = True
) -> Any:
    x = floats("mean", a, dtype)
    return _summed(x, axis, keepdims, where) / _count(x, axis, keepdims, where)


def floats(name: str, a: Any, dtype: Any) -> Tensor:
    x = tensor(a)
    if dtype is not None:
        return cast_to(x, np.dtype(dtype))
    # As for the square root: integers become floats of the default type.
    return x if x.dtype.kind == "f" else x.float() if x.dtype.kind in "iub" else _refuse(name, x)


def _refuse(name: str, x: Tensor) -> Tensor:
    raise ArgumentTypeError(
        f"np.{name}: complex Tensors have no rule here.",
        [f"x: shape {x.shape}, dtype {x.dtype}"],
        f"np.{name}(x.numpy()) computes it.",
    )


def _summed(x: Tensor, axis: Axis, keepdims: Any, where: Any) -> Any:
    return sum_(x, axis, keepdims=keepdims, where=where)


def _count(x: Tensor, axis: Axis, keepdims: Any, where: Any) -> Any:
    chosen = _chosen(where)
    if chosen is True:
        return math.prod([x.shape[d] for d in axes_of("mean", axis, x)])
    mask = ops.broadcast_to(tensor(chosen).bool(), x.shape)
    return cast_to(sum_(mask, axis, keepdims=keepdims), x.dtype)


def var(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    *,
    ddof: float = 0,
    keepdims: Any = False,
    where: Any = True,
    mean: Any = None,
    correction: Any = None,
) -> Any:
    return _variance("var", a, axis, dtype, ddof, keepdims, where, mean, correction)


def std(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    *,
    ddof: float = 0,
    keepdims: Any = False,
    where: Any = True,
    mean: Any = None,
    correction: Any = None,
) -> Any:
    if _chosen(where) is True and _given(mean) is None:
        # One rule, whose slope at no spread at all is PyTorch's.
        x = floats("std", a, dtype)
        free = ddof if _given(correction) is None else correction
        return ops.std(x, axis, keepdim=kept(keepdims), correction=free)
    return ops.sqrt(_variance("std", a, axis, dtype, ddof, keepdims, where, mean, correction))


def _variance(
    name: str, a: Any, axis: Axis, dtype: Any, ddof: float, keepdims: Any, where: Any,
    mean: Any, correction: Any,
) -> Any:  # fmt: skip
    x = floats(name, a, dtype)
    free = ddof if _given(correction) is None else correction
    centre = _given(mean)
    if centre is None and _chosen(where) is True:
        return ops.var(x, axis, keepdim=kept(keepdims), correction=free)
    if centre is None:
        centre = _summed(x, axis, True, where) / _count(x, axis, True, where)
    off = x - centre
    return _summed(off * off, axis, keepdims, where) / (_count(x, axis, keepdims, where) - free)


def average(
    a: Any, axis: Axis = None, weights: Any = None, returned: bool = False, *, keepdims: Any = False
) -> Any:
    if weights is not None:
        a, by = beside(a, weights)
    x = floats("average", a, None)
    if weights is None:
        result = mean(x, axis, keepdims=keepdims)
        count = Tensor(np.asarray(_count(x, axis, False, True), dtype=x.dtype))
        return (result, ops.broadcast_to(count, result.shape)) if returned else result
    if by.shape != x.shape:
        dims = axes_of("average", axis, x)
        shape = [1] * x.ndim
        for place, length in zip(dims, by.shape, strict=True):
            shape[place] = length
        if by.ndim > 1:
            by = by.permute(tuple(sorted(range(by.ndim), key=lambda i: dims[i])))
        by = by.reshape(shape)
    scale = _summed(ops.broadcast_to(by, x.shape), axis, keepdims, True)
    result = _summed(x * by, axis, keepdims, True) / scale
    return (result, scale) if returned else result


def ptp(a: Any, axis: Axis = None, *, keepdims: Any = False) -> Any:
    x = tensor(a)
    keep = kept(keepdims)
    return ops.amax(x, axis, keep) - ops.amin(x, axis, keep)


def cumsum(a: Any, axis: int | None = None, dtype: Any = None) -> Any:
    return _running(ops.cumsum, a, axis, dtype)


def cumprod(a: Any, axis: int | None = None, dtype: Any = None) -> Any:
    return _running(ops.cumprod, a, axis, dtype)


def _running(function: Callable[..., Tensor], a: Any, axis: int | None, dtype: Any) -> Tensor:
    x = tensor(a)
    return (
        function(x.reshape(-1), 0, dtype=dtype) if axis is None else function(x, axis, dtype=dtype)
    )


def cumulative_sum(
    x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Any:
    return _from_start("cumulative_sum", np.add, cumsum, x, axis, dtype, include_initial)


def cumulative_prod(
    x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Any:
    return _from_start("cumulative_prod", np.multiply, cumprod, x, axis, dtype, include_initial)


def _from_start(
    name: str, ufunc: Any, function: Callable[..., Any], x: Any, axis: int | None, dtype: Any,
    include_initial: bool,
) -> Any:  # fmt: skip
    x = tensor(x)
    if axis is None and x.ndim != 1:
        raise ArgumentError(f"np.{name}: of several dimensions one must be named.")
    dim = axis_of(name, 0 if axis is None else axis, x)
    out = function(x, dim, dtype)
    if not include_initial:
        return out
    first = Tensor(np.full((*x.shape[:dim], 1, *x.shape[dim + 1 :]), ufunc.identity, out.dtype))
    return ops.cat([first, out], dim)


# What counts NaN as not there.


def _without_nan(function: Callable[..., Any], fill: float) -> Callable[..., Any]:
    def filled(a: Any, *args: Any, **kwargs: Any) -> Any:
        x = tensor(a)
        return function(where(isnan(x), Tensor(np.asarray(fill, x.dtype)), x), *args, **kwargs)

    return filled


def _where_numbers(function: Callable[..., Any]) -> Callable[..., Any]:
    def counted(a: Any, *args: Any, where: Any = True, **kwargs: Any) -> Any:
        x = tensor(a)
        missing = isnan(x.detach())
        numbers = ~missing
        if _chosen(where) is not True:
            numbers = numbers & tensor(where).bool()
        # NaN is put away first: its product with a slope of zero would be NaN.
        clean = ops.masked_fill(x, missing, 0.0)
        return function(clean, *args, where=numbers, **kwargs)

    return counted


def _nan_extreme(extreme: Callable[..., Any], worst: float) -> Callable[..., Any]:
    fill = _without_nan(extreme, worst)

    def found(a: Any, axis: Axis = None, **kwargs: Any) -> Any:
        x = tensor(a)
        missing = np.isnan(np.asarray(x.data))
        if missing.all(axis=axis).any():
            raise ArgumentError("np.nanmax: a slice has nothing but NaN.")
        return fill(x, axis, **kwargs)

    return found


sum_, prod = _reduction(np.add, ops.sum), _reduction(np.multiply, ops.prod)
largest, smallest = _extreme(np.maximum, ops.amax), _extreme(np.minimum, ops.amin)

REDUCTIONS: dict[str, Callable[..., Any]] = {
    "amax": largest,
    "amin": smallest,
    "average": average,
    "cumprod": cumprod,
    "cumsum": cumsum,
    "cumulative_prod": cumulative_prod,
    "cumulative_sum": cumulative_sum,
    "max": largest,
    "mean": mean,
    "min": smallest,
    "nancumprod": _without_nan(cumprod, 1.0),
    "nancumsum": _without_nan(cumsum, 0.0),
    "nanmax": _nan_extreme(largest, -math.inf),
    "nanmean": _where_numbers(mean),
    "nanmin": _nan_extreme(smallest, math.inf),
    "nanprod": _without_nan(prod, 1.0),
    "nanstd": _where_numbers(std),
    "nansum": _without_nan(sum_, 0.0),
    "nanvar": _where_numbers(var),
    "prod": prod,
    "ptp": ptp,
    "std": std,
    "sum": sum_,
    "var": var,
}
