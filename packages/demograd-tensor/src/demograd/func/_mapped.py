"""``Mapped``: an operation on mapped tensors, as the graph outside of the vmap has it."""

from __future__ import annotations

from typing import Any

from demograd._levels import Level
from demograd._tensor import Tensor
from demograd.autograd._fitting import _unbroadcast
from demograd.autograd._function import Function
from demograd.autograd._recorded import twin
from demograd.errors import GradientError
from demograd.func._backend import batched_backend
from demograd.func._batched import Batched, beneath, on_level, spread

__all__ = ["Mapped", "MappedView"]


class Mapped(Function):
    """Another Function for all samples of a vmap at once: its rules on arrays of samples."""

    level: Level
    inner: Function
    mapped: tuple[bool | None, ...]
    over: bool

    def forward(
        self,
        *values: Any,
        function: type[Function],
        level: Level,
        mapped: tuple[bool | None, ...],
        over: bool,
        settings: dict[str, Any],
    ) -> Any:
        self.level, self.mapped, self.over = level, mapped, over
        rule: Any = function.backward
        self.once_differentiable = getattr(
            rule, "once_differentiable", function.once_differentiable
        )
        self.inner = inner = function()
        inner.xp, inner.needs_input_grad = batched_backend, self.needs_input_grad
        arrays = [
            value if flag is None else Batched(level, value, flag)
            for value, flag in zip(values, mapped, strict=True)
        ]
        with level:
            out = inner.forward(*arrays, **settings)
        given = out if type(out) is tuple else (out,)
        outs = [Batched(level, spread(part, level) if over else on_level(level, part).value, over)
                for part in given]  # fmt: skip
        self._shapes = [None if flag is None else a.shape
                        for a, flag in zip(arrays, mapped, strict=True)]  # fmt: skip
        self._keep(inner, arrays, given, outs)
        marked = {id(part) for part in inner._non_differentiable}
        if marked:
            self.mark_non_differentiable(
                *[w.value for w, part in zip(outs, given, strict=True) if id(part) in marked]
            )
        return tuple([part.value for part in outs]) if type(out) is tuple else outs[0].value

    def _keep(
        self, inner: Function, arrays: list[Any], given: tuple[Any, ...], outs: list[Any]
    ) -> None:
        """Save what the rule has saved, and remember which input or output each of it is."""
        inputs = {id(a): i for i, a in enumerate(arrays)}
        outputs = {id(a): -1 - i for i, a in enumerate(given)}
        saved, self._flags, places = [], [], []
        for array in inner.saved_tensors:
            place = inputs.get(id(array), outputs.get(id(array)))
            if place is not None and place < 0:
                array = outs[-1 - place]
            places.append(place)
            self._flags.append(array.mapped if type(array) is Batched else None)
            saved.append(array.value if type(array) is Batched else array)
        # By place: two inputs may hold one array, such as x and x.detach().
        self._saves = places
        self.save_for_backward(*saved)
        inner.saved_tensors = ()
        for key, value in inner.__dict__.items():
            if not key.startswith("_") and type(value) is Batched and id(value) in inputs | outputs:
                raise GradientError(
                    f"vmap: {inner.name} keeps an input or output as self.{key}, where a recorded "
                    "pass cannot see it.",
                    mend="Keep it with self.save_for_backward(...).",
                )

    def backward(self, *grads: Any) -> Any:
        level = self.level
        inner = twin(self.inner)
        inner.needs_input_grad = self.needs_input_grad
        inner.saved_tensors = tuple(
            [
                value if flag is None else Batched(level, value, flag)
                for flag, value in zip(self._flags, self.saved_tensors, strict=True)
            ]
        )
        with level:
            parts = inner.backward(*[Batched(level, g, self.over) for g in grads])
            if not isinstance(parts, (tuple, list)):
                parts = (parts,)
            given = [*parts, *[None] * (len(self.mapped) - len(parts))]
            return tuple([self._outside(i, part) for i, part in enumerate(given)])

    def _outside(self, number: int, part: Any) -> Any:
        """The gradient of an input, as it is outside: of all samples, or their sum."""
        flag = self.mapped[number] if number < len(self.mapped) else None
        if part is None or flag is None or not self.needs_input_grad[number]:
            return None
        level = self.level
        shape: Any = self._shapes[number]
        if isinstance(part, Tensor):
            part = part._data
        if not hasattr(part, "shape"):
            part = batched_backend.asarray(part)
        part = on_level(level, part)
        if part.shape != shape:
            part = on_level(level, _unbroadcast(batched_backend, part, shape, self))
        if flag:
            return spread(part, level)
        return beneath([part.value]).sum(part.value, axis=0) if part.mapped else part.value

    @property
    def name(self) -> str:
        return f"vmap({self.inner.name})"

    def __repr__(self) -> str:
        return f"<{self.name}Backward>"


class MappedView(Mapped):
    """The same for a Function whose output shows elements of its first input."""

    returns_view = True
