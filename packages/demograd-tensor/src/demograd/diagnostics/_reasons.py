"""What in an operation makes a NaN or an infinity, told from the values at the first such place.

Each entry stands for operators of one name, from whatever package, and is a function of the values
there that returns the reason and the way out, or None where it has none. Of an operator that is
not in the table, what can be said of every operator is said.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from demograd.diagnostics._ranges import number

__all__ = ["MAKES_CONSTANTS", "of_backward", "of_forward", "signs_matter"]

Told = tuple[str, str]  # the reason, and the way out
Values = Sequence[float | None]  # of each input, at the place

# What is not finite in their results is a constant that the user gave, and no arithmetic.
MAKES_CONSTANTS = frozenset(["Pad"])

CLAMP = "Keep it away from there, for example with x.clamp(min=1e-6)."
SAFE = (
    "If where() is to leave that element out, make the input safe before: "
    "where(mask, f(where(mask, x, 1)), 0)."
)
SMALLER = "Make the values smaller before, or use float64."


def signs_matter(name: str) -> bool:
    """Whether it is of use to know how many inputs of this operator are negative."""
    return name in ("Log", "Log2", "Log10", "Log1p", "Sqrt", "Rsqrt", "Pow", "Acosh")


def of_forward(name: str, values: Values, out: float, dtype: Any) -> Told:
    """The reason for a result that is not finite.

    Args:
        name: the operator's.
        values: of each input at the place, None where an input has no such place.
        out: the result there.
        dtype: of the result.
    """
    rule = _FORWARD.get(name)
    known = name in _WITHOUT_VALUES or None not in values
    told = rule(out, *values) if rule is not None and known else None
    return told or _generally(name, out, dtype)


def of_backward(name: str, values: Values, arrived: float | None, part: float, dtype: Any) -> Told:
    """The reason for a gradient that is not finite.

    Args:
        name: the operator's.
        values: what it saved, at the place, None where a saved value has no such place.
        arrived: the gradient of its output there.
        part: the gradient of its input there.
        dtype: of the gradient.
    """
    rule = _BACKWARD.get(name)
    slope = rule(*values) if rule is not None and None not in values[:1] else None
    if slope is None:
        if arrived == 0 and math.isnan(part):
            return "0 * inf = nan: the gradient that arrives is 0, and the slope is infinite", SAFE
        return _generally(f"the gradient of {name}", part, dtype)
    if arrived == 0:
        return f"{slope}, the gradient that arrives is 0, and 0 * inf = nan", SAFE
    return slope, CLAMP


# These can overflow, and have no other way to make an infinity of finite values.
_SUMS_AND_PRODUCTS = frozenset(
    ["Add", "Affine", "Conv2d", "CumSum", "MatMul", "Mean", "Prod", "Sub", "Sum"]
)
# Reductions: the inputs have no element at the place of the result.
_WITHOUT_VALUES = frozenset(["LogSumExp", "MaxPool2d", "Std", "Var"])


def _generally(name: str, out: float, dtype: Any) -> Told:
    if math.isnan(out):
        return f"{name} computes inf - inf, 0 * inf or 0 / 0 on the way", SMALLER
    if name not in _SUMS_AND_PRODUCTS:
        return f"{name} is {number(out)}: it overflows there, or divides by zero", SMALLER
    largest = number(np.finfo(dtype).max)
    return f"{name} gives more than the largest {np.dtype(dtype).name}, {largest}", SMALLER


def _log(name: str, least: float = 0.0) -> Callable[..., Told | None]:
    def told(out: float, x: float) -> Told | None:
        if x < least:
            return f"{name}({number(x)}) = nan: it is not defined below {number(least)}", CLAMP
        return (f"{name}({number(x)}) = -inf", CLAMP) if x == least else None

    return told


def _root(name: str) -> Callable[..., Told | None]:
    def told(out: float, x: float) -> Told | None:
        if x < 0:
            return f"{name}({number(x)}) = nan: it is not defined below 0", CLAMP
        return (f"{name}(0) = inf", "Add a small number: rsqrt(x + 1e-6).") if x == 0 else None

    return told


def _within_one(name: str) -> Callable[..., Told | None]:
    def told(out: float, x: float) -> Told | None:
        if abs(x) <= 1:
            return f"{name}({number(x)}) = {number(out)}", "Use x.clamp(-1 + 1e-6, 1 - 1e-6)."
        return (
            f"{name}({number(x)}) = nan: it is defined from -1 to 1",
            "Rounding can lead just beyond: x.clamp(-1, 1).",
        )

    return told


def _division(out: float, x: float, y: float) -> Told | None:
    if y != 0:
        return None
    return (
        f"{number(x)} / 0 = {number(out)}",
        "Keep the divisor away from 0, for example y + 1e-6 or y.clamp(min=1e-6).",
    )


def _remainder(out: float, x: float, y: float) -> Told | None:
    return (f"{number(x)} modulo 0 is not defined", CLAMP) if y == 0 else None


def _power(out: float, x: float, y: float) -> Told | None:
    if math.isnan(out) and x < 0:
        return f"({number(x)}) ** {number(y)} = nan: no real power of a negative number", CLAMP
    if x == 0 and y < 0:
        return f"0 ** {number(y)} = inf", CLAMP
    return f"{number(x)} ** {number(y)} = {number(out)} here", SMALLER


def _exponential(name: str) -> Callable[..., Told | None]:
    def told(out: float, x: float) -> Told | None:
        return (
            f"{name}({number(x)}) = {number(out)} here: it overflows",
            "Take the largest off before, as softmax and logsumexp do, or use float64.",
        )

    return told


def _product(out: float, x: float, y: float) -> Told | None:
    return f"{number(x)} * {number(y)} = {number(out)} here", SMALLER


def _of_scores(name: str) -> Callable[..., Told | None]:
    def told(out: float, *values: float) -> Told | None:
        if values and values[0] == -math.inf and math.isnan(out):
            return (
                f"{name} of nothing but -inf: every element along the dimension is masked",
                "Leave one element of each row unmasked, or mask with -1e9.",
            )
        return None

    return told


def _spread(out: float, *_: Any) -> Told | None:
    if math.isnan(out):
        return "the variance of one element is 0 / 0", "Give it two, or correction=0."
    return None


def _log_of_sum(out: float, *_: Any) -> Told | None:
    if out == -math.inf:
        return "the logarithm of a sum of no elements is -inf", "Leave empty tensors out."
    return None


def _pool(out: float, *_: Any) -> Told | None:
    if out == -math.inf:
        return "a window lies in the padding altogether", "Take less padding, or less dilation."
    return None


def _cast(out: float, x: float) -> Told | None:
    return f"{number(x)} is more than the new type can hold", "Keep the wider type."


_FORWARD: dict[str, Callable[..., Told | None]] = {
    "Log": _log("log"),
    "Log2": _log("log2"),
    "Log10": _log("log10"),
    "Log1p": _log("log1p", -1.0),
    "Acosh": _log("acosh", 1.0),
    "Sqrt": _root("sqrt"),
    "Rsqrt": _root("rsqrt"),
    "Reciprocal": lambda out, x: _division(out, 1.0, x),
    "Div": _division,
    "Remainder": _remainder,
    "FloorDivide": _division,
    "Pow": _power,
    "Exp": _exponential("exp"),
    "Exp2": _exponential("exp2"),
    "Expm1": _exponential("expm1"),
    "Sinh": _exponential("sinh"),
    "Cosh": _exponential("cosh"),
    "Square": lambda out, x: _product(out, x, x),
    "Mul": _product,
    "Asin": _within_one("asin"),
    "Acos": _within_one("acos"),
    "Atanh": _within_one("atanh"),
    "Softmax": _of_scores("softmax"),
    "LogSoftmax": _of_scores("log_softmax"),
    "LogSumExp": _log_of_sum,
    "MaxPool2d": _pool,
    "Var": _spread,
    "Std": _spread,
    "Cast": _cast,
}


def _infinite(name: str, at: float, words: str = "") -> Callable[..., str | None]:
    def told(value: float, *_: Any) -> str | None:
        slope = f"the slope of {name} at {number(at)} is infinite"
        return f"{slope}{words}" if value == at else None

    return told


def _at_one(name: str) -> Callable[..., str | None]:
    def told(x: float) -> str | None:
        return f"the slope of {name} at {number(x)} is infinite" if abs(x) == 1 else None

    return told


def _slope_of_division(x: float | None, y: float | None = None) -> str | None:
    return "the slope of x / y at y = 0 is infinite" if y == 0 else None


def _slope_of_power(x: float | None, y: float | None = None, *_: Any) -> str | None:
    if x == 0 and y is not None and y < 1:
        return f"the slope of x ** {number(y)} at 0 is infinite"
    return None


_BACKWARD: dict[str, Callable[..., str | None]] = {
    "Sqrt": _infinite("sqrt", 0.0),
    "Rsqrt": _infinite("rsqrt", math.inf),
    "Reciprocal": _infinite("1 / x", math.inf),
    "Log": _infinite("log", 0.0),
    "Log2": _infinite("log2", 0.0),
    "Log10": _infinite("log10", 0.0),
    "Log1p": _infinite("log1p", -1.0),
    "Acosh": _infinite("acosh", 1.0),
    "Div": _slope_of_division,
    "Pow": _slope_of_power,
    "Asin": _at_one("asin"),
    "Acos": _at_one("acos"),
}
