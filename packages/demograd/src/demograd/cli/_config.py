"""What a run is made of: chosen once, written beside its results, read again to go on."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

import demograd
from demograd.errors import FileError, StateError

__all__ = ["CONFIG", "Config", "read_config", "write_config"]

CONFIG = "config.json"


@dataclass(frozen=True)
class Config:
    """The choices of a run; the options of ``demograd train`` in the same order.

    ``data`` is the path of the user's file, None for the bundled digits, and ``settings`` are
    those of the optimizer that were given, ``lr`` among them.
    """

    data: str | None = None
    hidden: tuple[int, ...] = (128, 64)
    dropout: float = 0.0
    optimizer: str = "adam"
    settings: dict[str, Any] = field(default_factory=dict)
    label_smoothing: float = 0.1
    batch_size: int = 16
    epochs: int = 30
    seed: int = 0


# What each may be when it is read from a file, which somebody may have edited.
KINDS: dict[str, tuple[type, ...]] = {
    "data": (str, type(None)), "hidden": (list,), "dropout": (float, int), "optimizer": (str,),
    "settings": (dict,), "label_smoothing": (float, int), "batch_size": (int,), "epochs": (int,),
    "seed": (int,),
}  # fmt: skip


def write_config(folder: Path, config: Config, about: dict[str, Any]) -> Path:
    """Write the choices, what is known of the data, and the versions."""
    from demograd.train import write_atomically

    content = {
        "config": asdict(config),
        "data": about,
        "versions": {
            "demograd": demograd.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }
    text = json.dumps(content, indent=2) + "\n"
    return write_atomically(folder / CONFIG, text, operation="train")


def read_config(folder: Path) -> tuple[Config, dict[str, Any]]:
    """The choices of a run, and what was known of its data.

    Raises:
        FileError: there is none, or it cannot be read.
        StateError: it holds something else.
    """
    path = folder / CONFIG
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise FileError(
            "train: this is not the folder of a run.",
            [f"file: {path}", f"reason: {error.strerror}"],
            "--resume takes the folder that an earlier run has printed, such as runs/digits-1.",
        ) from error
    except (ValueError, RecursionError) as error:
        raise _wrong(path, f"it is no JSON ({error})") from error
    if not isinstance(content, dict) or not isinstance(content.get("data"), dict):
        raise _wrong(path, "it is not what a run has written")
    chosen = content.get("config")
    names = [each.name for each in fields(Config)]
    if not isinstance(chosen, dict) or sorted(chosen) != sorted(names):
        raise _wrong(path, f"it must hold {', '.join(names)}")
    for name, value in chosen.items():
        if not isinstance(value, KINDS[name]) or isinstance(value, bool):
            raise _wrong(path, f"{name} is {value!r}")
    if not all(type(width) is int and width > 0 for width in chosen["hidden"]):
        raise _wrong(path, f"hidden is {chosen['hidden']!r}")
    if min(chosen["epochs"], chosen["batch_size"], chosen["seed"] + 1) < 1:
        raise _wrong(path, "a number is below its range")
    return Config(**{**chosen, "hidden": tuple(chosen["hidden"])}), content["data"]


def _wrong(path: Path, reason: str) -> StateError:
    return StateError(
        "train: the choices of the run cannot be read.",
        [f"file: {path}", f"reason: {reason}"],
        "Put back the file as it was, or start anew.",
    )
