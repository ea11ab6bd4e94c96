"""``Parameter``: a tensor that a module trains."""

from __future__ import annotations

from typing import Any

from demograd import Tensor

__all__ = ["Parameter"]


class Parameter(Tensor):
    """A leaf tensor that requires a gradient; as an attribute of a Module, one of its parameters.

    Args:
        data: numbers, nested lists, an array (shared, not copied) or a Tensor (detached).
        requires_grad: False for a parameter that is not trained.
        name: shown in pictures and messages; by default the attribute's name.

    Raises:
        DtypeError: a gradient is asked of integers or booleans.

    >>> Parameter([1.0, 2.0])
    Parameter containing:
    tensor([1., 2.], requires_grad=True)
    """

    def __init__(self, data: Any, requires_grad: bool = True, name: str | None = None) -> None:
        super().__init__(data, requires_grad, name)

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()
