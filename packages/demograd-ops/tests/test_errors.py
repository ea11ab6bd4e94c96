"""What is wrong, the facts, and the way out: whole messages."""

from collections.abc import Callable
from typing import Any

import pytest

import demograd as dg
from demograd import activations, ops
from demograd.errors import (
    ArgumentError,
    ArgumentTypeError,
    DemogradError,
    DtypeError,
    OutOfRangeError,
    ShapeError,
)

X = dg.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
INTEGERS = dg.tensor([1, 2])
BOOLEANS = dg.tensor([True])

CASES: list[tuple[str, Callable[[], Any], type[DemogradError], type[Exception], str]] = [
    (
        "a function of a list",
        lambda: ops.exp([1.0]),  # type: ignore[arg-type]
        ArgumentTypeError,
        TypeError,
        "exp: expected a Tensor, not list.\ndg.tensor(x) makes one.",
    ),
    (
        "a reduction of text",
        lambda: ops.amax("0"),  # type: ignore[arg-type]
        ArgumentTypeError,
        TypeError,
        "amax: expected a Tensor, not str.\ndg.tensor(x) makes one.",
    ),
    (
        "abs of booleans",
        lambda: BOOLEANS.abs(),
        DtypeError,
        TypeError,
        "abs: booleans are no numbers.\n"
        "  x: shape (1,), dtype bool\n"
        "x.long() makes integers of them.",
    ),
    (
        "round of integers to decimals",
        lambda: INTEGERS.round(decimals=1),
        DtypeError,
        TypeError,
        "round: integers cannot be rounded to 1 decimals.\n"
        "  x: shape (2,), dtype int64\n"
        "x.float() makes floats of them.",
    ),
    (
        "softmax of integers",
        lambda: INTEGERS.softmax(0),
        DtypeError,
        RuntimeError,
        "softmax: the tensor is not of floats.\n"
        "  x: shape (2,), dtype int64\n"
        "x.float() makes floats of it.",
    ),
    (
        "variance of integers",
        lambda: INTEGERS.var(),
        DtypeError,
        RuntimeError,
        "var: the tensor is not of floats.\n"
        "  x: shape (2,), dtype int64\n"
        "x.float() makes floats of it.",
    ),
    (
        "gelu of integers",
        lambda: activations.gelu(INTEGERS),
        DtypeError,
        RuntimeError,
        "gelu: the tensor is not of floats.\n"
        "  x: shape (2,), dtype int64\n"
        "x.float() makes floats of it.",
    ),
    (
        "an approximation that does not exist",
        lambda: activations.gelu(X, approximate="sigmoid"),
        ArgumentError,
        ValueError,
        'gelu: approximate is \'sigmoid\'.\nUse "none" or "tanh".',
    ),
    (
        "a dimension that does not exist",
        lambda: X.softmax(dim=2),
        OutOfRangeError,
        IndexError,
        "softmax: dimension 2 does not exist.\n  x: 2 dimensions, so dim from -2 to 1",
    ),
    (
        "a dimension that a number does not have",
        lambda: dg.tensor(1.0).amax(1),
        OutOfRangeError,
        IndexError,
        "amax: dimension 1 does not exist.\n  x: 0 dimensions, so dim from -1 to 0",
    ),
    (
        "a dimension twice",
        lambda: X.prod((0, -2)),
        ArgumentError,
        ValueError,
        "prod: a dimension appears twice in (0, -2).",
    ),
    (
        "several dimensions where one is meant",
        lambda: X.max((0, 1)),
        ArgumentTypeError,
        TypeError,
        "max: a dimension is an integer, not tuple.",
    ),
    (
        "the largest of nothing",
        lambda: dg.zeros(0, 3).amax(0),
        ShapeError,
        ValueError,
        "amax: there is nothing to choose from.\n  x: shape (0, 3)   dimension 0 has length 0",
    ),
    (
        "the index of the largest of nothing",
        lambda: dg.zeros(0).argmax(),
        ShapeError,
        ValueError,
        "argmax: there is nothing to choose from.\n  x: shape (0,)   dimension 0 has length 0",
    ),
    (
        "the smallest along a dimension of nothing",
        lambda: dg.zeros(2, 0).min(1),
        ShapeError,
        RuntimeError,
        "min: there is nothing to choose from.\n  x: shape (2, 0)   dimension 1 has length 0",
    ),
    (
        "shapes that do not broadcast",
        lambda: ops.maximum(X, dg.tensor([1.0, 2.0])),
        ShapeError,
        ValueError,
        "maximum: the shapes do not broadcast.\n"
        "  x: shape (2, 3)   dimension -1 has length 3\n"
        "  y: shape (2,)   dimension -1 has length 2\n"
        "y.reshape(-1, 1) would fit.",
    ),
    (
        "bounds that do not broadcast",
        lambda: X.clamp(min=dg.tensor([1.0, 2.0])),
        ShapeError,
        ValueError,
        "clamp: the shapes do not broadcast.\n  x: shape (2, 3)\n  min: shape (2,)",
    ),
    (
        "no bound",
        lambda: X.clamp(),
        ArgumentError,
        ValueError,
        "clamp: both bounds are None.\nx.clamp(min=0) needs one only.",
    ),
    (
        "a bound of text",
        lambda: X.clamp("0"),
        ArgumentTypeError,
        TypeError,
        "clamp: expected Tensors or numbers, not str.\ndg.tensor(x) makes a Tensor.",
    ),
    (
        "an operand of text",
        lambda: ops.minimum(X, "0"),  # type: ignore[arg-type]
        ArgumentTypeError,
        TypeError,
        "minimum: expected Tensors or numbers, not str.\ndg.tensor(x) makes a Tensor.",
    ),
    (
        "two corrections",
        lambda: X.std(0, unbiased=True, correction=1),
        ArgumentTypeError,
        TypeError,
        "std: both unbiased and correction are given.\nx.std(correction=1) is the unbiased one.",
    ),
    (
        "a name given twice",
        lambda: X.amax(dim=0, axis=0),
        ArgumentTypeError,
        TypeError,
        "amax: dim is given twice, once under NumPy's name.",
    ),
]


@pytest.mark.parametrize(
    ("call", "error", "builtin", "text"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_an_error_says_what_is_wrong_and_the_way_out(
    call: Callable[[], Any], error: type[DemogradError], builtin: type[Exception], text: str
) -> None:
    with pytest.raises(builtin) as e:
        call()
    assert type(e.value) is error
    assert str(e.value) == text
