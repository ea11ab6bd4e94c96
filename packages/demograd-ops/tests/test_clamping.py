"""maximum, minimum and clamp: values, and how the gradient is shared."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, mutually_broadcastable_shapes

import demograd as dg
from demograd import Tensor, ops
from demograd.autograd import gradcheck, gradgradcheck

NAN = float("nan")


def gradients(function: Any, *values: Any) -> tuple[list[float], list[Any]]:
    """The value, and the gradient of its sum by each operand."""
    leaves = [Tensor(np.array(v), requires_grad=True) for v in values]
    out = function(*leaves)
    out.sum().backward()
    return out.tolist(), [None if x.grad is None else x.grad.tolist() for x in leaves]


@given(shapes=mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3),
       seed=st.integers(0, 99))  # fmt: skip
@settings(max_examples=25, deadline=None)
def test_maximum_and_minimum_broadcast_and_are_those_of_numpy(shapes: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = (rng.standard_normal(shape) for shape in shapes.input_shapes)
    for function, expected in ((ops.maximum, np.maximum), (ops.minimum, np.minimum)):
        leaves = [Tensor(v, requires_grad=True) for v in (x, y)]
        np.testing.assert_array_equal(function(*leaves).detach().numpy(), expected(x, y))
        gradcheck(function, leaves)
        gradgradcheck(function, leaves)


def test_equal_operands_share_the_gradient_and_nan_passes_it_to_both() -> None:
    x, y = [NAN, 1.0, 2.0], [1.0, 1.0, 3.0]
    value, slopes = gradients(ops.maximum, x, y)
    np.testing.assert_array_equal(value, [NAN, 1.0, 3.0])
    assert slopes == [[1.0, 0.5, 0.0], [1.0, 0.5, 1.0]]
    value, slopes = gradients(ops.minimum, x, y)
    np.testing.assert_array_equal(value, [NAN, 1.0, 2.0])
    assert slopes == [[1.0, 0.5, 1.0], [1.0, 0.5, 0.0]]


def test_a_number_may_be_an_operand_and_does_not_widen() -> None:
    x = Tensor([1.0, 3.0], requires_grad=True)
    out = ops.maximum(2, x)
    out.sum().backward()
    assert (out.dtype, out.tolist()) == (dg.float32, [2.0, 3.0])
    assert x.grad is not None
    assert x.grad.tolist() == [0.0, 1.0]
    assert x.minimum(2.5).tolist() == [1.0, 2.5]


def test_operands_of_two_types_are_promoted_as_in_pytorch() -> None:
    assert ops.maximum(dg.tensor([1.5]), dg.tensor([2])).dtype == dg.float32
    assert ops.minimum(dg.tensor([True]), dg.tensor([False])).tolist() == [False]
    assert dg.tensor([1, 2]).clamp(0.5, 1.5).tolist() == [1.0, 1.5]
    assert dg.tensor([1, 5]).clamp(2, 3).dtype == dg.int64


@given(shape=array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3), seed=st.integers(0, 99))
@settings(max_examples=10, deadline=None)
def test_clamp_between_tensors_agrees_with_numpy_and_differences(shape: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    arrays = [rng.standard_normal(shape), rng.standard_normal(shape), rng.standard_normal(shape)]
    leaves = [Tensor(v, requires_grad=True) for v in arrays]
    expected = np.minimum(np.maximum(arrays[0], arrays[1]), arrays[2])
    np.testing.assert_array_equal(ops.clamp(*leaves).detach().numpy(), expected)
    gradcheck(ops.clamp, leaves)
    gradgradcheck(ops.clamp, leaves)


# What, operands, value, gradients: PyTorch 2.13's.
AT_THE_BOUNDS = [
    (
        "numbers",
        lambda x: ops.clamp(x, 1.0, 2.0),
        [[0.0, 1.0, 1.5, 2.0, 3.0, NAN]],
        [1.0, 1.0, 1.5, 2.0, 2.0, NAN],
        [[0.0, 1.0, 1.0, 1.0, 0.0, 0.0]],
    ),
    (
        "crossed numbers",
        lambda x: ops.clamp(x, 2.0, 1.0),
        [[0.0, 1.0, 1.5, 2.0, 3.0]],
        [1.0] * 5,
        [[0.0] * 5],
    ),
    (
        "tensors",
        ops.clamp,
        [[0.0, 1.0, 1.5, 2.0, 3.0], [1.0, 1.0, 1.0, 3.0, 3.0], [2.0] * 5],
        [1.0, 1.0, 1.5, 2.0, 2.0],
        [[0.0, 1.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0, 1.0]],
    ),
    (
        "a lower tensor",
        lambda x, low: ops.clamp(x, min=low),
        [[0.0, 1.0, 1.5], [1.0, 1.0, 1.0]],
        [1.0, 1.0, 1.5],
        [[0.0, 1.0, 1.0], [1.0, 0.0, 0.0]],
    ),
]


@pytest.mark.parametrize(
    ("what", "function", "operands", "value", "slopes"), AT_THE_BOUNDS, ids=lambda v: str(v)[:15]
)
def test_clamp_at_its_bounds_is_that_of_pytorch(
    what: str, function: Any, operands: Any, value: Any, slopes: Any
) -> None:
    found, gradient = gradients(function, *operands)
    np.testing.assert_array_equal(found, value)
    assert gradient == slopes


def test_clamp_takes_one_bound_of_each_kind() -> None:
    x = Tensor([0.0, 1.0, 4.0])
    assert ops.clamp(x, max=1).tolist() == [0.0, 1.0, 1.0]
    assert ops.clamp(x, 0.5, Tensor([2.0])).tolist() == [0.5, 1.0, 2.0]


def test_a_clamped_distance_has_no_infinite_gradient() -> None:
    # Also for many elements, whose mask is applied in another way.
    for number in (2, 5000):
        x = Tensor(np.resize([-1.0, 4.0], number), requires_grad=True)
        x.clamp(min=0.0).sqrt().sum().backward()
        assert x.grad is not None
        np.testing.assert_array_equal(x.grad.numpy(), np.resize([0.0, 0.25], number))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(5000,), (70, 80)])
def test_the_mask_of_many_elements_keeps_values_and_type(dtype: str, shape: Any) -> None:
    values = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    weights = np.random.default_rng(1).standard_normal(shape).astype(dtype)
    for view in (values, values[::-1]):
        x = Tensor(view, requires_grad=True)
        (ops.relu(x) * Tensor(weights)).sum().backward()
        assert x.grad is not None
        assert x.grad.dtype == dtype
        np.testing.assert_array_equal(x.grad.numpy(), np.where(view > 0, weights, 0))
