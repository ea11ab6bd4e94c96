"""Files that are there whole or not at all."""

from __future__ import annotations

import errno
import os
import threading
from os import PathLike
from pathlib import Path

from demograd.errors import ArgumentTypeError, FileError

__all__ = ["PARTIAL", "as_path", "make_folder", "write_atomically"]

# What an unfinished file is called; it stands beside the file that it is to become.
PARTIAL = ".partial"

NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
NOT_ALLOWED = {errno.EACCES, errno.EPERM, errno.EROFS}
# What a file system says that cannot flush a folder. The file itself is on the disk by then.
NO_FOLDER_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EBADF}


def write_atomically(
    path: str | PathLike[str], content: bytes | str, *, operation: str = "write_atomically"
) -> Path:
    """Write a file so that it is there whole or, whatever happens, as it was before.

    The content goes into a new file in the same folder, which is flushed to the disk and then
    takes the old one's place in one step; the folder is flushed as well. A crash, a full disk, a
    signal or a power failure on the way leaves the old file. An error or an interrupt also
    removes the new one; only a process that is killed leaves it behind, under a name that ends
    in ``.partial``.

    Args:
        path: the file; a link is followed, and an existing file's mode is kept.
        content: bytes, or text that is written as UTF-8.
        operation: what a message calls the operation.

    Returns:
        The path.

    Raises:
        FileError: the file cannot be written; the former one is as it was.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_atomically(pathlib.Path(folder, "a.txt"), "whole")
    ...     path.read_text(), [entry.name for entry in path.parent.iterdir()]
    ('whole', ['a.txt'])
    """
    path = as_path(path, operation)
    data = content.encode() if isinstance(content, str) else content
    try:
        _replace(Path(os.path.realpath(path)), data)
    except (OSError, ValueError) as error:
        headline = f"{operation}: the file cannot be written, and nothing was changed."
        raise FileError(headline, *_reason("file", path, error)) from error
    return path


def make_folder(path: Path, *, operation: str) -> None:
    """Make a folder and those above it, so that a wrong one is found before hours of training.

    Raises:
        FileError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        headline = f"{operation}: the folder cannot be made."
        raise FileError(headline, *_reason("folder", path, error)) from error


def as_path(path: str | PathLike[str], operation: str) -> Path:
    """``path`` as a Path; refuses what is none."""
    try:
        return Path(path)
    except TypeError as error:
        raise ArgumentTypeError(
            f"{operation}: path must be a string or a path.",
            [f"path: {type(path).__name__}"],
            f'{operation}(..., "model.safetensors")',
        ) from error


def _reason(kind: str, path: Path, error: OSError | ValueError) -> tuple[list[str], str]:
    """Why a path could not be written, and what to do."""
    reason = getattr(error, "strerror", None) or str(error)
    number = getattr(error, "errno", None)
    if number in NO_ROOM:
        mend = "Free some space, or write to another disk."
    elif number in NOT_ALLOWED:
        mend = f"Look at the folder's owner and mode: ls -ld {path.parent}"
    elif number == errno.ENOENT:
        mend = f"Make the folder first: mkdir -p {path.parent}"
    else:
        mend = "Give another path."
    return [f"{kind}: {path}", f"reason: {reason}"], mend


def _replace(target: Path, data: bytes) -> None:
    if target.exists() and not target.is_file():
        # Replacing a folder fails late, and replacing a device would remove it.
        raise OSError(errno.EEXIST, "it is a folder" if target.is_dir() else "it is no plain file")
    mode = target.stat().st_mode & 0o7777 if target.exists() else None
    # One thread writes one file at a time, so this name is its own.
    partial = target.with_name(f".{os.getpid()}-{threading.get_ident()}{PARTIAL}")
    partial.unlink(missing_ok=True)
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with open(os.open(partial, flags, 0o666), "wb") as file:
            if mode is not None:
                os.chmod(partial, mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, target)
    except BaseException:  # an interrupt as well: it must leave nothing behind
        partial.unlink(missing_ok=True)
        raise
    _flush_folder(target.parent)


def _flush_folder(folder: Path) -> None:
    """Make the new name itself outlive a power failure."""
    if os.name == "nt":
        return  # Windows opens no folders, and orders its own journal.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in NO_FOLDER_SYNC:
            raise
    finally:
        os.close(descriptor)
