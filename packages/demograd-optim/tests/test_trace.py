"""Formulas in place: whatever the formula, the numbers are those of the formula."""

import math
from operator import add, mul, neg, sub, truediv

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demograd.optim._scratch import Scratch
from demograd.optim._trace import Program, trace

BINARY = [add, sub, mul, truediv]
NAMED = ["sqrt", "abs", "square", "sign", "exp"]


@st.composite
def formulas(draw):
    """How many inputs there are, a list of operations on earlier values, and which it returns."""
    inputs = draw(st.integers(2, 5))
    operations = []
    for count in range(inputs, inputs + draw(st.integers(0, 12))):
        operand = st.one_of(st.integers(0, count - 1), st.sampled_from([0.5, 2.0, -1.5, 3]))
        value = st.integers(0, count - 1)
        operations.append(
            draw(
                st.one_of(
                    st.tuples(st.sampled_from(BINARY), value, operand),
                    st.tuples(st.sampled_from(BINARY), operand, value),
                    st.tuples(st.sampled_from(NAMED), value),
                    st.tuples(st.sampled_from(["maximum", "minimum"]), value, value),
                    st.tuples(st.just(neg), value),
                )
            )
        )
    last = inputs + len(operations) - 1
    results = draw(st.lists(st.integers(0, last), min_size=inputs - 1, max_size=inputs - 1))
    return inputs, operations, results


def as_function(operations, results):
    def formula(xp, *values):
        values = list(values)
        for operation, *operands in operations:
            # A whole number names a value, if there are as many; else it is one itself.
            read = [values[x] if type(x) is int and x < len(values) else x for x in operands]
            function = getattr(xp, operation) if isinstance(operation, str) else operation
            values.append(function(*read))
        return tuple(values[i] for i in results)

    return formula


def run_in_place(formula, arrays):
    found = trace(formula, len(arrays), {})
    assert found is not None
    program = Program(found)
    scratch = [np.full_like(arrays[0], np.nan) for _ in range(program.scratch)]
    numbers = reversed(found.numbers)
    for function, *operands in program.calls([*arrays, *scratch, *numbers, *program.functions]):
        function(*operands)
    return program


@settings(max_examples=200)
@given(formulas())
def test_any_formula_gives_the_same_in_place(drawn):
    inputs, operations, results = drawn
    formula = as_function(operations, results)
    random = np.random.default_rng(0)
    arrays = [random.standard_normal(3) for _ in range(inputs)]
    gradient = arrays[1].copy()
    with np.errstate(all="ignore"):
        expected = [np.array(result) for result in formula(np, *(a.copy() for a in arrays))]
        run_in_place(formula, arrays)
    np.testing.assert_array_equal(arrays[1], gradient)
    for found, wanted in zip([arrays[0], *arrays[2:]], expected, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_results_may_change_places():
    def swap(xp, x, grad, y):
        return y, x

    x, grad, y = np.array([1.0]), np.array([2.0]), np.array([3.0])
    run_in_place(swap, [x, grad, y])
    assert (x, grad, y) == ([3.0], [2.0], [1.0])


def test_a_step_of_adam_needs_one_scratch_array():
    def adam(xp, x, grad, m, v):
        m = 0.9 * m + 0.1 * grad
        v = 0.99 * v + 0.01 * (grad * grad)
        return x - 0.1 * (m / (xp.sqrt(v) + 1e-8)), m, v

    program = run_in_place(adam, [np.ones(2) for _ in range(4)])
    assert program.scratch == 1


def test_scratch_arrays_of_all_shapes_lie_in_the_same_memory():
    scratch = Scratch()
    float32 = np.dtype("float32")
    scratch.arrays((2, 3), float32, 2)
    large = scratch.arrays((4, 5), float32, 2)
    small = scratch.arrays((2, 3), float32, 2)
    assert [a.shape for a in small] == [(2, 3), (2, 3)]
    assert all(np.shares_memory(a, b) for a, b in zip(small, large, strict=True))
    assert not np.shares_memory(*large)
    assert scratch.arrays((4, 5), float32, 1) is large
    assert scratch.arrays((2, 3), np.dtype("float64"), 1)[0].dtype == np.float64


def test_numbers_do_not_change_the_operations():
    def formula(xp, x, grad, *, rate):
        return (x - rate * grad,)

    one, other = (trace(formula, 2, {"rate": rate}) for rate in (0.1, 0.2))
    assert one.same_operations(other)
    assert (one.numbers, other.numbers) == ([0.1], [0.2])
    assert not one.same_operations(trace(lambda xp, x, grad: (x - grad * x,), 2, {}))


@pytest.mark.parametrize(
    "formula",
    [
        lambda xp, x, grad: (x - xp.sum(grad),),
        lambda xp, x, grad: (x - grad / xp.linalg.vector_norm(grad),),
        lambda xp, x, grad: (x - xp.matmul(x, grad),),
        lambda xp, x, grad: (x - xp.isfinite(grad),),
        lambda xp, x, grad: (x @ grad,),
        lambda xp, x, grad: (x if grad else -x,),
        lambda xp, x, grad: (x[0] - grad,),
        lambda xp, x, grad: (x - np.ones(2),),
        lambda xp, x, grad: (np.ones(2) - x,),
        lambda xp, x, grad: (x - math.sqrt(grad),),
        lambda xp, x, grad: (x - grad.sum(),),
        lambda xp, x, grad: (x > grad,),
        lambda xp, x, grad: (0.5,),
        lambda xp, x, grad: (xp.no_such_function(x),),
    ],
)
def test_what_is_not_elementwise_arithmetic_has_no_program(formula):
    assert trace(formula, 2, {}) is None
