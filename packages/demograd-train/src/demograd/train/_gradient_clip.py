"""Clipping gradients before the step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from demograd.train._callback import Callback, Run

__all__ = ["GradientClip"]


class GradientClip(Callback):
    """Clip the gradients between the backward pass and the step.

    The clipping itself is a function of the parameters that changes their ``grad`` in place:
    ``GradientClip(nn.utils.clip_grad_norm_, max_norm=1.0)``.

    Args:
        clip: called as ``clip(parameters, **settings)`` with the list of all parameters that the
            optimizer trains.
        settings: passed on.

    Attributes:
        last: what ``clip`` returned last, the norm before clipping for ``clip_grad_norm_``.

    Source: R. Pascanu, T. Mikolov and Y. Bengio, "On the difficulty of training recurrent neural
    networks", 2013.

    >>> def halve(parameters):
    ...     for p in parameters:
    ...         if p.grad is not None:
    ...             p.grad *= 0.5
    >>> GradientClip(halve).last is None
    True
    """

    def __init__(self, clip: Callable[..., Any], **settings: Any) -> None:
        self.clip = clip
        self.settings = settings
        self.last: Any = None

    def on_gradients(self, run: Run) -> None:
        parameters = [p for group in run.optimizer.param_groups for p in group["params"]]
        self.last = self.clip(parameters, **self.settings)
