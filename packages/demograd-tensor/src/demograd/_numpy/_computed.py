"""What NumPy itself computes for Tensors, where there is no rule and no gradient to lose."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from demograd._dtype import as_dtype
from demograd._numpy._out import store
from demograd._tensor import Tensor
from demograd.errors import ArgumentTypeError

__all__ = ["as_arrays", "as_tensors", "computed", "tensors_in", "without_rule"]


def without_rule(name: str, func: Any, args: Any, kwargs: Any) -> Any:
    for x in tensors_in((args, kwargs)):
        if x.requires_grad:
            raise ArgumentTypeError(
                f"{name}: there is no derivative rule for this function on Tensors.",
                mend="x.detach().numpy() gives an array, without the gradient.",
            )
    return computed(func, args, kwargs)


def computed(func: Any, args: Any, kwargs: Any) -> Any:
    """NumPy's result, its arrays as Tensors."""
    for x in kwargs.get("out") if isinstance(kwargs.get("out"), tuple) else (kwargs.get("out"),):
        if isinstance(x, Tensor):
            name = f"np.{func.__name__}"
            plain = {key: value for key, value in kwargs.items() if key != "out"}
            return store(name, kwargs["out"], computed(func, args, plain))
    return as_tensors(func(*as_arrays(args), **as_arrays(kwargs)))


def tensors_in(value: Any) -> Iterator[Tensor]:
    """The Tensors among arguments, in lists and dictionaries too."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from tensors_in(part)
    elif isinstance(value, dict):
        yield from tensors_in(list(value.values()))


def as_arrays(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.numpy(force=True)
    if isinstance(value, list) or type(value) is tuple:
        return type(value)([as_arrays(part) for part in value])
    if isinstance(value, dict):
        return {key: as_arrays(part) for key, part in value.items()}
    return value


def as_tensors(value: Any) -> Any:
    if isinstance(value, (np.ndarray, np.generic)):
        try:
            as_dtype(value.dtype)
        except ArgumentTypeError:
            return value  # text, dates, objects
        return Tensor(value)
    if isinstance(value, tuple) and hasattr(value, "_make"):
        return value._make([as_tensors(part) for part in value])
    if isinstance(value, (tuple, list)):
        return type(value)([as_tensors(part) for part in value])
    return value
