"""Python's operators, sums and changes of shape: values, first, second and third derivatives."""

import operator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import array_api_strict
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import demograd as dg
from demograd import operators as F
from demograd.autograd import grad, gradcheck, gradgradcheck
from demograd.errors import ArgumentError, ArgumentTypeError, DtypeError
from demograd.testing import check_function


@dataclass
class Case:
    name: str
    function: Any
    reference: Any
    low: float = -2.0
    high: float = 2.0
    inputs: int = 1
    more: list[Any] = field(default_factory=list)


PAIRS = [
    Case("add", lambda x, y: x + y, np.add),
    Case("sub", lambda x, y: x - y, np.subtract),
    Case("mul", lambda x, y: x * y, np.multiply),
    Case("div", lambda x, y: x / y, np.divide, low=0.5),
    Case("pow", lambda x, y: x**y, np.power, low=0.5),
    Case("where", lambda x, y: F.where(x < y, x, y), np.minimum),
    Case(
        "reflected", lambda x, y: 2.0 - (1.0 / x) * (3.0 + y), lambda x, y: 2 - (3 + y) / x, low=0.5
    ),
    Case("remainder", lambda x, y: x % y, np.remainder, low=0.5),
]
SINGLES = [
    Case("neg", lambda x: -x, np.negative),
    Case("pos", lambda x: +x, np.positive),
    Case("square", lambda x: x**2, np.square),
    Case("cube", lambda x: x**3, lambda x: x**3),
    Case("power 0", lambda x: x**0, np.ones_like),
    Case("power 0.5", lambda x: x**0.5, np.sqrt, low=0.3),
    Case("2 to the x", lambda x: 2.0**x, np.exp2),
    Case("log", F.log, np.log, low=0.3),
    Case("clone", lambda x: x.clone(), np.copy),
    Case("sum", lambda x: x.sum(), np.sum),
    Case("mean", lambda x: x.mean(), np.mean),
    Case("flat", lambda x: x.reshape(-1), np.ravel),
    Case("T", lambda x: x.T, np.transpose),
]
IDS = lambda case: case.name  # noqa: E731


def floats(shape: tuple[int, ...], low: float, high: float) -> st.SearchStrategy[Any]:
    # Rounded, so that no two numbers are closer than the steps of the differences.
    return hnp.arrays(np.float64, shape, elements=st.floats(low, high).map(lambda v: round(v, 2)))


@st.composite
def pairs(draw: Any, case: Case) -> tuple[Any, Any]:
    shapes = draw(
        hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3, min_side=0)
    )
    a, b = (draw(floats(s, case.low, case.high)) for s in shapes.input_shapes)
    # Kinks of where and remainder are no place for differences.
    return a, b + 0.00317


@pytest.mark.parametrize("case", PAIRS, ids=IDS)
@given(data=st.data())
def test_an_operator_of_two_agrees_with_numpy_and_with_differences_twice(case, data):
    a, b = data.draw(pairs(case))
    x, y = dg.tensor(a, requires_grad=True), dg.tensor(b, requires_grad=True)
    out = case.function(x, y)
    np.testing.assert_allclose(out.detach().numpy(), case.reference(a, b), rtol=1e-12)
    assert gradcheck(case.function, (x, y))
    assert gradgradcheck(case.function, (x, y))


@pytest.mark.parametrize("case", SINGLES, ids=IDS)
@given(data=st.data())
def test_an_operator_of_one_agrees_with_numpy_and_with_differences_twice(case, data):
    shape = data.draw(hnp.array_shapes(min_dims=0, max_dims=3, max_side=3))
    a = data.draw(floats(shape, case.low, case.high))
    x = dg.tensor(a, requires_grad=True)
    np.testing.assert_allclose(case.function(x).detach().numpy(), case.reference(a), rtol=1e-12)
    assert gradcheck(case.function, x)
    assert gradgradcheck(case.function, x)


@given(data=st.data())
def test_matmul_agrees_with_numpy_and_with_differences_twice(data):
    shapes = data.draw(
        hnp.mutually_broadcastable_shapes(signature=np.matmul.signature, max_dims=2, max_side=3)
    )
    a, b = (data.draw(floats(s, -2, 2)) for s in shapes.input_shapes)
    x, y = dg.tensor(a, requires_grad=True), dg.tensor(b, requires_grad=True)
    np.testing.assert_allclose((x @ y).detach().numpy(), a @ b, atol=1e-12)
    assert gradcheck(lambda x, y: x @ y, (x, y))
    assert gradgradcheck(lambda x, y: x @ y, (x, y))


@pytest.mark.parametrize("function", ["sum", "mean"])
@given(data=st.data())
def test_reductions_take_any_dimensions_under_both_names(function, data):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=4, max_side=3))
    dims = data.draw(
        st.lists(
            st.integers(-len(shape), len(shape) - 1), min_size=1, unique_by=lambda d: d % len(shape)
        )
    )
    keep = data.draw(st.booleans())
    a = data.draw(floats(shape, -2, 2))
    x = dg.tensor(a, requires_grad=True)
    expected = getattr(np, function)(a, axis=tuple(dims), keepdims=keep)
    for actual in (
        getattr(x, function)(tuple(dims), keep),
        getattr(x, function)(axis=tuple(dims), keepdims=keep),
        getattr(dg, function)(x, dim=dims, keepdim=keep),
    ):
        np.testing.assert_allclose(actual.detach().numpy(), expected, atol=1e-12)
    assert gradcheck(lambda x: getattr(x, function)(dims, keep), x)


@given(data=st.data())
def test_basic_indexing_agrees_with_numpy_and_its_gradient_lands_where_it_came_from(data):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=4))
    index = data.draw(hnp.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True))
    a = data.draw(floats(shape, -2, 2))
    x = dg.tensor(a, requires_grad=True)
    np.testing.assert_array_equal(x[index].detach().numpy(), a[index])
    assert gradcheck(lambda x: x[index] * x[index], x)


@given(data=st.data())
def test_an_index_that_repeats_gathers_all_its_gradients(data):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=4))
    index = data.draw(hnp.integer_array_indices(shape))
    a = data.draw(floats(shape, -2, 2))
    x = dg.tensor(a, requires_grad=True)
    np.testing.assert_array_equal(x[index].detach().numpy(), a[index])
    assert gradcheck(lambda x: x[index] * x[index], x)
    assert gradgradcheck(lambda x: x[index] ** 3, x)


@given(data=st.data())
def test_a_mask_picks_and_gives_back(data):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=2, max_side=4))
    mask = data.draw(hnp.arrays(bool, shape))
    x = dg.tensor(data.draw(floats(shape, -2, 2)), requires_grad=True)
    (x[mask] ** 2).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.where(mask, 2 * x.detach().numpy(), 0))


@given(data=st.data())
def test_expand_and_permute_agree_with_numpy(data):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=3))
    order = data.draw(st.permutations(range(len(shape))))
    front = data.draw(st.integers(1, 3))
    x = dg.tensor(data.draw(floats(shape, -2, 2)), requires_grad=True)

    def function(x):
        return x.permute(*order).expand(front, *[-1] * len(shape))

    expected = np.broadcast_to(
        x.detach().numpy().transpose(order), (front, *[shape[i] for i in order])
    )
    np.testing.assert_array_equal(function(x).detach().numpy(), expected)
    assert gradcheck(function, x)
    assert gradgradcheck(lambda x: function(x) ** 3, x)


def test_the_third_derivative_of_a_cube_is_six():
    x = dg.tensor([0.5, -1.0, 2.0], dtype="float64", requires_grad=True)
    first = grad((x**3).sum(), x, create_graph=True)[0]
    second = grad(first.sum(), x, create_graph=True)[0]
    (third,) = grad(second.sum(), x)
    assert third.tolist() == [6.0, 6.0, 6.0]


def test_the_third_derivative_of_a_quotient_agrees_with_the_formula():
    x = dg.tensor([0.5, -1.0, 2.0], dtype="float64", requires_grad=True)
    current = 1.0 / x
    for _ in range(3):
        (current,) = grad(current.sum(), x, create_graph=True)
    np.testing.assert_allclose(current.detach().numpy(), -6 / x.detach().numpy() ** 4)


@pytest.mark.parametrize("case", [*PAIRS[:6], PAIRS[7]], ids=IDS)
def test_every_rule_of_two_runs_on_another_array_library(case):
    a, b = np.array([[0.7, 1.3], [0.9, 2.1]]), np.array([1.1, 0.6])
    expected = _gradients(case.function, dg.tensor(a), dg.tensor(b))
    strict = [dg.Tensor(array_api_strict.asarray(v)) for v in (a, b)]
    actual = _gradients(case.function, *strict)
    for one, other in zip(expected, actual, strict=True):
        assert type(other.data) is type(strict[0].data)
        np.testing.assert_allclose(np.asarray(other.data), one.numpy(), rtol=1e-12)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: -(x**3),
        lambda x: F.log(x),
        lambda x: x.sum(0) * x.mean(1, keepdim=True),
        lambda x: x.reshape(4).expand(3, 4) * x.T.reshape(-1),
        lambda x: x @ x.mT @ x,
        lambda x: x[0] * x[:, 1] + x[1, 0],
        lambda x: x.clone().double() * 2,
    ],
)
def test_every_rule_of_one_runs_on_another_array_library(function):
    a = np.array([[0.7, 1.3], [0.9, 2.1]])
    (expected,) = _gradients(function, dg.tensor(a))
    (actual,) = _gradients(function, dg.Tensor(array_api_strict.asarray(a)))
    assert type(actual.data) is type(array_api_strict.asarray(a))
    np.testing.assert_allclose(np.asarray(actual.data), expected.numpy(), rtol=1e-12)


def _gradients(function, *xs):
    for x in xs:
        x.requires_grad_()
    function(*xs).sum().backward()
    return [x.grad for x in xs]


@pytest.mark.parametrize(
    ("x", "y", "dx", "dy"),
    [
        (0.0, 0.0, 0.0, 0.0),
        (0.0, 2.0, 0.0, 0.0),
        (2.0, 0.0, 0.0, np.log(2.0)),
        (0.0, 1.0, 1.0, 0.0),
    ],
)
def test_power_takes_its_limits_at_zero_as_pytorch_does(x, y, dx, dy):
    x, y = dg.tensor(x, requires_grad=True), dg.tensor(y, requires_grad=True)
    (x**y).backward()
    assert (x.grad.item(), y.grad.item()) == pytest.approx((dx, dy))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_gradient_has_the_dtype_of_its_input(dtype):
    x = dg.ones(2, 3, dtype=dtype, requires_grad=True)
    w = dg.ones(3, dtype="float64", requires_grad=True)
    ((x * w / 3 + x @ w.to(dtype).reshape(3, 1)) ** 2).sum().backward()
    assert (x.grad.dtype, w.grad.dtype) == (np.dtype(dtype), np.dtype("float64"))


@pytest.mark.parametrize("shape", [(0,), (2, 0), (0, 3)])
def test_empty_tensors_have_empty_gradients(shape):
    x = dg.ones(*shape, requires_grad=True)
    (x * 2 + x**2).sum().backward()
    assert x.grad.shape == shape


def test_operands_of_odd_memory_are_taken_as_they_are():
    a = np.arange(6.0).reshape(2, 3)
    for odd in (a[::-1, ::-1], a.T, np.broadcast_to(a[0], (4, 3)), a.astype(">f8")):
        x = dg.Tensor(odd).requires_grad_()
        (x * x).sum().backward()
        np.testing.assert_array_equal(x.grad.numpy(), 2 * odd)
    frozen = a.copy()
    frozen.flags.writeable = False
    x = dg.Tensor(frozen, requires_grad=True)
    (x**2).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), 2 * a)


@pytest.mark.parametrize(
    "function", [F.Add, F.Sub, F.Mul, F.Div, F.Pow, F.MatMul], ids=lambda f: f.__name__
)
def test_the_operators_pass_the_check_for_functions(function):
    x = dg.tensor([[1.5, 0.5], [2.0, 1.0]], dtype="float64")
    check_function(function, x, x.mT.clone())


def test_the_check_for_functions_sees_a_wrong_rule():
    class Wrong(dg.Function):
        def forward(self, x):
            return x * 3

        def backward(self, grad):
            return grad * 2

    with pytest.raises(RuntimeError) as error:
        check_function(Wrong, dg.tensor([1.0], dtype="float64"))
    lines = str(error.value).splitlines()
    assert lines[0] == "gradcheck: the derivative of output 0 by input 0 is wrong."
    assert lines[2] == "  by the rule: 2"


def test_the_remainder_of_a_large_quotient_is_exact():
    x = dg.tensor([5.0, -5.0, 1e10], requires_grad=True)
    y = dg.tensor([np.inf, np.inf, 3.0], requires_grad=True)
    assert (x % y).tolist() == [5.0, np.inf, 1.0]
    x, y = (dg.tensor(v, dtype="float64", requires_grad=True) for v in ([5.5, -5.5], [2.0, 1.5]))
    assert gradcheck(lambda x, y: x % y, (x, y))
    assert gradgradcheck(lambda x, y: x % y, (x, y))


def test_a_rounded_quotient_of_integers_is_of_integers():
    x = dg.tensor([7, -7, 8])
    for mode, expected in (("floor", [3, -4, 4]), ("trunc", [3, -3, 4])):
        out = dg.div(x, 2, rounding_mode=mode)
        assert (out.tolist(), out.dtype) == (expected, dg.int64)


def test_a_power_of_exponent_zero_has_its_mixed_derivative():
    x = dg.tensor([2.0, 0.0], requires_grad=True)
    y = dg.tensor([0.0, 0.0], requires_grad=True)
    (by_x,) = grad((x**y).sum(), x, create_graph=True)
    assert by_x.tolist() == [0.0, 0.0]
    assert grad(by_x[0], y)[0].tolist() == [0.5, 0.0]  # 1 / x


class Two(IntEnum):
    VALUE = 2


@pytest.mark.parametrize(
    ("number", "dtype"),
    [(Two.VALUE, dg.float32), (np.float64(2), dg.float32), (np.longdouble(2), dg.float32),
     (np.int64(2), dg.float32), (np.bool_(True), dg.float32)],
)  # fmt: skip
def test_numbers_of_any_class_never_widen(number, dtype):
    x = dg.tensor([1.0])
    for out in (x + number, number + x, x * number, number - x, x // number, x % number):
        assert (out.dtype, out.shape) == (dtype, (1,))


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "pow", "matmul"])
def test_a_named_operation_refuses_what_is_no_operand(name):
    text = (
        f"{name}: an operand is of type str.\n"
        "Operands are Tensors, arrays and numbers; dg.tensor(...) takes nested lists."
    )
    for call in (
        lambda: getattr(dg, name)(dg.ones(1), "a"),
        lambda: getattr(dg.ones(1), name)("a"),
    ):
        with pytest.raises(ArgumentTypeError) as error:
            call()
        assert str(error.value) == text


@pytest.mark.parametrize("operation", [operator.floordiv, operator.mod, operator.iadd])
def test_an_operator_asks_the_other_operand(operation):
    for other in (None, "a", np.str_("a")):
        with pytest.raises(TypeError, match="unsupported operand type"):
            operation(dg.ones(1), other)


def test_what_numpy_refuses_for_a_data_type_is_an_error_of_demograd():
    for call in (
        lambda: dg.tensor([True]) - dg.tensor([True]),
        lambda: dg.tensor([1.0]) & dg.tensor([1.0]),
        lambda: ~dg.tensor([1.0]),
    ):
        with pytest.raises(DtypeError):
            call()
    with pytest.raises(ArgumentError):
        dg.tensor([1], dtype="int8") + 300
    assert (True ^ dg.tensor([True, False])).tolist() == [False, True]
