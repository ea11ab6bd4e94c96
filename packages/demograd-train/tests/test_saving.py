"""``dg.save`` and ``dg.load``: values come back as they were, whatever the memory they stood in."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import load_file, save_file

import demograd as dg
from demograd import Tensor
from demograd.errors import ArgumentError, ArgumentTypeError, FileError
from demograd.testing import check_provider
from demograd.train._provider import provider

DTYPES = "bool int8 int16 int32 int64 uint8 float16 float32 float64 complex64 complex128".split()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.safetensors"


def test_they_are_offered_as_functions_of_dg():
    check_provider(provider)
    assert dg.save is provider.functions["save"]
    assert dg.load is provider.functions["load"]


SIX = np.arange(6.0).reshape(2, 3)
MEMORY = {
    "in order": SIX,
    "transposed": SIX.T,
    "columns first": np.asfortranarray(SIX),
    "reversed": SIX[::-1, ::-1],
    "every second": np.arange(24.0).reshape(4, 6)[::2, 1::2],
    "one column": SIX[:, 1:2],
    "repeated": np.broadcast_to(SIX[:1], (4, 3)),
    "big endian": SIX.astype(">f8"),
    "big endian, transposed": SIX.astype(">f8").T,
    "read-only": np.frombuffer(SIX.tobytes()).reshape(2, 3),
    "no dimension": np.array(3.5),
    "empty": np.zeros((0, 3)),
    "empty in the middle": np.zeros((2, 0, 3)),
}


@pytest.mark.parametrize("memory", MEMORY)
def test_values_do_not_depend_on_the_order_of_memory(memory, path):
    array = MEMORY[memory]
    dg.save({"tensor": Tensor(array), "array": array}, path)
    back = dg.load(path)
    assert back["tensor"].shape == array.shape
    assert np.array_equal(back["tensor"].numpy(), array)
    assert np.array_equal(back["array"], array)
    assert back["array"].dtype == array.dtype.newbyteorder("=")
    assert back["array"].flags.writeable


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_data_type_comes_back(dtype, path):
    values = np.arange(6).reshape(2, 3).astype(dtype) * np.ones((), dtype)
    if values.dtype.kind == "c":
        values += 2j
    dg.save([Tensor(values.T), Tensor(values[0, 0])], path)
    matrix, scalar = dg.load(path)
    assert matrix.dtype == scalar.dtype == dtype
    assert np.array_equal(matrix.numpy(), values.T)
    assert scalar.shape == ()
    assert scalar.item() == values[0, 0].item()


@settings(max_examples=25, deadline=None)
@given(
    array=hnp.arrays(
        st.sampled_from([d for d in DTYPES if d != "float16"]),
        hnp.array_shapes(min_dims=0, min_side=0, max_side=4),
    ),
    data=st.data(),
)
def test_any_view_of_any_array_comes_back(array, data, tmp_path_factory):
    axes = data.draw(st.permutations(range(array.ndim)))
    steps = [data.draw(st.sampled_from([1, -1, 2])) for _ in axes]
    view = array.transpose(axes)[tuple(slice(None, None, step) for step in steps)]
    path = tmp_path_factory.mktemp("any") / "a.safetensors"
    dg.save(Tensor(view), path)
    back = dg.load(path).numpy()
    assert (back.shape, back.dtype) == (view.shape, view.dtype)
    assert np.array_equal(back, view, equal_nan=array.dtype.kind in "fc")


NESTED = {
    "a": [1, -2.5, "three", None, True, (4, (5,)), [], {}, ()],
    0: {1: {"deep": 2**127 + 1}},
    "0": "not the integer",
    "a.b": math.inf,
    "numbers": (1e-310, 0.1 + 0.2, -0.0, 3 - 4j),
}


def test_plain_data_come_back_with_their_types(path):
    dg.save(NESTED, path)
    back = dg.load(path)
    assert back == NESTED
    assert repr(back) == repr(NESTED)


def test_nan_comes_back(path):
    dg.save([math.nan, -math.inf], path)
    nan, infinity = dg.load(path)
    assert math.isnan(nan)
    assert infinity == -math.inf


def test_numpy_scalars_stay_numpy_scalars(path):
    dg.save([np.float32(0.1), np.int8(-3), np.bool_(True)], path)
    back = dg.load(path)
    assert [type(value) for value in back] == [np.float32, np.int8, np.bool_]
    assert back == [np.float32(0.1), -3, True]


def test_names_that_would_meet_are_kept_apart(path):
    state = {
        "a": {"b": Tensor(1.0)},
        "a.b": Tensor(2.0),
        "__metadata__": Tensor(3.0),
        "": Tensor(4.0),
    }
    dg.save(state, path)
    back = dg.load(path)
    assert back["a"]["b"].item() == 1.0
    assert [back[key].item() for key in ("a.b", "__metadata__", "")] == [2.0, 3.0, 4.0]


def test_what_is_loaded_is_a_leaf_without_a_graph(path):
    x = Tensor([1.0, 2.0], requires_grad=True, name="x")
    dg.save({"x": x, "y": x * 2}, path)
    back = dg.load(path)
    assert all(v.is_leaf and not v.requires_grad and v.name is None for v in back.values())
    back["y"] += 1.0
    assert back["y"].tolist() == [3.0, 5.0]


def test_the_same_state_makes_the_same_bytes(tmp_path):
    state = {f"layer{i}": {"w": Tensor(np.ones((2, i + 1))), "n": i} for i in range(20)}
    for name in ("one", "two"):
        dg.save(state, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_plain_state_dict_is_read_by_others_under_its_names(path):
    dg.save({"0.weight": Tensor(SIX.T), "0.bias": Tensor([1.0])}, path)
    found = load_file(path)
    assert set(found) == {"0.weight", "0.bias"}
    assert np.array_equal(found["0.weight"], SIX.T)


def test_another_programs_file_is_a_dictionary_of_tensors(path):
    save_file({"b": np.ones(2, np.float32), "a": np.arange(3)}, path, metadata={"format": "pt"})
    back = dg.load(path)
    assert {name: value.tolist() for name, value in back.items()} == {"a": [0, 1, 2], "b": [1, 1]}
    assert back["b"].dtype == dg.float32


def raw(header, values=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + values


def test_bfloat16_becomes_float32(path):
    header = {"x": {"dtype": "BF16", "shape": [3], "data_offsets": [0, 6]}}
    path.write_bytes(raw(header, b"\x80\x3f\x20\xc0\x80\x7f"))
    assert dg.load(path)["x"].tolist() == [1.0, -2.5, math.inf]


def test_a_byte_that_is_neither_true_nor_false_is_true(path):
    header = {"x": {"dtype": "BOOL", "shape": [3], "data_offsets": [0, 3]}}
    path.write_bytes(raw(header, b"\x00\x01\x02"))
    x = dg.load(path)["x"]
    assert x.tolist() == [False, True, True]
    assert x.numpy().view(np.uint8).tolist() == [0, 1, 1]


class Opaque:
    pass


UNSAVABLE = {
    "an object": ({"model": [1, Opaque()]}, "model.1", "Opaque, a value"),
    "a set": ({1, 2}, "the object itself", "set, a value"),
    "bytes": ({"key": b"x"}, "key", "bytes, a value"),
    "a function": ({"loss": len}, "loss", "builtin_function_or_method, a value"),
    "a key": ({"a": {(1, 2): 3}}, "a.(1, 2)", "tuple, a key"),
    "a key that is a bool": ({True: 3}, "True", "bool, a key"),
    "strings": (
        {"names": np.array(["a"])},
        "names",
        "ndarray, an array of dtype <U1",
    ),
    "objects": ([np.array([None])], "0", "ndarray, an array of dtype object"),
    "dates": (np.datetime64("2020-01-01"), "the object itself",
              "datetime64, an array of dtype datetime64[D]"),
    "a mask": (
        {"x": np.ma.masked_array([1.0, 2.0], [True, False])},
        "x",
        "MaskedArray, an array of dtype float64",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UNSAVABLE)
def test_what_cannot_be_saved_is_named_with_its_place(name, path):
    state, place, found = UNSAVABLE[name]
    path.write_bytes(b"former")
    with pytest.raises(ArgumentTypeError) as e:
        dg.save(state, path)
    assert str(e.value) == (
        "save: only tensors, arrays, numbers, strings, lists, tuples and dictionaries can be "
        f"saved.\n  at: {place}\n  found: {found}\n"
        "Save a state, not the object: model.state_dict(), optimizer.state_dict()."
    )
    assert path.read_bytes() == b"former"


def test_a_list_that_contains_itself_is_refused(path):
    state = []
    state.append(state)
    with pytest.raises(ArgumentError) as e:
        dg.save(state, path)
    assert str(e.value) == (
        "save: the object contains itself, or is nested too deeply.\n"
        "  object: list\n"
        "Save a dictionary of tensors and numbers, such as model.state_dict()."
    )


def test_a_name_that_is_no_unicode_is_refused(path):
    with pytest.raises(FileError) as e:
        dg.save({"\ud800": Tensor(1.0)}, path)
    assert str(e.value) == (
        "save: a name cannot be written, because it is not valid Unicode.\n"
        f"  file: {path}\n"
        "  name: '\\ud800'\n"
        "Give the tensors other names."
    )
