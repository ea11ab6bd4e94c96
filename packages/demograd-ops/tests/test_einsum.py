"""``einsum``: values against NumPy's, derivatives against differences, for drawn equations."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import demograd as dg
from demograd import Tensor, ops
from demograd.autograd import grad, gradcheck, gradgradcheck

Shapes = list[tuple[int, ...]]

EQUATIONS: list[tuple[str, Shapes]] = [
    ("ij,jk->ik", [(2, 3), (3, 4)]),
    ("ij,jk", [(2, 3), (3, 4)]),
    ("ij,kj->ki", [(2, 3), (4, 3)]),
    ("bij,bjk->bik", [(2, 3, 4), (2, 4, 2)]),
    ("bhqd,bhkd->bhqk", [(2, 1, 3, 2), (2, 1, 2, 2)]),
    ("bij,bj->bi", [(2, 3, 4), (2, 4)]),
    ("ij,ij->", [(2, 3), (2, 3)]),
    ("ij,ij->i", [(2, 3), (2, 3)]),
    ("ij,ij->ji", [(2, 3), (2, 3)]),
    ("i,j->ij", [(2,), (3,)]),
    ("i,i", [(3,), (3,)]),
    ("ii", [(3, 3)]),
    ("ii->i", [(3, 3)]),
    ("iji->j", [(2, 3, 2)]),
    ("iii->i", [(2, 2, 2)]),
    ("ba", [(2, 3)]),
    ("ab->", [(2, 3)]),
    ("->", [()]),
    (",a->a", [(), (3,)]),
    ("ab,bc,cd->ad", [(2, 3), (3, 4), (4, 2)]),
    ("a,b,c->cab", [(2,), (3,), (2,)]),
    ("aab,bc,cd,e->de", [(2, 2, 3), (3, 2), (2, 2), (3,)]),
    ("...ij,...jk->...ik", [(2, 1, 2, 3), (4, 3, 2)]),
    ("...i->...", [(2, 3, 4)]),
    ("i...,...i->...", [(3, 2, 2), (2, 2, 3)]),
    ("...,...->...", [(3, 1), (2, 1, 2)]),
    ("ij,ij->ij", [(1, 3), (2, 1)]),
    ("ij,jk -> ik", [(2, 1), (3, 2)]),
]

every_equation = pytest.mark.parametrize(
    ("equation", "shapes"), EQUATIONS, ids=[e for e, _ in EQUATIONS]
)


def operands(shapes: Any, seed: int = 0) -> list[Any]:
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape) for shape in shapes]


@every_equation
def test_the_value_is_that_of_numpy(equation: str, shapes: Shapes) -> None:
    arrays = operands(shapes)
    out = ops.einsum(equation, *map(Tensor, arrays))
    expected = np.einsum(equation, *arrays)
    assert out.shape == expected.shape
    np.testing.assert_allclose(out.numpy(), expected, rtol=1e-12, atol=1e-12)


@every_equation
def test_first_and_second_derivative_agree_with_differences(equation: str, shapes: Shapes) -> None:
    tensors = [Tensor(x, requires_grad=True) for x in operands(shapes)]
    gradcheck(lambda *xs: ops.einsum(equation, *xs), tensors)
    gradgradcheck(lambda *xs: ops.einsum(equation, *xs), tensors)


@every_equation
def test_it_runs_on_another_array_library(equation: str, shapes: Shapes) -> None:
    library = pytest.importorskip("array_api_strict", reason="array-api-strict is not installed")

    def values(tensors: list[Tensor]) -> list[Any]:
        out = ops.einsum(equation, *tensors)
        first = grad((out * out).sum(), tensors, create_graph=True)
        squares: Any = None
        for x in first:
            assert x is not None
            squares = (x * x).sum() if squares is None else squares + (x * x).sum()
        second = grad(squares, tensors)
        return [np.asarray(x.detach().data) for x in (out, *first, *second) if x is not None]

    arrays = operands(shapes)
    expected = values([Tensor(x, requires_grad=True) for x in arrays])
    found = values([Tensor(library.asarray(x), requires_grad=True) for x in arrays])
    for ours, numpys in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, numpys, rtol=1e-10, atol=1e-10)


@st.composite
def equations(draw: Any) -> tuple[str, list[tuple[int, ...]]]:
    """One to three operands of up to three letters, and a result of some of the letters."""
    terms = draw(st.lists(st.text("abcd", max_size=3), min_size=1, max_size=3))
    lengths = {letter: draw(st.integers(0, 3)) for letter in "abcd"}
    letters = sorted(set("".join(terms)))
    result = draw(st.permutations(letters))[: draw(st.integers(0, len(letters)))]
    shapes = [tuple(lengths[letter] for letter in term) for term in terms]
    return f"{','.join(terms)}->{''.join(result)}", shapes


@given(drawn=equations(), seed=st.integers(0, 99))
@settings(max_examples=100, deadline=None)
def test_any_equation_has_the_value_of_numpy(drawn: Any, seed: int) -> None:
    equation, shapes = drawn
    arrays = operands(shapes, seed)
    out = ops.einsum(equation, *map(Tensor, arrays))
    expected = np.einsum(equation, *arrays)
    assert out.shape == expected.shape
    np.testing.assert_allclose(out.numpy(), expected, rtol=1e-10, atol=1e-10)


@given(drawn=equations(), seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_any_equation_differentiates(drawn: Any, seed: int) -> None:
    equation, shapes = drawn
    tensors = [Tensor(x, requires_grad=True) for x in operands(shapes, seed)]
    gradcheck(lambda *xs: ops.einsum(equation, *xs), tensors)


def test_dimensions_under_dots_are_summed_where_the_result_names_none() -> None:
    (x,) = operands([(2, 3, 4)])
    np.testing.assert_allclose(ops.einsum("...i->i", Tensor(x)).numpy(), x.sum((0, 1)))


def test_capital_letters_come_before_small_ones() -> None:
    x, y = operands([(2, 3), (2, 4)])
    out = ops.einsum("bA,bc", Tensor(x), Tensor(y))
    np.testing.assert_allclose(out.numpy(), x.T @ y)


def test_a_diagonal_of_length_one_is_broadcast() -> None:
    out = ops.einsum("ii,i->i", Tensor([[2.0]]), Tensor([1.0, 2.0]))
    assert out.tolist() == [2.0, 4.0]


def test_the_operands_may_be_a_list() -> None:
    assert ops.einsum("i,i", [Tensor([1.0, 2.0]), Tensor([3.0, 4.0])]).item() == 11.0


def test_types_are_promoted_and_kept() -> None:
    half = Tensor(np.ones((2, 2), "float16"), requires_grad=True)
    out = ops.einsum("ij,jk->ik", half, half)
    assert out.dtype == dg.float16
    out.sum().backward()
    assert half.grad is not None
    assert half.grad.dtype == dg.float16
    whole = Tensor([[1, 2]])
    assert ops.einsum("ij->ji", whole).dtype == dg.int64
    assert ops.einsum("ij,kj->ik", whole, Tensor([[0.5, 1.0]])).dtype == dg.float32


def test_a_chain_of_matrices_is_multiplied_in_the_cheap_order() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((300, 300)), rng.standard_normal((300, 300))
    x = Tensor(rng.standard_normal(300), requires_grad=True)
    out = ops.einsum("ab,bc,c->a", Tensor(a), Tensor(b), x)
    np.testing.assert_allclose(out.detach().numpy(), a @ (b @ x.detach().numpy()))
    # From the right: no node on the way has the size of a matrix.
    node: Any = out.grad_fn
    sizes = []
    while node is not None and not isinstance(node, Tensor):
        sizes += [int(np.prod(shape)) for shape in node.output_shapes]
        node = next((n for n in node.next_functions if n is not None), None)
    assert max(sizes) == 300
