"""Hooks: functions that see, and may replace, a gradient when it is complete.

A hook of a tensor sees the tensor's gradient; a hook of a node sees what its rule is given and
what it gives; a hook of a leaf may run when the gradient stands in ``.grad``. They are kept in
dictionaries by number, beside what they watch, and whatever has none pays nothing.
"""

from __future__ import annotations

import itertools
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from demograd._tensor import Tensor
from demograd.autograd._fitting import fitted
from demograd.autograd._function import Function
from demograd.errors import ArgumentTypeError, GradientError, ShapeError

__all__ = [
    "RemovableHandle", "move_retained", "register_hook", "register_node_hook",
    "register_post_accumulate_grad_hook", "register_prehook", "retain_grad", "run_hooks",
    "run_node_hooks", "run_post_accumulate_grad_hooks", "run_prehooks",
]  # fmt: skip

Hooks = OrderedDict[int, Callable[..., Any]]
_numbers = itertools.count()


class RemovableHandle:
    """What registering a hook returns: ``remove()`` takes the hook away again.

    It holds what it was registered with weakly, and as a context manager it removes the hook at
    the end of the block.

    Args:
        hooks: where the hook is kept, by its number; a dictionary that can be referenced weakly.

    >>> x = Tensor(2.0, requires_grad=True)
    >>> with x.register_hook(lambda gradient: gradient * 10):
    ...     (x * x).backward()
    >>> x.grad
    tensor(40.)
    """

    def __init__(self, hooks: OrderedDict[int, Any]) -> None:
        self._hooks = weakref.ref(hooks)
        self._number = next(_numbers)

    @property
    def number(self) -> int:
        """The key of the hook."""
        return self._number

    def remove(self) -> None:
        """Take the hook away; once more does nothing."""
        hooks = self._hooks()
        if hooks is not None:
            hooks.pop(self._number, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


def _added(hooks: Hooks, hook: Callable[..., Any]) -> RemovableHandle:
    handle = RemovableHandle(hooks)
    hooks[handle.number] = hook
    return handle


# Of tensors.


def register_hook(x: Tensor, hook: Callable[[Tensor], Any]) -> RemovableHandle:
    """Call ``hook(gradient)`` when the whole gradient of ``x`` is known."""
    if not x.requires_grad:
        raise GradientError(
            "register_hook: the tensor requires no gradient, so the hook would never run.",
            [x._describe()],
            "x.requires_grad_() makes it require one.",
        )
    holder: Tensor | Function = x if x._node is None else x._node
    if holder._hooks is None:
        holder._hooks = OrderedDict()
    if isinstance(holder, Function):
        holder._special = True
    return _added(holder._hooks, hook)


class _Keep:
    """The hook of ``retain_grad``: it adds the gradient to ``.grad``."""

    def __init__(self, x: Tensor) -> None:
        # The node must not keep its own output alive: that would be a cycle.
        self._tensor = weakref.ref(x)

    def __call__(self, gradient: Tensor) -> None:
        x = self._tensor()
        if x is not None:
            x._grad = gradient.clone() if x._grad is None else x._grad + gradient


def retain_grad(x: Tensor) -> None:
    """Keep the gradient of a computed tensor in ``.grad``."""
    if not x.requires_grad:
        raise GradientError(
            "retain_grad: the tensor requires no gradient.",
            [x._describe()],
            "x.requires_grad_() makes it require one.",
        )
    if x._node is not None and x._retained is None:
        x._retained = register_hook(x, _Keep(x))


def move_retained(x: Tensor) -> None:
    """Keep the gradient at the node that the tensor has now, after a change in place."""
    if x._retained is not None:
        x._retained.remove()
        x._retained = None
        if x._requires_grad:
            retain_grad(x)


def run_hooks(holder: Tensor | Function, gradient: Any) -> Any:
    """The gradient after all hooks of a tensor or node have seen it."""
    recorded = isinstance(gradient, Tensor)
    # A copy: a hook may change it in place, and the same array may be another tensor's gradient.
    current = (gradient if recorded else Tensor(gradient)).clone()
    # What is kept is what goes on: the hooks of retain_grad come last.
    hooks = sorted((holder._hooks or {}).values(), key=lambda hook: type(hook) is _Keep)
    for hook in hooks:
        replaced = hook(current)
        if replaced is None:
            continue
        if not isinstance(replaced, Tensor):
            raise _no_tensor("hook", replaced)
        if replaced.shape != current.shape:
            raise ShapeError(
                "hook: what it returned is no gradient for this tensor.",
                [f"gradient: shape {current.shape}", f"returned: shape {replaced.shape}"],
                "Return a Tensor of the gradient's shape, or None to leave it.",
            )
        current = replaced.to(current.dtype)
    return current if recorded else current._data


def _no_tensor(hook: str, returned: Any) -> ArgumentTypeError:
    return ArgumentTypeError(
        f"{hook}: it returned {type(returned).__name__}, not a Tensor.",
        mend="Return a Tensor of the gradient's shape, or None.",
    )


# Of leaves, after the pass.


def register_post_accumulate_grad_hook(x: Tensor, hook: Callable[[Tensor], Any]) -> RemovableHandle:
    """Call ``hook(x)`` when ``backward`` has added to ``x.grad``."""
    if not x.requires_grad or x._node is not None:
        raise GradientError(
            "register_post_accumulate_grad_hook: only a leaf that requires a gradient gets one.",
            [x._describe() + ("" if x._node is None else f", made by {x._node.name}")],
            "x.register_hook(hook) sees the gradient of a computed tensor."
            if x._node is not None
            else "x.requires_grad_() makes it require one.",
        )
    if x._after_grad is None:
        x._after_grad = OrderedDict()
    return _added(x._after_grad, hook)


def run_post_accumulate_grad_hooks(leaves: Sequence[Tensor]) -> None:
    """Run the hooks of leaves whose gradients have been added."""
    for x in leaves:
        for hook in list((x._after_grad or {}).values()):
            if hook(x) is not None:
                raise GradientError(
                    "post-accumulate hook: it returned a value, which replaces nothing.",
                    [x._describe()],
                    "Change x.grad in the hook, and return None.",
                )


# Of nodes.


def register_prehook(node: Function, hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(grad_outputs)`` before the rule of a node runs."""
    if node._prehooks is None:
        node._prehooks = OrderedDict()
    node._special = True
    return _added(node._prehooks, hook)


def register_node_hook(node: Function, hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(grad_inputs, grad_outputs)`` after the rule of a node has run."""
    if node._posthooks is None:
        node._posthooks = OrderedDict()
    node._special = True
    return _added(node._posthooks, hook)


def run_prehooks(node: Function, gradients: Sequence[Any], recorded: bool) -> tuple[Any, ...]:
    """The gradients of a node's outputs after its pre-hooks have seen them."""
    current = _as_tensors(gradients)
    for hook in list((node._prehooks or {}).values()):
        current = _replaced("pre-hook", node, current, hook(current))
    return current if recorded else _as_arrays(current)


def run_node_hooks(
    node: Function, edges: Sequence[Any], parts: Any, gradients: Sequence[Any], recorded: bool
) -> tuple[Any, ...]:
    """The gradients of a node's inputs after its hooks have seen them."""
    parts = tuple(parts) if isinstance(parts, (tuple, list)) else (parts,)
    fitting = [
        None if edge is None or part is None else fitted(part, edge, recorded)
        for edge, part in zip(edges, parts, strict=False)
    ]
    given, current = _as_tensors(gradients), _as_tensors(fitting)
    for hook in list((node._posthooks or {}).values()):
        current = _replaced("hook", node, current, hook(current, given))
    return current if recorded else _as_arrays(current)


def _as_tensors(gradients: Sequence[Any]) -> tuple[Tensor | None, ...]:
    # Copies, for the same reason as in run_hooks.
    return tuple(
        [
            None if g is None else (g if isinstance(g, Tensor) else Tensor(g)).clone()
            for g in gradients
        ]
    )


def _as_arrays(gradients: Sequence[Tensor | None]) -> tuple[Any, ...]:
    return tuple([None if g is None else g._data for g in gradients])


def _replaced(
    kind: str, node: Function, current: tuple[Tensor | None, ...], replaced: Any
) -> tuple[Tensor | None, ...]:
    """What a hook of a node leaves: what it returned, if that fits, else what was there."""
    if replaced is None:
        return current
    if not isinstance(replaced, tuple):
        raise ArgumentTypeError(
            f"{kind} of {node.name}: it returned {type(replaced).__name__}, not a tuple.",
            mend="Return a tuple with a gradient, or None, for each; or None to leave all.",
        )
    if len(replaced) != len(current):
        raise GradientError(
            f"{kind} of {node.name}: it returned {len(replaced)} gradients for {len(current)}.",
            mend="Return a tuple with a gradient, or None, for each; or None to leave all.",
        )
    for number, (old, new) in enumerate(zip(current, replaced, strict=True)):
        if new is None:
            continue
        if not isinstance(new, Tensor):
            raise _no_tensor(f"{kind} of {node.name}", new)
        if old is None or new.shape != old.shape:
            raise ShapeError(
                f"{kind} of {node.name}: what it returned is no gradient for this place.",
                [
                    f"gradient {number}: "
                    + ("None, nothing wants it" if old is None else f"shape {old.shape}"),
                    f"returned: shape {new.shape}",
                ],
                "Return a Tensor of the gradient's shape, or None where there is none.",
            )
    return tuple(
        [
            None if old is None or new is None else new.to(old.dtype)
            for old, new in zip(current, replaced, strict=True)
        ]
    )
