"""Linear algebra and the new elementwise functions have PyTorch's values and gradients."""

import numpy as np
import pytest
import torch

import demograd as dg
from demograd import linalg

rng = np.random.default_rng(3)
SQUARE = rng.uniform(-0.5, 0.5, (2, 3, 3)) + 1.5 * np.eye(3)
RIGHT = rng.uniform(-1, 1, (2, 3, 2))
X, Y = rng.uniform(0.1, 0.9, (2, 3)), rng.uniform(-0.9, -0.1, (2, 3))


def slopes(lib, function, arrays):
    """The value, and the gradients of a sum of its squares to second order."""
    xs = [lib.tensor(a, requires_grad=True) for a in arrays]
    out = function(lib, *xs)
    outs = [y for y in (out if isinstance(out, tuple) else (out,)) if y.requires_grad]
    loss = sum((y * y).sum() for y in outs)
    first = lib.autograd.grad(loss, xs, create_graph=True)
    second = lib.autograd.grad(sum((g * g).sum() for g in first), xs)
    return [np.asarray(t.detach()) for t in [*outs, *first, *second]]


def spread(lib, x):
    return x @ x.mT + lib.eye(3, dtype=lib.float64)


CASES = {
    "cholesky": (lambda lib, x: lib.linalg.cholesky(spread(lib, x)), [SQUARE]),
    "cholesky upper": (lambda lib, x: lib.linalg.cholesky(spread(lib, x), upper=True), [SQUARE]),
    "cholesky as it is": (lambda lib, x: lib.linalg.cholesky(x), [SQUARE @ SQUARE.mT]),
    "det": (lambda lib, x: lib.linalg.det(x), [SQUARE]),
    "inv": (lambda lib, x: lib.linalg.inv(x), [SQUARE]),
    "slogdet": (lambda lib, x: lib.linalg.slogdet(x).logabsdet, [SQUARE]),
    "solve": (lambda lib, a, b: lib.linalg.solve(a, b), [SQUARE, RIGHT]),
    "solve of a stack of vectors": (
        lambda lib, a, b: lib.linalg.solve(a, b),
        [SQUARE, RIGHT[..., 0]],
    ),
    "solve of one matrix": (lambda lib, a, b: lib.linalg.solve(a, b), [SQUARE[0], RIGHT]),
    "solve of a vector": (lambda lib, a, b: lib.linalg.solve(a, b), [SQUARE[0], RIGHT[0, :, 0]]),
    "norm": (lambda lib, x: lib.linalg.norm(x), [SQUARE]),
    "norm fro": (lambda lib, x: lib.linalg.norm(x, "fro", (1, 2)), [SQUARE]),
    "norm 1": (lambda lib, x: lib.linalg.norm(x, 1, (1, 2)), [SQUARE]),
    "norm inf": (lambda lib, x: lib.linalg.norm(x, float("inf"), (-2, -1), True), [SQUARE]),
    "norm of vectors": (lambda lib, x: lib.linalg.norm(x, 3, 1), [SQUARE]),
    **{
        name: (lambda lib, x, n=name: getattr(lib, n)(x), [X])
        for name in ("asinh", "atanh", "exp2", "log2", "log10")
    },
    "acosh": (lambda lib, x: lib.acosh(x + 1), [X]),
    **{
        name: (lambda lib, x, y, n=name: getattr(lib, n)(x, y), [X, Y])
        for name in ("atan2", "copysign", "hypot", "logaddexp")
    },
    "cumprod": (lambda lib, x: lib.cumprod(x, 1), [X]),
    "cumprod with zeros": (lambda lib, x: lib.cumprod(x, 0), [np.array([2.0, 0.0, 3.0, 0.0, 4.0])]),
    "diff": (lambda lib, x: lib.diff(x, 2, 1), [X]),
    "diff between": (lambda lib, x, y: lib.diff(x, dim=0, prepend=y, append=y[:1]), [X, Y]),
    "tensordot": (lambda lib, x, y: lib.tensordot(x, y, 2), [X, Y]),
    "tensordot of dims": (lambda lib, x, y: lib.tensordot(x, y, ([1], [1])), [X, Y]),
}


@pytest.mark.parametrize("case", CASES)
def test_value_and_both_derivatives_are_pytorchs(case):
    function, arrays = CASES[case]
    for ours, theirs in zip(
        slopes(dg, function, arrays), slopes(torch, function, arrays), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", ["atan2", "copysign", "hypot", "logaddexp"])
def test_the_conventions_at_the_origin_are_pytorchs(name):
    found = []
    for lib in (torch, dg):
        xs = [lib.tensor([0.0, -0.0], requires_grad=True) for _ in range(2)]
        getattr(lib, name)(*xs).sum().backward()
        found.append([np.asarray(x.grad.tolist()) if x.grad is not None else None for x in xs])
    for theirs, ours in zip(*found, strict=True):
        np.testing.assert_array_equal(0 if ours is None else ours, theirs)


@pytest.mark.parametrize("call", [
    lambda lib: lib.linalg.inv(lib.zeros(2, 2)),
    lambda lib: lib.linalg.solve(lib.zeros(2, 2), lib.ones(2)),
    lambda lib: lib.linalg.cholesky(-lib.eye(2)),
])  # fmt: skip
def test_both_raise_a_runtime_error_for_a_matrix_that_has_none(call):
    for lib in (torch, dg):
        with pytest.raises(RuntimeError):
            call(lib)
    assert issubclass(linalg.LinAlgError, RuntimeError)
