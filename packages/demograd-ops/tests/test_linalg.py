"""Linear algebra: one table, and what holds for each row of it."""

import copy
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import demograd as dg
from demograd import Tensor, linalg
from demograd.autograd import grad, gradcheck, gradgradcheck
from demograd.errors import ArgumentError, DemogradError, ShapeError
from demograd.linalg import LinAlgError
from demograd.testing import check_function


def positive(x: Any) -> Any:
    """A symmetric, positive definite matrix made of any."""
    return x @ x.mT + 2 * (dg.eye(x.shape[-1], dtype=x.dtype) if isinstance(x, Tensor) else
                           np.eye(x.shape[-1]))  # fmt: skip


@dataclass(frozen=True)
class Case:
    name: str
    function: Callable[..., Any]
    reference: Callable[..., Any]
    # The shapes of the other operands, after the stack; n stands for the matrix's size.
    others: tuple[tuple[Any, ...], ...] = ()


CASES = [
    Case("cholesky", lambda x: linalg.cholesky(positive(x)),
         lambda x: np.linalg.cholesky(positive(x))),
    Case("cholesky upper", lambda x: linalg.cholesky(positive(x), upper=True),
         lambda x: np.linalg.cholesky(positive(x)).mT),
    Case("det", linalg.det, np.linalg.det),
    Case("inv", linalg.inv, np.linalg.inv),
    Case("slogdet", linalg.slogdet, lambda x: tuple(np.linalg.slogdet(x))),
    Case("solve", linalg.solve, np.linalg.solve, (("n", 2),)),
    Case("solve vectors", lambda a, b: linalg.solve(a, b),
         lambda a, b: np.linalg.solve(a, b[..., None])[..., 0], (("n",),)),
    Case("norm", lambda x: linalg.norm(x, "fro", (-2, -1)),
         lambda x: np.linalg.norm(x, "fro", (-2, -1))),
    *[Case(f"norm {o}", lambda x, o=o: linalg.norm(x, o, (-2, -1), True),
           lambda x, o=o: np.linalg.norm(x, o, (-2, -1), True)) for o in (1, -1, np.inf, -np.inf)],
    Case("norm of vectors", lambda x: linalg.norm(x, 3, -1), lambda x: np.linalg.norm(x, 3, -1)),
    Case("norm of all", linalg.norm, np.linalg.norm),
]  # fmt: skip
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def operands(case: Case, n: int, stack: tuple[int, ...], seed: int = 0) -> list[Any]:
    """Matrices that are far from singular, and the other operands."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-0.5, 0.5, (*stack, n, n)) + 1.5 * np.eye(n)
    rest = [
        rng.uniform(-1, 1, (*stack, *[n if length == "n" else length for length in other]))
        for other in case.others
    ]
    return [x, *rest]


def as_tuple(x: Any) -> tuple[Any, ...]:
    return tuple(x) if isinstance(x, tuple) else (x,)


@every_case
@given(
    n=st.integers(1, 4), stack=st.sampled_from([(), (2,), (2, 1), (0,)]), seed=st.integers(0, 99)
)
@settings(max_examples=12, deadline=None)
def test_the_value_is_that_of_numpy(case: Case, n: int, stack: Any, seed: int) -> None:
    arrays = operands(case, n, stack, seed)
    found = as_tuple(case.function(*map(Tensor, arrays)))
    expected = as_tuple(case.reference(*arrays))
    for ours, numpys in zip(found, expected, strict=True):
        assert ours.shape == numpys.shape
        np.testing.assert_allclose(ours.numpy(), numpys, rtol=1e-11, atol=1e-12)


@every_case
@pytest.mark.parametrize("stack", [(), (2,)])
def test_first_and_second_derivative_agree_with_differences(case: Case, stack: Any) -> None:
    xs = [Tensor(a, requires_grad=True) for a in operands(case, 3, stack)]
    gradcheck(case.function, xs)
    gradgradcheck(case.function, xs)


@every_case
def test_the_third_derivative_agrees_with_differences(case: Case) -> None:
    xs = [Tensor(a, requires_grad=True) for a in operands(case, 2, ())]

    def second(*xs: Tensor) -> Tensor:
        out = [y for y in as_tuple(case.function(*xs)) if y.requires_grad][-1]
        (first,) = grad((out * out).sum(), [xs[0]], create_graph=True)
        assert first is not None
        (again,) = grad((first * first).sum(), [xs[0]], create_graph=True)
        assert again is not None
        return again

    gradcheck(second, xs)


@every_case
def test_the_interface_of_function_is_kept(case: Case) -> None:
    check_function(case.function, *map(Tensor, operands(case, 2, (2,))))


@pytest.mark.parametrize(
    "case", [c for c in CASES if not c.name.startswith("cholesky")], ids=lambda case: case.name
)
def test_the_rules_run_on_another_array_library(case: Case) -> None:
    library = pytest.importorskip("array_api_strict", reason="array-api-strict is not installed")
    arrays = operands(case, 3, (2,))
    found = []
    for make in (np.asarray, library.asarray):
        xs = [Tensor(make(a), requires_grad=True) for a in arrays]
        out = [y for y in as_tuple(case.function(*xs)) if y.requires_grad][-1]
        firsts = grad((out * out).sum(), xs, create_graph=True)
        total = sum((g * g).sum() for g in firsts if g is not None)
        assert isinstance(total, Tensor)
        found.append(
            [np.asarray(g.detach().data) for g in [*grad(total, xs), out] if g is not None]
        )
    for numpys, others in zip(*found, strict=True):
        np.testing.assert_allclose(others, numpys, rtol=1e-10)


def test_the_factor_itself_runs_on_another_array_library() -> None:
    library = pytest.importorskip("array_api_strict", reason="array-api-strict is not installed")
    a = np.array([[4.0, 1.0], [1.0, 3.0]])
    slopes = []
    for make in (np.asarray, library.asarray):
        x = Tensor(make(a), requires_grad=True)
        (first,) = grad(linalg.cholesky(x).sum(), x, create_graph=True)
        assert first is not None
        (second,) = grad((first * first).sum(), x)
        assert second is not None
        slopes.append(np.asarray(second.data))
    np.testing.assert_allclose(slopes[1], slopes[0], rtol=1e-12)


@every_case
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_value_and_gradient_keep_the_data_type(case: Case, dtype: str) -> None:
    arrays = operands(case, 3, (2,))
    xs = [Tensor(a.astype(dtype), requires_grad=True) for a in arrays]
    out = [y for y in as_tuple(case.function(*xs)) if y.requires_grad][-1]
    out.sum().backward()
    assert out.dtype == dtype
    exact = [Tensor(np.asarray(x.detach().data, dtype="float64"), requires_grad=True) for x in xs]
    [y for y in as_tuple(case.function(*exact)) if y.requires_grad][-1].sum().backward()
    tolerance = {"float16": 2e-2, "float32": 1e-5, "float64": 1e-12}[dtype]
    for x, y in zip(xs, exact, strict=True):
        assert x.grad is not None
        assert y.grad is not None
        assert x.grad.dtype == dtype
        np.testing.assert_allclose(x.grad.numpy(), y.grad.numpy(), rtol=tolerance, atol=tolerance)


def test_integers_become_floats_of_the_default_type() -> None:
    assert linalg.inv(dg.tensor([[2, 0], [0, 4]])).tolist() == [[0.5, 0.0], [0.0, 0.25]]
    assert linalg.det(dg.tensor([[2, 0], [0, 4]])).dtype == dg.float32


def test_stacks_broadcast_and_gradients_are_summed_back() -> None:
    a = Tensor(operands(CASES[2], 3, ())[0], requires_grad=True)
    b = Tensor(np.random.default_rng(0).uniform(-1, 1, (4, 3, 2)), requires_grad=True)
    assert linalg.solve(a, b).shape == (4, 3, 2)
    gradcheck(linalg.solve, [a, b])
    gradgradcheck(linalg.solve, [a, b])


def test_the_gradient_of_the_factor_is_symmetric() -> None:
    x = Tensor(np.array([[4.0, 1.0], [1.0, 3.0]]), requires_grad=True)
    (linalg.cholesky(x) * Tensor(np.array([[1.0, 5.0], [2.0, 3.0]]))).sum().backward()
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), x.grad.numpy().T)


def test_the_logarithm_of_the_determinant_does_not_overflow() -> None:
    x = Tensor(np.eye(400) * 1e3, requires_grad=True)
    sign, logabsdet = linalg.slogdet(x)
    assert (sign.item(), sign.requires_grad) == (1.0, False)
    assert logabsdet.item() == pytest.approx(400 * np.log(1e3))
    logabsdet.backward()
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), np.eye(400) / 1e3)


SINGULAR = np.array([[1.0, 2.0], [2.0, 4.0]])


@pytest.mark.parametrize(("call", "headline", "mend"), [
    (lambda: linalg.inv(Tensor(SINGULAR)), "inv: a matrix is singular.",
     "np.linalg.pinv gives the pseudo-inverse."),
    (lambda: linalg.solve(Tensor(SINGULAR), Tensor([1.0, 2.0])), "solve: a matrix is singular.",
     "np.linalg.lstsq finds the nearest solution."),
    (lambda: linalg.cholesky(Tensor(-SINGULAR)), "cholesky: a matrix is not positive definite.",
     "x + 1e-6 * dg.eye(n) lifts eigenvalues that rounding has made negative."),
    (lambda: linalg.det(Tensor(SINGULAR, requires_grad=True)).backward(),
     "backward of det: a matrix is singular.",
     "There is no derivative at a singular matrix here: add a small multiple of the identity."),
    (lambda: linalg.slogdet(Tensor(SINGULAR, requires_grad=True)).logabsdet.backward(),
     "backward of slogdet: a matrix is singular.",
     "There is no derivative at a singular matrix here: add a small multiple of the identity."),
])  # fmt: skip
def test_a_matrix_that_has_no_such_thing_is_refused(call: Any, headline: str, mend: str) -> None:
    with pytest.raises(np.linalg.LinAlgError) as e, np.errstate(all="ignore"):
        call()
    assert isinstance(e.value, (LinAlgError, DemogradError))
    lines = str(e.value).splitlines()
    assert (lines[0], lines[2]) == (headline, mend)
    assert lines[1].startswith("  NumPy says: ")
    twin = pickle.loads(pickle.dumps(e.value))
    assert str(copy.copy(twin)) == str(e.value)


@pytest.mark.parametrize(("call", "message"), [
    (lambda x: linalg.det(x), "det: the matrices are not square.\n"
     "  x: shape (2, 3)   2 rows, 3 columns"),
    (lambda x: linalg.inv(x[0]), "inv: a matrix has at least two dimensions.\n  x: shape (3,)"),
    (lambda x: linalg.solve(x @ x.mT, x.mT), "solve: the shapes do not fit.\n"
     "  A: shape (2, 2)\n  B: shape (3, 2)"),
    (lambda x: linalg.norm(dg.zeros(2, 2, 2), 1),
     "norm: of more than two dimensions it must be said which are meant.\n"
     "  A: shape (2, 2, 2)\nnorm(A, ord, dim=(-2, -1)) is that of each matrix of a stack."),
])  # fmt: skip
def test_shapes_that_do_not_fit_are_refused(call: Any, message: str) -> None:
    with pytest.raises(ShapeError) as e:
        call(dg.ones(2, 3))
    assert str(e.value) == message


def test_a_norm_that_needs_singular_values_is_refused() -> None:
    for ord in (2, "nuc"):
        with pytest.raises(ArgumentError) as e:
            linalg.norm(dg.ones(2, 2), ord)
        assert str(e.value) == (
            f"norm: the matrix norm {ord!r} is not available.\n"
            'There are "fro", 1, -1, inf and -inf; the others need singular values.'
        )
    with pytest.raises(ArgumentError) as e:
        linalg.norm(dg.ones(2, 2), "fro", 0)
    assert str(e.value) == "norm: 'fro' is a norm of matrices, and dim is (0,)."
