"""Names of NumPy's functions: by another name in the standard, and those without a gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["CONSTANT", "CREATING", "QUESTIONS", "STANDARD"]

# NumPy's names where the array API standard has another.
STANDARD: dict[str, str] = {
    "absolute": "abs",
    "amax": "max",
    "amin": "min",
    "arccos": "acos",
    "arccosh": "acosh",
    "arcsin": "asin",
    "arcsinh": "asinh",
    "arctan": "atan",
    "arctan2": "atan2",
    "arctanh": "atanh",
    "concatenate": "concat",
    "invert": "bitwise_invert",
    "power": "pow",
    "transpose": "permute_dims",
    "true_divide": "divide",
}

# What is a fact about an array and not one of its values.
QUESTIONS: dict[str, Callable[[Any], Any]] = {
    "ndim": lambda x: x.ndim,
    "shape": lambda x: x.shape,
    "size": lambda x: x.numel(),
}

# Results of integers, booleans, types and text: no gradient is lost, because there is none.
CONSTANT: frozenset[str] = frozenset(
    """
    all allclose any argmax argmin argpartition argsort argwhere array2string array_equal
    array_equiv array_repr array_str can_cast common_type count_nonzero diag_indices_from digitize
    einsum_path flatnonzero isclose iscomplex iscomplexobj isfinite isin isinf isnan isneginf
    isposinf isreal isrealobj lexsort linalg.matrix_rank may_share_memory min_scalar_type nanargmax
    nanargmin nonzero ravel_multi_index result_type searchsorted shares_memory shape signbit size
    ndim tril_indices_from triu_indices_from unravel_index
    """.split()
)

# What makes an array of the kind of ``like``.
CREATING: frozenset[str] = frozenset(
    """
    arange array asanyarray asarray ascontiguousarray asfortranarray empty eye frombuffer fromfile
    fromfunction fromiter fromstring full genfromtxt identity loadtxt ones require tri zeros
    """.split()
)
