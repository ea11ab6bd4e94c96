"""Saved values in another form: saved_tensors_hooks, and inference mode, where none are saved."""

import numpy as np
import pytest

import demograd as dg
from demograd.autograd import grad, gradcheck, gradgradcheck
from demograd.autograd.graph import saved_tensors_hooks
from demograd.errors import ArgumentTypeError, DemogradError, GradientError


def message(call):
    with pytest.raises(DemogradError) as error:
        call()
    return str(error.value)


class Store:
    """Hooks that keep what is saved in a list, and hand out numbers."""

    def __init__(self):
        self.kept = []
        self.taken = 0

    def pack(self, x):
        assert not dg.is_grad_enabled()
        assert not x.requires_grad
        self.kept.append(x.numpy().copy())
        return len(self.kept) - 1

    def unpack(self, number):
        self.taken += 1
        return dg.Tensor(self.kept[number])

    def hooks(self):
        return saved_tensors_hooks(self.pack, self.unpack)


class Both(dg.Function):
    """The square and the cube, of which the square is saved."""

    def forward(self, x):
        square = x * x
        self.save_for_backward(x, square)
        return square, square * x

    def backward(self, first, second):
        x, square = self.saved_tensors
        return first * 2 * x + second * 3 * square


def power(x):
    return (x**3 / (x * x + 1)).sum()


def with_views(x):
    y = x.reshape(2, 2).T
    return (y[0] * y[1, :]).sum() * y[1, 1]


def in_place(x):
    y = x * x
    y[:2].mul_(x[2:])
    y += x
    return (y * y).sum()


def several_outputs(x):
    square, cube = Both.apply(x)
    return (square * cube).sum()


@pytest.mark.parametrize("function", [power, with_views, in_place, several_outputs])
def test_packed_values_give_the_same_derivatives(function):
    x = dg.tensor([0.5, 1.5, -0.7, 1.1], dtype="float64", requires_grad=True)
    expected = grad(function(x), x)[0]

    def packed(x):
        with Store().hooks():
            return function(x)

    np.testing.assert_allclose(grad(packed(x), x)[0].numpy(), expected.numpy())
    assert gradcheck(packed, x)
    assert gradgradcheck(packed, x)


def test_what_is_saved_is_packed_once_and_unpacked_in_each_pass():
    store = Store()
    x = dg.tensor([1.0, 2.0], requires_grad=True)
    with store.hooks():
        y = x * x + x
    (y * y).sum().backward(retain_graph=True)  # the last product is made outside
    assert (len(store.kept), store.taken) == (2, 2)
    y.sum().backward()
    assert store.taken == 4
    assert message(y.sum().backward).startswith("backward: the graph was freed")
    assert x.grad.tolist() == [4 * 3 + 3.0, 12 * 5 + 5.0]


def test_nothing_is_packed_where_nothing_is_recorded():
    store = Store()
    with store.hooks():
        dg.ones(2) * dg.ones(2)
        with dg.no_grad():
            dg.ones(2, requires_grad=True) ** 2
    assert store.kept == []


def test_of_nested_hooks_the_innermost_counts():
    outer, inner = Store(), Store()
    x = dg.tensor([1.0, 2.0], requires_grad=True)
    with outer.hooks():
        with inner.hooks():
            y = x * x
        z = y * y
    z.sum().backward()
    assert (len(outer.kept), len(inner.kept)) == (2, 2)
    assert x.grad.tolist() == [4.0, 32.0]


def test_a_value_that_was_overwritten_is_good_where_a_copy_was_packed():
    x = dg.tensor([1.0, 2.0], requires_grad=True)
    y = x * 1
    with Store().hooks():
        z = (y * y).sum()
    y.mul_(10)
    z.backward()
    assert x.grad.tolist() == [2.0, 4.0]


def test_a_value_that_was_overwritten_is_refused_where_its_memory_was_packed():
    x = dg.tensor([1.0, 2.0], requires_grad=True)
    y = x * 1
    with saved_tensors_hooks(lambda t: t, lambda t: t):
        z = (y * y).sum()
    y.mul_(10)
    assert message(z.backward) == (
        "backward: a value that Mul saved was changed in place afterwards.\n"
        "  Mul: saved its input 0, made by Mul, of shape (2,), dtype float32\n"
        "  changed by: mul_\n"
        "Change a copy (x = x.clone()), or make the change after backward.\n"
        "Under dg.debug() this message names the lines of both."
    )


def test_hooks_that_break_the_rules_are_refused():
    x = dg.tensor([1.0, 2.0], requires_grad=True)
    with saved_tensors_hooks(lambda t: t.mul_(2), lambda t: t):
        assert message(lambda: x * 1.0 * x) == (
            "pack hook: it changed the value that Mul saved.\n"
            "  tensor of shape (2,), dtype float32\n"
            "Change a copy: x = x.clone()."
        )
    x = dg.tensor([1.0, 2.0], requires_grad=True)
    with saved_tensors_hooks(lambda t: 1, lambda packed: packed):
        y = (x * x).sum()
    with pytest.raises(ArgumentTypeError, match="unpack hook: it returned int, not a Tensor"):
        y.backward()
    with saved_tensors_hooks(lambda t: t, lambda t: t.sum()):
        y = (x * x).sum()
    assert message(y.backward) == (
        "unpack hook: it gave another shape than Mul saved.\n"
        "  saved: shape (2,)\n"
        "  unpacked: shape ()"
    )


def test_an_unknown_intermediate_is_refused_the_second_time_when_packed_too():
    class Saves(dg.Function):
        def forward(self, x):
            self.save_for_backward(x * x)
            return x**3

        def backward(self, g):
            (square,) = self.saved_tensors
            return g * 3 * square

    x = dg.tensor([2.0], requires_grad=True)
    with Store().hooks():
        y = Saves.apply(x)
    assert grad(y, x, retain_graph=True)[0].tolist() == [12.0]
    assert "neither an input nor an output" in message(lambda: grad(y, x, create_graph=True))


# Inference mode.


def test_inference_mode_marks_what_is_made_and_not_views_of_ordinary_tensors():
    ordinary = dg.ones(2)
    w = dg.ones(2, requires_grad=True)
    with dg.inference_mode():
        assert (dg.is_inference_mode_enabled(), dg.is_grad_enabled()) == (True, False)
        made, computed = dg.ones(2), w * 2
        view, of_made = ordinary[:1], made[:1]
        with dg.enable_grad():
            also = w * 2
        with dg.inference_mode(False):
            recorded = w * 2
    assert [x.is_inference() for x in (made, computed, of_made, also)] == [True] * 4
    assert [x.is_inference() for x in (view, recorded, ordinary)] == [False] * 3
    assert [x.requires_grad for x in (computed, also, recorded)] == [False, False, True]
    assert dg.is_grad_enabled()
    assert not dg.is_inference_mode_enabled()


OUTSIDE = [
    (lambda a, w: a * w, "Mul: a tensor from inference mode cannot be saved for backward."),
    (lambda a, w: w**a, "Pow: a tensor from inference mode cannot be saved for backward."),
    (
        lambda a, w: (w * 1).mul_(a),
        "Mul: a tensor from inference mode cannot be saved for backward.",
    ),
    (
        lambda a, w: a.add_(1),
        "add_: a tensor from inference mode cannot be changed in place outside of it.",
    ),
    (
        lambda a, w: a.__setitem__(0, 1.0),
        "x[i] = v: a tensor from inference mode cannot be changed in place outside of it.",
    ),
    (
        lambda a, w: a.requires_grad_(),
        "requires_grad: a tensor from inference mode cannot require a gradient outside.",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("act", "headline"), OUTSIDE)
def test_a_tensor_from_inference_mode_has_no_part_in_a_graph(act, headline):
    with dg.inference_mode():
        a = dg.ones(2)
    with pytest.raises(GradientError) as error:
        act(a, dg.ones(2, requires_grad=True))
    assert str(error.value).splitlines()[0] == headline
    assert a.tolist() == [1.0, 1.0]


def test_what_saves_nothing_takes_a_tensor_from_inference_mode():
    w = dg.ones(2, requires_grad=True)
    with dg.inference_mode():
        a, number = dg.ones(2), dg.ones(2).sum()
    (a + w + number).sum().backward()
    assert w.grad.tolist() == [1.0, 1.0]
    assert [x.is_inference() for x in (a[:1], a.detach(), a * 2, a.clone())] == [
        True, True, False, False,
    ]  # fmt: skip
    with pytest.raises(GradientError):
        number * w.sum()
    (a.clone() * w).sum().backward()
    with dg.inference_mode():
        a.mul_(5)
        a[0] = 3.0
    assert a.tolist() == [3.0, 5.0]


def test_a_leaf_from_inference_mode_has_the_gradient_itself():
    with dg.inference_mode():
        w = dg.ones(2, requires_grad=True)
    (w + dg.ones(2)).sum().backward()
    assert w.grad.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("decorate", [dg.inference_mode(), dg.inference_mode])
def test_inference_mode_decorates(decorate):
    @decorate
    def double(x):
        return x * 2

    assert double.__name__ == "double"
    assert double(dg.ones(2, requires_grad=True)).is_inference()
    assert dg.is_grad_enabled()


def test_inference_mode_ends_where_an_exception_leaves_it():
    with pytest.raises(ZeroDivisionError), dg.inference_mode():
        raise ZeroDivisionError
    assert dg.is_grad_enabled()
    assert not dg.ones(2).is_inference()
