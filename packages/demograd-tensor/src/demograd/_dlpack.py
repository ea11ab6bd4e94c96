"""DLPack: memory that is shared with another array library, without a copy.

Reference: DLPack 1.0, and the array API standard's ``__dlpack__`` and ``from_dlpack``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from demograd._tensor import Tensor
from demograd.errors import ArgumentTypeError, SharingError

__all__ = ["dlpack", "dlpack_device", "from_dlpack"]

_KNOWS_VERSIONS = np.lib.NumpyVersion(np.__version__) >= "2.1.0"


def dlpack(
    x: Tensor,
    stream: Any = None,
    max_version: tuple[int, int] | None = None,
    dl_device: tuple[int, int] | None = None,
    copy: bool | None = None,
) -> Any:
    """A capsule of the tensor's memory, for the ``from_dlpack`` of another library.

    Raises:
        SharingError: the tensor requires a gradient, which the other library could not carry; the
            memory is read-only and the consumer is too old to be told so; or a copy is needed and
            not allowed.
    """
    if x.requires_grad:
        raise SharingError(
            "__dlpack__: the tensor requires a gradient, which would not be carried.",
            [x._describe()],
            "Give x.detach(), which shares the memory.",
        )
    settings = {"stream": stream, "max_version": max_version, "dl_device": dl_device, "copy": copy}
    given = {key: value for key, value in settings.items() if value is not None}
    array = x.data
    if isinstance(array, np.ndarray) and not _KNOWS_VERSIONS:
        # NumPy 2.0 gives the old kind of capsule, which every consumer takes, and knows no copy.
        array, given = array.copy() if copy else array, {}
    try:
        return array.__dlpack__(**given)
    except BufferError as error:
        raise SharingError(
            "__dlpack__: the memory of the tensor cannot be shared.",
            [x._describe(), f"its library says: {error}"],
            "Give x.clone(), whose memory is its own.",
        ) from error


def dlpack_device(x: Tensor) -> tuple[int, int]:
    """The kind and the number of the device, in DLPack's numbers: ``(1, 0)`` is the CPU."""
    kind, number = x.data.__dlpack_device__()
    return int(kind), int(number)


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor of another library's array, which shares its memory where it can.

    Args:
        x: an array of any library that has ``__dlpack__``.
        device: where the tensor is to be; by default where the array is.
        copy: True always copies, False never does, None where it has to be.

    Returns:
        A leaf that requires no gradient; of read-only memory, one that cannot be changed in place.

    Raises:
        ArgumentTypeError: the object has no ``__dlpack__``.
        SharingError: ``x`` is a Tensor that requires a gradient.

    >>> a = np.array([1.0, 2.0])
    >>> x = from_dlpack(a)
    >>> x += 1.0
    >>> a
    array([2., 3.])
    """
    if not hasattr(x, "__dlpack__") or not hasattr(x, "__dlpack_device__"):
        raise ArgumentTypeError(
            f"from_dlpack: an object of type {type(x).__name__} has no __dlpack__.",
            mend="dg.tensor(x) copies numbers, nested lists and arrays.",
        )
    if isinstance(x, Tensor):
        if x.requires_grad:
            dlpack(x)  # which refuses
        out = x.detach()
        out = out.clone() if copy else out
    elif isinstance(x, np.ndarray):
        out = Tensor(x.copy() if copy else x)
    elif int(x.__dlpack_device__()[0]) == 1:
        out = Tensor(_on_host(x, copy))
    elif hasattr(x, "__array_namespace__"):
        # Memory elsewhere is left to the library that knows the device.
        out = Tensor(x.__array_namespace__().from_dlpack(x, copy=copy))
    else:
        raise ArgumentTypeError(
            "from_dlpack: the memory is on a device, and its library has no array namespace.",
            [f"x: {type(x).__name__} on DLPack device {tuple(x.__dlpack_device__())}"],
            "Move it to the CPU first.",
        )
    return out if device is None else out.to(device)


def _on_host(x: Any, copy: bool | None) -> Any:
    if _KNOWS_VERSIONS:
        return np.from_dlpack(x, copy=copy)
    array = np.from_dlpack(x)
    return array.copy() if copy else array
