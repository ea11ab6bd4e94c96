"""The tensor core against PyTorch: types, texts, gradients of random programs, refusals."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import demograd as dg

DTYPES = ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool"]


@pytest.mark.parametrize("first", DTYPES)
@pytest.mark.parametrize("second", DTYPES)
@pytest.mark.parametrize("dims", [(1, 1), (1, 0), (0, 1), (0, 0)])
def test_the_type_of_a_result_is_pytorchs(first, second, dims):
    ours = [dg.ones((2,) * d, dtype=t) for d, t in zip(dims, (first, second), strict=True)]
    theirs = [
        torch.ones((2,) * d, dtype=getattr(torch, t))
        for d, t in zip(dims, (first, second), strict=True)
    ]
    assert str((ours[0] * ours[1]).dtype) == str((theirs[0] * theirs[1]).dtype).split(".")[1]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("number", [True, 2, 0.5])
def test_a_python_number_widens_as_in_pytorch(dtype, number):
    ours = dg.ones(2, dtype=dtype) * number
    theirs = torch.ones(2, dtype=getattr(torch, dtype)) * number
    assert str(ours.dtype) == str(theirs.dtype).split(".")[1]


@pytest.mark.parametrize(
    "data",
    [
        1.0,
        [1.0, 2.0],
        [1.5, 2.25],
        [1e-5, 1.0],
        [1e10, 1.0],
        [1234.5, 0.1],
        [float("inf"), -1.0],
        [[1, 2], [3, 4]],
        [True, False],
        [],
        [0.1, 100.5, 20000.0],
        [[[1.0, 2.0]], [[3.0, 4.0]]],
        [-1.5, 2.0],
        3,
        2.5e7,
        [100000.0, 2.0],
    ],
    ids=str,
)
def test_a_tensor_shows_as_in_pytorch(data):
    assert repr(dg.tensor(data)) == repr(torch.tensor(data))


# Random programs: each step takes the values so far and gives one more.

UNARY = {
    "neg": lambda x: -x,
    "square": lambda x: x**2,
    "half": lambda x: x * 0.5 + 1.0,
    "row": lambda x: x[0],
    "column": lambda x: x[:, 1:],
    "T": lambda x: x.T,
    "sum": lambda x: x.sum(0),
    "mean": lambda x: x.mean(-1, keepdim=True),
    "flat": lambda x: x.reshape(-1),
    "twice": lambda x: x[[0, 0]],
    "clone": lambda x: x.clone(),
}
BINARY = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / (y * y + 1.0),
    "matmul": lambda x, y: x @ y,
}


def add_in_place(x, y):
    x += y
    return x


def mul_in_place(x, y):
    x *= y
    return x


def set_in_place(x, y):
    x[0] = y
    return x


IN_PLACE = {"iadd": add_in_place, "imul": mul_in_place, "set": set_in_place}


@st.composite
def programs(draw):
    steps = draw(st.integers(1, 8))
    names = st.sampled_from([*UNARY, *BINARY, *IN_PLACE])
    return [(draw(names), draw(st.integers(0, 99)), draw(st.integers(0, 99))) for _ in range(steps)]


def run(library, program, first, second):
    """The gradients after a program, or None where a step or the pass was refused."""
    x = library.tensor(first, requires_grad=True)
    y = library.tensor(second, requires_grad=True)
    values = [x * 1.0, y * 1.0]
    done = []
    for name, i, j in program:
        a, b = values[i % len(values)], values[j % len(values)]
        try:
            if name in UNARY:
                out = UNARY[name](a)
            else:
                out = (BINARY.get(name) or IN_PLACE[name])(a, b)
        except (RuntimeError, IndexError, ValueError) as error:
            done.append(type(error).__name__ and "refused")
            if name in IN_PLACE:
                return done, None  # what a half-refused change leaves is nobody's promise
            continue
        done.append(tuple(out.shape))
        values.append(out)
    try:
        total = sum((v * v).sum() for v in values)
        if not total.requires_grad:
            return done, total.item()
        total.backward()
    except RuntimeError:
        return done, None
    return done, [np.asarray(v.grad) for v in (x, y)]


def differences(program, first, second):
    """The gradients by central differences of the program's values."""
    both = np.stack([first, second])
    out = np.zeros_like(both)
    for place in np.ndindex(both.shape):
        step = np.zeros_like(both)
        step[place] = 1e-6
        with dg.no_grad():
            (_, up), (_, down) = (run(dg, program, *(both + s)) for s in (step, -step))
        out[place] = (up - down) / 2e-6
    return list(out)


@settings(max_examples=300, deadline=None)
@given(program=programs(), seed=st.integers(0, 100))
def test_a_random_program_has_pytorchs_gradients_or_is_refused(program, seed):
    draw = np.random.default_rng(seed)
    first, second = draw.standard_normal((2, 3, 3))
    with np.errstate(all="ignore"):
        ours, our_gradients = run(dg, program, first, second)
        theirs, their_gradients = run(torch, program, first, second)
    if our_gradients is None:
        assert their_gradients is None, "what PyTorch computes is refused here"
        return
    tolerance = 1e-9
    if their_gradients is None:
        # PyTorch refuses some changes that are computed here, such as x *= x.
        their_gradients = differences(program, first, second)
        # The mean of no elements is NaN whatever the inputs are, and so are its differences.
        assume(np.isfinite(their_gradients).all())
        tolerance = 1e-3
    else:
        assert ours == theirs
    for actual, expected in zip(our_gradients, their_gradients, strict=True):
        scale = max(1.0, np.abs(expected).max())
        np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance * scale)


@pytest.mark.parametrize(
    "act",
    [
        lambda lib, x: (x * x).backward(),
        lambda lib, x: lib.tensor(1.0).backward(),
        lambda lib, x: x.numpy(),
        lambda lib, x: x.__iadd__(1.0),
        lambda lib, x: (x * x).sum().backward(lib.ones(3)),
        lambda lib, x: lib.tensor([1, 2], requires_grad=True),
        lambda lib, x: x @ lib.ones(3),
        lambda lib, x: x + lib.ones(3),
        lambda lib, x: x.reshape(3),
        lambda lib, x: (x * 2).requires_grad_(False),
        lambda lib, x: lib.ones(2).item(),
        lambda lib, x: bool(lib.ones(2)),
        lambda lib, x: lib.arange(3).mean(),
    ],
)
def test_what_pytorch_refuses_is_refused_with_an_error_of_its_kind(act):
    for library in (torch, dg):
        x = library.tensor([1.0, 2.0], requires_grad=True)
        with pytest.raises((RuntimeError, ValueError, TypeError)):
            act(library, x)


def test_an_index_outside_is_an_index_error_in_both():
    for library in (torch, dg):
        with pytest.raises(IndexError):
            library.ones(2)[5]
        with pytest.raises(IndexError):
            library.ones(2).sum(3)
