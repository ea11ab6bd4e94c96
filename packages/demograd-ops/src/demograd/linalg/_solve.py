"""Systems of linear equations."""

from __future__ import annotations

from typing import Any

import numpy as np

from demograd import Tensor
from demograd.autograd import Function
from demograd.errors import ShapeError
from demograd.linalg._matrices import in_single, matrices, square, worded
from demograd.operators import promote

__all__ = ["Solve", "solve"]


class Solve(Function):
    """``X`` with ``A X = B``: ``dB = solve(Aᵀ, G)`` and ``dA = -dB Xᵀ``.

    Reference: Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
    differentiation", 2008, section 2.3.1.
    """

    def forward(self, a: Any, b: Any) -> Any:
        with worded("solve", "a matrix is singular", "np.linalg.lstsq finds the nearest solution."):
            out = self.xp.linalg.solve(a, b)
        self.save_for_backward(a, out if self.needs_input_grad[0] else None)
        return out

    def backward(self, grad: Any) -> Any:
        a, out = self.saved_tensors
        b_grad = self.xp.linalg.solve(a.mT, grad)
        return -(b_grad @ out.mT) if self.needs_input_grad[0] else None, b_grad


def solve(A: Tensor, B: Tensor) -> Tensor:
    """The ``X`` for which ``A X = B``.

    Args:
        A: ``(..., n, n)``.
        B: ``(..., n, k)``, or vectors ``(n,)`` or ``(..., n)`` with the stack of ``A``, as in
            PyTorch; the stacks broadcast.

    Raises:
        LinAlgError: a matrix is singular.
        ShapeError: ``A`` is not square, or ``B`` does not fit it.

    >>> solve(Tensor([[1.0, 2.0], [3.0, 4.0]]), Tensor([5.0, 11.0]))
    tensor([1., 2.])
    """
    a = square("solve", A)
    if getattr(B, "ndim", 2) == 1 or (a.ndim > 2 and getattr(B, "shape", ()) == a.shape[:-1]):
        column = _solved(a, matrices("solve", B[..., None]))
        return column.reshape(column.shape[:-1])
    return _solved(a, matrices("solve", B))


def _solved(a: Tensor, b: Tensor) -> Tensor:
    try:
        fits = a.shape[-1] == b.shape[-2]
        stack = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    except ValueError:
        fits, stack = False, ()
    if not fits:
        raise ShapeError(
            "solve: the shapes do not fit.", [f"A: shape {a.shape}", f"B: shape {b.shape}"]
        )
    a, b = promote(a, b)
    # Not every library broadcasts stacks here.
    if a.shape[:-2] != stack:
        a = a.expand(*stack, *a.shape[-2:])
    if b.shape[:-2] != stack:
        b = b.expand(*stack, *b.shape[-2:])
    out: Tensor = in_single(Solve.apply, a, b)
    return out
