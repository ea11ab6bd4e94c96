"""Schedules that follow a cosine, with and without restarts."""

from __future__ import annotations

import math

from demograd.errors import ArgumentError
from demograd.interfaces import Optimizer
from demograd.optim.lr_scheduler._scheduler import LRScheduler, positive_integer

__all__ = ["CosineAnnealingLR", "CosineAnnealingWarmRestarts"]


class CosineAnnealingLR(LRScheduler):
    """Half a cosine from the first rate down to ``eta_min``.

    ``lr(t) = eta_min + (lr(0) - eta_min) * (1 + cos(pi t / T_max)) / 2``

    It rises again after ``T_max``.

    Args:
        optimizer: any optimizer.
        T_max: epochs until the lowest rate, from 1 up.
        eta_min: the lowest rate.
        last_epoch: -1 to begin.

    Raises:
        ArgumentError: T_max is not a whole number from 1 up.

    Reference: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", 2016,
    arXiv:1608.03983.

    >>> import demograd as dg
    >>> from demograd.optim import SGD
    >>> optimizer = SGD([dg.zeros(1)], lr=0.8)
    >>> schedule = CosineAnnealingLR(optimizer, T_max=2)
    >>> rates = []
    >>> for _ in range(3):
    ...     rates += schedule.get_last_lr()
    ...     optimizer.step()
    ...     schedule.step()
    >>> [round(rate, 12) for rate in rates]
    [0.8, 0.4, 0.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_max: int,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        self.T_max = positive_integer(self, "T_max", T_max)
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self._step_count == 1:
            return self._rates()
        if (self.last_epoch - 1 - self.T_max) % (2 * self.T_max) == 0:
            # One epoch past the lowest rate, which no factor brings back.
            rise = (1 - math.cos(math.pi / self.T_max)) / 2
            return [
                rate + (base - self.eta_min) * rise
                for rate, base in zip(self._rates(), self.base_lrs, strict=True)
            ]
        now, before = (
            1 + math.cos(math.pi * epoch / self.T_max)
            for epoch in (self.last_epoch, self.last_epoch - 1)
        )
        return [self.eta_min + now / before * (rate - self.eta_min) for rate in self._rates()]


class CosineAnnealingWarmRestarts(LRScheduler):
    """Half a cosine from the first rate down to ``eta_min``, again and again.

    ``lr(t) = eta_min + (lr(0) - eta_min) * (1 + cos(pi T_cur / T_i)) / 2``

    where ``T_cur`` counts from the last restart and ``T_i`` is the length of this period: ``T_0``
    at first, ``T_mult`` times the last one after a restart.

    Args:
        optimizer: any optimizer.
        T_0: the length of the first period, from 1 up.
        T_mult: how many times longer each period is than the last, from 1 up.
        eta_min: the lowest rate.
        last_epoch: -1 to begin.

    Raises:
        ArgumentError: T_0 or T_mult is not a whole number from 1 up.

    Reference: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", 2016,
    arXiv:1608.03983.

    >>> import demograd as dg
    >>> from demograd.optim import SGD
    >>> optimizer = SGD([dg.zeros(1)], lr=0.8)
    >>> schedule = CosineAnnealingWarmRestarts(optimizer, T_0=2)
    >>> rates = []
    >>> for _ in range(5):
    ...     rates += schedule.get_last_lr()
    ...     optimizer.step()
    ...     schedule.step()
    >>> [round(rate, 12) for rate in rates]
    [0.8, 0.4, 0.8, 0.4, 0.8]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        self.T_0 = positive_integer(self, "T_0", T_0)
        self.T_mult = positive_integer(self, "T_mult", T_mult)
        self.eta_min = eta_min
        self.T_i = T_0
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        share = (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
        return [self.eta_min + (base - self.eta_min) * share for base in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Go on by one, or to the place that ``epoch`` names, which may be a fraction.

        Raises:
            ArgumentError: the epoch is negative.
        """
        if epoch is None:
            super().step()
            return
        if epoch < 0:
            raise ArgumentError(
                f"{type(self).__name__}.step: the epoch is negative.", [f"epoch: {epoch!r}"]
            )
        self._step_count += 1
        self.T_cur, self.T_i = epoch, self.T_0
        if epoch >= self.T_0 and self.T_mult == 1:
            self.T_cur = epoch % self.T_0
        elif epoch >= self.T_0:
            # The periods before sum up to T_0 (T_mult**n - 1) / (T_mult - 1).
            past = int(math.log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
            self.T_cur = epoch - self.T_0 * (self.T_mult**past - 1) / (self.T_mult - 1)
            self.T_i = self.T_0 * self.T_mult**past
        self.last_epoch = math.floor(epoch)
        self._set_rates(self.get_lr())

    def _advance(self) -> None:
        if self.last_epoch < 0:
            self.T_cur, self.T_i = 0, self.T_0
        else:
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur -= self.T_i
                self.T_i *= self.T_mult
        super()._advance()
