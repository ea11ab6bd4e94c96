"""What NumPy's functions do with Tensors: NumPy's names, arguments and results, recorded.

Each rule here is composed of functions that have theirs. Which of NumPy's functions have none is
the core's matter: they are refused where a gradient would be lost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from demograd.ops._numpy._joining import JOINING
from demograd.ops._numpy._picking import PICKING
from demograd.ops._numpy._products import PRODUCTS
from demograd.ops._numpy._putting import PUTTING
from demograd.ops._numpy._reductions import REDUCTIONS
from demograd.ops._numpy._sequences import SEQUENCES
from demograd.ops._numpy._shapes import SHAPES
from demograd.ops._numpy._statistics import STATISTICS
from demograd.ops._numpy._ufuncs import UFUNCS

__all__ = ["NUMPY_FUNCTIONS"]

NUMPY_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **UFUNCS,
    **REDUCTIONS,
    **STATISTICS,
    **SHAPES,
    **JOINING,
    **PICKING,
    **PUTTING,
    **SEQUENCES,
    **PRODUCTS,
}
