"""Several changes that are made all or none, also when Ctrl-C comes in between.

Python looks for signals between its own instructions and never within a function that is written
in C. So the changes are prepared first, as calls of such functions, and then run by one loop that
is itself in C: a KeyboardInterrupt comes before all of them or after. That needs no lock and no
signal handler, and costs no more than the calls.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import starmap
from operator import call
from typing import Any

import numpy as np

from demograd._backend import backend_of
from demograd._storage import mark_changed
from demograd._tensor import Tensor
from demograd.errors import GradientError

__all__ = ["Call", "at_once", "overwriting", "replacing"]

# A function that is written in C, and its arguments.
Call = tuple[Any, ...]


def at_once(calls: Iterable[Call]) -> None:
    """Run calls of functions written in C, with nothing in between.

    Floating-point warnings are off: they would run Python's code, or, where warnings are errors,
    end the loop halfway.

    Args:
        calls: made in full before they are given: tuples of a function and its arguments.

    >>> settings = {}
    >>> at_once([(settings.__setitem__, "lr", 0.1), (settings.__setitem__, "eps", 1e-8)])
    >>> settings
    {'lr': 0.1, 'eps': 1e-08}
    """
    with np.errstate(all="ignore"):
        deque(starmap(call, calls), maxlen=0)


def overwriting(x: Tensor, values: Any, by: str) -> list[Call]:
    """The calls that put values into a tensor's memory, in its data type.

    Args:
        x: the tensor.
        values: an array of its shape; a NumPy array for any library's tensor.
        by: what changes it, for the messages of the engine.

    Raises:
        GradientError: the memory is read-only.
    """
    data = x._data
    if not isinstance(data, np.ndarray):
        if isinstance(data, np.generic):
            return replacing(x, np.array(values, data.dtype))
        return replacing(x, backend_of(data).asarray(values, dtype=data.dtype))
    if not data.flags.writeable:
        raise GradientError(
            f"{by}: the memory of the tensor is read-only, or shared by repetition.",
            [x._describe()],
            "x.data = x.data.copy() gives it memory of its own.",
        )
    mark_changed([data], by)
    return [(data.__setitem__, ..., np.asarray(values).astype(data.dtype, copy=False))]


def replacing(x: Tensor, array: Any) -> list[Call]:
    """The calls that make an array that of a tensor, in place of its own.

    Raises:
        ShapeError: it has another shape.
    """
    checked = x.detach()
    checked.data = array
    set_attribute = object.__setattr__
    return [(set_attribute, x, "_data", checked._data), (set_attribute, x, "_base", None)]
