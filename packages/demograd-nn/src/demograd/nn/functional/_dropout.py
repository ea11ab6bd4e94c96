"""Dropout."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

import demograd as dg
from demograd import Function, Tensor
from demograd.errors import ArgumentError
from demograd.nn.functional._operands import check_floats, check_tensors
from demograd.operators import mapped_alike, refuse_traced

__all__ = ["Keep", "dropout"]


class Keep(Function):
    """``x / (1 - p)`` where an element is kept, zero elsewhere; so is the gradient."""

    def forward(self, x: Any, *, kept: np.ndarray[Any, Any], scale: float) -> Any:
        on = self.xp.from_numpy(kept)
        self.save_for_backward(on)
        self.scale = scale
        return self.xp.where(on, x * scale, 0.0)

    def backward(self, grad: Any) -> Any:
        (on,) = self.saved_tensors
        return self.xp.where(on, grad * self.scale, 0.0)


def dropout(input: Tensor, p: float = 0.5, training: bool = True) -> Tensor:
    """Zero elements at random, each with probability p, and scale the others by ``1 / (1 - p)``.

    The expected value stays, so that nothing needs to be scaled in evaluation.

    Args:
        input: floats, of any shape, which the result has too.
        p: the share that is zeroed, from 0 to 1.
        training: False gives the input itself.

    Raises:
        ArgumentError: p is outside 0 to 1.
        DtypeError: the input is not of floats.
        DeviceError: the input is traced by a compiler.

    Reference: Srivastava et al., "Dropout: a simple way to prevent neural networks from
    overfitting", JMLR 2014.

    >>> import demograd as dg
    >>> _ = dg.manual_seed(0)
    >>> dropout(dg.ones(6), 0.5)
    tensor([2., 2., 2., 0., 0., 0.])
    """
    check_tensors("dropout", {"input": input})
    check_floats("dropout", {"input": input})
    check_probability("dropout", p)
    if not training or p == 0.0:
        return input
    refuse_traced("dropout", input)
    kept = dg.rand(input.shape, dtype=dg.float32, device="cpu").data >= p
    scale = 1.0 / (1.0 - p) if p < 1.0 else 1.0
    return cast(Tensor, Keep.apply(mapped_alike(input, kept), kept=kept, scale=scale))


def check_probability(operation: str, p: float) -> None:
    """Refuse what is no probability."""
    if not 0.0 <= p <= 1.0:
        raise ArgumentError(
            f"{operation}: p is {p}, and a probability is from 0 to 1.",
            mend="p is the share of elements that are zeroed.",
        )
