"""CuPy as an array library: NumPy's functions on an NVIDIA or AMD GPU.

Reference: Okuta et al., "CuPy: a NumPy-compatible library for NVIDIA GPU calculations", 2017.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from demograd._backend import Backend, picks_each_place_once
from demograd.errors import DeviceError, MissingPackageError

__all__ = ["CupyBackend", "count_devices", "load"]

# The standard's names where CuPy still has NumPy's older ones alone.
_OLDER = {
    "acos": "arccos", "acosh": "arccosh", "asin": "arcsin", "asinh": "arcsinh", "atan": "arctan",
    "atan2": "arctan2", "atanh": "arctanh", "bitwise_invert": "invert", "bool": "bool_",
    "concat": "concatenate", "permute_dims": "transpose", "pow": "power",
}  # fmt: skip


def load() -> Any:
    """CuPy, imported when it is asked for.

    Raises:
        MissingPackageError: it is not installed.
    """
    try:
        import cupy
    except ImportError as error:
        raise MissingPackageError(
            'device: "cuda" needs CuPy, which is not installed.',
            mend="pip install cupy-cuda12x, or cupy-cuda13x, as nvidia-smi names the CUDA version.",
        ) from error
    return cupy


def count_devices(cupy: Any) -> int:
    """How many GPUs CuPy can use; none where there is no driver."""
    try:
        return int(cupy.cuda.runtime.getDeviceCount())
    except cupy.cuda.runtime.CUDARuntimeError:
        return 0


class CupyBackend(Backend):
    """CuPy on the GPUs that it sees.

    Raises:
        DeviceError: there is none.
    """

    on_host = False

    def __init__(self) -> None:
        super().__init__(load(), "cuda")
        self.linalg = _LinearAlgebra(self.namespace)
        if not count_devices(self.namespace):
            raise DeviceError(
                'device: "cuda" needs a GPU, and CuPy sees none.',
                [f"CuPy: {self.namespace.__version__}"],
                'device="cpu" computes here; nvidia-smi shows what the driver sees.',
            )

    def __getattr__(self, name: str) -> Any:
        older = _OLDER.get(name)
        if older is None or hasattr(self.namespace, name):
            return super().__getattr__(name)
        value = getattr(self.namespace, older)
        setattr(self, name, value)
        return value

    def astype(self, x: Any, dtype: Any, /, *, copy: bool = True) -> Any:
        return x.astype(np.dtype(dtype), copy=copy)

    def from_numpy(self, array: np.ndarray[Any, Any], index: int | None = None) -> Any:
        if index is None:
            return self.namespace.asarray(array)
        if index >= count_devices(self.namespace):
            raise DeviceError(
                f"device: there is no device cuda:{index}.",
                [f"GPUs: {count_devices(self.namespace)}, counted from 0"],
                'device="cuda" is the current one.',
            )
        with self.namespace.cuda.Device(index):
            return self.namespace.asarray(array)

    def to_numpy(self, x: Any) -> np.ndarray[Any, Any]:
        return np.asarray(self.namespace.asnumpy(x))

    def device_of(self, x: Any) -> str:
        return f"cuda:{x.device.id}"

    # NumPy's names that the standard spells otherwise, or that CuPy lacks.

    def cumulative_sum(self, x: Any, /, *, axis: Any = None) -> Any:
        return self.namespace.cumsum(x, axis=axis)

    def cumulative_prod(self, x: Any, /, *, axis: Any = None) -> Any:
        return self.namespace.cumprod(x, axis=axis)

    def argsort(self, x: Any, /, *, axis: int = -1, stable: bool = True) -> Any:
        return self.namespace.argsort(x, axis=axis)  # it is stable, and takes no word for it

    def matrix_transpose(self, x: Any, /) -> Any:
        return self.namespace.swapaxes(x, -1, -2)

    # Places. CuPy lets an index that is outside run on from the beginning, so all are checked.

    def index(self, x: Any, index: Any) -> Any:
        _check(x.shape, self._known(index))
        return x[self._on_device(index)]

    def index_add(self, shape: tuple[int, ...], index: Any, values: Any) -> Any:
        known = self._known(index)
        _check(shape, known)
        out = self.namespace.zeros(shape, dtype=values.dtype)
        if picks_each_place_once(known):
            out[self._on_device(index)] = values
        else:
            self.namespace.add.at(out, self._on_device(index), values)
        return out

    def index_set(self, x: Any, index: Any, values: Any) -> Any:
        known = self._known(index)
        _check(x.shape, known)
        if not picks_each_place_once(known):
            return super().index_set(x, known, values)  # of values for one place the last stays
        out = x.copy()
        out[self._on_device(index)] = values
        return out

    def windows(self, x: Any, axis: int, length: int, step: int = 1, spacing: int = 1) -> Any:
        # A view: nothing is copied, however much the windows overlap.
        count = (x.shape[axis] - spacing * (length - 1) - 1) // step + 1
        stride = x.strides[axis]
        return self.namespace.lib.stride_tricks.as_strided(
            x,
            (*x.shape[:axis], count, length, *x.shape[axis + 1 :]),
            (*x.strides[:axis], step * stride, spacing * stride, *x.strides[axis + 1 :]),
        )

    def erf(self, x: Any) -> Any:
        from cupyx.scipy.special import erf

        return erf(x)

    def _known(self, index: Any) -> Any:
        """The index with NumPy's arrays in place of CuPy's."""
        array, asnumpy = self.namespace.ndarray, self.namespace.asnumpy
        return _parts(index, lambda x: asnumpy(x) if isinstance(x, array) else x)

    def _on_device(self, index: Any) -> Any:
        asarray = self.namespace.asarray
        return _parts(index, lambda x: asarray(x) if isinstance(x, np.ndarray) else x)


class _LinearAlgebra:
    """``cupy.linalg``, and what the standard has there and CuPy elsewhere."""

    def __init__(self, cupy: Any) -> None:
        self._cupy = cupy

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cupy.linalg, name)

    def diagonal(self, x: Any, /, *, offset: int = 0) -> Any:
        return self._cupy.diagonal(x, offset, -2, -1)


def _parts(index: Any, change: Any) -> Any:
    if type(index) is tuple:
        return tuple([change(part) for part in index])
    return change(index)


def _check(shape: tuple[int, ...], index: Any) -> None:
    """Raise IndexError where NumPy would."""
    np.broadcast_to(False, shape)[index]
