"""The error function of single precision, as array code.

SciPy computes it one number at a time, in 13 ns each; what follows is eleven multiplications and
additions and a hyperbolic tangent, which NumPy does for many numbers at once, in a tenth of that.

``erf(x) = tanh(x R(x**2))`` defines R, a smooth function, and a polynomial of degree six stands for
it. Its coefficients are those of the smallest relative error of erf between -3.95 and 3.95 (a
linear program), under the condition that beyond, where erf rounds to one, ``x R(x**2)`` stays above
9.05, where tanh does: no bound on x is needed. The relative error is at most 2.7e-7, four and a
half roundings of single precision.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["erf_single"]

# Of the powers of x**2, the highest first.
_R = [1.41852043e-07, -5.66847155e-06, 8.76372974e-05, -6.19784566e-04, -1.91830911e-04,
      0.102769056, 1.12837927]  # fmt: skip


@np.errstate(over="ignore")
def erf_single(x: Any, scale: float = 1.0) -> Any:
    """``erf(scale x)`` of an array or scalar of float32.

    >>> erf_single(np.array([0.0, 0.5, -np.inf], np.float32)).round(4)
    array([ 0.    ,  0.5205, -1.    ], dtype=float32)
    """
    powers = range(2 * len(_R) - 1, 0, -2)
    first, *middle, last = [c * scale**power for c, power in zip(_R, powers, strict=True)]
    square = x * x
    out = square * first
    # In place: to find fresh memory takes longer than to compute.
    for coefficient in middle:
        out += coefficient
        out *= square
    out += last
    out *= x
    if isinstance(out, np.ndarray):
        return np.tanh(out, out=out)
    return np.tanh(out)
