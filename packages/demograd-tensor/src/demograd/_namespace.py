"""The array API's names on Tensors, as far as the core has them.

These are what the core's own derivative rules need, so the core is closed under differentiation.
``_tensor_backend.py`` looks here first.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from demograd import (
    _arithmetic,
    _casting,
    _comparing,
    _creation,
    _inplace,
    _matmul,
    _shaping,
)
from demograd._dtype import native
from demograd._libraries import _moving
from demograd._standard import STANDARD_FUNCTIONS
from demograd._tensor import Tensor

__all__ = ["FUNCTIONS"]


def astype(x: Tensor, dtype: Any, /, *, copy: bool = True) -> Tensor:
    return _casting.clone(x) if copy and x.dtype == native(dtype) else _casting.cast_to(x, dtype)


def asarray(
    x: Any, /, *, dtype: Any = None, device: Any = None, copy: bool | None = None
) -> Tensor:
    tensor = x if isinstance(x, Tensor) else _creation.as_tensor(x, dtype=dtype, device=device)
    return astype(tensor, tensor.dtype if dtype is None else dtype, copy=bool(copy))


# NumPy takes the axis by place as well: np.sum(x, 0).


def sum(x: Tensor, /, axis: Any = None, dtype: Any = None, *, keepdims: bool = False) -> Tensor:
    if axis == ():
        return x if dtype is None else _casting.cast_to(x, dtype)  # over no dimension
    return _shaping.sum(x, axis, keepdims, dtype=dtype)


def mean(x: Tensor, /, axis: Any = None, *, keepdims: bool = False) -> Tensor:
    return x if axis == () else _shaping.mean(x, axis, keepdims)


def reshape(x: Tensor, /, shape: tuple[int, ...], *, copy: bool | None = None) -> Tensor:
    return _shaping.reshape(x, shape)


def permute_dims(x: Tensor, /, axes: tuple[int, ...] | None = None) -> Tensor:
    return x.T if axes is None else _shaping.permute(x, axes)


def broadcast_to(x: Tensor, /, shape: tuple[int, ...]) -> Tensor:
    return x if x.shape == tuple(shape) else _shaping.expand(x, shape)


def expand_dims(x: Tensor, /, axis: int = 0) -> Tensor:
    place = axis % (x.ndim + 1)
    return _shaping.reshape(x, (*x.shape[:place], 1, *x.shape[place:]))


def row_sums(x: Tensor) -> Tensor:
    return _shaping.sum(x, -1, keepdim=True)


def row_products(x: Tensor, y: Tensor) -> Tensor:
    return _matmul.matmul(x, y.mT)


def row_dots(x: Tensor, y: Tensor) -> Tensor:
    return _shaping.sum(x * y, -1, keepdim=True)


def index_set(x: Any, index: Any, values: Any) -> Tensor:
    values = values if isinstance(values, Tensor) else Tensor(values, dtype=x.dtype)
    return _inplace.with_index_set(x, _shaping._plain_index(index), values)


FUNCTIONS: dict[str, Any] = {
    **STANDARD_FUNCTIONS,
    "add": _arithmetic.add,
    "all": _comparing.all,
    "any": _comparing.any,
    "asarray": asarray,
    "astype": astype,
    "broadcast_to": broadcast_to,
    "bitwise_and": _comparing.bitwise_and,
    "bitwise_invert": _comparing.bitwise_not,
    "bitwise_or": _comparing.bitwise_or,
    "bitwise_xor": _comparing.bitwise_xor,
    "divide": _arithmetic.div,
    "equal": _comparing.eq,
    "expand_dims": expand_dims,
    "floor_divide": _arithmetic.floor_divide,
    "greater": _comparing.gt,
    "greater_equal": _comparing.ge,
    "index": _shaping.index,
    "index_add": _shaping.index_add,
    "index_set": index_set,
    "isfinite": _comparing.isfinite,
    "isinf": _comparing.isinf,
    "isnan": _comparing.isnan,
    "less": _comparing.lt,
    "less_equal": _comparing.le,
    "log": _arithmetic.log,
    "logical_and": _comparing.logical_and,
    "logical_not": _comparing.logical_not,
    "logical_or": _comparing.logical_or,
    "logical_xor": _comparing.logical_xor,
    "matmul": _matmul.matmul,
    "matrix_transpose": _shaping.matrix_transpose,
    "mean": mean,
    "moved": _moving.moved,
    "multiply": _arithmetic.mul,
    "negative": _arithmetic.neg,
    "not_equal": _comparing.ne,
    "ones": _creation.ones,
    "ones_like": _creation.ones_like,
    "permute_dims": permute_dims,
    "pow": _arithmetic.pow,
    "remainder": _arithmetic.remainder,
    "reshape": reshape,
    "row_dots": row_dots,
    "row_products": row_products,
    "row_sums": row_sums,
    "subtract": _arithmetic.sub,
    "sum": sum,
    "where": _arithmetic.where,
    "full": _creation.full,
    "full_like": _creation.full_like,
    "zeros": _creation.zeros,
    "zeros_like": _creation.zeros_like,
    "float32": np.dtype("float32"),
    "float64": np.dtype("float64"),
    "int64": np.dtype("int64"),
    "bool": np.dtype("bool"),
    "pi": np.pi,
    "inf": np.inf,
    "nan": np.nan,
    "e": np.e,
    "newaxis": None,
}
