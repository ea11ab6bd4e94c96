"""Initialisers: distributions, bounds, and errors."""

import math

import numpy as np
import pytest

import demograd as dg
from demograd import nn
from demograd.errors import ArgumentError, ArgumentTypeError, DtypeError, ShapeError
from demograd.nn import init

N = 200_000


def filled(fill, *shape, **settings):
    tensor = dg.empty(*shape)
    out = fill(tensor, generator=dg.Generator(0), **settings)
    assert out is tensor
    return tensor.numpy()


def test_uniform_is_uniform_between_its_bounds():
    x = filled(init.uniform_, N, a=-2.0, b=3.0)
    assert (x >= -2.0).all()
    assert (x <= 3.0).all()
    np.testing.assert_allclose([x.mean(), x.std()], [0.5, 5 / math.sqrt(12)], atol=0.02)
    quarters = np.histogram(x, bins=4, range=(-2, 3))[0] / N
    np.testing.assert_allclose(quarters, 0.25, atol=0.005)


def test_normal_has_its_mean_and_deviation():
    x = filled(init.normal_, N, mean=1.0, std=0.5)
    np.testing.assert_allclose([x.mean(), x.std()], [1.0, 0.5], atol=0.01)
    np.testing.assert_allclose((np.abs(x - 1.0) < 0.5).mean(), 0.6827, atol=0.005)


@pytest.mark.parametrize(("a", "b"), [(-1.0, 2.0), (2.0, 3.0), (-0.1, 0.1)])
def test_truncated_normal_has_the_moments_of_the_cut_density(a, b):
    x = filled(init.trunc_normal_, N, mean=0.0, std=1.0, a=a, b=b)
    assert (x >= np.float32(a)).all()
    assert (x <= np.float32(b)).all()
    grid = np.linspace(a, b, 20001)
    density = np.exp(-(grid**2) / 2)
    mean = (grid * density).sum() / density.sum()
    std = math.sqrt(((grid - mean) ** 2 * density).sum() / density.sum())
    np.testing.assert_allclose([x.mean(), x.std()], [mean, std], atol=0.005)


def test_a_mean_far_outside_the_bounds_is_a_warning():
    with pytest.warns(UserWarning, match="^trunc_normal_: the mean is more than two deviations"):
        init.trunc_normal_(dg.empty(2), mean=10.0)


def test_fillers_fill():
    assert init.constant_(dg.empty(2), 0.3).tolist() == dg.tensor([0.3, 0.3]).tolist()
    assert init.ones_(dg.empty(2)).tolist() == [1.0, 1.0]
    assert init.zeros_(dg.empty(2)).tolist() == [0.0, 0.0]
    assert init.eye_(dg.empty(2, 3)).tolist() == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]


# fan_in = 30 * 4 = 120 and fan_out = 60 * 4 = 240 for a weight of this shape.
SHAPE = (60, 30, 2, 2)


@pytest.mark.parametrize(
    ("fill", "settings", "std"),
    [
        (init.xavier_uniform_, {}, math.sqrt(2 / 360)),
        (init.xavier_uniform_, {"gain": 2.0}, 2 * math.sqrt(2 / 360)),
        (init.xavier_normal_, {}, math.sqrt(2 / 360)),
        (init.kaiming_uniform_, {}, math.sqrt(2 / 120)),
        (init.kaiming_uniform_, {"a": math.sqrt(5)}, math.sqrt(2 / 6 / 120)),
        (init.kaiming_uniform_, {"mode": "fan_out", "nonlinearity": "relu"}, math.sqrt(2 / 240)),
        (init.kaiming_normal_, {"nonlinearity": "linear"}, math.sqrt(1 / 120)),
        (init.kaiming_normal_, {"mode": "fan_out", "nonlinearity": "tanh"}, 5 / 3 / math.sqrt(240)),
    ],
)
def test_the_deviation_follows_the_fans(fill, settings, std):
    x = filled(fill, *SHAPE, **settings)
    np.testing.assert_allclose([x.mean() / std, x.std() / std], [0.0, 1.0], atol=0.05)
    if "uniform" in fill.__name__:
        bound = math.sqrt(3) * std
        assert 0.99 * bound < np.abs(x).max() <= bound * (1 + 1e-6)


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 2, 3)])
def test_orthogonal_rows_or_columns_are_orthonormal_times_the_gain(shape):
    x = filled(init.orthogonal_, *shape, gain=2.0).reshape(shape[0], -1)
    small = x @ x.T if x.shape[0] <= x.shape[1] else x.T @ x
    np.testing.assert_allclose(small, 4 * np.eye(len(small)), atol=1e-5)


def test_orthogonal_matrices_of_either_sign_are_as_likely():
    generator = dg.Generator(0)
    signs = [init.orthogonal_(dg.empty(1, 1), generator=generator).item() for _ in range(400)]
    assert sorted(set(signs)) == [-1.0, 1.0]
    assert abs(np.mean(signs)) < 0.2


def test_empty_tensors_are_filled_with_nothing():
    for fill in (init.xavier_uniform_, init.kaiming_normal_, init.orthogonal_, init.trunc_normal_):
        assert fill(dg.empty(0, 0)).shape == (0, 0)


def test_numbers_come_from_the_generator_that_is_given_or_from_the_default_one():
    a = init.normal_(dg.empty(3), generator=dg.Generator(7)).tolist()
    assert init.normal_(dg.empty(3), generator=dg.Generator(7)).tolist() == a
    dg.manual_seed(7)
    assert init.normal_(dg.empty(3)).tolist() == a


def test_parameters_are_filled_outside_the_graph_and_in_place():
    layer = nn.Linear(2, 2)
    memory = layer.weight.data
    init.ones_(layer.weight)
    assert layer.weight.data is memory
    assert layer.weight.is_leaf
    assert layer.weight.requires_grad


@pytest.mark.parametrize(
    ("nonlinearity", "param", "gain"),
    [
        ("linear", None, 1.0),
        ("conv2d", None, 1.0),
        ("sigmoid", None, 1.0),
        ("tanh", None, 5 / 3),
        ("relu", None, math.sqrt(2)),
        ("leaky_relu", None, math.sqrt(2 / (1 + 0.01**2))),
        ("leaky_relu", 2, math.sqrt(2 / 5)),
        ("selu", None, 0.75),
    ],
)
def test_gains_are_pytorchs(nonlinearity, param, gain):
    assert init.calculate_gain(nonlinearity, param) == pytest.approx(gain)


@pytest.mark.parametrize(
    ("act", "kind", "text"),
    [
        (
            lambda: init.kaiming_uniform_(dg.empty(3)),
            ShapeError,
            "kaiming_uniform_: a tensor with fewer than two dimensions has no fan in and fan out.\n"
            "  tensor: shape (3,)\n"
            "nn.init.uniform_ and nn.init.normal_ fill any shape.",
        ),
        (
            lambda: init.kaiming_normal_(dg.empty(3, 3), mode="fan"),
            ArgumentError,
            'kaiming_normal_: mode is \'fan\'.\nUse "fan_in" or "fan_out".',
        ),
        (
            lambda: init.calculate_gain("swish"),
            ArgumentError,
            "calculate_gain: no gain is known for 'swish'.\n"
            "Use one of: leaky_relu, linear, conv1d, conv2d, conv3d, identity, sigmoid, tanh, "
            "relu, selu.",
        ),
        (
            lambda: init.calculate_gain("leaky_relu", "steep"),
            ArgumentTypeError,
            "calculate_gain: the negative slope is a number, not str.",
        ),
        (
            lambda: init.uniform_(dg.empty(1), 1.0, 0.0),
            ArgumentError,
            "uniform_: the bounds are in the wrong order.\n  a: 1.0\n  b: 0.0",
        ),
        (
            lambda: init.normal_(dg.empty(1), std=-1.0),
            ArgumentError,
            "normal_: the standard deviation is -1.0.\nUse std >= 0.",
        ),
        (
            lambda: init.trunc_normal_(dg.empty(1), a=1.0, b=1.0),
            ArgumentError,
            "trunc_normal_: there is no such distribution.\n"
            "  std: 1.0\n  a: 1.0\n  b: 1.0\n"
            "Use std > 0 and a < b.",
        ),
        (
            lambda: init.normal_(dg.empty(2, dtype=dg.int64)),
            DtypeError,
            "normal_: random numbers fill floats.\n  tensor: shape (2,), dtype int64",
        ),
        (
            lambda: init.eye_(dg.empty(2)),
            ShapeError,
            "eye_: only a matrix has a diagonal.\n  tensor: shape (2,)",
        ),
    ],
)
def test_what_cannot_be_filled_says_why(act, kind, text):
    with pytest.raises(kind) as error:
        act()
    assert str(error.value) == text
