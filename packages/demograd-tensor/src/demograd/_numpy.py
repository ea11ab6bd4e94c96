"""NumPy's own functions on Tensors: ``np.sin(x)`` and ``np.concatenate([x, y])`` record.

NumPy hands a call with a Tensor to the hooks here, and they look for a function of the same name
in the namespace of Tensors. What has no rule is refused: a Tensor never turns into an array of
objects and is never detached in silence.
"""

from __future__ import annotations

from typing import Any

from demograd._tensor_backend import tensor_backend
from demograd.errors import ArgumentTypeError, MissingNameError

__all__ = ["array_function", "array_ufunc"]

# NumPy's names where the array API standard has another.
_STANDARD = {
    "absolute": "abs",
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
    "amax": "max",
    "amin": "min",
}
# What carries no gradient, and is asked of arrays and Tensors alike.
_QUESTIONS = {
    "ndim": lambda x: x.ndim,
    "shape": lambda x: x.shape,
    "size": lambda x: x.numel(),
}


def _find(name: str) -> Any:
    try:
        return getattr(tensor_backend, _STANDARD.get(name, name))
    except MissingNameError as error:
        raise ArgumentTypeError(
            f"np.{name}: there is no derivative rule for this function on Tensors.",
            mend="x.detach().numpy() gives an array, without the gradient.",
        ) from error


def array_ufunc(ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``np.<ufunc>(...)`` with a Tensor among the operands."""
    if method != "__call__" or kwargs:
        use = f"np.{ufunc.__name__}" + ("" if method == "__call__" else f".{method}")
        with_ = f" with {', '.join(kwargs)}" if kwargs else ""
        raise ArgumentTypeError(
            f"{use}: Tensors cannot be used{with_} here.",
            mend=f"np.{ufunc.__name__}(x) records; or use the method of the Tensor.",
        )
    return _find(ufunc.__name__)(*inputs)


def array_function(func: Any, args: Any, kwargs: Any) -> Any:
    """``np.<function>(...)`` with a Tensor among the arguments."""
    if func.__name__ in _QUESTIONS and len(args) == 1 and not kwargs:
        return _QUESTIONS[func.__name__](args[0])
    return _find(func.__name__)(*args, **kwargs)
