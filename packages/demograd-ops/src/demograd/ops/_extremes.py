"""The largest and the smallest element, and where they stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, overload

from demograd import Tensor
from demograd.autograd import Function
from demograd.operators import accepts_axis, as_dim
from demograd.ops._arguments import as_tensor
from demograd.ops._clamping import maximum, minimum
from demograd.ops._masking import keep
from demograd.ops._operands import dims_of, refuse_empty

__all__ = [
    "AMax", "AMin", "ArgMax", "ArgMin", "Extremes", "Max", "Min",
    "amax", "amin", "argmax", "argmin", "max", "min",
]  # fmt: skip


class Extremes(NamedTuple):
    """The extreme elements along a dimension, and their indices in it."""

    values: Tensor
    indices: Tensor


class AMax(Function):
    """The largest over dimensions; equal largest ones share the gradient equally."""

    def forward(self, x: Any, *, dims: tuple[int, ...], keepdim: bool) -> Any:
        self.dims = dims
        self.kept = tuple([1 if i in dims else n for i, n in enumerate(x.shape)])
        out = self.xp.max(x, axis=dims, keepdims=keepdim)
        self.save_for_backward(x, out)
        return out

    def backward(self, grad: Any) -> Any:
        return _shared(self, grad)


class AMin(Function):
    """The smallest over dimensions; equal smallest ones share the gradient equally."""

    def forward(self, x: Any, *, dims: tuple[int, ...], keepdim: bool) -> Any:
        self.dims = dims
        self.kept = tuple([1 if i in dims else n for i, n in enumerate(x.shape)])
        out = self.xp.min(x, axis=dims, keepdims=keepdim)
        self.save_for_backward(x, out)
        return out

    def backward(self, grad: Any) -> Any:
        return _shared(self, grad)


def _shared(node: Any, grad: Any) -> Any:
    x, out = node.saved_tensors
    xp = node.xp
    chosen = xp.astype(x == xp.reshape(out, node.kept), grad.dtype)
    number = xp.sum(chosen, axis=node.dims, keepdims=True)
    return xp.reshape(grad, node.kept) * chosen / number


class Max(Function):
    """The largest along a dimension and its index; the gradient goes to the element chosen."""

    def forward(self, x: Any, *, dim: int, keepdim: bool) -> Any:
        return _chosen(self, x, self.xp.argmax(x, axis=dim, keepdims=True), dim, keepdim)

    def backward(self, grad: Any, _: Any) -> Any:
        return _to_the_chosen(self, grad)


class Min(Function):
    """The smallest along a dimension and its index; the gradient goes to the element chosen."""

    def forward(self, x: Any, *, dim: int, keepdim: bool) -> Any:
        return _chosen(self, x, self.xp.argmin(x, axis=dim, keepdims=True), dim, keepdim)

    def backward(self, grad: Any, _: Any) -> Any:
        return _to_the_chosen(self, grad)


def _chosen(node: Any, x: Any, indices: Any, dim: int, keepdim: bool) -> tuple[Any, Any]:
    xp = node.xp
    node.kept = indices.shape
    if node.needs_input_grad[0]:
        places = xp.reshape(xp.arange(x.shape[dim]), (-1,) + (1,) * (x.ndim - dim - 1))
        node.save_for_backward(places == indices)
    values = xp.take_along_axis(x, indices, axis=dim)
    if not keepdim:
        values, indices = xp.squeeze(values, axis=dim), xp.squeeze(indices, axis=dim)
    node.mark_non_differentiable(indices)
    return values, indices


def _to_the_chosen(node: Any, grad: Any) -> Any:
    (chosen,) = node.saved_tensors
    return keep(node.xp, chosen, node.xp.reshape(grad, node.kept))


class ArgMax(Function):
    """Where the largest stands; integers, so there is no gradient and no rule for one."""

    def forward(self, x: Any, *, dim: int | None, keepdim: bool) -> Any:
        return self.xp.argmax(x, axis=dim, keepdims=keepdim)


class ArgMin(Function):
    """Where the smallest stands; integers, so there is no gradient and no rule for one."""

    def forward(self, x: Any, *, dim: int | None, keepdim: bool) -> Any:
        return self.xp.argmin(x, axis=dim, keepdims=keepdim)


@accepts_axis
def amax(x: Tensor, dim: int | Sequence[int] | None = None, keepdim: bool = False) -> Tensor:
    """The largest element over one, several or all dimensions; NaN where there is one.

    Equal largest elements share the gradient equally.

    Args:
        x: any shape.
        dim: which dimensions; all by default. NumPy's name ``axis`` is taken too.
        keepdim: keep them with length one. NumPy's name ``keepdims`` is taken too.

    Raises:
        OutOfRangeError: there is no such dimension.
        ShapeError: a dimension has length zero.

    >>> amax(Tensor([[1.0, 4.0], [3.0, 2.0]]), dim=1)
    tensor([4., 3.])
    """
    return _amax("amax", AMax, x, dim, keepdim)


@accepts_axis
def amin(x: Tensor, dim: int | Sequence[int] | None = None, keepdim: bool = False) -> Tensor:
    """The smallest element over one, several or all dimensions; NaN where there is one.

    Equal smallest elements share the gradient equally.

    Args:
        x: any shape.
        dim: which dimensions; all by default. NumPy's name ``axis`` is taken too.
        keepdim: keep them with length one. NumPy's name ``keepdims`` is taken too.

    Raises:
        OutOfRangeError: there is no such dimension.
        ShapeError: a dimension has length zero.

    >>> amin(Tensor([[1.0, 4.0], [3.0, 2.0]]), dim=1)
    tensor([1., 2.])
    """
    return _amax("amin", AMin, x, dim, keepdim)


def _amax(operation: str, function: type[Function], x: Tensor, dim: Any, keepdim: bool) -> Tensor:
    x = as_tensor(operation, x)
    dims = dims_of(operation, x, dim)
    refuse_empty(operation, x, dims)
    out: Tensor = function.apply(x, dims=dims, keepdim=keepdim)
    return out


@accepts_axis
def argmax(x: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The index of the largest element, the first of equal ones; that of a NaN if there is one.

    Args:
        x: any shape.
        dim: along which dimension; by default the index is that into all elements in row order.
            NumPy's name ``axis`` is taken too.
        keepdim: keep the dimension with length one. NumPy's name ``keepdims`` is taken too.

    Raises:
        OutOfRangeError: there is no such dimension.
        ShapeError: a dimension has length zero.

    >>> argmax(Tensor([[1.0, 4.0], [3.0, 2.0]]), dim=1)
    tensor([1, 0])
    """
    return _argmax("argmax", ArgMax, x, dim, keepdim)


@accepts_axis
def argmin(x: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The index of the smallest element, the first of equal ones; that of a NaN if there is one.

    Args:
        x: any shape.
        dim: along which dimension; by default the index is that into all elements in row order.
            NumPy's name ``axis`` is taken too.
        keepdim: keep the dimension with length one. NumPy's name ``keepdims`` is taken too.

    Raises:
        OutOfRangeError: there is no such dimension.
        ShapeError: a dimension has length zero.

    >>> argmin(Tensor([[1.0, 4.0], [3.0, 2.0]]), dim=1)
    tensor([0, 1])
    """
    return _argmax("argmin", ArgMin, x, dim, keepdim)


def _argmax(
    operation: str, function: type[Function], x: Tensor, dim: int | None, keepdim: bool
) -> Tensor:
    x = as_tensor(operation, x)
    dims = dims_of(operation, x, None if dim is None else as_dim(operation, dim, x.ndim))
    refuse_empty(operation, x, dims)
    along = None if dim is None or not dims else dims[0]
    out: Tensor = function.apply(x, dim=along, keepdim=keepdim)
    return out


@overload
def max(x: Tensor, dim: None = None) -> Tensor: ...
@overload
def max(x: Tensor, dim: Tensor) -> Tensor: ...
@overload
def max(x: Tensor, dim: int, keepdim: bool = False) -> Extremes: ...
@accepts_axis
def max(x: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """The largest element: of all, along a dimension with its index, or of two tensors.

    - ``max(x)`` is the largest of all elements; equal ones share the gradient equally.
    - ``max(x, dim)`` gives ``values`` and ``indices``; the gradient goes to the index given.
    - ``max(x, y)`` is :func:`maximum`.

    Raises:
        OutOfRangeError: there is no such dimension.
        ShapeError: a dimension has length zero; or the shapes of two tensors do not broadcast.

    >>> max(Tensor([[1.0, 4.0], [3.0, 2.0]]))
    tensor(4.)
    >>> max(Tensor([[1.0, 4.0], [3.0, 2.0]]), dim=1).indices
    tensor([1, 0])
    """
    if isinstance(dim, Tensor):
        return maximum(x, dim)
    return (
        _amax("max", AMax, x, None, False) if dim is None else _along("max", Max, x, dim, keepdim)
    )


@overload
def min(x: Tensor, dim: None = None) -> Tensor: ...
@overload
def min(x: Tensor, dim: Tensor) -> Tensor: ...
@overload
def min(x: Tensor, dim: int, keepdim: bool = False) -> Extremes: ...
@accepts_axis
def min(x: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest element: of all, along a dimension with its index, or of two tensors.

    - ``min(x)`` is the smallest of all elements; equal ones share the gradient equally.
    - ``min(x, dim)`` gives ``values`` and ``indices``; the gradient goes to the index given.
    - ``min(x, y)`` is :func:`minimum`.

    Raises:
        OutOfRangeError: there is no such dimension.
        ShapeError: a dimension has length zero; or the shapes of two tensors do not broadcast.

    >>> min(Tensor([[1.0, 4.0], [3.0, 2.0]]), dim=0).values
    tensor([1., 2.])
    """
    if isinstance(dim, Tensor):
        return minimum(x, dim)
    return (
        _amax("min", AMin, x, None, False) if dim is None else _along("min", Min, x, dim, keepdim)
    )


def _along(operation: str, function: type[Function], x: Any, dim: int, keepdim: bool) -> Extremes:
    x = as_tensor(operation, x)
    dims = dims_of(operation, x, as_dim(operation, dim, x.ndim))
    refuse_empty(operation, x, dims)
    if not dims:
        found = _along(operation, function, x.reshape(1), 0, False)
    else:
        found = Extremes(*function.apply(x, dim=dims[0], keepdim=keepdim))
    return found
