"""Grad modes, the names on ``dg.`` and on Tensor, NumPy's functions, and the interfaces."""

import functools
import subprocess
import sys
from importlib.metadata import EntryPoint

import numpy as np
import pytest

import demograd as dg
from demograd import _providers
from demograd.errors import DemogradError, MissingNameError, ProviderError
from demograd.interfaces import Backend, FunctionProvider
from demograd.testing import check_backend, check_optimizer, check_provider


def message(call):
    with pytest.raises(DemogradError) as error:
        call()
    return str(error.value)


def test_grad_modes_nest_and_come_back_after_an_exception():
    def fail():
        with dg.no_grad():
            with dg.enable_grad():
                assert dg.is_grad_enabled()
            assert not dg.is_grad_enabled()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert dg.is_grad_enabled()


@pytest.mark.parametrize(
    "make", [dg.no_grad, lambda: dg.no_grad, lambda: dg.set_grad_enabled(False)]
)
def test_a_mode_decorates_functions_and_generators(make):
    @make()
    def function():
        return dg.is_grad_enabled()

    @make()
    def generator():
        yield dg.is_grad_enabled()
        yield dg.is_grad_enabled()

    assert function() is False
    steps = generator()
    assert (next(steps), dg.is_grad_enabled(), next(steps)) == (False, True, False)
    assert dg.is_grad_enabled()


def test_set_grad_enabled_switches_at_once():
    dg.set_grad_enabled(False)
    assert not dg.is_grad_enabled()
    dg.set_grad_enabled(True)
    with dg.set_grad_enabled(False):
        assert (dg.ones(1, requires_grad=True) * 2).requires_grad is False
    assert dg.is_grad_enabled()


def test_import_brings_nothing_but_numpy():
    code = (
        "import sys, numpy; before = set(sys.modules); import demograd; "
        "new = {m.split('.')[0] for m in set(sys.modules) - before}; "
        "print(sorted(new & {'scipy', 'importlib_metadata', 'matplotlib', 'tqdm', 'graphviz'}))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.fixture
def installed(monkeypatch):
    """Make these the installed providers."""

    def install(*entries):
        monkeypatch.setattr(
            "importlib.metadata.entry_points",
            lambda group: [e for e in entries if e.group == group],
        )
        for name in (
            "providers", "functions", "methods", "array_functions", "numpy_functions"
        ):  # fmt: skip
            found_once = getattr(_providers, name)
            monkeypatch.setattr(_providers, name, functools.cache(found_once.__wrapped__))

    return install


def provider_entry(name, module):
    return EntryPoint(name, f"{module}:provider", "demograd.functions")


@pytest.fixture
def modules(tmp_path, monkeypatch):
    """Write a module with a provider, importable by name."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(name, body):
        (tmp_path / f"{name}.py").write_text(body)
        return provider_entry(name, name)

    return write


PROVIDER = (
    "from demograd.interfaces import FunctionProvider\n"
    "def {f}(x): return x + x\n"
    "provider = FunctionProvider('{d}', functions={{'{f}': {f}}}, methods={{'{f}': {f}}})\n"
)


def test_a_package_adds_functions_and_methods_by_its_entry_point(installed, modules):
    installed(modules("one_provider", PROVIDER.format(f="double_up", d="demograd-one")))
    assert dg.double_up(dg.tensor(2.0)).item() == 4.0
    assert dg.tensor(3.0).double_up().item() == 6.0
    assert "double_up" in dir(dg.tensor(1.0))
    del dg.double_up, dg.Tensor.double_up


def test_two_packages_with_one_name_are_an_error_that_names_both(installed, modules):
    installed(
        modules("left_provider", PROVIDER.format(f="twice", d="demograd-left")),
        modules("right_provider", PROVIDER.format(f="twice", d="demograd-right")),
    )
    with pytest.raises(ProviderError) as error:
        dg.twice  # noqa: B018
    assert str(error.value) == (
        "functions: two installed packages offer 'twice'.\n"
        "  first: demograd-left\n"
        "  second: demograd-right\n"
        "Uninstall one of them."
    )


def test_a_provider_that_fails_to_load_is_named(installed, modules):
    installed(modules("bad_provider", "raise OSError('no such library')"))
    assert message(lambda: dg.anything) == (
        "functions: the provider 'bad_provider' of bad_provider:provider fails to load.\n"
        "  entry point: bad_provider:provider\n"
        "  OSError: no such library\n"
        "Mend or uninstall that package."
    )


def test_what_another_distribution_brings_is_named(installed, monkeypatch):
    installed()
    # Names that were found before are kept; forget them.
    monkeypatch.delattr(dg.Tensor, "exp", raising=False)
    monkeypatch.delattr(dg, "softmax", raising=False)
    assert message(lambda: dg.tensor(1.0).exp()) == (
        "Tensor has no 'exp': x.exp() is part of demograd-ops, which is not installed.\n"
        "pip install demograd-ops"
    )
    assert message(lambda: dg.softmax) == (
        "demograd has no 'softmax': dg.softmax is part of demograd-ops, which is not installed.\n"
        "pip install demograd-ops"
    )


def test_an_unknown_name_is_an_attribute_error_with_a_suggestion(installed, modules):
    installed(modules("a_provider", PROVIDER.format(f="softish", d="demograd-a")))
    assert message(lambda: dg.tensor(1.0).softihs) == (
        "Tensor has no 'softihs', and no installed package offers it.\nDid you mean 'softish'?"
    )
    assert not hasattr(dg.tensor(1.0), "no_such_method")
    with pytest.raises(MissingNameError):
        dg.tensor(1.0).no_such_method()


def test_numpy_functions_record():
    x = dg.tensor([[1.0, 2.0]], requires_grad=True)
    y = np.multiply(np.log(x), 2.0) + np.float32(1.0) * x - np.ones(2, "float32") / x
    np.add(y, y).sum().backward()
    np.testing.assert_allclose(
        x.grad.numpy(), 2 * (2 / x.detach().numpy() + 1 + x.detach().numpy() ** -2)
    )
    assert isinstance(np.ones(2) * x, dg.Tensor)
    assert np.sum(x, axis=1).tolist() == [3.0]
    assert np.reshape(x, (2, 1)).shape == (2, 1)


def test_numpy_functions_without_a_rule_are_refused():
    x = dg.tensor([1.0], requires_grad=True)
    assert message(lambda: np.fft.fft(x)) == (
        "np.fft.fft: there is no derivative rule for this function on Tensors.\n"
        "x.detach().numpy() gives an array, without the gradient."
    )
    assert message(lambda: np.nextafter(x, 2.0)) == (
        "np.nextafter: there is no derivative rule for this function on Tensors.\n"
        "x.detach().numpy() gives an array, without the gradient."
    )
    assert message(lambda: np.multiply(x, 2.0, out=np.zeros(1))) == (
        "np.multiply: the result requires a gradient, which the array out cannot carry.\n"
        "  result: shape (1,)\n"
        "  out: NumPy array of shape (1,)\n"
        "Make out a Tensor, dg.zeros(...); or a = a + x in place of a += x."
    )


def test_sums_of_numpy_are_recorded_by_the_core_alone(installed):
    installed()
    x = dg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    (np.add.reduce(x, axis=1) * np.sum(x, axis=0)).sum().backward()
    assert x.grad.tolist() == [[7.0, 11.0], [9.0, 13.0]]


def test_a_backend_adds_what_the_standard_lacks():
    import array_api_strict

    check_backend(Backend(array_api_strict))
    check_backend(Backend(np))


def test_an_object_that_is_no_array_is_refused():
    from demograd._backend import backend_of

    assert message(lambda: backend_of("text")) == (
        "backend: an object of type str is not an array.\n"
        "Use arrays of NumPy, or of a library that follows the array API standard."
    )


def test_the_check_for_providers_sees_broken_promises():
    check_provider(FunctionProvider("fine", functions={"f": len}))
    for broken in (
        "no provider",
        FunctionProvider("", functions={}),
        FunctionProvider("d", functions={"_private": len}),
        FunctionProvider("d", methods={"f": 3}),
    ):
        with pytest.raises(AssertionError):
            check_provider(broken)


class PlainSGD:
    """A smallest optimizer that keeps the interface."""

    def __init__(self, params, lr=0.1):
        groups = list(params)
        if not groups:
            raise ValueError("no parameters")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        self.param_groups = [{"lr": lr, "weight_decay": 0.0} | group for group in groups]

    def step(self, closure=None):
        loss = None if closure is None else closure()
        with dg.no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        p -= p.grad * group["lr"]
        return loss

    def zero_grad(self, set_to_none=True):
        for group in self.param_groups:
            for p in group["params"]:
                p.grad = None

    def state_dict(self):
        return {"state": {}, "param_groups": []}

    def load_state_dict(self, state_dict):
        assert state_dict["state"] == {}

    def add_param_group(self, param_group):
        self.param_groups.append({"lr": 0.1} | param_group)


def test_the_check_for_optimizers_passes_a_good_one():
    check_optimizer(PlainSGD)


def test_the_check_for_optimizers_sees_broken_promises():
    class Replaces(PlainSGD):
        def step(self, closure=None):
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        p.data = p.data - 0.1 * p.grad.data

    class IgnoresRate(PlainSGD):
        def step(self, closure=None):
            with dg.no_grad():
                for group in self.param_groups:
                    for p in group["params"]:
                        if p.grad is not None:
                            p -= p.grad * 0.1

    class TakesNothing(PlainSGD):
        def __init__(self, params, lr=0.1):
            super().__init__(list(params) or [dg.zeros(1, requires_grad=True)], lr)

    for broken, words in (
        (Replaces, "memory was replaced"),
        (IgnoresRate, "lr in param_groups"),
        (TakesNothing, "no parameters at all"),
    ):
        with pytest.raises(AssertionError, match=words):
            check_optimizer(broken)


def test_a_decorated_generator_is_thrown_into_and_closed():
    log = []

    @dg.no_grad()
    def steps():
        try:
            while True:
                try:
                    yield dg.is_grad_enabled()
                except ValueError:
                    log.append("caught")
        finally:
            log.append(dg.is_grad_enabled())

    running = steps()
    assert next(running) is False
    assert running.throw(ValueError()) is False
    running.close()
    assert log == ["caught", False]
    assert dg.is_grad_enabled()


def test_numpy_functions_take_an_axis_by_place_and_by_name():
    x = dg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    assert np.sum(x, 0).tolist() == [4.0, 6.0]
    assert np.mean(x, 1).tolist() == [1.5, 3.5]
    assert np.transpose(x).tolist() == [[1.0, 3.0], [2.0, 4.0]]
    assert np.any(x > 3, axis=0).tolist() == [False, True]
    assert (np.shape(x), np.ndim(x), np.size(x)) == ((2, 2), 2, 4)


def test_numpy_logic_is_of_truth_and_not_of_bits():
    x, y = dg.tensor([2, 0, 2]), dg.tensor([1, 0, 0])
    assert np.logical_and(x, y).tolist() == [True, False, False]
    assert np.logical_or(x, y).tolist() == [True, False, True]
    assert np.logical_xor(x, y).tolist() == [False, False, True]
    assert np.logical_not(x).tolist() == [False, True, False]
