"""Hooks: functions that see, and may replace, a gradient when it is complete."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from typing import Any

from demograd._tensor import Tensor
from demograd.autograd._function import Function
from demograd.errors import GradientError, ShapeError

__all__ = ["RemovableHandle", "move_retained", "register_hook", "retain_grad", "run_hooks"]

_numbers = itertools.count()


class RemovableHandle:
    """What registering a hook returns: ``remove()`` takes the hook away again."""

    def __init__(self, hooks: dict[int, Any]) -> None:
        self._hooks = hooks
        self._number = next(_numbers)

    @property
    def number(self) -> int:
        """The key of the hook."""
        return self._number

    def remove(self) -> None:
        """Take the hook away; once more does nothing."""
        self._hooks.pop(self._number, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


def register_hook(x: Tensor, hook: Callable[[Tensor], Any]) -> RemovableHandle:
    """Call ``hook(gradient)`` when the whole gradient of ``x`` is known."""
    if not x.requires_grad:
        raise GradientError(
            "register_hook: the tensor requires no gradient, so the hook would never run.",
            [x._describe()],
            "x.requires_grad_() makes it require one.",
        )
    holder: Tensor | Function = x if x._node is None else x._node
    if holder._hooks is None:
        holder._hooks = {}
    if isinstance(holder, Function):
        holder._special = True
    handle = RemovableHandle(holder._hooks)
    holder._hooks[handle.number] = hook
    return handle


def retain_grad(x: Tensor) -> None:
    """Keep the gradient of a computed tensor in ``.grad``."""
    if not x.requires_grad:
        raise GradientError(
            "retain_grad: the tensor requires no gradient.",
            [x._describe()],
            "x.requires_grad_() makes it require one.",
        )
    if x._node is None or x._retained is not None:
        return
    # The node must not keep its own output alive: that would be a cycle.
    weak = weakref.ref(x)

    def keep(gradient: Tensor) -> None:
        tensor = weak()
        if tensor is not None:
            former = tensor._grad
            tensor._grad = gradient.clone() if former is None else former + gradient

    x._retained = register_hook(x, keep)


def move_retained(x: Tensor) -> None:
    """Keep the gradient at the node that the tensor has now, after a change in place."""
    if x._retained is not None:
        x._retained.remove()
        x._retained = None
        if x._requires_grad:
            retain_grad(x)


def run_hooks(holder: Tensor | Function, gradient: Any) -> Any:
    """The gradient after all hooks of a tensor or node have seen it."""
    recorded = isinstance(gradient, Tensor)
    # A copy: a hook may change it in place, and the same array may be another tensor's gradient.
    current = (gradient if recorded else Tensor(gradient)).clone()
    for hook in list((holder._hooks or {}).values()):
        replaced = hook(current)
        if replaced is None:
            continue
        if not isinstance(replaced, Tensor) or replaced.shape != current.shape:
            raise ShapeError(
                "hook: what it returned is no gradient for this tensor.",
                [
                    f"gradient: shape {current.shape}",
                    f"returned: {getattr(replaced, 'shape', type(replaced).__name__)}",
                ],
                "Return a Tensor of the gradient's shape, or None to leave it.",
            )
        current = replaced.to(current.dtype)
    return current if recorded else current._data
