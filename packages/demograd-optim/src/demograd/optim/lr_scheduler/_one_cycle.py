"""The one-cycle policy: one rise and one fall of the learning rate, against the momentum."""

from __future__ import annotations

import math
from typing import Any

from demograd.errors import ArgumentError
from demograd.interfaces import Optimizer
from demograd.optim.lr_scheduler._scheduler import LRScheduler, per_group, positive_integer

__all__ = ["OneCycleLR"]


class OneCycleLR(LRScheduler):
    """From a low rate up to ``max_lr`` and down to nearly nothing, over the whole training.

    ``lr`` goes from ``max_lr / div_factor`` to ``max_lr`` during the part ``pct_start`` of all
    steps, and to ``max_lr / div_factor / final_div_factor`` in the rest. The momentum, or the first
    beta, goes from ``max_momentum`` to ``base_momentum`` and back. Call ``step`` after each batch.

    Args:
        optimizer: any optimizer; its groups have ``momentum`` or ``betas`` if these are cycled.
        max_lr: the highest rate, one for all groups or for each.
        total_steps: how many steps there are, from 1 up.
        epochs, steps_per_epoch: the same as a product, if total_steps is not given.
        pct_start: the part of all steps in which the rate rises, from 0 to 1.
        anneal_strategy: ``"cos"`` or ``"linear"``.
        cycle_momentum: whether the momentum goes against the rate.
        base_momentum: the lowest momentum, one for all groups or for each.
        max_momentum: the highest one.
        div_factor: how many times lower than ``max_lr`` the first rate is.
        final_div_factor: how many times lower than the first the last one is.
        three_phase: fall back to the first rate in as many steps as it rose, then to the last.
        last_epoch: -1 to begin.

    Raises:
        ArgumentError: the number of steps is not given, a setting is out of its range, or momentum
            is to be cycled and the optimizer has none; from ``step``: all steps are done.

    Reference: Smith and Topin, "Super-convergence: very fast training of neural networks using
    large learning rates", 2017, arXiv:1708.07120.

    >>> import demograd as dg
    >>> from demograd.optim import SGD
    >>> optimizer = SGD([dg.zeros(1)], lr=0.1, momentum=0.9)
    >>> schedule = OneCycleLR(optimizer, max_lr=1.0, total_steps=10)
    >>> rates = []
    >>> for _ in range(10):
    ...     rates += schedule.get_last_lr()
    ...     optimizer.step()
    ...     schedule.step()
    >>> [round(rate, 2) for rate in rates]
    [0.04, 0.52, 1.0, 0.95, 0.81, 0.61, 0.39, 0.19, 0.05, 0.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        self.total_steps = self._count(total_steps, epochs, steps_per_epoch)
        if not 0 <= pct_start <= 1:
            raise ArgumentError(
                "OneCycleLR: pct_start is out of its range.",
                [f"pct_start: {pct_start!r}"],
                "It must be from 0 up to 1.",
            )
        if anneal_strategy not in ("cos", "linear"):
            raise ArgumentError(
                "OneCycleLR: the anneal_strategy is not known.",
                [f"anneal_strategy: {anneal_strategy!r}"],
                'It must be "cos" or "linear".',
            )
        self.anneal_strategy = anneal_strategy
        self.cycle_momentum = cycle_momentum
        # Each phase: its last step, then the names of what rate and momentum go from and to.
        rise = pct_start * self.total_steps - 1
        up = [rise, "initial_lr", "max_lr", "max_momentum", "base_momentum"]
        down = ["max_lr", "min_lr", "base_momentum", "max_momentum"]
        self._phases: list[list[Any]] = [up, [self.total_steps - 1, *down]]
        if three_phase:
            down = ["max_lr", "initial_lr", "base_momentum", "max_momentum"]
            out = ["initial_lr", "min_lr", "max_momentum", "max_momentum"]
            self._phases = [up, [2 * rise, *down], [self.total_steps - 1, *out]]
        if last_epoch == -1:
            highest = per_group(self, optimizer, "max_lr", max_lr)
            for group, rate in zip(optimizer.param_groups, highest, strict=True):
                group["max_lr"] = rate
                group["initial_lr"] = rate / div_factor
                group["min_lr"] = rate / div_factor / final_div_factor
            if cycle_momentum:
                self._add_momenta(optimizer, base_momentum, max_momentum)
        super().__init__(optimizer, last_epoch)

    def _count(self, total: int | None, epochs: int | None, steps_per_epoch: int | None) -> int:
        if total is not None:
            return positive_integer(self, "total_steps", total)
        if epochs is None or steps_per_epoch is None:
            raise ArgumentError(
                "OneCycleLR: the number of steps is not given.",
                mend="Give total_steps, or both epochs and steps_per_epoch.",
            )
        return positive_integer(self, "epochs", epochs) * positive_integer(
            self, "steps_per_epoch", steps_per_epoch
        )

    def _add_momenta(self, optimizer: Optimizer, base: Any, highest: Any) -> None:
        bases = per_group(self, optimizer, "base_momentum", base)
        maxima = per_group(self, optimizer, "max_momentum", highest)
        for place, group in enumerate(optimizer.param_groups):
            if "betas" not in group and "momentum" not in group:
                raise ArgumentError(
                    "OneCycleLR: the optimizer has no momentum that could be cycled.",
                    [f"group {place}: {', '.join(sorted(group))}"],
                    "OneCycleLR(optimizer, ..., cycle_momentum=False)",
                )
            group["base_momentum"] = bases[place]
            group["max_momentum"] = maxima[place]

    def get_lr(self) -> list[float]:
        if self.last_epoch > self.total_steps:
            raise ArgumentError(
                "OneCycleLR.step: all steps are done.",
                [f"total_steps: {self.total_steps}", f"this step: {self.last_epoch}"],
                "Give the schedule as many steps as the training has.",
            )
        ends = [0.0, *(phase[0] for phase in self._phases)]
        now = sum(self.last_epoch > end for end in ends[1:-1])  # how many phases are over
        start, end = ends[now : now + 2]
        done = (self.last_epoch - start) / (end - start) if end != start else 1.0
        _, from_lr, to_lr, from_momentum, to_momentum = self._phases[now]
        rates = []
        for group in self.optimizer.param_groups:
            rates.append(self._between(group[from_lr], group[to_lr], done))
            if self.cycle_momentum:
                momentum = self._between(group[from_momentum], group[to_momentum], done)
                if "betas" in group:
                    group["betas"] = (momentum, *group["betas"][1:])
                else:
                    group["momentum"] = momentum
        return rates

    def _between(self, start: float, end: float, done: float) -> float:
        if self.anneal_strategy == "linear":
            return start + (end - start) * done
        return end + (start - end) / 2.0 * (math.cos(math.pi * done) + 1)
