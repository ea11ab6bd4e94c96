"""Convolution, pooling and the layers that change shapes."""

import numpy as np
import pytest

import demograd as dg
from demograd import nn, ops
from demograd.errors import ArgumentError, DtypeError, ShapeError
from demograd.testing import check_model


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"stride": 2, "padding": 1},
        {"stride": (1, 2), "padding": (0, 2), "dilation": (2, 1)},
        {"groups": 2},
        {"padding": "same", "dilation": 2},
        {"padding": "valid"},
    ],
    ids=str,
)
@pytest.mark.parametrize("bias", [True, False])
def test_the_layer_is_the_function_of_its_parameters(settings, bias):
    layer = nn.Conv2d(2, 4, (3, 2), bias=bias, **settings)
    x = dg.randn(2, 2, 7, 6)
    expected = ops.conv2d(x, layer.weight, layer.bias, **settings)
    assert layer(x).tolist() == expected.tolist()
    check_model(layer, x)


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
@pytest.mark.parametrize("padding", [(1, 2), "same", "valid"])
def test_other_padding_is_put_around_the_images_first(mode, padding):
    layer = nn.Conv2d(1, 2, (2, 3), padding=padding, padding_mode=mode)
    x = dg.randn(1, 1, 5, 6)
    # NumPy's names, and how much it puts before and after each dimension.
    numpys = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}[mode]
    widths = {(1, 2): [(1, 1), (2, 2)], "same": [(0, 1), (1, 1)], "valid": [(0, 0), (0, 0)]}
    padded = np.pad(x.numpy(), [(0, 0), (0, 0), *widths[padding]], mode=numpys)
    expected = ops.conv2d(dg.tensor(padded), layer.weight, layer.bias)
    assert layer(x).tolist() == expected.tolist()


def test_parameters_have_pytorchs_shapes_and_start_within_the_root_of_fan_in():
    dg.manual_seed(0)
    layer = nn.Conv2d(8, 6, (5, 4), groups=2)
    assert (layer.weight.shape, layer.bias.shape) == ((6, 4, 5, 4), (6,))
    bound = 1 / np.sqrt(4 * 5 * 4)
    for parameter in layer.parameters():
        largest = np.abs(parameter.detach().numpy()).max()
        assert 0.5 * bound < largest <= bound


def test_convolutions_show_as_in_pytorch():
    assert [
        repr(nn.Conv2d(1, 2, 3)),
        repr(nn.Conv2d(1, 2, (3, 2), stride=2, padding=1, dilation=2, bias=False)),
        repr(nn.Conv2d(2, 2, 3, padding="same", groups=2, padding_mode="reflect")),
    ] == [
        "Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1))",
        "Conv2d(1, 2, kernel_size=(3, 2), stride=(2, 2), padding=(1, 1), dilation=(2, 2), "
        "bias=False)",
        "Conv2d(2, 2, kernel_size=(3, 3), stride=(1, 1), padding=same, groups=2, "
        "padding_mode=reflect)",
    ]


@pytest.mark.parametrize(
    ("act", "kind", "text"),
    [
        (
            lambda: nn.Conv2d(3, 4, 3, groups=2),
            ArgumentError,
            "Conv2d: the channels cannot be divided into 2 groups.\n"
            "  in_channels: 3\n"
            "  out_channels: 4",
        ),
        (
            lambda: nn.Conv2d(1, 1, 3, padding_mode="mirror"),
            ArgumentError,
            "Conv2d: padding_mode is 'mirror'.\n"
            "Use one of 'zeros', 'reflect', 'replicate', 'circular'.",
        ),
        (
            lambda: nn.Conv2d(1, 1, 3, padding="full"),
            ArgumentError,
            'Conv2d: padding is \'full\'.\nUse "same", "valid" or numbers.',
        ),
        (
            lambda: nn.Conv2d(1, 1, 3, stride=2, padding="same"),
            ArgumentError,
            'Conv2d: padding "same" is for stride 1 only.\n  stride: 2',
        ),
        (
            lambda: nn.Conv2d(1, 1, 3)(dg.ones(1, 1, 5, 5, dtype=dg.float64)),
            DtypeError,
            "Conv2d: the operands have different types.\n"
            "  input: shape (1, 1, 5, 5), dtype float64\n"
            "  weight: shape (1, 1, 3, 3), dtype float32\n"
            "x.to(dg.float32) casts the input, model.to(dg.float64) the model.",
        ),
    ],
)
def test_a_wrong_convolution_says_what_is_wrong(act, kind, text):
    with pytest.raises(kind) as error:
        act()
    assert str(error.value) == text


def test_pooling_layers_are_the_functions_with_their_settings():
    x = dg.randn(2, 3, 7, 8)
    assert nn.MaxPool2d(2)(x).tolist() == ops.max_pool2d(x, 2).tolist()
    layer = nn.MaxPool2d((2, 3), 1, 1, (2, 1), ceil_mode=True)
    assert layer(x).tolist() == ops.max_pool2d(x, (2, 3), 1, 1, (2, 1), True).tolist()
    assert nn.AvgPool2d(2)(x).tolist() == ops.avg_pool2d(x, 2).tolist()
    layer = nn.AvgPool2d((2, 3), 2, 1, True, False)
    assert layer(x).tolist() == ops.avg_pool2d(x, (2, 3), 2, 1, True, False).tolist()
    layer = nn.AvgPool2d(2, divisor_override=3)
    assert layer(x).tolist() == ops.avg_pool2d(x, 2, divisor_override=3).tolist()
    check_model(nn.Sequential(nn.MaxPool2d(2), nn.AvgPool2d(2)), x)


def test_pooling_layers_show_as_in_pytorch():
    assert [repr(nn.MaxPool2d((2, 3), stride=1)), repr(nn.AvgPool2d(3, padding=1))] == [
        "MaxPool2d(kernel_size=(2, 3), stride=1, padding=0, dilation=1, ceil_mode=False)",
        "AvgPool2d(kernel_size=3, stride=3, padding=1)",
    ]


def test_flatten_and_unflatten_undo_one_another():
    x = dg.randn(2, 3, 4)
    flat = nn.Flatten()(x)
    assert flat.shape == (2, 12)
    assert nn.Unflatten(1, (3, -1))(flat).tolist() == x.tolist()
    assert nn.Flatten(0, 1)(x).shape == (6, 4)
    assert [repr(nn.Flatten()), repr(nn.Unflatten(1, (2, 3)))] == [
        "Flatten(start_dim=1, end_dim=-1)",
        "Unflatten(dim=1, unflattened_size=(2, 3))",
    ]
    with pytest.raises(ShapeError):
        nn.Unflatten(1, (5, 2))(flat)


def test_a_small_convolutional_network_learns():
    dg.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64, 2),
    )
    rng = np.random.default_rng(0)
    target = rng.integers(0, 2, 32)
    images = rng.standard_normal((32, 1, 8, 8)) * 0.1
    images[target == 1, :, :4] += 1.0
    x, y = dg.tensor(images).float(), dg.tensor(target)
    for _ in range(20):
        model.zero_grad()
        loss = nn.CrossEntropyLoss()(model(x), y)
        loss.backward()
        with dg.no_grad():
            for parameter in model.parameters():
                parameter -= 0.1 * parameter.grad
    assert loss.item() < 0.1
    assert (model.eval()(x).argmax(1).numpy() == target).all()
