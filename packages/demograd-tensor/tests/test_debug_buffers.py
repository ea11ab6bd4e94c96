"""Under ``dg.debug`` a saved array that was written to behind the engine's back is found."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import demograd as dg
from demograd import Function, Tensor
from demograd.autograd import mark_changed
from demograd.autograd.graph import saved_tensors_hooks
from demograd.diagnostics._fingerprint import fingerprint
from demograd.errors import GradientError


def text_of(error):
    return re.sub(re.escape(__file__) + r":\d+", "here", str(error))


def test_a_write_through_numpy_is_named_with_operation_tensor_and_line():
    with dg.debug():
        w = Tensor([1.0, 2.0], requires_grad=True, name="w")
        y = (w * w).sum()
        w.detach().numpy()[0] = 5
        with pytest.raises(GradientError) as e:
            y.backward()
    assert text_of(e.value) == (
        "backward: the memory of a value that Mul saved was written to.\n"
        "  w: saved value 0, shape (2,), dtype float32\n"
        "  saved at here, in "
        "test_a_write_through_numpy_is_named_with_operation_tensor_and_line: y = (w * w).sum()\n"
        "  changed by: a write to its NumPy array, such as x.numpy()[...] = v, of which no "
        "operation of demograd knows\n"
        "Write to a copy (x.detach().clone()), or write after backward."
    )
    assert w.grad is None


def test_a_write_to_the_array_that_from_numpy_shares_is_found():
    array = np.zeros(3)
    x = dg.from_numpy(array)
    w = Tensor(np.ones(3), requires_grad=True)
    with dg.debug():
        y = (x * w).sum()
        array[:] = 1
        with pytest.raises(GradientError) as e:
            y.backward()
    assert "  input 0: saved value 0, shape (3,), dtype float64\n" in str(e.value)


def test_a_saved_output_is_named_as_such():
    class Exp(Function):
        def forward(self, x):
            out = self.xp.exp(x)
            self.save_for_backward(out)
            return out

        def backward(self, grad):
            return grad * self.saved_tensors[0]

    with dg.debug():
        y = Exp.apply(Tensor([1.0, 2.0], requires_grad=True))
        y.data[0] = 0
        with pytest.raises(GradientError) as e:
            y.sum().backward()
    assert "  output: saved value 0, shape (2,), dtype float32\n" in str(e.value)


def test_without_buffers_and_outside_the_block_nothing_is_compared():
    for settings in ({"buffers": False}, None):
        w = Tensor([1.0, 2.0], requires_grad=True)
        if settings is None:
            y = (w * w).sum()
            w.detach().numpy()[0] = 5
            y.backward()
        else:
            with dg.debug(**settings):
                y = (w * w).sum()
                w.detach().numpy()[0] = 5
                y.backward()
        assert w.grad.tolist() == [10.0, 4.0]


def test_what_is_not_changed_passes_whatever_its_layout():
    with dg.debug():
        base = Tensor(np.arange(12.0).reshape(3, 4), requires_grad=True)
        y = base.T[::2] * base.reshape(4, 3)[1:3].expand(1, 2, 3)
        z = base[None, :, :1].expand(2, 3, 4) * base
        (y.sum() + z.sum()).backward(retain_graph=True)
        (y.sum() + z.sum()).backward()


def test_changes_that_demograd_makes_itself_are_no_fault():
    with dg.debug():
        x = Tensor([1.0, 2.0], requires_grad=True)
        y = x * 2
        y *= 3
        y[0] = y[1] * 2
        (y * y).sum().backward()
        w = Tensor([1.0], requires_grad=True)
        for _ in range(3):
            (w * w).sum().backward()
            with dg.no_grad():
                w -= 0.1 * w.grad
    assert x.grad.tolist() == [0.0, 720.0]


def test_a_result_that_is_cast_into_the_memory_it_goes_to_is_no_fault():
    with dg.debug():
        x = Tensor([1.0, 2.0], requires_grad=True)
        y = x * 1
        y **= Tensor(np.array([2.5, 0.5]), requires_grad=True)  # float64 into float32
        y.sum().backward()
    assert x.grad.dtype == np.float32


def test_a_write_that_is_told_is_refused_with_its_line():
    with dg.debug():
        w = Tensor([1.0, 2.0], requires_grad=True, name="w")
        y = (w * w).sum()
        w.data[0] = 5
        mark_changed(w, "my update")
        with pytest.raises(GradientError) as e:
            y.backward()
    assert "changed by: my update\n" in str(e.value)
    assert "mark_changed(w, " in str(e.value)


def test_what_hooks_have_packed_is_not_compared():
    with dg.debug(), saved_tensors_hooks(lambda x: x.detach() * 1, lambda x: x):
        x = Tensor([1.0, 2.0], requires_grad=True)
        (x * x).sum().backward()
    assert x.grad.tolist() == [2.0, 4.0]


def test_the_second_pass_finds_what_the_first_could_not():
    with dg.debug():
        w = Tensor([1.0, 2.0], requires_grad=True)
        y = (w * w).sum()
        y.backward(retain_graph=True)
        w.detach().numpy()[1] = 0
        with pytest.raises(GradientError):
            y.backward()
    assert w.grad.tolist() == [2.0, 4.0]


@given(st.data())
def test_any_one_element_of_any_layout_counts(data):
    dtype = data.draw(st.sampled_from(["f2", "f4", "f8", "i8", "?", ">f4"]))
    array = np.zeros((4, 6), dtype)
    view = data.draw(
        st.sampled_from([array, array.T, array[::2], array[:, ::-3], array[1], array[2:3, 4]])
    )
    before = fingerprint(view)
    assert fingerprint(view) == before
    place = tuple(data.draw(st.integers(0, n - 1)) for n in view.shape)
    view[place] = 1
    assert fingerprint(view) != before


def test_a_broadcast_array_is_read_once_and_told_from_its_element():
    one = np.array([1.0])
    many = np.broadcast_to(one, (10**12, 1))
    before = fingerprint(many)
    one[0] = 2
    assert fingerprint(many) != before
    assert fingerprint(np.broadcast_to(one, (3, 1))) != fingerprint(one)
    column = np.zeros((5, 1))
    wide = np.broadcast_to(column, (5, 10**12))
    before = fingerprint(wide)
    column[4] = 1
    assert fingerprint(wide) != before
    assert fingerprint(np.zeros((0, 3))) == fingerprint(np.zeros((0, 3)))
