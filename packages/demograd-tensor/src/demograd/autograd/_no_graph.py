"""Warnings where a gradient is looked for in the wrong place, or ends without a word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from demograd.errors import warn

if TYPE_CHECKING:
    from demograd._tensor import Tensor

__all__ = ["warn_of_copy", "warn_of_leaf", "warn_of_no_leaf"]


def warn_of_no_leaf(x: Tensor) -> None:
    """``.grad`` of a computed tensor, which ``backward`` does not keep."""
    assert x._node is not None
    warn(
        "grad: the tensor is no leaf, and backward keeps gradients of leaves only.",
        [f"{x._describe()}, made by {x._node.name}"],
        "x.retain_grad() before backward keeps it; x = x.detach().requires_grad_() makes it a "
        "leaf. In an update, with dg.no_grad(): w -= lr * w.grad leaves w the leaf that it is.",
    )


def warn_of_leaf(x: Tensor) -> None:
    """``backward`` of a tensor that was not computed, which reaches nothing but itself."""
    warn(
        "backward: the tensor was not computed from others, so no other gets a gradient.",
        [f"{x._describe()}, a leaf"],
        "Call it on the loss as the model gave it: dg.tensor(loss), loss.item() and "
        "requires_grad=True on the way make a new leaf of it.",
    )


def warn_of_copy(x: Tensor) -> None:
    """``dg.tensor(x)``, which is cut off from the graph of x."""
    made = "a leaf" if x._node is None else f"made by {x._node.name}"
    warn(
        "tensor: the copy is cut off from the graph, and no gradient goes through it.",
        [f"{x._describe()}, {made}"],
        "x.clone() copies it within the graph; x.detach().clone() says that it is to be cut.",
    )
