"""Code that is written against the array API standard runs on Tensors, and is differentiated.

Each name of the standard is called with the standard's own arguments, on Tensors and on
array-api-strict's arrays, which allow nothing else.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import demograd as dg
from demograd import Tensor
from demograd.autograd import gradcheck

strict = pytest.importorskip("array_api_strict", reason="array-api-strict is not installed")

A = np.array([[0.55, 1.45, 2.1], [3.9, 0.2, 2.8]])
B = np.array([[1.35, 2.4, 0.45], [0.75, 1.25, 0.6]])
S = np.array([[2.0, 0.5, -0.3], [0.1, 1.5, 0.4], [0.2, -0.6, 1.8]])
I = np.array([[1, 4, 6], [2, 3, 12]])  # noqa: E741 - integers
M = np.array([[True, False, True], [False, False, True]])

Call = Callable[..., Any]
OF_ONE = """
    abs acosh asin asinh atan ceil cos cosh exp expm1 floor isfinite isinf isnan log log10 log1p
    log2 negative positive reciprocal round sign signbit sin sinh sqrt square tan tanh trunc
""".split()
OF_TWO = """
    add atan2 copysign divide equal floor_divide greater greater_equal hypot less less_equal
    logaddexp maximum minimum multiply nextafter not_equal pow remainder subtract
""".split()


def one(name: str) -> Call:
    def call(xp: Any, a: Any, b: Any, s: Any, i: Any, m: Any) -> Any:
        return getattr(xp, name)(a + 1 if name == "acosh" else a / 4)

    return call


USES: list[tuple[str, Call]] = [
    *[(name, one(name)) for name in OF_ONE],
    *[(name, lambda xp, a, b, s, i, m, n=name: getattr(xp, n)(a, b)) for name in OF_TWO],
    *[(name, lambda xp, a, b, s, i, m, n=name: getattr(xp, n)(a, 2.0)) for name in OF_TWO],
    *[
        (name, lambda xp, a, b, s, i, m, n=name: getattr(xp, n)(i, i[::-1, ...]))
        for name in """
            bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift
        """.split()
    ],
    ("bitwise_invert", lambda xp, a, b, s, i, m: xp.bitwise_invert(i)),
    *[
        (name, lambda xp, a, b, s, i, m, n=name: getattr(xp, n)(m, ~m[::-1, ...]))
        for name in "logical_and logical_or logical_xor".split()
    ],
    ("logical_not", lambda xp, a, b, s, i, m: xp.logical_not(m)),
    ("acos", lambda xp, a, b, s, i, m: xp.acos(b / 4)),
    ("atanh", lambda xp, a, b, s, i, m: xp.atanh(b / 4)),
    ("clip", lambda xp, a, b, s, i, m: xp.clip(a, 0.5, 2.5)),
    ("clip", lambda xp, a, b, s, i, m: xp.clip(a, max=2.5)),
    ("conj", lambda xp, a, b, s, i, m: xp.conj(xp.astype(a, xp.complex128))),
    ("real", lambda xp, a, b, s, i, m: xp.real(xp.astype(a, xp.complex128))),
    ("imag", lambda xp, a, b, s, i, m: xp.imag(xp.astype(a, xp.complex128))),
    # Statistics and searching.
    *[
        (name, call)
        for name in "max mean min prod std sum var".split()
        for call in [
            lambda xp, a, b, s, i, m, n=name: getattr(xp, n)(a),
            lambda xp, a, b, s, i, m, n=name: getattr(xp, n)(a, axis=(0, 1)),
            lambda xp, a, b, s, i, m, n=name: getattr(xp, n)(a, axis=-1, keepdims=True),
        ]
    ],
    ("std", lambda xp, a, b, s, i, m: xp.std(a, axis=1, correction=1.0)),
    ("var", lambda xp, a, b, s, i, m: xp.var(a, axis=0, correction=1)),
    ("sum", lambda xp, a, b, s, i, m: xp.sum(i, axis=0)),
    ("sum", lambda xp, a, b, s, i, m: xp.sum(i, dtype=xp.float64)),
    ("prod", lambda xp, a, b, s, i, m: xp.prod(i, axis=1)),
    ("cumulative_sum", lambda xp, a, b, s, i, m: xp.cumulative_sum(a, axis=1)),
    (
        "cumulative_sum",
        lambda xp, a, b, s, i, m: xp.cumulative_sum(a, axis=0, include_initial=True),
    ),
    ("cumulative_prod", lambda xp, a, b, s, i, m: xp.cumulative_prod(a, axis=-1)),
    (
        "cumulative_prod",
        lambda xp, a, b, s, i, m: xp.cumulative_prod(a[0, :], include_initial=True),
    ),
    *[
        (name, call)
        for name in ("all", "any", "count_nonzero")
        for call in [
            lambda xp, a, b, s, i, m, n=name: getattr(xp, n)(m),
            lambda xp, a, b, s, i, m, n=name: getattr(xp, n)(m, axis=(0,), keepdims=True),
        ]
    ],
    *[
        (name, call)
        for name in ("argmax", "argmin")
        for call in [
            lambda xp, a, b, s, i, m, n=name: getattr(xp, n)(a),
            lambda xp, a, b, s, i, m, n=name: getattr(xp, n)(a, axis=1, keepdims=True),
        ]
    ],
    ("argsort", lambda xp, a, b, s, i, m: xp.argsort(a)),
    ("argsort", lambda xp, a, b, s, i, m: xp.argsort(a, axis=0, descending=True, stable=False)),
    ("sort", lambda xp, a, b, s, i, m: xp.sort(a, axis=0, descending=True)),
    ("nonzero", lambda xp, a, b, s, i, m: xp.nonzero(m)),
    ("searchsorted", lambda xp, a, b, s, i, m: xp.searchsorted(xp.sort(a[0, :]), b[0, :])),
    ("isin", lambda xp, a, b, s, i, m: xp.isin(i, xp.asarray([4, 12]))),
    ("where", lambda xp, a, b, s, i, m: xp.where(m, a, b)),
    ("where", lambda xp, a, b, s, i, m: xp.where(m, a, 0.0)),
    ("unique_all", lambda xp, a, b, s, i, m: tuple(xp.unique_all(i))),
    ("unique_counts", lambda xp, a, b, s, i, m: tuple(xp.unique_counts(i))),
    ("unique_inverse", lambda xp, a, b, s, i, m: tuple(xp.unique_inverse(i))),
    ("unique_values", lambda xp, a, b, s, i, m: xp.sort(xp.unique_values(i))),
    ("diff", lambda xp, a, b, s, i, m: xp.diff(a, axis=0, n=1, prepend=b)),
    # Shapes and indexing.
    ("broadcast_arrays", lambda xp, a, b, s, i, m: xp.broadcast_arrays(a, b[:1, :])),
    ("broadcast_shapes", lambda xp, a, b, s, i, m: xp.broadcast_shapes((2, 1), (3,))),
    ("broadcast_to", lambda xp, a, b, s, i, m: xp.broadcast_to(a, (2, 2, 3))),
    ("concat", lambda xp, a, b, s, i, m: xp.concat([a, b], axis=1)),
    ("concat", lambda xp, a, b, s, i, m: xp.concat((a, b), axis=None)),
    ("expand_dims", lambda xp, a, b, s, i, m: xp.expand_dims(a, axis=-1)),
    ("flip", lambda xp, a, b, s, i, m: xp.flip(a)),
    ("flip", lambda xp, a, b, s, i, m: xp.flip(a, axis=(1,))),
    ("matrix_transpose", lambda xp, a, b, s, i, m: xp.matrix_transpose(a)),
    ("meshgrid", lambda xp, a, b, s, i, m: xp.meshgrid(a[0, :], b[1, :2], indexing="ij")),
    ("meshgrid", lambda xp, a, b, s, i, m: xp.meshgrid(a[0, :], b[1, :2])),
    ("moveaxis", lambda xp, a, b, s, i, m: xp.moveaxis(a, 0, 1)),
    ("permute_dims", lambda xp, a, b, s, i, m: xp.permute_dims(a, (1, 0))),
    ("repeat", lambda xp, a, b, s, i, m: xp.repeat(a, 2, axis=0)),
    ("repeat", lambda xp, a, b, s, i, m: xp.repeat(a, xp.asarray([1, 0, 2]), axis=1)),
    ("reshape", lambda xp, a, b, s, i, m: xp.reshape(a, (3, -1))),
    ("roll", lambda xp, a, b, s, i, m: xp.roll(a, (1, 2), axis=(0, 1))),
    ("roll", lambda xp, a, b, s, i, m: xp.roll(a, 2)),
    ("squeeze", lambda xp, a, b, s, i, m: xp.squeeze(a[:1, :], axis=0)),
    ("stack", lambda xp, a, b, s, i, m: xp.stack([a, b], axis=-1)),
    ("take", lambda xp, a, b, s, i, m: xp.take(a, xp.asarray([2, 0]), axis=1)),
    ("take_along_axis", lambda xp, a, b, s, i, m: xp.take_along_axis(a, xp.argsort(a), axis=-1)),
    ("tile", lambda xp, a, b, s, i, m: xp.tile(a, (2, 1))),
    ("tril", lambda xp, a, b, s, i, m: xp.tril(a, k=-1)),
    ("triu", lambda xp, a, b, s, i, m: xp.triu(a, k=1)),
    ("unstack", lambda xp, a, b, s, i, m: xp.unstack(a, axis=1)),
    # Making arrays.
    ("arange", lambda xp, a, b, s, i, m: xp.arange(1, stop=7, step=2)),
    ("arange", lambda xp, a, b, s, i, m: xp.arange(3, dtype=xp.float64)),
    ("asarray", lambda xp, a, b, s, i, m: xp.asarray(a, copy=True)),
    ("astype", lambda xp, a, b, s, i, m: xp.astype(a, xp.float32)),
    ("empty", lambda xp, a, b, s, i, m: xp.empty((2, 3)).shape),
    ("empty_like", lambda xp, a, b, s, i, m: xp.empty_like(a, dtype=xp.float32).shape),
    ("eye", lambda xp, a, b, s, i, m: xp.eye(3, 4, k=1, dtype=xp.float64)),
    ("from_dlpack", lambda xp, a, b, s, i, m: xp.from_dlpack(i)),
    ("full", lambda xp, a, b, s, i, m: xp.full((2, 2), 7)),
    ("full_like", lambda xp, a, b, s, i, m: xp.full_like(a, 7)),
    ("linspace", lambda xp, a, b, s, i, m: xp.linspace(0, 1, 5, dtype=xp.float64)),
    (
        "linspace",
        lambda xp, a, b, s, i, m: xp.linspace(0, 1, num=5, endpoint=False, dtype=xp.float64),
    ),
    *[
        (name, lambda xp, a, b, s, i, m, n=name: getattr(xp, n)((2, 3), dtype=xp.float64))
        for name in ("ones", "zeros")
    ],
    *[
        (name, lambda xp, a, b, s, i, m, n=name: getattr(xp, n)(a, dtype=xp.int64))
        for name in ("ones_like", "zeros_like")
    ],
    # Types.
    ("can_cast", lambda xp, a, b, s, i, m: xp.can_cast(xp.float32, a.dtype)),
    ("finfo", lambda xp, a, b, s, i, m: (xp.finfo(xp.float32).bits, xp.finfo(a).eps)),
    ("iinfo", lambda xp, a, b, s, i, m: xp.iinfo(xp.int8).max),
    ("isdtype", lambda xp, a, b, s, i, m: xp.isdtype(a.dtype, ("real floating", xp.bool))),
    ("result_type", lambda xp, a, b, s, i, m: xp.result_type(a, xp.float32) == xp.float64),
    # Linear algebra.
    ("matmul", lambda xp, a, b, s, i, m: xp.matmul(a, s)),
    ("tensordot", lambda xp, a, b, s, i, m: xp.tensordot(a, b, axes=((0,), (0,)))),
    ("vecdot", lambda xp, a, b, s, i, m: xp.vecdot(a.mT, b.mT, axis=-2)),
    ("linalg.cholesky", lambda xp, a, b, s, i, m: xp.linalg.cholesky(s @ s.mT)),
    ("linalg.cholesky", lambda xp, a, b, s, i, m: xp.linalg.cholesky(s @ s.mT, upper=True)),
    ("linalg.cross", lambda xp, a, b, s, i, m: xp.linalg.cross(a, b)),
    *[
        (
            f"linalg.{name}",
            lambda xp, a, b, s, i, m, n=name: getattr(xp.linalg, n)(xp.stack([s, s.mT])),
        )
        for name in """
            det inv slogdet diagonal trace matrix_norm matrix_transpose matrix_rank
        """.split()
    ],
    ("linalg.matmul", lambda xp, a, b, s, i, m: xp.linalg.matmul(a, s)),
    ("linalg.matrix_power", lambda xp, a, b, s, i, m: xp.linalg.matrix_power(s, 3)),
    ("linalg.outer", lambda xp, a, b, s, i, m: xp.linalg.outer(a[0, :], b[1, :])),
    ("linalg.solve", lambda xp, a, b, s, i, m: xp.linalg.solve(xp.stack([s, s.mT]), a.mT)),
    ("linalg.solve", lambda xp, a, b, s, i, m: xp.linalg.solve(s, a[0, :])),
    ("linalg.tensordot", lambda xp, a, b, s, i, m: xp.linalg.tensordot(a, b)),
    ("linalg.vecdot", lambda xp, a, b, s, i, m: xp.linalg.vecdot(a, b)),
    ("linalg.vector_norm", lambda xp, a, b, s, i, m: xp.linalg.vector_norm(a, axis=1, ord=1)),
]

# What needs singular or eigenvalues, transforms, and types that demograd has not.
ABSENT = {
    "fft", "uint16", "uint32", "uint64",
    *[f"linalg.{name}" for name in
        "eig eigh eigvals eigvalsh pinv qr svd svdvals".split()],
}  # fmt: skip
CONSTANTS = {
    "bool", "complex128", "complex64", "e", "float32", "float64", "inf", "int16", "int32", "int64",
    "int8", "linalg", "nan", "newaxis", "pi", "uint8",
}  # fmt: skip


def results(value: Any) -> list[Any]:
    if isinstance(value, (tuple, list)):
        return [part for each in value for part in results(each)]
    return [value]


@pytest.mark.parametrize(("name", "call"), USES, ids=[f"{n}-{k}" for k, (n, _) in enumerate(USES)])
def test_each_name_of_the_standard_does_what_the_standard_says(name: str, call: Call) -> None:
    if not hasattr(strict.linalg if "." in name else strict, name.rpartition(".")[2]):
        pytest.skip("this array-api-strict is older than the name")
    tensors = [Tensor(v) for v in (A, B, S, I, M)]
    arrays = [strict.asarray(v) for v in (A, B, S, I, M)]
    ours = results(call(tensors[0].__array_namespace__(), *tensors))
    theirs = results(call(strict, *arrays))
    assert len(ours) == len(theirs)
    for found, expected in zip(ours, theirs, strict=True):
        if isinstance(expected, type(arrays[0])):
            assert isinstance(found, Tensor)
            assert str(found.dtype) == str(expected.dtype).rpartition(".")[2]
            np.testing.assert_allclose(found.numpy(), np.asarray(expected), rtol=1e-12, atol=1e-14)
        else:
            assert found == expected


def test_no_name_of_the_standard_is_forgotten() -> None:
    names = {n for n in strict.__all__ if not n.startswith(("_", "set_", "get_", "reset_"))}
    names -= {"ArrayAPIStrictFlags", "Device"}
    names |= {f"linalg.{n}" for n in strict.linalg.__all__}
    tested = {name for name, _ in USES}
    assert sorted(names - tested - ABSENT - CONSTANTS) == []
    xp = Tensor(A).__array_namespace__()
    for name in CONSTANTS:
        assert hasattr(xp, name)
    assert not hasattr(xp, "fft")
    assert not hasattr(xp.linalg, "svd")
    assert xp.__array_api_version__ == "2024.12"


def test_the_namespace_says_what_it_can_do() -> None:
    info = Tensor(A).__array_namespace__().__array_namespace_info__()
    assert info.capabilities()["boolean indexing"] is True
    assert (info.default_device(), info.devices()) == ("cpu", ["cpu"])
    assert info.default_dtypes()["real floating"] == dg.float32
    assert info.dtypes(kind="real floating") == {"float32": dg.float32, "float64": dg.float64}
    assert set(info.dtypes()) >= {"bool", "int8", "uint8", "complex128"}
    assert set(info.dtypes(kind=("integral", "bool"))) == {
        "bool", "int8", "int16", "int32", "int64", "uint8",
    }  # fmt: skip


def softmax(x: Any, axis: int) -> Any:
    """As a library that takes arrays of any library would write it."""
    xp = x.__array_namespace__()
    shifted = xp.exp(x - xp.max(x, axis=axis, keepdims=True))
    return shifted / xp.sum(shifted, axis=axis, keepdims=True)


def whiten(x: Any) -> Any:
    # array-api-strict takes the version for all that comes after, in the whole process.
    xp = x.__array_namespace__(**({"api_version": "2023.12"} if isinstance(x, Tensor) else {}))
    centred = x - xp.mean(x, axis=0, keepdims=True)
    spread = xp.matmul(centred.mT, centred) / (x.shape[0] - 1)
    identity = xp.eye(x.shape[1], dtype=x.dtype, device=x.device)
    factor = xp.linalg.cholesky(spread + 0.1 * identity)
    return xp.linalg.solve(factor, centred.mT).mT


@pytest.mark.parametrize("function", [lambda x: softmax(x, 1), whiten])
def test_code_for_any_array_library_is_differentiated(function: Any) -> None:
    ours = function(Tensor(S))
    np.testing.assert_allclose(ours.numpy(), np.asarray(function(strict.asarray(S))), rtol=1e-12)
    gradcheck(function, Tensor(S, requires_grad=True))
