"""What it takes to run a checkpointed function a second time.

A ``Block`` is one call of the function. While the call runs, ``Dropping`` replaces what its nodes
save by slots. When a pass needs the value of a slot, the block is run again, and ``_Refilling``
puts what the nodes of the second run save into the slots of the first.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from demograd._random import generators
from demograd._tensor import Tensor
from demograd.autograd._clock import tick
from demograd.autograd._function import Alias, Function
from demograd.autograd._mode import enable_grad
from demograd.autograd._saved import Packed, Packer, innermost
from demograd.autograd._stale import change_since
from demograd.errors import GradientError

__all__ = ["Block", "Dropping"]


class _Enough(BaseException):
    """The second call has given all that is needed; no error, so that nobody takes it for one."""


class Block:
    """One call of a checkpointed function, and what it takes to call it again."""

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        preserve_rng_state: bool,
        compares: bool,
    ) -> None:
        self.function = function
        self.compares = compares
        self.slots: list[weakref.ref[_Slot]] = []
        self.leaves: dict[int, Tensor] = {}  # whose values the block has used
        self._time = tick()
        outer = innermost()
        self._args = _mapped(args, lambda x: self._kept(x, outer))
        self._kwargs = _mapped(kwargs, lambda x: self._kept(x, outer))
        self._drawn = [(g, g.get_state()) for g in generators()] if preserve_rng_state else []

    def finish(self) -> None:
        """The first call has ended: only generators that it drew from need to start again."""
        self._drawn = [(g, state) for g, state in self._drawn if g.get_state() != state]

    def _kept(self, x: Any, outer: Packer | None) -> Any:
        if not isinstance(x, Tensor):
            return x
        if x.is_leaf and x.requires_grad:
            self.leaves[id(x)] = x
            return x
        return _Argument(x, outer)

    def run_again(self) -> None:
        """Call the function once more, and put what it saves into the slots."""
        for leaf in self.leaves.values():
            _check_same(leaf._data, leaf._describe(), self._time)
        args = _mapped(self._args, lambda x: _given(x, self._time))
        kwargs = _mapped(self._kwargs, lambda x: _given(x, self._time))
        refilling = _Refilling(self)
        with _started_from(self._drawn), enable_grad():
            try:
                with refilling:
                    self.function(*args, **kwargs)
            except _Enough:
                return
        if refilling.count < len(self.slots):
            raise GradientError(
                "checkpoint: the second call saved fewer values than the first.",
                [f"first: {len(self.slots)}", f"second: {refilling.count}"],
                _SAME,
            )


_SAME = "The function must do the same each time: depend on its arguments, and on nothing else."


class _Argument:
    """A Tensor that the function was given, apart from the graph."""

    def __init__(self, x: Tensor, outer: Packer | None) -> None:
        self.requires_grad = x.requires_grad
        self.what = f"argument: {x._describe()}"
        # In a checkpoint inside another one, the outer one computes the arguments again.
        self.kept = x._data if outer is None else Packed(outer, x._data, "checkpoint")

    def given(self, time: int) -> Tensor:
        """The Tensor, apart from the graph, and no leaf: it was none."""
        if isinstance(self.kept, Packed):
            whole = None if self.kept.memory is None else self.kept.memory()
            _check_same(whole, self.what, time)
            array = self.kept.packer.unpack(self.kept.value)
        else:
            array = self.kept
            _check_same(array, self.what, time)
        x = Tensor.__new__(Tensor)
        x._data, x._node, x._requires_grad = array, None, self.requires_grad
        if self.requires_grad:
            x._node = Alias(x.detach())
        return x


def _given(x: Any, time: int) -> Any:
    return x.given(time) if isinstance(x, _Argument) else x


def _mapped(x: Any, function: Callable[[Any], Any]) -> Any:
    """A structure of tuples, lists and dictionaries with a function applied to what is in it."""
    if type(x) in (tuple, list):
        return type(x)([_mapped(part, function) for part in x])
    if type(x) is dict:
        return {key: _mapped(part, function) for key, part in x.items()}
    return function(x)


def _check_same(array: Any, what: str, time: int) -> None:
    change = change_since(array, time)
    if change is not None:
        facts = [what, f"changed by: {change.by}"]
        if change.place is not None:
            facts.append(f"changed at: {change.place}")
        raise GradientError(
            "backward: what a checkpoint is to compute again was changed in place afterwards.",
            facts,
            "Change a copy (x = x.clone()), or make the change after backward.",
        )


@contextmanager
def _started_from(states: list[tuple[Any, Any]]) -> Iterator[None]:
    """Generators in former states for a while."""
    now = [(generator, generator.get_state()) for generator, _ in states]
    for generator, state in states:
        generator.set_state(state)
    try:
        yield
    finally:
        for generator, state in now:
            generator.set_state(state)


class _Slot:
    """The place of one saved value: empty, or filled by a second call until a node takes it."""

    __slots__ = ("__weakref__", "array", "block", "filled", "operation", "sample", "shape")

    def __init__(self, block: Block, array: Any, operation: str) -> None:
        self.block = block
        self.operation = operation
        self.shape = tuple(array.shape)
        self.sample = _sample(array)
        self.array: Any = None
        self.filled = 0

    def fill(self, array: Any, operation: str) -> None:
        """Take the value of the second call."""
        sample = _sample(array)
        alike = operation == self.operation and tuple(array.shape) == self.shape
        if self.block.compares and not (alike and _close(sample, self.sample)):
            facts = [
                f"first: {self.operation} saved shape {self.shape}",
                f"second: {operation} saved shape {tuple(array.shape)}",
            ]
            if alike:
                facts = [
                    f"{operation}: saved shape {self.shape}",
                    f"first: {self.sample}",
                    f"second: {sample}",
                ]
            raise GradientError(
                f"checkpoint: the second call saved other {'values' if alike else 'things'} than "
                "the first.",
                facts,
                _SAME,
            )
        self.array = array
        self.filled = tick()


def _sample(array: Any) -> list[float]:
    """A few numbers of a float array, to tell it from another; none of other types."""
    if not isinstance(array, (np.ndarray, np.generic)) or array.dtype.kind != "f":
        return []
    last = array.size - 1
    if last < 0:
        return []
    places = sorted({0, last // 4, last // 2, 3 * last // 4, last})
    numbers: list[float] = np.asarray(array).flat[places].tolist()
    return numbers


def _close(first: list[float], second: list[float]) -> bool:
    # Sums in another order may differ in their last digits, where the memory lies otherwise.
    scale = max([abs(a) for a in first if math.isfinite(a)], default=0.0)
    return all(
        a == b or (a != a and b != b) or abs(a - b) <= 1e-2 * scale
        for a, b in zip(first, second, strict=True)
    )


class Dropping(Packer):
    """The first call: what is saved is dropped, and a slot stands for it."""

    refuses_changed = True

    def __init__(self, block: Block) -> None:
        self._block = block

    def ran(self, node: Function, inputs: tuple[Any, ...], outputs: tuple[Tensor, ...]) -> None:
        if innermost() is self and any(x._requires_grad for x in outputs):
            for edge in node._edges:
                if isinstance(edge, Tensor):
                    self._block.leaves[id(edge)] = edge
        super().ran(node, inputs, outputs)

    def pack(self, array: Any, operation: str) -> _Slot:
        slot = _Slot(self._block, array, operation)
        self._block.slots.append(weakref.ref(slot))
        return slot

    def unpack(self, value: _Slot) -> Any:
        if value.array is None:
            self._block.run_again()
        array, value.array = value.array, None
        if array is None:
            # Another thread took it; this one runs the block for itself.
            return self.unpack(value)
        change = change_since(array, value.filled)
        if change is not None:
            raise GradientError(
                f"backward: a value that {value.operation} saved was changed in place afterwards.",
                [f"in a checkpoint, shape {value.shape}", f"changed by: {change.by}"],
                "Change a copy: x = x.clone().",
            )
        return array


class _Refilling(Packer):
    """A second call: what is saved goes into the slots of the first, in the same order."""

    def __init__(self, block: Block) -> None:
        self._block = block
        self.count = 0

    def pack(self, array: Any, operation: str) -> Any:
        slots = self._block.slots
        if self.count == len(slots):
            raise _Enough
        slot = slots[self.count]()
        self.count += 1
        if slot is not None:  # else nobody needs it any more
            slot.fill(array, operation)
        if self.count == len(slots):
            raise _Enough
        return array

    def unpack(self, value: Any) -> Any:
        return value
