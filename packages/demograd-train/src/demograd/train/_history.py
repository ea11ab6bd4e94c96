"""What a training run measured, epoch by epoch."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from os import PathLike
from typing import overload

from demograd.errors import ArgumentError
from demograd.train._files import write_atomically

__all__ = ["History"]

Row = dict[str, float]


class History:
    """The numbers of each epoch: a list of rows that also gives columns.

    A row has ``epoch`` (from 1), ``loss``, the metrics by name, the same of the validation with
    ``val_`` before the name, and ``lr``, the learning rate of the first parameter group.

    Args:
        rows: to begin with.

    >>> history = History([{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25}])
    >>> history["loss"], history[-1]["epoch"], len(history)
    ([0.5, 0.25], 2, 2)
    """

    def __init__(self, rows: Iterable[Mapping[str, float]] = ()) -> None:
        self._rows: list[Row] = [dict(row) for row in rows]

    @overload
    def __getitem__(self, key: int) -> Row: ...
    @overload
    def __getitem__(self, key: slice) -> list[Row]: ...
    @overload
    def __getitem__(self, key: str) -> list[float]: ...
    def __getitem__(self, key: int | slice | str) -> Row | list[Row] | list[float]:
        """A row by number, or a column by name; where an epoch lacks it, ``nan``."""
        if not isinstance(key, str):
            return self._rows[key]
        if key not in self.names:
            raise ArgumentError(
                f"history: there is no column {key!r}.",
                [f"columns: {', '.join(self.names) or 'none'}"],
                'history["loss"]',
            )
        return [row.get(key, math.nan) for row in self._rows]

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        return f"<History of {len(self)} epochs: {', '.join(self.names)}>"

    @property
    def names(self) -> list[str]:
        """The columns, in the order in which they came up."""
        return list(dict.fromkeys(name for row in self._rows for name in row))

    def append(self, row: Mapping[str, float]) -> None:
        """Add the numbers of another epoch."""
        self._rows.append(dict(row))

    def to_json(self) -> str:
        """``{"epochs": [row, ...]}``; what is not finite, which JSON lacks, is ``null``."""
        rows = [{k: v if math.isfinite(v) else None for k, v in row.items()} for row in self]
        return json.dumps({"epochs": rows}, indent=2, allow_nan=False) + "\n"

    def to_csv(self) -> str:
        """A line of names and a line an epoch; what is lacking or not finite is empty."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(self.names)
        for row in self:
            values = [row.get(name, math.nan) for name in self.names]
            writer.writerow([repr(value) if math.isfinite(value) else "" for value in values])
        return out.getvalue()

    def save(self, path: str | PathLike[str]) -> None:
        """Write it as CSV where the path ends in ``.csv``, else as JSON, whole or not at all.

        Raises:
            FileError: the file cannot be written.
        """
        text = self.to_csv() if str(path).endswith(".csv") else self.to_json()
        write_atomically(path, text, operation="History.save")
