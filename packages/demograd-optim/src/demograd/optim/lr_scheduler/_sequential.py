"""One schedule after another."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from demograd.errors import ArgumentError, ArgumentTypeError
from demograd.interfaces import Optimizer
from demograd.optim.lr_scheduler._plateau import ReduceLROnPlateau
from demograd.optim.lr_scheduler._scheduler import LRScheduler, check_state

__all__ = ["SequentialLR"]


class SequentialLR(LRScheduler):
    """Several schedules in turn; each begins from the optimizer's first rate when its turn comes.

    Args:
        optimizer: the optimizer of all of them.
        schedulers: the schedules.
        milestones: the epochs at which the second and the following ones begin.
        last_epoch: -1 to begin.

    Raises:
        ArgumentError: there is none, the milestones are not one fewer, or one is another
            optimizer's.
        ArgumentTypeError: one is no LRScheduler, or a ReduceLROnPlateau, whose step takes a metric.

    >>> import demograd as dg
    >>> from demograd.optim import SGD
    >>> from demograd.optim.lr_scheduler import ExponentialLR, LinearLR
    >>> optimizer = SGD([dg.zeros(1)], lr=0.8)
    >>> warm_up = LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> schedule = SequentialLR(optimizer, [warm_up, ExponentialLR(optimizer, 0.5)], milestones=[2])
    >>> rates = []
    >>> for _ in range(5):
    ...     rates += schedule.get_last_lr()
    ...     optimizer.step()
    ...     schedule.step()
    >>> [round(rate, 12) for rate in rates]
    [0.4, 0.6, 0.8, 0.4, 0.2]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[LRScheduler],
        milestones: Sequence[int],
        last_epoch: int = -1,
    ) -> None:
        given: Sequence[Any] = schedulers
        for place, scheduler in enumerate(given):
            if not isinstance(scheduler, LRScheduler) or isinstance(scheduler, ReduceLROnPlateau):
                raise ArgumentTypeError(
                    "SequentialLR: one of the schedules is none that step() moves on.",
                    [f"schedulers[{place}]: {type(scheduler).__name__}"],
                    "Give schedules whose step() takes no argument.",
                )
            if scheduler.optimizer is not optimizer:
                raise ArgumentError(
                    "SequentialLR: one of the schedules belongs to another optimizer.",
                    [f"schedulers[{place}]: {type(scheduler).__name__}"],
                    "Make all of them with the same optimizer.",
                )
        if not schedulers or len(milestones) != len(schedulers) - 1:
            raise ArgumentError(
                "SequentialLR: there must be one milestone fewer than schedules.",
                [f"schedules: {len(schedulers)}", f"milestones: {len(milestones)}"],
                "Each milestone is the epoch at which the next schedule begins.",
            )
        self.optimizer = optimizer
        self._schedulers = list(schedulers)
        self._milestones = list(milestones)
        self.base_lrs = self._schedulers[0].base_lrs
        self._step_count = 1
        self._restart()
        self.last_epoch = last_epoch + 1

    def _restart(self) -> None:
        # All have made their first step, on top of one another: only the first one's is to stand.
        for scheduler in self._schedulers:
            scheduler.last_epoch = -1
        self.last_epoch = 0
        self._follow(self._schedulers[bisect_right(self._milestones, 0)], restart=True)

    def _follow(self, scheduler: LRScheduler, restart: bool) -> None:
        if restart:
            scheduler._restart()
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()

    def step(self) -> None:
        """Go on to the next epoch of the schedule whose turn it is."""
        self.last_epoch += 1
        turn = bisect_right(self._milestones, self.last_epoch)
        begins = turn > 0 and self._milestones[turn - 1] == self.last_epoch
        self._follow(self._schedulers[turn], restart=begins)

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer, with the state of each schedule."""
        saved = [scheduler.state_dict() for scheduler in self._schedulers]
        return {**super().state_dict(), "_schedulers": saved}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        check_state(self, state_dict, self.state_dict())
        saved = state_dict["_schedulers"]
        for scheduler, state in zip(self._schedulers, saved, strict=True):
            check_state(scheduler, state, scheduler.state_dict())
        super().load_state_dict({**state_dict, "_schedulers": self._schedulers})
        for scheduler, state in zip(self._schedulers, saved, strict=True):
            scheduler.load_state_dict(state)
