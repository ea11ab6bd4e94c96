"""The largest and the smallest: who gets the gradient, indices, NaN."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

import demograd as dg
from demograd import Tensor, ops


def test_the_largest_and_smallest_share_the_gradient_among_equals() -> None:
    for function, value in ((ops.amax, 3.0), (ops.amin, -3.0), (ops.max, 3.0), (ops.min, -3.0)):
        x = Tensor([value, 0.0, value], requires_grad=True)
        function(x).backward()
        assert x.grad is not None
        assert x.grad.tolist() == [0.5, 0.0, 0.5]


def test_along_a_dimension_the_first_of_equals_is_chosen_and_gets_the_gradient() -> None:
    for function, value in ((ops.max, 3.0), (ops.min, -3.0)):
        x = Tensor([[0.0, value, value]], requires_grad=True)
        values, indices = function(x, 1)
        values.sum().backward()
        assert indices.tolist() == [1]
        assert indices.dtype == dg.int64
        assert not indices.requires_grad
        assert x.grad is not None
        assert x.grad.tolist() == [[0.0, 1.0, 0.0]]


def test_max_and_min_name_what_they_return() -> None:
    found = dg.tensor([[1.0, 4.0], [3.0, 2.0]]).max(dim=0, keepdim=True)
    assert type(found).__name__ == "Extremes"
    assert found.values.tolist() == [[3.0, 4.0]]
    assert found.indices.tolist() == [[1, 0]]
    assert dg.tensor([2.0, 1.0]).min(0).values.item() == 1.0


def test_max_and_min_of_two_tensors_are_elementwise() -> None:
    x, y = dg.tensor([1.0, 5.0]), dg.tensor([3.0, 2.0])
    assert ops.max(x, y).tolist() == [3.0, 5.0]
    assert ops.min(x, y).tolist() == [1.0, 2.0]


def test_a_nan_is_the_largest_and_the_smallest() -> None:
    x = dg.tensor([1.0, float("nan"), 3.0])
    for function in (ops.amax, ops.amin, ops.max, ops.min):
        assert np.isnan(function(x).item())
    assert ops.argmax(x).item() == ops.argmin(x).item() == ops.max(x, 0).indices.item() == 1


@given(data=st.data(), seed=st.integers(0, 99), keepdim=st.booleans())
@settings(max_examples=25, deadline=None)
def test_argmax_and_argmin_are_those_of_numpy(data: Any, seed: int, keepdim: bool) -> None:
    shape = data.draw(array_shapes(min_dims=1, max_dims=4, max_side=4))
    dim = data.draw(st.one_of(st.none(), st.integers(-len(shape), len(shape) - 1)))
    x = np.random.default_rng(seed).integers(0, 3, shape)
    for function, expected in ((ops.argmax, np.argmax), (ops.argmin, np.argmin)):
        out = function(Tensor(x), dim, keepdim)
        assert out.dtype == dg.int64
        np.testing.assert_array_equal(out.numpy(), expected(x, axis=dim, keepdims=keepdim))


def test_extremes_of_integers_are_integers() -> None:
    x = dg.tensor([3, 1, 2])
    assert (ops.amax(x).item(), ops.min(x).item(), ops.max(x, 0).values.dtype) == (3, 1, dg.int64)
