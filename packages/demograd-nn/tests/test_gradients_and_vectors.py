"""nn.utils: clipping gradients, and parameters as one vector."""

import numpy as np
import pytest

import demograd as dg
from demograd import nn
from demograd.errors import ArgumentError, NonFiniteError, ShapeError
from demograd.nn import utils


def parameters(dtype="float32"):
    """Two with gradients, one without."""
    leaves = [dg.zeros(*shape, dtype=dtype, requires_grad=True) for shape in ((2, 2), (2,), (1,))]
    leaves[0].grad = dg.tensor([[3.0, 0.0], [0.0, -4.0]], dtype=dtype)
    leaves[1].grad = dg.tensor([12.0, 0.0], dtype=dtype)
    return leaves


def gradients(leaves):
    return np.concatenate([x.grad.numpy().ravel() for x in leaves if x.grad is not None])


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, float("inf")])
def test_all_gradients_together_are_scaled_to_the_norm(p, dtype):
    leaves = parameters(dtype)
    before, memory = gradients(leaves), leaves[0].grad.data
    norm = utils.clip_grad_norm_(leaves, 2.0, p)
    expected = np.linalg.norm(before.astype(float), p)
    assert norm.item() == pytest.approx(expected, rel=1e-3 if dtype == "float16" else 1e-6)
    assert norm.dtype == dtype
    np.testing.assert_allclose(gradients(leaves), before * 2.0 / expected, rtol=2e-3)
    assert leaves[0].grad.data is memory


def test_gradients_within_the_norm_are_left():
    leaves = parameters()
    before = gradients(leaves)
    assert utils.clip_grad_norm_(iter(leaves), 100.0).item() == 13.0
    np.testing.assert_array_equal(gradients(leaves), before)


def test_one_parameter_and_none_at_all_are_fine():
    (x, *_) = parameters()
    assert utils.clip_grad_norm_(x, 1.0).item() == 5.0
    assert utils.clip_grad_norm_([], 1.0).item() == 0.0


@pytest.mark.parametrize("scale", [1e-25, 1e25])
def test_the_norm_does_not_overflow_or_vanish_with_the_squares(scale):
    x = dg.zeros(2, requires_grad=True)
    x.grad = dg.tensor([3.0 * scale, 4.0 * scale])
    assert utils.clip_grad_norm_(x, float("inf")).item() == pytest.approx(5 * scale, rel=1e-5)


def test_a_norm_that_is_not_finite_is_an_error_on_request_and_leaves_the_gradients():
    leaves = parameters()
    leaves[1].grad.data[0] = np.nan
    with pytest.raises(NonFiniteError) as error:
        utils.clip_grad_norm_(leaves, 1.0, error_if_nonfinite=True)
    assert str(error.value) == (
        "clip_grad_norm_: the norm of the gradients is nan.\n"
        "  gradient 1: shape (2,), not finite\n"
        "error_if_nonfinite=False lets it pass; a smaller learning rate may mend it."
    )
    assert leaves[0].grad.tolist() == [[3.0, 0.0], [0.0, -4.0]]
    assert np.isnan(utils.clip_grad_norm_(leaves, 1.0).item())


def test_values_are_moved_into_the_interval_in_place():
    leaves = parameters()
    memory = leaves[0].grad.data
    utils.clip_grad_value_(leaves, 3.5)
    assert leaves[0].grad.data is memory
    assert gradients(leaves).tolist() == [3.0, 0.0, 0.0, -3.5, 3.5, 0.0]
    scalar = dg.tensor(1.0, requires_grad=True)
    (scalar * 5).backward()
    utils.clip_grad_value_(scalar, 2.0)
    assert scalar.grad.item() == 2.0


@pytest.mark.parametrize(
    ("act", "kind", "text"),
    [
        (
            lambda: utils.clip_grad_norm_(parameters(), -1.0),
            ArgumentError,
            "clip_grad_norm_: there is no such norm.\n"
            "  max_norm: -1.0\n  norm_type: 2.0\n"
            "Use max_norm >= 0 and norm_type > 0.",
        ),
        (
            lambda: utils.clip_grad_value_(parameters(), -1.0),
            ArgumentError,
            "clip_grad_value_: clip_value is -1.0.\nUse a value >= 0.",
        ),
        (
            lambda: utils.parameters_to_vector([]),
            ArgumentError,
            "parameters_to_vector: there are no parameters.",
        ),
        (
            lambda: utils.vector_to_parameters(dg.ones(3), [dg.ones(2, 2)]),
            ShapeError,
            "vector_to_parameters: the vector has not the parameters' elements.\n"
            "  vec: shape (3,)\n  parameters: 4 elements",
        ),
    ],
)
def test_what_does_not_fit_says_why(act, kind, text):
    with pytest.raises(kind) as error:
        act()
    assert str(error.value) == text


def test_a_vector_holds_all_parameters_and_goes_back():
    model, other = nn.Linear(3, 2), nn.Linear(3, 2)
    vector = utils.parameters_to_vector(model.parameters())
    assert vector.shape == (8,)
    assert vector.requires_grad
    utils.vector_to_parameters(vector, other.parameters())
    assert other.weight.tolist() == model.weight.tolist()
    assert other.bias.tolist() == model.bias.tolist()
    assert other.weight.requires_grad
