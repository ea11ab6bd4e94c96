"""Settings of an optimizer: numbers in their ranges."""

from __future__ import annotations

from typing import Any

from demograd import Tensor
from demograd.errors import ArgumentError, ArgumentTypeError
from demograd.operators import known_values

__all__ = ["check_number", "number"]

PLAIN = frozenset([bool, int, float, tuple])


def number(value: Any) -> Any:
    """A setting as the rules take it: a Python number for a NumPy one or a tensor of one element.

    A NumPy number would widen float32 arrays to float64.
    """
    if type(value) in PLAIN:
        return value  # asked for each setting at each step
    if isinstance(value, Tensor):
        known = known_values(value)
        return value.data if known is None else known.item()  # traced: known when it runs
    return value.item() if hasattr(value, "item") else value


def check_number(
    owner: str, name: str, value: Any, low: float = 0.0, below: float = float("inf")
) -> None:
    """Refuse a setting that is no number with ``low <= value < below``.

    Args:
        owner: the optimizer's name, which begins the message.
        name: the setting's.
        value: a number, or a tensor of one element.

    Raises:
        ArgumentError: it is out of the range, NaN, or a tensor with several elements.
        ArgumentTypeError: it is not a number.

    >>> check_number("Adam", "lr", -0.1)
    Traceback (most recent call last):
    demograd.errors.ArgumentError: Adam: lr is out of its range.
      lr: -0.1
    It must be a number from 0 up.
    """
    wanted = f"a number from {low:g} up" + (f" and below {below:g}" if below < 1e308 else "")
    if isinstance(value, Tensor) and value.numel() != 1:
        raise ArgumentError(
            f"{owner}: {name} is a tensor that has not exactly one element.",
            [f"{name}: shape {value.shape}"],
            f"It must be {wanted}, or a tensor that holds one.",
        )
    plain = number(value)
    if isinstance(plain, bool) or not isinstance(plain, (int, float)):
        raise ArgumentTypeError(
            f"{owner}: {name} is not a number.",
            [f"{name}: {value!r}"],
            f"It must be {wanted}.",
        )
    if not low <= plain < below:
        raise ArgumentError(
            f"{owner}: {name} is out of its range.",
            [f"{name}: {plain!r}"],
            f"It must be {wanted}.",
        )
