"""From one device, or one array library, to another; and refusing to mix them.

The operands of an operation stand on one device. A tensor without dimensions on the CPU is the
exception, as in PyTorch: it goes where the others are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from demograd._backend import NUMPY_TYPES, Backend, backend_of, numpy_backend
from demograd._libraries._backends import chosen
from demograd._tensor import Tensor
from demograd.autograd._function import Function
from demograd.errors import DeviceError

__all__ = [
    "Move", "brought_together", "device_number", "mixed", "move", "move_to", "moved", "placed",
    "refuse_traced",
]  # fmt: skip


class Move(Function):
    """The same values in the memory of another device; the gradient comes back from there."""

    def forward(self, x: Any, *, library: Backend, index: int | None) -> Any:
        source = self.xp
        self.source = source, device_number(source.device_of(x))
        return _carried(x, library, index)

    def backward(self, grad: Any) -> Any:
        # ``self.xp`` is where the input is, or records: both know how to fetch.
        return self.xp.moved(grad, *self.source)


def device_number(text: str) -> int | None:
    """Which of a library's devices a name means; None if it does not say.

    >>> device_number("cuda:1")
    1
    """
    number = text.partition(":")[2]
    return int(number) if number else None


def _carried(array: Any, library: Backend, index: int | None) -> Any:
    values = backend_of(array).to_numpy(array)
    if library is numpy_backend:
        return np.array(values)  # of its own: another library's memory may be read-only
    return library.from_numpy(values, index)


def moved(x: Any, library: Backend, index: int | None) -> Any:
    """A raw array, or a Tensor with a record, in the memory of a device."""
    if isinstance(x, Tensor):
        return Move.apply(x, library=library, index=index)
    return _carried(x, library, index)


def move(x: Tensor, library: Backend, index: int | None = None) -> Tensor:
    """The tensor on a device; itself if it is there."""
    present = backend_of(x._data)
    if present is library and (
        index is None or index == (device_number(present.device_of(x._data)) or 0)
    ):
        return x
    out: Tensor = Move.apply(x, library=library, index=index)
    return out


def move_to(x: Tensor, target: Any) -> Tensor:
    """The tensor on the device that a name, a library or a Backend means."""
    return move(x, *chosen(target))


def placed(array: Any, library: Backend, index: int | None) -> Any:
    """A new NumPy array, which nobody else holds, as one of a library."""
    return array if library is numpy_backend else library.from_numpy(np.asarray(array), index)


def refuse_traced(operation: str, x: Any) -> None:
    """Refuse to draw random numbers for values that a compiler traces.

    Raises:
        DeviceError: they would be drawn once, and stand in the program as constants.
    """
    array = x._data if isinstance(x, Tensor) else x
    if type(array) not in NUMPY_TYPES and backend_of(array).is_traced(array):
        raise DeviceError(
            f"{operation}: random numbers would be the same at each run of a compiled program.",
            [f"x: shape {tuple(x.shape)}, traced by {backend_of(array).name}"],
            "Draw them outside, and give them to the program as an argument.",
        )


def brought_together(operation: str, inputs: Sequence[Any]) -> list[Any] | None:
    """The inputs of an operation on one device; None if they are already.

    Raises:
        DeviceError: tensors on several devices, more than single numbers on the CPU.
    """
    tensors = [x for x in inputs if isinstance(x, Tensor)]
    if len(tensors) == 1:
        return None
    places: dict[str, Tensor] = {}
    numbers = False
    for x in tensors:
        if type(x._data) in NUMPY_TYPES:
            if not x._data.shape:
                numbers = True
                continue
            text = "cpu"
        else:
            library = backend_of(x._data)
            if library.wraps:
                return None
            text = library.device_of(x._data)
        places.setdefault(text, x)
    if len(places) > 1:
        raise mixed(operation, tensors)
    if not numbers or not places or "cpu" in places:
        return None
    (x,) = places.values()
    library = backend_of(x._data)
    index = device_number(library.device_of(x._data))
    return [move(x, library, index) if isinstance(x, Tensor) else x for x in inputs]


def mixed(operation: str, tensors: Sequence[Tensor]) -> DeviceError:
    """The error for tensors on several devices, which names them and the way out."""
    names = [x._label("xy"[i] if len(tensors) == 2 else f"x{i}") for i, x in enumerate(tensors)]
    first: dict[str, str] = {}
    for name, x in zip(names, tensors, strict=True):
        first.setdefault(x.device, name)
    (here, one), (there, other) = list(first.items())[:2]
    return DeviceError(
        f"{operation}: the tensors are on different devices.",
        [
            f"{name}: shape {x.shape}, dtype {x.dtype}, on {x.device}"
            for name, x in zip(names, tensors, strict=True)
        ],
        f'Move one of them: {other}.to("{here}"), or {one}.to("{there}").',
    )
