"""Cholesky's factor of a positive definite matrix."""

from __future__ import annotations

from typing import Any

from demograd import Tensor
from demograd.autograd import Function
from demograd.linalg._matrices import in_single, square, worded

__all__ = ["Cholesky", "cholesky"]


class Cholesky(Function):
    """Lower triangular ``L`` with ``L Lᵀ = A``.

    With ``P`` the lower triangle of ``Lᵀ G``, its diagonal halved, the derivative is the symmetric
    part of ``L⁻ᵀ P L⁻¹``.

    Reference: Murray, "Differentiation of the Cholesky decomposition", arXiv:1602.07527, 2016.
    """

    def forward(self, x: Any) -> Any:
        mend = "x + 1e-6 * dg.eye(n) lifts eigenvalues that rounding has made negative."
        with worded("cholesky", "a matrix is not positive definite", mend):
            out = self.xp.linalg.cholesky(x)
        self.save_for_backward(out)
        return out

    def backward(self, grad: Any) -> Any:
        (out,) = self.saved_tensors
        xp = self.xp
        both = out.mT @ grad
        half = (xp.tril(both) + xp.tril(both, k=-1)) / 2
        left = xp.linalg.solve(out.mT, half)
        inner = xp.linalg.solve(out.mT, left.mT)
        return (inner + inner.mT) / 2


def cholesky(A: Tensor, *, upper: bool = False) -> Tensor:
    """The lower triangular ``L`` of positive diagonal with ``L Lᵀ = A``.

    Args:
        A: symmetric and positive definite, ``(..., n, n)``; only the lower triangle is read, and
            the gradient is that of a symmetric matrix: symmetric itself, as in PyTorch.
        upper: give ``Lᵀ`` instead.

    Raises:
        LinAlgError: a matrix is not positive definite.
        ShapeError: the matrices are not square.

    >>> cholesky(Tensor([[4.0, 2.0], [2.0, 5.0]]))
    tensor([[2., 0.],
            [1., 2.]])
    """
    out: Tensor = in_single(Cholesky.apply, square("cholesky", A))
    return out.mT if upper else out
