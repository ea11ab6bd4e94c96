"""Memory shared with other libraries by DLPack, and copies: pickle, ``copy`` and ``deepcopy``."""

import copy
import pickle

import numpy as np
import pytest

import demograd as dg
from demograd.errors import ArgumentTypeError, GradientError, SharingError

VERSIONS = pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) < "2.1.0", reason="NumPy 2.0 has no versions of DLPack"
)


class Old:
    """A library from before DLPack 1.0: it asks for no version."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, stream=None):
        return self.array.__dlpack__(stream=stream)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "int64", "bool"])
def test_the_memory_is_shared_both_ways(dtype):
    x = dg.zeros(2, 3, dtype=dtype)
    array = np.from_dlpack(x)
    assert array.dtype == dtype
    assert np.shares_memory(array, x.data)
    back = dg.from_dlpack(array)
    assert np.shares_memory(back.data, x.data)
    assert (back.dtype, back.shape, back.requires_grad) == (x.dtype, x.shape, False)
    again = dg.from_dlpack(x)
    assert again is not x
    assert np.shares_memory(again.data, x.data)
    assert x.__dlpack_device__() == (1, 0)


def test_views_numbers_and_other_libraries():
    library = pytest.importorskip("array_api_strict", reason="array-api-strict is not installed")
    x = dg.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(np.from_dlpack(x.T[::-1]), x.data.T[::-1])
    number = dg.tensor(3.0)
    assert float(np.from_dlpack(number)) == 3.0
    assert dg.from_dlpack(library.asarray([1.0, 2.0])).tolist() == [1.0, 2.0]
    assert library.from_dlpack(x).shape == (2, 3)


def test_a_copy_is_made_where_one_is_asked_for():
    array = np.zeros(2)
    assert not np.shares_memory(dg.from_dlpack(array, copy=True).data, array)
    assert np.shares_memory(dg.from_dlpack(array, copy=False).data, array)
    x = dg.tensor(array)
    assert not np.shares_memory(dg.from_dlpack(x, copy=True).data, x.data)


def test_a_tensor_that_requires_a_gradient_is_refused():
    x = dg.tensor([1.0, 2.0], requires_grad=True)
    for take in (np.from_dlpack, dg.from_dlpack):
        with pytest.raises(SharingError) as e:
            take(x)
        assert str(e.value) == (
            "__dlpack__: the tensor requires a gradient, which would not be carried.\n"
            "  tensor of shape (2,), dtype float32\n"
            "Give x.detach(), which shares the memory."
        )
        assert isinstance(e.value, BufferError)
    assert np.shares_memory(np.from_dlpack(x.detach()), x.data)


@VERSIONS
def test_a_copy_is_given_where_one_is_asked_for():
    x = dg.ones(2)
    assert not np.shares_memory(np.from_dlpack(x, copy=True), x.data)
    assert np.shares_memory(np.from_dlpack(x, copy=False), x.data)
    assert np.from_dlpack(dg.tensor(3.0), copy=True) == 3.0


@VERSIONS
def test_read_only_memory_is_shared_with_those_who_can_be_told_and_stays_read_only():
    array = np.zeros(2)
    array.flags.writeable = False
    x = dg.from_dlpack(array)
    assert np.shares_memory(x.data, array)
    assert not x.data.flags.writeable
    with pytest.raises(GradientError) as e:
        x += 1
    assert str(e.value).splitlines()[0] == (
        "+=: the memory of the tensor is read-only, or shared by repetition."
    )
    assert not np.from_dlpack(x).flags.writeable
    # A consumer that names no version could write to it.
    with pytest.raises(SharingError) as e:
        x.__dlpack__()
    assert str(e.value).splitlines()[0] == (
        "__dlpack__: the memory of the tensor cannot be shared."
    )
    assert dg.from_dlpack(Old(np.ones(2))).tolist() == [1.0, 1.0]


@VERSIONS
def test_versions_are_negotiated():
    x = dg.ones(2)
    assert "dltensor_versioned" in repr(x.__dlpack__(max_version=(1, 0)))
    assert "versioned" not in repr(x.__dlpack__())
    assert "versioned" not in repr(x.__dlpack__(max_version=(0, 8)))


def test_what_has_no_memory_to_share_is_refused():
    with pytest.raises(ArgumentTypeError) as e:
        dg.from_dlpack([1.0])
    assert str(e.value) == (
        "from_dlpack: an object of type list has no __dlpack__.\n"
        "dg.tensor(x) copies numbers, nested lists and arrays."
    )


# Copies.


def reloaded(x):
    return pickle.loads(pickle.dumps(x))


@pytest.mark.parametrize("copied", [copy.deepcopy, reloaded])
def test_a_leaf_is_copied_with_its_gradient_name_and_attributes(copied):
    x = dg.tensor([1.0, 2.0], requires_grad=True, name="x")
    x.note = "mine"
    x.register_hook(lambda gradient: gradient)
    (x * x).sum().backward()
    twin = copied(x)
    assert (twin.tolist(), twin.requires_grad, twin.name, twin.note) == (
        [1.0, 2.0], True, "x", "mine"
    )  # fmt: skip
    assert twin.grad.tolist() == [2.0, 4.0]
    assert twin.grad is not x.grad
    twin.data[0] = 7.0
    twin.grad.data[0] = 7.0
    assert (x.tolist(), x.grad.tolist()) == ([1.0, 2.0], [2.0, 4.0])
    twin.grad = None
    (twin * 3).sum().backward()
    assert twin.grad.tolist() == [3.0, 3.0]


@pytest.mark.parametrize("copied", [copy.deepcopy, reloaded])
def test_a_part_of_a_large_tensor_is_copied_alone(copied):
    part = dg.zeros(1000)[10:12]
    twin = copied(part)
    assert twin.data.base is None or twin.data.base.nbytes == 8
    assert twin.is_leaf


def test_a_tensor_that_comes_twice_is_copied_once():
    x = dg.tensor([1.0], requires_grad=True)
    for a, b in (copy.deepcopy([x, x]), reloaded([x, x])):
        assert a is b
        assert a is not x


@pytest.mark.parametrize("dtype", ["float16", "float64", "int32", "bool", "complex64"])
def test_every_type_and_a_number_survive_a_pickle(dtype):
    for x in (dg.ones(2, dtype=dtype), dg.ones((), dtype=dtype)):
        twin = reloaded(x)
        assert (twin.dtype, twin.shape, twin.tolist()) == (x.dtype, x.shape, x.tolist())


def test_what_was_computed_is_no_leaf_and_is_refused():
    x = dg.tensor([1.0], requires_grad=True) * 2
    with pytest.raises(GradientError) as e:
        copy.deepcopy(x)
    assert str(e.value) == (
        "deepcopy: only leaves can be copied with their graph.\n"
        "  tensor of shape (1,), dtype float32, made by Mul\n"
        "x.detach().clone() copies the values; x.clone() copies and stays in the graph."
    )
    for take in (reloaded, copy.copy):
        with pytest.raises(GradientError) as e:
            take(x)
        assert str(e.value) == (
            "pickle: only leaves can be pickled; the graph is not.\n"
            "  tensor of shape (1,), dtype float32, made by Mul\n"
            "x.detach() is a leaf with the same values."
        )
    assert reloaded(x.detach()).tolist() == [2.0]
