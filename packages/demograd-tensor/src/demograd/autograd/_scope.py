"""Which call of a module recorded a node.

The clock numbers nodes, so a call need not tell each node its name: it marks the node that it
ended with, and the time at which it began. A node that is reached from the mark and is not older
belongs to the call. That costs one tick and one mark a call, and nothing an operation.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Any

from demograd._tensor import Tensor
from demograd.autograd._clock import tick
from demograd.autograd._function import Output
from demograd.autograd._mode import everywhere

__all__ = ["end_call", "forget_calls", "open_calls", "record_call", "start_call"]


class _Open(threading.local):
    """The calls that this thread is in, outermost first; kept up while somebody watches."""

    calls: tuple[tuple[int, str], ...] = ()


_open = _Open()


def start_call(label: str = "") -> int:
    """The time at which a call begins; give it to :func:`record_call` at the end.

    Args:
        label: that of the call. Under ``dg.debug()`` the operations in it know by this, at once,
            in which call they are.
    """
    start = tick()
    if everywhere.watched:
        _open.calls = (*_open.calls, (start, label))
    return start


def end_call(start: int) -> None:
    """A call is left by an exception; :func:`record_call` ends one otherwise.

    Calls that began in it and were not ended have ended as well.
    """
    _open.calls = tuple([call for call in _open.calls if call[0] < start])


def forget_calls() -> None:
    """This thread is in no call that anybody will ask for."""
    _open.calls = ()


def open_calls() -> tuple[str, ...]:
    """The labels of the calls that this thread is in, outermost first."""
    return tuple([label for _, label in _open.calls])


def record_call(outputs: Any, start: int, label: str) -> None:
    """Mark that ``outputs`` were computed by a call named ``label`` that began at ``start``.

    Args:
        outputs: a Tensor, or tuples, lists and dicts of them.
        start: what :func:`start_call` returned.
        label: such as ``"0: Linear"``.

    >>> x = Tensor(1.0, requires_grad=True)
    >>> start = start_call()
    >>> y = x * 2
    >>> record_call(y, start, "double")
    >>> [label for _, label in y.grad_fn.scopes]
    ['double']
    """
    if everywhere.watched:
        end_call(start)
    if isinstance(outputs, Tensor):
        node = outputs._node
        if type(node) is Output:
            node = node.node
        if node is not None and node._time > start:
            if node._scopes is None:
                node._scopes = []
            node._scopes.append((start, label))
    elif isinstance(outputs, Mapping):
        record_call(tuple(outputs.values()), start, label)
    elif isinstance(outputs, Iterable) and not isinstance(outputs, (str, bytes)):
        for part in outputs:
            record_call(part, start, label)
