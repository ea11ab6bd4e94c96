"""``dg.save`` and ``dg.load``: states in safetensors files, whole or not at all."""

from __future__ import annotations

import json
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from demograd import Tensor
from demograd.errors import FileError, MissingFileError
from demograd.train._files import as_path, write_atomically
from demograd.train._foreign import MAX_HEADER, looks_like
from demograd.train._tree import KEY, from_text, to_text

__all__ = ["load", "save"]

Array = np.ndarray[Any, np.dtype[Any]]

# What safetensors calls the types that NumPy has. BF16 is the upper half of a float32.
TYPES = {
    "BOOL": "bool", "I8": "int8", "I16": "int16", "I32": "int32", "I64": "int64", "U8": "uint8",
    "U16": "uint16", "U32": "uint32", "U64": "uint64", "F16": "float16", "F32": "float32",
    "F64": "float64", "C64": "complex64",
}  # fmt: skip


def save(obj: Any, path: str | PathLike[str]) -> None:
    """Write a state to a safetensors file.

    The file is there whole or, whatever happens, as it was before. Nothing in it can run code.
    The tensors of a plain state dict stand under their own names, so that
    ``safetensors.torch.load_file`` reads it; those of nested dictionaries under their path
    (``optimizer.state.0.exp_avg``).

    Args:
        obj: a Tensor, or dictionaries (with strings or integers as keys), lists and tuples of
            Tensors, NumPy arrays and numbers, Python numbers, strings and ``None``, nested as
            they are. Values alone are kept: a tensor comes back without its graph, its
            ``requires_grad`` and its name.
        path: the file, ``.safetensors`` by custom.

    Raises:
        ArgumentTypeError: something in ``obj`` is none of these.
        FileError: the file cannot be written, and the former one is as it was.

    Source: Hugging Face, "Safetensors", format 0.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "state.safetensors")
    ...     save({"weight": Tensor([1.0, 2.0]), "epoch": 3, "betas": (0.9, 0.999)}, path)
    ...     load(path)
    {'weight': tensor([1., 2.]), 'epoch': 3, 'betas': (0.9, 0.999)}
    """
    from safetensors.numpy import save as as_bytes

    text, arrays = to_text(obj, "save")
    try:
        content = as_bytes(arrays, metadata={KEY: text})
    except UnicodeEncodeError as error:
        raise FileError(
            "save: a name cannot be written, because it is not valid Unicode.",
            [f"file: {path}", f"name: {error.object!r}"],
            "Give the tensors other names.",
        ) from error
    write_atomically(path, content, operation="save")


def load(path: str | PathLike[str]) -> Any:
    """Read a safetensors file: what :func:`save` wrote, or anybody's named tensors.

    Nothing is unpickled, and what a hostile file says is believed only as far as it can be
    checked. bfloat16, which NumPy lacks, becomes float32 without loss.

    Args:
        path: the file.

    Returns:
        What was saved; of another program's file, a dictionary from names to Tensors.

    Raises:
        FileError: it is no safetensors file (the message says what it looks like), or it is
            damaged or cut short, or cannot be read; a ``FileNotFoundError`` if it is not there.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "weights.pt")
    ...     _ = path.write_bytes(b"PK not really")
    ...     load(path)
    Traceback (most recent call last):
        ...
    demograd.errors.FileError: load: this is not a safetensors file, but looks like a zip archive.
      file: ...weights.pt
    dg.load reads what dg.save and the safetensors library write.
    """
    path = as_path(path, "load")
    content = _read(path)
    header, arrays = _parse(path, content)
    text = (header.get("__metadata__") or {}).get(KEY)
    if text is None:
        return {name: _tensor(path, name, array) for name, array in arrays.items()}
    try:
        return from_text(text, arrays)
    except ValueError as error:
        raise _damaged(path, str(error)) from error


def _read(path: Path) -> bytes:
    """The bytes of the file, once its start shows that it is a safetensors file."""
    try:
        if not path.exists():
            raise MissingFileError(
                "load: there is no such file.",
                [f"file: {path}"],
                f"Look at what is there: ls {path.parent}",
            )
        if not path.is_file():
            raise FileError(
                "load: this is not a regular file.",
                [f"file: {path}"],
                "Give the path of the file itself.",
            )
        with path.open("rb") as file:
            start = file.read(64)
            foreign = looks_like(path, start)
            if foreign is not None:
                what, mend = foreign
                raise FileError(
                    f"load: this is not a safetensors file, but {what}.", [f"file: {path}"], mend
                )
            return start + file.read()
    except FileError:
        raise
    except (OSError, ValueError) as error:
        raise FileError(
            "load: the file cannot be read.",
            [f"file: {path}", f"reason: {getattr(error, 'strerror', None) or error}"],
            f"Look at its owner and mode: ls -l {path}",
        ) from error


def _parse(path: Path, content: bytes) -> tuple[dict[str, Any], dict[str, Array]]:
    """The header, and the arrays by name in the header's order."""
    from safetensors import SafetensorError, deserialize

    end = 8 + int.from_bytes(content[:8], "little")
    if end > len(content) or end > MAX_HEADER:
        raise _damaged(path, f"its header would end at byte {end}, the file at {len(content)}")
    try:
        # The library checks types, shapes and offsets against the size of the file.
        found = dict(deserialize(content))  # type: ignore[no-untyped-call]
        header: dict[str, Any] = json.loads(content[8:end])
    except (SafetensorError, ValueError, RecursionError) as error:
        raise _damaged(path, _reason(content, end, str(error))) from error
    arrays = {}
    for name in header:
        if name != "__metadata__":
            arrays[name] = _array(path, name, found[name])
    return header, arrays


def _array(path: Path, name: str, found: dict[str, Any]) -> Array:
    kind, shape = found["dtype"], tuple(found["shape"])
    try:
        if kind == "BOOL":  # any other byte than 0 and 1 would be neither true nor false
            return np.frombuffer(found["data"], np.uint8).reshape(shape).astype(np.bool_)
        if kind == "BF16":
            halves = np.frombuffer(found["data"], "<u2").astype(np.uint32)
            return (halves << 16).view(np.float32).reshape(shape)
        if kind in TYPES:
            stored = np.dtype(TYPES[kind]).newbyteorder("<")
            array: Array = np.frombuffer(found["data"], stored).reshape(shape)
            return array.astype(TYPES[kind], copy=not array.flags.writeable)
    except ValueError as error:
        raise _damaged(path, f"{name!r} has the shape {shape}, which no array can have") from error
    raise FileError(
        f"load: {name!r} has the type {kind}, which NumPy does not have.",
        [f"file: {path}"],
        "Convert it where it was made, to F32 for example.",
    )


def _tensor(path: Path, name: str, array: Array) -> Tensor:
    try:
        return Tensor(array)
    except TypeError as error:
        raise FileError(
            f"load: {name!r} has the type {array.dtype}, which a Tensor cannot have.",
            [f"file: {path}"],
            "Convert it where it was made, to I64 for example.",
        ) from error


def _reason(content: bytes, end: int, said: str) -> str:
    """Why the library refused it: that the file was cut short, if so it was."""
    try:
        header = json.loads(content[8:end])
        wanted = max(part["data_offsets"][1] for key, part in header.items() if key[:2] != "__")
    except (ValueError, RecursionError, TypeError, KeyError, IndexError, AttributeError):
        return said
    there = len(content) - end
    if isinstance(wanted, int) and wanted > there:
        return f"its header describes {wanted} bytes of values, and {there} are there"
    return said


def _damaged(path: Path, reason: str) -> FileError:
    return FileError(
        "load: the file is damaged, or was cut short.",
        [f"file: {path}", f"reason: {reason}"],
        "Use another copy of it, or an earlier checkpoint.",
    )
