"""Lion: steps of one size in the direction of the sign of the momentum."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from demograd import Tensor, enable_grad, no_grad
from demograd.errors import ArgumentError, ArgumentTypeError, StateError
from demograd.interfaces import Optimizer

__all__ = ["Lion", "lion"]


def lion(
    xp: Any,
    x: Any,
    grad: Any,
    m: Any,
    *,
    lr: float,
    betas: tuple[float, float],
    weight_decay: float,
) -> tuple[Any, Any]:
    """The new parameter and momentum, as a pure function of arrays.

    ::

        c = beta1 m + (1 - beta1) grad
        x = x - lr (sign(c) + weight_decay x)
        m = beta2 m + (1 - beta2) grad
    """
    beta1, beta2 = betas
    c = beta1 * m + (1 - beta1) * grad
    return x - lr * (xp.sign(c) + weight_decay * x), beta2 * m + (1 - beta2) * grad


class Lion(Optimizer):
    """Steps of one size in the direction of the sign of the momentum; see :func:`lion`.

    Args:
        params: tensors, or dicts with ``params`` and settings of their own.
        lr: the size of a step, from 0 up; a third to a tenth of Adam's.
        betas: how much of the momentum the step and the next momentum keep, from 0 up, below 1.
        weight_decay: which part of each number is taken away, times ``lr``, from 0 up.

    Raises:
        ArgumentError: there are no parameters, one is there twice, or a number is out of its range.
        ArgumentTypeError: a parameter is no Tensor.

    Reference: Chen et al., "Symbolic discovery of optimization algorithms", 2023, arXiv:2302.06675,
    algorithm 2.

    >>> import demograd as dg
    >>> x = dg.tensor([1.0, -2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> Lion([x], lr=0.25).step()
    >>> x
    tensor([ 0.7500, -1.7500], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
    ) -> None:
        self.defaults: dict[str, Any] = {"lr": lr, "betas": betas, "weight_decay": weight_decay}
        self.param_groups: list[dict[str, Any]] = []
        self._momenta: dict[Tensor, Any] = {}
        given: list[Any] = list(params)
        if not given:
            raise ArgumentError("Lion: there are no parameters.", mend="Lion(model.parameters())")
        for group in given if isinstance(given[0], dict) else [{"params": given}]:
            self.add_param_group(group)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Optimize further parameters, with the defaults for settings that the group lacks."""
        params = param_group["params"]
        params = [params] if isinstance(params, Tensor) else list(params)
        group = {**self.defaults, **param_group, "params": params}
        known = {id(x) for other in self.param_groups for x in other["params"]}
        for x in params:
            if not isinstance(x, Tensor):
                raise ArgumentTypeError(
                    "Lion: a parameter is not a Tensor.", [f"it is a {type(x).__name__}"]
                )
            if id(x) in known:
                raise ArgumentError("Lion: a parameter is there twice.", [f"its shape: {x.shape}"])
            known.add(id(x))
        beta1, beta2 = group["betas"]
        for name, value, below in (
            ("lr", group["lr"], float("inf")),
            ("betas[0]", beta1, 1.0),
            ("betas[1]", beta2, 1.0),
            ("weight_decay", group["weight_decay"], float("inf")),
        ):
            if not 0 <= value < below:
                raise ArgumentError(f"Lion: {name} is out of its range.", [f"{name}: {value!r}"])
        self.param_groups.append(group)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change each parameter that has a gradient; return what ``closure`` returned."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for group in self.param_groups:
            settings = {name: group[name] for name in self.defaults}
            for x in group["params"]:
                if x.grad is None:
                    continue
                xp = x.data.__array_namespace__()
                m = self._momenta[x] if x in self._momenta else xp.zeros_like(x.data)
                new, self._momenta[x] = lion(xp, x.data, x.grad.data, m, **settings)
                with no_grad():
                    x.copy_(Tensor(new))  # in its own memory, and the engine hears of it
        return loss

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, or fill them with zeros."""
        for group in self.param_groups:
            for x in group["params"]:
                x.grad = None if set_to_none or x.grad is None else x.grad.detach().zero_()

    def state_dict(self) -> dict[str, Any]:
        """The momenta by the parameters' numbers, and the groups with numbers for parameters."""
        params = [x for group in self.param_groups for x in group["params"]]
        numbers = {x: place for place, x in enumerate(params)}
        return {
            # A step makes new momenta and leaves these alone: no copies are needed.
            "state": {numbers[x]: {"exp_avg": Tensor(m)} for x, m in self._momenta.items()},
            "param_groups": [
                {**group, "params": [numbers[x] for x in group["params"]]}
                for group in self.param_groups
            ],
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from what ``state_dict`` gave.

        Raises:
            StateError: it is of other groups, other parameters or another optimizer; nothing is
                changed then.
        """
        saved = state_dict["param_groups"]
        counts = [len(group["params"]) for group in saved]
        present = [len(group["params"]) for group in self.param_groups]
        if counts != present:
            raise StateError(
                "Lion.load_state_dict: the state belongs to other groups of parameters.",
                [f"parameters saved: {counts}", f"parameters present: {present}"],
            )
        params = [x for group in self.param_groups for x in group["params"]]
        momenta: dict[Tensor, Any] = {}
        for number, kept in state_dict["state"].items():
            x = params[int(number)]  # JSON makes strings of the numbers
            m = kept.get("exp_avg")
            if m is None or tuple(m.shape) != x.shape:
                raise StateError(
                    "Lion.load_state_dict: the state does not fit its parameter.",
                    [
                        f"parameter {number}: shape {x.shape}",
                        f"exp_avg: {getattr(m, 'shape', None)}",
                    ],
                )
            momenta[x] = Tensor(m, dtype=x.dtype).data
        for group, old in zip(self.param_groups, saved, strict=True):
            group.update({**old, "betas": tuple(old["betas"]), "params": group["params"]})
        self._momenta = momenta
