"""NumPy's order statistics and covariances."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from demograd import Tensor, ops
from demograd.errors import ArgumentError, ArgumentTypeError
from demograd.operators import isnan, where
from demograd.ops._numpy._arguments import Axis, axes_of, plain, promoted, tensor
from demograd.ops._numpy._reductions import floats, kept

__all__ = ["STATISTICS"]


def median(
    a: Any, axis: Axis = None, *, overwrite_input: bool = False, keepdims: Any = False
) -> Any:
    return quantile(a, 0.5, axis, keepdims=keepdims)


def percentile(
    a: Any, q: Any, axis: Axis = None, *, overwrite_input: bool = False, method: str = "linear",
    keepdims: Any = False,
) -> Any:  # fmt: skip
    return quantile(a, np.asarray(plain(q)) / 100, axis, method=method, keepdims=keepdims)


def quantile(
    a: Any, q: Any, axis: Axis = None, *, overwrite_input: bool = False, method: str = "linear",
    keepdims: Any = False,
) -> Any:  # fmt: skip
    """Between two neighbours of the sorted elements, in proportion."""
    if method != "linear":
        raise ArgumentError(
            f"np.quantile: the method {method!r} has no rule here.", mend='There is "linear".'
        )
    x = floats("quantile", a, None)
    wanted = np.asarray(plain(q), dtype=np.float64)
    if np.any((wanted < 0) | (wanted > 1)):
        raise ArgumentError("np.quantile: quantiles are from 0 to 1.")
    dims = axes_of("quantile", axis, x)
    rest = tuple([d for d in range(x.ndim) if d not in dims])
    rows = x.permute((*dims, *rest)).reshape(-1, *[x.shape[d] for d in rest])
    count = rows.shape[0]
    ordered = ops.sort(rows, 0).values
    place = wanted.reshape(-1) * (count - 1)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, count - 1)
    share = Tensor((place - below).reshape(-1, *[1] * len(rest)).astype(x.dtype))
    low, high = ordered[below], ordered[above]
    out = low + (high - low) * share
    # NaN is the largest in the order, and makes everything NaN.
    out = where(isnan(ordered[count - 1 : count]), ordered[count - 1 : count], out)
    whole = [1 if d in dims else n for d, n in enumerate(x.shape)]
    shape = whole if kept(keepdims) else [x.shape[d] for d in rest]
    return out.reshape((*wanted.shape, *shape))


def cov(
    m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: int | None = None,
    fweights: Any = None, aweights: Any = None, *, dtype: Any = None,
) -> Any:  # fmt: skip
    if fweights is not None or aweights is not None:
        raise ArgumentTypeError(
            "np.cov: weights have no rule here.", mend="np.average takes weights."
        )
    rows = _variables(m, rowvar)
    if y is not None:
        rows = ops.cat(promoted([rows, _variables(y, rowvar)]), 0)
    rows = floats("cov", rows, dtype)
    free = ddof if ddof is not None else 0 if bias else 1
    off = rows - rows.mean(1, keepdim=True)
    return ops.squeeze(off @ off.mT / (rows.shape[1] - free))


def _variables(m: Any, rowvar: bool) -> Tensor:
    x = tensor(m)
    if x.ndim < 2:
        return x.reshape(1, -1)
    return x if rowvar or x.shape[0] == 1 else x.mT


def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    both = cov(x, y, rowvar, dtype=dtype)
    if both.ndim == 0:
        return both / both
    spread = ops.sqrt(ops.diagonal(both))
    return ops.clamp(both / spread.reshape(-1, 1) / spread, -1.0, 1.0)


STATISTICS: dict[str, Callable[..., Any]] = {
    "corrcoef": corrcoef,
    "cov": cov,
    "median": median,
    "percentile": percentile,
    "quantile": quantile,
}
