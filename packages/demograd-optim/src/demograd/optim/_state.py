"""An optimizer's state as plain data, and back.

The layout is PyTorch's: parameters are numbered through all groups; ``state`` holds what is kept of
each by its number, ``param_groups`` the settings with the numbers in place of the parameters. All
values are tensors, numbers, strings, and tuples or lists of them, so that tensors can go to one
file and the rest to JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from demograd import Tensor
from demograd.errors import StateError
from demograd.optim._settings import number

__all__ = ["loaded_groups", "loaded_states", "snapshot"]


def snapshot(groups: list[dict[str, Any]], state: Mapping[Tensor, Any]) -> dict[str, Any]:
    """A copy of everything: later steps do not change it."""
    params = [x for group in groups for x in group["params"]]
    numbers = {id(x): place for place, x in enumerate(params)}
    return {
        "state": {
            numbers[id(x)]: {name: _copied(value) for name, value in kept.items()}
            for x, kept in state.items()
            if kept and id(x) in numbers
        },
        "param_groups": [
            {name: number(value) for name, value in group.items() if name != "params"}
            | {"params": [numbers[id(x)] for x in group["params"]]}
            for group in groups
        ],
    }


def _copied(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().clone()
    return value.copy() if isinstance(value, np.ndarray) else value


def loaded_groups(
    owner: str, state_dict: Any, groups: list[dict[str, Any]], required: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The groups with the saved settings and the present parameters.

    Args:
        owner: the optimizer's name.
        state_dict: what was saved.
        groups: the present groups.
        required: the optimizer's own settings; all of them must have been saved.

    Raises:
        StateError: it is not such a state, has other groups, or is another optimizer's.
    """
    if not isinstance(state_dict, Mapping) or not {"state", "param_groups"} <= set(state_dict):
        keys = f", keys {', '.join(map(repr, state_dict))}" if isinstance(state_dict, dict) else ""
        raise StateError(
            f"{owner}.load_state_dict: this is not the state of an optimizer.",
            [f"given: {type(state_dict).__name__}{keys}"],
            "Give what optimizer.state_dict() returned.",
        )
    saved = state_dict["param_groups"]
    sizes = [len(group["params"]) for group in groups]
    saved_sizes = [len(group["params"]) for group in saved]
    if sizes != saved_sizes:
        raise StateError(
            f"{owner}.load_state_dict: the state belongs to other groups of parameters.",
            [f"saved: {_counted(saved_sizes)}", f"present: {_counted(sizes)}"],
            "Make the optimizer with the same groups of parameters as the saved one.",
        )
    result = []
    for place, (group, old) in enumerate(zip(groups, saved, strict=True)):
        missing = sorted(set(required) - set(old))
        if missing:
            raise StateError(
                f"{owner}.load_state_dict: the state belongs to another optimizer.",
                [f"group {place} has no setting {', '.join(missing)}",
                 f"it has {', '.join(sorted(set(old) - {'params'}))}"],
                "Load it into the class that saved it.",
            )  # fmt: skip
        new = {**old, "params": group["params"]}
        if "param_names" in group:
            new.setdefault("param_names", group["param_names"])
        for name, default in required.items():
            if isinstance(default, tuple):
                new[name] = tuple(new[name])  # JSON has lists only
        result.append(new)
    return result


def _counted(sizes: list[int]) -> str:
    return f"{len(sizes)} with {', '.join(map(str, sizes))} parameters"


def loaded_states(
    owner: str,
    state_dict: Mapping[str, Any],
    groups: list[dict[str, Any]],
    names_of: Callable[[dict[str, Any]], Mapping[str, Any] | None],
) -> dict[Tensor, dict[str, Any]]:
    """What was kept of each parameter, copied and in the parameter's data type.

    Args:
        owner: the optimizer's name.
        state_dict: what was saved.
        groups: the groups as they will be.
        names_of: what an optimizer keeps under a group's settings; None if it does not say.

    Raises:
        StateError: something lacks or is too much, or has another shape than its parameter.
    """
    # The saved numbers may be any; their order says which parameter is meant.
    old = [i for group in state_dict["param_groups"] for i in group["params"]]
    present = [(x, group) for group in groups for x in group["params"]]
    saved = {str(i): kept for i, kept in state_dict["state"].items()}  # JSON's keys are strings
    result: dict[Tensor, dict[str, Any]] = {}
    for place, (i, (x, group)) in enumerate(zip(old, present, strict=True)):
        kept = {k: v for k, v in saved.pop(str(i), {}).items() if v is not None}
        if not kept:
            continue
        names = names_of(group)
        if names is not None and set(names) != set(kept):
            raise StateError(
                f"{owner}.load_state_dict: the state belongs to another optimizer.",
                [
                    f"saved of parameter {place}: {', '.join(sorted(kept))}",
                    f"wanted: {', '.join(sorted(names)) or 'nothing'}",
                ],
                "Load it into the class that saved it.",
            )
        result[x] = {
            name: _loaded(owner, place, name, value, x, names is not None)
            for name, value in kept.items()
        }
    if saved:
        raise StateError(
            f"{owner}.load_state_dict: there is state of parameters that are in no group.",
            [f"parameters: {', '.join(saved)}"],
            "Give what optimizer.state_dict() returned, unchanged.",
        )
    return result


def _loaded(owner: str, place: int, name: str, value: Any, x: Tensor, checked: bool) -> Any:
    if name == "step":
        return int(number(value))  # PyTorch keeps it as a tensor
    if isinstance(value, Tensor) and type(value.data) is type(x.data):
        copy = value.detach().clone()
    elif hasattr(value, "__array__"):
        values = value.detach().cpu().numpy() if isinstance(value, Tensor) else value
        copy = Tensor(np.array(values)).to(x.device)
    else:
        return value
    if checked and copy.shape != x.shape:
        raise StateError(
            f"{owner}.load_state_dict: the state has another shape than its parameter.",
            [
                f"parameter {place}: shape {x.shape}",
                f"its {name}: shape {copy.shape}",
            ],
            "It belongs to another model, or its parameters are in another order.",
        )
    return copy.to(x.dtype) if copy.dtype.kind == "f" and x.dtype.kind == "f" else copy
