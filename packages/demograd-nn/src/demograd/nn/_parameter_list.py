"""The container that holds parameters in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Self, overload

from demograd import Tensor
from demograd.errors import OutOfRangeError
from demograd.nn._module import Module
from demograd.nn._parameter import Parameter
from demograd.nn._registry import PARAMETER

__all__ = ["ParameterList"]


class ParameterList(Module):
    """A list of parameters, named by their number.

    Args:
        values: Parameters; other tensors are made into Parameters.

    >>> import demograd as dg
    >>> weights = ParameterList([dg.ones(2), dg.zeros(3)])
    >>> [(name, p.shape) for name, p in weights.named_parameters()]
    [('0', (2,)), ('1', (3,))]
    """

    def __init__(self, values: Iterable[Tensor] | None = None) -> None:
        super().__init__()
        self.extend(() if values is None else values)

    def _values(self) -> list[Parameter]:
        return [p for _, p in self._registered(PARAMETER)]

    def __len__(self) -> int:
        return len(self._values())

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self._values())

    @overload
    def __getitem__(self, index: int) -> Parameter: ...
    @overload
    def __getitem__(self, index: slice) -> ParameterList: ...
    def __getitem__(self, index: int | slice) -> Any:
        values = self._values()
        if isinstance(index, slice):
            return ParameterList(values[index])
        if not -len(values) <= index < len(values):
            raise OutOfRangeError(
                f"ParameterList: index {index} is out of range.",
                [f"it holds {len(values)} parameters"],
            )
        return values[index]

    def append(self, value: Tensor) -> Self:
        """Put a parameter at the end."""
        parameter = value if isinstance(value, Parameter) else Parameter(value)
        self.register_parameter(str(len(self)), parameter)
        return self

    def extend(self, values: Iterable[Tensor]) -> Self:
        """Put several parameters at the end."""
        for value in list(values):
            self.append(value)
        return self

    def extra_repr(self) -> str:
        """A line for each parameter."""
        return "\n".join(
            f"  ({number}): Parameter containing: [{p.dtype} of size {'x'.join(map(str, p.shape))}]"
            for number, p in enumerate(self)
        )
