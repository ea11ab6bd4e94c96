"""Samples to batches. Expected types are what PyTorch 2.13's default_collate gives."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, namedtuple
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from demograd import Tensor
from demograd.data import default_collate, default_convert
from demograd.errors import ArgumentTypeError, DataError, GradientError, ShapeError

Point = namedtuple("Point", "a b")


def tensor(values, dtype):
    return Tensor(np.array(values, dtype=dtype))


def plain(batch):
    """A batch with each tensor as its dtype and values, so that batches can be compared."""
    if isinstance(batch, Tensor):
        return str(batch.dtype), batch.tolist()
    if isinstance(batch, (dict, OrderedDict)):
        return type(batch), {key: plain(value) for key, value in batch.items()}
    if isinstance(batch, tuple):
        return type(batch), *map(plain, batch)
    return list(map(plain, batch)) if isinstance(batch, list) else batch


BATCHES = {
    "ints": ([1, 2], ("int64", [1, 2])),
    "floats, which stay float32": ([1.5, 2.0], ("float32", [1.5, 2.0])),
    "a float and an int": ([1.5, 2], ("float32", [1.5, 2.0])),
    "bools": ([True, False], ("bool", [True, False])),
    "strings": (["a", "bc"], ["a", "bc"]),
    "bytes": ([b"a", b"b"], [b"a", b"b"]),
    "NumPy floats": ([np.float64(1), np.float64(2)], ("float64", [1.0, 2.0])),
    "NumPy integers": ([np.int32(1), np.int32(2)], ("int32", [1, 2])),
    "NumPy bools": ([np.True_, np.False_], ("bool", [True, False])),
    "arrays": ([np.zeros(2), np.ones(2)], ("float64", [[0.0, 0.0], [1.0, 1.0]])),
    "arrays of two types": (
        [np.zeros(1, np.float32), np.ones(1, np.float64)],
        ("float64", [[0.0], [1.0]]),
    ),
    "tensors": ([tensor([1], "uint8"), tensor([2], "uint8")], ("uint8", [[1], [2]])),
    "tensors without dimension": (
        [tensor(0, "float32"), tensor(1, "float32")],
        ("float32", [0.0, 1.0]),
    ),
    "tuples, which become a list": ([(1, "a"), (3, "b")], [("int64", [1, 3]), ["a", "b"]]),
    "lists": ([[1, 2], [3, 4]], [("int64", [1, 3]), ("int64", [2, 4])]),
    "named tuples": (
        [Point(1, 2.0), Point(3, 4.0)],
        (Point, ("int64", [1, 3]), ("float32", [2.0, 4.0])),
    ),
    "dicts": ([{"a": 1}, {"a": 2}], (dict, {"a": ("int64", [1, 2])})),
    "dicts in another order": (
        [{"a": 1, "b": 2}, {"b": 4, "a": 3}],
        (dict, {"a": ("int64", [1, 3]), "b": ("int64", [2, 4])}),
    ),
    "ordered dicts": (
        [OrderedDict(b=1, a=2)] * 2,
        (OrderedDict, {"b": ("int64", [1, 1]), "a": ("int64", [2, 2])}),
    ),
    "mappings that cannot be changed": (
        [MappingProxyType({"a": 1})] * 2,
        (dict, {"a": ("int64", [1, 1])}),
    ),
    "nested": (
        [{"a": (1, [2, 3])}] * 2,
        (dict, {"a": [("int64", [1, 1]), [("int64", [2, 2]), ("int64", [3, 3])]]}),
    ),
}


@pytest.mark.parametrize("name", BATCHES)
def test_a_batch_is_made_of(name):
    samples, expected = BATCHES[name]
    assert plain(default_collate(samples)) == expected


def test_a_batch_keeps_a_mappings_own_properties_and_leaves_the_samples():
    samples = [defaultdict(list, a=1), defaultdict(list, a=2)]
    batch = default_collate(samples)
    assert batch.default_factory is list
    assert samples == [{"a": 1}, {"a": 2}]


@given(array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3), st.integers(1, 4))
def test_stacking_adds_a_first_dimension(shape, count):
    arrays = [np.full(shape, i, dtype=np.float32) for i in range(count)]
    for samples in (arrays, [Tensor(array) for array in arrays]):
        batch = default_collate(samples)
        assert batch.shape == (count, *shape)
        assert np.array_equal(batch.data, np.stack(arrays))


CONVERSIONS = {
    "arrays": (np.zeros(2), ("float64", [0.0, 0.0])),
    "NumPy numbers": (np.float32(2), ("float32", 2.0)),
    "numbers": (1.5, 1.5),
    "strings": ("ab", "ab"),
    "lists": ([np.zeros(1), "a"], [("float64", [0.0]), "a"]),
    "tuples, which become a list": ((1, np.ones(1)), [1, ("float64", [1.0])]),
    "named tuples": (Point(np.zeros(1), 2), (Point, ("float64", [0.0]), 2)),
    "dicts": ({"a": np.zeros(1)}, (dict, {"a": ("float64", [0.0])})),
}


@pytest.mark.parametrize("name", CONVERSIONS)
def test_default_convert_makes_tensors_of_the_arrays_in(name):
    sample, expected = CONVERSIONS[name]
    assert plain(default_convert(sample)) == expected


def test_default_convert_returns_a_tensor_as_it_is():
    x = Tensor(np.zeros(1))
    assert default_convert(x) is x


UNKNOWN = """\
default_collate: samples of this kind cannot be put into a batch.
  known: tensors, NumPy arrays, numbers, strings, mappings, sequences
  found: {}
DataLoader(dataset, collate_fn=list) leaves the samples as they are."""

ERRORS = {
    "None": ([None, None], ArgumentTypeError, TypeError, UNKNOWN.format("NoneType")),
    "sets": ([{1}], ArgumentTypeError, TypeError, UNKNOWN.format("set")),
    "arrays of strings": (
        [np.array(["a"])],
        ArgumentTypeError,
        TypeError,
        UNKNOWN.format("NumPy <U1"),
    ),
    "arrays of objects": (
        [np.array([None])],
        ArgumentTypeError,
        TypeError,
        UNKNOWN.format("NumPy object"),
    ),
    "nothing": (
        [],
        DataError,
        ValueError,
        """\
default_collate: the batch is empty.
  batch: no samples
Let the batch sampler give at least one index a batch.""",
    ),
    "arrays of different shapes": (
        [np.zeros((2, 3)), np.zeros((2, 3)), np.zeros((3, 2))],
        ShapeError,
        RuntimeError,
        """\
default_collate: the samples of a batch differ in shape.
  sample 0: shape (2, 3)
  sample 2: shape (3, 2)
Crop or pad them in the dataset, or pass your own collate_fn.""",
    ),
    "tuples of different lengths": (
        [(1,), (1, 2)],
        ShapeError,
        RuntimeError,
        """\
default_collate: the samples of a batch differ in length.
  sample 0: length 1
  sample 1: length 2
Pad them in the dataset, or pass your own collate_fn.""",
    ),
    "dicts of different keys": (
        [{"a": 1}, {"b": 1, "c": 2}],
        DataError,
        KeyError,
        """\
default_collate: the samples of a batch have different keys.
  sample 0: 'a'
  sample 1: 'b', 'c'
Give every sample the same keys.""",
    ),
    "tensors that require a gradient": (
        [Tensor(np.zeros(2)), Tensor(np.zeros(2), requires_grad=True)],
        GradientError,
        RuntimeError,
        """\
default_collate: a sample requires a gradient, and stacking would cut it.
  sample 1: shape (2,), requires_grad=True
Return x.detach() from the dataset, or pass collate_fn=demograd.stack.""",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_no_batch_is_made_of(name):
    samples, kind, builtin, text = ERRORS[name]
    with pytest.raises(kind) as raised:
        default_collate(samples)
    assert str(raised.value) == text
    assert isinstance(raised.value, builtin)
