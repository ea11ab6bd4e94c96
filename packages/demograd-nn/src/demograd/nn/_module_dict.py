"""The container that holds modules by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from demograd.errors import OutOfRangeError
from demograd.nn._lambda import Layer, as_module
from demograd.nn._module import Module
from demograd.nn._registry import MODULE

__all__ = ["ModuleDict"]


class ModuleDict(Module):
    """Modules by name: their parameters are found, and it computes nothing itself.

    Args:
        modules: a dictionary, or pairs of name and module.

    >>> from demograd.nn import Linear, ReLU
    >>> heads = ModuleDict({"class": Linear(4, 3), "act": ReLU()})
    >>> heads["class"].out_features, "act" in heads, list(heads)
    (3, True, ['class', 'act'])
    """

    def __init__(self, modules: Mapping[str, Layer] | Iterable[Any] | None = None) -> None:
        super().__init__()
        self.update(() if modules is None else modules)

    def __getitem__(self, name: str) -> Any:
        if self._kinds.get(name) != MODULE:
            raise OutOfRangeError(
                f"{self._get_name()}: there is no module {name!r}.",
                [f"it has: {', '.join(self) or 'none'}"],
            )
        return self.__dict__[name]

    def __setitem__(self, name: str, layer: Layer) -> None:
        self.add_module(name, as_module(layer))

    def __delitem__(self, name: str) -> None:
        self.pop(name)

    def __len__(self) -> int:
        return len(self.keys())

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __contains__(self, name: object) -> bool:
        return name in self.keys()

    def keys(self) -> list[str]:
        """The names, in order."""
        return [name for name, _ in self._registered(MODULE)]

    def values(self) -> list[Module]:
        """The modules, in order."""
        return [module for _, module in self._registered(MODULE)]

    def items(self) -> list[tuple[str, Module]]:
        """Names and modules, in order."""
        return self._registered(MODULE)

    def pop(self, name: str) -> Module:
        """Take a module out, and return it."""
        module: Module = self[name]
        delattr(self, name)
        return module

    def clear(self) -> None:
        """Take all modules out."""
        for name in self.keys():
            delattr(self, name)

    def update(self, modules: Mapping[str, Layer] | Iterable[Any]) -> None:
        """Add modules, or put them in the place of those of the same name."""
        pairs = modules.items() if isinstance(modules, (Mapping, ModuleDict)) else modules
        for name, layer in list(pairs):
            self[name] = layer

    def _set_name(self, name: str) -> None:
        super()._set_name(name)
        for child, part in self._registered(MODULE):
            part._set_name(self._name_of(child))

    def _name_of(self, child: str) -> str:
        return f"{self._name}.{child}" if self._name else child
