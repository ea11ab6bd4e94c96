"""Views where arrays are replaced and not written to: those of any library but NumPy.

PyTorch's views share memory, and so a change of one is seen by all. JAX's arrays have no memory to
share, and the array API standard leaves it open who does. So a Tensor that would be a view if its
array were NumPy's remembers its base and the operations that led from there, as a NumPy view does,
and the base's array as it was: when the base holds another one, they are taken again (``again``),
and when the view is changed, the base is given a new array with the change in it (``into_base``).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from demograd._backend import backend_of, picks_each_place_once
from demograd._storage import owner
from demograd._tensor import Tensor
from demograd.autograd._mode import enable_grad, no_grad
from demograd.autograd._views import Taken, outside, rebound, take_view

__all__ = ["again", "into_base", "note", "settle"]


def note(
    tensor: Tensor,
    function: type,
    inputs: tuple[Any, ...],
    settings: dict[str, Any],
    output: int | None = None,
) -> None:
    """Remember how a result was taken from the first input, of which it may be a view."""
    x = inputs[0]
    if not isinstance(x, Tensor) or x._base is outside:
        return
    if "index" in settings and not _is_basic(settings["index"]):
        return
    taken: Taken = (function, (None, *inputs[1:]), 0, settings, output)
    tensor._base = x if x._base is None else x._base
    tensor._taken = (taken, x._taken)
    # No node of a base: the question whether the view is up to date goes on to ``again``.
    tensor._base_node = rebound
    tensor._seen = tensor._base._data, tensor._base._node


def _is_basic(index: Any) -> bool:
    parts = index if type(index) is tuple else (index,)
    return not any(hasattr(part, "shape") for part in parts) and picks_each_place_once(index)


def _numbers(x: Tensor, base: Tensor) -> Any:
    """The view's operations on the places of the base; None where NumPy gives a copy."""
    numbers = np.arange(base.numel()).reshape(base.shape)
    with no_grad():
        seen = np.asarray(take_view(Tensor(numbers), x._taken)._data)
    return seen if owner(seen) is owner(numbers) else None


def settle(x: Tensor) -> None:
    """Bring a view up to date; what NumPy would have copied is none any more."""
    base = x._base
    if base is None or x._seen is None:
        return
    if _numbers(x, base) is None:
        x._base, x._seen = None, None
    else:
        again(x, base)


def again(x: Tensor, base: Tensor) -> None:
    """Take a view again if its base has another array, or another history, by now."""
    data, node = x._seen
    if base._data is data and base._node is node:
        return
    if _numbers(x, base) is None:
        x._base, x._seen = None, None
        return
    with enable_grad():
        fresh = take_view(base, x._taken)
    x._data, x._node, x._requires_grad = fresh._data, fresh._node, fresh._requires_grad
    x._seen = base._data, base._node
    if x._retained is not None:
        from demograd.autograd._hooks import move_retained

        move_retained(x)


def into_base(x: Tensor) -> None:
    """Give the base of a view that was changed a new array, with the change in it."""
    base = x._base
    assert base is not None
    xp = backend_of(base._data)
    flat = xp.reshape(base._data, (-1,))
    changed = xp.index_set(flat, _numbers(x, base), x._data)
    base._data = xp.reshape(changed, base.shape)
    x._seen = base._data, base._node
