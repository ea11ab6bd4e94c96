"""Products with zeros among the factors, and the types of products and running sums."""

import numpy as np
import pytest

import demograd as dg
from demograd import Tensor, ops
from demograd.autograd import grad, gradcheck, gradgradcheck


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([2.0, 3.0, 4.0], [12.0, 8.0, 6.0]),
        ([0.0, 3.0, 4.0], [12.0, 0.0, 0.0]),
        ([0.0, 3.0, 0.0], [0.0, 0.0, 0.0]),
        ([5.0], [1.0]),
        ([], []),
    ],
)
def test_the_gradient_of_a_product_is_right_with_zeros(
    values: list[float], expected: list[float]
) -> None:
    x = Tensor(np.array(values), requires_grad=True)
    ops.prod(x).backward()
    assert x.grad is not None
    assert x.grad.tolist() == expected


@pytest.mark.parametrize("zeros", [1, 2, 3])
def test_a_product_with_zeros_is_right_when_differentiated_again(zeros: int) -> None:
    x = np.array([1.5, -2.0, 0.5, 3.0, -1.0])
    x[:zeros] = 0.0
    leaf = Tensor(x, requires_grad=True)
    gradcheck(ops.prod, leaf)
    gradgradcheck(ops.prod, leaf)
    (slope,) = grad(ops.prod(leaf), leaf, create_graph=True)
    assert slope is not None
    (bend,) = grad(slope[0], leaf, create_graph=True)
    assert bend is not None
    # d3/dx0 dx1 dx2 is the product of the two others.
    (third,) = grad(bend[1], leaf)
    assert third is not None
    assert third[2].item() == x[3] * x[4]


@pytest.mark.parametrize("zeros", [[0], [1, 3], [4], [0, 1, 2, 3, 4]])
def test_running_products_with_zeros_are_right_when_differentiated_again(zeros: list[int]) -> None:
    x = np.array([1.5, -2.0, 0.5, 3.0, -1.0])
    x[zeros] = 0.0
    leaf = Tensor(x, requires_grad=True)
    gradcheck(lambda x: ops.cumprod(x, 0), leaf)
    gradgradcheck(lambda x: ops.cumprod(x, 0), leaf)


@pytest.mark.parametrize("name", ["prod", "cumsum"])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "int64"])
def test_integers_and_booleans_are_multiplied_and_summed_as_int64(name: str, dtype: str) -> None:
    out = getattr(ops, name)(dg.tensor([1, 1, 1], dtype=dtype), 0)
    assert out.dtype == dg.int64
    assert out.tolist() == {"prod": 1, "cumsum": [1, 2, 3]}[name]


@pytest.mark.parametrize("name", ["prod", "cumsum"])
def test_a_data_type_to_compute_in_can_be_given(name: str) -> None:
    out = getattr(ops, name)(dg.tensor([1, 2]), 0, dtype=dg.float64)
    assert out.dtype == dg.float64
