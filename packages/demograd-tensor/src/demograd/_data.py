"""Which array a Tensor holds of the data that it is given."""

from __future__ import annotations

from typing import Any

import numpy as np

from demograd import _dtype, _tensor
from demograd._backend import as_numpy, backend_of, is_array
from demograd._dtype import DTypeLike, as_dtype
from demograd.errors import ArgumentTypeError, GradientError

__all__ = ["as_data"]

_PLAIN = frozenset([bool, int, float, complex, list, tuple])


def as_data(data: Any, dtype: DTypeLike | None) -> Any:
    """The array for a new Tensor: shared where ``data`` is an array of the right type."""
    if isinstance(data, _tensor.Tensor):
        data = data.data
    wanted = None if dtype is None else as_dtype(dtype)
    if isinstance(data, (np.ndarray, np.generic)):
        if type(data) is not np.ndarray and isinstance(data, np.ma.MaskedArray):
            raise ArgumentTypeError(
                "tensor: a masked array has a mask, which a tensor would lose.",
                [f"data: shape {data.shape}, {np.sum(data.mask)} elements masked"],
                "data.filled(0) is an array; dg.where(mask, x, y) chooses, with the gradient.",
            )
        array = np.asarray(data)
    elif type(data) not in _PLAIN and is_array(data):
        xp = backend_of(data)
        return data if wanted is None else xp.astype(data, wanted, copy=False)
    else:
        array = _from_python(data)
    if wanted is None:
        if array.dtype.kind == "f" and not isinstance(data, (np.ndarray, np.generic)):
            # Python floats take the default type, unless an array among them chose another.
            if not _holds_arrays(data):
                wanted = _dtype.get_default_dtype()
        wanted = wanted or _supported(array)
    if array.dtype != wanted or not array.dtype.isnative:
        array = array.astype(wanted)
    # A number is kept as a NumPy scalar: its arithmetic is eight times as fast as an array's.
    return array if isinstance(data, np.ndarray) else array[()]


def _supported(array: np.ndarray[Any, Any]) -> Any:
    try:
        return as_dtype(array.dtype)
    except ArgumentTypeError as error:
        raise ArgumentTypeError(
            f"tensor: data of dtype {array.dtype} cannot be held.",
            mend="Give numbers, nested lists of numbers of one shape, or a numeric array.",
        ) from error


def _from_python(data: Any) -> np.ndarray[Any, Any]:
    try:
        return np.asarray(_unwrap(data))
    except (ValueError, TypeError) as error:
        if isinstance(error, GradientError):
            raise
        raise ArgumentTypeError(
            "tensor: the data are not numbers in a rectangular array.",
            [f"data: {type(data).__name__}: {error}"],
            "Give numbers, or nested lists of equal lengths.",
        ) from error


def _unwrap(data: Any) -> Any:
    # Tensors inside lists: their values, refused where a gradient would be cut in silence.
    if isinstance(data, _tensor.Tensor):
        if data.requires_grad:
            raise GradientError(
                "tensor: a list of tensors that require gradients would lose them.",
                [data._describe()],
                "dg.stack([...]) keeps the graph; x.detach() says that it may be cut.",
            )
        return as_numpy(data._data)
    if isinstance(data, (list, tuple)) and any(
        isinstance(x, (_tensor.Tensor, list, tuple)) for x in data
    ):
        return [_unwrap(x) for x in data]
    return data


def _holds_arrays(data: Any) -> bool:
    if isinstance(data, (list, tuple)):
        return any(_holds_arrays(x) for x in data[:1])
    return hasattr(data, "dtype")
