"""Activation layers: each is its function with the layer's settings."""

import numpy as np
import pytest

import demograd as dg
from demograd import activations, nn
from demograd.errors import GradientError
from demograd.testing import check_model

X = np.linspace(-3, 3, 12).reshape(3, 4)

LAYERS = [
    (nn.ReLU(), activations.relu, {}, "ReLU()"),
    (nn.Sigmoid(), activations.sigmoid, {}, "Sigmoid()"),
    (nn.Tanh(), activations.tanh, {}, "Tanh()"),
    (nn.SiLU(), activations.silu, {}, "SiLU()"),
    (nn.GELU(), activations.gelu, {}, "GELU(approximate='none')"),
    (
        nn.GELU("tanh"),
        activations.gelu,
        {"approximate": "tanh"},
        "GELU(approximate='tanh')",
    ),
    (
        nn.LeakyReLU(0.2),
        activations.leaky_relu,
        {"negative_slope": 0.2},
        "LeakyReLU(negative_slope=0.2)",
    ),
    (nn.ELU(0.5), activations.elu, {"alpha": 0.5}, "ELU(alpha=0.5)"),
    (
        nn.Softplus(2.0, 3.0),
        activations.softplus,
        {"beta": 2.0, "threshold": 3.0},
        "Softplus(beta=2.0, threshold=3.0)",
    ),
    (nn.Softmax(0), activations.softmax, {"dim": 0}, "Softmax(dim=0)"),
    (nn.Softmax(), activations.softmax, {"dim": -1}, "Softmax(dim=None)"),
    (nn.LogSoftmax(0), activations.log_softmax, {"dim": 0}, "LogSoftmax(dim=0)"),
    (nn.LogSoftmax(), activations.log_softmax, {"dim": -1}, "LogSoftmax(dim=None)"),
]


@pytest.mark.parametrize(
    ("layer", "function", "settings", "text"), LAYERS, ids=[r[3] for r in LAYERS]
)
def test_a_layer_is_its_function_and_shows_its_settings(layer, function, settings, text):
    x = dg.tensor(X)
    assert layer(x).tolist() == function(x, **settings).tolist()
    assert repr(layer) == text
    check_model(layer, x)


@pytest.mark.parametrize(
    ("layer", "plain", "text"),
    [
        (nn.ReLU(inplace=True), nn.ReLU(), "ReLU(inplace=True)"),
        (nn.SiLU(inplace=True), nn.SiLU(), "SiLU(inplace=True)"),
        (nn.LeakyReLU(0.2, True), nn.LeakyReLU(0.2), "LeakyReLU(negative_slope=0.2, inplace=True)"),
        (nn.ELU(0.5, True), nn.ELU(0.5), "ELU(alpha=0.5, inplace=True)"),
    ],
)
def test_in_place_a_layer_overwrites_its_input_with_the_same_gradients(layer, plain, text):
    assert repr(layer) == text
    leaves = [dg.tensor(X, requires_grad=True) for _ in range(2)]
    inputs = [leaf * 1.0 for leaf in leaves]
    outs = [layer(inputs[0]), plain(inputs[1])]
    assert outs[0] is inputs[0]
    assert outs[0].tolist() == outs[1].tolist()
    for out in outs:
        (out * out).sum().backward()
    assert leaves[0].grad.tolist() == leaves[1].grad.tolist()


def test_in_place_a_leaf_that_requires_a_gradient_is_refused():
    x = dg.tensor(X, requires_grad=True)
    with pytest.raises(GradientError) as error:
        nn.ReLU(inplace=True)(x)
    assert str(error.value).startswith("relu_: a leaf that requires a gradient")
    assert x.tolist() == X.tolist()
