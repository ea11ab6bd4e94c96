"""PyTorch's names for a part of ``dg.debug``: ``detect_anomaly`` and ``set_detect_anomaly``."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

from demograd.autograd._mode import decorated

__all__ = ["detect_anomaly", "set_detect_anomaly"]

F = TypeVar("F", bound=Callable[..., Any])


class detect_anomaly:
    """Stop a backward pass at the operation whose rule makes a NaN: a context and a decorator.

    Operations that run inside know their line, and the error of a backward pass inside names it.
    Results that are not finite pass; :class:`demograd.diagnostics.debug` stops at those as well,
    and inside a block of it this one takes nothing away. It is for this thread.

    Args:
        check_nan: look at the gradients; False only notes where operations are made.

    Raises:
        NonFiniteOperationError: inside the block, by ``backward``. It is a RuntimeError too.

    Reference: ``torch.autograd.detect_anomaly``.

    >>> import demograd as dg
    >>> x = dg.tensor([0.0], requires_grad=True, name="x")
    >>> with detect_anomaly():
    ...     y = ((x * 0) / x).sum()
    ...     y.backward()
    Traceback (most recent call last):
      ...
    demograd.errors.NonFiniteOperationError: backward of Div: made nan out of a gradient without
    nan.
      made at ...
      gradient that arrived: shape (1,), float32, all 1
      input 0: shape (1,), float32, all 0
      x: shape (1,), float32, all 0
      gradient of input 1: shape (1,), 1 nan of 1, the first at [0]
      there: the slope of x / y at y = 0 is infinite
      from the loss to here:
        Sum <- Div, ...
    Keep it away from there, for example with x.clamp(min=1e-6).
    """

    def __init__(self, check_nan: bool = True) -> None:
        self._check_nan = bool(check_nan)
        self._entered: list[Any] = []

    def __enter__(self) -> None:
        switch = _switch(self._check_nan)
        switch.__enter__()
        self._entered.append(switch)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._entered.pop().__exit__(kind, error, trace)

    def __call__(self, function: F) -> F:
        check_nan = self._check_nan
        return decorated(function, lambda: detect_anomaly(check_nan))


class _OfThisThread(threading.local):
    """What ``set_detect_anomaly`` has switched on."""

    switch: Any = None
    check_nan: bool = True


_of_this_thread = _OfThisThread()


class set_detect_anomaly:
    """Switch :class:`detect_anomaly` on or off, at once; as a context, put it back at the end.

    Off means what this function has switched on; a block of ``detect_anomaly`` or ``debug`` stays.

    Args:
        mode: whether it is to be on.
        check_nan: as in :class:`detect_anomaly`.

    Reference: ``torch.autograd.set_detect_anomaly``.

    >>> from demograd.autograd import set_detect_anomaly
    >>> _ = set_detect_anomaly(True)
    >>> _ = set_detect_anomaly(False)
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._former = (_of_this_thread.switch is not None, _of_this_thread.check_nan)
        _set(bool(mode), bool(check_nan))

    def __enter__(self) -> None:
        """It is in force since it was made."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _set(*self._former)


def _set(mode: bool, check_nan: bool) -> None:
    if _of_this_thread.switch is not None:
        _of_this_thread.switch.__exit__(None, None, None)
        _of_this_thread.switch = None
    if mode:
        _of_this_thread.switch = _switch(check_nan)
        _of_this_thread.switch.__enter__()
    _of_this_thread.check_nan = check_nan


def _switch(check_nan: bool) -> Any:
    # Not before somebody asks for it: the diagnostics are no part of what is imported always.
    from demograd.diagnostics._debug import AnomalySwitch

    return AnomalySwitch(check_nan)
