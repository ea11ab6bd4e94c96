"""Schedules that multiply the learning rate by a factor when its time has come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import FunctionType
from typing import Any

from demograd.errors import ArgumentError
from demograd.interfaces import Optimizer
from demograd.optim.lr_scheduler._scheduler import (
    LRScheduler,
    check_state,
    per_group,
    positive_integer,
)

__all__ = ["ConstantLR", "ExponentialLR", "LambdaLR", "LinearLR", "MultiStepLR", "StepLR"]


class StepLR(LRScheduler):
    """The rate times ``gamma``, every ``step_size`` epochs.

    ``lr(t) = lr(0) * gamma ** (t // step_size)``

    Args:
        optimizer: any optimizer.
        step_size: epochs between two changes, from 1 up.
        gamma: the factor.
        last_epoch: -1 to begin.

    Raises:
        ArgumentError: step_size is not a whole number from 1 up.

    >>> import demograd as dg
    >>> from demograd.optim import SGD
    >>> optimizer = SGD([dg.zeros(1)], lr=0.8)
    >>> schedule = StepLR(optimizer, step_size=2, gamma=0.5)
    >>> rates = []
    >>> for _ in range(5):
    ...     rates += schedule.get_last_lr()
    ...     optimizer.step()
    ...     schedule.step()
    >>> rates
    [0.8, 0.8, 0.4, 0.4, 0.2]
    """

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.step_size = positive_integer(self, "step_size", step_size)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        due = self.last_epoch > 0 and self.last_epoch % self.step_size == 0
        return self._scaled(self.gamma if due else 1.0)


class MultiStepLR(LRScheduler):
    """The rate times ``gamma``, at each of the milestones.

    ``lr(t) = lr(0) * gamma ** (how many milestones are <= t)``

    Args:
        optimizer: any optimizer.
        milestones: epochs; one that is there twice counts twice.
        gamma: the factor.
        last_epoch: -1 to begin.

    >>> import demograd as dg
    >>> from demograd.optim import SGD
    >>> optimizer = SGD([dg.zeros(1)], lr=0.8)
    >>> schedule = MultiStepLR(optimizer, milestones=[1, 3], gamma=0.5)
    >>> rates = []
    >>> for _ in range(5):
    ...     rates += schedule.get_last_lr()
    ...     optimizer.step()
    ...     schedule.step()
    >>> rates
    [0.8, 0.4, 0.4, 0.2, 0.2]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        self.milestones = sorted(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        times = self.milestones.count(self.last_epoch)
        return self._scaled(self.gamma**times)


class ExponentialLR(LRScheduler):
    """The rate times ``gamma``, every epoch: ``lr(t) = lr(0) * gamma**t``.

    Args:
        optimizer: any optimizer.
        gamma: the factor.
        last_epoch: -1 to begin.

    >>> import demograd as dg
    >>> from demograd.optim import SGD
    >>> optimizer = SGD([dg.zeros(1)], lr=0.8)
    >>> schedule = ExponentialLR(optimizer, gamma=0.5)
    >>> optimizer.step()
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.4]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return self._scaled(self.gamma if self.last_epoch > 0 else 1.0)


class ConstantLR(LRScheduler):
    """The rate times ``factor`` for the first ``total_iters`` epochs.

    Args:
        optimizer: any optimizer.
        factor: from 0 to 1.
        total_iters: when the rate becomes the optimizer's own.
        last_epoch: -1 to begin.

    Raises:
        ArgumentError: factor is not between 0 and 1.

    >>> import demograd as dg
    >>> from demograd.optim import SGD
    >>> schedule = ConstantLR(SGD([dg.zeros(1)], lr=0.8), factor=0.5)
    >>> schedule.get_last_lr()
    [0.4]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1.0 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        _check_fraction(self, "factor", factor)
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch == 0:
            return self._scaled(self.factor)
        if self.last_epoch != self.total_iters:
            return self._rates()
        # Nothing brings a rate of zero back.
        return self._scaled(1.0 / self.factor) if self.factor else list(self.base_lrs)


class LinearLR(LRScheduler):
    """The rate times a factor that goes evenly from one value to another.

    ``lr(t) = lr(0) * (start_factor + (end_factor - start_factor) * min(t / total_iters, 1))``

    Args:
        optimizer: any optimizer.
        start_factor: above 0, up to 1.
        end_factor: from 0 to 1.
        total_iters: when the end is reached, from 1 up.
        last_epoch: -1 to begin.

    Raises:
        ArgumentError: a factor is out of its range, or total_iters is not from 1 up.

    >>> import demograd as dg
    >>> from demograd.optim import SGD
    >>> optimizer = SGD([dg.zeros(1)], lr=0.8)
    >>> schedule = LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> rates = []
    >>> for _ in range(4):
    ...     rates += schedule.get_last_lr()
    ...     optimizer.step()
    ...     schedule.step()
    >>> [round(rate, 12) for rate in rates]
    [0.4, 0.6, 0.8, 0.8]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        _check_fraction(self, "start_factor", start_factor, positive=True)
        _check_fraction(self, "end_factor", end_factor)
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = positive_integer(self, "total_iters", total_iters)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch == 0:
            return self._scaled(self.start_factor)
        if self.last_epoch > self.total_iters:
            return self._rates()
        # From the factor before to this one, both times total_iters.
        change = self.end_factor - self.start_factor
        before = self.total_iters * self.start_factor + (self.last_epoch - 1) * change
        return self._scaled(1.0 + change / before)


class LambdaLR(LRScheduler):
    """The first rate times a function of the epoch: ``lr(t) = lr(0) * lr_lambda(t)``.

    Args:
        optimizer: any optimizer.
        lr_lambda: a function of the epoch, or one for each group.
        last_epoch: -1 to begin.

    Raises:
        ArgumentError: there are functions, but not one for each group.

    >>> import demograd as dg
    >>> from demograd.optim import SGD
    >>> optimizer = SGD([dg.zeros(1)], lr=0.8)
    >>> schedule = LambdaLR(optimizer, lambda epoch: 1 / (1 + epoch))
    >>> optimizer.step()
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.4]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | list[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        self.lr_lambdas: list[Callable[[int], float]] = per_group(
            self, optimizer, "lr_lambda", lr_lambda
        )
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return [
            base * function(self.last_epoch)
            for base, function in zip(self.base_lrs, self.lr_lambdas, strict=True)
        ]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer; of the functions, the attributes of callable objects."""
        saved = [
            None if isinstance(function, FunctionType) else dict(getattr(function, "__dict__", {}))
            for function in self.lr_lambdas
        ]
        return {**super().state_dict(), "lr_lambdas": saved}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        check_state(self, state_dict, self.state_dict())
        super().load_state_dict({**state_dict, "lr_lambdas": self.lr_lambdas})
        for function, saved in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=True):
            if saved:
                vars(function).update(saved)


def _check_fraction(schedule: Any, name: str, value: float, positive: bool = False) -> None:
    if not 0 <= value <= 1 or (positive and value == 0):
        raise ArgumentError(
            f"{type(schedule).__name__}: {name} is out of its range.",
            [f"{name}: {value!r}"],
            f"It must be {'above' if positive else 'from'} 0{',' if positive else ''} up to 1.",
        )
