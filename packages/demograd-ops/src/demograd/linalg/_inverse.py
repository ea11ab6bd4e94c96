"""The inverse of a matrix."""

from __future__ import annotations

from typing import Any

from demograd import Tensor
from demograd.autograd import Function
from demograd.linalg._matrices import in_single, square, worded

__all__ = ["Inv", "inv"]


class Inv(Function):
    """The inverse ``Y``; the derivative is ``-Yᵀ G Yᵀ``."""

    def forward(self, x: Any) -> Any:
        with worded("inv", "a matrix is singular", "np.linalg.pinv gives the pseudo-inverse."):
            out = self.xp.linalg.inv(x)
        self.save_for_backward(out)
        return out

    def backward(self, grad: Any) -> Any:
        (out,) = self.saved_tensors
        return -(out.mT @ grad @ out.mT)


def inv(A: Tensor) -> Tensor:
    """The inverse of square matrices, ``(..., n, n)``.

    ``solve(A, B)`` is faster and more exact than ``inv(A) @ B``.

    Raises:
        LinAlgError: a matrix is singular.
        ShapeError: the matrices are not square.

    >>> inv(Tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    out: Tensor = in_single(Inv.apply, square("inv", A))
    return out
