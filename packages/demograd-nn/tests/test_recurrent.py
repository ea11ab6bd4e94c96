"""LSTMCell: its rules against the composition, its state, and its errors."""

import numpy as np
import pytest

import demograd as dg
from demograd import nn, ops
from demograd.autograd import grad, gradcheck
from demograd.errors import ArgumentError, ArgumentTypeError, DtypeError, ShapeError
from demograd.nn.functional._lstm_cell import AffinePair, LSTMStep
from demograd.testing import check_function, check_model


def draw(*shape, seed=0):
    return dg.tensor(np.random.default_rng(seed).standard_normal(shape))


def composed(x, h, c, w, u, b, a):
    """What the two rules stand for, in operators of their own."""
    i, f, g, o = ops.chunk(x @ w.mT + b + h @ u.mT + a, 4, -1)
    c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
    return ops.sigmoid(o) * ops.tanh(c), c


def operands(rows, inner, hidden):
    shapes = [(rows, inner), (rows, hidden), (rows, hidden)]
    shapes += [(4 * hidden, inner), (4 * hidden, hidden), (4 * hidden,), (4 * hidden,)]
    return [draw(*shape, seed=seed) for seed, shape in enumerate(shapes)]


def cell(x, h, c, w, u, b=None, a=None):
    return LSTMStep.apply(AffinePair.apply(x, h, w, u, b, a), c)


@pytest.mark.parametrize("sizes", [(1, 1, 1), (3, 2, 2), (2, 3, 1)], ids=str)
def test_the_rules_are_the_composition_with_its_derivatives(sizes):
    xs = operands(*sizes)
    for ours, expected in zip(cell(*xs), composed(*xs), strict=True):
        np.testing.assert_allclose(ours.numpy(), expected.numpy(), rtol=1e-10, atol=1e-14)
    check_function(cell, *xs)
    check_function(cell, *xs[:5])


def test_the_third_derivative_agrees_with_differences():
    y, c = draw(2, 4), draw(2, 1, seed=1)

    def second(y, c):
        out = sum((x**2).sum() for x in LSTMStep.apply(y, c))
        first = grad(out, (y, c), create_graph=True)
        return grad(sum((g**2).sum() for g in first), (y, c), create_graph=True)

    gradcheck(second, [y.requires_grad_(), c.requires_grad_()])


def test_the_rules_run_on_another_array_library():
    library = pytest.importorskip("array_api_strict", reason="array-api-strict is not installed")

    def run(wrap):
        xs = [dg.Tensor(wrap(x.numpy()), requires_grad=True) for x in operands(2, 3, 2)]
        outs = cell(*xs)
        first = grad(sum((out**2).sum() for out in outs), xs, create_graph=True)
        second = grad(sum((g**2).sum() for g in first), xs)
        return [np.asarray(x.detach().data) for x in (*outs, *first, *second)]

    for found, expected in zip(run(library.asarray), run(np.asarray), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_values_and_gradients_keep_the_type(dtype):
    layer = nn.LSTMCell(3, 2, dtype=dtype)
    x = draw(4, 3).to(dtype).requires_grad_()
    h, c = layer(x)
    (h.sum() + c.sum()).backward()
    assert {t.dtype for t in (h, c, x.grad, *[p.grad for p in layer.parameters()])} == {
        np.dtype(dtype)
    }


def test_gates_that_are_shut_or_open_do_not_overflow():
    y = dg.tensor([[1e4, -1e4, 1e4, -1e4], [-1e30, 1e30, 1e30, 1e30]], requires_grad=True)
    c = dg.tensor([[3.0], [5.0]])
    h, new_c = LSTMStep.apply(y, c)
    assert new_c.tolist() == [[1.0], [5.0]]
    (slope,) = grad((h + new_c).sum(), y, create_graph=True)
    (curve,) = grad(slope.sum(), y)
    assert not slope.detach().numpy().any()
    assert not curve.numpy().any()


def test_the_state_may_be_changed_in_place_after_a_step():
    layer = nn.LSTMCell(3, 2)
    x = dg.ones(4, 3)
    h, c = layer(x)
    expected = grad(h.sum(), layer.weight_ih)[0].tolist()
    h, c = layer(x)
    c.mul_(0.0)
    assert grad(h.sum(), layer.weight_ih)[0].tolist() == expected


def test_a_state_that_is_left_out_is_zero():
    layer, x = nn.LSTMCell(3, 2), draw(4, 3).float()
    zeros = dg.zeros(4, 2)
    for ours, expected in zip(layer(x), layer(x, (zeros, zeros)), strict=True):
        assert ours.tolist() == expected.tolist()


def test_one_sample_needs_no_dimension_of_rows():
    layer, x = nn.LSTMCell(3, 2), draw(4, 3).float()
    state = draw(4, 2, seed=1).float(), draw(4, 2, seed=2).float()
    whole = layer(x, state)
    for ours, expected in zip(layer(x[1], [s[1] for s in state]), whole, strict=True):
        assert ours.shape == (2,)
        np.testing.assert_allclose(ours.detach().numpy(), expected[1].detach().numpy(), rtol=1e-5)
    assert layer(x[1])[0].shape == (2,)


def test_parameters_start_uniform_within_the_root_of_the_hidden_size():
    dg.manual_seed(0)
    layer = nn.LSTMCell(50, 25)
    assert {name: p.shape for name, p in layer.named_parameters()} == {
        "weight_ih": (100, 50),
        "weight_hh": (100, 25),
        "bias_ih": (100,),
        "bias_hh": (100,),
    }
    for p in layer.parameters():
        largest = abs(p.detach().numpy()).max()
        assert 0.19 < largest <= 0.2
    assert [name for name, _ in nn.LSTMCell(3, 2, bias=False).named_parameters()] == [
        "weight_ih",
        "weight_hh",
    ]


def test_the_layer_keeps_the_promises_of_a_model():
    check_model(nn.LSTMCell(3, 2), dg.ones(4, 3))
    check_model(nn.LSTMCell(3, 2, bias=False), dg.ones(3))


def test_what_was_seen_first_is_learnt_through_the_steps():
    dg.manual_seed(0)
    layer, head = nn.LSTMCell(1, 8), nn.Linear(8, 2)
    model = nn.ModuleList([layer, head])
    bits = np.random.default_rng(0).integers(0, 2, (4, 32, 1))
    steps = [dg.tensor(2 * step - 1).float() for step in bits]
    losses = []
    for _ in range(100):
        state = None
        for x in steps:
            state = layer(x, state)
        loss = nn.functional.cross_entropy(head(state[0]), dg.tensor(bits[0, :, 0]))
        model.zero_grad()
        loss.backward()
        with dg.no_grad():
            for p in model.parameters():
                p -= 2.0 * p.grad
        losses.append(loss.item())
    assert losses[-1] < 0.1 * losses[0]


LAYER = nn.LSTMCell(3, 2)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda: nn.LSTMCell(3, 0),
            ArgumentError,
            """LSTMCell: a size is out of its range.
  input_size: 3
  hidden_size: 0
input_size is at least 0, hidden_size at least 1.""",
        ),
        (
            lambda: LAYER(dg.ones(2, 5, 3)),
            ShapeError,
            """LSTMCell: the input has 3 dimensions.
  input: shape (2, 5, 3), expected (N, input_size) or (input_size,)
for x in sequence: h, c = cell(x, (h, c)) takes the steps of a sequence.""",
        ),
        (
            lambda: LAYER(dg.ones(5, 4)),
            ShapeError,
            """LSTMCell: the input's last dimension is not input_size.
  input: shape (5, 4)
  input_size: 3""",
        ),
        (
            lambda: LAYER(dg.ones(5, 3), dg.zeros(5, 2)),
            ArgumentTypeError,
            """LSTMCell: the state is no pair of tensors.
  hx: Tensor
h, c = cell(x, (h, c))""",
        ),
        (
            lambda: LAYER(dg.ones(5, 3), (dg.zeros(2), dg.zeros(5, 2))),
            ShapeError,
            """LSTMCell: the state does not fit the input and hidden_size.
  h: shape (2,), expected (5, 2)
  c: shape (5, 2), expected (5, 2)""",
        ),
    ],
    ids=["sizes", "dimensions", "input_size", "no pair", "state"],
)
def test_what_does_not_fit_is_refused_in_words(call, kind, message):
    with pytest.raises(kind) as e:
        call()
    assert str(e.value) == message


def test_another_type_is_refused():
    with pytest.raises(DtypeError, match="LSTMCell: the operands have different types"):
        LAYER(dg.ones(5, 3).double())
