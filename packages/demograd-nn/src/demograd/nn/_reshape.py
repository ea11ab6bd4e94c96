"""Layers that change the shape and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from demograd import Tensor, ops
from demograd.nn._module import Module

__all__ = ["Flatten", "Unflatten"]


class Flatten(Module):
    """Dimensions joined into one: by default all but the first, that of the samples.

    Shapes: ``(N, d1, d2, ...)`` gives ``(N, d1 d2 ...)``.

    Args:
        start_dim: the first that is joined.
        end_dim: the last that is joined.

    >>> import demograd as dg
    >>> Flatten()(dg.ones(2, 3, 4)).shape
    (2, 12)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, x: Tensor) -> Tensor:
        """The input with dimensions joined."""
        return ops.flatten(x, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        """The dimensions."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """One dimension divided into several.

    Args:
        dim: which one.
        unflattened_size: the lengths in its place; one may be -1.

    Raises:
        ShapeError: when called, the lengths do not make up the dimension.

    >>> import demograd as dg
    >>> Unflatten(1, (3, 4))(dg.ones(2, 12)).shape
    (2, 3, 4)
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        self.dim = dim
        self.unflattened_size = tuple(unflattened_size)

    def forward(self, x: Tensor) -> Tensor:
        """The input with the dimension divided."""
        return ops.unflatten(x, self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        """The dimension and the lengths."""
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
