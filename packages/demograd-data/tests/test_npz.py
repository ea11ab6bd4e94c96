"""The user's own arrays, sound and otherwise."""

from __future__ import annotations

import io
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demograd.data import TensorDataset, load_npz
from demograd.errors import DataError, DemogradError, FileError

X, Y = np.arange(6.0).reshape(3, 2), np.array([0, 1, 2])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "own.npz"


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_x_and_y_come_back_as_a_dataset(path, save):
    save(path, x=X, y=Y, other=np.array(["not", "read"]))
    dataset = load_npz(path)
    assert isinstance(dataset, TensorDataset)
    x, y = dataset.tensors
    assert (x.tolist(), y.tolist()) == (X.tolist(), Y.tolist())


@pytest.mark.parametrize(
    ("dtype", "x_dtype", "y_dtype"),
    [
        ("float64", "float32", "float32"),
        ("float32", "float32", "float32"),
        ("float16", "float32", "float32"),
        (">f8", "float32", "float32"),
        ("int64", "float32", "int64"),
        (">i4", "float32", "int64"),
        ("uint8", "float32", "int64"),
        ("uint16", "float32", "int64"),
        ("bool", "float32", "int64"),
    ],
)
def test_types_become_float32_and_labels_int64(path, dtype, x_dtype, y_dtype):
    np.savez(path, x=np.array([[0], [1]], dtype), y=np.array([0, 1], dtype))
    x, y = load_npz(str(path)).tensors
    assert (str(x.dtype), str(y.dtype)) == (x_dtype, y_dtype)
    assert (x.tolist(), y.tolist()) == ([[0.0], [1.0]], [0, 1])


def test_fortran_order_comes_back_in_the_right_order(path):
    np.savez(path, x=np.asfortranarray(X), y=Y)
    assert load_npz(path).tensors[0].tolist() == X.tolist()


def test_targets_may_have_more_dimensions(path):
    np.savez(path, x=X, y=np.ones((3, 4)))
    assert load_npz(path).tensors[1].shape == (3, 4)


SAVE = "numpy.savez_compressed(file, x=x, y=y)"
NAN = np.array([[1.0, 2.0], [np.nan, 4.0], [5.0, np.inf]])

REFUSED = {
    "a file without y": (
        {"x": X, "labels": Y},
        f"""\
load_npz: the file has no y.
  file: {{path}}
  holds: 'x', float64 of shape (3, 2)
  holds: 'labels', int64 of shape (3,)
{SAVE}""",
    ),
    "a file without x and y": (
        {"images": X},
        f"""\
load_npz: the file has no x and no y.
  file: {{path}}
  holds: 'images', float64 of shape (3, 2)
{SAVE}""",
    ),
    "a file without arrays": (
        {},
        f"""\
load_npz: the file has no x and no y.
  file: {{path}}
  holds: no arrays
{SAVE}""",
    ),
    "a file of many arrays": (
        {f"a{i}": Y for i in range(13)},
        "load_npz: the file has no x and no y.\n  file: {path}\n"
        + "".join(f"  holds: 'a{i}', int64 of shape (3,)\n" for i in range(10))
        + f"  holds: 3 more\n{SAVE}",
    ),
    "objects": (
        {"x": np.array([{}, None, 1]), "y": Y},
        """\
load_npz: x does not hold real numbers.
  file: {path}
  holds: 'x', object of shape (3,)
  holds: 'y', int64 of shape (3,)
x = numpy.asarray(x, dtype=numpy.float32), before it is saved.""",
    ),
    "names as labels": (
        {"x": X, "y": np.array(["cat", "dog", "cat"])},
        """\
load_npz: y does not hold real numbers.
  file: {path}
  holds: 'x', float64 of shape (3, 2)
  holds: 'y', <U3 of shape (3,)
y = numpy.asarray(y, dtype=numpy.float32), before it is saved.""",
    ),
    "complex numbers": (
        {"x": X + 1j, "y": Y},
        """\
load_npz: x does not hold real numbers.
  file: {path}
  holds: 'x', complex128 of shape (3, 2)
  holds: 'y', int64 of shape (3,)
x = numpy.asarray(x, dtype=numpy.float32), before it is saved.""",
    ),
    "lengths that differ": (
        {"x": X, "y": Y[:2]},
        """\
load_npz: x has 3 samples and y has 2.
  file: {path}
  holds: 'x', float64 of shape (3, 2)
  holds: 'y', int64 of shape (2,)
Row i of x belongs to row i of y: save as many of each.""",
    ),
    "no samples": (
        {"x": X[:0], "y": Y[:0]},
        """\
load_npz: x is empty.
  file: {path}
  holds: 'x', float64 of shape (0, 2)
  holds: 'y', int64 of shape (0,)
Save at least one sample, along the first dimension.""",
    ),
    "samples without values": (
        {"x": np.zeros((3, 0)), "y": Y},
        """\
load_npz: x is empty.
  file: {path}
  holds: 'x', float64 of shape (3, 0)
  holds: 'y', int64 of shape (3,)
Save at least one sample, along the first dimension.""",
    ),
    "a single number": (
        {"x": X, "y": np.array(3)},
        """\
load_npz: y is a single number.
  file: {path}
  holds: 'x', float64 of shape (3, 2)
  holds: 'y', int64 of shape ()
Save at least one sample, along the first dimension.""",
    ),
    "values that are not finite": (
        {"x": NAN, "y": Y},
        """\
load_npz: x has values that are not finite in float32.
  file: {path}
  holds: 'x', float64 of shape (3, 2)
  holds: 'y', int64 of shape (3,)
  not finite: 2 of 6
  first: nan at x[1, 0]
keep = numpy.isfinite(x).reshape(len(x), -1).all(axis=1)""",
    ),
    "values too large for float32": (
        {"x": X, "y": np.array([0.5, -1e300, 2.0])},
        """\
load_npz: y has values that are not finite in float32.
  file: {path}
  holds: 'x', float64 of shape (3, 2)
  holds: 'y', float64 of shape (3,)
  not finite: 1 of 3
  first: -1e+300 at y[1]
keep = numpy.isfinite(y).reshape(len(y), -1).all(axis=1)""",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_one_error_tells_what_the_file_holds_for(path, name):
    arrays, text = REFUSED[name]
    np.savez(path, **arrays)
    with pytest.raises(DataError) as raised:
        load_npz(path)
    assert str(raised.value) == text.format(path=path)


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def lying(shape, stored=b"\0" * 8):
    """An ``.npy`` array whose header promises float64 values of a shape that are not there."""
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}"
    text = text.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + stored


@pytest.mark.parametrize(
    ("x", "reason"),
    [
        (
            lying((1 << 40, 1 << 20)),
            "its header says 9223372036854775936 bytes, but 136 are stored",
        ),
        (lying((1,), b"\0" * 9), "its header says 136 bytes, but 137 are stored"),
        (npy(X)[:-1], "its header says 176 bytes, but 175 are stored"),
        (b"not an array", r"the magic string is not correct; expected b'\x93NUMPY', got b'not an'"),
        (b"\x93NUMPY\x03\x00\x00\x00\x00\x00", ".npy format 3.0"),
    ],
    ids=["petabytes", "a byte too many", "cut short", "no array", "another format"],
)
def test_an_array_is_refused_before_it_is_read_for(path, x, reason):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", x)
        archive.writestr("y.npy", npy(Y))
    with pytest.raises(DataError) as raised:
        load_npz(path)
    assert (
        str(raised.value)
        == f"""\
load_npz: x cannot be read.
  file: {path}
  holds: 'x', unreadable ({reason})
  holds: 'y', int64 of shape (3,)
{SAVE}"""
    )


def test_other_arrays_may_be_damaged(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", npy(X))
        archive.writestr("y.npy", npy(Y))
        archive.writestr("z.npy", b"rubbish")
        archive.writestr("notes.txt", b"mine")
    assert len(load_npz(path)) == 3


def test_a_size_that_deflate_cannot_reach_is_refused(path):
    huge = 1 << 30
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", lying((huge // 8 - 16,), b""))
        archive.writestr("y.npy", npy(Y))
        packed = archive.getinfo("x.npy").compress_size
    # The zip's directory is made to agree with the array's header; its entry of x comes first and
    # has the unpacked size at byte 24.
    content = bytearray(path.read_bytes())
    entry = content.index(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = struct.pack("<I", huge)
    path.write_bytes(content)
    with pytest.raises(DataError) as raised:
        load_npz(path)
    assert (
        str(raised.value)
        == f"""\
load_npz: x cannot be read.
  file: {path}
  holds: 'x', unreadable (1073741824 bytes cannot come of {packed} packed)
  holds: 'y', int64 of shape (3,)
{SAVE}"""
    )


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_wrong_checksum_is_found(path, save):
    x = np.arange(60_000.0).reshape(3, 20_000)
    save(path, x=x, y=Y)
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 16] ^= 1  # the checksum of x, in the zip's directory
    path.write_bytes(content)
    with pytest.raises(DataError) as raised:
        load_npz(path)
    assert (
        str(raised.value)
        == f"""\
load_npz: x is damaged.
  file: {path}
  holds: 'x', float64 of shape (3, 20000)
  holds: 'y', int64 of shape (3,)
  reason: Bad CRC-32 for file 'x.npy'
{SAVE}"""
    )


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "nothing"),
        (b"x,y\n1,2\n", "78 2c 79 0a 31 2c"),
        (npy(X), "a single .npy array"),
        (b"PK\x03\x04cut short", "50 4b 03 04 63 75"),
    ],
    ids=["empty", "a table", "one array", "cut short"],
)
def test_what_is_no_npz_file_is_refused(path, content, found):
    path.write_bytes(content)
    with pytest.raises(DataError) as raised:
        load_npz(path)
    assert (
        str(raised.value)
        == f"""\
load_npz: this is not an .npz file.
  file: {path}
  found at its start: {found}
{SAVE}"""
    )


def test_nothing_is_unpickled(path, monkeypatch):
    np.savez(path, x=np.array([print], dtype=object), y=Y[:1])

    def unpickle(*arguments, **keywords):
        raise AssertionError("unpickled")

    monkeypatch.setattr("pickle.load", unpickle)
    monkeypatch.setattr("pickle.loads", unpickle)
    with pytest.raises(DataError):
        load_npz(path)


@settings(max_examples=40, deadline=None)  # Files are slow on some machines.
@given(st.integers(0, 2**31), st.binary(min_size=1, max_size=4))
def test_damage_anywhere_gives_a_dataset_or_one_error(tmp_path_factory, place, patch):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, x=X, y=Y)
    content = bytearray(buffer.getvalue())
    start = place % len(content)
    content[start : start + len(patch)] = patch
    path = tmp_path_factory.getbasetemp() / "damaged.npz"
    path.write_bytes(content)
    try:
        outcome = load_npz(path).tensors[0].shape
    except DemogradError as error:
        outcome = str(error)
    assert outcome == (3, 2) or str(path) in outcome


def test_a_missing_file_is_a_file_not_found_error(tmp_path):
    with pytest.raises(FileNotFoundError) as raised:
        load_npz(tmp_path / "none.npz")
    assert isinstance(raised.value, FileError)
    assert (
        str(raised.value)
        == f"""\
load_npz: there is no such file.
  file: {tmp_path}/none.npz
Look at what is there: ls {tmp_path}"""
    )
