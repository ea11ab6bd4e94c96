"""Mistakes between ``backward`` and an optimizer's step, which run on and train wrongly or nothing.

Nothing here is done for one operation. A step marks the gradients that it uses; when ``backward``
adds to a ``.grad`` that has such a mark, the gradient of an earlier step is still in it. It is not
said there, but by the next step that uses the sum: a gradient that is cleared first was not needed
(as that of a discriminator, to which the generator's loss adds).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from demograd._backend import NUMPY_TYPES
from demograd._place import user_place
from demograd._tensor import Tensor
from demograd.autograd._clock import tick
from demograd.errors import warn

__all__ = ["StepChecks", "note_addition", "note_replaced"]

# What ``_use`` of a gradient says: no step has used it; one has; one has, and backward then
# added to it.
FRESH, USED, MIXED = 0, 1, 2

# So many steps are looked at one by one, and then one in so many: a mistake in a loop is made at
# each step, and a step is to cost next to nothing.
FIRST, EVERY = 8, 16


class StepChecks:
    """Warns of a step that is nearly certainly not what was meant, before it is taken.

    It is so where no parameter has a gradient, though something was recorded since the optimizer
    was made (steps that only drive a schedule have no loss); where a parameter without one was
    replaced in its module; where a gradient still has the one of an earlier step in it; and where
    one is not finite. For the last two the last gradient is looked at, and one number of it: what
    a loss that is not finite or a zero_grad that was forgotten does to one, it does to all. The
    first steps are looked at one by one, later ones now and then.

    Args:
        name: the optimizer's, for the warnings.

    >>> x = Tensor(1.0, requires_grad=True)
    >>> checks = StepChecks("SGD")
    >>> (x * x).backward()
    >>> checks.look([{"params": [x]}])
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._since = tick()
        self._steps = 0

    def look(self, param_groups: Iterable[Mapping[str, Any]]) -> None:
        """Look at the parameters and gradients of the step that comes, or let it pass."""
        self._steps = steps = self._steps + 1
        if steps > FIRST and steps % EVERY:
            return
        last = None
        replaced: tuple[Tensor, ...] = ()
        for group in param_groups:
            for x in group["params"]:
                if x._grad is not None:
                    last = x
                elif x._replaced is not None:
                    replaced = (*replaced, x)
        if replaced:
            _warn_of_replaced(self._name, replaced)
        if last is None:
            before, self._since = self._since, tick()
            if self._since > before + 1 and not replaced:
                _warn_of_none(self._name, param_groups)
            return
        grad = last._grad
        if grad._use == MIXED:
            _warn_of_mixed(self._name, last)
        grad._use = USED
        data = grad._data
        if type(data) in NUMPY_TYPES and data.size and not math.isfinite(data.item(0)):
            _warn_of_non_finite(self._name, param_groups)


def note_addition(grad: Tensor) -> None:
    """Hear that ``backward`` is about to add to a gradient that a step has used."""
    # Users may clear it in place, which leaves no trace but zeros; a tracer shows no values.
    if grad._use == USED:
        data = grad._data
        grad._use = MIXED if type(data) in NUMPY_TYPES and bool(np.any(data)) else FRESH


def note_replaced(former: Iterable[Tensor], new: Iterable[Tensor]) -> None:
    """Hear that a module has new parameters in the place of former ones.

    >>> former, new = Tensor(1.0, requires_grad=True), Tensor(1.0, requires_grad=True)
    >>> note_replaced([former], [new])
    """
    place = user_place()
    for x in former:
        x._replaced = place
    for x in new:
        x._replaced = None  # it may be there again


def _warn_of_none(name: str, groups: Iterable[Mapping[str, Any]]) -> None:
    parameters = [x for group in groups for x in group["params"]]
    if not parameters:
        return
    frozen = not any(x._requires_grad for x in parameters)
    warn(
        f"{name}.step: no parameter has a gradient, so nothing is changed.",
        [
            f"parameters: {len(parameters)}, the first {parameters[0]._describe()}"
            + (", none of which requires a gradient" if frozen else "")
        ],
        "model.requires_grad_() makes them require gradients."
        if frozen
        else "loss.backward() before the step makes them. If it ran, the loss does not depend on "
        "these parameters: detach() or no_grad has cut them off, or the model was made anew after "
        f"{name}(model.parameters()).",
    )


def _warn_of_mixed(name: str, x: Tensor) -> None:
    warn(
        f"{name}.step: gradients still hold those of an earlier step.",
        [f"{x._describe()}: a step has used its gradient, and a backward has added to it since"],
        "optimizer.zero_grad() before loss.backward(), once for each step, clears them.",
    )


def _warn_of_replaced(name: str, replaced: tuple[Tensor, ...]) -> None:
    which = ", ".join(f"{x._label('one')} of shape {x.shape}" for x in replaced)
    warn(
        f"{name}.step: the model no longer has what the optimizer trains.",
        [f"parameters: {which}", f"replaced at {replaced[0]._replaced}"],
        f"Make the optimizer after the last change of the model: {name}(model.parameters()).",
    )


def _warn_of_non_finite(name: str, groups: Iterable[Mapping[str, Any]]) -> None:
    bad = next(
        x
        for group in groups
        for x in group["params"]
        if x._grad is not None
        and type(x._grad._data) in NUMPY_TYPES
        and not np.isfinite(x._grad._data).all()
    )
    kind = "NaN" if np.isnan(bad._grad._data).any() else "an infinity"
    warn(
        f"{name}.step: a gradient is not finite, and after the step its parameter is not.",
        [f"gradient of {bad._describe()}: has {kind}"],
        "If the loss grew before, lower the learning rate or clip with nn.utils.clip_grad_norm_. "
        "If not, look for log(0), sqrt(0) or 0/0, also in a branch that where() does not take: "
        "with dg.debug(): around the step's code names the operation.",
    )
