"""A rule's gradient, made to fit its input: the input's shape and dtype.

Rules never undo broadcasting: a gradient comes back in the shape that broadcasting gave, and is
summed here, in the one place that knows the input's shape.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from demograd._backend import FLOAT_SCALARS, backend_of
from demograd._dtype import native
from demograd._tensor import Tensor
from demograd._tensor_backend import tensor_backend
from demograd.errors import GradientError

__all__ = ["fitted"]

# Up to so many elements a number is written out rather than repeated.
FEW = 4096


def fitted(gradient: Any, edge: Any, recorded: bool) -> Any:
    """A rule's gradient in its input's shape and dtype: summed over what was broadcast."""
    if isinstance(edge, Tensor):
        shape, dtype = edge._data.shape, edge._data.dtype
    else:
        shape, dtype = edge._shape, edge._output_dtype
    if type(gradient) in FLOAT_SCALARS and not recorded and math.prod(shape) <= FEW:
        # The gradient of a sum. In memory of its own it is faster to compute with than repeated.
        filled: Any = np.empty(shape, dtype)
        filled.fill(gradient)
        return filled
    if isinstance(gradient, Tensor):
        if not recorded:
            gradient = gradient._data
    elif recorded or not hasattr(gradient, "shape"):
        gradient = Tensor(gradient) if recorded else np.asarray(gradient)
    xp = tensor_backend if recorded else backend_of(gradient)
    if gradient.shape != shape:
        gradient = _unbroadcast(xp, gradient, shape, edge)
    if native(gradient.dtype) != native(dtype):
        gradient = xp.astype(gradient, dtype)
    return gradient


def _unbroadcast(xp: Any, gradient: Any, shape: tuple[int, ...], edge: Any) -> Any:
    """Undo what broadcasting did to an input of this shape: sum over what it repeated.

    A gradient that is itself smaller than the input is repeated: that of a sum is one number,
    and it is repeated in one place, where it may stay one number for longer.
    """
    extra = len(gradient.shape) - len(shape)
    if extra > 0 and gradient.shape[extra:] == shape:
        return xp.sum(gradient, axis=tuple(range(extra)))  # a bias: rows were put before it
    if extra >= 0:
        repeated = [
            extra + i for i, n in enumerate(shape) if n == 1 and gradient.shape[extra + i] != 1
        ]
        axes = (*range(extra), *repeated)
        if axes:
            gradient = xp.reshape(
                xp.sum(gradient, axis=axes), _summed(gradient.shape, extra, shape)
            )
    try:
        return gradient if gradient.shape == shape else xp.broadcast_to(gradient, shape)
    except (ValueError, RuntimeError) as error:
        raise GradientError(
            "backward: a rule returned a gradient that does not fit its input.",
            [f"input: shape {shape}, {edge!r}", f"gradient: shape {tuple(gradient.shape)}"],
            "The gradient must have the input's shape, or one that broadcasting leads to or from.",
        ) from error


def _summed(from_: tuple[int, ...], extra: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple([1 if n == 1 else m for n, m in zip(shape, from_[extra:], strict=True)])
