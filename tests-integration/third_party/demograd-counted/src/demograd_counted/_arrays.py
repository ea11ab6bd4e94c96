"""The arrays, and their namespace: NumPy's functions under the names of the array API standard."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["Array", "namespace", "operations"]

# How often each operation was done on these arrays.
operations: Counter[str] = Counter()


class Array:
    """An array whose operations are counted; it holds NumPy's and is never written to.

    Args:
        values: what it holds.
    """

    __slots__ = ("values",)

    # NumPy's arrays leave their operators to the reflected ones here.
    __array_ufunc__ = None
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, values: Any) -> None:
        self.values = np.asarray(values)

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        return namespace

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape

    @property
    def ndim(self) -> int:
        return self.values.ndim

    @property
    def size(self) -> int:
        return self.values.size

    @property
    def dtype(self) -> Any:
        return self.values.dtype

    @property
    def mT(self) -> Array:
        return Array(self.values.mT)

    @property
    def T(self) -> Array:
        return Array(self.values.T)

    def __getitem__(self, key: Any) -> Array:
        return Array(self.values[unwrapped(key)])

    def __repr__(self) -> str:
        return f"Counted({self.values})"

    def __bool__(self) -> bool:
        return bool(self.values)

    def __float__(self) -> float:
        return float(self.values)

    def __int__(self) -> int:
        return int(self.values)


def unwrapped(value: Any) -> Any:
    """NumPy's arrays in place of these, in tuples and lists as well."""
    if isinstance(value, Array):
        return value.values
    if isinstance(value, (tuple, list)):
        return type(value)([unwrapped(part) for part in value])
    return value


def wrapped(value: Any) -> Any:
    """These arrays in place of NumPy's."""
    if isinstance(value, (tuple, list)):
        return tuple([wrapped(part) for part in value])
    return Array(value) if isinstance(value, (np.ndarray, np.generic)) else value


def counting(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of NumPy arrays as one of these, which is counted."""

    def run(*args: Any, **settings: Any) -> Any:
        operations[name] += 1
        given = {key: unwrapped(value) for key, value in settings.items()}
        return wrapped(function(*unwrapped(args), **given))

    return run


def _operator(name: str, reflected: bool) -> Callable[..., Any]:
    function = getattr(operator, name)

    def run(x: Array, y: Any) -> Any:
        if not isinstance(y, (Array, int, float, complex, np.ndarray, np.generic)):
            return NotImplemented
        operations[name.strip("_")] += 1
        a, b = unwrapped(x), unwrapped(y)
        return wrapped(function(b, a) if reflected else function(a, b))

    return run


for _name in "add sub mul truediv floordiv mod pow matmul and or xor".split():
    setattr(Array, f"__{_name}__", _operator(f"__{_name}__", False))
    setattr(Array, f"__r{_name}__", _operator(f"__{_name}__", True))
for _name in "eq ne lt le gt ge".split():
    setattr(Array, f"__{_name}__", _operator(f"__{_name}__", False))
for _name in "neg abs invert".split():
    setattr(Array, f"__{_name}__", counting(_name, getattr(operator, f"__{_name}__")))


class Namespace:
    """NumPy's functions and constants, by name."""

    __name__ = "demograd_counted"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        value = getattr(np, name)
        if callable(value) and not isinstance(value, type):
            value = counting(name, value)
        setattr(self, name, value)
        return value


namespace = Namespace()
