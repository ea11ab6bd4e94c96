"""Linear and Identity: the affine map, its rule, and its errors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import demograd as dg
from demograd import nn
from demograd.errors import ArgumentError, ArgumentTypeError, DtypeError, ShapeError
from demograd.nn import functional as F
from demograd.testing import check_function, check_model


def draw(*shape, seed=0):
    return dg.tensor(np.random.default_rng(seed).standard_normal(shape))


@given(
    leading=st.lists(st.integers(1, 3), max_size=3).map(tuple),
    sizes=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    bias=st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_the_rule_is_the_composition_with_its_derivatives(leading, sizes, bias):
    inner, outer = sizes
    operands = [draw(*leading, inner), draw(outer, inner, seed=1)]
    operands += [draw(outer, seed=2)] if bias else []
    out = F.linear(*operands)
    composed = operands[0] @ operands[1].T
    composed = composed + operands[2] if bias else composed
    np.testing.assert_allclose(out.numpy(), composed.numpy(), rtol=1e-12, atol=1e-12)
    check_function(F.linear, *operands)


def test_a_weight_of_one_dimension_gives_one_number_a_row():
    check_function(F.linear, draw(4, 3), draw(3, seed=1), draw(seed=2))
    assert F.linear(draw(4, 3), draw(3, seed=1)).shape == (4,)


def test_an_empty_batch_has_an_empty_result_and_zero_gradients():
    layer = nn.Linear(3, 2)
    out = layer(dg.zeros(0, 3))
    out.sum().backward()
    assert out.shape == (0, 2)
    assert layer.weight.grad.tolist() == [[0.0] * 3] * 2
    assert layer.bias.grad.tolist() == [0.0, 0.0]


def test_nothing_is_computed_for_an_operand_that_wants_no_gradient():
    layer = nn.Linear(3, 2)
    node = layer(dg.ones(4, 3)).grad_fn
    assert node.saved_tensors[1] is None
    layer.weight.requires_grad_(False)
    node = layer(dg.ones(4, 3)).grad_fn
    assert node.saved_tensors == (None, None)
    assert node.backward(np.ones((4, 2), dtype=np.float32))[:2] == (None, None)


def test_the_layer_keeps_the_promises_of_a_model():
    check_model(nn.Linear(3, 2), dg.randn(4, 3))
    check_model(nn.Sequential(nn.Linear(3, 2), nn.Identity(), dg.relu), dg.randn(4, 3))


def test_parameters_start_uniform_within_the_root_of_fan_in():
    dg.manual_seed(0)
    layer = nn.Linear(400, 50)
    for parameter in layer.parameters():
        values = np.abs(parameter.detach().numpy())
        assert 0.04 < values.max() <= 0.05
    assert abs(layer.weight.detach().numpy().std() - 0.05 / np.sqrt(3)) < 1e-3
    assert nn.Linear(0, 2).bias.tolist() == [0.0, 0.0]


def test_a_layer_can_be_made_in_another_type_and_without_a_bias():
    layer = nn.Linear(3, 2, bias=False, dtype=dg.float64)
    assert (layer.weight.dtype, layer.bias) == (dg.float64, None)
    assert repr(layer) == "Linear(in_features=3, out_features=2, bias=False)"


def test_identity_takes_any_arguments_and_gives_its_input():
    x = dg.ones(2)
    assert nn.Identity(3, anything=True)(x) is x


@pytest.mark.parametrize(
    ("act", "kind", "text"),
    [
        (
            lambda: nn.Linear(784, 10)(dg.ones(32, 28, 28)),
            ShapeError,
            """\
linear: the input's last dimension is not in_features.
  input: shape (32, 28, 28)   last dimension 28
  weight: shape (10, 784)   in_features 784
x.flatten(1) would fit: (32, 784).""",
        ),
        (
            lambda: nn.Linear(4, 2)(dg.ones(4, 3)),
            ShapeError,
            """\
linear: the input's last dimension is not in_features.
  input: shape (4, 3)   last dimension 3
  weight: shape (2, 4)   in_features 4
x.T would fit: (3, 4).""",
        ),
        (
            lambda: nn.Linear(4, 2)(dg.ones(5)),
            ShapeError,
            """\
linear: the input's last dimension is not in_features.
  input: shape (5,)   last dimension 5
  weight: shape (2, 4)   in_features 4
A layer with in_features=5 takes this input.""",
        ),
        (
            lambda: nn.Linear(4, 2)(dg.tensor(1.0)),
            ShapeError,
            """\
linear: the input's last dimension is not in_features.
  input: shape ()   no dimension
  weight: shape (2, 4)   in_features 4
A layer with in_features=1 takes this input.""",
        ),
        (
            lambda: nn.Linear(2, 2)(dg.ones(1, 2, dtype=dg.float64)),
            DtypeError,
            """\
linear: the operands have different types.
  input: shape (1, 2), dtype float64
  weight: shape (2, 2), dtype float32
  bias: shape (2,), dtype float32
x.to(dg.float32) casts the input, model.to(dg.float64) the model.""",
        ),
        (
            lambda: nn.Linear(2, 2)(dg.ones(1, 2, dtype=dg.int64)),
            DtypeError,
            """\
linear: input is not of floats.
  input: shape (1, 2), dtype int64
input.float() makes floats of it.""",
        ),
        (
            lambda: nn.Linear(2, 2)(np.ones((1, 2), dtype=np.float32)),
            ArgumentTypeError,
            """\
linear: input is no Tensor.
  input: ndarray
dg.tensor(x) makes one of numbers or an array.""",
        ),
        (
            lambda: F.linear(dg.ones(1, 2), dg.ones(2, 2, 2)),
            ShapeError,
            """\
linear: the weight is no matrix.
  weight: shape (2, 2, 2), expected (out_features, in_features)""",
        ),
        (
            lambda: F.linear(dg.ones(1, 2), dg.ones(3, 2), dg.ones(2)),
            ShapeError,
            """\
linear: the bias does not have one number for each output.
  weight: shape (3, 2)   out_features 3
  bias: shape (2,)""",
        ),
        (
            lambda: nn.Linear(-1, 2),
            ArgumentError,
            """\
Linear: a number of features is negative.
  in_features: -1
  out_features: 2""",
        ),
    ],
)
def test_what_does_not_fit_says_why_and_how_it_would(act, kind, text):
    with pytest.raises(kind) as error:
        act()
    assert str(error.value) == text


def test_a_misfit_names_the_layer_by_its_place_in_the_model():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(5, 2))
    with pytest.raises(ShapeError) as error:
        model(dg.ones(1, 3))
    assert error.value.__notes__ == ["in 2: Linear", "in Sequential"]
