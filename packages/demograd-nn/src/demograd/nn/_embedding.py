"""Embedding layers."""

from __future__ import annotations

from typing import Any

import demograd as dg
from demograd import Tensor, no_grad
from demograd.errors import ArgumentError, ShapeError
from demograd.nn import functional, init
from demograd.nn._module import Module
from demograd.nn._parameter import Parameter

__all__ = ["Embedding"]


class Embedding(Module):
    """A vector for each of ``num_embeddings`` things, looked up by number and trained.

    The vectors start normal with mean 0 and deviation 1, that of ``padding_idx`` at zero.

    Shapes: input ``(...)`` of integers, result ``(..., embedding_dim)``.

    Args:
        num_embeddings: how many vectors there are.
        embedding_dim: their length.
        padding_idx: the number of a vector that is not trained; negative ones count from the end.
        device: where the vectors are; the default device if left out.
        dtype: of the vectors; the default type if left out.

    Attributes:
        weight: shape ``(num_embeddings, embedding_dim)``.

    Raises:
        ArgumentError: ``padding_idx`` is no such number.
        OutOfRangeError: when called, an input is negative or too large.

    >>> import demograd as dg
    >>> layer = Embedding(10, 3, padding_idx=0)
    >>> layer(dg.tensor([[1, 0], [4, 1]])).shape
    (2, 2, 3)
    """

    weight: Parameter

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise ArgumentError(
                    f"Embedding: padding_idx is {padding_idx}, "
                    f"and there are {num_embeddings} vectors."
                )
            padding_idx %= num_embeddings
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = padding_idx
        shape = num_embeddings, embedding_dim
        self.weight = Parameter(dg.empty(shape, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the vectors anew."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx] = 0.0

    @classmethod
    def from_pretrained(
        cls, embeddings: Tensor, freeze: bool = True, padding_idx: int | None = None
    ) -> Embedding:
        """A layer with given vectors, which share their memory.

        Args:
            embeddings: shape ``(num_embeddings, embedding_dim)``.
            freeze: whether they are not trained.
            padding_idx: as in the constructor.

        Raises:
            ShapeError: the vectors are not the rows of a matrix.
        """
        if embeddings.ndim != 2:
            raise ShapeError(
                "Embedding.from_pretrained: the vectors are not the rows of a matrix.",
                [f"embeddings: shape {embeddings.shape}"],
            )
        layer = cls(0, embeddings.shape[1], device=embeddings.device, dtype=embeddings.dtype)
        rows = embeddings.shape[0]
        layer.num_embeddings = rows
        layer.padding_idx = None if padding_idx is None else padding_idx % rows
        layer.weight = Parameter(embeddings, requires_grad=not freeze)
        return layer

    def forward(self, x: Tensor) -> Tensor:
        """The vectors that ``x`` names."""
        return functional.embedding(x, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        """The sizes."""
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"
