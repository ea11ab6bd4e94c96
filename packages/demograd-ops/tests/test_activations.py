"""``demograd.activations``: the classes as layers, and the functions with their settings."""

from typing import Any

import numpy as np
import pytest
import scipy.special

import demograd as dg
from demograd import Tensor, activations, ops
from demograd.activations import GELU, LogSoftmax, ReLU, Sigmoid, Softmax, Tanh

CLASSES = {
    "ELU": "elu",
    "GELU": "gelu",
    "LeakyReLU": "leaky_relu",
    "ReLU": "relu",
    "SiLU": "silu",
    "Sigmoid": "sigmoid",
    "Softplus": "softplus",
    "Tanh": "tanh",
}
X = np.array([[-2.0, -0.5, 0.25], [0.75, 1.0, 3.0]])


@pytest.mark.parametrize(("name", "function"), CLASSES.items())
def test_apply_is_a_layer_equal_to_the_function_with_its_defaults(name: str, function: str) -> None:
    layer = getattr(activations, name).apply
    by_class, by_function = (Tensor(X, requires_grad=True) for _ in range(2))
    out = layer(by_class)
    expected = getattr(activations, function)(by_function)
    np.testing.assert_array_equal(out.detach().numpy(), expected.detach().numpy())
    out.sum().backward()
    expected.sum().backward()
    assert by_class.grad is not None
    assert by_function.grad is not None
    np.testing.assert_array_equal(by_class.grad.numpy(), by_function.grad.numpy())
    assert repr(out.grad_fn) == f"<{name}Backward>"


@pytest.mark.parametrize(
    ("layer", "function"), [(Softmax, ops.softmax), (LogSoftmax, ops.log_softmax)]
)
def test_softmax_layers_normalise_the_last_dimension_by_default(layer: Any, function: Any) -> None:
    np.testing.assert_array_equal(layer.apply(Tensor(X)).numpy(), function(Tensor(X), 1).numpy())
    np.testing.assert_array_equal(
        layer.apply(Tensor(X), dim=0).numpy(), function(Tensor(X), 0).numpy()
    )


def test_the_whole_jacobian_of_softmax_is_used_not_its_diagonal() -> None:
    p = scipy.special.softmax(X[0])
    jacobian = np.diag(p) - np.outer(p, p)
    for row in range(3):
        x = Tensor(X[0], requires_grad=True)
        Softmax.apply(x)[row].backward()
        assert x.grad is not None
        np.testing.assert_allclose(x.grad.numpy(), jacobian[row], rtol=1e-12, atol=1e-15)


def test_a_network_of_layers_and_activations_runs() -> None:
    weight = dg.tensor([[0.5, -1.0], [0.25, 2.0], [1.0, 0.0]], requires_grad=True)
    out = Tensor(X).float() @ weight
    for layer in (ReLU.apply, Sigmoid.apply, Tanh.apply, GELU.apply):
        out = layer(out)
    out.sum().backward()
    assert weight.grad is not None
    assert np.isfinite(weight.grad.numpy()).all()


def test_settings_reach_the_rules() -> None:
    x = Tensor(X)
    assert activations.leaky_relu(x, 0.5).tolist() == np.where(X > 0, X, X / 2).tolist()
    np.testing.assert_allclose(
        GELU.apply(x, approximate="tanh").numpy(), activations.gelu(x, "tanh").numpy()
    )
    np.testing.assert_allclose(
        activations.elu(x, 2.0).numpy(), np.where(X > 0, X, 2 * np.expm1(X)), rtol=1e-14
    )
    # Above the threshold it is x itself.
    assert activations.softplus(x, beta=10.0, threshold=5.0)[1].tolist() == X[1].tolist()


def test_exports_are_what_is_there() -> None:
    for module in (activations, ops):
        assert len(set(module.__all__)) == len(module.__all__)
        public = {
            name
            for name, value in vars(module).items()
            if not name.startswith("_") and getattr(value, "__module__", "").startswith("demograd")
        }
        assert public == set(module.__all__)
