"""Whether operations are recorded, thread by thread."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, TypeVar, cast

from demograd._place import Place, user_place

__all__ = ["enable_grad", "is_grad_enabled", "no_grad", "set_grad_enabled"]

F = TypeVar("F", bound=Callable[..., Any])


class GradMode(threading.local):
    """The switch itself; each thread starts with recording on."""

    enabled: bool = True
    inference: bool = False  # in which recording cannot be switched on
    place: Place | None = None  # of the switch, while somebody watches


class Everywhere:
    """Whether recording is on in every thread, and nobody watches: the ordinary case."""

    __slots__ = ("lock", "off", "on", "watched")

    def __init__(self) -> None:
        self.on = True
        self.off: set[int] = set()  # the threads with recording off
        self.watched = 0  # watchers in all threads
        self.lock = threading.Lock()

    def note(self, enabled: bool) -> None:
        """Hear how recording is switched in this thread."""
        with self.lock:
            (self.off.discard if enabled else self.off.add)(threading.get_ident())
            self.on = not self.off and not self.watched

    def watch(self, more: int) -> None:
        """Hear that there are more watchers, or fewer."""
        with self.lock:
            self.watched += more
            self.on = not self.off and not self.watched


grad_mode = GradMode()
# An attribute of a plain object is read in a third of the time of a thread's own, and the
# question is asked at every operation.
everywhere = Everywhere()


def switch(enabled: bool) -> None:
    """Set the mode of this thread."""
    if grad_mode.enabled != enabled and not (enabled and grad_mode.inference):
        if everywhere.watched:
            grad_mode.place = user_place()
        # An interrupt may come between the two lines: then this thread counts as one with recording
        # off until it switches again, which costs time and nothing else.
        if enabled:
            grad_mode.enabled = True
            everywhere.note(True)
        else:
            everywhere.note(False)
            grad_mode.enabled = False


def is_grad_enabled() -> bool:
    """Whether operations in this thread are being recorded.

    >>> is_grad_enabled()
    True
    """
    return grad_mode.enabled


class _Switch:
    """Set the mode on entry, put the former one back on exit; also a decorator."""

    def __init__(self, enabled: bool) -> None:
        self._enabled = enabled
        # A stack, so that one object may be entered again inside itself.
        self._former: list[bool] = []

    def __enter__(self) -> None:
        former = grad_mode.enabled
        self._former.append(former)
        try:
            switch(self._enabled)
        except BaseException:  # an interrupt: nobody will call __exit__
            self._former.pop()
            switch(former)
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        switch(self._former.pop())

    def __call__(self, function: F) -> F:
        enabled = self._enabled
        return decorated(function, lambda: _Switch(enabled))


def decorated(function: F, context: Callable[[], AbstractContextManager[Any]]) -> F:
    """A function that runs in a context, which is made anew for each call."""
    if inspect.isgeneratorfunction(function):
        # The context must hold while the generator runs, and not while its consumer does.
        @functools.wraps(function)
        def steps(*args: Any, **kwargs: Any) -> Any:
            generator = function(*args, **kwargs)
            resume, sent = generator.send, None
            while True:
                with context():
                    try:
                        item = resume(sent)
                    except StopIteration as stop:
                        return stop.value
                try:
                    resume, sent = generator.send, (yield item)
                except GeneratorExit:
                    with context():
                        generator.close()
                    raise
                except BaseException as error:  # noqa: BLE001 - it is the generator's to see
                    resume, sent = generator.throw, error

        return cast(F, steps)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with context():
            return function(*args, **kwargs)

    return cast(F, call)


class no_grad(_Switch):
    """Record nothing: a context manager and a decorator.

    >>> import demograd as dg
    >>> x = dg.ones(2, requires_grad=True)
    >>> with dg.no_grad():
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    def __init__(self, function: Callable[..., Any] | None = None) -> None:
        super().__init__(False)

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        # ``@no_grad`` without parentheses works as well, as in PyTorch.
        self = super().__new__(cls)
        if function is None:
            return self
        _Switch.__init__(self, False)
        return self(function)


class enable_grad(_Switch):
    """Record again inside a ``no_grad`` block: a context manager and a decorator.

    >>> with no_grad():
    ...     with enable_grad():
    ...         is_grad_enabled()
    True
    """

    def __init__(self, function: Callable[..., Any] | None = None) -> None:
        super().__init__(True)

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        self = super().__new__(cls)
        if function is None:
            return self
        _Switch.__init__(self, True)
        return self(function)


class set_grad_enabled(_Switch):
    """Switch recording on or off, at once; used as a context manager, put it back at the end.

    >>> with set_grad_enabled(False):
    ...     is_grad_enabled()
    False
    >>> is_grad_enabled()
    True
    """

    def __init__(self, mode: bool) -> None:
        super().__init__(bool(mode))
        self._former.append(grad_mode.enabled)
        switch(bool(mode))
        self._fresh = True

    def __enter__(self) -> None:
        if self._fresh:
            # The constructor has already switched and kept the former mode.
            self._fresh = False
            return
        super().__enter__()

    def __call__(self, function: F) -> F:
        # Used as a decorator: undo the switch that the constructor made.
        switch(self._former.pop())
        self._fresh = False
        return super().__call__(function)
