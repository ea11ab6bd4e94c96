"""IDX, the file format of the MNIST family."""

from __future__ import annotations

import os
from math import prod
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from demograd.data._files import DEFLATE_RATIO, open_file
from demograd.errors import DataError

__all__ = ["read_idx"]

TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MOST_DIMENSIONS = 64  # NumPy's own limit.
PIECE = 1 << 20
MEND = "Fetch the file again, or look at what wrote it."


def read_idx(path: str | PathLike[str]) -> np.ndarray[Any, np.dtype[Any]]:
    """Read an IDX file, gzipped or not, into an array.

    The format is two zero bytes, a byte for the type, a byte for the number of dimensions, the
    sizes as big-endian 32-bit numbers, and the values, big-endian, in C order. Whether the file
    is gzipped is told from its first bytes, not from its name.

    Nothing is allocated on the header's word alone: its sizes are first held against the file's
    own, and a gzipped file is unpacked no further than the header says.

    Args:
        path: the file.

    Returns:
        An array of the shape and the type that the header names (uint8, int8, int16, int32,
        float32 or float64), in the machine's byte order.

    Raises:
        DataError: the file is no IDX file, is damaged, or is shorter or longer than it says.
        FileError: the file cannot be opened (a ``FileNotFoundError`` if it is not there).

    Source: Y. LeCun, C. Cortes and C. Burges, "The MNIST database of handwritten digits".

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "labels-idx1-ubyte")
    ...     _ = file.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9]))
    ...     read_idx(file)
    array([7, 8, 9], dtype=uint8)
    """
    # Both are needed here alone, and are slow to import for what they are.
    import gzip
    import zlib

    path = Path(path)
    with open_file("read_idx", path) as raw:
        size = os.fstat(raw.fileno()).st_size
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        if not packed:
            return _read(raw, path, size)
        try:
            with gzip.GzipFile(fileobj=raw) as unpacked:
                return _read(cast(BinaryIO, unpacked), path, size, DEFLATE_RATIO)
        except (EOFError, OSError, zlib.error) as error:
            raise DataError(
                "read_idx: the gzipped file is damaged.",
                [f"file: {path}, {size} bytes", f"reason: {error}"],
                MEND,
            ) from error


def _read(file: BinaryIO, path: Path, size: int, ratio: int = 1) -> np.ndarray[Any, np.dtype[Any]]:
    """Read header and values of a file of ``size`` bytes, unpacked at most ``ratio`` as long."""
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in TYPES:
        raise DataError(
            "read_idx: this is not an IDX file.",
            [
                f"file: {path}",
                "expected: 00 00, then 08, 09, 0b, 0c, 0d or 0e, then the number of dimensions",
                f"found: {magic.hex(' ') or 'an empty file'}",
            ],
            "IDX files have names such as train-images-idx3-ubyte.gz.",
        )
    dimensions = magic[3]
    if not 1 <= dimensions <= MOST_DIMENSIONS:
        raise DataError(
            "read_idx: the number of dimensions is out of range.",
            [f"file: {path}", f"expected: 1 to {MOST_DIMENSIONS}", f"found: {dimensions}"],
            MEND,
        )
    sizes = file.read(4 * dimensions)
    if len(sizes) < 4 * dimensions:
        raise _too_short(path, 4 + 4 * dimensions, 4 + len(sizes))
    shape = tuple(np.frombuffer(sizes, dtype=">u4").tolist())
    dtype = np.dtype(TYPES[magic[2]])
    values = f"header: shape {shape} of {dtype.newbyteorder('=')}"
    start = 4 + 4 * dimensions
    end = start + prod(shape) * dtype.itemsize  # Python's integers do not overflow.
    if end > size * ratio:
        if ratio == 1:
            raise _too_short(path, end, size)
        raise DataError(
            "read_idx: the header promises more than the file can hold.",
            [
                f"file: {path}",
                values,
                f"expected: {end} bytes",
                f"found: {size} bytes, which cannot unpack to more than {size * ratio}",
            ],
            MEND,
        )
    try:
        out = np.empty(shape, dtype)
    except ValueError as error:  # Sizes such as (0, 2**32 - 1, 2**32 - 1): no bytes, yet too big.
        raise DataError(
            "read_idx: the header's sizes are too big for an array.",
            [f"file: {path}", values],
            MEND,
        ) from error
    flat = out.reshape(-1).view(np.uint8)
    done = 0
    while start + done < end:
        # By pieces, since a gzipped file copies each piece once more.
        count = cast(Any, file).readinto(flat[done : done + PIECE])
        if not count:
            raise _too_short(path, end, start + done)
        done += count
    # Reading past the end is also what makes gzip compare the checksum.
    if file.read(1):
        raise DataError(
            "read_idx: the file goes on after the last value.",
            [f"file: {path}", values, f"expected: {end} bytes", "found: more"],
            MEND,
        )
    return out.astype(dtype.newbyteorder("="), copy=False)


def _too_short(path: Path, expected: int, found: int) -> DataError:
    return DataError(
        "read_idx: the file is cut short.",
        [f"file: {path}", f"expected: {expected} bytes", f"found: {found} bytes"],
        MEND,
    )
