"""Zero outside a mask: what the gradients of piecewise functions share."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["keep"]

# The integer type with as many bits as each floating type.
_BITS = {np.dtype(f"f{n}"): np.dtype(f"i{n}") for n in (2, 4, 8)}


def keep(xp: Any, mask: Any, x: Any) -> Any:
    """``x`` where the mask holds, zero elsewhere.

    A product with the mask would make NaN of an infinity outside it.

    >>> keep(np, np.array([True, False]), np.array([1.0, np.inf]))
    array([1., 0.])
    """
    if type(x) is np.ndarray and x.shape == mask.shape:
        bits = _BITS.get(x.dtype)
        if bits is not None:
            # np.where takes a branch at each element, and a random mask defeats the processor's
            # guesses. The bits as an integer, times one or zero, are the number or nothing.
            kept: Any = np.multiply(x.view(bits), mask).view(x.dtype)
            return kept
    return xp.where(mask, x, 0.0)
