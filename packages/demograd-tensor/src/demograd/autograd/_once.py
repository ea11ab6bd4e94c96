"""Rules that can be run and not differentiated: ``once_differentiable``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from demograd._backend import NUMPY_TYPES, backend_of
from demograd._tensor import Tensor
from demograd.autograd._function import Function
from demograd.autograd._mode import no_grad
from demograd.errors import GradientError

__all__ = ["OnceTwin", "once_differentiable"]

F = TypeVar("F", bound=Callable[..., Any])


def once_differentiable(backward: F) -> F:
    """Mark the ``backward`` of a Function as one that must not be recorded.

    It runs on arrays, also in a pass that is recorded (``create_graph=True``), and its gradients
    refuse to be differentiated: what it does without ``self.xp`` would be lost in silence.

    Args:
        backward: the rule; ``once_differentiable = True`` in the class does the same.

    Reference: ``torch.autograd.function.once_differentiable``.

    >>> class Cube(Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x**3
    ...
    ...     @staticmethod
    ...     @once_differentiable
    ...     def backward(ctx, grad):
    ...         (x,) = ctx.saved_tensors
    ...         return grad * np.float32(3) * np.square(x)
    >>> x = Tensor(2.0, requires_grad=True)
    >>> Cube.apply(x).backward()
    >>> x.grad
    tensor(12.)
    """
    marked: Any = backward
    marked.once_differentiable = True
    return backward


class OnceTwin:
    """A node of such a class, as a recorded pass sees it.

    Args:
        node: a copy of the node, whose saved values are arrays.
        sources: the tensors that its inputs were, or stand for them.
    """

    def __init__(self, node: Function, sources: list[Tensor]) -> None:
        self.node = node
        self.sources = sources
        self.needs_input_grad: tuple[bool, ...] = ()

    def backward(self, *grads: Any) -> tuple[Any, ...]:
        self.node.needs_input_grad = self.needs_input_grad
        arrays = [g._data if isinstance(g, Tensor) else g for g in grads]
        for array in arrays:
            if array is not None and type(array) not in NUMPY_TYPES:
                self.node.xp = backend_of(array)
        with no_grad():
            parts = self.node.backward(*arrays)
        if not isinstance(parts, (tuple, list)):
            parts = (parts,)
        # Of the gradients that it is given they are a function too.
        sources = [*self.sources, *[g for g in grads if isinstance(g, Tensor) and g.requires_grad]]
        return tuple([
            None if part is None
            else Refusal.apply(np.asarray(part) if isinstance(part, (int, float)) else part,
                               *sources, of=self.node.name)
            for part in parts
        ])  # fmt: skip


class Refusal(Function):
    """The gradient that a rule gave which is not to be differentiated."""

    def forward(self, part: Any, *sources: Any, of: str) -> Any:
        self.of = of
        return part._data if isinstance(part, Tensor) else part

    def backward(self, grad: Any) -> Any:
        raise GradientError(
            f"backward: {self.of} can be differentiated once only.",
            mend="Its rule is marked once_differentiable: write it with self.xp and operators, and "
            "take the mark away.",
        )
