"""``dg.load`` on files that are not what they should be: one error, in words, and nothing runs."""

import contextlib
import errno
import io
import json
import os
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import demograd as dg
from demograd import Tensor
from demograd.errors import ArgumentTypeError, FileError, MissingFileError

PLAIN = "dg.load reads what dg.save and the safetensors library write."
AGAIN = "Use another copy of it, or an earlier checkpoint."
TORCH = """\
Convert it where PyTorch is installed, if you trust who made it (opening it may run code):
  state = torch.load("model.pt", weights_only=True, map_location="cpu")
  state = {name: value.contiguous().clone() for name, value in state.items()}
  safetensors.torch.save_file(state, "model.safetensors")"""


class Bomb:
    """What a hostile pickle does when it is opened."""

    def __reduce__(self):
        return os.mkdir, ("exploded",)


def npy(array):
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def archive(*names):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name in names:
            file.writestr(name, pickle.dumps(Bomb()))
    return out.getvalue()


FOREIGN = {
    "nothing": (b"", "is empty", AGAIN),
    "a few bytes": (b"\x10\0\0", "has only 3 bytes", AGAIN),
    "PyTorch": (
        archive("model/data.pkl", "model/data/0"),
        "looks like a PyTorch file, a zip archive around a pickle",
        TORCH,
    ),
    "older PyTorch": (
        pickle.dumps(Bomb(), protocol=2),
        "looks like a Python pickle, as older PyTorch files are",
        TORCH,
    ),
    "a pickle": (
        pickle.dumps(Bomb(), protocol=5),
        "looks like a Python pickle, as older PyTorch files are",
        TORCH,
    ),
    "npz": (
        archive("x.npy", "y.npy"),
        "looks like an archive of NumPy arrays (.npz)",
        "dg.save({name: dg.tensor(array) for name, array in numpy.load(file).items()}, path)",
    ),
    "npy": (
        npy(np.ones(3)),
        "looks like a single NumPy array (.npy)",
        "dg.tensor(numpy.load(file))",
    ),
    "zip": (archive("readme.txt"), "looks like a zip archive", PLAIN),
    "HDF5": (
        b"\x89HDF\r\n\x1a\n" + bytes(50),
        "looks like an HDF5 file, as Keras writes them",
        PLAIN,
    ),
    "gzip": (b"\x1f\x8b\x08" + bytes(50), "looks like a gzip file", "Unpack it first: gunzip."),
    "Git LFS": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
        "is a pointer of Git LFS to the real one",
        "git lfs pull",
    ),
    "text": (b"epoch,loss\n1,0.5\n", "looks like text", PLAIN),
    "noise": (bytes(range(200, 255)), "begins with c8 c9 ca cb cc cd ce cf", PLAIN),
    "a header of petabytes": (
        (2**60).to_bytes(8, "little") + b"{" + bytes(20),
        "says that its header has 1152921504606846976 bytes",
        PLAIN,
    ),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_file_is_recognised_and_not_opened(name, tmp_path, monkeypatch):
    content, looks, mend = FOREIGN[name]
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "model.pt"
    path.write_bytes(content)
    with pytest.raises(FileError) as e:
        dg.load(path)
    assert str(e.value) == (
        f"load: this is not a safetensors file, but {looks}.\n  file: {path}\n{mend}"
    )
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.pt"]


def raw(header, values=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + values


def entry(shape, start, end, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


def tree(node):
    text = json.dumps({"form": 1, "tree": node})
    return raw({"__metadata__": {"demograd": text}, "a": entry([2], 0, 8)}, bytes(8))


LIBRARY = None  # the reason in the words of the safetensors library, which differ by version
DAMAGED = {
    "values that overlap": (
        raw({"a": entry([2], 0, 8), "b": entry([2], 4, 12)}, bytes(12)),
        LIBRARY,
    ),
    "values with a hole": (
        raw({"a": entry([1], 4, 8)}, bytes(8)),
        LIBRARY,
    ),
    "an end before the start": (
        raw({"a": entry([1], 4, 0)}, bytes(4)),
        LIBRARY,
    ),
    "more than the header says": (
        raw({"a": entry([1], 0, 4)}, bytes(8)),
        LIBRARY,
    ),
    "values cut short": (
        raw({"a": entry([4], 0, 16)}, bytes(9)),
        "its header describes 16 bytes of values, and 9 are there",
    ),
    "a header cut short": (
        raw({"a": entry([4], 0, 16)})[:30],
        "its header would end at byte 70, the file at 30",
    ),
    "a shape larger than memory": (
        raw({"a": entry([2**62, 4, 2**62], 0, 0)}),
        LIBRARY,
    ),
    "a shape that no array has": (
        raw({"a": entry([0, 2**62, 2**62], 0, 0)}),
        "'a' has the shape (0, 4611686018427387904, 4611686018427387904), which no array can have",
    ),
    "no JSON": (raw(b"{hello}"), LIBRARY),
    "a tree that is no JSON": (
        raw({"__metadata__": {"demograd": "{"}}),
        "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
    ),
    "a tree of a later form": (
        raw({"__metadata__": {"demograd": '{"form": 2, "tree": 1}'}}),
        "it was written in another form, perhaps by a later version",
    ),
    "a tree with an array that is not there": (
        tree({"tensor": "b"}),
        "its description is damaged (KeyError: 'b')",
    ),
    "a tree with an unknown word": (
        tree({"pickle": "b"}),
        "its description is damaged (KeyError: 'b')",
    ),
    "a tree with an unknown word for an array": (
        tree({"object": "a"}),
        "its description holds 'object', which is not known",
    ),
    "a tree with a key that is a list": (
        tree({"dict": [[[1], 2]]}),
        "its description has the key [1]",
    ),
    "a tree with a wrong view": (
        tree({"tensor": "a", "as": "object"}),
        "its description holds the type 'object', which is not known",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_refused_with_the_reason(name, tmp_path):
    content, reason = DAMAGED[name]
    path = tmp_path / "last.safetensors"
    path.write_bytes(content)
    with pytest.raises(FileError) as e:
        dg.load(path)
    if reason is LIBRARY:
        assert e.value.__cause__ is not None
        reason = str(e.value.__cause__)
    assert str(e.value) == (
        f"load: the file is damaged, or was cut short.\n  file: {path}\n  reason: {reason}\n{AGAIN}"
    )


def test_a_tree_deeper_than_the_stack_is_refused(tmp_path):
    path = tmp_path / "deep"
    text = json.dumps({"form": 1, "tree": None}).replace("null", "[" * 50_000 + "]" * 50_000)
    path.write_bytes(raw({"__metadata__": {"demograd": text}}))
    with pytest.raises(FileError, match="its description is damaged"):
        dg.load(path)


@pytest.mark.parametrize(
    ("kind", "size", "known"),
    [("F8_E4M3", 1, "NumPy does not have.\n  file: {}\nConvert it where it was made, to F32"),
     ("U16", 2, "a Tensor cannot have.\n  file: {}\nConvert it where it was made, to I64")],
)  # fmt: skip
def test_a_type_that_cannot_be_held_is_named(kind, size, known, tmp_path):
    path = tmp_path / "f"
    path.write_bytes(raw({"a": entry([2], 0, 2 * size, kind)}, bytes(2 * size)))
    with pytest.raises(FileError) as e:
        dg.load(path)
    name = "uint16" if kind == "U16" else kind
    assert str(e.value) == f"load: 'a' has the type {name}, which {known.format(path)} for example."


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_file_with_some_bytes_changed_loads_or_is_refused(data, tmp_path_factory):
    path = tmp_path_factory.mktemp("changed") / "f.safetensors"
    dg.save({"w": Tensor(np.arange(4.0)), "n": {"epoch": 3, "betas": (0.9, 0.999)}}, path)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    # Nothing but a FileError is let through, whatever the bytes.
    with contextlib.suppress(FileError):
        dg.load(path)


def test_a_file_that_is_not_there_is_a_file_not_found_error(tmp_path):
    path = tmp_path / "none.safetensors"
    with pytest.raises(MissingFileError) as e:
        dg.load(path)
    assert isinstance(e.value, FileNotFoundError)
    assert str(e.value) == (
        f"load: there is no such file.\n  file: {path}\nLook at what is there: ls {tmp_path}"
    )


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(FileError) as e:
        dg.load(tmp_path)
    assert str(e.value) == (
        f"load: this is not a regular file.\n  file: {tmp_path}\nGive the path of the file itself."
    )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileError, match="this is not a regular file"):
        dg.load(tmp_path / "pipe")


def test_a_name_with_a_null_byte_is_refused():
    with pytest.raises(FileError) as e:
        dg.load("a\0b")
    assert "file: a\0b" in str(e.value)


def test_a_number_is_no_path():
    with pytest.raises(ArgumentTypeError) as e:
        dg.load(3)
    assert str(e.value) == (
        'load: path must be a string or a path.\n  path: int\nload(..., "model.safetensors")'
    )


def test_a_file_that_cannot_be_read_says_why(tmp_path, monkeypatch):
    path = tmp_path / "secret.safetensors"
    dg.save(Tensor(1.0), path)

    def refuse(self, mode):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(type(path), "open", refuse)  # the superuser may read everything
    with pytest.raises(FileError) as e:
        dg.load(path)
    assert str(e.value) == (
        "load: the file cannot be read.\n"
        f"  file: {path}\n"
        "  reason: Permission denied\n"
        f"Look at its owner and mode: ls -l {path}"
    )
