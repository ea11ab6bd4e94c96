"""What code outside the engine may tell it about the graph."""

from __future__ import annotations

from collections.abc import Sequence

from demograd import _storage
from demograd._tensor import Tensor

__all__ = ["mark_changed"]


def mark_changed(x: Tensor | Sequence[Tensor], by: str) -> None:
    """Say that the memory of ``x``, one or several, was written to directly, by ``by``.

    The in-place methods do this themselves. Code that writes into ``x.data``, such as an
    optimizer, calls it once after the write, so that a backward pass that needs the old values
    refuses instead of giving wrong gradients.

    >>> x = Tensor([1.0, 2.0], requires_grad=True)
    >>> y = (x * x).sum()
    >>> x.data[0] = 5.0
    >>> mark_changed(x, "my update")
    >>> y.backward()
    Traceback (most recent call last):
      ...
    demograd.errors.GradientError: backward: a value that Mul saved was changed in place afterwards.
      Mul: saved its input 0, a leaf, of shape (2,), dtype float32
      changed by: my update
    Change a copy (x = x.clone()), or make the change after backward.
    Under dg.debug() this message names the lines of both.
    """
    arrays = (x._data,) if isinstance(x, Tensor) else [each._data for each in x]
    _storage.mark_changed(arrays, by)
