"""Hooks of modules: functions that see, and may replace, what a call is given and returns.

All hooks of a module stand in one dictionary, in their order, so that a module without any asks
one question at each call.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from demograd.autograd import RemovableHandle
from demograd.errors import ArgumentTypeError
from demograd.nn._backward_hooks import BackwardCall

if TYPE_CHECKING:
    from demograd.nn._module import Module

__all__ = ["AFTER", "AFTER_BACKWARD", "BEFORE", "BEFORE_BACKWARD", "Hook", "call", "register"]

BEFORE, AFTER = "before forward", "after forward"
BEFORE_BACKWARD, AFTER_BACKWARD = "before backward", "after backward"


class Hook(NamedTuple):
    """A function, when it runs, and how.

    Attributes:
        when: one of the four constants above.
        function: the hook itself.
        with_kwargs: it is given the keyword arguments as well.
        always: it runs where ``forward`` has raised, too.
    """

    when: str
    function: Callable[..., Any]
    with_kwargs: bool = False
    always: bool = False


def register(hooks: OrderedDict[int, Hook], hook: Hook, prepend: bool) -> RemovableHandle:
    """Put a hook after those that are there, or before them."""
    handle = RemovableHandle(hooks)
    hooks[handle.number] = hook
    if prepend:
        hooks.move_to_end(handle.number, last=False)
    return handle


def call(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``module.forward`` between its hooks."""
    hooks = list(module._call_hooks.values())
    late = [hook for hook in hooks if hook.when == AFTER]
    try:
        for hook in hooks:
            if hook.when == BEFORE:
                args, kwargs = _before(hook, module, args, kwargs)
        backward = _backward_call(module, hooks)
        if backward is not None:
            args = backward.inputs(args)
        out = module.forward(*args, **kwargs)
        while late:
            changed = _after(late.pop(0), module, args, kwargs, out)
            if changed is not None:
                out = changed
        return out if backward is None else backward.outputs(out)
    except Exception as error:
        for hook in late:
            if hook.always:
                _after_error(hook, module, args, kwargs, error)
        raise


def _backward_call(module: Module, hooks: list[Hook]) -> BackwardCall | None:
    before = [hook.function for hook in hooks if hook.when == BEFORE_BACKWARD]
    after = [hook.function for hook in hooks if hook.when == AFTER_BACKWARD]
    return BackwardCall(module, before, after) if before or after else None


def _before(
    hook: Hook, module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if hook.with_kwargs:
        changed = hook.function(module, args, kwargs)
        return (args, kwargs) if changed is None else _args_and_kwargs(changed)
    changed = hook.function(module, args)
    if changed is not None:
        args = changed if isinstance(changed, tuple) else (changed,)
    return args, kwargs


def _after(
    hook: Hook, module: Module, args: tuple[Any, ...], kwargs: dict[str, Any], out: Any
) -> Any:
    if hook.with_kwargs:
        return hook.function(module, args, kwargs, out)
    return hook.function(module, args, out)


def _after_error(
    hook: Hook,
    module: Module,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    error: Exception,
) -> None:
    """Run a hook that always runs; its own failure must not hide the one that it is told of."""
    try:
        _after(hook, module, args, kwargs, None)
    except Exception as another:  # noqa: BLE001 - it is named in a note
        error.add_note(f"a forward hook with always_call=True failed as well: {another!r}")


def _args_and_kwargs(changed: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if isinstance(changed, tuple) and len(changed) == 2 and isinstance(changed[1], dict):
        args, kwargs = changed
        return (args if isinstance(args, tuple) else (args,)), kwargs
    raise ArgumentTypeError(
        "forward pre-hook: with_kwargs=True, but the hook returned neither None nor two parts.",
        [f"returned: {type(changed).__name__}"],
        "Return (args, kwargs): a tuple and a dictionary.",
    )
