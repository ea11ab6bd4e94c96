"""Inference mode: nothing is recorded, and what is made has no part in any later graph.

A tensor that was made there is marked: ``outside`` stands where the base of a view would. The
operations ask about that place anyway, so tensors without the mark pay nothing; one with it makes
them go through ``apart``, which sees what they save.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any

import numpy as np

from demograd._tensor import Tensor
from demograd.autograd._mode import decorated, grad_mode, switch
from demograd.autograd._views import outside
from demograd.autograd._watchers import Watcher
from demograd.errors import GradientError

__all__ = ["apart", "inference_mode", "is_inference_mode_enabled", "mark"]


def is_inference_mode_enabled() -> bool:
    """Whether this thread is in inference mode.

    >>> is_inference_mode_enabled()
    False
    """
    return grad_mode.inference


class _Marker(Watcher):
    """Marks what the operations of its thread make."""

    def ran(self, node: Any, inputs: tuple[Any, ...], outputs: tuple[Tensor, ...]) -> None:
        if grad_mode.inference:
            for x in outputs:
                if x._base is None:  # a view of an ordinary tensor is one itself
                    mark(x)


_marker = _Marker()


class inference_mode:
    """Record nothing, and keep what is made out of later graphs: a context and a decorator.

    As :class:`no_grad`, and what is made inside cannot be saved for a backward pass or changed in
    place outside: that it slipped into training is an error and no silence. ``x.clone()`` makes
    an ordinary tensor of it. Views of ordinary tensors are ordinary.

    Args:
        mode: False switches recording on again inside such a block.

    Reference: ``torch.inference_mode``.

    >>> x = Tensor([1.0, 2.0], requires_grad=True)
    >>> with inference_mode():
    ...     y = x * 2
    >>> y.requires_grad, y.is_inference()
    (False, True)
    >>> x * y
    Traceback (most recent call last):
      ...
    demograd.errors.GradientError: Mul: a tensor from inference mode cannot be saved for backward.
      tensor of shape (2,), dtype float32
    Use x.clone(), or make it under dg.no_grad() instead.
    """

    def __init__(self, mode: bool | Callable[..., Any] = True) -> None:
        self._mode = bool(mode)
        self._former: list[tuple[bool, bool]] = []

    def __new__(cls, mode: bool | Callable[..., Any] = True) -> Any:
        self = super().__new__(cls)
        if isinstance(mode, bool):
            return self
        # ``@inference_mode`` without parentheses.
        self.__init__(True)  # type: ignore[misc]
        return self(mode)

    def __enter__(self) -> None:
        self._former.append((grad_mode.inference, grad_mode.enabled))
        grad_mode.inference = False  # in it the switch would refuse
        switch(not self._mode)
        grad_mode.inference = self._mode
        _marker.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _marker.__exit__(kind, error, trace)
        inference, enabled = self._former.pop()
        grad_mode.inference = False
        switch(enabled)
        grad_mode.inference = inference

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        mode = self._mode
        return decorated(function, lambda: inference_mode(mode))


def mark(x: Tensor) -> None:
    """Mark a tensor as made in inference mode."""
    if isinstance(x._data, np.generic):
        x._data = np.asarray(x._data)  # of two numbers, operations ask nothing
    x._base = outside


def apart(function: Any, inputs: tuple[Any, ...], settings: dict[str, Any]) -> Any:
    """Apply a Function outside to tensors some of which are from inference mode."""
    from demograd.autograd._function import Alias

    twins: dict[int, Tensor] = {}
    given = []
    for x in inputs:
        if isinstance(x, Tensor) and x._base is outside:
            twin = Tensor.__new__(Tensor)
            twin._data, twin._node, twin._requires_grad = x._data, x._node, x._requires_grad
            if x._requires_grad and x._node is None:
                twin._node = Alias(x)  # the gradient is the leaf's, and not that of another one
            twin._notes = x._notes
            twins[id(twin)] = x
            given.append(twin)
        else:
            given.append(x)
    made = function.apply(*given, **settings)
    for out in made if isinstance(made, tuple) else (made,):
        node = getattr(out._node, "node", out._node)
        for array in () if node is None else node.saved_tensors or ():
            for x in twins.values():
                if array is x._data:
                    raise GradientError(
                        f"{node.name}: a tensor from inference mode cannot be saved for backward.",
                        [x._describe()],
                        "Use x.clone(), or make it under dg.no_grad() instead.",
                    )
        if id(out._base) in twins:
            out._base, out._taken, out._base_node = outside, (), None
    return made
