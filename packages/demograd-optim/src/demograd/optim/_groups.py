"""The parameters that an optimizer is given, put into groups and checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from demograd import Tensor
from demograd.errors import ArgumentError, ArgumentTypeError, warn

__all__ = ["ParamsT", "as_group", "as_groups", "check_no_duplicates"]

# A tensor takes any attribute, and training goes on as if it had not been set.
MISSPELT = frozenset(["require_grad", "require_grads", "requires_grads", "required_grad"])

# What a constructor takes: tensors, dicts with "params", or (name, tensor) pairs.
ParamsT = Iterable[Tensor] | Iterable[dict[str, Any]] | Iterable[tuple[str, Tensor]]


def as_groups(owner: str, params: Any) -> list[dict[str, Any]]:
    """The groups that a constructor's first argument means: several dicts, or one for all."""
    items = _as_list(owner, params)
    if any(isinstance(item, Mapping) for item in items):
        return items  # what is no dict among them is refused where groups are added
    return [{"params": items}]


def _as_list(owner: str, params: Any) -> list[Any]:
    """What an iterable gives, refused where that cannot be the parameters."""
    if isinstance(params, Tensor):
        raise ArgumentTypeError(
            f"{owner}: the parameters are one tensor, not an iterable of tensors.",
            [f"params: {_described(params)}"],
            f"{owner}([x])",
        )
    if isinstance(params, (set, frozenset)):
        raise ArgumentTypeError(
            f"{owner}: the parameters are a set, whose order changes from run to run.",
            mend="Give a list: saved state belongs to parameters by their order.",
        )
    if isinstance(params, Mapping):
        raise ArgumentTypeError(
            f"{owner}: the parameters are a {type(params).__name__}.",
            mend="mapping.items() gives pairs of name and tensor; a group stands in a list.",
        )
    try:
        items = list(params)
    except TypeError as error:
        raise ArgumentTypeError(
            f"{owner}: the parameters are a {type(params).__name__}, which is not iterable.",
            mend=f"{owner}(model.parameters())",
        ) from error
    if not items:
        used_up = hasattr(params, "__next__")
        raise ArgumentError(
            f"{owner}: the iterator of parameters gave none."
            if used_up
            else f"{owner}: there are no parameters.",
            mend="It was used up before, or its source is empty: make a new one, or a list of it."
            if used_up
            else f"{owner}(model.parameters())",
        )
    return items


def as_group(owner: str, param_group: Any, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """A new group with a list of tensors under ``params``, and every setting.

    Raises:
        ArgumentTypeError: it is no dict, or holds what is no tensor.
        ArgumentError: there are no parameters, one is not a leaf, is named while another is
            not, or is there twice.
    """
    if not isinstance(param_group, Mapping):
        raise ArgumentTypeError(
            f"{owner}: a group of parameters is not a dict.",
            [f"group: {_described(param_group)}"],
            'A group is {"params": [...], "lr": 0.1}; tensors and groups cannot be mixed.',
        )
    if "params" not in param_group:
        raise ArgumentError(
            f"{owner}: a group has no parameters.",
            [f"keys: {', '.join(map(repr, param_group))}"],
            'A group is {"params": [...], "lr": 0.1}.',
        )
    params = param_group["params"]
    # An empty list may be meant: a model without biases has no parameters that need no decay.
    empty = isinstance(params, (list, tuple)) and not params
    items = [params] if isinstance(params, Tensor) else [] if empty else _as_list(owner, params)
    names = [item[0] for item in items if isinstance(item, tuple)]
    if names and len(names) != len(items):
        raise ArgumentError(
            f"{owner}: some parameters have names and some have none.",
            [f"with a name: {len(names)}", f"without: {len(items) - len(names)}"],
            f"{owner}(model.named_parameters()) gives all their names.",
        )
    tensors = [item[1] if isinstance(item, tuple) else item for item in items]
    for place, x in enumerate(tensors):
        _check_parameter(owner, place, x)
    _warn_of_misspelt(owner, tensors)
    group = {**param_group, "params": tensors}
    if names:
        group["param_names"] = names
    for name, value in defaults.items():
        group.setdefault(name, value)
    return group


def _check_parameter(owner: str, place: int, x: Any) -> None:
    if not isinstance(x, Tensor):
        raise ArgumentTypeError(
            f"{owner}: a parameter is not a Tensor.",
            [f"params[{place}]: {_described(x)}"],
            f"{owner}(model.parameters())"
            if hasattr(x, "parameters")
            else "dg.tensor(values, requires_grad=True) makes one.",
        )
    if not x.is_leaf:
        raise ArgumentError(
            f"{owner}: a parameter is the result of a computation, not a leaf.",
            [f"params[{place}]: {_described(x)}, made by {getattr(x.grad_fn, 'name', None)}"],
            "Give the tensor that it was computed from, or x.detach().requires_grad_().",
        )


def _warn_of_misspelt(owner: str, tensors: list[Tensor]) -> None:
    found = {name: x for x in reversed(tensors) for name in MISSPELT & vars(x).keys()}
    for name, x in found.items():
        warn(
            f"{owner}: parameters have {name} set, which nothing heeds.",
            [f"the first is {_described(x)}, with requires_grad={x.requires_grad}"],
            f"x.requires_grad = {vars(x)[name]!r} is the name.",
        )


def check_no_duplicates(owner: str, groups: list[dict[str, Any]], new: dict[str, Any]) -> None:
    """Refuse a parameter that is in two groups or twice in one: it would be changed twice a step.

    Raises:
        ArgumentError: there is one; or one group has names and another has none.
    """
    seen: dict[int, str] = {}
    for number, group in enumerate([*groups, new]):
        for place, x in enumerate(group["params"]):
            where = f"group {number}, params[{place}]"
            if id(x) in seen:
                raise ArgumentError(
                    f"{owner}: a parameter is there twice.",
                    [f"first: {seen[id(x)]}", f"again: {where}", f"it is a {_described(x)}"],
                    "Give each once: a shared weight is one parameter.",
                )
            seen[id(x)] = where
    for number, group in enumerate(groups):
        if ("param_names" in group) != ("param_names" in new) and group["params"]:
            words = {True: "with names", False: "without"}
            raise ArgumentError(
                f"{owner}: some groups have parameters with names and some without.",
                [
                    f"group {number}: {words['param_names' in group]}",
                    f"group {len(groups)}: {words['param_names' in new]}",
                ],
                "Give pairs of name and tensor in all groups, or in none.",
            )


def _described(x: Any) -> str:
    """A tensor or another object in a few words."""
    if isinstance(x, Tensor):
        name = f"{x.name}: " if x.name else ""
        return f"{name}{type(x).__name__} of shape {x.shape}, dtype {x.dtype}"
    shape = getattr(x, "shape", None)
    return type(x).__name__ if shape is None else f"{type(x).__name__} of shape {shape}"
