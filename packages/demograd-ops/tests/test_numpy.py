"""Every function of NumPy on Tensors: the right value and gradient, or a refusal in words."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import scipy.special

import demograd as dg
from demograd import Tensor
from demograd._numpy import _dispatch
from demograd._numpy._names import CONSTANT, CREATING
from demograd.autograd import gradcheck, gradgradcheck
from demograd.errors import ArgumentTypeError, DemogradError
from demograd.ops._numpy import NUMPY_FUNCTIONS

POINTS = np.array([[0.55, -1.45, 2.1], [3.9, 0.2, -2.8]])
INSIDE = np.array([[0.5, -0.75, 0.3], [0.9, 0.25, -0.1]])
ABOVE = np.array([[1.5, 1.25, 2.0], [4.0, 3.25, 3.0]])
OTHER = np.array([[1.35, 2.4, -0.45], [0.75, -1.25, 0.6]])
VECTOR = np.array([0.5, -1.5, 2.0, 4.0, 0.25, -3.0])
SQUARE = np.array([[2.0, 0.5, -0.3], [0.1, 1.5, 0.4], [0.2, -0.6, 1.8]])
STACK = np.stack([SQUARE, SQUARE.T + 0.5 * np.eye(3)])
HOLES = np.array([[0.5, np.nan, 2.1], [np.nan, 0.25, -2.8], [0.7, 0.4, np.nan]])
MASK = POINTS > 0


@dataclass(frozen=True)
class Use:
    """A function of NumPy in one of its uses: a function of one array."""

    name: str
    call: Callable[[Any], Any]
    at: Any = None
    # What its slope is, where differences cannot say.
    smooth: bool = True

    @property
    def point(self) -> Any:
        return POINTS if self.at is None else self.at


# Functions of one number or two, element by element.
ONE = [
    *[Use(name, getattr(np, name)) for name in """
        absolute arcsinh arctan ceil cos cosh deg2rad degrees exp exp2 expm1 fabs floor negative
        positive rad2deg radians reciprocal rint sign sin sinh square tan tanh trunc conjugate cbrt
    """.split()],
    *[Use(name, getattr(np, name), INSIDE) for name in "arccos arcsin arctanh log1p".split()],
    *[Use(name, getattr(np, name), ABOVE) for name in
        "arccosh log log10 log2 sqrt".split()],
    Use("frexp", np.frexp),
    Use("modf", np.modf),
    Use("ldexp", lambda x: np.ldexp(x, [1, -2, 3])),
    Use("heaviside", lambda x: np.heaviside(x, 0.5)),
]  # fmt: skip
TWO = [
    Use(name, call, at)
    for name in """
        add arctan2 copysign divide divmod floor_divide fmax fmin fmod hypot logaddexp logaddexp2
        maximum minimum multiply remainder subtract
    """.split()
    for at, call in [
        (None, lambda x, n=name: getattr(np, n)(x, OTHER)),
        (OTHER, lambda x, n=name: getattr(np, n)(POINTS, x)),
    ]
]
POWERS = [
    Use(name, call, ABOVE)
    for name in ("power", "float_power")
    for call in [
        lambda x, n=name: getattr(np, n)(x, OTHER),
        lambda x, n=name: getattr(np, n)(ABOVE, x),
        lambda x, n=name: getattr(np, n)(x, 3),
    ]
]
MATRICES = [
    Use("matmul", lambda x: np.matmul(x, SQUARE)),
    Use("matmul", lambda x: np.matmul(x, STACK[0, 0])),
    Use("matvec", lambda x: np.matvec(STACK, x)),
    Use("vecdot", lambda x: np.vecdot(x, OTHER)),
    Use("vecmat", lambda x: np.vecmat(x, STACK)),
]
FACTS = [
    Use(name, getattr(np, name), HOLES)
    for name in """
        isfinite isinf isnan signbit logical_not isneginf isposinf isreal iscomplex argwhere
        count_nonzero flatnonzero nonzero nanargmax nanargmin
    """.split()
    if not name.startswith("nanarg")
] + [
    Use(name, lambda x, n=name: getattr(np, n)(x, OTHER))
    for name in """
        equal greater greater_equal less less_equal logical_and logical_or logical_xor not_equal
        allclose array_equal array_equiv isclose isin may_share_memory shares_memory result_type
    """.split()
] + [
    Use("all", lambda x: np.all(x > 0, axis=1)),
    Use("any", lambda x: np.any(x, axis=0, keepdims=True)),
    Use("argmax", lambda x: np.argmax(x, axis=1)),
    Use("argmin", np.argmin),
    Use("argpartition", lambda x: np.argpartition(x, 1)),
    Use("argsort", np.argsort),
    Use("array2string", np.array2string),
    Use("array_repr", lambda x: np.array_repr(x)),
    Use("array_str", np.array_str),
    Use("can_cast", lambda x: np.can_cast(x.dtype, "float32")),
    Use("common_type", np.common_type),
    Use("diag_indices_from", np.diag_indices_from, SQUARE),
    Use("digitize", lambda x: np.digitize(x, [0.0, 1.0])),
    Use("einsum_path", lambda x: np.einsum_path("ij,ij->i", x, x)[0]),
    Use("iscomplexobj", np.iscomplexobj),
    Use("isrealobj", np.isrealobj),
    Use("lexsort", lambda x: np.lexsort((x[0], x[1]))),
    Use("linalg.matrix_rank", np.linalg.matrix_rank, SQUARE),
    Use("min_scalar_type", np.min_scalar_type),
    Use("nanargmax", lambda x: np.nanargmax(x, 1), HOLES),
    Use("nanargmin", lambda x: np.nanargmin(x, 1), HOLES),
    Use("ndim", np.ndim),
    Use("ravel_multi_index", lambda x: np.ravel_multi_index(((x > 0) * 1)[0], (2, 2, 2))),
    Use("searchsorted", lambda x: np.searchsorted([0.0, 1.0], x)),
    Use("shape", np.shape),
    Use("size", np.size),
    Use("tril_indices_from", np.tril_indices_from, SQUARE),
    Use("triu_indices_from", np.triu_indices_from, SQUARE),
    Use("unravel_index", lambda x: np.unravel_index((x > 0) * 1, (2, 3))),
    Use("ix_", lambda x: np.ix_((x > 0)[0], (x > 0)[1])),
]  # fmt: skip
REDUCTIONS = [
    *[Use(name, call) for name in
        "sum prod max min mean std var amax amin ptp".split() for call in [
        lambda x, n=name: getattr(np, n)(x),
        lambda x, n=name: getattr(np, n)(x, axis=0),
        lambda x, n=name: getattr(np, n)(x, 1, keepdims=True),
        lambda x, n=name: getattr(np, n)(x, axis=(0, 1)),
    ]],
    *[Use(name, call) for name in "sum prod max min amax amin".split() for call in [
        lambda x, n=name: getattr(np, n)(x, axis=1, initial=0.75),
        lambda x, n=name: getattr(np, n)(x, axis=1, initial=0.75, where=MASK),
        lambda x, n=name: getattr(np, n)(x[:, :0], axis=1, initial=0.75) + x[:, 0],
    ]],
    *[Use(name, lambda x, n=name: getattr(np, n)(x, axis=1, where=MASK)) for name in
        "sum prod mean std var".split()],
    *[Use(name, call) for name in ("std", "var") for call in [
        lambda x, n=name: getattr(np, n)(x, axis=1, ddof=1),
        lambda x, n=name: getattr(np, n)(x, 0, correction=0.5),
        lambda x, n=name: getattr(np, n)(x, axis=1, mean=np.mean(x, axis=1, keepdims=True)),
    ]],
    Use("average", np.average),
    Use("average", lambda x: np.average(x, axis=1, weights=[1.0, 2.0, 0.5])),
    Use("average", lambda x: np.average(OTHER, weights=x * x, returned=True)),
    Use("corrcoef", np.corrcoef, np.concatenate([POINTS, OTHER], 1)),
    Use("cov", np.cov),
    Use("cov", lambda x: np.cov(x[0], x[1], bias=True)),
    Use("cov", lambda x: np.cov(x, rowvar=False, ddof=0)),
    *[Use(name, call) for name in ("cumsum", "cumprod") for call in [
        getattr(np, name), lambda x, n=name: getattr(np, n)(x, axis=1),
        lambda x, n=name: getattr(np, n)(x, 0, np.float64),
    ]],
    *[Use(name, call, VECTOR) for name in ("cumulative_sum", "cumulative_prod") for call in [
        getattr(np, name, None), lambda x, n=name: getattr(np, n)(x, include_initial=True),
    ]],
    *[Use(name, call, HOLES) for name in """
        nanmax nanmean nanmin nanprod nanstd nansum nanvar
    """.split() for call in [getattr(np, name), lambda x, n=name: getattr(np, n)(x, axis=1),
        lambda x, n=name: getattr(np, n)(x, axis=0, keepdims=True)]],
    *[Use(name, call, HOLES) for name in ("nancumsum", "nancumprod") for call in [
        getattr(np, name), lambda x, n=name: getattr(np, n)(x, axis=1)]],
    Use("median", np.median),
    Use("median", lambda x: np.median(x, axis=1, keepdims=True)),
    Use("percentile", lambda x: np.percentile(x, [10, 50, 95], axis=1)),
    Use("quantile", lambda x: np.quantile(x, 0.3, axis=0)),
    Use("quantile", lambda x: np.quantile(x, [[0.3, 1.0]])),
]  # fmt: skip
SHAPES = [
    *[Use(name, getattr(np, name)) for name in """
        atleast_1d atleast_2d atleast_3d copy flip fliplr flipud matrix_transpose permute_dims ravel
        rot90 transpose squeeze
    """.split()],
    Use("append", lambda x: np.append(x, 1.0)),
    Use("append", lambda x: np.append(x, OTHER, axis=1)),
    Use("array_split", lambda x: np.array_split(x, 2, axis=1)),
    Use("array_split", lambda x: np.array_split(x, [1], axis=-1)),
    Use("astype", lambda x: np.astype(x, np.float64)),
    Use("atleast_3d", lambda x: np.atleast_3d(x, x[0], x[0, 0])),
    Use("block", lambda x: np.block([[x, OTHER], [np.ones((1, 3)), x[:1]]])),
    Use("block", lambda x: np.block([x[0], x[1]])),
    Use("broadcast_arrays", lambda x: np.broadcast_arrays(x, x[0], 1.0)),
    Use("broadcast_to", lambda x: np.broadcast_to(x, (2, 2, 3))),
    Use("column_stack", lambda x: np.column_stack([x[0], x[1]])),
    *[Use(name, call) for name in ("concatenate", "concat") for call in [
        lambda x, n=name: getattr(np, n)([x, OTHER, x]),
        lambda x, n=name: getattr(np, n)((x, OTHER), axis=1),
        lambda x, n=name: getattr(np, n)([x, OTHER], axis=None),
        lambda x, n=name: getattr(np, n)([x, OTHER], dtype=np.float64),
    ]],
    Use("dsplit", lambda x: np.dsplit(x, 3), STACK),
    Use("dstack", lambda x: np.dstack([x, OTHER])),
    Use("dstack", lambda x: np.dstack([x[0], x[1]])),
    Use("expand_dims", lambda x: np.expand_dims(x, 1)),
    Use("expand_dims", lambda x: np.expand_dims(x, (0, -1))),
    Use("flip", lambda x: np.flip(x, 1)),
    Use("hsplit", lambda x: np.hsplit(x, [1, 2])),
    Use("hsplit", lambda x: np.hsplit(x, 3), VECTOR),
    Use("hstack", lambda x: np.hstack([x, OTHER])),
    Use("hstack", lambda x: np.hstack([x[0], x[1]])),
    Use("meshgrid", lambda x: np.meshgrid(x[0], x[1])),
    Use("meshgrid", lambda x: np.meshgrid(x[0], [1.0, 2.0], indexing="ij")),
    Use("meshgrid", lambda x: np.meshgrid(x[0], [1.0, 2.0], x[1], sparse=True)),
    Use("moveaxis", lambda x: np.moveaxis(x, 0, -1), STACK),
    *[Use("pad", lambda x, mode=mode: np.pad(x, ((1, 0), (1, 2)), mode)) for mode in
        ("constant", "edge", "symmetric", "wrap")],
    Use("pad", lambda x: np.pad(x, 1, "reflect")),
    Use("pad", lambda x: np.pad(x, (1, 2))),
    Use("pad", lambda x: np.pad(x, ((1, 1), (0, 2)), constant_values=((1, 2), (3, 4)))),
    Use("ravel", lambda x: np.ravel(x.T)),
    Use("repeat", lambda x: np.repeat(x, 2)),
    Use("repeat", lambda x: np.repeat(x, [1, 0, 2], axis=1)),
    Use("reshape", lambda x: np.reshape(x, (3, -1))),
    Use("reshape", lambda x: np.reshape(x, -1)),
    Use("resize", lambda x: np.resize(x, (2, 5))),
    Use("roll", lambda x: np.roll(x, 2)),
    Use("roll", lambda x: np.roll(x, (1, 2), axis=(0, 1))),
    Use("rollaxis", lambda x: np.rollaxis(x, 2), STACK),
    Use("rollaxis", lambda x: np.rollaxis(x, 0, 3), STACK),
    *[Use("rot90", lambda x, k=k: np.rot90(x, k)) for k in (-1, 0, 2, 3)],
    Use("split", lambda x: np.split(x, 3, axis=1)),
    Use("split", lambda x: np.split(x, [1, 4]), VECTOR),
    Use("squeeze", lambda x: np.squeeze(x[:1], axis=0)),
    Use("stack", lambda x: np.stack([x, OTHER])),
    Use("stack", lambda x: np.stack([x, OTHER], axis=-1)),
    Use("swapaxes", lambda x: np.swapaxes(x, 0, 1)),
    Use("tile", lambda x: np.tile(x, 2)),
    Use("tile", lambda x: np.tile(x, (2, 1, 2))),
    Use("transpose", lambda x: np.transpose(x, (2, 0, 1)), STACK),
    Use("unstack", lambda x: np.unstack(x, axis=1)),
    Use("vsplit", lambda x: np.vsplit(x, 2)),
    Use("vstack", lambda x: np.vstack([x, OTHER[0]])),
    Use("vstack", lambda x: np.vstack([x[0], x[1]])),
    Use("lib.stride_tricks.sliding_window_view",
        lambda x: np.lib.stride_tricks.sliding_window_view(x, 2, axis=1)),
]  # fmt: skip
PICKING = [
    Use("apply_along_axis", lambda x: np.apply_along_axis(lambda v: v * v[0], 1, x)),
    Use("apply_along_axis", lambda x: np.apply_along_axis(np.sum, 0, x)),
    Use("apply_along_axis", lambda x: np.apply_along_axis(lambda v: np.outer(v, v), 1, x), STACK),
    Use("apply_over_axes", lambda x: np.apply_over_axes(np.sum, x, [0, 2]), STACK),
    Use("bincount", lambda x: np.bincount([0, 2, 2, 1, 0, 4], weights=x, minlength=7), VECTOR),
    Use("bincount", lambda x: np.bincount((x > 0) * 1), VECTOR),
    Use("choose", lambda x: np.choose([0, 1, 1], [x[0], x[1]])),
    Use("choose", lambda x: np.choose([[0, 1, 3]], [x, OTHER], mode="wrap")),
    Use("clip", lambda x: np.clip(x, -1.0, 1.75)),
    Use("clip", lambda x: np.clip(x, None, 1.75)),
    Use("clip", lambda x: np.clip(OTHER, x, 10.0)),
    *[Use("clip", lambda x: np.clip(x, min=-1.0)) for _ in [1] if hasattr(np, "unstack")],
    Use("compress", lambda x: np.compress([True, False, True], x, axis=1)),
    Use("delete", lambda x: np.delete(x, [0, 2], axis=1)),
    Use("delete", lambda x: np.delete(x, slice(1, 3))),
    *[Use("diag", lambda x, k=k: np.diag(x, k), at) for k in (-1, 0, 1) for at in
        (SQUARE, VECTOR)],
    Use("diagflat", lambda x: np.diagflat(x, 1)),
    Use("diagonal", lambda x: np.diagonal(x, 1, 0, 2), STACK),
    Use("ediff1d", np.ediff1d),
    Use("ediff1d", lambda x: np.ediff1d(x, to_end=[1.0, 2.0], to_begin=x[0, 0])),
    Use("extract", lambda x: np.extract(MASK, x)),
    Use("insert", lambda x: np.insert(x, 1, 7.0, axis=1)),
    Use("insert", lambda x: np.insert(x, [0, 2], [7.0, 8.0], axis=1)),
    Use("insert", lambda x: np.insert(x, 1, x[0] * 2, axis=0)),
    Use("insert", lambda x: np.insert(x, 2, [1.0, 2.0])),
    Use("insert", lambda x: np.insert(x, [1], x * 2, axis=0)),
    Use("insert", lambda x: np.insert(x, slice(0, 2), 9.0, axis=1)),
    Use("insert", lambda x: np.insert(x, [], x[0, :0])),
    Use("insert", lambda x: np.insert(x, 1, [1.0, 2.0], axis=1)),
    Use("nan_to_num", lambda x: np.nan_to_num(x, nan=0.5), HOLES),
    Use("piecewise", lambda x: np.piecewise(x, [x < 0, x > 1], [lambda v: v * v, np.exp, 2.0])),
    Use("piecewise", lambda x: np.piecewise(x, [x < 0], [-1, np.sqrt])),
    Use("select", lambda x: np.select([MASK, OTHER > 0], [x, x * x], -1.0)),
    Use("sort", np.sort),
    Use("sort", lambda x: np.sort(x, axis=0)),
    Use("sort", lambda x: np.sort(x, axis=None)),
    Use("take", lambda x: np.take(x, [0, -1, 0])),
    Use("take", lambda x: np.take(x, [[2, 0]], axis=1)),
    Use("take", lambda x: np.take(x, [5, -7], axis=1, mode="wrap")),
    Use("take", lambda x: np.take(x, [5, -7], axis=1, mode="clip")),
    Use("take_along_axis", lambda x: np.take_along_axis(x, np.argsort(x, 1), axis=1)),
    Use("take_along_axis", lambda x: np.take_along_axis(x, np.array([[0, 1, 1]]), axis=0)),
    Use("take_along_axis", lambda x: np.take_along_axis(x, np.array([4, 0]), axis=None)),
    Use("trace", np.trace, SQUARE),
    Use("trace", lambda x: np.trace(x, 1, 0, 2), STACK),
    Use("tril", np.tril),
    Use("tril", lambda x: np.tril(x, -1), STACK),
    Use("trim_zeros", lambda x: np.trim_zeros(x * np.array([0, 1, 0, 1, 1, 0])), VECTOR),
    Use("triu", lambda x: np.triu(x, 1)),
    Use("unwrap", np.unwrap),
    Use("where", lambda x: np.where(MASK, x, OTHER)),
    Use("where", lambda x: np.where(x > 0, 1.0, x * x)),
    Use("where", lambda x: np.where(x > 0)),
    Use("where", lambda x: np.where([1, 0, 2], x, x[0])),
]  # fmt: skip


def changed(change: Callable[[Any, Any], None]) -> Callable[[Any], Any]:
    """What changes an array in place, as a function of the array and of values in it."""

    def function(x: Any) -> Any:
        out = x * 2
        change(out, x)
        return out

    return function


PUTTING = [
    Use("copyto", changed(lambda a, x: np.copyto(a, x[0], where=MASK))),
    Use("copyto", changed(lambda a, x: np.copyto(a, x * x))),
    Use("fill_diagonal", changed(lambda a, x: np.fill_diagonal(a, x[0, 0] * 3)), SQUARE),
    Use("place", changed(lambda a, x: np.place(a, MASK, x[0]))),
    Use("put", changed(lambda a, x: np.put(a, [0, -1], x[0, :2]))),
    Use("put", changed(lambda a, x: np.put(a, [0, 8], x[0, 1], mode="clip"))),
    Use(
        "put_along_axis",
        changed(lambda a, x: np.put_along_axis(a, np.array([[0], [2]]), x[0, 0], 1)),
    ),
    Use("putmask", changed(lambda a, x: np.putmask(a, MASK, x[0, :2]))),
]
SEQUENCES = [
    *[Use(name, getattr(np, name)) for name in
        "around fix imag ones_like real round zeros_like sinc".split()],
    Use("sinc", np.sinc, np.array([0.0, 1e-3, -2e-3, 1.0])),
    *[Use("convolve", lambda x, m=m, n=n: np.convolve(x, VECTOR[:n], m), VECTOR[::-1]) for m in
        ("full", "same", "valid") for n in (2, 3)],
    *[Use("convolve", lambda x, m=m: np.convolve(VECTOR[:4], x, m), VECTOR[::-1]) for m in
        ("full", "same", "valid")],
    *[Use("correlate", lambda x, m=m, n=n: np.correlate(x, VECTOR[:n], m), VECTOR[::-1]) for m in
        ("full", "same", "valid") for n in (2, 3)],
    *[Use("correlate", lambda x, m=m, n=n: np.correlate(VECTOR[:n], x, m), VECTOR[::-1]) for m in
        ("full", "same", "valid") for n in (2, 3, 4)],
    Use("diff", np.diff),
    Use("diff", lambda x: np.diff(x, 2, axis=1)),
    Use("diff", lambda x: np.diff(x, axis=0, prepend=0.5, append=x[:1])),
    Use("full_like", lambda x: np.full_like(x, x[0, 1])),
    Use("gradient", lambda x: np.gradient(x)),
    Use("gradient", lambda x: np.gradient(x, 0.5, [0.0, 0.5, 2.0])),
    Use("gradient", lambda x: np.gradient(OTHER[0], np.cumsum(x * x)[:3])),
    Use("interp", lambda x: np.interp(x, [-2.0, 0.0, 3.0], [1.0, -1.0, 2.0])),
    Use("interp", lambda x: np.interp(x, [-2.0, 0.0, 3.0], [1.0, -1.0, 2.0], left=0, right=9)),
    Use("interp", lambda x: np.interp(POINTS, [-2.0, 0.0, 3.0], x[0])),
    Use("interp", lambda x: np.interp(POINTS, np.cumsum(x[0] * x[0]), [1.0, -1.0, 2.0])),
    Use("linspace", lambda x: np.linspace(x[0, 0], x[1, 0], 5)),
    Use("linspace", lambda x: np.linspace(x[0], 1.0, 4, endpoint=False, retstep=True, axis=-1)),
    Use("logspace", lambda x: np.logspace(x[0, 0], x[0, 1], 3, base=2.0)),
    Use("polyval", lambda x: np.polyval(x[0], x[1])),
    Use("polyval", lambda x: np.polyval([1.0, -2.0, 0.5], x)),
    Use("trapezoid", lambda x: np.trapezoid(x, dx=0.5)),
    Use("trapezoid", lambda x: np.trapezoid(OTHER, x, axis=0)),
    Use("trapezoid", lambda x: np.trapezoid(x, [0.0, 1.0, 3.0])),
    Use("vander", lambda x: np.vander(x, 4), VECTOR[:3]),
    Use("vander", lambda x: np.vander(x, increasing=True), VECTOR[:3]),
    Use("fft.fftshift", np.fft.fftshift),
    Use("fft.ifftshift", lambda x: np.fft.ifftshift(x, axes=1)),
]  # fmt: skip
SYMMETRIC = SQUARE @ SQUARE.T + np.eye(3)
PRODUCTS = [
    *[Use(name, lambda x, f=f: f(x, OTHER[0])) for name, f in
        [("dot", np.dot), ("inner", np.inner), ("outer", np.outer), ("kron", np.kron),
         ("cross", np.cross)]],
    Use("cross", lambda x: np.cross(OTHER.T, x.T, axis=0)),
    Use("dot", lambda x: np.dot(x, 2.0)),
    Use("dot", lambda x: np.dot(x, STACK)),
    Use("dot", lambda x: np.dot(STACK, x.T)),
    Use("einsum", lambda x: np.einsum("ij,kj->ik", x, OTHER)),
    Use("einsum", lambda x: np.einsum("ij->j", x, optimize=True)),
    Use("inner", lambda x: np.inner(STACK, x)),
    Use("kron", lambda x: np.kron(OTHER, x)),
    Use("tensordot", lambda x: np.tensordot(x, OTHER)),
    Use("tensordot", lambda x: np.tensordot(x, STACK, axes=([1], [2]))),
    Use("vdot", lambda x: np.vdot(x, OTHER)),
    Use("linalg.cholesky", lambda x: np.linalg.cholesky(x @ x.T + np.eye(3)), SQUARE),
    Use("linalg.cross", lambda x: np.linalg.cross(x, OTHER)),
    *[Use(f"linalg.{name}", getattr(np.linalg, name), at) for at in (SQUARE, STACK) for name in
        "det inv slogdet diagonal matrix_transpose trace matrix_norm vector_norm".split()],
    Use("linalg.matmul", lambda x: np.linalg.matmul(x, SQUARE)),
    *[Use("linalg.matrix_norm",
          lambda x, o=o: np.linalg.matrix_norm(x, ord=o, keepdims=True), STACK)
        for o in (1, -1, np.inf, -np.inf)],
    *[Use("linalg.matrix_power", lambda x, n=n: np.linalg.matrix_power(x, n), STACK) for n in
        (-2, 0, 1, 5)],
    Use("linalg.multi_dot", lambda x: np.linalg.multi_dot([OTHER[0], SQUARE, x.T, x[:, 0]])),
    *[Use("linalg.norm", call) for call in [
        np.linalg.norm, lambda x: np.linalg.norm(x, axis=1), lambda x: np.linalg.norm(x, 3, 0),
        lambda x: np.linalg.norm(x, "fro"), lambda x: np.linalg.norm(x, 1),
        lambda x: np.linalg.norm(x, -np.inf, keepdims=True), lambda x: np.linalg.norm(x[0], np.inf),
    ]],
    Use("linalg.outer", lambda x: np.linalg.outer(x[0], x[1])),
    Use("linalg.solve", lambda x: np.linalg.solve(x, VECTOR[:3]), SQUARE),
    Use("linalg.solve", lambda x: np.linalg.solve(x, x), SQUARE),
    Use("linalg.solve", lambda x: np.linalg.solve(x, OTHER.T), STACK),
    Use("linalg.solve", lambda x: np.linalg.solve(x, x[0]), STACK),
    Use("linalg.tensordot", lambda x: np.linalg.tensordot(x, OTHER)),
    Use("linalg.tensorinv", lambda x: np.linalg.tensorinv(np.reshape(x, (3, 1, 3)), 1), SQUARE),
    Use("linalg.tensorsolve", lambda x: np.linalg.tensorsolve(x, VECTOR[:3]), SQUARE),
    Use("linalg.trace", lambda x: np.linalg.trace(x, offset=1), STACK),
    Use("linalg.vecdot", lambda x: np.linalg.vecdot(x, OTHER, axis=0)),
    Use("linalg.vector_norm", lambda x: np.linalg.vector_norm(x, ord=1, axis=0)),
]  # fmt: skip
USES = [
    *ONE, *TWO, *POWERS, *MATRICES, *FACTS, *REDUCTIONS, *SHAPES, *PICKING, *PUTTING, *SEQUENCES,
    *PRODUCTS,
]  # fmt: skip


def named(name: str) -> Any:
    """The function of NumPy's of a dotted name; None where this NumPy has none."""
    found: Any = np
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def flat(value: Any) -> list[Any]:
    """The results in nested tuples and lists."""
    if isinstance(value, (tuple, list)):
        return [part for each in value for part in flat(each)]
    return [value]


def available(uses: list[Use]) -> Any:
    there = [use for use in uses if named(use.name) is not None]
    return pytest.mark.parametrize("use", there, ids=[f"{u.name}-{i}" for i, u in enumerate(there)])


@available(USES)
def test_the_value_is_that_on_arrays_and_the_gradient_that_of_differences(use: Use) -> None:
    x = Tensor(use.point.copy(), requires_grad=True)
    out, expected = flat(use.call(x)), flat(use.call(use.point.copy()))
    assert len(out) == len(expected)
    for ours, numpys in zip(out, expected, strict=True):
        if isinstance(numpys, (np.ndarray, np.generic)) and np.asarray(numpys).dtype.kind in "biuf":
            assert isinstance(ours, (Tensor, np.bool_)), type(ours)
            values = np.asarray(ours.detach().data if isinstance(ours, Tensor) else ours)
            assert values.dtype == np.asarray(numpys).dtype
            np.testing.assert_allclose(values, numpys, rtol=1e-13, atol=1e-13)
        else:
            assert ours == numpys
    if any(isinstance(part, Tensor) and part.requires_grad for part in out):

        def recorded(x: Tensor) -> Any:
            # NaN has no differences.
            if np.isnan(use.point).any():
                x = np.where(np.isnan(use.point), np.nan, x)
            parts = [p for p in flat(use.call(x)) if isinstance(p, Tensor) and p.requires_grad]
            return tuple(parts)

        clean = Tensor(np.nan_to_num(use.point), requires_grad=True)
        gradcheck(recorded, clean)
        gradgradcheck(recorded, clean)


# Every name.

DISPATCHED = sorted(
    {
        prefix + name
        for module, prefix in [(np, ""), (np.linalg, "linalg."), (np.fft, "fft.")]
        for name in dir(module)
        if not name.startswith("_") and hasattr(getattr(module, name), "_implementation")
    }
)
UFUNCS = sorted({f.__name__ for f in vars(np).values() if isinstance(f, np.ufunc)})
# They have no derivative rule on Tensors: where a gradient would be lost, they refuse.
REFUSED = sorted(
    """
    bitwise_and bitwise_count bitwise_or bitwise_xor gcd invert isnat lcm left_shift nextafter
    right_shift spacing

    angle busday_count busday_offset datetime_as_string geomspace histogram histogram2d
    histogram_bin_edges histogramdd i0 intersect1d is_busday nanmedian nanpercentile nanquantile
    packbits partition poly polyadd polyder polydiv polyfit polyint polymul polysub real_if_close
    roots save savetxt savez savez_compressed setdiff1d setxor1d sort_complex union1d unique
    unique_all unique_counts unique_inverse unique_values unpackbits

    linalg.cond linalg.eig linalg.eigh linalg.eigvals linalg.eigvalsh linalg.lstsq linalg.pinv
    linalg.qr linalg.svd linalg.svdvals

    fft.fft fft.fft2 fft.fftn fft.hfft fft.ifft fft.ifft2 fft.ifftn fft.ihfft fft.irfft fft.irfft2
    fft.irfftn fft.rfft fft.rfft2 fft.rfftn
    """.split()
)


def test_each_function_of_numpy_has_a_use_in_the_table_or_is_refused() -> None:
    used = {use.name for use in USES} | {"empty_like"}
    here = set(DISPATCHED) | set(UFUNCS) | {"lib.stride_tricks.sliding_window_view"}
    aliases = {name for name in here if named(name).__name__ != name.split(".")[-1]}
    gone = {"in1d"}  # of NumPy 2.0
    assert sorted(here - used - set(REFUSED) - aliases - gone) == []
    assert sorted(used & set(REFUSED)) == []
    # No name is invented, but this NumPy may be older than a name.
    for name in {*REFUSED, *NUMPY_FUNCTIONS, *CONSTANT, *used}:
        if name.startswith("scipy.special."):
            assert hasattr(scipy.special, name.rpartition(".")[2])
            continue
        assert named(name) is not None or name in NEWER, name


NEWER = ["cumulative_prod", "cumulative_sum", "matvec", "unstack", "vecmat"]


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_rule_is_refused_where_a_gradient_would_be_lost(name: str) -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    function = named(name)
    # As NumPy hands it over; which further arguments there are does not matter.
    if isinstance(function, np.ufunc):
        call = functools.partial(function, *[x] * function.nin)
    else:
        call = functools.partial(x.__array_function__, function, (Tensor,), (x,), {})
    with pytest.raises(DemogradError) as e:
        call()
    if not name.startswith("bitwise") and name != "invert":
        assert str(e.value) == (
            f"np.{name}: there is no derivative rule for this function on Tensors.\n"
            "x.detach().numpy() gives an array, without the gradient."
        )


def test_what_has_no_rule_is_computed_where_nothing_requires_a_gradient() -> None:
    x = dg.tensor([3.0, 1.0, 3.0])
    assert np.unique(x).tolist() == [1.0, 3.0]
    counts, edges = np.histogram(x, bins=2)
    assert (counts.tolist(), edges.tolist()) == ([1, 2], [1.0, 2.0, 3.0])
    assert isinstance(np.fft.fft(x), Tensor)
    assert np.left_shift(dg.tensor([1, 2]), 2).tolist() == [4, 8]
    assert np.gcd(dg.tensor([12, 18]), 8).tolist() == [4, 2]
    out = dg.zeros(3)
    assert np.nextafter(x, 9.0, out=out) is out


def test_the_ufuncs_of_scipy_are_recorded_or_refused_and_no_other_is_taken_for_numpys() -> None:
    x = Tensor(POINTS, requires_grad=True)
    for ours, scipys in ((dg.erf, scipy.special.erf), (dg.sigmoid, scipy.special.expit)):
        np.testing.assert_array_equal(scipys(x).detach().numpy(), ours(x).detach().numpy())
        assert scipys(x).requires_grad
    with pytest.raises(ArgumentTypeError) as e:
        scipy.special.gammaln(x)
    assert str(e.value) == (
        "scipy.special.gammaln: there is no derivative rule for this function on Tensors.\n"
        "x.detach().numpy() gives an array, without the gradient."
    )
    mine = np.frompyfunc(lambda a: a, 1, 1)
    with pytest.raises(ArgumentTypeError):
        mine(x)
    assert _dispatch._ufunc_name(mine).startswith("the ufunc ")


def test_abs_of_python_records() -> None:
    x = Tensor(POINTS, requires_grad=True)
    abs(x).sum().backward()
    assert x.grad is not None
    np.testing.assert_array_equal(x.grad.numpy(), np.sign(POINTS))


def test_empty_like_has_shape_and_type() -> None:
    made = np.empty_like(Tensor(POINTS), dtype="float32")
    assert (made.shape, made.dtype, made.requires_grad) == ((2, 3), dg.float32, False)
    assert np.zeros_like(Tensor(POINTS), shape=(4,)).tolist() == [0.0] * 4


@pytest.mark.parametrize("name", sorted(CREATING))
def test_like_makes_a_tensor(name: str) -> None:
    arguments: dict[str, Any] = {
        "arange": (3,), "eye": (2,), "identity": (2,), "full": (2, 7.0), "tri": (2,),
        "empty": (2,), "ones": (2,), "zeros": (2,),
    }  # fmt: skip
    like = Tensor([1.0])
    if name in arguments:
        assert isinstance(named(name)(*arguments[name], like=like), Tensor)
    elif name in ("array", "asarray", "asanyarray"):
        x = Tensor([1.0, 2.0], requires_grad=True)
        assert named(name)(x, like=like).requires_grad
        assert named(name)([x[0], x[1]], like=like).requires_grad
        assert named(name)([1, 2], like=like).tolist() == [1, 2]
