"""Which vmaps this thread is inside of, for what must know: indexing, and random numbers.

``demograd.func`` is loaded when it is used; this is what the core has to know of it before.
"""

from __future__ import annotations

import threading
from types import TracebackType

from demograd.autograd._clock import tick

__all__ = ["Level", "anywhere", "innermost", "running"]


class Anywhere:
    """Whether a vmap runs in any thread: while none does, nobody need look further."""

    __slots__ = ("lock", "number", "on")

    def __init__(self) -> None:
        self.on = False
        self.number = 0
        self.lock = threading.Lock()

    def count(self, change: int) -> None:
        with self.lock:
            self.number += change
            self.on = self.number > 0


class _Stack(threading.local):
    levels: tuple[Level, ...] = ()


class Level:
    """One run of a vmap; as a context manager, the time for which this thread is inside of it.

    Attributes:
        size: how many samples it maps over.
        randomness: whether random numbers are refused (``"error"``), drawn once for all samples
            (``"same"``) or for each (``"different"``).
        time: when it began; of two, the later one is the inner one.
        running: how often it has been entered and not left.
    """

    __slots__ = ("randomness", "running", "size", "time")

    def __init__(self, size: int, randomness: str = "error") -> None:
        self.size = size
        self.randomness = randomness
        self.time = tick()
        self.running = 0

    def __enter__(self) -> Level:
        _stack.levels = (*_stack.levels, self)
        self.running += 1
        anywhere.count(1)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        anywhere.count(-1)
        self.running -= 1
        _stack.levels = _stack.levels[:-1]


_stack = _Stack()
anywhere = Anywhere()


def innermost() -> Level | None:
    """The latest vmap that this thread is inside of.

    >>> innermost() is None
    True
    """
    return _stack.levels[-1] if _stack.levels else None


def running() -> tuple[Level, ...]:
    """The vmaps that this thread is inside of, the outermost first."""
    return tuple(dict.fromkeys(_stack.levels))
