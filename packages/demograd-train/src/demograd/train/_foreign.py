"""What a file looks like that is no safetensors file, and how to make one of it."""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile, ZipFile

__all__ = ["MAX_HEADER", "looks_like"]

# The largest header that the safetensors library reads.
MAX_HEADER = 100_000_000

PLAIN = "dg.load reads what dg.save and the safetensors library write."
ARRAYS = "dg.save({name: dg.tensor(array) for name, array in numpy.load(file).items()}, path)"
TORCH = """\
Convert it where PyTorch is installed, if you trust who made it (opening it may run code):
  state = torch.load("model.pt", weights_only=True, map_location="cpu")
  state = {name: value.contiguous().clone() for name, value in state.items()}
  safetensors.torch.save_file(state, "model.safetensors")"""

# By how a file begins. The first byte of a pickle is 0x80 and the second its protocol.
STARTS: tuple[tuple[bytes, str, str], ...] = (
    (b"\x93NUMPY", "looks like a single NumPy array (.npy)", "dg.tensor(numpy.load(file))"),
    *(
        (bytes([0x80, protocol]), "looks like a Python pickle, as older PyTorch files are", TORCH)
        for protocol in range(2, 6)
    ),
    (b"\x89HDF\r\n\x1a\n", "looks like an HDF5 file, as Keras writes them", PLAIN),
    (b"GGUF", "looks like a GGUF file", PLAIN),
    (b"\x1f\x8b", "looks like a gzip file", "Unpack it first: gunzip."),
    (b"\x89PNG", "looks like a picture", PLAIN),
    (b"version https://git-lfs", "is a pointer of Git LFS to the real one", "git lfs pull"),
)


def looks_like(path: Path, start: bytes) -> tuple[str, str] | None:
    """What the file seems to be and what to do, or None if it begins as a safetensors file.

    Args:
        path: the file, which is opened only if it is a zip archive.
        start: its first bytes, 64 of them if it has so many.
    """
    if not start:
        return "is empty", "Use another copy of it, or an earlier checkpoint."
    size = int.from_bytes(start[:8], "little")
    if start[8:9] == b"{":
        if size <= MAX_HEADER:
            return None
        return f"says that its header has {size} bytes", PLAIN
    if start.startswith(b"PK"):
        return _zip(path)
    for beginning, what, mend in STARTS:
        if start.startswith(beginning):
            return what, mend
    if len(start) <= 8:
        return f"has only {len(start)} bytes", "Use another copy of it, or an earlier checkpoint."
    if all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in start):
        return "looks like text", PLAIN
    return f"begins with {start[:8].hex(' ')}", PLAIN


def _zip(path: Path) -> tuple[str, str]:
    try:
        with ZipFile(path) as archive:
            names = archive.namelist()
    except (BadZipFile, OSError, ValueError):
        names = []
    if any(name.endswith("data.pkl") for name in names):
        return "looks like a PyTorch file, a zip archive around a pickle", TORCH
    if any(name.endswith(".npy") for name in names):
        return "looks like an archive of NumPy arrays (.npz)", ARRAYS
    return "looks like a zip archive", PLAIN
