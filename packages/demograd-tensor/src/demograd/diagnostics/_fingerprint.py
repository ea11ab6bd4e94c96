"""Fingerprints of saved arrays: whether somebody has written to one behind the engine's back.

The in-place operations of demograd leave a stamp (``_storage.py``) that costs nothing to keep. A
write through ``x.numpy()``, or through the array that ``from_numpy`` shares, leaves none; it is
found by comparing a checksum of the bytes from when they were saved. All bytes are read, at a few
gigabytes a second.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from demograd._place import Place
from demograd._tensor import Tensor
from demograd.autograd._function import Function
from demograd.diagnostics._wording import saved_as
from demograd.errors import GradientError

__all__ = ["check_prints", "prints_of"]

Print = tuple[int, tuple[int, ...], Any]


def fingerprint(array: np.ndarray[Any, Any]) -> Print:
    """The checksum of the elements, the shape and the type.

    >>> a = np.arange(6.0).reshape(2, 3)
    >>> fingerprint(a) == fingerprint(np.asfortranarray(a))
    True
    >>> before = fingerprint(a)
    >>> a[1, 2] = 0
    >>> fingerprint(a) == before
    False
    """
    once = array
    if 0 in array.strides and array.size:
        # A broadcast array repeats its elements: one of each is enough.
        once = array[tuple([slice(0, 1) if s == 0 else slice(None) for s in array.strides])]
    return zlib.crc32(np.ascontiguousarray(once).data), array.shape, array.dtype


def prints_of(node: Function) -> tuple[Print | None, ...]:
    """The fingerprints of what a node has saved; None for what cannot be written to."""
    return tuple(
        [fingerprint(a) if type(a) is np.ndarray else None for a in node.saved_tensors or ()]
    )


def check_prints(node: Function) -> None:
    """Raise if a saved array is not as it was when it was saved.

    Raises:
        GradientError: it was written to.
    """
    notes = node._notes
    if notes is None or not notes.prints or not node.saved_tensors:
        return
    for number, (array, before) in enumerate(zip(node.saved_tensors, notes.prints, strict=False)):
        if before is None or type(array) is not np.ndarray:
            continue
        if (array.shape, array.dtype) != before[1:]:
            continue  # a hook, or a change in place, has put another array there
        if fingerprint(array) != before:
            raise _changed(node, number, array, notes.place, notes.module_path)


def _changed(node: Function, number: int, array: Any, place: Place, path: str) -> GradientError:
    label = saved_as(node, number)
    edges = [edge for edge in node._edges if isinstance(edge, Tensor) and edge._data is array]
    named = [edge.name for edge in edges if edge.name]
    if edges:
        label = f"{label}, the leaf {named[0]}" if named and named[0] != label else label
    facts = [
        f"{label}: saved value {number}, shape {array.shape}, dtype {array.dtype}",
        f"saved at {place}",
        *([f"in {path}"] if path else []),
        "changed by: a write to its NumPy array, such as x.numpy()[...] = v, of which no operation "
        "of demograd knows",
    ]
    return GradientError(
        f"backward: the memory of a value that {node.name} saved was written to.",
        facts,
        "Write to a copy (x.detach().clone()), or write after backward.",
    )
