"""The folder of a run: a new one, never one that holds something."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import click

from demograd.cli._config import CONFIG
from demograd.errors import ArgumentError, FileError

__all__ = ["CHECKPOINT", "WEIGHTS", "new_folder", "unfinished"]

RUNS = Path("runs")
WEIGHTS = "model.safetensors"
CHECKPOINT = "last.safetensors"
LONGEST_NAME = 100


def new_folder(out: Path | None, name: str) -> Path:
    """Make the folder of a new run.

    Args:
        out: the folder that the user wants; by default the next free ``runs/NAME-1``, ``-2``, ...
        name: of the data.

    Raises:
        ArgumentError: there is something in it.
        FileError: it cannot be made.
    """
    try:
        return _next_folder(name) if out is None else _empty_folder(out)
    except (OSError, ValueError) as error:
        if isinstance(error, (FileError, ArgumentError)):
            raise
        raise FileError(
            "train: the folder of the run cannot be made.",
            [
                f"folder: {RUNS if out is None else out}",
                f"reason: {getattr(error, 'strerror', None) or error}",
            ],
            "Give another one: --out DIR.",
        ) from error


def _next_folder(name: str) -> Path:
    # The name comes from a file's: nothing in it may lead out of the folder, or hide it.
    plain = re.sub(r"[^\w.-]+", "_", name, flags=re.ASCII).strip("._-")[:LONGEST_NAME] or "run"
    RUNS.mkdir(exist_ok=True)
    pattern = re.compile(rf"{re.escape(plain)}-(\d{{1,9}})")
    numbers = [
        int(match[1]) for entry in RUNS.iterdir() if (match := pattern.fullmatch(entry.name))
    ]
    number = max(numbers, default=0)
    while True:
        number += 1
        folder = RUNS / f"{plain}-{number}"
        try:
            folder.mkdir()
        except FileExistsError:
            continue  # another run was quicker
        return folder


def _empty_folder(out: Path) -> Path:
    if out.is_dir() and any(out.iterdir()):
        if (out / WEIGHTS).exists():
            found, mend = "a finished run", f"Train it further: --resume {out} --epochs 60."
        elif (out / CHECKPOINT).exists():
            found, mend = "a run that was interrupted", f"Go on with it: --resume {out}."
        else:
            found, mend = "other files", "Remove them."
        raise ArgumentError(
            "train: the folder of the run is not empty, and nothing is overwritten.",
            [f"folder: {out}", f"holds: {found}"],
            f"{mend} Or give another folder.",
        )
    out.mkdir(parents=True, exist_ok=True)
    return out


@contextlib.contextmanager
def unfinished(folder: Path, *, new: bool) -> Iterator[None]:
    """Around a run: say how to go on after an interrupt, and leave no folder without results.

    Args:
        folder: of the run.
        new: whether it was made for this run, so that it may be removed again.
    """
    try:
        yield
    except KeyboardInterrupt:
        if (folder / CHECKPOINT).exists():
            message = f"Interrupted. Go on with: demograd train --resume {folder}"
        else:
            message = "Interrupted before the first epoch was complete; nothing is kept."
        click.echo(f"\n{message}", err=True)
        raise click.exceptions.Exit(130) from None
    finally:
        if new and not (folder / CHECKPOINT).exists():
            (folder / CONFIG).unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # not empty: somebody else's files
                folder.rmdir()
                if folder.parent == RUNS:
                    RUNS.rmdir()
