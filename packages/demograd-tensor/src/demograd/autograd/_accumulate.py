"""Adding the gradients of a finished pass to ``.grad`` of the leaves."""

from __future__ import annotations

import sys
import threading
from contextlib import nullcontext
from typing import Any

import numpy as np

from demograd._storage import mark_changed, owner
from demograd._tensor import Tensor
from demograd.autograd._mode import enable_grad

__all__ = ["accumulate", "separate"]

# Two threads may finish passes over shared parameters at the same time.
_lock = threading.Lock()


def accumulate(found: dict[Tensor, Any], create_graph: bool) -> None:
    """Add each gradient to its leaf's ``.grad``; empties ``found``."""
    # A recorded gradient stays in the graph, whatever the caller's mode is.
    with _lock, enable_grad() if create_graph else nullcontext():
        while found:
            x, gradient = found.popitem()
            if not x._requires_grad:
                continue  # switched off since the graph was built
            former = x._grad
            if former is None:
                if isinstance(gradient, Tensor):
                    # Two leaves may have one Tensor as their gradient, or the caller's own.
                    x._grad = gradient.clone()
                    continue
                new = Tensor.__new__(Tensor)
                # An array that somebody else holds as well must not become a .grad, which
                # optimizers and clipping change in place.
                new._data = gradient if _is_ours(gradient, _REFERENCES) else _copy(gradient)
                new._node = None
                new._requires_grad = False
                x._grad = new
            elif create_graph or former._requires_grad or not _writable(former._data):
                x._grad = former + gradient
            else:
                former._data += gradient
                mark_changed(former._data, "backward, adding to .grad")


def separate(gradients: list[Tensor | None], seeds: list[Any]) -> list[Tensor | None]:
    """The gradients that ``grad`` returns: changing one in place changes no other."""
    taken = {id(owner(seed._data if isinstance(seed, Tensor) else seed)) for seed in seeds}
    separated: list[Tensor | None] = []
    for x in gradients:
        if x is not None and isinstance(x._data, np.ndarray):
            whole = owner(x._data)
            if id(whole) in taken or not x._data.flags.writeable:
                with enable_grad():
                    x = x.clone()
            taken.add(id(whole))
        separated.append(x)
    return separated


def _copy(array: Any) -> Any:
    return array.copy() if isinstance(array, np.ndarray) else array


def _writable(array: Any) -> bool:
    return isinstance(array, np.ndarray) and array.flags.writeable


def _is_ours(array: Any, references: int) -> bool:
    """Whether nobody but the caller holds this array or its memory."""
    return not isinstance(array, np.ndarray) or (
        array.base is None and array.flags.writeable and sys.getrefcount(array) <= references
    )


def _count_references() -> int:
    """What getrefcount says in ``_is_ours`` of an array that only the caller holds."""
    counted = 0

    def probe(array: Any, references: int) -> None:
        nonlocal counted
        counted = sys.getrefcount(array)

    found = {0: np.zeros(1)}
    _, gradient = found.popitem()
    probe(gradient, 0)
    return counted


_REFERENCES = _count_references()
