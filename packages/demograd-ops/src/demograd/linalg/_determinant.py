"""The determinant, and its logarithm."""

from __future__ import annotations

from typing import Any, NamedTuple

from demograd import Tensor
from demograd.autograd import Function
from demograd.linalg._matrices import in_single, square, worded

__all__ = ["Det", "SlogDet", "SlogDetResult", "det", "slogdet"]


class Det(Function):
    """The determinant ``d``; the derivative is that of its expansion, ``d A⁻ᵀ``.

    Reference: Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
    differentiation", 2008, section 2.2.4.
    """

    def forward(self, x: Any) -> Any:
        out = self.xp.linalg.det(x)
        self.save_for_backward(x, out)
        return out

    def backward(self, grad: Any) -> Any:
        x, out = self.saved_tensors
        return _over_inverse(self.xp, "det", x, grad * out)


class SlogDet(Function):
    """Sign of the determinant and logarithm of its magnitude, whose derivative is ``A⁻ᵀ``."""

    def forward(self, x: Any) -> Any:
        sign, logabsdet = self.xp.linalg.slogdet(x)
        self.save_for_backward(x)
        self.mark_non_differentiable(sign)
        return sign, logabsdet

    def backward(self, sign_grad: Any, grad: Any) -> Any:
        (x,) = self.saved_tensors
        return _over_inverse(self.xp, "slogdet", x, grad)


def _over_inverse(xp: Any, operation: str, x: Any, factor: Any) -> Any:
    mend = "There is no derivative at a singular matrix here: add a small multiple of the identity."
    with worded(f"backward of {operation}", "a matrix is singular", mend):
        inverse = xp.linalg.inv(x)
    return xp.reshape(factor, (*factor.shape, 1, 1)) * inverse.mT


class SlogDetResult(NamedTuple):
    """What :func:`slogdet` gives; the determinant is ``sign * exp(logabsdet)``.

    The ``sign`` is 1, -1, or 0 for a singular matrix, and ``logabsdet`` is the logarithm of the
    magnitude, minus infinity for a singular matrix.
    """

    sign: Tensor
    logabsdet: Tensor


def det(A: Tensor) -> Tensor:
    """The determinant of square matrices, ``(..., n, n)``; of shape ``(...)``.

    Its gradient is refused at a singular matrix.

    Raises:
        ShapeError: the matrices are not square.

    >>> det(Tensor([[1.0, 2.0], [3.0, 5.0]])).item()
    -1.0
    """
    out: Tensor = in_single(Det.apply, square("det", A))
    return out


def slogdet(A: Tensor) -> SlogDetResult:
    """Sign and logarithm of the magnitude of the determinant, which itself may overflow.

    Args:
        A: ``(..., n, n)``.

    Raises:
        ShapeError: the matrices are not square.

    >>> slogdet(Tensor([[-2.0, 0.0], [0.0, 1.0]]))
    SlogDetResult(sign=tensor(-1.), logabsdet=tensor(0.6931))
    """
    return SlogDetResult(*in_single(SlogDet.apply, square("slogdet", A)))
