"""Saved values in another form: packed when they are saved, unpacked when a pass needs them.

``saved_tensors_hooks`` lets a user say how, ``checkpoint`` drops them and computes them again.
Both watch the operations of their thread and replace what a node has saved by ``Packed`` values.
The pass runs the rule of such a node on a copy that has the unpacked ones.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from demograd._backend import NUMPY_TYPES, backend_of
from demograd._storage import changes, owner
from demograd._tensor import Tensor
from demograd.autograd._function import Function
from demograd.autograd._mode import no_grad
from demograd.autograd._stale import change_since, origin, stale
from demograd.autograd._watchers import Watcher, watchers
from demograd.errors import ArgumentTypeError, GradientError, ShapeError

__all__ = ["Packed", "Packer", "innermost", "saved_tensors_hooks", "unpacked"]

_PLAIN = (type(None), bool, int, float, complex)


class Packer(Watcher):
    """Replaces what the nodes of its block save; the innermost of this thread does it."""

    # Whether a value that was overwritten is refused, though another form of it is at hand.
    refuses_changed: bool = False

    def ran(self, node: Function, inputs: tuple[Any, ...], outputs: tuple[Tensor, ...]) -> None:
        if node.saved_tensors and any(x._requires_grad for x in outputs) and innermost() is self:
            self.handle(node)

    def handle(self, node: Function) -> None:
        """Pack what a recorded node has saved."""
        saved = node.saved_tensors
        # Whoever records the pass must know which value is which when the arrays are gone.
        node._saves = tuple([origin(node, number) for number in range(len(saved))])
        node.saved_tensors = tuple(
            [
                a if isinstance(a, _PLAIN) or _has_history(a) else Packed(self, a, node.name)
                for a in saved
            ]
        )
        node._packed = node._special = True

    def pack(self, array: Any, operation: str) -> Any:
        """The form in which a value is kept."""
        raise NotImplementedError

    def unpack(self, value: Any) -> Any:
        """The array of a value in that form."""
        raise NotImplementedError


def _has_history(array: Any) -> bool:
    """Whether an array within a vmap is part of a graph outside, which a packed one would lose."""
    return type(array) not in NUMPY_TYPES and backend_of(array).has_history(array)


def innermost() -> Packer | None:
    """The packer of this thread that was entered last."""
    for watcher in reversed(watchers()):
        if isinstance(watcher, Packer):
            return watcher
    return None


class Packed:
    """One saved value, packed."""

    __slots__ = ("dtype", "memory", "packer", "shape", "value")

    def __init__(self, packer: Packer, array: Any, operation: str) -> None:
        self.packer = packer
        self.shape = tuple(array.shape)
        self.dtype = array.dtype
        # Weakly: whether the memory may go is for the packer to say.
        whole = owner(array)
        self.memory = weakref.ref(whole) if type(whole) is np.ndarray else None
        self.value = packer.pack(array, operation)

    def unpacked(self, node: Function, number: int) -> Any:
        """The array; refuses where the memory that it shows was changed after it was saved."""
        if self.packer.refuses_changed:
            self._check_memory(node, number)
        array = self.packer.unpack(self.value)
        if tuple(array.shape) != self.shape:
            raise ShapeError(
                f"unpack hook: it gave another shape than {node.name} saved.",
                [f"saved: shape {self.shape}", f"unpacked: shape {tuple(array.shape)}"],
            )
        if self.memory is not None and owner(array) is self.memory():
            self._check_memory(node, number)
        return array if array.dtype == self.dtype else backend_of(array).astype(array, self.dtype)

    def _check_memory(self, node: Function, number: int) -> None:
        whole = None if self.memory is None else self.memory()
        change = None if whole is None else change_since(whole, node._time)
        if change is not None:
            raise stale(node, number, self.shape, self.dtype, change)


def unpacked(node: Function) -> tuple[Any, ...]:
    """What a node has saved, unpacked."""
    return tuple(
        [
            a.unpacked(node, number) if type(a) is Packed else a
            for number, a in enumerate(node.saved_tensors)
        ]
    )


class saved_tensors_hooks(Packer):
    """Keep what operations save for the backward pass in a form of one's own: a context manager.

    Args:
        pack_hook: ``pack_hook(tensor)`` is called for each value that an operation in the block
            saves, and returns anything; it must not change the tensor.
        unpack_hook: ``unpack_hook(packed)`` is called when a pass needs the value, and returns a
            Tensor of the same shape.

    Of nested blocks the innermost counts. A value that is changed in place after it was packed is
    refused only if what ``unpack_hook`` gives shows the changed memory.

    Raises:
        GradientError: ``pack_hook`` has changed the tensor.
        ArgumentTypeError: ``unpack_hook`` has returned something else.
        ShapeError: it has returned a Tensor of another shape.

    Reference: ``torch.autograd.graph.saved_tensors_hooks``.

    >>> x = Tensor([1.0, 2.0], requires_grad=True)
    >>> with saved_tensors_hooks(lambda t: t.half(), lambda packed: packed.float()):
    ...     y = x * x
    >>> y.sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    def __init__(
        self, pack_hook: Callable[[Tensor], Any], unpack_hook: Callable[[Any], Tensor]
    ) -> None:
        self._pack_hook = pack_hook
        self._unpack_hook = unpack_hook

    def pack(self, array: Any, operation: str) -> Any:
        tensor = Tensor.__new__(Tensor)
        tensor._data, tensor._node, tensor._requires_grad = array, None, False
        before = _changed_at(array)
        with no_grad():
            value = self._pack_hook(tensor)
        if _changed_at(array) != before or tensor._data is not array:
            raise GradientError(
                f"pack hook: it changed the value that {operation} saved.",
                [tensor._describe()],
                "Change a copy: x = x.clone().",
            )
        return value

    def unpack(self, value: Any) -> Any:
        tensor = self._unpack_hook(value)
        if not isinstance(tensor, Tensor):
            raise ArgumentTypeError(
                f"unpack hook: it returned {type(tensor).__name__}, not a Tensor."
            )
        return tensor._data


def _changed_at(array: Any) -> int:
    change = changes.get(id(owner(array)))
    return 0 if change is None else change.time
