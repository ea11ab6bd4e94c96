"""What the package declares to the core, and NumPy's functions that arrive through it."""

from typing import Any

import numpy as np
import pytest

import demograd as dg
from demograd import Tensor, _providers, ops
from demograd.ops._provider import provider
from demograd.testing import check_provider

X = np.array([[0.5, -1.5, 2.0], [4.0, 0.25, -3.0]])


def test_the_provider_keeps_the_interface() -> None:
    check_provider(provider)
    assert provider.distribution == "demograd-ops"


def test_functions_and_methods_are_those_of_the_package() -> None:
    for name, function in provider.functions.items():
        assert function is getattr(ops, name)
        assert getattr(dg, name) is function or name in dg.__all__
    for name, method in provider.methods.items():
        if not name.endswith("_"):
            assert method is getattr(ops, name)


def test_the_core_names_this_package_where_it_is_missing() -> None:
    assert set(provider.functions) | set(provider.methods) == _providers.OPS_NAMES


NUMPY: list[tuple[str, Any]] = [
    ("abs", lambda x: np.abs(x)),
    ("amax", lambda x: np.amax(x, axis=0)),
    ("arctan", lambda x: np.arctan(x)),
    ("argmax", lambda x: np.argmax(x, axis=1)),
    ("ceil", lambda x: np.ceil(x)),
    ("clip", lambda x: np.clip(x, -1.0, 1.0)),
    ("clip below", lambda x: np.clip(x, -1.0, None)),
    ("cumsum", lambda x: np.cumsum(x)),
    ("cumsum along", lambda x: np.cumsum(x, axis=1)),
    ("exp", lambda x: np.exp(x)),
    ("expm1", lambda x: np.expm1(x)),
    ("floor", lambda x: np.floor(x)),
    ("max", lambda x: np.max(x, axis=1, keepdims=True)),
    ("max of all", lambda x: np.max(x)),
    ("maximum", lambda x: np.maximum(x, 0.3)),
    ("min", lambda x: np.min(x, 0)),
    ("minimum", lambda x: np.minimum(0.3, x)),
    ("prod", lambda x: np.prod(x, axis=1)),
    ("round", lambda x: np.round(x, 1)),
    ("sign", lambda x: np.sign(x)),
    ("sin", lambda x: np.sin(x)),
    ("sqrt of square", lambda x: np.sqrt(np.square(x))),
    ("std", lambda x: np.std(x, axis=0)),
    ("std with ddof", lambda x: np.std(x, axis=1, ddof=1)),
    ("tanh", lambda x: np.tanh(x)),
    ("trunc", lambda x: np.trunc(x)),
    ("var", lambda x: np.var(x)),
    ("var with correction", lambda x: np.var(x, correction=1)),
]


@pytest.mark.parametrize("function", [f for _, f in NUMPY], ids=[name for name, _ in NUMPY])
def test_functions_of_numpy_take_tensors_and_record(function: Any) -> None:
    x = Tensor(X, requires_grad=True)
    out = function(x)
    assert isinstance(out, Tensor)
    assert out.requires_grad or out.dtype == dg.int64
    np.testing.assert_allclose(out.detach().numpy(), function(X), rtol=1e-14)


def test_the_array_api_is_found_in_the_namespace_of_tensors() -> None:
    xp = Tensor(X).__array_namespace__()
    np.testing.assert_array_equal(xp.max(Tensor(X), axis=1).numpy(), X.max(1))
    np.testing.assert_allclose(xp.var(Tensor(X), axis=0).numpy(), X.var(0))
    np.testing.assert_allclose(xp.cumulative_sum(Tensor(X), axis=1).numpy(), X.cumsum(1))
    np.testing.assert_array_equal(xp.clip(Tensor(X), min=0.0).numpy(), X.clip(0))
    np.testing.assert_array_equal(xp.clip(Tensor(X)).numpy(), X)
