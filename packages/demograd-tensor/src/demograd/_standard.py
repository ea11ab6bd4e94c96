"""The array API's names that no rule needs: facts about types and arrays, and integers.

``_namespace.py`` takes them up, so code that is written against the standard runs on Tensors.

Reference: Python array API standard, 2024.12.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from demograd import _creation, _dtype, _shaping
from demograd._dlpack import from_dlpack
from demograd._dtype import as_dtype, native
from demograd._numpy._computed import computed, without_rule
from demograd._tensor import Tensor
from demograd.errors import ArgumentError

__all__ = ["STANDARD_FUNCTIONS", "NamespaceInfo"]

_TYPES = {
    "bool": ("bool",),
    "signed integer": ("int8", "int16", "int32", "int64"),
    "unsigned integer": ("uint8",),
    "real floating": ("float32", "float64"),
    "complex floating": ("complex64", "complex128"),
}
_GROUPS = {
    "integral": ("signed integer", "unsigned integer"),
    "numeric": ("signed integer", "unsigned integer", "real floating", "complex floating"),
}


def _kind(x: Any) -> Any:
    """The data type that is meant: that of a tensor, or the type itself."""
    return x.dtype if hasattr(x, "dtype") and not isinstance(x, (type, np.dtype)) else native(x)


def can_cast(from_: Any, to: Any, /) -> bool:
    """Whether a type can be cast to another by the rules of promotion."""
    return bool(np.can_cast(_kind(from_), _kind(to)))


def finfo(type: Any, /) -> Any:
    """The limits of a floating type."""
    return np.finfo(_kind(type))


def iinfo(type: Any, /) -> Any:
    """The limits of an integer type."""
    return np.iinfo(_kind(type))


def isdtype(dtype: Any, kind: Any) -> bool:
    """Whether a type is of a kind, such as ``"real floating"``."""
    return bool(np.isdtype(native(dtype), kind))


def result_type(*arrays_and_dtypes: Any) -> Any:
    """The type of a result: a type counts as an array of it, and a number never widens."""
    stand_ins = [
        np.empty(1, native(x)) if isinstance(x, (type, np.dtype)) else x for x in arrays_and_dtypes
    ]
    return _dtype.result_type(*stand_ins)


def arange(
    start: Any, /, stop: Any = None, step: Any = 1, *, dtype: Any = None, device: Any = None
) -> Tensor:
    """Numbers from ``start`` up to, and without, ``stop``; from 0 where one number is given."""
    if stop is None:
        start, stop = 0, start
    return _creation.arange(start, stop, step, dtype=dtype, device=device)


def eye(
    n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: Any = None, device: Any = None
) -> Tensor:
    """Ones on the k-th diagonal, zeros elsewhere."""
    if k == 0:
        return _creation.eye(n_rows, n_cols, dtype=dtype, device=device)
    kind = _dtype.get_default_dtype() if dtype is None else as_dtype(dtype)
    return _creation.tensor(np.eye(n_rows, n_cols, k, dtype=kind), device=device)


def linspace(
    start: Any, stop: Any, /, num: int, *, dtype: Any = None, device: Any = None,
    endpoint: bool = True,
) -> Tensor:  # fmt: skip
    """``num`` numbers at equal distances, the last of them ``stop``, or short of it."""
    kind = _dtype.get_default_dtype() if dtype is None else as_dtype(dtype)
    return _creation.tensor(np.linspace(start, stop, num, endpoint, dtype=kind), device=device)


def broadcast_arrays(*arrays: Tensor) -> list[Tensor]:
    """All in the shape that they have together."""
    shape = np.broadcast_shapes(*[x.shape for x in arrays])
    return [x if x.shape == shape else _shaping.expand(x, shape) for x in arrays]


def meshgrid(*arrays: Tensor, indexing: str = "xy") -> list[Tensor]:
    """Coordinates of a grid, from those along each side."""
    if indexing not in ("xy", "ij"):
        raise ArgumentError(f"meshgrid: indexing is {indexing!r}.", mend='Use "xy" or "ij".')
    count = len(arrays)
    order = [1, 0, *range(2, count)] if indexing == "xy" and count > 1 else list(range(count))
    sides = [
        _shaping.reshape(x, [-1 if place == d else 1 for d in range(count)])
        for x, place in zip(arrays, order, strict=True)
    ]
    return broadcast_arrays(*sides)


def positive(x: Tensor, /) -> Tensor:
    """The tensor itself."""
    return x


def conj(x: Tensor, /) -> Any:
    """The conjugate: of real numbers themselves."""
    return x if x.dtype.kind != "c" else computed(np.conjugate, (x,), {})


def real(x: Tensor, /) -> Any:
    """The real part."""
    return x if x.dtype.kind != "c" else computed(np.real, (x,), {})


def imag(x: Tensor, /) -> Any:
    """The imaginary part."""
    return computed(np.imag, (x,), {})


def nextafter(x1: Any, x2: Any, /) -> Any:
    """The next number of the type, in the direction of the second; it has no derivative rule."""
    return without_rule("nextafter", np.nextafter, (x1, x2), {})


def _numpys(name: str) -> Callable[..., Any]:
    """A function whose results are integers or booleans, by NumPy."""

    def function(*args: Any, **kwargs: Any) -> Any:
        return computed(getattr(np, name), args, kwargs)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"The standard's ``{name}``; the result carries no gradient."
    return function


def _uniques(name: str) -> Callable[..., Any]:
    """Values that differ: NumPy finds them, so they carry no gradient, and none may be lost."""

    def function(x: Tensor, /) -> Any:
        return without_rule(name, getattr(np, name), (x,), {})

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"The standard's ``{name}``; refused where a gradient would be lost."
    return function


class NamespaceInfo:
    """What the namespace can do, as the standard asks: ``xp.__array_namespace_info__()``."""

    def capabilities(self) -> dict[str, Any]:
        """Boolean masks and shapes that depend on data are there."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> Any:
        """Where new tensors are made."""
        return "cpu"

    def devices(self) -> list[Any]:
        """Where tensors can be made without another library."""
        return ["cpu"]

    def default_dtypes(self, *, device: Any = None) -> dict[str, Any]:
        """The types of new tensors."""
        floating = _dtype.get_default_dtype()
        return {
            "real floating": floating,
            "complex floating": np.dtype("complex64" if floating == "float32" else "complex128"),
            "integral": np.dtype("int64"),
            "indexing": np.dtype("int64"),
        }

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, Any]:
        """The types that there are, all or those of a kind."""
        kinds = (kind,) if isinstance(kind, str) else tuple(_TYPES) if kind is None else kind
        groups = [g for k in kinds for g in _GROUPS.get(k, (k,))]
        return {name: as_dtype(name) for g in groups for name in _TYPES[g]}


STANDARD_FUNCTIONS: dict[str, Any] = {
    **{name: as_dtype(name) for names in _TYPES.values() for name in names},
    "arange": arange,
    "bitwise_left_shift": _numpys("left_shift"),
    "bitwise_right_shift": _numpys("right_shift"),
    "broadcast_arrays": broadcast_arrays,
    "broadcast_shapes": np.broadcast_shapes,
    "can_cast": can_cast,
    "conj": conj,
    "count_nonzero": _numpys("count_nonzero"),
    "empty": _creation.empty,
    "empty_like": _creation.empty_like,
    "eye": eye,
    "finfo": finfo,
    "from_dlpack": from_dlpack,
    "iinfo": iinfo,
    "imag": imag,
    "isdtype": isdtype,
    "isin": _numpys("isin"),
    "linspace": linspace,
    "meshgrid": meshgrid,
    "nextafter": nextafter,
    "nonzero": _numpys("nonzero"),
    "positive": positive,
    "real": real,
    "result_type": result_type,
    "searchsorted": _numpys("searchsorted"),
    "signbit": _numpys("signbit"),
    "unique_all": _uniques("unique_all"),
    "unique_counts": _uniques("unique_counts"),
    "unique_inverse": _uniques("unique_inverse"),
    "unique_values": _uniques("unique_values"),
}
