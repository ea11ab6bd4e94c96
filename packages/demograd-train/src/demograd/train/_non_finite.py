"""Stopping at a number that is not finite, and finding where it came from.

The parameters are as they were before the step, because the check comes before the optimizer's;
what the forward pass itself has changed (running means, the state of the random generator) is
put back. Then the same batch can be run again, with a hook on every module, and under ``dg.debug``,
which names the first operation and its line.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

import demograd
from demograd import Tensor
from demograd.errors import NonFiniteError, NonFiniteOperationError
from demograd.train._callback import Run, learning_rates

__all__ = ["Before", "bad_gradient", "bad_loss", "bad_operation", "first_bad_gradient"]

MOST_LISTED = 5
MEND = (
    "The parameters are as they were before this step. Lower the learning rate, clip the gradients "
    "(train.GradientClip), or look at what that module computes."
)
MEND_DATA = (
    "The parameters are as they were before this step. Clean the data: "
    "keep = np.isfinite(x).reshape(len(x), -1).all(axis=1)."
)
MEND_PARAMETERS = (
    "They were so before this step: start again, or from a checkpoint, with a lower learning rate."
)


class Before:
    """What a forward pass may change, as it was before the step.

    Args:
        model: whose buffers are kept, if it has any.
        has_buffers: whether it has; asked once a run, because a step is to stay cheap.
    """

    def __init__(self, model: Any, has_buffers: bool) -> None:
        self._model = model
        self._random = demograd.default_generator.numpy.bit_generator.state
        self._buffers = (
            {name: np.array(value.detach().cpu().data) for name, value in buffers(model).items()}
            if has_buffers
            else {}
        )

    def restore(self) -> None:
        """Put it back."""
        demograd.default_generator.numpy.bit_generator.state = self._random
        if self._buffers:
            own = dict(self._model.state_dict())
            own.update({name: Tensor(value) for name, value in self._buffers.items()})
            self._model.load_state_dict(own)


def buffers(model: Any) -> dict[str, Tensor]:
    """The tensors of a model's state that are no parameters."""
    parameters = {name for name, _ in model.named_parameters()}
    return {
        name: value
        for name, value in model.state_dict().items()
        if name not in parameters and isinstance(value, Tensor)
    }


def first_bad_gradient(run: Run) -> Tensor | None:
    """The first parameter that the step would change by a gradient that is not finite."""
    with np.errstate(all="ignore"):  # once a step, because entering it takes time
        for group in run.optimizer.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None and not is_finite(parameter.grad):
                    return parameter  # type: ignore[no-any-return]
    return None


def is_finite(x: Tensor) -> bool:
    """Whether all elements are finite."""
    data = x.data
    if not isinstance(data, np.ndarray):
        return bool(demograd.isfinite(x).all())
    # One pass without a temporary array; a sum that overflows is looked at again.
    return math.isfinite(np.add.reduce(data, axis=None)) or bool(np.isfinite(data).all())


def bad_loss(
    run: Run, inputs: tuple[Any, ...], target: Any, loss: float, before: Before
) -> NonFiniteError:
    """The error for a loss that is not finite; finds what made it so, module and operation."""
    facts = [f"loss: {loss}", *_where(run)]
    before.restore()
    with np.errstate(all="ignore"), demograd.no_grad():
        parameters = _bad_parameters(run)
        data = [
            f"input {i} of the batch: {_count(x)}"
            for i, x in enumerate(inputs)
            if isinstance(x, Tensor) and not is_finite(x)
        ]
        facts += [*parameters, *data, _first_bad_module(run.model, inputs)]
        if not parameters and not data:
            before.restore()
            facts += _first_bad_operation(run, inputs, target, backward=False)
    before.restore()
    mend = MEND_PARAMETERS if parameters else MEND_DATA if data else MEND
    return NonFiniteError("fit: the loss is not finite.", facts, mend)


def bad_gradient(
    run: Run,
    inputs: tuple[Any, ...],
    target: Any,
    parameter: Tensor,
    loss: float,
    before: Before,
) -> NonFiniteError:
    """The error for a loss that is finite and a gradient that is not."""
    names = {id(p): name for name, p in run.model.named_parameters()}
    name = names.get(id(parameter), parameter.name or "a parameter that is not the model's")
    assert parameter.grad is not None
    facts = [
        f"loss: {loss:g}",
        *_where(run),
        f"first such gradient: of {name}, {_count(parameter.grad)}",
    ]
    before.restore()
    run.optimizer.zero_grad()
    facts += _first_bad_operation(run, inputs, target, backward=True)
    before.restore()
    run.optimizer.zero_grad()
    return NonFiniteError("fit: a gradient is not finite, though the loss is.", facts, MEND)


def bad_operation(run: Run, error: NonFiniteOperationError, before: Before) -> None:
    """Add to what ``dg.debug`` has found where the training was, and undo the step."""
    before.restore()
    run.optimizer.zero_grad()
    error.add_note(f"in fit: {_where(run)[0]}; the parameters are as they were before this step")


def _where(run: Run) -> list[str]:
    of = "" if run.steps is None else f" of {run.steps}"
    return [f"epoch {run.epoch}, step {run.step + 1}{of}, {learning_rates(run.optimizer)}"]


def _bad_parameters(run: Run) -> list[str]:
    bad = [
        f"parameter {name}: {_count(p)}"
        for name, p in run.model.named_parameters()
        if not is_finite(p)
    ]
    more = len(bad) - MOST_LISTED
    return bad[:MOST_LISTED] + ([f"and {more} more parameters"] if more > 0 else [])


def _count(x: Tensor) -> str:
    values = np.asarray(x.detach().cpu().numpy())
    nan, infinite = int(np.isnan(values).sum()), int(np.isinf(values).sum())
    parts = [f"{nan} nan"] * bool(nan) + [f"{infinite} infinite"] * bool(infinite)
    return f"shape {x.shape}, {' and '.join(parts)} of {values.size}"


def _first_bad_module(model: Any, inputs: tuple[Any, ...]) -> str:
    """Run the batch once more, and note the first module whose output is not finite.

    A module's hook runs when its call is done, so an inner module comes before the outer one.
    """
    modules = list(model.named_modules()) if hasattr(model, "named_modules") else []
    if not modules or not hasattr(modules[0][1], "register_forward_hook"):
        return "first module: not known, the model has no named_modules() with forward hooks"
    found: list[str] = []
    names = {id(module): name for name, module in modules}

    def look(module: Any, _: Any, output: Any) -> None:
        if not found and (bad := [x for x in tensors_in(output) if not is_finite(x)]):
            name = names[id(module)]
            label = f"{name!r} ({type(module).__name__})" if name else type(module).__name__
            found.append(f"first module with such an output: {label}, {_count(bad[0])}")

    handles = [module.register_forward_hook(look) for _, module in modules]
    try:
        model(*inputs)
    finally:
        for handle in handles:
            handle.remove()
    return found[0] if found else "first module: none, every output is finite; the loss made it so"


def _first_bad_operation(
    run: Run, inputs: tuple[Any, ...], target: Any, backward: bool
) -> list[str]:
    """Run the batch once more and stop at the first operation that makes something not finite."""
    try:
        with np.errstate(all="ignore"), demograd.debug(buffers=False):
            loss = run.loss(run.model(*inputs), target)
            if backward:
                loss.backward()
    except NonFiniteOperationError as error:
        headline, *facts = str(error).splitlines()
        # The last line is the way out: here there is one for the whole step.
        return [f"first operation: {headline}", *facts[:-1]]
    return []


def tensors_in(output: Any) -> list[Tensor]:
    """The floating tensors in what a module returned."""
    if isinstance(output, Tensor):
        return [output] if output.dtype.kind == "f" else []
    if isinstance(output, Mapping):
        output = list(output.values())
    if isinstance(output, (list, tuple)):
        return [x for part in output for x in tensors_in(part)]
    return []
