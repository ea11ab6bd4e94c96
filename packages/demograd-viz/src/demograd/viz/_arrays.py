"""Tensors, arrays and lists as plain arrays that can be drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from demograd import Tensor
from demograd.errors import ShapeError

__all__ = ["as_array", "as_labels"]


def as_array(x: Any) -> NDArray[Any]:
    """The values, whatever holds them."""
    return x.detach().cpu().numpy() if isinstance(x, Tensor) else np.asarray(x)


def as_labels(operation: str, name: str, labels: Any, count: int) -> NDArray[Any]:
    """A label for each of ``count`` samples; scores ``(N, C)`` become the classes of the largest.

    Raises:
        ShapeError: there are more or fewer, or they have another shape.
    """
    values = as_array(labels)
    if values.ndim == 2 and values.shape[1] > 1:
        values = values.argmax(axis=1)
    elif values.ndim == 2:
        values = values[:, 0]
    if values.shape != (count,):
        raise ShapeError(
            f"{operation}: {name} does not belong to x.",
            [f"x: {count} samples", f"{name}: shape {tuple(np.shape(as_array(labels)))}"],
            f"{name} has one entry for each sample: shape ({count},).",
        )
    return values
