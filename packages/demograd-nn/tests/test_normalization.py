"""Batch and layer normalisation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import demograd as dg
from demograd import nn
from demograd.errors import ArgumentError, DtypeError, ShapeError
from demograd.nn import functional as F
from demograd.nn.functional._normalization import Standardize
from demograd.testing import check_function, check_model


def draw(*shape, seed=0):
    return dg.tensor(np.random.default_rng(seed).standard_normal(shape) * 2 + 1)


def standardized(x, axes, eps):
    mean, var = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    return (x - mean) / np.sqrt(var + eps)


@given(
    shape=st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple),
    data=st.data(),
)
@settings(max_examples=25, deadline=None)
def test_the_rule_has_the_values_and_derivatives_of_all_three_outputs(shape, data):
    dims = tuple(sorted(data.draw(st.sets(st.integers(0, len(shape) - 1), min_size=1))))
    x = draw(*shape)
    out, mean, variance = Standardize.apply(x, None, None, dims=dims, eps=0.1)
    np.testing.assert_allclose(out.numpy(), standardized(x.numpy(), dims, 0.1), atol=1e-12)
    np.testing.assert_allclose(mean.numpy(), x.numpy().mean(dims, keepdims=True), atol=1e-12)
    np.testing.assert_allclose(variance.numpy(), x.numpy().var(dims, keepdims=True), atol=1e-12)
    check_function(Standardize, x, None, None, dims=dims, eps=0.1)
    kept = [1 if i in dims else n for i, n in enumerate(shape)]
    check_function(Standardize, x, draw(*kept, seed=1), draw(*kept, seed=2), dims=dims, eps=0.1)


@pytest.mark.parametrize("normalized", [(4,), (3, 4), (2, 3, 4)])
def test_layer_norm_is_its_formula_over_the_last_dimensions(normalized):
    x, w, b = draw(2, 3, 4), draw(*normalized, seed=1), draw(*normalized, seed=2)
    axes = tuple(range(3 - len(normalized), 3))
    expected = standardized(x.numpy(), axes, 1e-5)
    np.testing.assert_allclose(F.layer_norm(x, normalized).numpy(), expected, rtol=1e-9)
    out = F.layer_norm(x, normalized, w, b)
    np.testing.assert_allclose(out.numpy(), expected * w.numpy() + b.numpy(), rtol=1e-9)
    check_function(lambda x, w, b: F.layer_norm(x, normalized, w, b), x, w, b)


@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 2), (2, 3, 2, 2)])
def test_batch_norm_in_training_is_its_formula_for_each_channel(shape):
    x, w, b = draw(*shape), draw(3, seed=1), draw(3, seed=2)
    axes = (0, *range(2, len(shape)))
    view = (1, 3, *[1] * (len(shape) - 2))
    expected = standardized(x.numpy(), axes, 1e-5) * w.numpy().reshape(view)
    expected += b.numpy().reshape(view)
    out = F.batch_norm(x, None, None, w, b, training=True)
    np.testing.assert_allclose(out.numpy(), expected, rtol=1e-9)
    check_function(lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True), x, w, b)


@pytest.mark.parametrize("affine", [False, True])
def test_batch_norm_in_evaluation_takes_the_running_values(affine):
    x, w, b = draw(4, 3, 2), draw(3, seed=1), draw(3, seed=2)
    mean, variance = draw(3, seed=3), draw(3, seed=4) ** 2
    parameters = (w, b) if affine else (None, None)
    out = F.batch_norm(x, mean, variance, *parameters)
    expected = x.numpy() - mean.numpy()[:, None]
    expected /= np.sqrt(variance.numpy()[:, None] + 1e-5)
    if affine:
        expected = expected * w.numpy()[:, None] + b.numpy()[:, None]
    np.testing.assert_allclose(out.numpy(), expected, rtol=1e-9, atol=1e-12)
    check_function(
        lambda x, w, b: F.batch_norm(x, mean.to(x.dtype), variance.to(x.dtype), w, b), x, w, b
    )


def test_running_values_follow_the_batch_with_an_unbiased_variance():
    layer = nn.BatchNorm1d(3, momentum=0.25)
    x = draw(5, 3).float()
    layer(x)
    np.testing.assert_allclose(layer.running_mean.numpy(), 0.25 * x.numpy().mean(0), rtol=1e-5)
    expected = 0.75 + 0.25 * x.numpy().var(0, ddof=1)
    np.testing.assert_allclose(layer.running_var.numpy(), expected, rtol=1e-5)
    assert layer.num_batches_tracked.item() == 1
    layer.eval()(x)
    assert layer.num_batches_tracked.item() == 1


def test_without_a_momentum_running_values_are_means_over_all_batches():
    layer, batches = (
        nn.BatchNorm1d(2, momentum=None),
        [draw(4, 2, seed=s).float() for s in (1, 2, 3)],
    )
    for x in batches:
        layer(x)
    means = np.mean([x.numpy().mean(0) for x in batches], axis=0)
    np.testing.assert_allclose(layer.running_mean.numpy(), means, rtol=1e-5)


def test_without_tracking_evaluation_takes_the_batchs_values():
    layer = nn.BatchNorm1d(3, track_running_stats=False)
    x = draw(5, 3).float()
    assert layer.eval()(x).tolist() == layer.train()(x).tolist()
    assert list(layer.state_dict()) == ["weight", "bias"]


def test_resetting_starts_everything_anew():
    layer = nn.BatchNorm1d(2)
    layer(draw(4, 2).float())
    layer.weight.data[...] = 5.0
    layer.reset_parameters()
    assert {name: x.tolist() for name, x in layer.state_dict().items()} == {
        "weight": [1.0, 1.0],
        "bias": [0.0, 0.0],
        "running_mean": [0.0, 0.0],
        "running_var": [1.0, 1.0],
        "num_batches_tracked": 0,
    }


def test_parameters_are_there_as_they_are_asked_for():
    names = {
        name: [n for n, _ in layer.named_parameters()]
        for name, layer in {
            "plain": nn.BatchNorm2d(2, affine=False),
            "no bias": nn.BatchNorm2d(2, bias=False),
            "layer": nn.LayerNorm(2),
            "layer, no bias": nn.LayerNorm(2, bias=False),
            "layer, plain": nn.LayerNorm((2, 3), elementwise_affine=False),
        }.items()
    }
    assert names == {
        "plain": [],
        "no bias": ["weight"],
        "layer": ["weight", "bias"],
        "layer, no bias": ["weight"],
        "layer, plain": [],
    }


def test_layers_show_as_in_pytorch():
    assert [
        repr(nn.BatchNorm1d(3)),
        repr(nn.BatchNorm2d(3, affine=False, track_running_stats=False)),
        repr(nn.LayerNorm(4)),
        repr(nn.LayerNorm((2, 3), elementwise_affine=False)),
    ] == [
        "BatchNorm1d(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)",
        "BatchNorm2d(3, eps=1e-05, momentum=0.1, affine=False, bias=False, "
        "track_running_stats=False)",
        "LayerNorm((4,), eps=1e-05, elementwise_affine=True, bias=True)",
        "LayerNorm((2, 3), eps=1e-05, elementwise_affine=False, bias=False)",
    ]


def test_layers_keep_the_promises_of_a_model():
    check_model(nn.BatchNorm1d(3), draw(4, 3).float())
    check_model(nn.BatchNorm2d(3, track_running_stats=False), draw(4, 3, 2, 2).float())
    check_model(nn.LayerNorm((3, 2)), draw(4, 3, 2).float())


def test_constant_and_large_values_stay_finite():
    x = dg.tensor([[1e4, 1e4], [1e4, 1e4]], requires_grad=True)
    out = nn.LayerNorm(2)(x)
    out.sum().backward()
    assert out.tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert np.isfinite(x.grad.numpy()).all()


def test_normalize_makes_vectors_of_length_one():
    x = draw(4, 3)
    expected = x.numpy() / np.linalg.norm(x.numpy(), axis=1, keepdims=True)
    np.testing.assert_allclose(F.normalize(x).numpy(), expected, rtol=1e-12)
    expected = x.numpy() / np.abs(x.numpy()).sum(0)
    np.testing.assert_allclose(F.normalize(x, p=1.0, dim=0).numpy(), expected, rtol=1e-12)
    assert F.normalize(dg.zeros(1, 2)).tolist() == [[0.0, 0.0]]
    check_function(F.normalize, x)


@pytest.mark.parametrize(
    ("act", "kind", "text"),
    [
        (
            lambda: nn.BatchNorm1d(3)(dg.ones(1, 3)),
            ShapeError,
            """\
batch_norm: a channel has one value, and one value has no variance.
  input: shape (1, 3)   training
Give at least two samples (DataLoader(..., drop_last=True) leaves out a last batch of one), or \
switch to model.eval().""",
        ),
        (
            lambda: nn.BatchNorm1d(3)(dg.ones(2, 4)),
            ShapeError,
            """\
batch_norm: the number of channels differs.
  input: shape (2, 4)   4 channels
  running_mean: shape (3,)
A layer with num_features=4 takes this input.""",
        ),
        (
            lambda: nn.BatchNorm1d(3)(dg.ones(2, 3, 4, 5)),
            ShapeError,
            """\
BatchNorm1d: the input has 4 dimensions.
  input: shape (2, 3, 4, 5), expected (N, C) or (N, C, L)""",
        ),
        (
            lambda: nn.BatchNorm2d(3)(dg.ones(2, 3)),
            ShapeError,
            """\
BatchNorm2d: the input has 2 dimensions.
  input: shape (2, 3), expected (N, C, H, W)""",
        ),
        (
            lambda: F.batch_norm(dg.ones(3), None, None, training=True),
            ShapeError,
            """\
batch_norm: the input has no dimension of channels.
  input: shape (3,), expected (N, C) or (N, C, d1, ...)""",
        ),
        (
            lambda: F.batch_norm(dg.ones(2, 3), None, None),
            ArgumentError,
            """\
batch_norm: there are no running mean and variance to take.
training=True takes the batch's own.""",
        ),
        (
            lambda: nn.LayerNorm(4)(dg.ones(2, 3)),
            ShapeError,
            """\
layer_norm: the input does not end in normalized_shape.
  input: shape (2, 3)
  normalized_shape: (4,)
normalized_shape=(3,) would fit.""",
        ),
        (
            lambda: F.layer_norm(dg.ones(2, 3), (3,), dg.ones(2)),
            ShapeError,
            """\
layer_norm: the weight differs from normalized_shape.
  weight: shape (2,)
  normalized_shape: (3,)""",
        ),
        (
            lambda: nn.LayerNorm(3)(dg.ones(2, 3, dtype=dg.float64)),
            DtypeError,
            """\
layer_norm: the operands have different types.
  input: shape (2, 3), dtype float64
  weight: shape (3,), dtype float32
  bias: shape (3,), dtype float32
x.to(dg.float32) casts the input, model.to(dg.float64) the model.""",
        ),
    ],
)
def test_what_does_not_fit_says_why(act, kind, text):
    with pytest.raises(kind) as error:
        act()
    assert str(error.value) == text


def test_a_refused_batch_leaves_the_running_values():
    layer = nn.BatchNorm1d(3)
    with pytest.raises(ShapeError):
        layer(dg.ones(1, 3))
    assert layer.num_batches_tracked.item() == 0
    assert layer.running_mean.tolist() == [0.0, 0.0, 0.0]
