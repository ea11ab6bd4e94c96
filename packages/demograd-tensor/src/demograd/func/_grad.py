"""``grad`` and its kin: the gradient of a function that returns one number."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from demograd._tensor import Tensor
from demograd.autograd import _engine
from demograd.autograd._mode import enable_grad
from demograd.errors import ArgumentTypeError, GradientError
from demograd.func._tree import unflatten
from demograd.func._variables import Variables, as_argnums, replaced

__all__ = ["grad", "grad_and_value", "value_and_grad"]


def grad(
    func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """The function that gives the gradient of ``func``.

    It composes: ``grad(grad(f))`` is the second derivative, ``vmap(grad(f))`` the gradient for each
    sample. What it gives is part of the graph of what it is computed from, so ``backward`` through
    it works too.

    Args:
        func: takes Tensors, or nested lists, tuples and dicts of them, and returns a Tensor
            without dimensions.
        argnums: by which positional argument to differentiate, or by which several.
        has_aux: ``func`` returns a pair (result, other things), and so does the gradient.

    Returns:
        A function that returns what the argument is built like, with the gradient in place of each
        Tensor; a tuple of such if ``argnums`` is a tuple.

    Raises:
        GradientError: the result has dimensions; or an argument was changed in place.
        ArgumentTypeError: the result is no Tensor, or an argument to differentiate by holds
            something else than Tensors.
        DtypeError: an argument to differentiate by is not of floats.

    Reference: ``torch.func.grad``.

    >>> grad(lambda x: x**3)(Tensor(2.0))
    tensor(12.)
    >>> grad(grad(lambda x: x**3))(Tensor(2.0))
    tensor(12.)
    >>> grad(lambda p, x: (p["w"] * x).sum() + p["b"])(
    ...     {"w": Tensor([1.0, 2.0]), "b": Tensor(0.0)}, Tensor([3.0, 4.0])
    ... )
    {'w': tensor([3., 4.]), 'b': tensor(1.)}
    """

    def gradient(*args: Any, **kwargs: Any) -> Any:
        found, value = _both("grad", func, argnums, has_aux, args, kwargs)
        return (found, value[1]) if has_aux else found

    return _named(gradient, "grad", func)


def value_and_grad(
    func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """The function that gives the result of ``func`` and its gradient, computed together.

    Args:
        func, argnums, has_aux: as of :func:`grad`.

    Returns:
        A function that returns ``(result, gradient)``; with ``has_aux``
        ``((result, other things), gradient)``.

    Raises:
        GradientError, ArgumentTypeError, DtypeError: as :func:`grad`.

    Reference: ``jax.value_and_grad``; PyTorch has :func:`grad_and_value`, the other way round.

    >>> value_and_grad(lambda x: x**3)(Tensor(2.0))
    (tensor(8.), tensor(12.))
    """

    def both(*args: Any, **kwargs: Any) -> Any:
        found, value = _both("value_and_grad", func, argnums, has_aux, args, kwargs)
        return value, found

    return _named(both, "value_and_grad", func)


def grad_and_value(
    func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """:func:`value_and_grad` in PyTorch's order.

    Returns:
        A function that returns ``(gradient, result)``; with ``has_aux``
        ``(gradient, (result, other things))``.

    Reference: ``torch.func.grad_and_value``.

    >>> grad_and_value(lambda x: x**3)(Tensor(2.0))
    (tensor(12.), tensor(8.))
    """

    def both(*args: Any, **kwargs: Any) -> Any:
        return _both("grad_and_value", func, argnums, has_aux, args, kwargs)

    return _named(both, "grad_and_value", func)


def _named(new: Callable[..., Any], transform: str, func: Callable[..., Any]) -> Callable[..., Any]:
    named = functools.wraps(func, assigned=("__doc__",), updated=())(new)
    del named.__wrapped__  # it returns other things
    named.__name__ = named.__qualname__ = f"{transform}({getattr(func, '__name__', 'func')})"
    return named


def _both(
    operation: str,
    func: Callable[..., Any],
    argnums: int | tuple[int, ...],
    has_aux: bool,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> tuple[Any, Any]:
    """The gradient, and what the function returned."""
    places = as_argnums(operation, argnums, len(args))
    variables = Variables(operation, [args[i] for i in places])
    with enable_grad():
        returned = func(*replaced(args, places, variables.trees), **kwargs)
    variables.check_unchanged()
    variables.done()
    result, aux = _parted(operation, returned) if has_aux else (returned, None)
    _check_scalar(operation, result)
    gradients: list[Any] = [None] * len(variables.leaves)
    recorded = False
    if result.requires_grad:
        recorded = variables.reach_outside([result])
        gradients = list(
            _engine.grad(result, variables.leaves, create_graph=recorded, materialize_grads=True)
        )
    else:
        gradients = [_zeros(x) for x in variables.leaves]
    found = tuple(variables.given_back(unflatten(variables.trees, gradients)))
    value = variables.given_back((result, aux) if has_aux else result)
    variables.retire()
    return (found if isinstance(argnums, tuple) else found[0]), value


def _parted(operation: str, returned: Any) -> tuple[Any, Any]:
    if not isinstance(returned, tuple) or len(returned) != 2:
        raise ArgumentTypeError(
            f"{operation}: with has_aux=True the function returns a pair, not "
            f"{type(returned).__name__}.",
            mend="return result, other_things",
        )
    return returned


def _check_scalar(operation: str, result: Any) -> None:
    if not isinstance(result, Tensor):
        raise ArgumentTypeError(
            f"{operation}: the function returns {type(result).__name__}, not a Tensor.",
            mend="With has_aux=True, (result, aux) gives back other things as they are.",
        )
    if result.ndim:
        raise GradientError(
            f"{operation}: the function returns a tensor with dimensions, and not one number.",
            [result._describe()],
            "result.sum() has; dg.func.vjp and dg.func.jacrev differentiate tensors.",
        )


def _zeros(x: Tensor) -> Tensor:
    from demograd._creation import zeros_like

    return zeros_like(x)
