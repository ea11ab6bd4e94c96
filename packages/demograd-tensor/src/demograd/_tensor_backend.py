"""The backend whose arrays are Tensors: what a rule computes on it is recorded.

When a backward pass is recorded (``create_graph=True``), the same rules run on Tensors, and their
``xp`` is the object here. Names come from the core first, then from the packages that offer
functions, so a package's rules find what the package itself brings.
"""

from __future__ import annotations

from typing import Any

from demograd import _providers

__all__ = ["tensor_backend"]


class TensorBackend:
    """The array API's names, and the few that ``Backend`` adds, on Tensors."""

    def __getattr__(self, name: str) -> Any:
        # Reached once for each name: the function is kept as an attribute of its own.
        if name.startswith("_"):
            raise AttributeError(name)
        from demograd._namespace import FUNCTIONS

        value = FUNCTIONS[name] if name in FUNCTIONS else _providers.find_array_function(name)
        setattr(self, name, value)
        return value

    def __repr__(self) -> str:
        return "<demograd backend on Tensors>"


tensor_backend = TensorBackend()
