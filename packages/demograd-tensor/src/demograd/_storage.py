"""When was the memory behind an array last changed in place?

A rule saves arrays for its backward pass. If such an array is overwritten before that pass
comes, the gradient would be wrong in silence. So each in-place change stamps the *storage* of
what it changes with the time of the change, and a node that finds a later stamp than its own
on something that it saved refuses to run.

The storage of a NumPy array is the array that owns its memory: views of one array lead to the
same owner, so they share its stamp. Stamps stand in one dictionary beside the arrays and not in
the tensors, so an operation that changes nothing pays nothing.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from demograd._place import Place, user_place
from demograd.autograd._clock import tick
from demograd.autograd._mode import everywhere

__all__ = ["Change", "changes", "latest", "mark_changed", "owner"]


@dataclass(slots=True)
class Change:
    """The last in-place change of some memory: when, and by what."""

    time: int
    by: str
    owner: weakref.ref[Any]
    place: Place | None = None  # in the user's code, while somebody watches


class Latest:
    """The time of the last change of any memory: older nodes are the ones to look at."""

    __slots__ = ("time",)

    def __init__(self) -> None:
        self.time = 0


latest = Latest()
_lock = threading.Lock()
# The last change of each storage, by the id of the owner.
changes: dict[int, Change] = {}


def owner(array: Any) -> Any:
    """The array whose memory ``array`` shows: itself unless it is a view.

    >>> a = np.zeros((2, 3))
    >>> owner(a[0, 1:].T) is a
    True
    """
    while True:
        base = getattr(array, "base", None)
        if base is None:
            return array
        if not isinstance(base, np.ndarray):
            # as_strided and broadcast_to put a plain object between the view and its base.
            deeper = getattr(base, "base", None)
            if not isinstance(deeper, np.ndarray):
                return array
            base = deeper
        array = base


def mark_changed(arrays: Iterable[Any], by: str) -> None:
    """Stamp the storage of each of ``arrays``: it was changed now, by the operation ``by``."""
    with _lock:
        # Of two threads the one with the earlier time may come second.
        latest.time = time = tick()
    place = user_place() if everywhere.watched else None
    for array in arrays:
        if not isinstance(array, np.ndarray):
            continue  # scalars and other libraries' arrays are never written to
        whole = array if array.base is None else owner(array)
        key = id(whole)
        known = changes.get(key)
        if known is not None:
            # Parameters are changed at every step: a third of the time of a new entry.
            known.by = by
            known.time = time
            known.place = place
            continue
        # The entry goes when the memory does, before its id can be used again.
        ref = weakref.ref(whole, partial(_forget, key))
        changes[key] = Change(time, by, ref, place)


def _forget(key: int, _: object) -> None:
    changes.pop(key, None)
