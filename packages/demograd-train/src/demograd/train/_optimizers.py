"""Optimizers by name: those of every installed package, found by entry point."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import Any, cast

from demograd.errors import ArgumentError, ProviderError

__all__ = ["distribution_of", "get_optimizer", "optimizers"]

GROUP = "demograd.optimizers"


def optimizers() -> dict[str, EntryPoint]:
    """The optimizers of all installed packages, by name; nothing is imported for it.

    A package offers one with an entry point of the group ``demograd.optimizers``.

    Returns:
        Each name's entry point, in alphabetical order; ``.dist.name`` is the distribution.

    Raises:
        ProviderError: two packages offer one name.

    >>> isinstance(optimizers(), dict)
    True
    """
    found: dict[str, EntryPoint] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        former = found.setdefault(entry.name, entry)
        if former is not entry:
            raise ProviderError(
                f"optimizers: two installed packages offer {entry.name!r}.",
                [
                    f"first: {distribution_of(former)}, {former.value}",
                    f"second: {distribution_of(entry)}, {entry.value}",
                ],
                "Uninstall one of them.",
            )
    return found


def get_optimizer(name: str) -> Callable[..., Any]:
    """The optimizer of this name: a class, to be called with parameters and settings.

    Args:
        name: as its package declares it: ``"adam"``, ``"sgd"``.

    Raises:
        ArgumentError: no installed package offers it; lists those that are offered.
        ProviderError: two packages offer one name, or the package fails to load.

    >>> get_optimizer("steepest")
    Traceback (most recent call last):
        ...
    demograd.errors.ArgumentError: optimizers: no installed package offers 'steepest'.
    ...
    """
    found = optimizers()
    entry = found.get(name)
    if entry is None:
        close = difflib.get_close_matches(name, found, 1)
        if close:
            mend = f"Did you mean {close[0]!r}?"
        elif found:
            mend = "Take one of these, or install the package that offers it."
        else:
            mend = "pip install demograd-optim"
        raise ArgumentError(
            f"optimizers: no installed package offers {name!r}.",
            [f"{known}: {distribution_of(found[known])}" for known in found] or ["found: none"],
            mend,
        )
    try:
        optimizer = entry.load()
    except Exception as error:
        raise ProviderError(
            f"optimizers: {name!r} of {distribution_of(entry)} fails to load.",
            [f"entry point: {entry.value}", f"{type(error).__name__}: {error}"],
            "Mend or uninstall that package.",
        ) from error
    if not callable(optimizer):
        raise ProviderError(
            f"optimizers: {name!r} of {distribution_of(entry)} is no optimizer.",
            [f"entry point: {entry.value}", f"found: {type(optimizer).__name__}"],
            "It must lead to the class.",
        )
    return cast("Callable[..., Any]", optimizer)


def distribution_of(entry: EntryPoint) -> str:
    """The name of the distribution that declares an entry point."""
    return entry.dist.name if entry.dist is not None else "an unknown distribution"
