"""A plain function in the place of a module."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from demograd.errors import ArgumentTypeError
from demograd.nn._module import Module

__all__ = ["Lambda", "Layer", "as_module"]

# What a container takes.
Layer = Module | Callable[..., Any]


class Lambda(Module):
    """A function as a module without parameters; the containers wrap plain callables in it.

    It shows under the function's name, so that a picture of ``Sequential(Linear(2, 2), dg.tanh)``
    says ``tanh``.

    Args:
        function: what ``forward`` calls.

    Raises:
        ArgumentTypeError: it cannot be called, or is a class.

    >>> import demograd as dg
    >>> from demograd.activations import ReLU
    >>> Lambda(ReLU.apply)
    ReLU.apply
    >>> Lambda(ReLU.apply)(dg.tensor([-1.0, 1.0]))
    tensor([0., 1.])
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        given: Any = function
        if isinstance(given, type) or not callable(given):
            a_class = isinstance(given, type)
            raise ArgumentTypeError(
                "Lambda: expected a function or a module, not "
                + (f"the class {given.__name__}." if a_class else f"{type(given).__name__}."),
                mend=f"Make an instance: {given.__name__}(...)."
                if a_class and issubclass(given, Module)
                else "Sequential(*layers) takes them one by one."
                if isinstance(given, (list, tuple))
                else "Give what can be called with a Tensor, such as ReLU.apply.",
            )
        self.function = function
        self._label = self._get_name()

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the function returns."""
        return self.function(*args, **kwargs)

    def _get_name(self) -> str:
        function = self.__dict__.get("function")
        name = getattr(function, "__name__", None)
        if name is None:
            return type(self).__name__ if function is None else repr(function)
        # A bound method, such as ReLU.apply, is told apart by what it is bound to.
        owner = getattr(function, "__self__", None)
        if isinstance(owner, type):
            return f"{owner.__name__}.{name}"
        return str(name)

    def __repr__(self) -> str:
        return self._get_name()


def as_module(layer: Layer) -> Module:
    """The module itself; a function in a :class:`Lambda`."""
    return layer if isinstance(layer, Module) else Lambda(layer)
