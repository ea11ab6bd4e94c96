"""Full backward hooks: functions that see, and may replace, the gradients of a module's call.

A call with such hooks runs between two nodes that pass everything on. The gradients of the
module's outputs are those that reach the second, and those of its inputs those that leave the
first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from demograd import Tensor, is_grad_enabled
from demograd.autograd import Function
from demograd.errors import ArgumentError, ArgumentTypeError, GradientError

if TYPE_CHECKING:
    from demograd.nn._module import Module

__all__ = ["BackwardCall"]


class Pass(Function):
    """Its inputs as they are: a place in the graph where hooks see gradients."""

    def forward(self, *arrays: Any) -> Any:
        self.set_materialize_grads(False)
        return arrays

    def backward(self, *grads: Any) -> Any:
        return grads


class BackwardCall:
    """One call of a module with backward hooks.

    Args:
        module: what is called.
        before: functions of (module, grad_output).
        after: functions of (module, grad_input, grad_output).
    """

    def __init__(
        self,
        module: Module,
        before: Sequence[Callable[..., Any]],
        after: Sequence[Callable[..., Any]],
    ) -> None:
        self._module = module
        self._before = before
        self._after = after
        self._inputs = 0
        self._places: list[int] = []  # of the inputs that want a gradient
        self._grad_output: tuple[Any, ...] | None = None

    def inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, with the first node behind them."""
        passed, self._places, node = _pass_on(args)
        self._inputs = len(args)
        if node is not None:
            node.register_hook(self._leave)
        return tuple(passed)

    def outputs(self, out: Any) -> Any:
        """The output, with the second node behind it."""
        if isinstance(out, Tensor):
            passed, places, node = _pass_on((out,))
        elif isinstance(out, (tuple, list)):
            passed, places, node = _pass_on(out)
        else:
            raise ArgumentTypeError(
                f"{type(self._module).__name__}: a backward hook cannot follow what it returned.",
                [f"returned: {type(out).__name__}"],
                "A module with backward hooks returns a Tensor, or a tuple or list of them.",
            )
        if node is not None:
            count = len(passed)
            node.register_hook(lambda grads, _: self._enter(grads, places, count))
        if isinstance(out, Tensor):
            return passed[0]
        if hasattr(out, "_make"):
            return out._make(passed)  # a named tuple
        return type(out)(passed)

    def _enter(self, grads: tuple[Any, ...], places: list[int], count: int) -> tuple[Any, ...]:
        """The gradients of the outputs have come."""
        grad_output = _spread(grads, places, count)
        for hook in self._before:
            changed = hook(self._module, grad_output)
            if changed is not None:
                grad_output = _as_gradients("pre-hook", "grad_output", changed, count)
        self._grad_output = grad_output
        if not self._places:
            # No input wants a gradient, so nothing more will come.
            none = (None,) * self._inputs
            for hook in self._after:
                changed = hook(self._module, none, grad_output)
                if changed is not None and any(
                    g is not None
                    for g in _as_gradients("hook", "grad_input", changed, self._inputs)
                ):
                    raise GradientError(
                        "backward hook: it returned gradients of inputs that want none.",
                        [f"module: {type(self._module).__name__}"],
                        "Return None, or make an input of the module require a gradient.",
                    )
        return tuple([grad_output[place] for place in places])

    def _leave(self, grads: tuple[Any, ...], _: tuple[Any, ...]) -> tuple[Any, ...]:
        """The gradients of the inputs have come."""
        if self._grad_output is None:
            raise GradientError(
                "backward hook: a gradient reached the module's input past its output.",
                [f"module: {type(self._module).__name__}"],
                "The loss must depend on what the module returned, and on its inputs only so.",
            )
        grad_input = _spread(grads, self._places, self._inputs)
        for hook in self._after:
            changed = hook(self._module, grad_input, self._grad_output)
            if changed is not None:
                grad_input = _as_gradients("hook", "grad_input", changed, self._inputs)
        self._grad_output = None
        return tuple([grad_input[place] for place in self._places])


def _pass_on(values: Sequence[Any]) -> tuple[list[Any], list[int], Any]:
    """Values with one node behind those that want a gradient, where these are, and the node."""
    passed = list(values)
    places = [place for place, x in enumerate(values) if isinstance(x, Tensor) and x.requires_grad]
    if not places or not is_grad_enabled():
        return passed, [], None
    made = Pass.apply(*[values[place] for place in places])
    for place, x in zip(places, made, strict=True):
        passed[place] = x
    return passed, places, made[0].grad_fn


def _spread(grads: tuple[Any, ...], places: list[int], count: int) -> tuple[Any, ...]:
    spread: list[Any] = [None] * count
    for place, grad in zip(places, grads, strict=True):
        spread[place] = grad
    return tuple(spread)


def _as_gradients(kind: str, what: str, changed: Any, count: int) -> tuple[Any, ...]:
    if isinstance(changed, Tensor):
        changed = (changed,)
    if not isinstance(changed, (tuple, list)):
        raise ArgumentTypeError(
            f"backward {kind}: it returned {type(changed).__name__}, not gradients.",
            mend=f"Return a tuple with {count} gradients, as {what} has, or None.",
        )
    if len(changed) != count:
        raise ArgumentError(
            f"backward {kind}: {what} has {count} gradients, but it returned {len(changed)}.",
            mend=f"Return a tuple with {count} gradients, as {what} has, or None.",
        )
    return tuple(changed)
