"""What several test files need."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx_bytes(array):
    """An array as the bytes of an IDX file."""
    code = CODES[np.dtype(array.dtype).str[1:]]
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.fixture(scope="session")
def as_idx():
    return idx_bytes


@pytest.fixture
def write_mnist():
    """Writes the four files of the MNIST family, with images and labels by part."""

    def write(folder, parts, packed=False):
        folder.mkdir(parents=True, exist_ok=True)
        for part, (images, labels) in parts.items():
            for name, array in ((f"{part}-images-idx3", images), (f"{part}-labels-idx1", labels)):
                content = idx_bytes(array)
                if packed:
                    (folder / f"{name}-ubyte.gz").write_bytes(gzip.compress(content))
                else:
                    (folder / f"{name}-ubyte").write_bytes(content)

    return write
