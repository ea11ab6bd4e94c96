"""The whole state of a run, and going on from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from demograd.errors import StateError
from demograd.train._callback import Callback, Run
from demograd.train._history import History
from demograd.train._random_state import random_state
from demograd.train._saving import load

__all__ = ["restore", "snapshot"]

FORM = 1
PARTS = {
    "model": dict, "loss": dict, "optimizer": dict, "callbacks": dict, "random": dict,
    "history": list, "epoch": int,
}  # fmt: skip
MOST_LISTED = 10


def snapshot(run: Run) -> dict[str, Any]:
    """All that a run needs to go on after its present epoch."""
    return {
        "checkpoint": FORM,
        "epoch": run.epoch,
        "history": [dict(row) for row in run.history],
        "model": dict(run.model.state_dict()),
        "loss": _loss_state(run),
        "optimizer": {"class": type(run.optimizer).__name__, **run.optimizer.state_dict()},
        "callbacks": {name: state for name, c in named(run.callbacks) if (state := c.state_dict())},
        "random": random_state(run),
    }


def restore(run: Run, path: str | PathLike[str]) -> Mapping[str, Any]:
    """Put model, loss, optimizer, callbacks, history and epoch into the state of a checkpoint.

    Everything is compared before anything is changed.

    Args:
        run: what is to go on, made as the one that was saved.
        path: a checkpoint, or a folder that holds ``last.safetensors``.

    Returns:
        The states of the random generators, to be set just before the first step.

    Raises:
        FileError: the file is not there, damaged, or no safetensors file.
        StateError: it is no checkpoint, or the checkpoint of another model or run.
    """
    path = Path(path)
    if path.is_dir():
        path = path / "last.safetensors"
    state = load(path)
    if not isinstance(state, dict) or state.get("checkpoint") != FORM:
        raise StateError(
            "fit: the file to resume from is no checkpoint.",
            [f"file: {path}", f"holds: {_outline(state)}"],
            "Weights alone are loaded so: model.load_state_dict(dg.load(file)).",
        )
    wrong = [part for part, kind in PARTS.items() if not isinstance(state.get(part), kind)]
    if not wrong and {"class", "param_groups"} - state["optimizer"].keys():
        wrong = ["optimizer"]
    if wrong:
        raise StateError(
            "fit: the checkpoint is incomplete.",
            [f"file: {path}", f"missing or of another kind: {', '.join(wrong)}"],
            "Resume from another one.",
        )
    _compare("model", state["model"], run.model.state_dict(), path)
    _compare("loss", state["loss"], _loss_state(run), path)
    _compare_optimizers(run, state["optimizer"], path)
    callbacks = dict(named(run.callbacks))
    if unknown := [name for name in state["callbacks"] if name not in callbacks]:
        raise StateError(
            "fit: the checkpoint has the state of callbacks that this run lacks.",
            [f"file: {path}", f"lacking: {', '.join(unknown)}"],
            "Give fit the same callbacks and the same schedule.",
        )
    # The optimizer first: it is the one that may still find something to refuse.
    run.optimizer.load_state_dict({k: v for k, v in state["optimizer"].items() if k != "class"})
    run.model.load_state_dict(state["model"])
    if state["loss"]:
        run.loss.load_state_dict(state["loss"])
    for name, part in state["callbacks"].items():
        callbacks[name].load_state_dict(part)
    run.history = History(state["history"])
    run.epoch = state["epoch"]
    random: Mapping[str, Any] = state["random"]
    return random


def named(callbacks: Iterable[Callback]) -> list[tuple[str, Callback]]:
    """Each callback with its class's name, numbered where there are several."""
    seen: dict[str, int] = {}
    found = []
    for callback in callbacks:
        name = type(callback).__name__
        seen[name] = seen.get(name, 0) + 1
        found.append((name if seen[name] == 1 else f"{name} {seen[name]}", callback))
    return found


def _loss_state(run: Run) -> dict[str, Any]:
    """The state of a loss that has one: weights of classes, or parameters of its own."""
    state_dict = getattr(run.loss, "state_dict", None)
    return dict(state_dict()) if callable(state_dict) else {}


def _compare(part: str, saved: Mapping[str, Any], own: Mapping[str, Any], path: Path) -> None:
    """Refuse the state of something else, and say in what it differs."""
    facts = [
        *(f"missing in the checkpoint: {name}, {_kind(own[name])}"
          for name in own if name not in saved),
        *(f"only in the checkpoint: {name}, {_kind(saved[name])}"
          for name in saved if name not in own),
        *(f"{name}: {_kind(saved[name])} in the checkpoint, {_kind(own[name])} here"
          for name in own if name in saved and _kind(own[name]) != _kind(saved[name])),
    ]  # fmt: skip
    if facts:
        more = len(facts) - MOST_LISTED
        listed = facts[:MOST_LISTED] + ([f"and {more} more"] if more > 0 else [])
        raise StateError(
            f"fit: the checkpoint is of another {part}.",
            [f"file: {path}", *listed],
            f"Make the {part} as it was when the checkpoint was saved.",
        )


def _compare_optimizers(run: Run, saved: Mapping[str, Any], path: Path) -> None:
    here = [len(group["params"]) for group in run.optimizer.param_groups]
    there = [len(group["params"]) for group in saved["param_groups"]]
    own = type(run.optimizer).__name__
    if (saved["class"], there) != (own, here):
        raise StateError(
            "fit: the checkpoint is of another optimizer.",
            [
                f"file: {path}",
                f"checkpoint: {saved['class']} with {_groups(there)}",
                f"here: {own} with {_groups(here)}",
            ],
            "Make the optimizer as it was when the checkpoint was saved.",
        )


def _groups(sizes: list[int]) -> str:
    return f"groups of {', '.join(map(str, sizes))} parameters"


def _kind(value: Any) -> str:
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    return type(value).__name__ if shape is None else f"{dtype} of shape {tuple(shape)}"


def _outline(state: Any) -> str:
    if not isinstance(state, dict):
        return type(state).__name__
    names = [str(key) for key in state]
    return ", ".join(names[:MOST_LISTED]) + (", ..." if len(names) > MOST_LISTED else "")
