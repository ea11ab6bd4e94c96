"""The backend whose arrays are Tensors: what a rule computes on it is recorded.

When a backward pass is recorded (``create_graph=True``), the same rules run on Tensors, and their
``xp`` is the object here. Names come from the core first, then from the packages that offer
functions, so a package's rules find what the package itself brings.
"""

from __future__ import annotations

import functools
from typing import Any

from demograd import _providers
from demograd._backend import Backend, numpy_backend

__all__ = ["tensor_backend", "tensor_backend_on"]

EXTENSIONS: frozenset[str] = frozenset(["linalg"])
# What makes tensors from nothing, and has to be told where.
MAKERS: frozenset[str] = frozenset(
    ["arange", "asarray", "empty", "eye", "full", "linspace", "ones", "zeros"]
)


class TensorBackend:
    """The array API's names, and the few that ``Backend`` adds, on Tensors.

    Args:
        library: makes the arrays of new tensors.
    """

    __array_api_version__ = "2024.12"

    def __init__(self, library: Backend) -> None:
        self._library = library

    def __array_namespace_info__(self) -> Any:
        """What the namespace can do, as the standard asks."""
        from demograd._standard import NamespaceInfo

        return NamespaceInfo()

    def __getattr__(self, name: str) -> Any:
        # Reached once for each name: the function is kept as an attribute of its own.
        if name.startswith("_"):
            raise AttributeError(name)
        from demograd._namespace import FUNCTIONS

        value: Any
        if name in FUNCTIONS:
            value = FUNCTIONS[name]
            if name in MAKERS and self._library is not numpy_backend:
                value = functools.partial(value, device=self._library)
        elif name in EXTENSIONS:
            value = Extension(name)
        else:
            value = _providers.find_array_function(name)
        setattr(self, name, value)
        return value

    def __repr__(self) -> str:
        return "<demograd backend on Tensors>"


class Extension:
    """An extension of the standard: ``xp.linalg``, whose names stand under ``linalg.<name>``."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        value = _providers.find_array_function(f"{self.prefix}.{name}")
        setattr(self, name, value)
        return value

    def __repr__(self) -> str:
        return f"<{self.prefix} of the demograd backend on Tensors>"


tensor_backend = TensorBackend(numpy_backend)


@functools.cache
def tensor_backend_on(library: Any) -> TensorBackend:
    """The namespace of Tensors whose new ones are arrays of a library."""
    if library is numpy_backend or not isinstance(library, Backend) or library.wraps:
        return tensor_backend
    return TensorBackend(library)
