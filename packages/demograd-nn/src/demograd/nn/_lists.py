"""Containers that hold modules in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self, overload

from demograd.errors import ArgumentTypeError, OutOfRangeError
from demograd.nn._lambda import Layer, as_module
from demograd.nn._module import Module
from demograd.nn._registry import MODULE
from demograd.nn._repr import indented

__all__ = ["ModuleList", "Sequential"]


class _Numbered(Module):
    """Modules in order, named by their number."""

    def _parts(self) -> list[Module]:
        own = self.__dict__
        return [own[name] for name, kind in self._kinds.items() if kind == MODULE]

    def _reset(self, parts: Iterable[Module]) -> None:
        """Hold these modules, numbered anew from zero."""
        for name in [name for name, kind in self._kinds.items() if kind == MODULE]:
            delattr(self, name)
        for number, part in enumerate(parts):
            self.add_module(str(number), part)

    def _place(self, index: Any, length: int) -> int:
        """An index counted from the front."""
        try:
            place = index.__index__()
        except AttributeError as error:
            raise ArgumentTypeError(
                f"{self._get_name()}: an index is an integer or a slice, "
                f"not {type(index).__name__}."
            ) from error
        if not -length <= place < length:
            raise OutOfRangeError(
                f"{self._get_name()}: index {place} is out of range.",
                [f"it holds {length} modules"],
            )
        return int(place) % length

    def __len__(self) -> int:
        return len(self._parts())

    def __iter__(self) -> Iterator[Module]:
        return iter(self._parts())

    def __setitem__(self, index: int, layer: Layer) -> None:
        names = [name for name, kind in self._kinds.items() if kind == MODULE]
        setattr(self, names[self._place(index, len(names))], as_module(layer))

    def __delitem__(self, index: int | slice) -> None:
        parts = self._parts()
        if not isinstance(index, slice):
            index = self._place(index, len(parts))
        del parts[index]
        self._reset(parts)

    def append(self, layer: Layer) -> Self:
        """Put a module, or a function, at the end."""
        number = len(self)
        while str(number) in self._kinds:
            number += 1  # a slice keeps its modules' numbers, so the next one may be taken
        self.add_module(str(number), as_module(layer))
        return self

    def extend(self, layers: Iterable[Layer]) -> Self:
        """Put several modules at the end."""
        for layer in list(layers):
            self.append(layer)
        return self

    def insert(self, index: int, layer: Layer) -> Self:
        """Put a module before the one at ``index``; those after it are numbered anew.

        Raises:
            OutOfRangeError: the index is beyond the end.
        """
        parts = self._parts()
        if not -len(parts) <= index <= len(parts):
            self._place(index, len(parts))
        parts.insert(index, as_module(layer))
        self._reset(parts)
        return self

    def pop(self, index: int = -1) -> Module:
        """Take a module out, and return it."""
        part = self._parts()[self._place(index, len(self))]
        del self[index]
        return part

    def __iadd__(self, layers: Iterable[Layer]) -> Self:
        return self.extend(layers)


class Sequential(_Numbered):
    """Modules, each given what the one before returned.

    Args:
        layers: modules, or plain functions such as ``ReLU.apply``; or one dictionary of them, whose
            keys become their names.

    Shape: that of the first module's input and the last one's output.

    Raises:
        ArgumentTypeError: a layer cannot be called, or is a class.

    >>> import demograd as dg
    >>> from demograd.activations import ReLU
    >>> from demograd.nn import Linear
    >>> model = Sequential(Linear(4, 3), ReLU.apply, Linear(3, 1))
    >>> model
    Sequential(
      (0): Linear(in_features=4, out_features=3, bias=True)
      (1): ReLU.apply
      (2): Linear(in_features=3, out_features=1, bias=True)
    )
    >>> model(dg.ones(2, 4)).shape
    (2, 1)
    >>> model[:2](dg.ones(2, 4)).shape
    (2, 3)
    """

    def __init__(self, *layers: Layer | Mapping[str, Layer]) -> None:
        super().__init__()
        named: Mapping[str, Any] = dict(zip(map(str, range(len(layers))), layers, strict=True))
        if len(layers) == 1 and isinstance(layers[0], Mapping):
            named = layers[0]
        for name, layer in named.items():
            self.add_module(name, as_module(layer))

    def forward(self, x: Any) -> Any:
        """The output of the last module."""
        for part in self._parts():
            x = part(x)
        return x

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            # The same modules under the same names: their parameters are shared.
            named = [(n, self.__dict__[n]) for n, kind in self._kinds.items() if kind == MODULE]
            return type(self)(dict(named[index]))
        parts = self._parts()
        return parts[self._place(index, len(parts))]

    def __add__(self, other: Sequential) -> Sequential:
        return Sequential(*self, *other)


class ModuleList(_Numbered):
    """A list of modules: its parameters are found, and it computes nothing itself.

    Args:
        modules: modules or functions.

    >>> from demograd.nn import Linear
    >>> layers = ModuleList([Linear(2, 2) for _ in range(3)])
    >>> len(layers), len(list(layers.parameters()))
    (3, 6)
    >>> layers
    ModuleList(
      (0-2): 3 x Linear(in_features=2, out_features=2, bias=True)
    )
    """

    def __init__(self, modules: Iterable[Layer] | None = None) -> None:
        super().__init__()
        self.extend(() if modules is None else modules)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Any:
        parts = self._parts()
        if isinstance(index, slice):
            return type(self)(parts[index])
        return parts[self._place(index, len(parts))]

    def __add__(self, other: Iterable[Layer]) -> ModuleList:
        return ModuleList([*self, *other])

    def _set_name(self, name: str) -> None:
        super()._set_name(name)
        for child, part in self._registered(MODULE):
            part._set_name(self._name_of(child))

    def _name_of(self, child: str) -> str:
        # A list is never called, so its parts carry its name: "blocks.0".
        return f"{self._name}.{child}" if self._name else child

    def __repr__(self) -> str:
        runs: list[tuple[int, int, str]] = []
        for number, text in enumerate(map(repr, self)):
            if runs and runs[-1][2] == text:
                runs[-1] = (runs[-1][0], number, text)
            else:
                runs.append((number, number, text))
        if not runs:
            return f"{self._get_name()}()"
        lines = [
            f"({first}): {text}" if first == last
            else f"({first}-{last}): {last - first + 1} x {text}"
            for first, last, text in runs
        ]  # fmt: skip
        return f"{self._get_name()}(\n  " + "\n  ".join(map(indented, lines)) + "\n)"
