"""Several tensors made one: along a dimension that they have, or along a new one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from demograd import Tensor, result_type
from demograd.autograd import Function
from demograd.errors import ArgumentError, ArgumentTypeError, ShapeError
from demograd.operators import accepts_axis, as_dim, cast_to
from demograd.ops._arguments import as_tensor, shape_lines

__all__ = ["Cat", "Stack", "cat", "concat", "concatenate", "stack"]


class Cat(Function):
    """Arrays end to end along a dimension; each gets its part of the gradient back."""

    def forward(self, *arrays: Any, dim: int) -> Any:
        self.dim = dim
        self.lengths = [x.shape[dim] for x in arrays]
        return self.xp.concat(arrays, axis=dim)

    def backward(self, grad: Any) -> Any:
        parts, start = [], 0
        before = (slice(None),) * self.dim
        for length, needed in zip(self.lengths, self.needs_input_grad, strict=True):
            place = (*before, slice(start, start + length))
            parts.append(self.xp.index(grad, place) if needed else None)
            start += length
        return tuple(parts)


class Stack(Function):
    """Arrays of one shape along a new dimension; each gets its layer of the gradient back."""

    def forward(self, *arrays: Any, dim: int) -> Any:
        self.dim = dim
        return self.xp.stack(arrays, axis=dim)

    def backward(self, grad: Any) -> Any:
        before = (slice(None),) * self.dim
        return tuple(
            self.xp.index(grad, (*before, i)) if needed else None
            for i, needed in enumerate(self.needs_input_grad)
        )


def _gathered(operation: str, tensors: Any) -> list[Tensor]:
    """The tensors as a list, all of the type of the result."""
    if not isinstance(tensors, (list, tuple)):
        raise ArgumentTypeError(
            f"{operation}: expected a list or tuple of tensors, not {type(tensors).__name__}.",
            mend=f"dg.{operation}([x, y])",
        )
    if not tensors:
        raise ArgumentError(f"{operation}: the list of tensors is empty.")
    given = [as_tensor(operation, x) for x in tensors]
    if len({x.dtype for x in given}) > 1:
        dtype = result_type(*given)
        given = [cast_to(x, dtype) for x in given]
    return given


def _differ_at_most_in(dim: int, tensors: list[Tensor]) -> bool:
    return len({(*x.shape[:dim], *x.shape[dim + 1 :]) for x in tensors}) == 1


@accepts_axis
def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """The tensors end to end along one of their dimensions.

    Args:
        tensors: of one shape, except along ``dim``; their types are promoted. An empty vector
            fits anything, as in PyTorch, so that a loop may begin with one.
        dim: along which dimension. NumPy's name ``axis`` is taken too.

    Raises:
        ShapeError: the shapes differ elsewhere, or a tensor has no dimension.
        OutOfRangeError: there is no such dimension.
        ArgumentError: there are no tensors.

    >>> cat([Tensor([[1, 2]]), Tensor([[3, 4], [5, 6]])])
    tensor([[1, 2],
            [3, 4],
            [5, 6]])
    """
    given = _gathered("cat", tensors)
    joined = [x for x in given if x.shape != (0,)] or given[:1]
    first = joined[0].shape
    if any(x.ndim == 0 for x in joined):
        raise ShapeError(
            "cat: a tensor without dimensions cannot be joined.",
            shape_lines(given),
            "dg.stack(tensors) joins along a new dimension.",
        )
    if any(x.ndim != len(first) for x in joined):
        raise ShapeError(
            "cat: the numbers of dimensions differ.",
            shape_lines(given),
            "x.unsqueeze(dim) adds one; dg.stack(tensors) joins along a new one.",
        )
    place = as_dim("cat", dim, len(first)) if first != (0,) else 0
    if not _differ_at_most_in(place, joined):
        fitting = [d for d in range(len(first)) if _differ_at_most_in(d, joined)]
        raise ShapeError(
            f"cat: the shapes differ elsewhere than in dimension {place}.",
            shape_lines(given),
            f"dg.cat(tensors, {fitting[0]}) would fit."
            if fitting
            else "All other dimensions must have the same lengths.",
        )
    out: Tensor = Cat.apply(*joined, dim=place)
    return out


@accepts_axis
def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """The tensors, all of one shape, along a new dimension.

    Args:
        tensors: of one shape; their types are promoted.
        dim: where the new dimension stands in the result. NumPy's name ``axis`` is taken too.

    Raises:
        ShapeError: the shapes differ.
        OutOfRangeError: the result has no such dimension.
        ArgumentError: there are no tensors.

    >>> stack([Tensor([1, 2]), Tensor([3, 4])], dim=1)
    tensor([[1, 3],
            [2, 4]])
    """
    given = _gathered("stack", tensors)
    if any(x.shape != given[0].shape for x in given):
        raise ShapeError(
            "stack: the shapes differ.",
            shape_lines(given),
            "dg.cat(tensors, dim) joins along a dimension whose lengths may differ.",
        )
    out: Tensor = Stack.apply(*given, dim=as_dim("stack", dim, given[0].ndim + 1))
    return out


# PyTorch has all three names, and the array API and NumPy one each of the others.
concat = concatenate = cat
