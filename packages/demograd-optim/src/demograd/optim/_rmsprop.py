"""RMSprop."""

from __future__ import annotations

from typing import Any

from demograd import Tensor
from demograd.optim._groups import ParamsT
from demograd.optim._optimizer import Optimizer
from demograd.optim._settings import check_number, number

__all__ = ["RMSprop"]


class RMSprop(Optimizer):
    """Gradients divided by the root of the running mean of their squares.

    ::

        g = grad + weight_decay x                 (grad = -grad if maximize)
        v = alpha v + (1 - alpha) g**2
        s = sqrt(v) + eps                         (sqrt(v - a**2) + eps if centered,
                                                   with a = alpha a + (1 - alpha) g)
        x = x - lr g / s                          (with momentum: b = momentum b + g / s
                                                   and x = x - lr b)

    Args:
        params: tensors, groups, or pairs of name and tensor; see :class:`Optimizer`.
        lr: the learning rate, from 0 up.
        alpha: how much of the mean is kept at each step, from 0 up; below 1 to be of use.
        eps: keeps the division finite, from 0 up; outside of the root, as in PyTorch.
        weight_decay: the factor of the penalty ``weight_decay / 2 * x**2``, from 0 up.
        momentum: how much of the last step is kept, from 0 up.
        centered: divide by an estimate of the standard deviation.
        maximize: climb instead.

    Raises:
        ArgumentError: a number is out of its range.

    Reference: Tieleman and Hinton, "Neural networks for machine learning", lecture 6.5, 2012;
    Graves, "Generating sequences with recurrent neural networks", 2013, arXiv:1308.0850 (centered).

    >>> import demograd as dg
    >>> x = dg.tensor([1.0, -2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> RMSprop([x], lr=0.25, alpha=0.0).step()
    >>> x
    tensor([ 0.7500, -1.7500], requires_grad=True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def check_settings(self, group: dict[str, Any]) -> None:
        for name in ("lr", "alpha", "eps", "weight_decay", "momentum"):
            check_number(self._name, name, group[name])

    def initial_state(self, group: dict[str, Any]) -> dict[str, float | None]:
        momentum = {"momentum_buffer": 0.0} if number(group["momentum"]) else {}
        mean = {"grad_avg": 0.0} if group["centered"] else {}
        return {"step": 0, "square_avg": 0.0, **momentum, **mean}

    @staticmethod
    def rule(
        xp: Any,
        x: Any,
        grad: Any,
        v: Any,
        *others: Any,
        lr: float,
        alpha: float,
        eps: float,
        weight_decay: float,
        momentum: float,
        centered: bool,
        maximize: bool,
    ) -> tuple[Any, ...]:
        """The new parameter and mean square, then the momentum and the mean if there are."""
        buffer: Any = others[0] if momentum else None
        mean: Any = others[-1] if centered else None
        if maximize:
            grad = -grad
        if weight_decay:
            grad = grad + weight_decay * x
        v = alpha * v + (1 - alpha) * (grad * grad)
        kept = [v]
        variance = v
        if centered:
            mean = alpha * mean + (1 - alpha) * grad
            variance = v - mean * mean
        direction = grad / (xp.sqrt(variance) + eps)
        if momentum:
            direction = buffer = momentum * buffer + direction
            kept.append(buffer)
        if centered:
            kept.append(mean)
        return (x - lr * direction, *kept)
