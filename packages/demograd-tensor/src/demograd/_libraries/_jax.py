"""JAX as an array library: its arrays, and the tracers of ``jax.jit``.

JAX's arrays are never written to: what changes one makes another. A tracer stands for values that
are known when the compiled program runs, so nothing here looks at values without asking first.

Reference: Bradbury et al., "JAX: composable transformations of Python+NumPy programs", 2018.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from demograd._backend import Backend, picks_each_place_once
from demograd.errors import DeviceError, DtypeError, MissingPackageError

__all__ = ["JaxBackend"]


class JaxBackend(Backend):
    """JAX, on whichever devices it sees."""

    def __init__(self) -> None:
        # Here and not above: the module can be read, and its documentation run, without JAX.
        try:
            import jax
            import jax.numpy
        except ImportError as error:
            raise MissingPackageError(
                'device: "jax" needs JAX, which is not installed.', mend="pip install jax"
            ) from error
        super().__init__(jax.numpy, "jax")
        self._jax = jax

    # Without its 64-bit types, which are off at first, JAX gives narrower ones in silence.

    @property
    def int64(self) -> Any:
        """JAX's widest integers."""
        return self._jax.dtypes.canonicalize_dtype(np.int64)

    def _type(self, dtype: Any) -> Any:
        wanted = np.dtype(dtype)
        found = self._jax.dtypes.canonicalize_dtype(wanted)
        if found != wanted and wanted.kind in "fc":
            raise DtypeError(
                f"jax: {wanted} is switched off there, and {found} would be less exact.",
                mend='jax.config.update("jax_enable_x64", True), before any array is made.',
            )
        return found

    def astype(self, x: Any, dtype: Any, /, *, copy: bool = True) -> Any:
        return self.namespace.astype(x, self._type(dtype), copy=copy)

    def from_numpy(self, array: np.ndarray[Any, Any], index: int | None = None) -> Any:
        kind = self._type(array.dtype)
        if kind != array.dtype and array.size:
            least, most = np.iinfo(kind).min, np.iinfo(kind).max
            if array.min() < least or array.max() > most:
                raise DtypeError(
                    f"jax: {array.dtype} is switched off there, and the values do not fit {kind}.",
                    [f"values: {array.min()} to {array.max()}"],
                    'jax.config.update("jax_enable_x64", True), before any array is made.',
                )
        # A copy: NumPy's memory may be changed later.
        made = self.namespace.array(array, dtype=kind)
        return made if index is None else self._jax.device_put(made, self._device(index))

    def to_numpy(self, x: Any) -> np.ndarray[Any, Any]:
        return np.asarray(x)

    def _device(self, index: int) -> Any:
        devices = self._jax.devices()
        if index >= len(devices):
            raise DeviceError(
                f"device: there is no device jax:{index}.",
                [f"jax sees: {', '.join(map(str, devices))}"],
                'device="jax" is its default device.',
            )
        return devices[index]

    def device_of(self, x: Any) -> str:
        if self.is_traced(x):
            return "jax"
        devices = x.devices()
        if len(devices) != 1:
            return "jax"  # spread over several: JAX knows where
        known, (device,) = self._jax.devices(), devices
        # JAX itself refuses to mix its kinds of devices; those that are not its default's are one.
        number = known.index(device) if device in known else 0
        return f"jax:{number}" if number else "jax"

    def is_traced(self, x: Any) -> bool:
        return isinstance(x, self._jax.core.Tracer)

    # Places. JAX takes an index that is outside for the nearest one; what is known is checked here,
    # and what is traced gives NaN.

    def index(self, x: Any, index: Any) -> Any:
        known = self._known(index)
        if known is None:
            return x.at[index].get(mode="fill", fill_value=None)
        _check(x.shape, known)
        return x[known]

    def index_add(self, shape: tuple[int, ...], index: Any, values: Any) -> Any:
        known = self._known(index)
        if known is not None:
            _check(shape, known)
        zeros = self.namespace.zeros(shape, dtype=values.dtype)
        return zeros.at[index if known is None else known].add(values)

    def index_set(self, x: Any, index: Any, values: Any) -> Any:
        values = self.namespace.asarray(values, dtype=x.dtype)
        known = self._known(index)
        if known is None:
            return x.at[index].set(values)
        _check(x.shape, known)
        if picks_each_place_once(known):
            return x.at[known].set(values)
        return super().index_set(x, known, values)  # of values for one place the last one stays

    def _known(self, index: Any) -> Any:
        """The index with NumPy's arrays in place of JAX's; None if a part is traced."""
        parts = index if type(index) is tuple else (index,)
        if any(self.is_traced(part) for part in parts):
            return None
        plain = tuple([np.asarray(p) if isinstance(p, self._jax.Array) else p for p in parts])
        return plain if type(index) is tuple else plain[0]

    def overlap_add(
        self,
        shape: tuple[int, ...],
        parts: Iterable[tuple[Any, Any]],
        *,
        disjoint: bool = False,
    ) -> Any:
        out: Any = None
        for index, values in parts:
            if out is None:
                out = self.namespace.zeros(shape, dtype=values.dtype)
            out = out.at[index].add(values)
        return out

    def erf(self, x: Any) -> Any:
        return self._jax.scipy.special.erf(x)


def _check(shape: tuple[int, ...], index: Any) -> None:
    """Raise IndexError where NumPy would."""
    np.broadcast_to(False, shape)[index]
