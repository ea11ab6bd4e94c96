"""NumPy programs as PyTorch would differentiate them, DLPack between the two, and copies."""

import copy
import importlib.util
import math
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

import demograd as dg

FILE = Path(__file__).parents[2] / "packages" / "demograd-ops" / "tests" / "numpy_programs.py"
spec = importlib.util.spec_from_file_location("numpy_programs", FILE)
programs = importlib.util.module_from_spec(spec)
spec.loader.exec_module(programs)

rng = np.random.default_rng(7)


def definite(size):
    x = rng.uniform(-0.5, 0.5, (size, size))
    return x @ x.T + np.eye(size)


# Each program once more, as PyTorch's own distributions and solvers have it.


def mixture(x, log_weights, means, covariances):
    kinds = torch.distributions.Categorical(logits=log_weights)
    parts = torch.distributions.MultivariateNormal(means, covariances)
    return torch.distributions.MixtureSameFamily(kinds, parts).log_prob(x).sum()


def kalman(observations, F, H, Q, R, mean, covariance):
    total = 0.0
    for y in observations:
        mean, covariance = F @ mean, F @ covariance @ F.T + Q
        predicted = torch.distributions.MultivariateNormal(H @ mean, H @ covariance @ H.T + R)
        total = total + predicted.log_prob(y)
        gain = torch.linalg.solve(predicted.covariance_matrix, H @ covariance).T
        mean = mean + gain @ (y - H @ mean)
        covariance = covariance - gain @ H @ covariance
    return total


def spline(x, y, at):
    h = torch.diff(x)
    inner = 2 * torch.diag(h[:-1] + h[1:]) + torch.diag(h[1:-1], 1) + torch.diag(h[1:-1], -1)
    bend = torch.linalg.solve(inner, 6 * torch.diff(torch.diff(y) / h))
    bend = torch.cat([bend.new_zeros(1), bend, bend.new_zeros(1)])
    i = torch.clamp(torch.searchsorted(x.detach(), at.detach()) - 1, 0, len(x) - 2)
    a, b = (x[i + 1] - at) / h[i], (at - x[i]) / h[i]
    return (
        a * y[i] + b * y[i + 1] + ((a**3 - a) * bend[i] + (b**3 - b) * bend[i + 1]) * h[i] ** 2 / 6
    )


PROGRAMS = {
    "mixture": (programs.mixture_log_likelihood, mixture, (
        rng.normal(size=(6, 2)), rng.normal(size=3), rng.normal(size=(3, 2)),
        np.stack([definite(2) for _ in range(3)]),
    )),
    "kalman": (programs.kalman_log_likelihood, kalman, (
        rng.normal(size=(5, 2)), rng.uniform(-0.5, 0.9, (3, 3)), rng.normal(size=(2, 3)),
        0.1 * definite(3), 0.5 * definite(2), rng.normal(size=3), definite(3),
    )),
    "spline": (programs.natural_spline, spline, (
        np.array([0.0, 0.7, 1.5, 2.1, 3.4]), rng.normal(size=5),
        np.array([-0.2, 0.3, 1.1, 2.0, 3.0, 3.9]),
    )),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_numpy_program_has_the_gradients_of_pytorchs(name):
    program, reference, arrays = PROGRAMS[name]
    ours = [dg.tensor(a, requires_grad=True) for a in arrays]
    theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
    out, expected = program(*ours), reference(*theirs)
    np.testing.assert_allclose(out.detach(), expected.detach(), rtol=1e-10)
    (out * out).sum().backward()
    (expected * expected).sum().backward()
    for x, y in zip(ours, theirs, strict=True):
        found, wanted = x.grad.numpy(), y.grad.numpy()
        if found.ndim > 1 and found.shape[-1] == found.shape[-2]:
            # A gradient by a symmetric matrix is known up to its antisymmetric part.
            found, wanted = found + found.mT, wanted + wanted.mT
        np.testing.assert_allclose(found, wanted, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize(
    "dtype", ["float16", "float32", "float64", "int32", "int64", "uint8", "bool"]
)
def test_memory_is_shared_with_pytorch_by_dlpack(dtype):
    x = dg.ones(2, 3, dtype=dtype)
    theirs = torch.from_dlpack(x)
    assert theirs.data_ptr() == x.data.ctypes.data
    back = dg.from_dlpack(theirs)
    assert np.shares_memory(back.data, x.data)
    assert (str(theirs.dtype), theirs.tolist()) == (f"torch.{dtype}", x.tolist())
    column = torch.arange(6.0).reshape(2, 3).T
    assert dg.from_dlpack(column).tolist() == column.tolist()
    assert dg.from_dlpack(torch.tensor(3.0)).shape == ()
    copied = dg.from_dlpack(theirs, copy=True)
    assert not np.shares_memory(copied.data, x.data)


def test_both_refuse_to_share_what_requires_a_gradient():
    for give, take in ((torch, dg), (dg, torch)):
        x = give.ones(2, requires_grad=True)
        with pytest.raises(BufferError):
            take.from_dlpack(x)
        assert take.from_dlpack(x.detach()).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("lib", [torch, dg])
def test_a_deep_copy_keeps_the_gradient_and_what_was_computed_has_none(lib):
    x = lib.tensor([1.0, 2.0], requires_grad=True)
    (x * x).sum().backward()
    x.note = "mine"
    twin = copy.deepcopy(x)
    assert (twin.grad.tolist(), twin.note, twin.requires_grad) == ([2.0, 4.0], "mine", True)
    reloaded = pickle.loads(pickle.dumps(x))
    assert (reloaded.tolist(), reloaded.note, reloaded.requires_grad) == ([1.0, 2.0], "mine", True)
    with pytest.raises(RuntimeError):
        copy.deepcopy(x * 2)


@pytest.mark.parametrize(("numpys", "torchs"), [
    (lambda x: np.logaddexp.reduce(x), lambda x: torch.logsumexp(x, 0)),
    (lambda x: np.multiply.accumulate(x), lambda x: torch.cumprod(x, 0)),
    (lambda x: np.maximum.accumulate(x), lambda x: torch.cummax(x, 0).values),
    (lambda x: np.var(x, ddof=1), lambda x: torch.var(x)),
    (lambda x: np.quantile(x, 0.3), lambda x: torch.quantile(x, 0.3)),
    (lambda x: np.sinc(x), lambda x: torch.sinc(x)),
    (lambda x: np.fmod(x, 0.7), lambda x: torch.fmod(x, 0.7)),
    (lambda x: np.trapezoid(x, dx=0.5), lambda x: torch.trapezoid(x, dx=0.5)),
    (lambda x: np.nansum(x), lambda x: torch.nansum(x)),
    (lambda x: np.kron(x, x), lambda x: torch.kron(x, x)),
    (lambda x: np.corrcoef(x.reshape(2, 3)), lambda x: torch.corrcoef(x.reshape(2, 3))),
    (lambda x: np.heaviside(x, x), lambda x: torch.heaviside(x.detach(), x.detach()) + 0 * x),
    (lambda x: np.unwrap(4 * x), lambda x: 4 * x + (torch.tensor(np.unwrap(4 * x.detach().numpy()))
                                                   - 4 * x.detach())),
])  # fmt: skip
def test_a_function_of_numpy_has_the_gradient_of_pytorchs(numpys, torchs):
    values = np.array([0.0, -1.5, 2.0, 4.0, 0.25, -3.0]) / 3 + 0.01
    found = []
    for lib, function in ((dg, numpys), (torch, torchs)):
        x = lib.tensor(values, requires_grad=True)
        out = function(x)
        (out * out).sum().backward()
        found.append((np.asarray(out.detach()), np.asarray(x.grad)))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-12)
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-10, atol=1e-12)


def test_the_third_slope_of_sinc_is_that_of_its_series_at_zero():
    x = dg.tensor([0.0, 1e-4], dtype="float64", requires_grad=True)
    slope = np.sinc(x)
    for order, expected in ((1, 0.0), (2, -(math.pi**2) / 3)):
        (slope,) = dg.autograd.grad(slope.sum(), x, create_graph=True)
        np.testing.assert_allclose(slope.detach()[0], expected, atol=1e-12, err_msg=str(order))
