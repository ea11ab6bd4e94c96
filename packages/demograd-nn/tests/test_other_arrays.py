"""Every rule of this package, and the layers, on the arrays of another library.

``USES`` names a use of every rule; the tests that assemble all packages check that none is missing,
and run the table on JAX and CuPy as well.
"""

from typing import Any

import numpy as np
import pytest

import demograd as dg
from demograd import Tensor, nn
from demograd.errors import DeviceError, MissingPackageError
from demograd.nn import functional as F
from demograd.testing import check_array_library

rng = np.random.default_rng(0)
ROWS = rng.uniform(-1.0, 1.0, (4, 3))
WEIGHT = rng.uniform(-1.0, 1.0, (5, 3))
BIAS = rng.uniform(-1.0, 1.0, 5)
SHARES = rng.uniform(0.1, 0.9, (4, 3))
CLASSES = np.array([0, 2, 1, 2])
IMAGES = rng.uniform(-1.0, 1.0, (2, 3, 4, 4))
SEQUENCE = rng.uniform(-1.0, 1.0, (2, 3, 4))

LSTM_SHAPES = (4, 2), (8, 3), (8, 2), (2, 8)


def _lstm(x: Tensor, h: Tensor, w: Tensor, u: Tensor, b: Tensor) -> Any:
    cell = nn.LSTMCell(3, 2)
    for name, value in (("weight_ih", w), ("weight_hh", u), ("bias_ih", b[0]), ("bias_hh", b[1])):
        delattr(cell, name)
        setattr(cell, name, value)
    return cell(x, (h, h * 0.5))


USES: dict[str, tuple[Any, ...]] = {
    "linear": (F.linear, ROWS, WEIGHT, BIAS),
    "linear without bias": (F.linear, ROWS, WEIGHT),
    "embedding": (F.embedding, CLASSES, WEIGHT),
    "embedding with padding": (lambda i, w: F.embedding(i, w, 2), CLASSES, WEIGHT),
    "layer_norm": (lambda x, w: F.layer_norm(x, (3,), w[0], w[1]), ROWS, WEIGHT),
    "batch_norm": (lambda x, w: F.batch_norm(x, None, None, w[0], w[1], True), IMAGES, WEIGHT),
    "dropout": (lambda x: _dropped(x), ROWS),
    "scaled_dot_product_attention": (F.scaled_dot_product_attention, *[SEQUENCE] * 3),
    "causal attention": (
        lambda q, k: F.scaled_dot_product_attention(q, k, k, is_causal=True),
        SEQUENCE,
        SEQUENCE + 0.5,
    ),
    "cross_entropy": (F.cross_entropy, ROWS, CLASSES),
    "cross_entropy of weighted classes": (
        lambda x, y, w: F.cross_entropy(x, y, weight=w[0] + 2.0, ignore_index=1),
        ROWS,
        CLASSES,
        WEIGHT,
    ),
    "cross_entropy of probabilities": (F.cross_entropy, ROWS, SHARES),
    "nll_loss": (lambda x, y: F.nll_loss(x.log_softmax(1), y), ROWS, CLASSES),
    "binary_cross_entropy": (F.binary_cross_entropy, SHARES, SHARES[::-1].copy()),
    "binary_cross_entropy_with_logits": (F.binary_cross_entropy_with_logits, ROWS, SHARES),
    "mse_loss": (F.mse_loss, ROWS, SHARES),
    "l1_loss": (F.l1_loss, ROWS, SHARES),
    "smooth_l1_loss": (F.smooth_l1_loss, ROWS, SHARES),
    "huber_loss": (F.huber_loss, ROWS, SHARES),
    "LSTMCell": (lambda *xs: _lstm(*xs), ROWS, *(rng.uniform(-1.0, 1.0, n) for n in LSTM_SHAPES)),
    "one_hot": (lambda i: F.one_hot(i, 3), CLASSES),
}


def _dropped(x: Tensor) -> Tensor:
    dg.manual_seed(0)
    return F.dropout(x, 0.4)


@pytest.mark.parametrize("name", USES)
def test_the_rule_runs_on_another_array_library(name: str) -> None:
    library = pytest.importorskip("array_api_strict", reason="array-api-strict is not installed")
    function, *arrays = USES[name]
    check_array_library(function, *map(Tensor, arrays), device=library, order=3)


def layers() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(2, 4), nn.LayerNorm(4), nn.GELU(), nn.Linear(4, 3),
    )  # fmt: skip


def test_a_module_moves_with_its_parameters_buffers_and_gradients() -> None:
    library = pytest.importorskip("array_api_strict", reason="array-api-strict is not installed")
    x, y = dg.randn(4, 1, 4, 4), dg.tensor([0, 2, 1, 2])
    model = layers()
    parameters = list(model.parameters())
    F.cross_entropy(model(x), y).backward()
    expected = [p.grad.tolist() for p in parameters if p.grad is not None]
    assert model.to(device=library) is model
    assert [id(p) for p in model.parameters()] == [id(p) for p in parameters]
    everything = [*model.parameters(), *model.buffers()]
    everything += [p.grad for p in parameters if p.grad is not None]
    assert {t.device for t in everything} == {"array_api_strict"}
    model.zero_grad()
    model[1].reset_running_stats()
    F.cross_entropy(model(x.to(device=library)), y.to(device=library)).backward()
    for p, gradient in zip(parameters, expected, strict=True):
        assert p.grad is not None
        np.testing.assert_allclose(p.grad.tolist(), gradient, rtol=1e-4, atol=1e-6)
    assert {t.device for t in (*model.cpu().parameters(), *model.buffers())} == {"cpu"}
    assert model.to("cpu", dg.float64)[0].weight.dtype == np.float64


def test_layers_are_made_where_device_says_with_the_same_numbers() -> None:
    library = pytest.importorskip("array_api_strict", reason="array-api-strict is not installed")
    makers: list[Any] = [
        lambda **place: nn.Linear(3, 2, **place),
        lambda **place: nn.Conv2d(1, 2, 3, **place),
        lambda **place: nn.BatchNorm2d(3, **place),
        lambda **place: nn.LayerNorm(3, **place),
        lambda **place: nn.Embedding(4, 3, padding_idx=1, **place),
    ]
    for make in makers:
        dg.manual_seed(0)
        here = make()
        dg.manual_seed(0)
        there = make(device=library)
        dg.manual_seed(0)
        with dg.backend(library):
            by_default = make()
        for x, y, z in zip(
            here.state_dict().values(),
            there.state_dict().values(),
            by_default.state_dict().values(),
            strict=True,
        ):
            assert (x.device, y.device, z.device) == ("cpu", "array_api_strict", "array_api_strict")
            assert x.tolist() == y.tolist() == z.tolist()


def test_a_state_is_loaded_into_a_module_elsewhere() -> None:
    library = pytest.importorskip("array_api_strict", reason="array-api-strict is not installed")
    here, there = layers(), layers().to(device=library)
    there.load_state_dict(here.state_dict())
    assert {t.device for t in there.state_dict().values()} == {"array_api_strict"}
    here.load_state_dict(there.state_dict())
    for x, y in zip(here.parameters(), there.parameters(), strict=True):
        assert x.tolist() == y.tolist()


def test_an_input_elsewhere_than_the_model_is_refused() -> None:
    library = pytest.importorskip("array_api_strict", reason="array-api-strict is not installed")
    with pytest.raises(DeviceError) as caught:
        nn.Linear(3, 2).to(device=library)(dg.ones(1, 3))
    assert "tensors are on different devices" in str(caught.value)


def test_a_module_that_cannot_move_stays_as_it_was() -> None:
    model = layers()
    before = {name: t.data for name, t in model.state_dict().items()}
    with pytest.raises(DeviceError):
        model.to("nowhere")
    if not dg.cuda.is_available():
        with pytest.raises((DeviceError, MissingPackageError)):
            model.cuda()
    assert all(t.data is before[name] for name, t in model.state_dict().items())
