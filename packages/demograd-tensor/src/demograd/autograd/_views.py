"""Views: tensors that show the memory of another one, their base.

A view knows its base and the operations that lead from the base to it. When the base is changed
by a recorded operation, the view's own node leads to values that are gone; at its next use the
view takes those operations again from the base as it is then (``refresh``). When the view itself
is changed, the base is the one whose history goes on: its elements at the view's places
(``places``) are replaced.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from demograd._storage import owner
from demograd._tensor import Tensor
from demograd.autograd._mode import enable_grad, grad_mode, no_grad
from demograd.errors import GradientError

__all__ = ["note_view", "outside", "places", "rebound", "refresh", "take_view"]

# Stands for the base of what was made in inference mode; its node is no view's.
outside = Tensor.__new__(Tensor)
outside._data, outside._node, outside._requires_grad = np.zeros(0), cast(Any, object()), False

# Stands for the node of the base of a view that is replaced and not written to: see _rebinding.py.
rebound: Any = object()

# An operation that was taken: its Function, the positional arguments with the place of the tensor,
# the settings, and which of several outputs.
Taken = tuple[Any, tuple[Any, ...], int, dict[str, Any], int | None]


def note_view(
    tensor: Tensor,
    function: type,
    inputs: Sequence[Any],
    settings: dict[str, Any],
    output: int | None = None,
) -> None:
    """Remember of which input's memory a result is a view, if of any, and how it was taken."""
    whole = owner(tensor._data)
    for place, x in enumerate(inputs):
        if isinstance(x, Tensor) and owner(x._data) is whole:
            if x._base is outside:
                tensor._base = outside
                return
            others = tuple([None if i == place else y for i, y in enumerate(inputs)])
            taken: Taken = (function, others, place, settings, output)
            tensor._base = x if x._base is None else x._base
            tensor._taken = (taken, x._taken)
            tensor._base_node = tensor._base._node
            return


def take_view(base: Tensor, taken: Any) -> Tensor:
    """Take the operations of a view from a tensor of the base's shape."""
    steps: list[Taken] = []
    while taken:
        step, taken = taken
        steps.append(step)
    current = base
    for function, others, place, settings, output in reversed(steps):
        inputs = [current if i == place else x for i, x in enumerate(others)]
        result = function.apply(*inputs, **settings)
        current = result if output is None else result[output]
    return current


def refresh(x: Tensor) -> bool:
    """Bring the node of a view up to date with its base.

    Returns:
        Whether it is a tensor from inference mode that is used outside.
    """
    base = x._base
    if base is None or base._node is x._base_node:
        return False
    if base is outside:
        return not grad_mode.inference
    if x._base_node is rebound:
        from demograd.autograd._rebinding import again

        again(x, base)
        return False
    if x._data.size and not np.may_share_memory(_plain(x._data), _plain(base._data)):
        raise GradientError(
            "view: the base was given other memory after the view was taken.",
            [f"view: {x._describe()}", f"base: {base._describe()}"],
            "Take the view again.",
        )
    with enable_grad():
        fresh = take_view(base, x._taken)
    x._node, x._requires_grad = fresh._node, fresh._requires_grad
    x._base_node = base._node
    if x._retained is not None:
        from demograd.autograd._hooks import move_retained

        move_retained(x)
    return False


def _plain(array: Any) -> Any:
    """The NumPy array itself, or the one that a mapped array holds."""
    return array if isinstance(array, (np.ndarray, np.generic)) else getattr(array, "base", array)


def places(x: Tensor, base: Tensor) -> np.ndarray[Any, Any]:
    """Where the elements of a view stand in its base, counted along the flattened base."""
    numbers = np.arange(base.numel()).reshape(base.shape)
    with no_grad():
        return np.asarray(take_view(Tensor(numbers), x._taken)._data)
