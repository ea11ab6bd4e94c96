"""Tensor and the engine, under the name of the published design; the code is in ``demograd``.

>>> from demograd.tensor_engine import Tensor
>>> x = Tensor([2.0], requires_grad=True)
>>> (x * x).backward()
>>> x.grad
tensor([4.])
"""

from demograd import (
    Function,
    Generator,
    Tensor,
    enable_grad,
    is_grad_enabled,
    manual_seed,
    no_grad,
    set_grad_enabled,
    tensor,
)
from demograd.autograd import backward, grad, gradcheck, gradgradcheck

__all__ = [
    "Function",
    "Generator",
    "Tensor",
    "backward",
    "enable_grad",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "is_grad_enabled",
    "manual_seed",
    "no_grad",
    "set_grad_enabled",
    "tensor",
]
