"""Checks of the arguments that samplers, loaders and splits share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from operator import index
from typing import Any, TypeVar

import numpy as np

import demograd
from demograd import Generator
from demograd.errors import ArgumentError, ArgumentTypeError, DataError, OutOfRangeError

__all__ = [
    "as_array",
    "check_generator",
    "check_index",
    "fresh_iterator",
    "index_array",
    "length",
    "numpy_generator",
    "positive_int",
]

T = TypeVar("T")


def positive_int(operation: str, name: str, value: object) -> int:
    """``value`` as an int of at least one; NumPy's integers count, ``True`` does not."""
    try:
        number = 0 if isinstance(value, (bool, np.bool_)) else index(value)  # type: ignore[arg-type]
    except TypeError:
        number = 0
    if number < 1:
        raise ArgumentError(
            f"{operation}: {name} must be a whole number of at least 1.",
            [f"{name}: {value!r}"],
            f"{name}=32, for example.",
        )
    return number


def check_generator(operation: str, generator: object) -> None:
    """Refuse what is not a demograd generator, a bare seed above all."""
    if generator is not None and not isinstance(generator, Generator):
        raise ArgumentTypeError(
            f"{operation}: generator must be a demograd.Generator.",
            [f"generator: {generator!r}, of type {type(generator).__name__}"],
            "generator=demograd.Generator().manual_seed(0)",
        )


def numpy_generator(generator: Generator | None) -> np.random.Generator:
    """NumPy's generator inside ``generator``; inside the default one for ``None``."""
    return (demograd.default_generator if generator is None else generator).numpy


def length(operation: str, name: str, source: object) -> int:
    """``len(source)``, or an error that says who has none."""
    if not hasattr(type(source), "__len__"):
        # A TypeError, because list() and tqdm take that as "length unknown".
        raise ArgumentTypeError(
            f"{operation}: the length is not known, because {name} has none.",
            [f"{name}: {type(source).__name__} without __len__"],
            f"Define __len__ on it, or pass a list: list({name}).",
        )
    return len(source)  # type: ignore[arg-type]


def fresh_iterator(operation: str, name: str, source: Iterable[T]) -> Iterator[T]:
    """``iter(source)``, refusing a generator that has nothing left.

    An iterator returns itself from ``iter``, so it serves a single epoch; a second epoch would
    otherwise train on nothing in silence.
    """
    iterator = iter(source)
    if iterator is not source:
        return iterator
    for first in iterator:
        return chain([first], iterator)
    raise DataError(
        f"{operation}: {name} is a generator that is already used up.",
        [f"{name}: {type(source).__name__} with nothing left to give"],
        f"A generator serves one epoch. Keep its values: list({name}).",
    )


def check_index(operation: str, position: int, size: int) -> None:
    """Refuse a position outside ``-size .. size - 1``.

    An IndexError is also what ends a ``for`` loop over what has no ``__iter__``.
    """
    if not -size <= position < size:
        raise OutOfRangeError(
            f"{operation}: the index is out of range.",
            [f"index: {position}", f"length: {size}"],
            f"Indices run from 0 to {size - 1}." if size else "It has no samples.",
        )


def index_array(
    operation: str, indices: Sequence[int], size: int
) -> np.ndarray[Any, np.dtype[np.intp]]:
    """``indices`` as an array, each a whole number in ``-size .. size - 1``."""
    chosen = np.asarray(indices)
    if chosen.dtype.kind not in "iu" or chosen.ndim != 1:
        raise ArgumentTypeError(
            f"{operation}: a batch is a list of whole numbers, at least one.",
            [f"found: {indices!r}"],
            "Let the sampler give integers, as in sampler=[0, 2, 4].",
        )
    check_index(operation, int(chosen.min()), size)
    check_index(operation, int(chosen.max()), size)
    return chosen.astype(np.intp, copy=False)


def as_array(values: Any) -> np.ndarray[Any, np.dtype[Any]]:
    """The NumPy array of a Tensor, an array or a nested list."""
    return values.data if isinstance(values, demograd.Tensor) else np.asarray(values)
