"""``dg.debug``: the switch, as a context manager, a decorator and an environment variable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Any, TypeVar

from demograd.autograd._mode import decorated
from demograd.autograd._scope import forget_calls
from demograd.autograd._watchers import watch_every_thread
from demograd.diagnostics._settings import Settings, State, state
from demograd.diagnostics._watching import Diagnostician

__all__ = ["AnomalySwitch", "Switch", "debug", "debug_every_thread", "is_debugging"]

F = TypeVar("F", bound=Callable[..., Any])


class Switch:
    """Puts settings in force for this thread, and takes them away at the end.

    Those of the block that was entered last hold. One watcher serves all blocks of a thread: it
    comes with the first, and goes with the last.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._entered: list[Settings] = []

    def __enter__(self) -> Any:
        settings = self._in_force(state.settings)
        self._entered.append(settings)
        if state.settings is None:
            forget_calls()
            _watcher.__enter__()
        state.blocks.append(settings)
        state.settings = settings
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        settings = self._entered.pop()
        # By identity and from the end: equal settings may stand there several times.
        at = max(i for i, each in enumerate(state.blocks) if each is settings)
        del state.blocks[at]
        state.settings = state.blocks[-1] if state.blocks else State.settings
        if state.settings is None:
            state.running.clear()
            _watcher.__exit__(kind, error, trace)

    def _in_force(self, former: Settings | None) -> Settings:
        return self._settings

    def __call__(self, function: F) -> F:
        return decorated(function, self._again)

    def _again(self) -> Switch:
        return type(self)(self._settings)


_watcher = Diagnostician()


class AnomalySwitch(Switch):
    """Looks at gradients alone; in a block of ``debug`` nothing of that is given up."""

    def __init__(self, check_nan: bool) -> None:
        super().__init__(
            Settings(forward=False, nan=check_nan, inf=False, buffers=False, anomaly=True)
        )

    def _in_force(self, former: Settings | None) -> Settings:
        if former is None or former.anomaly:
            return self._settings
        return replace(former, nan=former.nan or self._settings.nan)


class debug(Switch):
    """Track where every node is made, and stop at the first sign of a wrong or lost gradient.

    A context manager, a decorator (with and without parentheses), and, as ``DEMOGRAD_DEBUG=1`` in
    the environment, the whole process. While it is on,

    - each node knows the line of the user's code and the modules that made it
      (``x.grad_fn.place``, ``x.grad_fn.module_path``), and messages name them;
    - the first operation, forward or backward, that makes a NaN or an infinity out of finite
      values raises an error that says so;
    - a saved array that is written to behind the engine's back is found in ``backward``;
    - :func:`demograd.explain` knows at which line a gradient was cut off, cleared or made zero.

    It is for this thread, and a block inside a block has its own settings. Outside, it costs
    nothing; inside, operations on small tensors take several times as long.

    Args:
        nan: stop at a NaN that is made where none went in.
        inf: stop at an infinity that is made of finite values. Those that went in, as the minus
            infinity of a mask does, pass in any case.
        buffers: compare the bytes of saved arrays.

    Raises:
        NonFiniteOperationError: inside the block, by the operation.
        GradientError: inside the block, by a backward pass that finds a changed array.

    >>> import demograd as dg
    >>> x = dg.tensor([0.5, 0.0], requires_grad=True, name="x")
    >>> with dg.debug():
    ...     y = 1 / x
    Traceback (most recent call last):
      ...
    demograd.errors.NonFiniteOperationError: Div: made inf out of finite inputs.
      at ...
      input 0: 1
      x: shape (2,), float32, from 0 to 0.5, 1 zero
      output: shape (2,), 1 infinite of 2, the first at [1]
      there: 1 / 0 = inf
    Keep the divisor away from 0, for example y + 1e-6 or y.clamp(min=1e-6). Where it is meant,
    dg.debug(inf=False) lets infinities pass.
    """

    def __init__(
        self,
        function: Callable[..., Any] | None = None,
        *,
        nan: bool = True,
        inf: bool = True,
        buffers: bool = True,
    ) -> None:
        super().__init__(Settings(nan=nan, inf=inf, buffers=buffers))

    def __new__(cls, function: Callable[..., Any] | None = None, **settings: Any) -> Any:
        # ``@dg.debug`` without parentheses works as well.
        self = super().__new__(cls)
        if function is None:
            return self
        # Python initializes only what is of the class, and a decorated function is not.
        debug.__init__(self, **settings)
        return self(function)

    def _again(self) -> Switch:
        own = self._settings
        again: Switch = debug(nan=own.nan, inf=own.inf, buffers=own.buffers)
        return again


def is_debugging() -> bool:
    """Whether this thread is under :class:`debug`.

    >>> with debug():
    ...     is_debugging()
    True
    """
    return state.settings is not None and not state.settings.anomaly


def debug_every_thread() -> None:
    """What ``DEMOGRAD_DEBUG=1`` does: all threads, until the process ends."""
    State.settings = Settings()
    watch_every_thread(_watcher)
