"""NumPy's functions of sampled functions, signals and polynomials, and what makes arrays."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from demograd import Tensor, ops
from demograd.errors import ArgumentError, ArgumentTypeError, ShapeError
from demograd.operators import cast_to, where
from demograd.operators import pow as power
from demograd.operators import sum as total
from demograd.ops._numpy._arguments import Axis, along, axis_of, beside, plain, promoted, tensor
from demograd.ops._numpy._shapes import roll

__all__ = ["SEQUENCES"]


def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Tensor:
    x = tensor(a)
    edges = [
        None if e is None or e is np._NoValue else _edge(e, x, axis) for e in (prepend, append)
    ]
    return ops.diff(x, n, axis, *edges)


def _edge(edge: Any, x: Tensor, axis: int) -> Tensor:
    given = cast_to(beside(x, edge)[1], x.dtype)
    dim = axis_of("diff", axis, x)
    if given.ndim:
        return given
    return ops.broadcast_to(given, (*x.shape[:dim], 1, *x.shape[dim + 1 :]))


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Tensor:
    """The integral of straight lines between samples."""
    values, places = beside(y, dx if x is None else x)
    dim = axis_of("trapezoid", axis, values)
    width = places
    if x is not None:
        width = ops.diff(places, dim=0 if places.ndim == 1 else dim)
        if places.ndim == 1:
            width = width.reshape([-1 if d == dim else 1 for d in range(values.ndim)])
    later, earlier = values[along(dim, slice(1, None))], values[along(dim, slice(None, -1))]
    return total(width * (later + earlier) / 2, dim)


def gradient(f: Any, *varargs: Any, axis: Axis = None, edge_order: int = 1) -> Any:
    """Differences over both neighbours inside, over the one at the edges."""
    x = tensor(f)
    if edge_order != 1:
        raise ArgumentError("np.gradient: edges of the second order have no rule here.")
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,)
    dims = [axis_of("gradient", d, x) for d in axes]
    if len(varargs) not in (0, 1, len(dims)):
        raise ArgumentTypeError(f"np.gradient: {len(varargs)} spacings for {len(dims)} dimensions.")
    spacings = varargs or (1.0,)
    spacings = tuple(spacings) * len(dims) if len(spacings) == 1 else tuple(spacings)
    found = [_slope(x, d, h) for d, h in zip(dims, spacings, strict=True)]
    return found[0] if len(found) == 1 else tuple(found)


def _slope(x: Tensor, dim: int, spacing: Any) -> Tensor:
    if x.shape[dim] < 2:
        raise ShapeError("np.gradient: at least two samples are needed.", [f"x: shape {x.shape}"])
    shape = [-1 if d == dim else 1 for d in range(x.ndim)]
    uniform = np.ndim(plain(spacing) if not isinstance(spacing, Tensor) else spacing.data) == 0
    steps = None if uniform else ops.diff(beside(x, spacing)[1]).reshape(shape)
    rise = ops.diff(x, dim=dim) / (spacing if steps is None else steps)
    before, after = rise[along(dim, slice(None, -1))], rise[along(dim, slice(1, None))]
    if steps is None:
        inner = (before + after) / 2
    else:
        # The slope of the parabola through three samples.
        a, b = steps[along(dim, slice(None, -1))], steps[along(dim, slice(1, None))]
        inner = (before * b + after * a) / (a + b)
    ends = rise[along(dim, slice(0, 1))], rise[along(dim, slice(-1, None))]
    return ops.cat([ends[0], inner, ends[1]], dim)


def interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Tensor:
    """Straight lines between samples; the gradient goes to ``x``, ``xp`` and ``fp``."""
    if period is not None:
        raise ArgumentError("np.interp: a period has no rule here.", mend="Use x % period.")
    x, xp, fp = promoted([x, xp, fp])
    knots = np.asarray(xp.data)
    at = np.asarray(x.data)
    if len(knots) == 1:
        inside = fp[np.zeros(at.shape, dtype=np.int64)]
    else:
        k = np.clip(np.searchsorted(knots, at, side="right") - 1, 0, len(knots) - 2)
        share = (x - xp[k]) / (xp[k + 1] - xp[k])
        inside = fp[k] + share * (fp[k + 1] - fp[k])
    out = where(Tensor(at < knots[0]), fp[0] if left is None else left, inside)
    return where(Tensor(at > knots[-1]), fp[-1] if right is None else right, out)


def convolve(a: Any, v: Any, mode: str = "full") -> Tensor:
    """The product of two polynomials: sums of products of one and the other reversed."""
    x, y = promoted([a, v])
    if x.ndim != 1 or y.ndim != 1 or not x.numel() or not y.numel():
        raise ShapeError(
            "np.convolve: two vectors with elements are convolved.",
            [f"a: shape {x.shape}", f"v: shape {y.shape}"],
        )
    if x.shape[0] < y.shape[0]:
        x, y = y, x
    n, m = x.shape[0], y.shape[0]
    zeros = Tensor(np.zeros(m - 1, dtype=x.dtype))
    padded = ops.cat([zeros, x, zeros])
    windows = padded[np.arange(n + m - 1)[:, None] + np.arange(m)]
    full = windows @ ops.flip(y, (0,))
    if mode == "full":
        return full
    if mode == "same":
        start = (m - 1) // 2
        return full[start : start + n]
    if mode == "valid":
        return full[m - 1 : n]
    raise ArgumentError(f"np.convolve: mode is {mode!r}.", mend='Use "full", "same" or "valid".')


def correlate(a: Any, v: Any, mode: str = "valid") -> Tensor:
    x, y = promoted([a, v])
    if x.shape[0] >= y.shape[0] or mode == "full":
        return convolve(x, ops.flip(y, (0,)), mode)
    return ops.flip(correlate(y, x, mode), (0,))


def polyval(p: Any, x: Any) -> Tensor:
    coefficients, at = beside(p, x)
    out: Any = at * 0
    for k in range(coefficients.shape[0]):
        out = out * at + coefficients[k]
    return tensor(out)


def vander(x: Any, N: int | None = None, increasing: bool = False) -> Tensor:
    given = tensor(x)
    count = given.shape[0] if N is None else N
    powers = range(count) if increasing else range(count - 1, -1, -1)
    return ops.stack([power(given, k) for k in powers], 1)


def sinc(x: Any) -> Tensor:
    """``sin(pi x) / (pi x)``; near zero by its series, whose slopes are right to the third."""
    given = tensor(x)
    y = given * math.pi
    near = ops.abs(y.detach()) < 1e-2
    square = y * y
    series = 1 - square / 6 * (1 - square / 20 * (1 - square / 42 * (1 - square / 72)))
    far = where(near, 1.0, y)
    return where(near, series, ops.sin(far) / far)


def around(a: Any, decimals: int = 0) -> Tensor:
    return ops.round(tensor(a), decimals=decimals)


def fix(x: Any) -> Tensor:
    return ops.trunc(tensor(x))


def real(val: Any) -> Any:
    return val if val.dtype.kind != "c" else Tensor(np.real(val.data))


def imag(val: Any) -> Any:
    return Tensor(np.imag(val.numpy(force=True)))


def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False,
    dtype: Any = None, axis: int = 0, *, device: Any = None,
) -> Any:  # fmt: skip
    first, last = promoted([start, stop])
    if first.dtype.kind in "iub":
        first, last = first.float(), last.float()
    count = num - 1 if endpoint else num
    step = (last - first) / count if count else (last - first) * math.nan
    shape = np.broadcast_shapes(first.shape, last.shape)
    numbers = Tensor(np.arange(num, dtype=first.dtype).reshape(num, *[1] * len(shape)))
    share = numbers / max(count, 1)
    # Weighed from both ends, so that the last sample is the end itself.
    out = first * (1 - share) + last * share
    out = out if dtype is None else cast_to(out, np.dtype(dtype))
    out = ops.moveaxis(out, 0, axis)
    return (out, step) if retstep else out


def logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0,
    dtype: Any = None, axis: int = 0,
) -> Tensor:  # fmt: skip
    out = power(base, linspace(start, stop, num, endpoint, axis=axis))
    return out if dtype is None else cast_to(out, np.dtype(dtype))


def _like(make: Callable[..., Any]) -> Callable[..., Tensor]:
    def made(
        a: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, *,
        device: Any = None,
    ) -> Tensor:  # fmt: skip
        kind = a.dtype if dtype is None else np.dtype(dtype)
        return Tensor(make(a.shape if shape is None else shape, dtype=kind))

    return made


def full_like(
    a: Any, fill_value: Any, dtype: Any = None, order: str = "K", subok: bool = True,
    shape: Any = None, *, device: Any = None,
) -> Tensor:  # fmt: skip
    size = tuple(a.shape) if shape is None else (shape,) if isinstance(shape, int) else tuple(shape)
    value = cast_to(beside(a, fill_value)[1], a.dtype if dtype is None else np.dtype(dtype))
    return ops.broadcast_to(value, size).clone()


def fftshift(x: Any, axes: Axis = None) -> Tensor:
    return _shifted(tensor(x), axes, 1)


def ifftshift(x: Any, axes: Axis = None) -> Tensor:
    return _shifted(tensor(x), axes, -1)


def _shifted(x: Tensor, axes: Axis, sign: int) -> Tensor:
    dims = range(x.ndim) if axes is None else (axes,) if isinstance(axes, int) else tuple(axes)
    for d in dims:
        length = x.shape[d]
        x = roll(x, length // 2 if sign > 0 else -(length // 2), d)
    return x


SEQUENCES: dict[str, Callable[..., Any]] = {
    "around": around,
    "convolve": convolve,
    "correlate": correlate,
    "diff": diff,
    "empty_like": _like(np.empty),
    "fft.fftshift": fftshift,
    "fft.ifftshift": ifftshift,
    "fix": fix,
    "full_like": full_like,
    "gradient": gradient,
    "imag": imag,
    "interp": interp,
    "linspace": linspace,
    "logspace": logspace,
    "ones_like": _like(np.ones),
    "polyval": polyval,
    "real": real,
    "round": around,
    "sinc": sinc,
    "trapezoid": trapezoid,
    "vander": vander,
    "zeros_like": _like(np.zeros),
}
