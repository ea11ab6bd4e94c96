"""How a Tensor shows: PyTorch's layout, printed by NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from demograd import _dtype
from demograd._backend import backend_of

if TYPE_CHECKING:
    from demograd._tensor import Tensor

__all__ = ["tensor_text"]

_THRESHOLD = 1000  # elements; above, only the edges are shown


def tensor_text(x: Tensor) -> str:
    """``tensor(values, dtype=..., grad_fn=...)``: what is not the default is said."""
    library = backend_of(x._data)
    if library.wraps:
        return f"tensor({x._data!r})"
    if library.is_traced(x._data):
        return f"tensor(shape={x.shape}, dtype={x.dtype}, traced by {library.name})"
    array = library.to_numpy(x._data)
    prefix = "tensor("
    if array.size == 0:
        values = "[]" if array.ndim == 1 else f"[], size={array.shape}"
    else:
        values = np.array2string(
            array, separator=", ", prefix=prefix, threshold=_THRESHOLD, **_number_style(array)
        )
    parts = [values]
    if array.dtype not in (_dtype.get_default_dtype(), np.dtype("int64"), np.dtype("bool")) or (
        array.size == 0 and array.dtype != _dtype.get_default_dtype()
    ):
        parts.append(f"dtype={array.dtype}")
    if x._node is not None:
        parts.append(f"grad_fn={x._node!r}")
    elif x._requires_grad:
        parts.append("requires_grad=True")
    return prefix + ", ".join(parts) + ")"


def _number_style(array: Any) -> dict[str, Any]:
    """Whole floats as ``1.``, others with four decimals, very large or small ones as 1.0e+05."""
    if array.dtype.kind == "b":
        pad = " " if array.ndim and array.any() and not array.all() else ""
        return {"formatter": {"bool": lambda value: pad + "True" if value else "False"}}
    if array.dtype.kind != "f":
        return {}
    finite = np.abs(array[np.isfinite(array)].astype(np.float64))
    nonzero = finite[finite > 0]
    whole = bool(np.all(nonzero == np.floor(nonzero)))
    if nonzero.size and (
        nonzero.max() / nonzero.min() > 1e3
        or nonzero.max() > 1e8
        or (not whole and nonzero.min() < 1e-4)
    ):
        return {"formatter": {"float_kind": _scientific}}
    if whole and array.ndim == 0 and nonzero.size:
        return {"formatter": {"float_kind": lambda value: f"{value:.0f}."}}
    floatmode = "maxprec_equal" if whole else "fixed"
    return {"precision": 4, "floatmode": floatmode, "suppress_small": True}


def _scientific(value: Any) -> str:
    return np.format_float_scientific(value, precision=4, unique=False, exp_digits=2)
