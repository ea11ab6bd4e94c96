"""The product of elements, running sums and running products."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from demograd import Tensor
from demograd.autograd import Function
from demograd.operators import accepts_axis, as_dim
from demograd.ops._arguments import as_tensor
from demograd.ops._operands import dims_of, integral

__all__ = ["CumProd", "CumSum", "Prod", "cumprod", "cumsum", "prod"]


class Prod(Function):
    """The product along one dimension.

    An element's derivative is the product of all the others. The quotient of the whole product
    by the element would be NaN at zero, so the rule multiplies halves with one another, and the
    halves of the halves, and on the way back gives each half the product of all that it is not:
    ``2 log2(n)`` products, right at any number of zeros and as often as it is differentiated.
    """

    def forward(self, x: Any, *, dim: int, keepdim: bool) -> Any:
        self.dim = dim
        self.kept = tuple([1 if i == dim else n for i, n in enumerate(x.shape)])
        self.save_for_backward(x)
        return self.xp.prod(x, axis=dim, keepdims=keepdim)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved_tensors
        xp, dim = self.xp, self.dim

        def part(array: Any, start: int, stop: int | None) -> Any:
            return xp.index(array, (*[slice(None)] * dim, slice(start, stop)))

        halves = []
        while (length := x.shape[dim]) > 1:
            half = length // 2
            left, right = part(x, 0, half), part(x, half, 2 * half)
            halves.append((left, right))
            x = xp.concat([left * right, part(x, 2 * half, None)], axis=dim)
        others = part(xp.reshape(grad, self.kept), 0, x.shape[dim])
        for left, right in reversed(halves):
            half = left.shape[dim]
            above = part(others, 0, half)
            others = xp.concat([above * right, above * left, part(others, half, None)], axis=dim)
        return others


class CumSum(Function):
    """Running sums along a dimension; the gradient is summed from the other end."""

    def forward(self, x: Any, *, dim: int) -> Any:
        self.dim = dim
        return self.xp.cumulative_sum(x, axis=dim)

    def backward(self, grad: Any) -> Any:
        xp, dim = self.xp, self.dim
        return xp.flip(xp.cumulative_sum(xp.flip(grad, axis=dim), axis=dim), axis=dim)


class CumProd(Function):
    """Running products along a dimension.

    Element ``k`` is a factor of all results from the k-th on. Its derivative is the product of what
    stands before it, times ``s_k = g_k + x_(k+1) s_(k+1)``, which gathers what comes after: no
    quotient by an element, so zeros are right.
    """

    def forward(self, x: Any, *, dim: int) -> Any:
        self.dim = dim
        out = self.xp.cumulative_prod(x, axis=dim)
        self.save_for_backward(x, out)
        return out

    def backward(self, grad: Any) -> Any:
        x, out = self.saved_tensors
        xp, dim = self.xp, self.dim
        length = x.shape[dim]
        if length == 0:
            return grad

        def layer(array: Any, k: int) -> Any:
            return xp.index(array, (*[slice(None)] * dim, slice(k, k + 1)))

        after = [layer(grad, length - 1)]
        for k in range(length - 2, -1, -1):
            after.append(layer(grad, k) + layer(x, k + 1) * after[-1])
        before = xp.index(out, (*[slice(None)] * dim, slice(0, length - 1)))
        before = xp.concat([xp.ones_like(layer(out, 0)), before], axis=dim)
        return before * xp.concat(after[::-1], axis=dim)


@accepts_axis
def prod(
    x: Tensor,
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
) -> Tensor:
    """The product over one, several or all dimensions; one over no elements.

    Args:
        x: any shape; integers and booleans are multiplied as int64.
        dim: which dimensions; all by default. NumPy's name ``axis`` is taken too.
        keepdim: keep them with length one. NumPy's name ``keepdims`` is taken too.
        dtype: multiply in this type.

    Raises:
        OutOfRangeError: there is no such dimension.

    >>> prod(Tensor([[1.0, 2.0], [3.0, 4.0]]), dim=1)
    tensor([ 2., 12.])
    """
    x = _summable("prod", x, dtype)
    dims = dims_of("prod", x, dim)
    if len(dims) == 1:
        out: Tensor = Prod.apply(x, dim=dims[0], keepdim=keepdim)
        return out
    # Bring the dimensions together at the end, and take the product over them as one.
    rest = tuple([i for i in range(x.ndim) if i not in dims])
    lengths = tuple([x.shape[i] for i in rest])
    count = 1
    for i in dims:
        count *= x.shape[i]
    out = Prod.apply(x.permute((*rest, *dims)).reshape((*lengths, count)), dim=len(rest),
                     keepdim=False)  # fmt: skip
    return out.reshape([1 if i in dims else n for i, n in enumerate(x.shape)]) if keepdim else out


@accepts_axis
def cumsum(x: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """Running sums along a dimension: element ``i`` is the sum of those up to ``i``.

    Args:
        x: any shape, which the result has too; integers and booleans are summed as int64.
        dim: along which dimension. NumPy's name ``axis`` is taken too.
        dtype: sum in this type.

    Raises:
        OutOfRangeError: there is no such dimension.

    >>> cumsum(Tensor([1.0, 2.0, 3.0]), dim=0)
    tensor([1., 3., 6.])
    """
    x = _summable("cumsum", x, dtype)
    dims = dims_of("cumsum", x, as_dim("cumsum", dim, x.ndim))
    out: Tensor = CumSum.apply(x, dim=dims[0]) if dims else x.clone()
    return out


@accepts_axis
def cumprod(x: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """Running products along a dimension: element ``i`` is the product of those up to ``i``.

    Args:
        x: any shape, which the result has too; integers and booleans are multiplied as int64.
        dim: along which dimension. NumPy's name ``axis`` is taken too.
        dtype: multiply in this type.

    Raises:
        OutOfRangeError: there is no such dimension.

    >>> cumprod(Tensor([1.0, 2.0, 3.0]), dim=0)
    tensor([1., 2., 6.])
    """
    x = _summable("cumprod", x, dtype)
    dims = dims_of("cumprod", x, as_dim("cumprod", dim, x.ndim))
    out: Tensor = CumProd.apply(x, dim=dims[0]) if dims else x.clone()
    return out


def _summable(operation: str, x: Any, dtype: Any) -> Tensor:
    """In the type asked for; else integers as int64, which overflows later."""
    tensor = as_tensor(operation, x)
    if dtype is not None:
        return tensor.to(dtype=dtype)
    return tensor.long() if integral(tensor) else tensor
