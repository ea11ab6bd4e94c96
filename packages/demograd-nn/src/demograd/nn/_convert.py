"""Casting a whole module: its floating parameters, their gradients, and its buffers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import demograd as dg
from demograd import Tensor
from demograd.errors import ArgumentTypeError

if TYPE_CHECKING:
    from demograd.nn._module import Module

__all__ = ["convert"]


def convert(module: Module, target: Any, dtype: Any) -> None:
    """Give each tensor of the module another type, or NumPy's memory, and keep its identity.

    Optimizers hold the parameters themselves, so a cast must not make new ones.
    """
    if isinstance(target, Tensor):
        dtype = target.dtype
    elif target is not None and not (isinstance(target, str) and target == "cpu"):
        dtype = target
    if dtype is not None:
        dtype = dg.empty(0, dtype=dtype).dtype
        if dtype.kind != "f":
            raise ArgumentTypeError(
                f"to: a module is cast to a floating type, not to {dtype}.",
                mend='Use dg.float32 or dg.float64, or "cpu" as the first argument.',
            )
    for x in (*module.parameters(), *module.buffers()):
        gradient = x.grad
        x.grad = None
        x.data = _moved(x, dtype).data
        x.grad = None if gradient is None else _moved(gradient, dtype)


def _moved(x: Tensor, dtype: Any) -> Tensor:
    x = x.detach().cpu()
    return x.to(dtype) if dtype is not None and x.dtype.kind == "f" else x
