"""A schedule that watches a metric."""

from __future__ import annotations

import math
from typing import SupportsFloat

from demograd.errors import ArgumentError
from demograd.interfaces import Optimizer
from demograd.optim._settings import number
from demograd.optim.lr_scheduler._scheduler import (
    LRScheduler,
    check_optimizer,
    per_group,
    set_number,
)

__all__ = ["ReduceLROnPlateau"]


class ReduceLROnPlateau(LRScheduler):
    """The rate times ``factor`` when a metric has not improved for more than ``patience`` epochs.

    Better than the best so far means, for ``mode="min"`` and a positive metric, below
    ``best * (1 - threshold)``, or below ``best - threshold`` with ``threshold_mode="abs"``.

    Args:
        optimizer: any optimizer.
        mode: ``"min"`` for a loss, ``"max"`` for an accuracy.
        factor: below 1.
        patience: how many epochs without progress are borne.
        threshold: how much better is better.
        threshold_mode: ``"rel"`` or ``"abs"``.
        cooldown: how many epochs after a change do not count.
        min_lr: the lowest rate, one for all groups or for each.
        eps: smaller changes of the rate are not made.

    Raises:
        ArgumentError: factor is not below 1, or a mode is not known.

    >>> import demograd as dg
    >>> from demograd.optim import SGD
    >>> optimizer = SGD([dg.zeros(1)], lr=0.8)
    >>> schedule = ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    >>> for loss in (3.0, 2.0, 2.0, 2.0):
    ...     schedule.step(loss)
    >>> schedule.get_last_lr()
    [0.4]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        check_optimizer(self, optimizer)
        if not factor < 1:
            raise ArgumentError(
                "ReduceLROnPlateau: factor is not below 1.",
                [f"factor: {factor!r}"],
                "The rate is multiplied by it, and is to fall.",
            )
        for name, value, known in (
            ("mode", mode, ("min", "max")),
            ("threshold_mode", threshold_mode, ("rel", "abs")),
        ):
            if value not in known:
                raise ArgumentError(
                    f"ReduceLROnPlateau: the {name} is not known.",
                    [f"{name}: {value!r}"],
                    f'It must be "{known[0]}" or "{known[1]}".',
                )
        self.optimizer = optimizer
        self.mode = mode
        self.factor = factor
        self.patience = patience
        self.threshold = threshold
        self.threshold_mode = threshold_mode
        self.cooldown = cooldown
        self.min_lrs = per_group(self, optimizer, "min_lr", min_lr)
        self.eps = eps
        self.best = math.inf if mode == "min" else -math.inf
        self.cooldown_counter = 0
        self.num_bad_epochs = 0
        self.last_epoch = 0
        self._last_lr = self._rates()

    def step(self, metrics: SupportsFloat) -> None:  # type: ignore[override]
        """Look at the metric of this epoch: a number, or a tensor of one element."""
        current = float(metrics)
        self.last_epoch += 1
        if self._is_better(current):
            self.best = current
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._last_lr = self._rates()

    @property
    def in_cooldown(self) -> bool:
        """Whether epochs without progress do not count at present."""
        return self.cooldown_counter > 0

    def _is_better(self, current: float) -> bool:
        sign = -1 if self.mode == "min" else 1
        if self.threshold_mode == "rel":
            return sign * current > sign * self.best * (1 + sign * self.threshold)
        return sign * current > sign * self.best + self.threshold

    def _reduce(self) -> None:
        groups = self.optimizer.param_groups
        # Groups that were added since have the lowest rate of the last one.
        lowest = self.min_lrs + self.min_lrs[-1:] * (len(groups) - len(self.min_lrs))
        for group, least in zip(groups, lowest, strict=True):
            old = number(group["lr"])
            new = max(old * self.factor, least)
            if old - new > self.eps:
                set_number(group, "lr", new)
