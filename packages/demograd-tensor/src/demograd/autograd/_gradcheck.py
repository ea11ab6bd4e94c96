"""Derivative rules against finite differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from demograd._tensor import Tensor
from demograd.autograd._engine import as_tuple, grad
from demograd.errors import ArgumentError, GradientError

__all__ = ["gradcheck", "gradgradcheck"]


def gradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """Compare the derivatives of ``func`` with central differences, element by element.

    ``(f(x + eps) - f(x - eps)) / (2 eps)`` has an error of the order of ``eps**2``, so the inputs
    must be float64.

    Args:
        func: takes the inputs, returns a Tensor or a tuple of them.
        inputs: those that require gradients are checked; float64.
        eps: the step.
        atol, rtol: how far the two may differ.
        raise_exception: raise where they do; else return False.

    Raises:
        GradientError: a derivative is wrong.
        ArgumentError: nothing to check, or an input is not float64.

    >>> x = Tensor([1.0, 2.0], dtype="float64", requires_grad=True)
    >>> gradcheck(lambda x: x * x, x)
    True
    """
    given = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    checked = [i for i, x in enumerate(given) if isinstance(x, Tensor) and x.requires_grad]
    if not checked:
        raise ArgumentError("gradcheck: no input requires a gradient.")
    for i in checked:
        if given[i].dtype != np.float64:
            raise ArgumentError(
                f"gradcheck: input {i} is {given[i].dtype}; finite differences need float64.",
                mend="x.double() before requires_grad_().",
            )
    outputs = as_tuple(func(*given))
    for number, out in enumerate(outputs):
        if not out.requires_grad:
            continue
        analytic = _analytic(out, [given[i] for i in checked])
        for i, by_rule in zip(checked, analytic, strict=True):
            by_difference = _numeric(func, given, i, number, eps)
            if not np.allclose(by_rule, by_difference, rtol=rtol, atol=atol, equal_nan=True):
                if not raise_exception:
                    return False
                worst = np.unravel_index(
                    np.nanargmax(np.abs(by_rule - by_difference)), by_rule.shape
                )
                raise GradientError(
                    f"gradcheck: the derivative of output {number} by input {i} is wrong.",
                    [
                        f"worst at output element {worst[0]}, input element {worst[1]}",
                        f"by the rule: {by_rule[worst]:.8g}",
                        f"by differences: {by_difference[worst]:.8g}",
                    ],
                    "Look at that operation's backward.",
                )
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    grad_outputs: Sequence[Tensor] | None = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """Compare second derivatives with central differences of the first.

    The function checked is the gradient itself: from the inputs and random gradients of the
    outputs to the gradients of the inputs.

    Raises:
        GradientError: a second derivative is wrong.

    >>> x = Tensor([1.0, 2.0], dtype="float64", requires_grad=True)
    >>> gradgradcheck(lambda x: x**3, x)
    True
    """
    given = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    checked = [i for i, x in enumerate(given) if isinstance(x, Tensor) and x.requires_grad]
    outputs = [out for out in as_tuple(func(*given)) if out.requires_grad]
    if grad_outputs is None:
        draw = np.random.default_rng(0)
        grad_outputs = [
            Tensor(draw.standard_normal(out.shape), requires_grad=True) for out in outputs
        ]

    def first(*args: Any) -> tuple[Tensor, ...]:
        xs, seeds = args[: len(given)], args[len(given) :]
        outs = [out for out in as_tuple(func(*xs)) if out.requires_grad]
        wanted = [xs[i] for i in checked]
        found = grad(outs, wanted, seeds, create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None)

    return gradcheck(
        first,
        (*given, *grad_outputs),
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
    )


def _analytic(out: Tensor, inputs: list[Tensor]) -> list[Any]:
    """The Jacobian by each input, (outputs, inputs), a row for each output element."""
    rows: list[list[Any]] = [[] for _ in inputs]
    for element in range(out.numel()):
        seed = np.zeros(out.numel())
        seed[element] = 1.0
        found = grad(
            out,
            inputs,
            Tensor(seed.reshape(out.shape)),
            retain_graph=True,
            materialize_grads=True,
        )
        for row, gradient in zip(rows, found, strict=True):
            assert gradient is not None
            row.append(np.asarray(gradient.detach().data).reshape(-1))
    return [
        np.stack(row) if row else np.zeros((0, x.numel()))
        for row, x in zip(rows, inputs, strict=True)
    ]


def _numeric(func: Any, given: tuple[Any, ...], i: int, number: int, eps: float) -> Any:
    """The same Jacobian by central differences."""
    base = np.array(given[i].detach().data)
    columns = []

    def at(values: Any) -> Any:
        x = Tensor(values.reshape(base.shape), requires_grad=True)
        out = as_tuple(func(*given[:i], x, *given[i + 1 :]))[number]
        return np.array(out.detach().data).reshape(-1)

    for element in range(base.size):
        step = np.zeros(base.size)
        step[element] = eps
        flat = base.reshape(-1)
        columns.append((at(flat + step) - at(flat - step)) / (2 * eps))
    if not columns:
        return np.zeros((at(base.reshape(-1)).size, 0))
    return np.stack(columns, axis=1)
