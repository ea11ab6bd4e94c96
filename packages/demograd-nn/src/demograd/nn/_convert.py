"""Casting and moving a whole module: its parameters, their gradients, and its buffers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import demograd as dg
from demograd import Tensor
from demograd.errors import ArgumentTypeError
from demograd.operators import at_once, replacing

if TYPE_CHECKING:
    from demograd.nn._module import Module

__all__ = ["convert"]


def convert(module: Module, target: Any, device: Any, dtype: Any) -> None:
    """Give each tensor of the module another type or place, and keep its identity.

    Optimizers hold the parameters themselves, so a cast must not make new ones.
    """
    if isinstance(target, Tensor):
        device, dtype = target.device, target.dtype
    elif isinstance(target, dg.device) or (isinstance(target, str) and not _is_dtype(target)):
        device = dg.device(target)
    elif target is not None:
        dtype = target
    if dtype is not None:
        dtype = dg.empty(0, dtype=dtype, device="cpu").dtype
        if dtype.kind != "f":
            raise ArgumentTypeError(
                f"to: a module is cast to a floating type, not to {dtype}.",
                mend='Use dg.float32 or dg.float64, or a device such as "cpu".',
            )
    tensors = list(dict.fromkeys((*module.parameters(), *module.buffers())))
    # All are made first: where one cannot be, none has changed.
    made = [_moved(x, device, dtype) for x in tensors]
    gradients = [None if x.grad is None else _moved(x.grad, device, dtype) for x in tensors]
    for x in tensors:
        x.grad = None
    # And all are put in place at once: an interrupt leaves no module of two types.
    at_once([call for x, new in zip(tensors, made, strict=True) for call in replacing(x, new.data)])
    for x, gradient in zip(tensors, gradients, strict=True):
        x.grad = gradient


def _is_dtype(name: str) -> bool:
    try:
        dg.empty(0, dtype=name, device="cpu")
    except ArgumentTypeError:
        return False
    return True


def _moved(x: Tensor, device: Any, dtype: Any) -> Tensor:
    x = x.detach().to(device=device)
    return x.to(dtype) if dtype is not None and x.dtype.kind == "f" else x
