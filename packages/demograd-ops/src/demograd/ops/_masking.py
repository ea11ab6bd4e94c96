"""Zero outside a mask: what the gradients of piecewise functions share."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["keep"]

# The integer type with as many bits as each floating type.
_BITS = {np.dtype(f"f{n}"): np.dtype(f"i{n}") for n in (2, 4, 8)}
# Below this many elements a plain `where` is faster.
_MANY = 2048


def keep(xp: Any, mask: Any, x: Any) -> Any:
    """``x`` where the mask holds, zero elsewhere.

    A product with the mask would make NaN of an infinity outside it.

    >>> keep(np, np.array([True, False]), np.array([1.0, np.inf]))
    array([1., 0.])
    """
    if type(x) is np.ndarray and x.size >= _MANY and x.shape == mask.shape and x.dtype in _BITS:
        # np.where takes a branch at each element, and a random mask defeats the processor's
        # guesses. As an integer, minus True is all ones, so "and" does the same in a third of
        # the time.
        bits = _BITS[x.dtype]
        ones = mask.astype(bits)
        np.negative(ones, out=ones)
        ones &= x.view(bits)
        return ones.view(x.dtype)
    return xp.where(mask, x, 0.0)
