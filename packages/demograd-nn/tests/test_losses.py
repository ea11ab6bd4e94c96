"""Losses of numbers against numbers, and of probabilities against yes and no."""

import warnings

import numpy as np
import pytest

import demograd as dg
from demograd import nn
from demograd.errors import (
    ArgumentError,
    ArgumentTypeError,
    DemogradWarning,
    DtypeError,
    ShapeError,
)
from demograd.nn import functional as F
from demograd.nn.functional._binary import BinaryCrossEntropy, BinaryCrossEntropyWithLogits
from demograd.testing import check_function

X = np.random.default_rng(0).standard_normal((4, 3)) * 2
Y = np.random.default_rng(1).standard_normal((4, 3))
P = np.random.default_rng(2).uniform(0.05, 0.95, (4, 3))
Q = np.random.default_rng(3).integers(0, 2, (4, 3)).astype(float)
D = np.abs(X - Y)

# Name, function of two operands, the operands, what each element's loss is, and the module.
LOSSES = [
    ("mse", F.mse_loss, X, Y, D**2, nn.MSELoss),
    ("l1", F.l1_loss, X, Y, D, nn.L1Loss),
    ("huber", F.huber_loss, X, Y, np.where(D < 1, D**2 / 2, D - 0.5), nn.HuberLoss),
    ("smooth_l1", F.smooth_l1_loss, X, Y, np.where(D < 1, D**2 / 2, D - 0.5), nn.SmoothL1Loss),
    (
        "bce",
        F.binary_cross_entropy,
        P,
        Q,
        -(Q * np.log(P) + (1 - Q) * np.log(1 - P)),
        nn.BCELoss,
    ),
    (
        "bce_with_logits",
        F.binary_cross_entropy_with_logits,
        X,
        Q,
        np.logaddexp(0, X) - X * Q,
        nn.BCEWithLogitsLoss,
    ),
]


@pytest.mark.parametrize(
    ("function", "x", "y", "losses", "module"),
    [row[1:] for row in LOSSES],
    ids=[r[0] for r in LOSSES],
)
class TestALoss:
    def test_has_the_values_of_its_formula(self, function, x, y, losses, module):
        x, y = dg.tensor(x), dg.tensor(y)
        np.testing.assert_allclose(function(x, y).item(), losses.mean(), rtol=1e-12)
        for name, expected in (("none", losses), ("sum", losses.sum()), ("mean", losses.mean())):
            np.testing.assert_allclose(function(x, y, reduction=name).numpy(), expected, rtol=1e-12)

    def test_has_its_derivatives_by_both_operands(self, function, x, y, losses, module):
        # Targets inside the interval: at its ends a step of the differences would leave it.
        y = y * 0.8 + 0.1
        check_function(function, dg.tensor(x), dg.tensor(y))

    def test_is_a_module_that_keeps_its_reduction(self, function, x, y, losses, module):
        x, y = dg.tensor(x), dg.tensor(y)
        assert module()(x, y).item() == function(x, y).item()
        out = module(reduction="none")(x, y)
        np.testing.assert_array_equal(out.numpy(), function(x, y, reduction="none").numpy())
        assert repr(module()) == f"{module.__name__}()"

    def test_refuses_shapes_that_do_not_fit(self, function, x, y, losses, module):
        name = function.__name__
        with pytest.raises(ShapeError) as error:
            function(dg.tensor(x), dg.tensor(y[:2]))
        text = "does not fit" if name in BROADCASTING else "has another shape than"
        assert str(error.value) == (
            f"{name}: the target {text} the input.\n"
            "  input: shape (4, 3)\n"
            "  target: shape (2, 3)\n"
            "The two must have one shape."
        )

    def test_refuses_another_reduction(self, function, x, y, losses, module):
        with pytest.raises(ArgumentError) as error:
            function(dg.tensor(x), dg.tensor(y), reduction="max")
        assert str(error.value) == (
            f'{function.__name__}: reduction is \'max\'.\nUse "none", "mean" or "sum".'
        )

    def test_refuses_what_is_no_tensor(self, function, x, y, losses, module):
        with pytest.raises(ArgumentTypeError) as error:
            function(dg.tensor(x), 0.5)
        assert str(error.value) == (
            f"{function.__name__}: target is no Tensor.\n"
            "  target: float\n"
            "dg.tensor(x) makes one of numbers or an array."
        )


# Those that broadcast, as in PyTorch, and say so.
BROADCASTING = ["mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss"]


@pytest.mark.parametrize("name", BROADCASTING)
def test_a_row_against_a_column_is_a_warning_that_points_to_the_users_line(name):
    function = getattr(F, name)
    with pytest.warns(DemogradWarning) as caught:
        function(dg.zeros(3), dg.zeros(3, 1))
    headline = f"{name}: input and target differ in shape, and each is repeated along the other"
    assert str(caught[0].message) == (
        f"{headline}.\n"
        "  input: shape (3,)\n"
        "  target: shape (3, 1)\n"
        "  compared: shape (3, 3)\n"
        "target.reshape(3) compares element with element.\n"
        f'If it is meant: warnings.filterwarnings("ignore", "{headline}")'
    )
    assert caught[0].filename == __file__


def test_a_warning_out_of_a_model_points_to_the_users_line_too():
    with pytest.warns(DemogradWarning) as caught:
        nn.Sequential(lambda x: nn.MSELoss()(x, dg.zeros(4)))(dg.zeros(2, 4))
    assert "\ntarget.expand(2, 4) says that this is meant.\n" in str(caught[0].message)
    assert caught[0].filename == __file__


def test_shapes_of_as_many_elements_that_do_not_broadcast_say_how_they_would_fit():
    with pytest.raises(ShapeError) as error:
        F.mse_loss(dg.zeros(2, 3), dg.zeros(3, 2))
    assert str(error.value) == (
        "mse_loss: the target does not fit the input.\n"
        "  input: shape (2, 3)\n"
        "  target: shape (3, 2)\n"
        "target.reshape(2, 3) would fit."
    )
    with pytest.raises(ShapeError) as error:
        F.binary_cross_entropy_with_logits(dg.zeros(3), dg.zeros(3, 1))
    assert str(error.value) == (
        "binary_cross_entropy_with_logits: the target has another shape than the input.\n"
        "  input: shape (3,)\n"
        "  target: shape (3, 1)\n"
        "target.reshape(3) would fit."
    )


def test_equal_shapes_give_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in BROADCASTING:
            getattr(F, name)(dg.zeros(3, 1), dg.zeros(3, 1))


def test_a_float32_loss_stays_float32_whatever_integers_it_meets():
    assert F.mse_loss(dg.zeros(2), dg.tensor([1, 2])).dtype == dg.float32


@pytest.mark.parametrize("delta", [0.5, 2.0])
def test_huber_and_smooth_l1_bend_where_they_are_told(delta):
    x, y = dg.tensor(X), dg.tensor(Y)
    huber = np.where(delta > D, D**2 / 2, delta * (D - delta / 2))
    out = F.huber_loss(x, y, reduction="none", delta=delta)
    np.testing.assert_allclose(out.numpy(), huber, rtol=1e-12)
    out = F.smooth_l1_loss(x, y, reduction="none", beta=delta)
    np.testing.assert_allclose(out.numpy(), huber / delta, rtol=1e-12)
    assert nn.HuberLoss(delta=delta)(x, y).item() == F.huber_loss(x, y, delta=delta).item()
    assert nn.SmoothL1Loss(beta=delta)(x, y).item() == F.smooth_l1_loss(x, y, beta=delta).item()


def test_smooth_l1_with_beta_zero_is_the_absolute_error():
    out = F.smooth_l1_loss(dg.tensor(X), dg.tensor(Y), reduction="none", beta=0.0)
    np.testing.assert_array_equal(out.numpy(), D)


def test_the_absolute_error_has_no_slope_where_it_is_zero():
    x = dg.zeros(2, requires_grad=True)
    F.l1_loss(x, dg.zeros(2)).backward()
    assert x.grad.tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("act", "text"),
    [
        (
            lambda: F.huber_loss(dg.zeros(1), dg.zeros(1), delta=0.0),
            "huber_loss: delta is 0.0.\nUse delta > 0.",
        ),
        (
            lambda: F.smooth_l1_loss(dg.zeros(1), dg.zeros(1), beta=-1.0),
            "smooth_l1_loss: beta is -1.0.\nUse beta >= 0.",
        ),
        (
            lambda: F.binary_cross_entropy(dg.tensor([0.5, 1.5]), dg.ones(2)),
            "binary_cross_entropy: an input is no probability.\n"
            "  input: shape (2,)   1.5 at 1\n"
            "binary_cross_entropy_with_logits takes the numbers before the sigmoid.",
        ),
        (
            lambda: F.binary_cross_entropy(dg.tensor([[0.5], [float("nan")]]), dg.ones(2, 1)),
            "binary_cross_entropy: an input is no probability.\n"
            "  input: shape (2, 1)   nan at (1, 0)\n"
            "binary_cross_entropy_with_logits takes the numbers before the sigmoid.",
        ),
    ],
)
def test_a_value_out_of_range_is_refused(act, text):
    with pytest.raises(ArgumentError) as error:
        act()
    assert str(error.value) == text


@pytest.mark.parametrize("function", [F.binary_cross_entropy, F.binary_cross_entropy_with_logits])
def test_yes_and_no_are_floats(function):
    with pytest.raises(DtypeError) as error:
        function(dg.tensor([0.5]), dg.tensor([1]))
    assert str(error.value) == (
        f"{function.__name__}: target is not of floats.\n"
        "  target: shape (1,), dtype int64\n"
        "target.float() makes floats of it."
    )


def test_probabilities_and_target_are_of_one_type():
    with pytest.raises(DtypeError) as error:
        F.binary_cross_entropy(dg.tensor([0.5]), dg.ones(1, dtype=dg.float64))
    assert str(error.value) == (
        "binary_cross_entropy: the operands have different types.\n"
        "  input: shape (1,), dtype float32\n"
        "  target: shape (1,), dtype float64\n"
        "target.to(dg.float32) would fit."
    )


def test_the_binary_rules_keep_the_promises_of_a_function():
    y = dg.tensor(Q * 0.8 + 0.1)
    check_function(BinaryCrossEntropyWithLogits, dg.tensor(X), y)
    check_function(BinaryCrossEntropy, dg.tensor(P), y)


def test_weights_multiply_the_losses():
    x, p, y = dg.tensor(X), dg.tensor(P), dg.tensor(Q)
    w = np.array([0.5, 1.0, 2.0])
    for function, first in (
        (F.binary_cross_entropy, p),
        (F.binary_cross_entropy_with_logits, x),
    ):
        plain = function(first, y, reduction="none").numpy()
        out = function(first, y, dg.tensor(w), reduction="none")
        np.testing.assert_allclose(out.numpy(), plain * w, rtol=1e-12)
    assert (
        nn.BCELoss(dg.tensor(w))(p, y).item() == F.binary_cross_entropy(p, y, dg.tensor(w)).item()
    )


def test_pos_weight_multiplies_the_losses_of_positives():
    x, y, w = dg.tensor(X), dg.tensor(Q), dg.tensor(np.array([0.5, 1.0, 2.0]))
    out = F.binary_cross_entropy_with_logits(x, y, pos_weight=w, reduction="none")
    expected = w.numpy() * Q * np.logaddexp(0, -X) + (1 - Q) * np.logaddexp(0, X)
    np.testing.assert_allclose(out.numpy(), expected, rtol=1e-12)
    check_function(
        lambda x: F.binary_cross_entropy_with_logits(x, y.to(x.dtype), pos_weight=w.to(x.dtype)), x
    )
    module = nn.BCEWithLogitsLoss(pos_weight=w)
    assert module(x, y).item() == pytest.approx(expected.mean(), rel=1e-12)
    assert list(module.state_dict()) == ["pos_weight"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_logits_of_ten_thousand_give_finite_losses_and_exact_gradients(dtype):
    x = dg.tensor([1e4, -1e4, 1e4, -1e4, 0.0], dtype=dtype, requires_grad=True)
    y = dg.tensor([1.0, 0.0, 0.0, 1.0, 1.0], dtype=dtype)
    loss = F.binary_cross_entropy_with_logits(x, y, reduction="none")
    loss.sum().backward()
    np.testing.assert_allclose(loss.detach().numpy(), [0, 0, 1e4, 1e4, np.log(2)], rtol=1e-6)
    assert x.grad.tolist() == [0.0, 0.0, 1.0, -1.0, -0.5]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_certain_probabilities_give_what_pytorch_gives(dtype):
    x = dg.tensor([0.0, 1.0, 0.0, 1.0], dtype=dtype, requires_grad=True)
    y = dg.tensor([0.0, 1.0, 1.0, 0.0], dtype=dtype)
    loss = F.binary_cross_entropy(x, y, reduction="none")
    loss.sum().backward()
    assert loss.tolist() == [0.0, 0.0, 100.0, 100.0]
    gradient = x.grad.tolist()
    assert gradient[:2] == [0.0, 0.0]
    assert gradient[2] == -gradient[3]
    assert gradient[3] == pytest.approx(1e12 if dtype != "float16" else 1 / 6.104e-5, rel=1e-3)
