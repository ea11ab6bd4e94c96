"""Watchers: objects that see every operation of their thread, forward and backward.

What looks over the engine's shoulder (``debug``, ``saved_tensors_hooks``) is a watcher. While
nobody watches, the engine asks one question that it asks anyway, whether recording is on
everywhere, and pays nothing else.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from demograd.autograd._mode import everywhere

if TYPE_CHECKING:
    from demograd._tensor import Tensor
    from demograd.autograd._function import Function

__all__ = ["Watcher", "cleared", "cut", "ran", "watch_every_thread", "watchers"]


class Watcher:
    """Sees the operations of this thread between entry and exit; subclasses say what they do."""

    def __enter__(self) -> Any:
        _stack.watchers = (*_stack.watchers, self)
        everywhere.watch(1)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        left = list(_stack.watchers)
        left.reverse()
        left.remove(self)  # the latest entry, where one object was entered twice
        left.reverse()
        _stack.watchers = tuple(left)
        everywhere.watch(-1)

    def ran(self, node: Function, inputs: tuple[Any, ...], outputs: tuple[Tensor, ...]) -> None:
        """``forward`` has run; the node is part of the graph if an output requires a gradient."""

    def starting(self, roots: Sequence[Any]) -> None:
        """A backward pass begins at these edges."""

    def entering(self, node: Function, gradients: tuple[Any, ...]) -> None:
        """The node's ``backward`` is about to run on these gradients of its outputs."""

    def leaving(self, node: Function, gradients: tuple[Any, ...], parts: tuple[Any, ...]) -> None:
        """It has run, and these are the gradients of its inputs."""

    def failed(self, node: Function, error: BaseException) -> None:
        """It has raised an error, which goes on to the user."""

    def cut(self, x: Tensor, how: str, out: Tensor | None) -> None:
        """The values of ``x`` have left the graph by ``how``, into ``out`` or a plain array."""

    def cleared(self, x: Tensor) -> None:
        """The gradient of ``x`` is set to None."""


class _Stack(threading.local):
    watchers: tuple[Watcher, ...] = ()


_stack = _Stack()


def watchers() -> tuple[Watcher, ...]:
    """Who watches this thread, in the order in which they came."""
    return _stack.watchers if everywhere.watched else ()


def ran(node: Function, inputs: tuple[Any, ...], outputs: Any) -> None:
    """Tell the watchers of this thread that an operation has run."""
    made = outputs if type(outputs) is tuple else (outputs,)
    for watcher in _stack.watchers:
        watcher.ran(node, inputs, made)


def cut(x: Tensor, how: str, out: Tensor | None = None) -> None:
    """Tell them that the values of a tensor have left the graph."""
    for watcher in _stack.watchers:
        watcher.cut(x, how, out)


def cleared(x: Tensor) -> None:
    """Tell them that a gradient is set to None."""
    for watcher in _stack.watchers:
        watcher.cleared(x)


def watch_every_thread(watcher: Watcher) -> None:
    """Let a watcher see all threads, also those to come, until the process ends."""
    _Stack.watchers = (*_Stack.watchers, watcher)  # what a thread begins with
    everywhere.watch(1)
