"""NumPy's own functions on Tensors: ``np.sin(x)`` and ``np.concatenate([x, y])`` record.

NumPy hands a call with a Tensor to the hooks here. A function is one of four:

- it has a rule, in ``numpy_functions`` of a provider or in the namespace of Tensors: it records;
- its result carries no gradient by nature (``np.argsort``, ``np.isclose``): NumPy computes it;
- it has no rule, and nothing among its arguments requires a gradient: NumPy computes it;
- it has no rule, and a gradient would be lost: it is refused, and the message says how to go on.

So a Tensor never turns into an array of objects and is never detached in silence.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from demograd import _providers
from demograd._namespace import FUNCTIONS
from demograd._numpy._computed import as_arrays, as_tensors, computed, tensors_in, without_rule
from demograd._numpy._methods import METHODS
from demograd._numpy._names import CONSTANT, CREATING, QUESTIONS, STANDARD
from demograd._numpy._out import as_tensor, call_with_keywords, store
from demograd._standard import STANDARD_FUNCTIONS
from demograd._tensor import Tensor
from demograd._tensor_backend import tensor_backend
from demograd.errors import ArgumentTypeError, MissingNameError

__all__ = ["array_function", "array_ufunc", "rule_of"]


def array_ufunc(ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``np.<ufunc>(...)``, or one of its methods, with a Tensor among the operands."""
    if any(_is_foreign(x) for x in (*inputs, *kwargs.get("out", ()))):
        return NotImplemented
    key = _ufunc_name(ufunc)
    name = f"np.{key}" if key.isidentifier() else key
    if method != "at" and any(isinstance(x, (list, tuple)) for x in inputs):
        inputs = tuple([_listed(x, inputs) for x in inputs])
    rule = rule_of(key, ufunc=True)
    if rule is None:
        called = ufunc if method == "__call__" else getattr(ufunc, method)
        if key in CONSTANT:
            return computed(called, inputs, kwargs)
        return without_rule(name, called, inputs, kwargs)
    if method != "__call__":
        return METHODS[method](ufunc, rule, inputs, kwargs)
    if kwargs:
        return call_with_keywords(ufunc, rule, inputs, kwargs)
    return _settled(name, rule, inputs, {})


def array_function(func: Any, types: Any, args: Any, kwargs: Any) -> Any:
    """``np.<function>(...)`` with a Tensor among the arguments."""
    if any(_is_foreign_type(kind) for kind in types):
        return NotImplemented
    key = _name(func)
    name = f"np.{key}"
    question = QUESTIONS.get(key)
    if question is not None and len(args) == 1 and not kwargs and isinstance(args[0], Tensor):
        return question(args[0])
    if key in CREATING:
        return _created(func, args, kwargs)
    rule = rule_of(key, ufunc=False)
    if rule is None:
        if key in CONSTANT:
            return computed(func, args, kwargs)
        return without_rule(name, func, args, kwargs)
    out = kwargs.get("out")
    if "out" in kwargs:
        kwargs = {key: value for key, value in kwargs.items() if key != "out"}
    result = _settled(name, rule, args, kwargs)
    return result if out is None else store(name, out, result)


def _ufunc_name(ufunc: Any) -> str:
    """``sin`` for ``np.sin``, ``scipy.special.erf`` for SciPy's; others may have any name."""
    name: str = ufunc.__name__
    if getattr(np, name, None) is ufunc:
        return name
    special = sys.modules.get("scipy.special")
    if getattr(special, name, None) is ufunc:
        return f"scipy.special.{name}"
    return f"the ufunc {name}"


def _name(func: Any) -> str:
    """``sum`` for ``np.sum``, ``linalg.norm`` for ``np.linalg.norm``."""
    module = getattr(func, "__module__", None) or "numpy"
    inner = module.removeprefix("numpy").lstrip(".")
    return f"{inner}.{func.__name__}" if inner else str(func.__name__)


def rule_of(name: str, *, ufunc: bool) -> Callable[..., Any] | None:
    """The function that records, for a name of NumPy's; None where there is none."""
    found = _providers.numpy_functions().get(name)
    if found is not None or name in CONSTANT:
        return found
    if not name.isidentifier():
        return None
    standard = STANDARD.get(name, name)
    if standard in STANDARD_FUNCTIONS:
        return None  # these have no rule under the standard's name either
    if not ufunc:
        # By the standard's names alone: PyTorch means something else by many of the others.
        return FUNCTIONS.get(standard) or _providers.array_functions().get(standard)
    try:
        return getattr(tensor_backend, standard)  # type: ignore[no-any-return]
    except MissingNameError:
        return None


def _settled(name: str, rule: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
    """What a rule gives; an argument that it does not know is refused in words."""
    try:
        result = rule(*args, **kwargs)
    except TypeError as error:
        unknown = _unknown(rule, args, kwargs)
        if unknown is None:
            raise
        raise ArgumentTypeError(
            f"{name}: {unknown}.",
            mend=f"Leave it out, or give {name} x.detach().numpy(), without the gradient.",
        ) from error
    if result is NotImplemented:
        kinds = ", ".join(type(x).__name__ for x in args)
        raise ArgumentTypeError(
            f"{name}: the operands are of types {kinds}.",
            mend="Operands are Tensors, arrays and numbers; dg.tensor(...) takes nested lists.",
        )
    return result


def _unknown(rule: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> str | None:
    try:
        signature = inspect.signature(rule)
    except ValueError:
        return None
    try:
        signature.bind(*args, **kwargs)
    except TypeError:
        known = signature.parameters
        wrong = [name for name in kwargs if name not in known]
        if wrong:
            return f"the argument {wrong[0]} cannot be used with Tensors"
        return f"these arguments cannot be used with Tensors: {len(args)} by position" + (
            f", and {', '.join(kwargs)}" if kwargs else ""
        )
    return None


def _listed(x: Any, inputs: tuple[Any, ...]) -> Any:
    """A list among operands as a Tensor, in the type of the floats that it stands by."""
    if not isinstance(x, (list, tuple)):
        return x
    if next(tensors_in(x), None) is not None:
        return tensor_backend.stack(x)
    return as_tensor(x, inputs)


def _created(func: Any, args: Any, kwargs: Any) -> Any:
    """``np.zeros(2, like=x)``: NumPy's array as a Tensor."""
    if func.__name__ in ("array", "asarray", "asanyarray") and list(tensors_in(args)):
        made = args[0] if isinstance(args[0], Tensor) else tensor_backend.stack(args[0])
        dtype = kwargs.get("dtype", args[1] if len(args) > 1 else None)
        made = made if dtype is None else made.to(dtype=dtype)
        return made.clone() if func.__name__ == "array" else made
    return as_tensors(func(*as_arrays(args), **as_arrays(kwargs)))


# Arrays that are none of NumPy's own.


def _is_foreign(x: Any) -> bool:
    """Whether another class of arrays is to be asked, such as a pandas Series."""
    return not isinstance(x, (Tensor, np.ndarray, np.generic)) and hasattr(x, "__array_ufunc__")


def _is_foreign_type(kind: type) -> bool:
    return not issubclass(kind, (Tensor, np.ndarray, np.generic))
