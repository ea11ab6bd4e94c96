"""Functions over dimensions: one table, and what holds for each row of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import scipy.special
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from demograd import Tensor, ops
from demograd.autograd import grad, gradcheck, gradgradcheck
from demograd.testing import check_function

Dim = int | tuple[int, ...] | None


@dataclass(frozen=True)
class Case:
    name: str
    function: Callable[..., Tensor]
    reference: Callable[..., Any]
    # One dimension only, or several and all.
    several: bool = True
    # Whether it is an error over no elements.
    needs_elements: bool = False
    # Whether the result has the shape of x.
    keeps_shape: bool = False


def logsumexp(x: Any, axis: Any, keepdims: bool) -> Any:
    return scipy.special.logsumexp(x, axis=axis, keepdims=keepdims)


CASES = [
    Case("amax", ops.amax, np.max, needs_elements=True),
    Case("amin", ops.amin, np.min, needs_elements=True),
    Case("cumprod", lambda x, dim: ops.cumprod(x, dim), np.cumprod, False, keeps_shape=True),
    Case("cumsum", lambda x, dim: ops.cumsum(x, dim), np.cumsum, False, keeps_shape=True),
    Case("logsumexp", ops.logsumexp, logsumexp, needs_elements=True),
    Case(
        "log_softmax",
        lambda x, dim: ops.log_softmax(x, dim),
        scipy.special.log_softmax,
        False,
        keeps_shape=True,
        needs_elements=True,
    ),
    Case("max", lambda x, d, k: ops.max(x, d, k).values, np.max, False, needs_elements=True),
    Case("min", lambda x, d, k: ops.min(x, d, k).values, np.min, False, needs_elements=True),
    Case("prod", ops.prod, np.prod),
    Case(
        "softmax",
        lambda x, dim: ops.softmax(x, dim),
        scipy.special.softmax,
        False,
        keeps_shape=True,
        needs_elements=True,
    ),
    Case(
        "std",
        lambda x, d, k: ops.std(x, d, keepdim=k, correction=0),
        np.std,
        needs_elements=True,
    ),
    Case(
        "var",
        lambda x, d, k: ops.var(x, d, keepdim=k, correction=0),
        np.var,
        needs_elements=True,
    ),
]

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def apply(case: Case, x: Tensor, dim: Dim, keepdim: bool) -> Tensor:
    return case.function(x, dim) if case.keeps_shape else case.function(x, dim, keepdim)


def reference(case: Case, x: Any, dim: Dim, keepdim: bool) -> Any:
    return case.reference(x, dim) if case.keeps_shape else case.reference(x, dim, keepdims=keepdim)


def draw_dim(data: Any, case: Case, ndim: int) -> Dim:
    """One dimension, several, or all, counted from the front or from the back."""
    one = st.integers(-ndim, ndim - 1)
    some = st.lists(one, min_size=1, unique_by=lambda d: d % ndim).map(tuple)
    dim: Dim = data.draw(st.one_of(st.none(), one, some) if case.several else one)
    return dim


def points(shape: Any, seed: int) -> Any:
    """Random float64 of distinct magnitudes, so that no two are close to a tie."""
    size = int(np.prod(shape))
    rng = np.random.default_rng(seed)
    return (rng.permutation(size) - size / 2 + 0.25).reshape(shape) * (1.6 / max(size, 1))


@every_case
@given(data=st.data(), seed=st.integers(0, 99), keepdim=st.booleans())
@settings(max_examples=25, deadline=None)
def test_the_value_is_that_of_numpy_or_scipy(
    case: Case, data: Any, seed: int, keepdim: bool
) -> None:
    smallest = 1 if case.needs_elements else 0
    shape = data.draw(array_shapes(min_dims=1, max_dims=4, min_side=smallest, max_side=4))
    x = points(shape, seed)
    dim = draw_dim(data, case, len(shape))
    out = apply(case, Tensor(x), dim, keepdim)
    expected = reference(case, x, dim, keepdim)
    assert out.shape == expected.shape
    np.testing.assert_allclose(out.numpy(), expected, rtol=1e-12, atol=1e-12)


@every_case
@given(data=st.data(), seed=st.integers(0, 99), keepdim=st.booleans())
@settings(max_examples=8, deadline=None)
def test_first_and_second_derivative_agree_with_differences(
    case: Case, data: Any, seed: int, keepdim: bool
) -> None:
    shape = data.draw(array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3))
    dim = draw_dim(data, case, len(shape))
    lengths = [shape[d] for d in np.atleast_1d(range(len(shape)) if dim is None else dim)]
    # Of one element the deviation is constant zero, where its root has a kink.
    assume(case.name != "std" or np.prod(lengths) > 1)
    x = Tensor(points(shape, seed), requires_grad=True)
    gradcheck(lambda x: apply(case, x, dim, keepdim), x)
    gradgradcheck(lambda x: apply(case, x, dim, keepdim), x)


# They keep sums, such as that of a softmax, from being constant.
WEIGHTS = np.array([[0.3, -1.2, 0.7], [1.1, 0.4, -0.6]])


def derivatives(case: Case, x: Tensor, weights: Tensor) -> list[Tensor]:
    """The value, and the derivatives of the weighted sum of its squares up to the third."""
    found = [apply(case, x, 1, True)]
    total = (found[0] * found[0] * weights).sum()
    while len(found) < 4 and total.requires_grad:
        (slope,) = grad(total, x, create_graph=True, materialize_grads=True)
        assert slope is not None
        found.append(slope)
        total = (slope * weights).sum()
    return found


@every_case
def test_the_third_derivative_agrees_with_differences(case: Case) -> None:
    x = Tensor(points((2, 3), 1), requires_grad=True)
    gradcheck(lambda x: derivatives(case, x, Tensor(WEIGHTS))[2] + x * 0, x)


@every_case
def test_the_rules_run_on_another_array_library(case: Case) -> None:
    library = pytest.importorskip("array_api_strict", reason="array-api-strict is not installed")
    x = points((2, 3), 1)
    expected = derivatives(case, Tensor(x, requires_grad=True), Tensor(WEIGHTS))
    found = derivatives(
        case, Tensor(library.asarray(x), requires_grad=True), Tensor(library.asarray(WEIGHTS))
    )
    assert len(found) == len(expected)
    for ours, numpys in zip(found, expected, strict=True):
        assert type(ours.data) is type(library.asarray(x))
        np.testing.assert_allclose(
            np.asarray(ours.detach().data), numpys.detach().numpy(), rtol=1e-10, atol=1e-10
        )


@every_case
def test_the_interface_of_function_is_kept(case: Case) -> None:
    check_function(lambda x: apply(case, x, 1, False), Tensor(points((2, 3), 0)))


@every_case
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_value_and_gradient_keep_the_data_type(case: Case, dtype: str) -> None:
    values = points((3, 4), 0).astype(dtype)
    x = Tensor(values, requires_grad=True)
    out = apply(case, x, 1, False)
    out.sum().backward()
    assert out.dtype == dtype
    assert x.grad is not None
    assert x.grad.dtype == dtype
    tolerance = {"float16": 6e-3, "float32": 2e-6, "float64": 1e-12}[dtype]
    exact = reference(case, values.astype("float64"), 1, False)
    np.testing.assert_allclose(out.detach().numpy(), exact, rtol=tolerance, atol=tolerance)


@every_case
def test_a_number_is_taken_for_one_dimension_of_length_one(case: Case) -> None:
    for dim in (0, -1):
        x = Tensor(np.array(0.5), requires_grad=True)
        out = apply(case, x, dim, False)
        out.backward()
        flat = Tensor(np.array([0.5]), requires_grad=True)
        expected = apply(case, flat, dim, False)
        expected.sum().backward()
        assert out.shape == ()
        assert x.grad is not None
        assert flat.grad is not None
        np.testing.assert_array_equal(out.item(), expected.detach().numpy().reshape(()))
        np.testing.assert_array_equal(x.grad.numpy(), flat.grad.numpy().reshape(()))


@every_case
def test_memory_may_be_strided_backwards_or_repeated(case: Case) -> None:
    x = points((3, 4), 0)
    for view in (x[::-1, ::-2], x.T, np.broadcast_to(x[:, :1], (3, 4))):
        leaf = Tensor(view, requires_grad=True)
        copy = Tensor(view.copy(), requires_grad=True)
        for each in (leaf, copy):
            apply(case, each, 0, False).sum().backward()
        assert leaf.grad is not None
        assert copy.grad is not None
        np.testing.assert_allclose(leaf.grad.numpy(), copy.grad.numpy(), rtol=1e-12)


@every_case
def test_numpy_names_of_the_arguments_are_taken_too(case: Case) -> None:
    x = Tensor(points((2, 3), 0))
    function = getattr(ops, case.name)
    settings = {"correction": 0} if case.name in ("std", "var") else {}
    by_torch = function(x, dim=1, **settings)
    by_numpy = function(x, axis=1, **settings)
    if case.name in ("max", "min"):
        by_torch, by_numpy = by_torch.values, by_numpy.values
    np.testing.assert_array_equal(by_torch.numpy(), by_numpy.numpy())
