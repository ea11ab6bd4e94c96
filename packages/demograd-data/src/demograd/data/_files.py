"""Opening of files whose content is not to be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from demograd.errors import FileError, MissingFileError

__all__ = ["DEFLATE_RATIO", "open_file"]

# Deflate's longest match, 258 bytes, takes at least two bits (RFC 1951, 3.2.5), so no honest
# file unpacks to more than this many times its size. What promises more is not even begun.
DEFLATE_RATIO = 258 * 8 // 2


def open_file(operation: str, path: Path) -> BinaryIO:
    """``path`` opened for reading, or one error that names it.

    Pipes and devices are refused, because they have no size to check a header against.
    """
    if not path.exists():
        raise MissingFileError(
            f"{operation}: there is no such file.",
            [f"file: {path}"],
            f"Look at what is there: ls {path.parent}",
        )
    if not path.is_file():
        raise FileError(
            f"{operation}: this is not a regular file.",
            [f"file: {path}"],
            "Give the path of the file itself.",
        )
    try:
        return path.open("rb")
    except OSError as error:
        raise FileError(
            f"{operation}: the file cannot be opened.",
            [f"file: {path}", f"reason: {error.strerror}"],
            f"Look at its owner and mode: ls -l {path}",
        ) from error
