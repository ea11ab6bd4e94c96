"""The data types, and which one a result has.

A data type is NumPy's own ``dtype`` object under PyTorch's name. Promotion is PyTorch's: a
tensor of floats stays as it is whatever integers, Python numbers or zero-dimensional tensors it
meets, so that float64 does not creep in.

Reference: PyTorch, "Tensor Attributes", type promotion.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from demograd.errors import ArgumentTypeError

__all__ = [
    "DIFFERENTIABLE",
    "DTypeLike",
    "as_dtype",
    "bool_",
    "complex64",
    "complex128",
    "float16",
    "float32",
    "float64",
    "get_default_dtype",
    "int8",
    "int16",
    "int32",
    "int64",
    "is_floating",
    "native",
    "result_type",
    "set_default_dtype",
    "uint8",
]

DTypeLike = Any

float16 = np.dtype("float16")
float32 = np.dtype("float32")
float64 = np.dtype("float64")
int8 = np.dtype("int8")
int16 = np.dtype("int16")
int32 = np.dtype("int32")
int64 = np.dtype("int64")
uint8 = np.dtype("uint8")
bool_ = np.dtype("bool")
complex64 = np.dtype("complex64")
complex128 = np.dtype("complex128")

DIFFERENTIABLE: frozenset[Any] = frozenset([float16, float32, float64])
_SUPPORTED = {
    d.name: d
    for d in (
        *(float16, float32, float64),
        *(int8, int16, int32, int64, uint8, bool_, complex64, complex128),
    )
}

_default = float32


def get_default_dtype() -> np.dtype[Any]:
    """The data type of Python floats in ``tensor([...])`` and of the factories.

    >>> get_default_dtype()
    dtype('float32')
    """
    return _default


def set_default_dtype(dtype: DTypeLike) -> None:
    """Make new floats of this type; a floating one.

    Raises:
        ArgumentTypeError: the type is not a floating one.
    """
    global _default
    chosen = as_dtype(dtype)
    if chosen not in DIFFERENTIABLE:
        raise ArgumentTypeError(
            f"set_default_dtype: {chosen} is not a floating type.",
            mend="Use dg.float32 or dg.float64.",
        )
    _default = chosen


def as_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """The data type meant by a dtype, a NumPy scalar type, a Python type or a name.

    >>> as_dtype("float64"), as_dtype(float), as_dtype(bool)
    (dtype('float64'), dtype('float64'), dtype('bool'))

    Raises:
        ArgumentTypeError: demograd has no such type.
    """
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = None
    if found is None or found.name not in _SUPPORTED:
        raise ArgumentTypeError(
            f"dtype: {dtype!r} is not a data type of demograd.",
            mend="Use one of: " + ", ".join(f"dg.{name}" for name in _SUPPORTED) + ".",
        )
    return _SUPPORTED[found.name]  # in native byte order


def native(dtype: Any) -> Any:
    """NumPy's data type of the same name as another array library's."""
    # Such as ``array_api_strict.float32``: the last word is the standard's name of the type.
    return dtype if isinstance(dtype, np.dtype) else np.dtype(str(dtype).rpartition(".")[2])


def is_floating(dtype: Any) -> bool:
    """Whether tensors of this type can require a gradient.

    >>> is_floating(float32), is_floating(int64)
    (True, False)
    """
    return dtype in DIFFERENTIABLE


_CATEGORY = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}
_PYTHON_CATEGORY: dict[type, int] = {bool: 0, int: 1, float: 2, complex: 3}


def result_type(*operands: Any) -> np.dtype[Any]:
    """The type of a result, by PyTorch's promotion.

    Arrays with dimensions decide; a zero-dimensional array, and then a Python number, counts only
    if it is of a higher category (bool < integer < float < complex).

    Args:
        operands: arrays (anything with ``dtype`` and ``ndim``) or Python numbers.

    >>> result_type(np.zeros(2, "float32"), np.zeros((), "float64"))
    dtype('float32')
    >>> result_type(np.zeros(2, "int64"), 0.5)
    dtype('float32')
    """
    with_dims: Any = None
    without: Any = None
    number = -1
    for x in operands:
        dtype = getattr(x, "dtype", None)
        dtype = None if dtype is None else native(dtype)
        if dtype is None:
            number = max(number, _PYTHON_CATEGORY[type(x)])
        elif x.ndim:
            with_dims = dtype if with_dims is None else _promote(with_dims, dtype)
        else:
            without = dtype if without is None else _promote(without, dtype)
    result = with_dims
    if without is not None and (result is None or _CATEGORY[without.kind] > _CATEGORY[result.kind]):
        result = without if result is None else _promote_category(result, without)
    category = -1 if result is None else _CATEGORY[result.kind]
    if number > category:
        if number == 3:
            return complex128 if result == float64 else complex64
        return (bool_, int64, _default)[number]
    return result if result is not None else _default


def _promote(x: Any, y: Any) -> Any:
    if x.kind in "iub" and y.kind == "f":
        return y
    if y.kind in "iub" and x.kind == "f":
        return x
    if x.kind in "iub" and y.kind == "c":
        return y
    if y.kind in "iub" and x.kind == "c":
        return x
    return np.promote_types(x, y)


def _promote_category(low: Any, high: Any) -> Any:
    # A zero-dimensional operand of a higher category gives its own type, as in PyTorch.
    return np.promote_types(low, high) if high.kind == "c" and low.kind == "f" else high
