"""Whole Jacobians and Hessians: products with all unit vectors, at once by ``vmap``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from demograd._backend import backend_of
from demograd._shaping import permute
from demograd._tensor import Tensor
from demograd.func._batched import Batched
from demograd.func._tree import unflatten
from demograd.func._variables import as_argnums, replaced
from demograd.func._vjp import Linear
from demograd.func._vmap import vmap

__all__ = ["hessian", "jacfwd", "jacrev"]


def jacrev(
    func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """The function that gives the Jacobian of ``func``, by its rows.

    Each row takes one backward pass, and ``vmap`` does all of them at once. It suits functions
    with fewer results than arguments.

    Args:
        func: takes Tensors, or nested lists, tuples and dicts of them, and returns such.
        argnums: by which positional argument to differentiate, or by which several.
        has_aux: ``func`` returns a pair (result, other things), and so does the Jacobian.

    Returns:
        A function that returns what the result of ``func`` is built like, each Tensor replaced by
        what the argument is built like (or a tuple of such), with Jacobians of the shape of the
        result followed by the shape of the argument.

    Raises:
        ArgumentTypeError, ArgumentError, DtypeError: as :func:`grad`.

    Reference: ``torch.func.jacrev``.

    >>> jacrev(lambda x: x * x.sum())(Tensor([1.0, 2.0]))
    tensor([[4., 1.],
            [2., 5.]])
    """

    def jacobian(*args: Any, **kwargs: Any) -> Any:
        linear, several = _near("jacrev", func, argnums, has_aux, args, kwargs)
        outputs, variables = linear.outputs, linear.variables.leaves
        rows = _each(linear.rows, outputs)
        blocks = [
            [row.reshape(*x.shape, *v.shape) for row, v in zip(of_x, variables, strict=True)]
            for x, of_x in zip(outputs, rows, strict=True)
        ]
        return _assembled(linear, blocks, several, has_aux)

    return jacobian


def jacfwd(
    func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """The function that gives the Jacobian of ``func``, by its columns.

    Each column is a :func:`jvp`, and ``vmap`` does all of them at once. It suits functions with
    fewer arguments than results.

    Args:
        func, argnums, has_aux: as of :func:`jacrev`.

    Returns:
        What :func:`jacrev` returns.

    Raises:
        ArgumentTypeError, ArgumentError, DtypeError: as :func:`grad`.

    Reference: ``torch.func.jacfwd``.

    >>> jacfwd(lambda x: x * x.sum())(Tensor([1.0, 2.0]))
    tensor([[4., 1.],
            [2., 5.]])
    """

    def jacobian(*args: Any, **kwargs: Any) -> Any:
        linear, several = _near("jacfwd", func, argnums, has_aux, args, kwargs)
        outputs, variables = linear.outputs, linear.variables.leaves
        columns = _each(linear.transposed().push_forward, variables)
        blocks = [
            [
                _last_to_front(columns[j][i], x.ndim).reshape(*x.shape, *v.shape)
                for j, v in enumerate(variables)
            ]
            for i, x in enumerate(outputs)
        ]
        return _assembled(linear, blocks, several, has_aux)

    return jacobian


def hessian(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """The function that gives the Hessian of ``func``: all its second derivatives.

    It is ``jacrev(jacrev(func))``: the gradient, recorded once, and a backward pass through it for
    each element of the argument, all at once.

    Args:
        func: takes Tensors, or nested lists, tuples and dicts of them, and returns such; mostly
            one number.
        argnums: by which positional argument to differentiate, or by which several.

    Returns:
        A function that returns what the result of ``func`` is built like, each Tensor replaced
        twice by what the argument is built like.

    Raises:
        ArgumentTypeError, ArgumentError, DtypeError: as :func:`grad`.

    Reference: ``torch.func.hessian``.

    >>> hessian(lambda x: (x**3).sum())(Tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacrev(jacrev(func, argnums), argnums)


def _near(
    operation: str,
    func: Callable[..., Any],
    argnums: int | tuple[int, ...],
    has_aux: bool,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> tuple[Linear, bool]:
    """The function near its arguments, in those to differentiate by alone."""
    places = as_argnums(operation, argnums, len(args))

    def of_those(*chosen: Any) -> Any:
        return func(*replaced(args, places, chosen), **kwargs)

    linear = Linear(operation, of_those, tuple([args[i] for i in places]), has_aux)
    return linear, isinstance(argnums, tuple)


def _each(
    product: Callable[[list[Tensor | None]], list[Tensor]], like: Sequence[Tensor]
) -> list[Any]:
    """The products with every unit vector of the space of some tensors.

    Returns:
        For each of the tensors what ``product`` returns, its elements in front.
    """
    found = []
    for number, x in enumerate(like):

        def of_one(unit: Tensor, number: int = number) -> tuple[Tensor, ...]:
            return tuple(product([unit if i == number else None for i in range(len(like))]))

        if x.numel() == 1:
            # One vector needs no vmap.
            unit = Tensor(backend_of(x._data).ones_like(x._data))
            found.append([p.reshape(1, *p.shape) for p in of_one(unit)])
        else:
            found.append(list(vmap(of_one)(_units(x))))
    return found


def _units(x: Tensor) -> Tensor:
    """All unit vectors of the space of a tensor, one behind the other."""
    size = x.numel()
    units = np.eye(size, dtype=x.dtype).reshape(size, *x.shape)
    data = x._data
    while type(data) is Batched:
        data = data.value._data if isinstance(data.value, Tensor) else data.value
    return Tensor(backend_of(data).from_numpy(units))


def _last_to_front(x: Tensor, ndim: int) -> Tensor:
    """The first dimension put behind all others."""
    return permute(x, *range(1, ndim + 1), 0)


def _assembled(linear: Linear, blocks: list[list[Tensor]], several: bool, has_aux: bool) -> Any:
    """The Jacobians in the structure of the result, and each of the arguments in it."""
    trees = [unflatten(linear.variables.trees, linear.given_back(of_x)) for of_x in blocks]
    jacobian = unflatten(linear.result, [tuple(tree) if several else tree[0] for tree in trees])
    aux = linear.given_back(linear.aux)
    linear.variables.retire()
    return (jacobian, aux) if has_aux else jacobian
