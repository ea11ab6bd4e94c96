"""The functions as changes in place."""

import numpy as np
import pytest

import demograd as dg
from demograd import Tensor, ops
from demograd.errors import DtypeError, GradientError
from demograd.ops import _in_place

NAMES = sorted(_in_place.IN_PLACE)


@pytest.mark.parametrize("name", [n for n in NAMES if n != "clamp_"])
def test_the_tensor_holds_the_result_in_its_own_memory_and_gradients_are_the_same(
    name: str,
) -> None:
    values = np.array([0.3, 0.7])
    function = getattr(ops, name[:-1])
    leaf, twin = (Tensor(values, requires_grad=True) for _ in range(2))
    x = leaf * 1
    memory = x.data
    assert getattr(x, name)() is x
    assert x.data is memory
    np.testing.assert_array_equal(x.detach().numpy(), function(Tensor(values)).numpy())
    (x * x).sum().backward()
    y = function(twin * 1)
    (y * y).sum().backward()
    assert leaf.grad is not None
    assert twin.grad is not None
    np.testing.assert_array_equal(leaf.grad.numpy(), twin.grad.numpy())


def test_clamp_in_place_takes_numbers_names_and_tensors() -> None:
    x = dg.tensor([-1.0, 0.5, 2.0])
    assert x.clamp_(0, 1) is x
    assert x.tolist() == [0.0, 0.5, 1.0]
    assert x.clamp_(max=0.7).tolist() == pytest.approx([0.0, 0.5, 0.7])
    bound = Tensor([0.4], requires_grad=True)
    x.clamp_(min=bound).sum().backward()
    assert bound.grad is not None
    assert bound.grad.tolist() == [1.0]


def test_a_leaf_that_requires_a_gradient_is_refused() -> None:
    x = Tensor([1.0], requires_grad=True)
    with pytest.raises(GradientError) as e:
        x.relu_()
    assert str(e.value) == (
        "relu_: a leaf that requires a gradient cannot be changed in place.\n"
        "  tensor of shape (1,), dtype float32\n"
        "with dg.no_grad(): ... changes its values; x = x + y makes a new tensor."
    )
    with dg.no_grad():
        assert x.relu_().tolist() == [1.0]


def test_integers_cannot_hold_the_floats_of_a_result() -> None:
    x = dg.tensor([1, 2])
    with pytest.raises(DtypeError) as e:
        x.exp_()
    assert str(e.value) == (
        "exp_: the result has a type that the tensor cannot hold.\n"
        "  x: dtype int64\n"
        "  result: dtype float32\n"
        "x = x.to(dg.float32) first."
    )
    assert x.tolist() == [1, 2]


def test_they_are_named_and_described() -> None:
    assert Tensor([1.0]).clamp_.__name__ == "clamp_"
    assert _in_place.IN_PLACE["exp_"].__doc__ == (
        ":func:`demograd.exp`, in place; returns the tensor itself."
    )
