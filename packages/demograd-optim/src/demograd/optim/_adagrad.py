"""Adagrad."""

from __future__ import annotations

from typing import Any

from demograd import Tensor
from demograd.optim._groups import ParamsT
from demograd.optim._optimizer import Optimizer
from demograd.optim._settings import check_number

__all__ = ["Adagrad"]


class Adagrad(Optimizer):
    """Gradients divided by the root of the sum of all their squares so far.

    ::

        g = grad + weight_decay x                 (grad = -grad if maximize)
        s = s + g**2
        x = x - lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps)

    where t is the number of the step, from 1.

    Args:
        params: tensors, groups, or pairs of name and tensor; see :class:`Optimizer`.
        lr: the learning rate, from 0 up.
        lr_decay: how fast the learning rate falls, from 0 up.
        weight_decay: the factor of the penalty ``weight_decay / 2 * x**2``, from 0 up.
        initial_accumulator_value: s before the first step, from 0 up.
        eps: keeps the division finite, from 0 up.
        maximize: climb instead.

    Raises:
        ArgumentError: a number is out of its range.

    Reference: Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and
    stochastic optimization", Journal of Machine Learning Research 12, 2011.

    >>> import demograd as dg
    >>> x = dg.tensor([1.0, -2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> Adagrad([x], lr=0.25).step()
    >>> x
    tensor([ 0.7500, -1.7500], requires_grad=True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def check_settings(self, group: dict[str, Any]) -> None:
        for name in ("lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps"):
            check_number(self._name, name, group[name])

    def initial_state(self, group: dict[str, Any]) -> dict[str, float | None]:
        return {"step": 0, "sum": group["initial_accumulator_value"]}

    @staticmethod
    def rule(
        xp: Any,
        x: Any,
        grad: Any,
        total: Any,
        *,
        step: int,
        lr: float,
        lr_decay: float,
        weight_decay: float,
        eps: float,
        maximize: bool,
    ) -> tuple[Any, ...]:
        """The new parameter and sum of squares."""
        if maximize:
            grad = -grad
        if weight_decay:
            grad = grad + weight_decay * x
        total = total + grad * grad
        rate = lr / (1 + (step - 1) * lr_decay)
        return x - rate * (grad / (xp.sqrt(total) + eps)), total
