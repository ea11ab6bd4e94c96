"""``LRScheduler``: what all schedules have in common."""

from __future__ import annotations

import contextlib
import functools
import weakref
from collections.abc import Callable, Mapping
from typing import Any

from demograd import Tensor
from demograd.errors import ArgumentError, ArgumentTypeError, StateError, warn
from demograd.interfaces import Optimizer
from demograd.optim._settings import number

__all__ = ["LRScheduler", "check_optimizer", "check_state", "per_group", "positive_integer"]


class LRScheduler:
    """Sets the learning rate of each group; the base class of all schedules but the plateau.

    A subclass writes ``get_lr``, which gives the rates for ``last_epoch``. Most schedules multiply
    the present rate, so that several of them, or the user, may change it side by side.

    Args:
        optimizer: any optimizer of the interface; only its ``param_groups`` are touched.
        last_epoch: the epoch before the first; -1 to begin, another to go on, where each group has
            its ``initial_lr`` already.

    Attributes:
        last_epoch: how often ``step`` was called.
        base_lrs: the rates at the beginning.

    Raises:
        ArgumentTypeError: what is given is no optimizer.
        ArgumentError: a run is to go on, and a group has no ``initial_lr``.

    >>> import demograd as dg
    >>> from demograd.optim import SGD
    >>> class Halving(LRScheduler):
    ...     def get_lr(self):
    ...         return [base / 2**self.last_epoch for base in self.base_lrs]
    >>> optimizer = SGD([dg.zeros(1)], lr=0.8)
    >>> schedule = Halving(optimizer)
    >>> for _ in range(3):
    ...     optimizer.step()
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.1]
    """

    optimizer: Optimizer

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        check_optimizer(self, optimizer)
        self.optimizer = optimizer
        for place, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", number(group["lr"]))
            elif "initial_lr" not in group:
                raise ArgumentError(
                    f"{type(self).__name__}: a run is to go on, and a group has no initial_lr.",
                    [f"group {place}: {', '.join(sorted(group))}", f"last_epoch: {last_epoch}"],
                    "Load the optimizer's state first, or begin with last_epoch=-1.",
                )
        self.base_lrs: list[float] = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        _watch(optimizer)
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 1
        self._advance()

    def _restart(self) -> None:
        """Begin again from the first rates; ``SequentialLR`` does when a schedule's turn comes."""
        for group, base in zip(self.optimizer.param_groups, self.base_lrs, strict=True):
            set_number(group, "lr", base)
        self.last_epoch = -1
        self._initial_step()

    def get_lr(self) -> list[float]:
        """The rates for ``last_epoch``, one a group."""
        raise NotImplementedError(f"{type(self).__name__}.get_lr is not written")

    def get_last_lr(self) -> list[float]:
        """The rates that were set last, one a group."""
        return list(self._last_lr)

    def step(self) -> None:
        """Go on to the next epoch, or batch, after the optimizer's step."""
        if self._step_count == 1 and not _was_stepped(self.optimizer):
            rates = ", ".join(f"{rate:g}" for rate in self.base_lrs)
            warn(
                f"{type(self).__name__}.step: the optimizer has not stepped yet, so the first "
                "learning rate is skipped.",
                [f"skipped: {rates}"],
                "optimizer.step() comes first, then the schedule's.",
            )
        self._step_count += 1
        self._advance()

    def _advance(self) -> None:
        self.last_epoch += 1
        self._set_rates(self.get_lr())

    def _set_rates(self, rates: list[float]) -> None:
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            set_number(group, "lr", rate)
        self._last_lr = self._rates()

    def _rates(self) -> list[float]:
        return [number(group["lr"]) for group in self.optimizer.param_groups]

    def _scaled(self, factor: float) -> list[float]:
        return [rate * factor for rate in self._rates()]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer, as plain data; the rates stand in its state, too."""
        return {
            name: list(value) if isinstance(value, list) else value
            for name, value in vars(self).items()
            if name != "optimizer"
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a saved state; load the optimizer's as well.

        Raises:
            StateError: it is another schedule's; nothing is changed then.
        """
        check_state(self, state_dict, self.state_dict())
        for name, value in state_dict.items():
            setattr(self, name, list(value) if isinstance(value, (list, tuple)) else value)


def check_optimizer(schedule: Any, optimizer: Any) -> None:
    """Refuse what does not keep the ``Optimizer`` interface."""
    if not isinstance(optimizer, Optimizer):
        name = type(schedule).__name__
        raise ArgumentTypeError(
            f"{name}: the first argument is no optimizer.",
            [f"optimizer: {type(optimizer).__name__}"],
            f"{name}(optimizer, ...)",
        )


def check_state(schedule: Any, state_dict: Any, own: Mapping[str, Any]) -> None:
    """Refuse a state that has not the names of ``own``."""
    name = type(schedule).__name__
    if not isinstance(state_dict, Mapping) or set(state_dict) != set(own):
        given = set(state_dict) if isinstance(state_dict, Mapping) else set()
        raise StateError(
            f"{name}.load_state_dict: the state belongs to something else.",
            [
                f"missing: {', '.join(sorted(set(own) - given)) or 'nothing'}",
                f"unknown: {', '.join(sorted(given - set(own))) or 'nothing'}",
            ],
            f"Give what {name}.state_dict() returned.",
        )


def set_number(group: dict[str, Any], name: str, value: float) -> None:
    """Set a number of a group; a tensor that holds it is kept."""
    if isinstance(group[name], Tensor):
        group[name].fill_(value)
    else:
        group[name] = value


def per_group(schedule: Any, optimizer: Optimizer, name: str, value: Any) -> list[Any]:
    """One value for each group: those of a list, or the same for all.

    Raises:
        ArgumentError: the list has another length.
    """
    groups = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [value] * groups
    if len(value) != groups:
        raise ArgumentError(
            f"{type(schedule).__name__}: {name} needs one value for each group.",
            [f"{name}: {len(value)}", f"groups: {groups}"],
            "Give one value for all, or a list of that length.",
        )
    return list(value)


def positive_integer(schedule: Any, name: str, value: Any) -> int:
    """The value itself, if it is an integer from 1 up.

    Raises:
        ArgumentError: it is not.
    """
    if not isinstance(value, int) or value < 1:
        raise ArgumentError(
            f"{type(schedule).__name__}: {name} is not a whole number from 1 up.",
            [f"{name}: {value!r}"],
        )
    return value


def _watch(optimizer: Optimizer) -> None:
    """Put a step in place of the optimizer's own that notes that it was called.

    As in PyTorch: the interface has no other way to tell.
    """
    step: Any = optimizer.step
    if hasattr(step, "called"):
        return
    function: Callable[..., Any] | None = getattr(step, "__func__", None)
    if function is None:
        return
    # Held weakly, for the optimizer holds what is made here.
    reference = weakref.ref(optimizer)

    @functools.wraps(function)
    def watched(*args: Any, **kwargs: Any) -> Any:
        watched.called = True  # type: ignore[attr-defined]
        return function(reference(), *args, **kwargs)

    watched.called = False  # type: ignore[attr-defined]
    with contextlib.suppress(AttributeError):  # one that has no place for it is not watched
        optimizer.step = watched  # type: ignore[method-assign]


def _was_stepped(optimizer: Optimizer) -> bool:
    return bool(getattr(optimizer.step, "called", True))
