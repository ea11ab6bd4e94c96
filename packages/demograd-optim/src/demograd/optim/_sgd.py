"""Stochastic gradient descent."""

from __future__ import annotations

from typing import Any

from demograd import Tensor
from demograd.errors import ArgumentError
from demograd.optim._groups import ParamsT
from demograd.optim._optimizer import Optimizer
from demograd.optim._settings import check_number, number

__all__ = ["SGD"]


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum or Nesterov's momentum if wanted.

    ::

        g = grad + weight_decay x                 (grad = -grad if maximize)
        b = momentum b + (1 - dampening) g        (b = g at the first step)
        x = x - lr b                              (plain, or with momentum)
        x = x - lr (g + momentum b)               (with nesterov)

    Args:
        params: tensors, groups, or pairs of name and tensor; see :class:`Optimizer`.
        lr: the learning rate, from 0 up.
        momentum: how much of the last step is kept, from 0 up; usually 0.9.
        dampening: how much of the gradient is left out of the momentum.
        weight_decay: the factor of the penalty ``weight_decay / 2 * x**2``, from 0 up.
        nesterov: look ahead by one momentum step.
        maximize: climb instead.

    Raises:
        ArgumentError: a number is out of its range, or nesterov has no momentum, or dampening.

    Reference: Robbins and Monro, "A stochastic approximation method", 1951; Sutskever, Martens,
    Dahl and Hinton, "On the importance of initialization and momentum in deep learning", 2013.

    >>> import demograd as dg
    >>> x = dg.tensor([1.0, -2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> SGD([x], lr=0.25).step()
    >>> x
    tensor([ 0.5000, -1.0000], requires_grad=True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def check_settings(self, group: dict[str, Any]) -> None:
        for name in ("lr", "momentum", "weight_decay"):
            check_number(self._name, name, group[name])
        check_number(self._name, "dampening", group["dampening"], low=float("-inf"))
        if group["nesterov"] and (group["momentum"] == 0 or group["dampening"] != 0):
            raise ArgumentError(
                f"{self._name}: nesterov needs a momentum, and no dampening.",
                [f"momentum: {group['momentum']!r}", f"dampening: {group['dampening']!r}"],
                f"{self._name}(params, momentum=0.9, nesterov=True)",
            )

    def initial_state(self, group: dict[str, Any]) -> dict[str, float | None]:
        return {"momentum_buffer": None} if number(group["momentum"]) else {}

    @staticmethod
    def rule(
        xp: Any,
        x: Any,
        grad: Any,
        buffer: Any = None,
        *,
        lr: float,
        momentum: float,
        dampening: float,
        weight_decay: float,
        nesterov: bool,
        maximize: bool,
    ) -> tuple[Any, ...]:
        """The new parameter, and the new momentum if there is one."""
        if maximize:
            grad = -grad
        if weight_decay:
            grad = grad + weight_decay * x
        if not momentum:
            return (x - lr * grad,)
        if buffer is None:
            buffer = grad
        elif dampening:
            buffer = momentum * buffer + (1 - dampening) * grad
        else:
            buffer = momentum * buffer + grad
        direction = grad + momentum * buffer if nesterov else buffer
        return x - lr * direction, buffer
