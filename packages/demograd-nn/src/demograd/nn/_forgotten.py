"""What a module holds and does not register, so that an optimizer never hears of it.

``self.layers = [nn.Linear(2, 2)]`` and ``self.w = dg.randn(2, requires_grad=True)`` compute, get
gradients, and are in no ``parameters()``. It is looked for where these are asked for, because a
list may be filled after it was assigned, and its modules be registered elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from demograd import Tensor
from demograd.errors import warn
from demograd.nn._parameter import Parameter
from demograd.nn._registry import OWN, Registry

__all__ = ["warn_of_forgotten"]

CONTAINERS = (list, tuple, dict)
# So many elements of a container are looked at, and so many nodes of a graph.
MOST = 100


def warn_of_forgotten(root: Registry) -> None:
    """Warn of modules and trainable tensors in attributes that ``root.parameters()`` passes over.

    Modules that are registered by another name, that are frozen, or that hold the module in whose
    list they stand (a part that knows its owner) are passed over.
    """
    known: set[int] | None = None
    for path, module in root.named_modules():
        registered = module._kinds
        for name, value in module.__dict__.items():
            if not isinstance(value, (*CONTAINERS, Tensor)) or name in registered or name in OWN:
                continue
            holders = [
                found
                for found in _found(value, depth=2)
                if not (isinstance(found, Registry) and module in found.modules())
            ]
            if not holders:
                continue
            if known is None:
                known = {id(p) for p in root._each_parameter()}
            lost = [p for found in holders for p in _trainable(found) if id(p) not in known]
            if lost:
                _warn(f"{path or type(root).__name__}.{name}", name, value, len(lost))


def _found(value: Any, depth: int) -> Iterator[Registry | Tensor]:
    """The modules and tensors in an attribute; of containers, the modules and Parameters."""
    if isinstance(value, (Registry, Tensor)):
        yield value
    elif depth:
        elements = value.values() if isinstance(value, dict) else value
        for element in islice(elements, MOST):
            if isinstance(element, (Registry, Parameter, *CONTAINERS)):
                yield from _found(element, depth - 1)


def _trainable(found: Registry | Tensor) -> list[Any]:
    """The tensors that must have been meant to be trained."""
    if isinstance(found, Registry):
        return [p for p in found._each_parameter() if p.requires_grad]
    if not found.requires_grad:
        return []
    return [found] if found.is_leaf else _parameters_behind(found)


def _parameters_behind(x: Tensor) -> list[Parameter]:
    """The Parameters without a name, which no module has registered, that a tensor comes of.

    ``self.w = nn.Parameter(...) * 0.1`` loses its Parameter; an activation that is kept does not.
    """
    nodes: list[Any] = [x.grad_fn]
    found = []
    for node in nodes:  # the list grows while it is walked
        for edge in node.next_functions:
            if isinstance(edge, Parameter):
                if edge.name is None:
                    found.append(edge)
            elif edge is not None and not isinstance(edge, Tensor) and len(nodes) < MOST:
                nodes.append(edge)
    return found


def _warn(path: str, name: str, value: Any, count: int) -> None:
    if isinstance(value, Tensor):
        made = value.grad_fn
        fact = "a Tensor, no Parameter" if made is None else f"a Tensor, made by {made.name}"
        mend = f"self.{name} = nn.Parameter(x) registers it."
        if made is not None:
            mend += " What is computed of a Parameter is none: compute first, or in forward."
    else:
        first = next(_found(value, depth=2))
        fact = f"a {type(value).__name__} of length {len(value)}, with a {type(first).__name__}"
        of = "Parameter" if isinstance(first, Parameter) else "Module"
        mend = f"self.{name} = nn.{of}List(...) registers what is in it."
        if isinstance(value, dict):
            mend = f"self.{name} = nn.ModuleDict(...) registers what is in it."
            if of == "Parameter":
                mend = "self.register_parameter(name, parameter) registers each."
    warn(
        "parameters: what an attribute holds is not registered, so it is not trained or saved.",
        [f"{path}: {fact}", f"not among the parameters: {count} tensor{'s' * (count > 1)}"],
        mend,
    )
