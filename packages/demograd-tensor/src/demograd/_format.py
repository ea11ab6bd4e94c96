"""How a Tensor shows: PyTorch's layout, printed by NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from demograd import _dtype

if TYPE_CHECKING:
    from demograd._tensor import Tensor

__all__ = ["tensor_text"]

_THRESHOLD = 1000  # elements; above, only the edges are shown


def tensor_text(x: Tensor) -> str:
    """``tensor(values, dtype=..., grad_fn=...)``: what is not the default is said."""
    array = np.asarray(x._data)
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
        return {"formatter": {"bool": lambda value: "True" if value else "False"}}
    if array.dtype.kind != "f":
        return {}
    finite = np.abs(array[np.isfinite(array)].astype(np.float64))
    nonzero = finite[finite > 0]
    if nonzero.size == 0 or (np.all(nonzero == np.floor(nonzero)) and nonzero.max() < 1e8):
        return {"precision": 4, "floatmode": "maxprec_equal", "suppress_small": True}
    scientific = nonzero.max() >= 1e8 or nonzero.min() < 1e-4 or nonzero.max() / nonzero.min() > 1e3
    if scientific:
        return {
            "formatter": {"float_kind": lambda value: np.format_float_scientific(
                value, precision=4, unique=False, exp_digits=2)}
        }  # fmt: skip
    return {"precision": 4, "floatmode": "fixed", "suppress_small": True}
