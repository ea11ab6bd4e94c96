"""Applies an update rule to the parameters of a group.

NumPy arrays are changed in their own memory, large ones in pieces that stay in the processor's
cache while all the operations of the rule pass over them. Arrays of other libraries, which need not
be writable, are replaced by what the rule returns.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from demograd import Tensor
from demograd.autograd import mark_changed
from demograd.errors import GradientError
from demograd.operators import Call, backend_of, replacing
from demograd.optim._scratch import Scratch
from demograd.optim._settings import number
from demograd.optim._trace import Program, Trace, trace

__all__ = ["Updater"]

# Elements of a piece: 256 kB of float32. Smaller ones cost more calls than the cache saves, larger
# ones leave it; from 2**15 to 2**17 the time hardly changes.
PIECE = 1 << 16


@dataclass(slots=True)
class Plan:
    """What a rule does under some settings, and which parameters have no state yet.

    Attributes:
        settings: the rule's keywords.
        absent: the places, among the rule's arrays, of those that have no value yet.
        trace, program: None for a rule that is run as it stands.
        numbers: those of the trace, last first, as arrays of a data type.
        rest: the registers of the program that follow the inputs, by shape and data type.
        ready: the registers of each small parameter without state, of which only the gradient is
            another one at the next step.
    """

    settings: dict[str, Any]
    absent: tuple[int, ...]
    trace: Trace | None
    program: Program | None
    numbers: dict[Any, list[Any]] = field(default_factory=dict)
    rest: dict[tuple[Any, Any], list[Any]] = field(default_factory=dict)
    ready: dict[Tensor, list[Any]] = field(default_factory=dict)


class Updater:
    """One optimizer's rule with the plans made of it, and the scratch memory that they share.

    Args:
        rule: ``new_x, *new_state = rule(xp, x, grad, *state, **settings)``.
        name: what changes parameters, for the messages of the engine.
    """

    def __init__(self, rule: Callable[..., Any], name: str) -> None:
        parameters = inspect.signature(rule).parameters.values()
        keywords = [p.name for p in parameters if p.kind == p.KEYWORD_ONLY]
        self._rule = rule
        self._name = name
        self._keywords = [keyword for keyword in keywords if keyword != "step"]
        self._takes_step = "step" in keywords
        self._plans: dict[tuple[int, tuple[int, ...]], Plan] = {}
        self._scratch = Scratch()

    def prepare(
        self,
        place: int,
        group: dict[str, Any],
        initial: Mapping[str, float | None],
        states: Mapping[Tensor, dict[str, Any]],
    ) -> list[Call]:
        """The calls that change the parameters of a group that have gradients, and their state.

        Nothing is changed yet: an error or an interrupt on the way leaves all as it was, and
        ``at_once`` makes the calls of all groups with nothing in between.

        Args:
            place: the number of the group.
            group: its parameters and settings.
            initial: what is kept of a parameter; see ``Optimizer.initial_state``.
            states: what is kept of each parameter; made where it is missing.

        Raises:
            GradientError: the memory of a parameter is read-only.
            ShapeError: the rule gives a parameter another shape.
        """
        settings = {keyword: number(group[keyword]) for keyword in self._keywords}
        names = [name for name in initial if name != "step"]
        absent: tuple[int, ...] = ()
        changed: list[Tensor] = []
        calls: list[Call] = []
        kept: list[Call] = []
        plan = self._plans.get((place, absent))
        program: Program | None = None
        known: dict[Tensor, list[Any]] = {}
        if plan is not None and plan.settings == settings and not initial:
            program, known = plan.program, plan.ready
        for x in group["params"]:
            grad = x.grad
            if grad is None:
                continue
            arrays = [x.data, grad.data]
            if program is not None:
                ready = known.get(x)
                if ready is not None and ready[0] is arrays[0] and ready[0].flags.writeable:
                    ready[1] = arrays[1]
                    changed.append(x)
                    calls += program.calls(ready)
                    ready[1] = None  # or it would outlive zero_grad
                    continue
            if initial:
                state = states[x]
                absent = ()
                for name in names:
                    tensor = state.get(name)
                    if tensor is None:
                        if initial[name] is None:
                            absent = (*absent, len(arrays))
                        tensor = _filled(arrays[0], initial[name])
                        kept.append((state.__setitem__, name, tensor))
                    arrays.append(tensor.data)
                if "step" in initial:
                    step = state.get("step", 0) + 1
                    kept.append((state.__setitem__, "step", step))
                    if self._takes_step:
                        settings["step"] = step
            if type(arrays[0]) is np.ndarray:
                plan = self._plans.get((place, absent))
                if plan is None or plan.settings != settings:
                    plan = self._new_plan(place, absent, settings, len(arrays))
                if not arrays[0].flags.writeable:
                    raise self._read_only(x)
                changed.append(x)
                if plan.program is not None and not initial and arrays[0].size <= PIECE:
                    arrays += self._rest(plan, arrays[0].shape, arrays[0].dtype)
                    plan.ready[x] = arrays
                    calls += plan.program.calls(arrays)
                    arrays[1] = None
                else:
                    calls += self._calls(arrays, plan)
            else:
                new, *values = self._results(arrays, absent, settings)
                calls += replacing(x, new)
                kept += [
                    (state.__setitem__, name, Tensor(value))
                    for name, value in zip(names, values, strict=True)
                ]
        if changed:
            mark_changed(changed, self._name)
        return calls + kept

    def _new_plan(
        self, place: int, absent: tuple[int, ...], settings: dict[str, Any], inputs: int
    ) -> Plan:
        last = self._plans.get((place, absent))
        found = trace(self._rule, inputs, settings, absent)
        program = None
        if found is not None:
            if last is not None and last.trace is not None and found.same_operations(last.trace):
                program = last.program  # other numbers, as from step to step, and nothing else
            else:
                program = Program(found)
        plan = self._plans[place, absent] = Plan(dict(settings), absent, found, program)
        return plan

    def _calls(self, arrays: list[Any], plan: Plan) -> Iterable[Call]:
        """The calls that change a parameter and its state in their memory."""
        array = arrays[0]
        if plan.program is None:
            results = self._results(arrays, plan.absent, plan.settings)
            targets = [array, *arrays[2:]]
            return [(t.__setitem__, ..., new) for t, new in zip(targets, results, strict=True)]
        if array.size <= PIECE or not all(a.flags.c_contiguous for a in (array, *arrays[2:])):
            return plan.program.calls(arrays + self._rest(plan, array.shape, array.dtype))
        flat = [a.reshape(-1) for a in arrays]
        size = -(-array.size // -(-array.size // PIECE))  # equal pieces, as few as possible
        calls = []
        for start in range(0, array.size, size):
            piece = [a[start : start + size] for a in flat]
            calls += plan.program.calls(piece + self._rest(plan, piece[0].shape, array.dtype))
        return calls

    def _rest(self, plan: Plan, shape: tuple[int, ...], dtype: Any) -> list[Any]:
        """The registers after the inputs: scratch arrays, numbers and functions."""
        rest = plan.rest.get((shape, dtype))
        if rest is None:
            assert plan.trace is not None
            assert plan.program is not None
            numbers = plan.numbers.get(dtype)
            if numbers is None:
                # NumPy takes a zero-dimensional array in half the time of a Python number.
                numbers = [np.asarray(value, dtype) for value in reversed(plan.trace.numbers)]
                plan.numbers[dtype] = numbers
            scratch = self._scratch.arrays(shape, dtype, plan.program.scratch)
            rest = plan.rest[shape, dtype] = scratch + numbers + plan.program.functions
        return rest

    def _results(
        self, arrays: list[Any], absent: tuple[int, ...], settings: dict[str, Any]
    ) -> tuple[Any, ...]:
        """What the rule returns as it stands, with an array for each operation."""
        given = [None if i in absent else a for i, a in enumerate(arrays)]
        return tuple(self._rule(backend_of(arrays[0]), *given, **settings))

    def _read_only(self, x: Tensor) -> GradientError:
        return GradientError(
            f"{self._name}: the memory of a parameter is read-only, or shared by repetition.",
            [f"parameter: shape {x.shape}, dtype {x.dtype}"],
            "x.data = x.data.copy() gives it memory of its own.",
        )


def _filled(array: Any, value: float | None) -> Tensor:
    """A tensor like an array, full of a number, or of anything."""
    xp = backend_of(array)
    return Tensor(xp.empty_like(array) if value is None else xp.full_like(array, value))
