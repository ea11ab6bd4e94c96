"""A user's own arrays, from an ``.npz`` file."""

from __future__ import annotations

import zlib
from math import prod
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, cast

import numpy as np

from demograd.data._dataset import TensorDataset
from demograd.data._files import DEFLATE_RATIO, open_file
from demograd.errors import DataError

if TYPE_CHECKING:
    from zipfile import ZipFile

__all__ = ["Header", "load_npz"]

MEND = "numpy.savez_compressed(file, x=x, y=y)"
MOST_LISTED = 10
# What zipfile and NumPy raise on damaged, encrypted or exotically packed members.
DAMAGE = (ValueError, EOFError, OSError, RuntimeError, zlib.error)


class Header(NamedTuple):
    """What an array's header says, before any of its values is read."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def __str__(self) -> str:
        return f"{self.dtype} of shape {self.shape}"


def load_npz(path: str | PathLike[str]) -> TensorDataset:
    """Read the arrays ``x`` and ``y`` of an ``.npz`` file as a dataset.

    Args:
        path: a file written by ``numpy.savez`` or ``numpy.savez_compressed``. ``x`` holds the
            ``N`` inputs, ``(N, ...)``, and ``y`` the ``N`` targets, ``(N,)`` or ``(N, ...)``.
            Other arrays in the file are not read, and nothing is ever unpickled.

    Returns:
        A dataset of ``x`` as float32 and of ``y`` as int64 if it holds whole numbers (class
        labels), as float32 if it does not. Values are not scaled.

    Raises:
        DataError: the file is no ``.npz`` file or is damaged; ``x`` or ``y`` is missing, empty,
            not numeric or not finite; or their lengths differ.
        FileError: the file cannot be opened (a ``FileNotFoundError`` if it is not there).

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "own.npz")
    ...     np.savez(file, x=np.ones((3, 2)), y=np.array([0, 1, 0]))
    ...     dataset = load_npz(file)
    >>> len(dataset), dataset.tensors[0].shape
    (3, (3, 2))
    """
    from zipfile import BadZipFile, ZipFile  # Slow to import, and needed here alone.

    path = Path(path)
    with open_file("load_npz", path) as file:
        start = file.read(6)
        file.seek(0)
        try:
            archive = ZipFile(file)
        except (BadZipFile, *DAMAGE) as error:
            found = "a single .npy array" if start == b"\x93NUMPY" else start.hex(" ") or "nothing"
            raise DataError(
                "load_npz: this is not an .npz file.",
                [f"file: {path}", f"found at its start: {found}"],
                MEND,
            ) from error
        with archive:
            names = [n.removesuffix(".npy") for n in archive.namelist() if n.endswith(".npy")]
            headers = {name: _header(archive, name) for name in names}
            facts = [f"file: {path}", *_holds(headers)]
            _check_headers(headers, facts)
            x, y = (_read(archive, name, facts) for name in ("x", "y"))
    x = _as_float32("x", x, facts)
    y = y.astype(np.int64) if y.dtype.kind in "biu" else _as_float32("y", y, facts)
    return TensorDataset(x, y)


def _header(archive: ZipFile, name: str) -> Header | str:
    """Shape and type of an array, or in words why they cannot be had."""
    from zipfile import BadZipFile

    info = archive.getinfo(f"{name}.npy")
    try:
        with archive.open(info) as opened:
            member = cast(BinaryIO, opened)
            version = np.lib.format.read_magic(member)
            read = {
                (1, 0): np.lib.format.read_array_header_1_0,
                (2, 0): np.lib.format.read_array_header_2_0,
            }.get(version)
            if read is None:
                return f"unreadable (.npy format {version[0]}.{version[1]})"
            shape, _, dtype = read(member)
            said = member.tell() + prod(shape) * dtype.itemsize
    except (BadZipFile, *DAMAGE) as error:
        return f"unreadable ({str(error).splitlines()[0] if str(error) else 'cut short'})"
    if not dtype.hasobject and said != info.file_size:
        return f"unreadable (its header says {said} bytes, but {info.file_size} are stored)"
    if info.file_size > DEFLATE_RATIO * info.compress_size:
        return f"unreadable ({info.file_size} bytes cannot come of {info.compress_size} packed)"
    return Header(shape, dtype)


def _holds(headers: dict[str, Header | str]) -> list[str]:
    """One line an array, for messages; a file of thousands does not flood the terminal."""
    lines = [f"holds: {name!r}, {header}" for name, header in headers.items()]
    more = len(lines) - MOST_LISTED
    return lines[:MOST_LISTED] + ([f"holds: {more} more"] if more > 0 else [])


def _check_headers(headers: dict[str, Header | str], facts: list[str]) -> None:
    """Refuse what can be told to be of no use before a value is read."""
    missing = [name for name in ("x", "y") if name not in headers]
    if missing:
        facts = facts if headers else [*facts, "holds: no arrays"]
        raise DataError(f"load_npz: the file has no {' and no '.join(missing)}.", facts, MEND)
    rows = []
    for name in ("x", "y"):
        header = headers[name]
        if isinstance(header, str):
            raise DataError(f"load_npz: {name} cannot be read.", facts, MEND)
        if header.dtype.kind not in "biuf":
            raise DataError(
                f"load_npz: {name} does not hold real numbers.",
                facts,
                f"{name} = numpy.asarray({name}, dtype=numpy.float32), before it is saved.",
            )
        if not header.shape or prod(header.shape) == 0:
            raise DataError(
                f"load_npz: {name} is {'empty' if header.shape else 'a single number'}.",
                facts,
                "Save at least one sample, along the first dimension.",
            )
        rows.append(header.shape[0])
    if rows[0] != rows[1]:
        raise DataError(
            f"load_npz: x has {rows[0]} samples and y has {rows[1]}.",
            facts,
            "Row i of x belongs to row i of y: save as many of each.",
        )


def _read(archive: ZipFile, name: str, facts: list[str]) -> np.ndarray[Any, np.dtype[Any]]:
    from zipfile import BadZipFile

    try:
        with archive.open(f"{name}.npy") as member:
            array: np.ndarray[Any, np.dtype[Any]] = np.lib.format.read_array(
                cast(BinaryIO, member), allow_pickle=False
            )
    except (BadZipFile, *DAMAGE) as error:
        raise DataError(
            f"load_npz: {name} is damaged.", [*facts, f"reason: {error}"], MEND
        ) from error
    return array


def _as_float32(
    name: str, array: np.ndarray[Any, np.dtype[Any]], facts: list[str]
) -> np.ndarray[Any, np.dtype[np.float32]]:
    with np.errstate(over="ignore"):
        out = array.astype(np.float32)
    wrong = np.argwhere(~np.isfinite(out))
    if len(wrong):
        place = tuple(wrong[0].tolist())
        raise DataError(
            f"load_npz: {name} has values that are not finite in float32.",
            [
                *facts,
                f"not finite: {len(wrong)} of {out.size}",
                f"first: {array[place]} at {name}[{', '.join(map(str, place))}]",
            ],
            f"keep = numpy.isfinite({name}).reshape(len({name}), -1).all(axis=1)",
        )
    return out
