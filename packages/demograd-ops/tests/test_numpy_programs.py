"""Existing NumPy code is differentiated as it stands."""

import ast
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import interpolate, special, stats

from demograd import Tensor
from demograd.autograd import grad, gradcheck, gradgradcheck

FILE = Path(__file__).with_name("numpy_programs.py")
spec = importlib.util.spec_from_file_location("numpy_programs", FILE)
assert spec is not None
assert spec.loader is not None
programs: Any = importlib.util.module_from_spec(spec)
spec.loader.exec_module(programs)

rng = np.random.default_rng(7)


def definite(size: int) -> Any:
    x = rng.uniform(-0.5, 0.5, (size, size))
    return x @ x.T + np.eye(size)


MIXTURE = (
    rng.normal(size=(6, 2)), rng.normal(size=3), rng.normal(size=(3, 2)),
    np.stack([definite(2) for _ in range(3)]),
)  # fmt: skip
KALMAN = (
    rng.normal(size=(5, 2)), np.array([[1.0, 0.3, 0.0], [-0.2, 0.9, 0.1], [0.0, 0.2, 0.7]]),
    rng.normal(size=(2, 3)), 0.1 * definite(3), 0.5 * definite(2), rng.normal(size=3), definite(3),
)  # fmt: skip
SPLINE = (
    np.array([0.0, 0.7, 1.5, 2.1, 3.4]), rng.normal(size=5),
    np.array([-0.2, 0.3, 1.1, 2.0, 3.0, 3.9]),
)  # fmt: skip


def symmetric(which: int, program: Callable[..., Any]) -> Callable[..., Any]:
    """The program with one operand made symmetric, so that differences stay among such matrices."""

    def run(*arguments: Any) -> Any:
        x = arguments[which]
        made = (x + np.swapaxes(x, -1, -2)) / 2
        return program(*arguments[:which], made, *arguments[which + 1 :])

    return run


PROGRAMS = {
    "mixture": (symmetric(3, programs.mixture_log_likelihood), MIXTURE),
    "kalman": (programs.kalman_log_likelihood, KALMAN),
    "spline": (programs.natural_spline, SPLINE),
}


def test_the_programs_import_numpy_alone() -> None:
    imported = [
        alias.name
        for node in ast.walk(ast.parse(FILE.read_text(encoding="utf-8")))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    ]
    assert imported == ["numpy"]


def test_the_programs_are_right() -> None:
    x, log_weights, means, covariances = MIXTURE
    weights = special.softmax(log_weights)
    densities = sum(
        w * stats.multivariate_normal(m, c).pdf(x)
        for w, m, c in zip(weights, means, covariances, strict=True)
    )
    assert programs.mixture_log_likelihood(*MIXTURE) == pytest.approx(np.log(densities).sum())
    expected = interpolate.CubicSpline(SPLINE[0], SPLINE[1], bc_type="natural")(SPLINE[2])
    np.testing.assert_allclose(programs.natural_spline(*SPLINE), expected, rtol=1e-12)
    # The observations together are one Gaussian vector.
    y, F, H, Q, R, mean, covariance = KALMAN
    steps, m = y.shape
    means_, blocks = [], np.zeros((steps, steps, m, m))
    states = []
    for _ in range(steps):
        mean, covariance = F @ mean, F @ covariance @ F.T + Q
        means_.append(H @ mean)
        states.append(covariance)
    for i in range(steps):
        for j in range(steps):
            early, late = min(i, j), max(i, j)
            between = np.linalg.matrix_power(F, late - early) @ states[early]
            block = H @ between @ H.T
            blocks[i, j] = (block if i >= j else block.T) + (R if i == j else 0)
    joint = stats.multivariate_normal(
        np.concatenate(means_), blocks.transpose(0, 2, 1, 3).reshape(steps * m, -1)
    )
    assert programs.kalman_log_likelihood(*KALMAN) == pytest.approx(joint.logpdf(y.reshape(-1)))


@pytest.mark.parametrize("name", PROGRAMS)
def test_values_are_numpys_and_gradients_are_those_of_differences(name: str) -> None:
    program, arguments = PROGRAMS[name]
    xs = [Tensor(a, requires_grad=True) for a in arguments]
    out = program(*xs)
    assert isinstance(out, Tensor)
    np.testing.assert_allclose(out.detach().numpy(), program(*arguments), rtol=1e-13)
    gradcheck(program, xs)
    found = grad(out.sum(), xs)
    assert all(g is not None and np.abs(g.numpy()).max() > 0 for g in found)


@pytest.mark.parametrize("name", PROGRAMS)
def test_one_operand_at_a_time_may_be_a_tensor_and_second_derivatives_are_right(name: str) -> None:
    program, arguments = PROGRAMS[name]
    for which, value in enumerate(arguments):

        def run(x: Any, which: int = which) -> Any:
            return program(*arguments[:which], x, *arguments[which + 1 :])

        x = Tensor(value, requires_grad=True)
        gradcheck(run, x)
        gradgradcheck(run, x)
