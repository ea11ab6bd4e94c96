"""Adding the gradients of a finished pass to ``.grad`` of the leaves."""

from __future__ import annotations

import sys
import threading
from collections import deque
from contextlib import nullcontext
from itertools import starmap
from operator import call, iadd
from typing import Any

import numpy as np

from demograd._at_once import Call, at_once
from demograd._storage import mark_changed, owner
from demograd._tensor import Tensor
from demograd.autograd._hooks import run_post_accumulate_grad_hooks
from demograd.autograd._mode import enable_grad, set_grad_enabled
from demograd.autograd._step_checks import note_addition

__all__ = ["accumulate", "added", "separate"]

# Elements from which on new memory costs more than finding out whether the old can be used.
FEW = 4096

# Two threads may finish passes over shared parameters at the same time.
_lock = threading.Lock()
_as_it_is = nullcontext()
set_attribute = object.__setattr__


def accumulate(found: dict[Tensor, Any], create_graph: bool) -> None:
    """Add each gradient to its leaf's ``.grad``, and run what waits for that; empties ``found``.

    All are prepared first and then added at once: also an interrupt leaves all or none.
    """
    setting: list[Call] = []
    adding: list[Call] = []
    hooked: list[Tensor] = []
    # A recorded gradient stays in the graph, whatever the caller's mode is.
    with _lock, enable_grad() if create_graph else _as_it_is:
        while found:
            x, gradient = found.popitem()
            if not x._requires_grad:
                continue  # switched off since the graph was built
            if x._after_grad is not None:
                hooked.append(x)
            former = x._grad
            if former is None:
                if isinstance(gradient, Tensor):
                    # Two leaves may have one Tensor as their gradient, or the caller's own.
                    setting.append((set_attribute, x, "_grad", gradient.clone()))
                    continue
                new = object.__new__(Tensor)
                # An array that somebody else holds as well must not become a .grad, which
                # optimizers and clipping change in place.
                new._data = gradient if _is_ours(gradient, _REFERENCES) else _copy(gradient)
                new._node = None
                new._requires_grad = False
                setting.append((set_attribute, x, "_grad", new))
                continue
            if former._use:
                note_addition(former)
            if create_graph or former._requires_grad:
                total = former + gradient
                total._use = former._use
                setting.append((set_attribute, x, "_grad", total))
            elif _writable(former._data):
                mark_changed([former._data], "backward, adding to .grad")
                adding.append((iadd, former._data, gradient))
            else:
                # The same Tensor with another array, for whoever holds it.
                setting.append((set_attribute, former, "_data", former._data + gradient))
        if adding:
            at_once(setting + adding)
        else:
            deque(starmap(call, setting), maxlen=0)  # no arithmetic of which NumPy could warn
    if hooked:
        hooked.reverse()  # in the order in which the pass met them
        # All gradients stand, and the lock is open: a hook may run a pass of its own.
        with set_grad_enabled(create_graph):
            run_post_accumulate_grad_hooks(hooked)


def added(former: Any, part: Any) -> Any:
    """``former + part``, in the memory of ``former`` if it is large and only the caller's."""
    if (
        type(former) is np.ndarray
        and former.size > FEW
        and type(part) is np.ndarray
        and _is_ours(former, _REFERENCES)
    ):
        former += part
        return former
    return former + part


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
