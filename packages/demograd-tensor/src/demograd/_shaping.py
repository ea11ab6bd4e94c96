"""Sums and changes of shape: what broadcasting, matrices and indexing need.

``Sum`` and ``Expand`` are each other's derivative, and so are ``Index`` and ``IndexAdd``;
``Reshape`` and ``Permute`` undo themselves.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from demograd._casting import cast_to
from demograd._dims import accepts_axis, as_dim, as_dims, as_shape
from demograd._dtype import DTypeLike, as_dtype, int64
from demograd._levels import anywhere
from demograd._tensor import Tensor
from demograd.autograd._function import Function
from demograd.autograd._mode import everywhere
from demograd.autograd._watchers import cut
from demograd.errors import ArgumentTypeError, DtypeError, OutOfRangeError, ShapeError

__all__ = [
    "Expand", "Index", "IndexAdd", "Mean", "Permute", "Reshape", "Sum",
    "expand", "index", "index_add", "matrix_transpose", "mean", "permute", "reshape", "sum",
    "transpose",
]  # fmt: skip


class Sum(Function):
    """The sum over dimensions."""

    def forward(self, x: Any, *, dims: tuple[int, ...] | None = None, keepdim: bool = False) -> Any:
        self.kept = None if dims is None or keepdim else _kept(x.shape, dims)
        return self.xp.sum(x, axis=dims, keepdims=keepdim)

    def backward(self, grad: Any) -> Any:
        # The engine repeats it over what was added up.
        return grad if self.kept is None else self.xp.reshape(grad, self.kept)


class Mean(Function):
    """The mean over dimensions."""

    def forward(self, x: Any, *, dims: tuple[int, ...] | None = None, keepdim: bool = False) -> Any:
        self.kept = None if dims is None or keepdim else _kept(x.shape, dims)
        self.count = math.prod(x.shape if dims is None else [x.shape[i] for i in dims])
        return self.xp.mean(x, axis=dims, keepdims=keepdim)

    def backward(self, grad: Any) -> Any:
        # As in Sum: the engine repeats it.
        each = grad / max(self.count, 1)
        return each if self.kept is None else self.xp.reshape(each, self.kept)


def _kept(shape: tuple[int, ...], dims: tuple[int, ...]) -> tuple[int, ...]:
    """The shape in which the dimensions that are summed over are kept with length one."""
    return tuple([1 if i in dims else n for i, n in enumerate(shape)])


class Reshape(Function):
    """The same elements in another shape."""

    returns_view = True

    def forward(self, x: Any, *, shape: tuple[int, ...]) -> Any:
        self.shape = x.shape
        return self.xp.reshape(x, shape)

    def backward(self, grad: Any) -> Any:
        return self.xp.reshape(grad, self.shape)


class Permute(Function):
    """The dimensions in another order."""

    returns_view = True

    def forward(self, x: Any, *, dims: tuple[int, ...]) -> Any:
        self.inverse = tuple(sorted(range(len(dims)), key=dims.__getitem__))
        return self.xp.permute_dims(x, dims)

    def backward(self, grad: Any) -> Any:
        return self.xp.permute_dims(grad, self.inverse)


class Expand(Function):
    """Dimensions of length one repeated, without a copy; the engine sums the gradient back."""

    returns_view = True

    def forward(self, x: Any, *, shape: tuple[int, ...]) -> Any:
        return self.xp.broadcast_to(x, shape)

    def backward(self, grad: Any) -> Any:
        return grad


class Index(Function):
    """``x[index]``; the gradient is added where the elements came from."""

    returns_view = True

    def forward(self, x: Any, *, index: Any) -> Any:
        self.shape = x.shape
        self.index = kept_index(index) if self.needs_input_grad[0] else index
        return self.xp.index(x, index)

    def backward(self, grad: Any) -> Any:
        return self.xp.index_add(self.shape, self.index, grad)


class IndexAdd(Function):
    """Zeros with values added at an index; what repeats adds up."""

    def forward(self, values: Any, *, shape: tuple[int, ...], index: Any) -> Any:
        self.index = kept_index(index) if self.needs_input_grad[0] else index
        return self.xp.index_add(shape, index, values)

    def backward(self, grad: Any) -> Any:
        return self.xp.index(grad, self.index)


def kept_index(index: Any) -> Any:
    """An index for the backward pass: its arrays may be changed in place before that comes."""
    if type(index) is tuple:
        return tuple([part.copy() if hasattr(part, "copy") else part for part in index])
    return index.copy() if hasattr(index, "copy") else index


@accepts_axis
def sum(
    x: Tensor,
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
    *,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """The sum over one, several or all dimensions.

    Args:
        x: any shape; integers and booleans are summed as int64.
        dim: which dimensions; all by default. NumPy's name ``axis`` is taken too.
        keepdim: keep them with length one. NumPy's name ``keepdims`` is taken too.
        dtype: sum in this type.

    Raises:
        OutOfRangeError: there is no such dimension.

    >>> sum(Tensor([[1.0, 2.0], [3.0, 4.0]]), dim=0)
    tensor([4., 6.])
    """
    return sum_over(x, dim, keepdim, dtype)


def sum_over(
    x: Tensor, dim: int | Sequence[int] | None, keepdim: bool, dtype: DTypeLike | None
) -> Tensor:
    """What :func:`sum` does, for callers that have settled the names of the arguments."""
    if dtype is not None:
        x = cast_to(x, as_dtype(dtype))
    elif x.dtype.kind in "iub":
        x = cast_to(x, int64)
    dims = None if dim is None else _summed_over("sum", dim, x)
    out: Tensor = Sum.apply(x, dims=dims, keepdim=keepdim)
    return out


def _summed_over(operation: str, dim: Any, x: Tensor) -> tuple[int, ...] | None:
    if not dim and isinstance(dim, (tuple, list)):
        return None  # no dimension named means all of them, as in PyTorch
    dims = as_dims(operation, dim, x.ndim)
    return dims if x.ndim else ()


def _in_memory(x: Tensor) -> Tensor:
    """The tensor itself; a number that is kept as a scalar gets memory that a view can show."""
    if isinstance(x._data, np.generic):
        x._data = np.asarray(x._data)
    return x


@accepts_axis
def mean(
    x: Tensor,
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
    *,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """The mean over one, several or all dimensions; NaN over no elements.

    Raises:
        DtypeError: the tensor is not of floats and no ``dtype`` is given.
        OutOfRangeError: there is no such dimension.

    >>> mean(Tensor([[1.0, 2.0], [3.0, 4.0]]), dim=1)
    tensor([1.5000, 3.5000])
    """
    return mean_over(x, dim, keepdim, dtype)


def mean_over(
    x: Tensor, dim: int | Sequence[int] | None, keepdim: bool, dtype: DTypeLike | None
) -> Tensor:
    """What :func:`mean` does, for callers that have settled the names of the arguments."""
    if dtype is not None:
        x = cast_to(x, as_dtype(dtype))
    if x.dtype.kind not in "fc":
        raise DtypeError(
            "mean: the mean of integers or booleans is not one of them.",
            [f"x: shape {x.shape}, dtype {x.dtype}"],
            "x.float().mean(), or x.mean(dtype=dg.float32).",
        )
    dims = None if dim is None else _summed_over("mean", dim, x)
    if 0 in x.shape:
        with np.errstate(invalid="ignore"):
            count = math.prod(x.shape if dims is None else [x.shape[i] for i in dims])
            return sum(x, dims, keepdim) / count
    out: Tensor = Mean.apply(x, dims=dims, keepdim=keepdim)
    return out


def reshape(x: Tensor, *shape: Any) -> Tensor:
    """The same elements in another shape; one length may be -1.

    Raises:
        ShapeError: the number of elements differs.

    >>> reshape(Tensor([1, 2, 3, 4]), (2, -1))
    tensor([[1, 2],
            [3, 4]])
    """
    try:
        wanted = tuple([operator.index(n) for n in as_shape(shape)])
    except TypeError as error:
        raise ArgumentTypeError(
            f"reshape: lengths are integers, not {as_shape(shape)}.",
            mend="n // 2 divides into an integer.",
        ) from error
    known = math.prod([n for n in wanted if n != -1])
    if -1 in wanted and wanted.count(-1) == 1 and known and x.numel() % known == 0:
        place = wanted.index(-1)
        wanted = (*wanted[:place], x.numel() // known, *wanted[place + 1 :])
    if -1 in wanted or min(wanted, default=0) < -1 or math.prod(wanted) != x.numel():
        raise ShapeError(
            "reshape: the numbers of elements differ.",
            [
                f"{x._label('x')}: shape {x.shape}   {x.numel()} elements",
                f"wanted: {as_shape(shape)}   {known} elements"
                + (" times the length at -1" if -1 in wanted else ""),
            ],
            "One length may be -1: it is then computed from the others.",
        )
    out: Tensor = Reshape.apply(_in_memory(x), shape=wanted)
    return out


def permute(x: Tensor, *dims: Any) -> Tensor:
    """The dimensions in another order.

    Raises:
        ShapeError: not every dimension is named once.

    >>> permute(Tensor([[1, 2, 3]]), 1, 0).shape
    (3, 1)
    """
    order = as_dims("permute", as_shape(dims), x.ndim)
    if len(order) != x.ndim:
        raise ShapeError(
            "permute: every dimension must be named once.",
            [f"x: shape {x.shape}   {x.ndim} dimensions", f"dims: {as_shape(dims)}"],
        )
    out: Tensor = Permute.apply(x, dims=order)
    return out


def transpose(x: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions exchanged.

    >>> transpose(Tensor([[1, 2, 3]]), 0, 1).shape
    (3, 1)
    """
    first, second = as_dim("transpose", dim0, x.ndim), as_dim("transpose", dim1, x.ndim)
    order = list(range(x.ndim))
    if order:
        order[first], order[second] = order[second], order[first]
    out: Tensor = Permute.apply(x, dims=tuple(order))
    return out


def matrix_transpose(x: Tensor) -> Tensor:
    """The last two dimensions exchanged.

    Raises:
        ShapeError: there are fewer than two.
    """
    if x.ndim < 2:
        raise ShapeError(
            "mT: a matrix has at least two dimensions.",
            [f"x: shape {x.shape}"],
            "x.reshape(-1, 1) is a column, x.reshape(1, -1) a row.",
        )
    return transpose(x, -1, -2)


def expand(x: Tensor, *shape: Any) -> Tensor:
    """Dimensions of length one repeated, new ones put in front, without a copy.

    Args:
        shape: the result's; -1 keeps a length.

    Raises:
        ShapeError: a length that is neither one nor the wanted one.

    >>> expand(Tensor([[1], [2]]), -1, 3)
    tensor([[1, 1, 1],
            [2, 2, 2]])
    """
    wanted = as_shape(shape)
    missing = len(wanted) - x.ndim
    padded = (1,) * missing + x.shape
    full = tuple(n if w == -1 else int(w) for w, n in zip(wanted, padded, strict=missing >= 0))
    if missing < 0 or any(n not in (1, w) for n, w in zip(padded, full, strict=True)):
        raise ShapeError(
            "expand: only dimensions of length one can be repeated.",
            [f"x: shape {x.shape}", f"wanted: {wanted}"],
        )
    out: Tensor = Expand.apply(_in_memory(x), shape=full)
    return out


_INTEGERS = frozenset([int])


def index(x: Tensor, key: Any) -> Tensor:
    """``x[key]`` for integers, slices, None, ``...``, masks, index lists, arrays and Tensors.

    Raises:
        OutOfRangeError: the index is outside its dimension, or there are too many.
    """
    plain = _plain_index(key)
    parts = plain if type(plain) is tuple else (plain,)
    if len(parts) == len(x._data.shape) and {*map(type, parts)} <= _INTEGERS:
        plain = (*parts, ...)  # one element: a view of it, where NumPy would give a copy
    if anywhere.on:
        x = mapped_alike(x, plain)
    try:
        out: Tensor = Index.apply(_in_memory(x), index=plain)
        return out
    except IndexError as error:
        raise OutOfRangeError(
            "index: the index does not fit the tensor.",
            [f"{x._label('x')}: shape {x.shape}", f"NumPy says: {error}"],
        ) from error


def index_add(shape: tuple[int, ...], key: Any, values: Tensor) -> Tensor:
    """Zeros of ``shape`` with ``values`` added at ``key``; what repeats adds up."""
    plain = _plain_index(key)
    if anywhere.on:
        values = mapped_alike(values, plain)
    out: Tensor = IndexAdd.apply(values, shape=shape, index=plain)
    return out


def mapped_alike(x: Tensor, index: Any) -> Tensor:
    """The tensor as one of the vmap to which an index, or a mask, belongs.

    A Function that is given arrays among its settings is applied to this: within
    :func:`demograd.func.vmap` each sample may have an array of its own, and then it needs a tensor
    that can differ from sample to sample too. Outside of vmap it is the tensor itself.

    Args:
        x: the input.
        index: the setting: an array, or a tuple with arrays in it.
    """
    if not anywhere.on:
        return x
    from demograd.func._applying import lifted_by

    return lifted_by(x, index if type(index) is tuple else (index,))


def _plain_index(key: Any) -> Any:
    """An index as NumPy takes it: Tensors become arrays, lists become arrays."""
    if type(key) is int:
        return key
    if type(key) is slice:
        ends = (key.start, key.stop, key.step)
        if all([end is None or type(end) is int for end in ends]):  # noqa: C419 - twice as fast
            return key
        # A tensor may be changed in place before the backward pass uses the slice.
        return slice(*[end if end is None else operator.index(end) for end in ends])
    if isinstance(key, tuple):
        return tuple([_plain_index(part) for part in key])
    if isinstance(key, Tensor):
        if everywhere.watched:
            cut(key, "use as an index")
        key = key._data
    if isinstance(key, list):
        key = np.asarray([_plain_index(part) for part in key])
        if key.size == 0:
            key = key.astype(np.int64)
    if getattr(getattr(key, "dtype", None), "kind", "i") not in "iub":
        raise ArgumentTypeError(
            f"index: an index is of integers or booleans, not {key.dtype}.",
            mend="x.long() makes integers of it.",
        )
    if getattr(key, "shape", None) == () and isinstance(key, (np.ndarray, np.generic)):
        return key.item()
    return key
