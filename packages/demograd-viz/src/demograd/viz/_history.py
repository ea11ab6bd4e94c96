"""Reading what a training run measured, in whatever form it comes."""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from demograd.errors import ArgumentTypeError, DataError, FileError

__all__ = ["Columns", "read_history"]

Columns = dict[str, list[float]]


def read_history(history: Any) -> Columns:
    """The columns of a history; ``nan`` where a row lacks a number.

    Args:
        history: rows (a list of dictionaries, or anything that gives them when iterated),
            columns (a dictionary of lists), either of them under ``"epochs"``, or the path of
            a ``.json`` or ``.csv`` file with such contents.

    Raises:
        FileError: the file cannot be read.
        DataError: it holds no history, or columns differ in length.
        ArgumentTypeError: the history is none of these.
    """
    source = "history"
    if isinstance(history, (str, os.PathLike)):
        source = os.fspath(history)
        history = _read_file(Path(history))
    if isinstance(history, Mapping) and "epochs" in history:
        history = history["epochs"]
    if isinstance(history, Mapping):
        columns = {str(name): _numbers(values, source) for name, values in history.items()}
    elif isinstance(history, Iterable):
        columns = _from_rows(list(history), source)
    else:
        raise ArgumentTypeError(
            f"history: expected rows, columns or a path, not {type(history).__name__}.",
            mend="For example [{'epoch': 1, 'loss': 0.5}], {'loss': [0.5]}, or 'history.json'.",
        )
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(
            "history: the columns differ in length.",
            [f"{name}: {length}" for name, length in lengths.items()],
        )
    return columns


def _read_file(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise FileError(
            "history: the file cannot be read.",
            [f"path: {path}", f"{type(error).__name__}: {error.strerror}"],
        ) from error
    except UnicodeDecodeError as error:
        raise _no_history(str(path), "it is not text") from error
    if path.suffix.lower() == ".csv":
        return list(csv.DictReader(text.splitlines()))
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise _no_history(str(path), str(error)) from error


def _from_rows(rows: list[Any], source: str) -> Columns:
    for number, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise _no_history(source, f"row {number}: {type(row).__name__}, not a dictionary")
    names = dict.fromkeys(str(name) for row in rows for name in row)
    return {name: _numbers([row.get(name) for row in rows], source) for name in names}


def _numbers(values: Any, source: str) -> list[float]:
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise _no_history(source, f"a column is {type(values).__name__}, not a list")
    numbers = []
    for value in values:
        try:
            numbers.append(math.nan if value is None or value == "" else float(value))
        except (TypeError, ValueError) as error:
            raise _no_history(source, f"not a number: {value!r}") from error
    return numbers


def _no_history(source: str, fact: str) -> DataError:
    return DataError(
        "history: this is not the history of a training run.",
        [f"from: {source}", fact],
        "A history has a row for each epoch, such as {'epoch': 1, 'loss': 0.5, 'val_loss': 0.6}.",
    )
