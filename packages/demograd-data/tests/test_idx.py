"""The IDX reader, on sound files and on hostile ones."""

from __future__ import annotations

import gzip
import os
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from demograd.data import read_idx
from demograd.errors import DataError, DemogradError, FileError, MissingFileError

TYPES = ["u1", "i1", "i2", "i4", "f4", "f8"]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("dtype", TYPES)
def test_an_array_comes_back_as_it_was_written(tmp_path, as_idx, dtype, packed):
    array = np.arange(24).reshape(2, 3, 4).astype(dtype) - np.dtype(dtype).type(3)
    path = tmp_path / "array"
    path.write_bytes(gzip.compress(as_idx(array)) if packed else as_idx(array))
    read = read_idx(path)
    assert np.array_equal(read, array)
    assert read.dtype == np.dtype(dtype)
    assert read.dtype.isnative
    assert read.flags.c_contiguous
    assert read.flags.writeable


@settings(max_examples=40, deadline=None)  # Files are slow on some machines.
@given(st.data())
def test_every_shape_comes_back(as_idx, tmp_path_factory, data):
    shape = data.draw(array_shapes(min_dims=1, max_dims=5, min_side=0, max_side=4))
    path = tmp_path_factory.getbasetemp() / "shape"
    path.write_bytes(as_idx(np.zeros(shape, "i2")))
    assert read_idx(path).shape == shape


def test_the_path_may_be_text_and_the_name_anything(tmp_path, as_idx):
    path = tmp_path / "no-ending.txt"
    path.write_bytes(gzip.compress(as_idx(np.ones(3, "u1"))))
    assert read_idx(str(path)).tolist() == [1, 1, 1]


def test_several_gzip_members_are_one_file(tmp_path, as_idx):
    content = as_idx(np.arange(5).astype("u1"))
    path = tmp_path / "members.gz"
    path.write_bytes(gzip.compress(content[:9]) + gzip.compress(content[9:]))
    assert read_idx(path).tolist() == [0, 1, 2, 3, 4]


def header(code, *sizes):
    return bytes([0, 0, code, len(sizes)]) + b"".join(size.to_bytes(4, "big") for size in sizes)


HOSTILE = {
    "an empty file": (
        b"",
        """\
read_idx: this is not an IDX file.
  file: {path}
  expected: 00 00, then 08, 09, 0b, 0c, 0d or 0e, then the number of dimensions
  found: an empty file
IDX files have names such as train-images-idx3-ubyte.gz.""",
    ),
    "another format": (
        b"\x89PNG\r\n",
        """\
read_idx: this is not an IDX file.
  file: {path}
  expected: 00 00, then 08, 09, 0b, 0c, 0d or 0e, then the number of dimensions
  found: 89 50 4e 47
IDX files have names such as train-images-idx3-ubyte.gz.""",
    ),
    "an unknown type": (
        header(0x0A, 1) + b"\0",
        """\
read_idx: this is not an IDX file.
  file: {path}
  expected: 00 00, then 08, 09, 0b, 0c, 0d or 0e, then the number of dimensions
  found: 00 00 0a 01
IDX files have names such as train-images-idx3-ubyte.gz.""",
    ),
    "no dimensions": (
        header(0x08) + b"\0",
        """\
read_idx: the number of dimensions is out of range.
  file: {path}
  expected: 1 to 64
  found: 0
Fetch the file again, or look at what wrote it.""",
    ),
    "too many dimensions": (
        header(0x08, *[1] * 65) + b"\0",
        """\
read_idx: the number of dimensions is out of range.
  file: {path}
  expected: 1 to 64
  found: 65
Fetch the file again, or look at what wrote it.""",
    ),
    "a header cut short": (
        header(0x08, 2, 3)[:10],
        """\
read_idx: the file is cut short.
  file: {path}
  expected: 12 bytes
  found: 10 bytes
Fetch the file again, or look at what wrote it.""",
    ),
    "values cut short": (
        header(0x08, 2, 3) + b"\0" * 5,
        """\
read_idx: the file is cut short.
  file: {path}
  expected: 18 bytes
  found: 17 bytes
Fetch the file again, or look at what wrote it.""",
    ),
    "gigabytes that are not there": (
        header(0x0E, 1 << 20, 1 << 10, 1),
        """\
read_idx: the file is cut short.
  file: {path}
  expected: 8589934608 bytes
  found: 16 bytes
Fetch the file again, or look at what wrote it.""",
    ),
    "sizes whose product overflows 64 bits to nothing": (
        header(0x08, 1 << 31, 1 << 31, 4) + b"\0" * 4,
        """\
read_idx: the file is cut short.
  file: {path}
  expected: 18446744073709551632 bytes
  found: 20 bytes
Fetch the file again, or look at what wrote it.""",
    ),
    "no values of too many dimensions": (
        header(0x08, 0, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF),
        """\
read_idx: the header's sizes are too big for an array.
  file: {path}
  header: shape (0, 4294967295, 4294967295, 4294967295) of uint8
Fetch the file again, or look at what wrote it.""",
    ),
    "values after the last": (
        header(0x08, 2) + b"\0" * 3,
        """\
read_idx: the file goes on after the last value.
  file: {path}
  header: shape (2,) of uint8
  expected: 10 bytes
  found: more
Fetch the file again, or look at what wrote it.""",
    ),
    "gzipped gigabytes that cannot be there": (
        gzip.compress(header(0x0C, 1 << 30, 4), mtime=0),
        """\
read_idx: the header promises more than the file can hold.
  file: {path}
  header: shape (1073741824, 4) of int32
  expected: 17179869196 bytes
  found: {size} bytes, which cannot unpack to more than {most}
Fetch the file again, or look at what wrote it.""",
    ),
    "gzipped values cut short": (
        gzip.compress(header(0x08, 2, 3) + b"\0" * 5, mtime=0),
        """\
read_idx: the file is cut short.
  file: {path}
  expected: 18 bytes
  found: 17 bytes
Fetch the file again, or look at what wrote it.""",
    ),
    "a gzip bomb": (
        gzip.compress(header(0x08, 2) + b"\0" * (1 << 25), mtime=0),
        """\
read_idx: the file goes on after the last value.
  file: {path}
  header: shape (2,) of uint8
  expected: 10 bytes
  found: more
Fetch the file again, or look at what wrote it.""",
    ),
    "a gzipped file cut short": (
        gzip.compress(header(0x08, 3) + b"abc", mtime=0)[:-9],
        """\
read_idx: the gzipped file is damaged.
  file: {path}, {size} bytes
  reason: Compressed file ended before the end-of-stream marker was reached
Fetch the file again, or look at what wrote it.""",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_is_refused_in_one_message_for(tmp_path, name):
    content, text = HOSTILE[name]
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(DataError) as raised:
        read_idx(path)
    facts = {"path": path, "size": len(content), "most": 1032 * len(content)}
    assert str(raised.value) == text.format(**facts)


def test_a_changed_byte_in_a_gzipped_file_is_found(tmp_path, as_idx):
    content = bytearray(gzip.compress(as_idx(np.arange(200).astype("u1")), mtime=0))
    content[-8] ^= 1  # the checksum's first byte
    path = tmp_path / "changed.gz"
    path.write_bytes(content)
    with pytest.raises(DataError) as raised:
        read_idx(path)
    lines = str(raised.value).splitlines()
    assert lines[:2] == [
        "read_idx: the gzipped file is damaged.",
        f"  file: {path}, {len(content)} bytes",
    ]
    assert lines[2].startswith("  reason: CRC check failed")


@settings(max_examples=40, deadline=None)  # Files are slow on some machines.
@given(st.integers(0, 2**31), st.binary(min_size=1, max_size=3))
def test_damage_anywhere_gives_an_array_or_one_error(as_idx, tmp_path_factory, place, patch):
    content = bytearray(gzip.compress(as_idx(np.arange(64).reshape(8, 8).astype("u1")), mtime=0))
    start = place % len(content)
    content[start : start + len(patch)] = patch
    path = tmp_path_factory.getbasetemp() / "damaged.gz"
    path.write_bytes(content)
    try:
        outcome = read_idx(path).dtype.kind
    except DemogradError as error:
        outcome = str(error)
    assert outcome in ("u", "i", "f") or str(path) in outcome


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(header(0x08, 2) + b"\0" * (1 << 25), mtime=0),
        gzip.compress(header(0x0C, 1 << 30, 4), mtime=0),
        header(0x0C, 1 << 30, 4),
    ],
    ids=["bomb", "gzipped promise", "promise"],
)
def test_a_hostile_file_takes_no_memory(tmp_path, content):
    path = tmp_path / "hostile"
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(DataError):
            read_idx(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 << 20


def test_a_large_gzipped_file_is_unpacked_into_its_array_and_nowhere_else(tmp_path, as_idx):
    path = tmp_path / "large.gz"
    path.write_bytes(gzip.compress(as_idx(np.zeros(1 << 24, "u1")), 1))
    tracemalloc.start()
    try:
        assert read_idx(path).nbytes == 1 << 24
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < (1 << 24) + (4 << 20)


def test_a_missing_file_is_a_file_not_found_error(tmp_path):
    path = tmp_path / "nothing-here"
    with pytest.raises(FileNotFoundError) as raised:
        read_idx(path)
    assert isinstance(raised.value, MissingFileError)
    assert isinstance(raised.value, FileError)
    assert (
        str(raised.value)
        == f"""\
read_idx: there is no such file.
  file: {path}
Look at what is there: ls {tmp_path}"""
    )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_folders_and_pipes_are_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(FileError) as raised:
            read_idx(path)
        assert (
            str(raised.value)
            == f"""\
read_idx: this is not a regular file.
  file: {path}
Give the path of the file itself."""
        )


def test_a_file_that_may_not_be_read_is_named_with_the_reason(tmp_path, monkeypatch):
    path = tmp_path / "secret"
    path.write_bytes(b"")

    def refuse(self, mode):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(type(path), "open", refuse)
    with pytest.raises(OSError) as raised:
        read_idx(path)
    assert isinstance(raised.value, FileError)
    assert (
        str(raised.value)
        == f"""\
read_idx: the file cannot be opened.
  file: {path}
  reason: Permission denied
Look at its owner and mode: ls -l {path}"""
    )
