"""How a module shows: a tree of its parts, a line each, as PyTorch prints it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["indented", "tree"]


def tree(name: str, settings: str, parts: Iterable[tuple[str, Any]]) -> str:
    """``Name(settings)``, or the parts below the name, indented.

    >>> print(tree("Sequential", "", [("0", "ReLU()"), ("1", "Tanh()")]))
    Sequential(
      (0): 'ReLU()'
      (1): 'Tanh()'
    )
    """
    lines = settings.split("\n") if settings else []
    children = [f"({key}): {indented(repr(part))}" for key, part in parts]
    if len(lines) == 1 and not children:
        return f"{name}({lines[0]})"
    lines += children
    return f"{name}(\n  " + "\n  ".join(lines) + "\n)" if lines else f"{name}()"


def indented(text: str) -> str:
    """All lines but the first moved to the right; blank ones stay empty."""
    first, *others = text.split("\n")
    return "\n".join([first, *(f"  {line}" if line.strip() else "" for line in others)])
