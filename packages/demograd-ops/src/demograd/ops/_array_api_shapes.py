"""The same for the functions that move elements: the array API's arguments, and NumPy's.

Where PyTorch means something else by a name than NumPy (``split``, ``repeat``, ``sort``, ``outer``,
``dot``, ``pad``), ``np.split(x, 2)`` means here what it means in NumPy.

Reference: Python array API standard, 2024.12.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from demograd import Tensor, matmul, mul, ops
from demograd.errors import ArgumentError, ShapeError
from demograd.operators import as_dim, as_dims
from demograd.operators import index as picked

__all__ = ["SHAPE_FUNCTIONS"]

Axis = int | Sequence[int] | None


def concat(arrays: Sequence[Tensor], axis: int | None = 0) -> Tensor:
    """Arrays end to end; all elements in row order where no axis is given."""
    if axis is None:
        return ops.cat([x.reshape(-1) for x in arrays])
    return ops.cat(arrays, axis)


def diag(x: Tensor, k: int = 0) -> Tensor:
    """A vector as a diagonal, or a matrix's diagonal."""
    return ops.diag(x, k)


def diagonal(x: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """A diagonal over two dimensions."""
    return ops.diagonal(x, offset, axis1, axis2)


def dot(x: Tensor, y: Tensor) -> Tensor:
    """NumPy's product: of vectors, matrices and numbers."""
    if not getattr(x, "ndim", 0) or not getattr(y, "ndim", 0):
        return mul(x, y)
    if (x.ndim > 2 and y.ndim > 1) or y.ndim > 2:
        raise ShapeError(
            "np.dot: Tensors of more than two dimensions cannot be used here.",
            [f"x: shape {x.shape}", f"y: shape {y.shape}"],
            "dg.einsum names the dimensions to sum over; x @ y multiplies stacks of matrices.",
        )
    return matmul(x, y)


def einsum(equation: str, *operands: Any, optimize: Any = None) -> Tensor:
    """The sum of products that an equation describes; the order of work is chosen here."""
    return ops.einsum(equation, *operands)


def flip(x: Tensor, axis: Axis = None) -> Tensor:
    """The order along dimensions reversed; along all by default."""
    return ops.flip(x, as_dims("flip", axis, x.ndim))


def norm(x: Tensor, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """NumPy's norm, as far as it is one of vectors or Frobenius'."""
    matrices = x.ndim == 2 if axis is None else isinstance(axis, Sequence) and len(axis) == 2
    if matrices and ord not in (None, "fro"):
        raise ArgumentError(
            f"np.linalg.norm: the matrix norm {ord!r} is not available for Tensors.",
            mend="dg.norm(x, p) is that of all elements as one vector.",
        )
    return ops.norm(x, 2 if ord is None else ord, axis, keepdims)


def outer(x: Tensor, y: Tensor) -> Tensor:
    """All products of an element of one and one of the other."""
    return ops.outer(ops.flatten(x), ops.flatten(y))


def pad(x: Tensor, pad_width: Any, mode: str = "constant", *, constant_values: Any = 0) -> Tensor:
    """NumPy's padding: pairs of widths for all dimensions, from the first."""
    pairs = np.broadcast_to(np.asarray(pad_width), (x.ndim, 2))
    widths = pairs[::-1].reshape(-1).tolist()
    modes = {"edge": "replicate", "wrap": "circular"}
    value = constant_values if mode == "constant" else None
    return ops.pad(x, widths, modes.get(mode, mode), value)


def repeat(x: Tensor, repeats: Any, axis: int | None = None) -> Tensor:
    """Each element followed by its copies."""
    return ops.repeat_interleave(x, repeats, axis)


def roll(x: Tensor, shift: int | Sequence[int], axis: Axis = None) -> Tensor:
    """Elements shifted along dimensions; one shift may stand for all of them."""
    if isinstance(shift, int) and isinstance(axis, Sequence):
        shift = (shift,) * len(axis)
    return ops.roll(x, shift, axis)


def sort(x: Tensor, axis: int = -1, *, descending: bool = False, stable: bool = True) -> Tensor:
    """The elements in order along a dimension, alone."""
    return ops.sort(x, axis, descending).values


def split(x: Tensor, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """NumPy's split: into a number of equal pieces, or at the given places."""
    place = as_dim("split", axis, x.ndim)
    total = x.shape[place]
    if isinstance(indices_or_sections, int):
        if total % indices_or_sections:
            raise ShapeError(
                f"np.split: {indices_or_sections} equal pieces are not possible.",
                [f"x: shape {x.shape}   dimension {place} has length {total}"],
            )
        size = total // indices_or_sections
        return list(ops.split(x, [size] * indices_or_sections, place))
    cuts = [0, *map(int, indices_or_sections), total]
    every = (slice(None),) * place
    return [picked(x, (*every, slice(a, b))) for a, b in itertools.pairwise(cuts)]


def squeeze(x: Tensor, axis: Axis = None) -> Tensor:
    """Without dimensions of length one; one of another length is refused."""
    dims = as_dims("squeeze", axis, x.ndim)
    if axis is not None and any(x.shape[d] != 1 for d in dims):
        raise ShapeError(f"squeeze: a dimension among {axis} is not of length 1 in {x.shape}.")
    return ops.squeeze(x, axis)


def take(x: Tensor, indices: Any, axis: int | None = None) -> Tensor:
    """The layers along one dimension that integers name; negative ones count from the end."""
    if axis is None:
        return picked(x.reshape(-1), indices)
    return picked(x, (slice(None),) * as_dim("take", axis, x.ndim) + (indices,))


def tril(x: Tensor, k: int = 0) -> Tensor:
    """The lower triangle."""
    return ops.tril(x, k)


def triu(x: Tensor, k: int = 0) -> Tensor:
    """The upper triangle."""
    return ops.triu(x, k)


def take_along_axis(x: Tensor, indices: Any, axis: int | None = -1) -> Tensor:
    """Elements picked along one dimension."""
    return ops.take_along_dim(x, indices, axis)


SHAPE_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "concat": concat,
    "diag": diag,
    "diagonal": diagonal,
    "dot": dot,
    "einsum": einsum,
    "flip": flip,
    "norm": norm,
    "outer": outer,
    "pad": pad,
    "repeat": repeat,
    "roll": roll,
    "sort": sort,
    "split": split,
    "squeeze": squeeze,
    "take": take,
    "take_along_axis": take_along_axis,
    "tril": tril,
    "triu": triu,
    "unstack": ops.unbind,
}
