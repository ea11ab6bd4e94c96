"""Nested lists, tuples and dicts, taken apart into their leaves and put together again.

Reference: ``torch.utils._pytree``; named tuples are tuples, and None is a leaf.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["flatten", "leaves_of", "map_tree", "spread_prefix", "unflatten"]


def children(tree: Any) -> list[Any] | None:
    """What a list, tuple or dict holds; None for a leaf."""
    if isinstance(tree, dict):
        return list(tree.values())
    return list(tree) if isinstance(tree, (list, tuple)) else None


def rebuilt(tree: Any, parts: Sequence[Any]) -> Any:
    """A list, tuple or dict like ``tree`` that holds other parts."""
    kind: Any = type(tree)
    if isinstance(tree, dict):
        pairs = zip(tree, parts, strict=True)
        return kind(pairs) if kind in (dict,) or not hasattr(tree, "default_factory") else (
            kind(tree.default_factory, pairs)
        )  # fmt: skip
    return kind(*parts) if hasattr(tree, "_fields") else kind(parts)


def map_tree(function: Callable[[Any], Any], tree: Any) -> Any:
    """The tree with ``function(leaf)`` in place of each leaf.

    >>> map_tree(lambda x: -x, {"a": [1, 2], "b": (3,)})
    {'a': [-1, -2], 'b': (-3,)}
    """
    parts = children(tree)
    if parts is None:
        return function(tree)
    return rebuilt(tree, [map_tree(function, part) for part in parts])


def leaves_of(tree: Any) -> list[Any]:
    """The leaves, in order.

    >>> leaves_of({"a": [1, 2], "b": (3,)})
    [1, 2, 3]
    """
    found: list[Any] = []
    map_tree(found.append, tree)
    return found


def flatten(tree: Any) -> tuple[list[Any], Any]:
    """The leaves, and the tree itself as the form for :func:`unflatten`."""
    return leaves_of(tree), tree


def unflatten(form: Any, leaves: Sequence[Any]) -> Any:
    """The tree with other leaves.

    >>> unflatten({"a": [1, 2], "b": (3,)}, ["x", "y", "z"])
    {'a': ['x', 'y'], 'b': ('z',)}
    """
    remaining = iter(leaves)
    return map_tree(lambda _: next(remaining), form)


def spread_prefix(prefix: Any, tree: Any, misfit: Callable[[Any, Any], Exception]) -> list[Any]:
    """A value for each leaf of ``tree``, from a tree of values that may stop at any branch.

    Args:
        prefix: one value for all leaves, or a list, tuple or dict like the tree's of such.
        tree: the tree.
        misfit: makes the error for a part of the prefix and the part of the tree that differ.

    >>> spread_prefix((0, None), ([1, 2], 3), lambda prefix, tree: ValueError())
    [0, 0, None]
    """
    values, parts = children(prefix), children(tree)
    if values is None:
        return [prefix] * len(leaves_of(tree))
    alike = isinstance(prefix, dict) == isinstance(tree, dict) and parts is not None
    if not alike or parts is None or len(values) != len(parts):
        raise misfit(prefix, tree)
    if isinstance(prefix, dict):
        if set(prefix) != set(tree):
            raise misfit(prefix, tree)
        values = [prefix[key] for key in tree]
    return [leaf for value, part in zip(values, parts, strict=True)
            for leaf in spread_prefix(value, part, misfit)]  # fmt: skip
