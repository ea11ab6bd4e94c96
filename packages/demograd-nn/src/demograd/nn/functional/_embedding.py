"""Rows looked up by number, and numbers written as rows."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from demograd import Function, Tensor, ops
from demograd.errors import ArgumentError, OutOfRangeError, ShapeError
from demograd.nn.functional._operands import check_integers, check_tensors, known_values
from demograd.operators import backend_of

__all__ = ["Lookup", "embedding", "one_hot"]


class Lookup(Function):
    """``weight[index]``: rows of a matrix; each row's gradients add up, but for the padding row."""

    def forward(self, weight: Any, index: Any, *, padding: int | None) -> Any:
        self.save_for_backward(index)
        self.shape, self.padding = weight.shape, padding
        return self.xp.index(weight, index)

    def backward(self, grad: Any) -> Any:
        (index,) = self.saved_tensors
        xp = self.xp
        if self.padding is not None:
            grad = xp.where((index == self.padding)[..., None], 0.0, grad)
        return xp.index_add(self.shape, index, grad), None


def embedding(input: Tensor, weight: Tensor, padding_idx: int | None = None) -> Tensor:
    """The rows of ``weight`` that ``input`` names.

    Shapes: input ``(...)``, weight ``(V, D)``, result ``(..., D)``.

    Args:
        input: integers from 0 to V - 1.
        weight: one row for each of V things.
        padding_idx: a row whose gradient stays zero; negative ones count from the end.

    Raises:
        OutOfRangeError: there is no such row.
        DtypeError: the input is not of integers.
        ShapeError: the weight is no matrix.
        ArgumentError: ``padding_idx`` is no row.

    >>> import demograd as dg
    >>> embedding(dg.tensor([1, 1, 0]), dg.tensor([[0.0, 1.0], [2.0, 3.0]]))
    tensor([[2., 3.],
            [2., 3.],
            [0., 1.]])
    """
    check_tensors("embedding", {"input": input, "weight": weight})
    check_integers("embedding", "input", input, "row numbers")
    if weight.ndim != 2:
        raise ShapeError(
            "embedding: the weight is no matrix.",
            [f"weight: shape {weight.shape}, expected (V, D)"],
        )
    rows = weight.shape[0]
    if padding_idx is not None:
        if not -rows <= padding_idx < rows:
            raise ArgumentError(
                f"embedding: padding_idx is {padding_idx}, and there are {rows} rows."
            )
        padding_idx %= rows
    place = _first_outside(input, rows)
    if place is not None:
        raise OutOfRangeError(
            "embedding: there is no such row.",
            [
                f"input: shape {input.shape}   {_named(input, place)}",
                f"weight: shape {weight.shape}   rows 0 to {rows - 1}",
            ],
        )
    return cast(Tensor, Lookup.apply(weight, input, padding=padding_idx))


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Class numbers as rows of zeros with a one at the class.

    Shapes: ``(...)`` gives ``(..., num_classes)``, int64.

    Args:
        tensor: integers from 0 on.
        num_classes: the length of a row; by default just enough.

    Raises:
        OutOfRangeError: a class is negative or not below ``num_classes``.
        DtypeError: the classes are not integers.
        ArgumentError: no classes are given, and no ``num_classes``.

    >>> import demograd as dg
    >>> one_hot(dg.tensor([0, 2]), 3)
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    check_tensors("one_hot", {"tensor": tensor})
    check_integers("one_hot", "tensor", tensor, "class numbers")
    if num_classes < 0:
        if not tensor.numel():
            raise ArgumentError(
                "one_hot: how many classes there are cannot be told from none.",
                mend="Give num_classes.",
            )
        num_classes = max(int(ops.amax(tensor).item()) + 1, 1)
    place = _first_outside(tensor, num_classes)
    if place is not None:
        raise OutOfRangeError(
            "one_hot: there is no such class.",
            [
                f"tensor: shape {tensor.shape}   {_named(tensor, place)}",
                f"classes: 0 to {num_classes - 1}",
            ],
        )
    data = tensor.data
    xp = backend_of(data)
    return Tensor(xp.astype(data[..., None] == xp.arange(num_classes), xp.int64))


def _first_outside(x: Tensor, length: int) -> tuple[int, ...] | None:
    """The first place at which a number is negative or not below ``length``."""
    values = known_values(x)
    if values is None or not values.size or (values.min() >= 0 and values.max() < length):
        return None
    outside = (values < 0) | (values >= length)
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(outside)), values.shape))


def _named(x: Tensor, place: tuple[int, ...]) -> str:
    value = int(x[place].item())
    if not place:
        return str(value)
    return f"{value} at {place[0] if len(place) == 1 else place}"
