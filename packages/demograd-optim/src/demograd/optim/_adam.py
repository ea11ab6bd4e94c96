"""Adam, and AdamW, which decays the weights apart from the gradient."""

from __future__ import annotations

from typing import Any

from demograd import Tensor
from demograd.errors import ArgumentTypeError
from demograd.optim._groups import ParamsT
from demograd.optim._optimizer import Optimizer
from demograd.optim._settings import check_number, number

__all__ = ["Adam", "AdamW"]


class Adam(Optimizer):
    """Steps scaled by running means of the gradient and of its square.

    ::

        g = grad + weight_decay x                       (grad = -grad if maximize)
        m = beta1 m + (1 - beta1) g
        v = beta2 v + (1 - beta2) g**2
        x = x - lr m̂ / (sqrt(v̂) + eps),   m̂ = m / (1 - beta1**t),   v̂ = v / (1 - beta2**t)

    where t is the number of the step, from 1. With amsgrad, the largest v so far stands for v in
    the last line.

    Args:
        params: tensors, groups, or pairs of name and tensor; see :class:`Optimizer`.
        lr: the learning rate, from 0 up: about the largest change of a number in one step.
        betas: how much of the two means is kept at each step, from 0 up and below 1.
        eps: keeps the division finite, from 0 up.
        weight_decay: the factor of the penalty ``weight_decay / 2 * x**2``, from 0 up.
        amsgrad: never let the scale shrink.
        maximize: climb instead.
        decoupled_weight_decay: shrink x by ``lr * weight_decay`` instead, as AdamW does.

    Raises:
        ArgumentError: a number is out of its range.

    Reference: Kingma and Ba, "Adam: a method for stochastic optimization", 2014, arXiv:1412.6980;
    Reddi, Kale and Kumar, "On the convergence of Adam and beyond", 2018 (amsgrad).

    >>> import demograd as dg
    >>> x = dg.tensor([1.0, -2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> Adam([x], lr=0.25).step()
    >>> x
    tensor([ 0.7500, -1.7500], requires_grad=True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def check_settings(self, group: dict[str, Any]) -> None:
        for name in ("lr", "eps", "weight_decay"):
            check_number(self._name, name, group[name])
        betas = group["betas"]
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            raise ArgumentTypeError(
                f"{self._name}: betas are not two numbers.",
                [f"betas: {betas!r}"],
                "betas=(0.9, 0.999)",
            )
        group["betas"] = tuple(number(beta) for beta in betas)
        for place, beta in enumerate(betas):
            check_number(self._name, f"betas[{place}]", beta, below=1.0)

    def initial_state(self, group: dict[str, Any]) -> dict[str, float | None]:
        largest = {"max_exp_avg_sq": 0.0} if group["amsgrad"] else {}
        return {"step": 0, "exp_avg": 0.0, "exp_avg_sq": 0.0, **largest}

    @staticmethod
    def rule(
        xp: Any,
        x: Any,
        grad: Any,
        m: Any,
        v: Any,
        v_max: Any = None,
        *,
        step: int,
        lr: float,
        betas: tuple[float, float],
        eps: float,
        weight_decay: float,
        amsgrad: bool,
        maximize: bool,
        decoupled_weight_decay: bool,
    ) -> tuple[Any, ...]:
        """The new parameter and means, and with amsgrad the largest second one."""
        beta1, beta2 = betas
        if maximize:
            grad = -grad
        if weight_decay and decoupled_weight_decay:
            x = x * (1 - lr * weight_decay)
        elif weight_decay:
            grad = grad + weight_decay * x
        m = beta1 * m + (1 - beta1) * grad
        v = beta2 * v + (1 - beta2) * (grad * grad)
        v_max = xp.maximum(v_max, v) if amsgrad else v
        # Both corrections are numbers. Multiplied through by sqrt(1 - beta2**t), as the end of the
        # paper's section 2 has it, they cost no operation on arrays.
        root = (1 - beta2**step) ** 0.5
        rate = lr * root / (1 - beta1**step)
        x = x - rate * (m / (xp.sqrt(v_max) + eps * root))
        return (x, m, v, v_max) if amsgrad else (x, m, v)


class AdamW(Adam):
    """Adam whose weight decay is apart from the gradient and its scale.

    ::

        x = x - lr weight_decay x
        x = Adam's step without weight decay

    Args:
        params: tensors, groups, or pairs of name and tensor; see :class:`Optimizer`.
        lr: the learning rate, from 0 up: about the largest change of a number in one step.
        betas: how much of the two means is kept at each step, from 0 up and below 1.
        eps: keeps the division finite, from 0 up.
        weight_decay: which part of each number is taken away, times ``lr``, from 0 up.
        amsgrad: never let the scale shrink.
        maximize: climb instead.

    Raises:
        ArgumentError: a number is out of its range.

    Reference: Loshchilov and Hutter, "Decoupled weight decay regularization", 2017,
    arXiv:1711.05101.

    >>> import demograd as dg
    >>> x = dg.tensor([1.0, -2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> AdamW([x], lr=0.25, weight_decay=0.4).step()
    >>> x
    tensor([ 0.6500, -1.5500], requires_grad=True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            maximize=maximize,
            decoupled_weight_decay=True,
        )

    def check_settings(self, group: dict[str, Any]) -> None:
        super().check_settings(group)
        group["decoupled_weight_decay"] = True  # whatever a state says that Adam has saved
