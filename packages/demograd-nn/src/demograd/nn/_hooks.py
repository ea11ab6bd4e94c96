"""Forward hooks: functions that see, and may replace, what a module is given and returns."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from demograd.autograd import RemovableHandle
from demograd.errors import ArgumentTypeError

if TYPE_CHECKING:
    from demograd.nn._module import Module

__all__ = ["Hook", "call", "register"]


class Hook(NamedTuple):
    """A function, and whether it is given the keyword arguments as well."""

    function: Callable[..., Any]
    with_kwargs: bool


def register(
    hooks: dict[int, Hook], function: Callable[..., Any], prepend: bool, with_kwargs: bool
) -> RemovableHandle:
    """Put a function after the hooks that are there, or before them."""
    handle = RemovableHandle(hooks)
    former = dict(hooks) if prepend else {}
    if prepend:
        hooks.clear()
    hooks[handle.number] = Hook(function, with_kwargs)
    hooks.update(former)
    return handle


def call(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``module.forward`` between its hooks."""
    for function, with_kwargs in list(module._forward_pre_hooks.values()):
        if with_kwargs:
            changed = function(module, args, kwargs)
            if changed is not None:
                args, kwargs = _args_and_kwargs(changed)
        else:
            changed = function(module, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
    out = module.forward(*args, **kwargs)
    for function, with_kwargs in list(module._forward_hooks.values()):
        if with_kwargs:
            changed = function(module, args, kwargs, out)
        else:
            changed = function(module, args, out)
        if changed is not None:
            out = changed
    return out


def _args_and_kwargs(changed: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if isinstance(changed, tuple) and len(changed) == 2 and isinstance(changed[1], dict):
        args, kwargs = changed
        return (args if isinstance(args, tuple) else (args,)), kwargs
    raise ArgumentTypeError(
        "forward pre-hook: with_kwargs=True, but the hook returned neither None nor two parts.",
        [f"returned: {type(changed).__name__}"],
        "Return (args, kwargs): a tuple and a dictionary.",
    )
