"""The same rules on JAX and CuPy: eagerly, and in JAX's compiled programs.

The tables of uses are those that the packages run on array-api-strict. CuPy needs a GPU and is
tested where there is one.
"""

import importlib
import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

import demograd as dg
from demograd import Tensor, nn, optim
from demograd.errors import ArgumentTypeError, DeviceError, DtypeError, StateError
from demograd.interfaces import Backend
from demograd.nn import functional as F
from demograd.testing import check_array_library, check_backend

jax = pytest.importorskip("jax", reason="JAX is not installed")
jax.config.update("jax_enable_x64", True)  # the tables are in float64

ROOT = Path(__file__).parents[2]
PACKAGES = ("demograd-tensor", "demograd-ops", "demograd-nn")


def uses():
    found = []
    for package in PACKAGES:
        path = ROOT / "packages" / package / "tests" / "test_other_arrays.py"
        spec = importlib.util.spec_from_file_location(f"other_arrays_of_{package}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for name, (function, *arrays) in module.USES.items():
            label = f"{package.removeprefix('demograd-')}: {name}"
            found.append(pytest.param(function, arrays, id=label))
    return found


needs_a_gpu = pytest.mark.skipif(
    not dg.cuda.is_available(), reason="CuPy is not installed, or sees no GPU"
)


# Derivatives of derivatives are compared on array-api-strict: JAX compiles each operation anew.
@pytest.mark.parametrize(("function", "arrays"), uses())
def test_every_rule_does_on_jax_what_it_does_on_numpy(function, arrays):
    check_array_library(function, *map(Tensor, arrays), device="jax", order=1, tolerance=1e-7)


@needs_a_gpu
def test_every_rule_does_on_cupy_what_it_does_on_numpy():
    for use in uses():
        function, arrays = use.values
        check_array_library(function, *map(Tensor, arrays), device="cuda", tolerance=1e-7)


@pytest.mark.parametrize("device", ["jax", pytest.param("cuda", marks=needs_a_gpu)])
def test_the_backend_keeps_the_promises_of_its_interface(device):
    with dg.backend(device) as library:
        assert isinstance(library, Backend)
        check_backend(library)


# Values that are traced cannot be moved to NumPy, and what is drawn at random would be drawn once.
NEED_VALUES = {"tensor: move", "nn: dropout"}


@pytest.mark.parametrize(("function", "arrays"), uses())
def test_every_rule_can_be_compiled_with_its_gradient(function, arrays, request):
    def value_and_gradients(*xs):
        leaves = [Tensor(x) for x in xs]
        for x in leaves:
            if x.dtype.kind == "f":
                x.requires_grad_()
        outs = function(*leaves)
        outs = outs if isinstance(outs, tuple) else (outs,)
        total = 0.0
        for out in outs:
            if out.requires_grad:
                total = total + (out * out).sum()
        if isinstance(total, Tensor):
            total.backward()
        return [out.detach().data for out in outs], [
            None if x.grad is None else x.grad.data for x in leaves
        ]

    if request.node.callspec.id in NEED_VALUES:
        with pytest.raises((DeviceError, TypeError, IndexError)):
            jax.jit(value_and_gradients)(*map(jax.numpy.asarray, arrays))
        return
    expected = value_and_gradients(*arrays)
    found = jax.jit(value_and_gradients)(*map(jax.numpy.asarray, arrays))
    for ours, numpys in zip(found[0] + found[1], expected[0] + expected[1], strict=True):
        if numpys is not None:
            np.testing.assert_allclose(np.asarray(ours), np.asarray(numpys), 1e-7, 1e-9)


# Whole training steps.


def mlp():
    return nn.Sequential(nn.Linear(6, 16), nn.GELU(), nn.LayerNorm(16), nn.Linear(16, 3))


def convolutional():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(4, 4, 2), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(4, 3),
    )  # fmt: skip


MODELS = {"MLP": (mlp, (8, 6)), "convolutional": (convolutional, (8, 1, 8, 8))}
OPTIMIZERS = {
    "SGD": lambda params: optim.SGD(params, lr=0.1),
    "momentum": lambda params: optim.SGD(params, lr=0.1, momentum=0.9, weight_decay=0.01),
    "Adam": lambda params: optim.Adam(params, lr=0.01),
    "AdamW": lambda params: optim.AdamW(params, lr=0.01),
    "RMSprop": lambda params: optim.RMSprop(params, lr=0.01, momentum=0.9),
    "Adagrad": lambda params: optim.Adagrad(params, lr=0.05, lr_decay=0.1),
}


def batches(shape, number=6):
    rng = np.random.default_rng(0)
    return [
        (rng.standard_normal(shape).astype("float32"), rng.integers(0, 3, shape[0]))
        for _ in range(number)
    ]


def train(make, shape, make_optimizer, compiled, schedule=None):
    """Losses, the final state, and how often Python ran the step."""
    dg.manual_seed(0)
    model = make()
    if compiled is not None:
        model.to("jax")
    optimizer = make_optimizer(model.parameters())
    scheduler = None if schedule is None else schedule(optimizer)
    calls = []

    def step(x, y):
        calls.append(1)
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    run = dg.jax.jit(step, model, optimizer) if compiled else step
    losses = []
    device = "cpu" if compiled is None else "jax"
    for x, y in batches(shape):
        losses.append(run(dg.tensor(x, device=device), dg.tensor(y, device=device)).item())
        if scheduler is not None:
            scheduler.step()
    state = {name: value.cpu().numpy() for name, value in model.state_dict().items()}
    gradients = [p.grad.cpu().numpy() for p in model.parameters()]
    return losses, state, gradients, len(calls)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("model", MODELS)
def test_a_compiled_training_step_gives_the_numbers_of_numpy_and_is_compiled_once(model, optimizer):
    make, shape = MODELS[model]
    losses, state, gradients, _ = train(make, shape, OPTIMIZERS[optimizer], None)
    found, compiled_state, slopes, calls = train(make, shape, OPTIMIZERS[optimizer], True)
    np.testing.assert_allclose(found, losses, rtol=1e-4, atol=1e-5)
    for name, value in state.items():
        np.testing.assert_allclose(compiled_state[name], value, rtol=2e-3, atol=2e-4)
    for ours, numpys in zip(slopes, gradients, strict=True):
        np.testing.assert_allclose(ours, numpys, rtol=1e-2, atol=1e-4)
    assert calls == 2  # once as it stands, for the optimizer's state, and once traced


def test_a_learning_rate_that_changes_is_followed_without_compiling_anew():
    def schedule(optimizer):
        return optim.lr_scheduler.StepLR(optimizer, 2, 0.1)

    losses, state, _, _ = train(mlp, (8, 6), OPTIMIZERS["Adam"], None, schedule)
    found, compiled_state, _, calls = train(mlp, (8, 6), OPTIMIZERS["Adam"], True, schedule)
    np.testing.assert_allclose(found, losses, rtol=1e-4)
    for name, value in state.items():
        np.testing.assert_allclose(compiled_state[name], value, rtol=1e-3, atol=1e-5)
    assert calls == 2


def test_plain_jax_jit_over_a_pure_step_gives_the_numbers_of_numpy():
    model = mlp().to("jax")
    parameters = list(model.parameters())
    optimizer = optim.SGD(parameters, lr=0.1)

    def step(arrays, x, y):
        for p, array in zip(parameters, arrays, strict=True):
            p.data = array
        optimizer.zero_grad()
        loss = F.cross_entropy(model(Tensor(x)), Tensor(y))
        loss.backward()
        optimizer.step()
        return [p.data for p in parameters], loss.detach().data

    arrays = [p.data for p in parameters]
    eager, compiled = list(arrays), list(arrays)
    fast = jax.jit(step)
    for x, y in batches((8, 6), 3):
        eager, first = step(eager, jax.numpy.asarray(x), jax.numpy.asarray(y))
        compiled, second = fast(compiled, x, y)
        np.testing.assert_allclose(second, first, rtol=1e-5)
    for p, array in zip(parameters, arrays, strict=True):
        p.data = array  # no tracer is left behind


def test_modes_settings_and_shapes_are_compiled_for_and_gradients_go_on():
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)).to("jax")
    calls = []

    def step(x, scale):
        calls.append(1)
        loss = (model(x) * scale).sum()
        loss.backward()
        return {"loss": loss, "scale": scale}

    fast = dg.jax.jit(step, model)
    x = np.ones((3, 2), dtype="float32") * np.arange(3, dtype="float32")[:, None]
    assert set(fast(x, 2.0)) == {"loss", "scale"}
    weight = model[0].weight
    first = weight.grad.cpu().numpy()
    fast(x, 2.0)
    np.testing.assert_allclose(weight.grad.cpu().numpy(), 2 * first, rtol=1e-5, atol=1e-6)
    assert len(calls) == 2  # with gradients to add to, it is another program
    fast(x, 2.0)
    assert len(calls) == 2
    fast(x, 3.0)
    fast(x[:2], 3.0)
    model.eval()
    fast(x, 3.0)
    assert len(calls) == 5


def test_what_would_be_the_same_at_each_run_is_refused():
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5)).to("jax")
    x = np.ones((3, 2), dtype="float32")
    before = model[0].weight.data
    expected = """jit: random numbers would be the same at each run of a compiled program.
Draw them outside, and give them to the program as an argument."""
    with pytest.raises(DeviceError) as caught:
        dg.jax.jit(lambda x: model[0](x + dg.randn(3, 2, device="jax")), model)(x)
    assert str(caught.value) == expected
    with pytest.raises(DeviceError) as caught:
        dg.jax.jit(model, model)(x)
    assert (
        str(caught.value)
        == """dropout: random numbers would be the same at each run of a compiled program.
  x: shape (3, 2), traced by jax
Draw them outside, and give them to the program as an argument."""
    )
    with pytest.raises(DeviceError, match=r"^dropout: random numbers would be the same"):
        jax.jit(lambda x: F.dropout(Tensor(x)).data)(x)
    with pytest.raises(DeviceError, match=r"^rand_like: random numbers would be the same"):
        jax.jit(lambda x: dg.rand_like(Tensor(x)).data)(x)
    assert model[0].weight.data is before
    assert dg.rand(1).numel() == 1  # outside, drawing goes on


def test_an_error_while_a_step_is_traced_leaves_all_as_it_was():
    model = nn.Linear(2, 2).to("jax")
    optimizer = optim.Adam(model.parameters())

    def step(x, fail):
        optimizer.zero_grad()
        model(x).sum().backward()
        optimizer.step()
        if fail:
            raise KeyError("a mistake")

    fast = dg.jax.jit(step, model, optimizer)
    x = np.ones((1, 2), dtype="float32")
    fast(x, False)
    before = [p.data for p in model.parameters()]
    with pytest.raises(KeyError):
        fast(x, True)
    assert all(p.data is old for p, old in zip(model.parameters(), before, strict=True))
    state = optimizer.state[model.weight]
    assert np.asarray(state["step"]).item() == 1
    fast(x, False)
    assert np.asarray(state["step"]).item() == 2
    assert np.isfinite(optimizer.state_dict()["state"][0]["exp_avg"].cpu().numpy()).all()


def test_misuse_of_jit_is_explained():
    with pytest.raises(ArgumentTypeError) as caught:
        dg.jax.jit(lambda x: x, "model")
    assert str(caught.value) == (
        "jit: str is neither a model, an optimizer nor a Tensor.\n"
        "fast = dg.jax.jit(step, model, optimizer)"
    )
    with pytest.raises(DeviceError) as caught:
        dg.jax.jit(lambda x: x, nn.Linear(1, 1))
    assert str(caught.value) == (
        "jit: a tensor of the step is not an array of JAX.\n"
        "  weight of shape (1, 1), dtype float32, on cpu\n"
        'model.to("jax"), before the optimizer is made.'
    )
    model = nn.Linear(1, 1).to("jax")
    optimizer = optim.SGD(model.parameters(), lr=0.1)

    def step(x):
        optimizer.param_groups[0]["lr"] *= 0.5

    fast = dg.jax.jit(step, model, optimizer)
    fast(np.ones(1, dtype="float32"))
    with pytest.raises(StateError) as stated:
        fast(np.ones(1, dtype="float32"))
    assert str(stated.value) == (
        "jit: the step sets a learning rate, which would be done once, and not again.\n"
        "scheduler.step() after the compiled step, not within."
    )
    assert optimizer.param_groups[0]["lr"] == 0.05


# What is JAX's own.


def test_an_index_that_is_outside_is_refused_or_is_nan_and_never_clamped():
    x = Tensor(jax.numpy.arange(3.0))
    with pytest.raises(IndexError):
        x[np.array([0, 5])]
    with pytest.raises(IndexError):
        F.embedding(dg.tensor([7], device="jax"), dg.ones(3, 2, device="jax"))
    found = jax.jit(lambda i: Tensor(jax.numpy.arange(3.0))[Tensor(i)].data)(np.array([1, 5, -1]))
    np.testing.assert_array_equal(found, [1.0, np.nan, 2.0])


def test_of_several_values_for_one_place_the_last_stays():
    x = dg.zeros(2, device="jax")
    x[np.array([0, 1, 0])] = dg.tensor([1.0, 2.0, 3.0], device="jax")
    assert x.tolist() == [3.0, 2.0]


def test_float64_is_refused_where_jax_would_narrow_it_in_silence():
    jax.config.update("jax_enable_x64", False)
    try:
        expected = """jax: float64 is switched off there, and float32 would be less exact.
jax.config.update("jax_enable_x64", True), before any array is made."""
        for function in (
            lambda: dg.zeros(2, dtype="float64", device="jax"),
            lambda: dg.ones(2).double().to("jax"),
            lambda: dg.ones(2, device="jax").double(),
        ):
            with pytest.raises(DtypeError) as caught:
                function()
            assert str(caught.value) == expected
        assert dg.tensor([1, 2], device="jax").dtype == np.int32
        with pytest.raises(DtypeError, match="the values do not fit int32"):
            dg.tensor([2**40], device="jax")
    finally:
        jax.config.update("jax_enable_x64", True)


def test_the_namespace_names_the_library():
    with dg.backend(jax.numpy):
        x = dg.randn(2, requires_grad=True)
    assert isinstance(x.data, jax.Array)
    assert (x.device, repr(x.device)) == ("jax", "device(type='jax')")
    assert x.numpy(force=True).shape == (2,)
    with pytest.raises(DeviceError, match="there is no device jax:99"):
        dg.zeros(1, device="jax:99")


def test_a_traced_tensor_shows_its_shape():
    shown = []
    jax.jit(lambda x: shown.append(repr(Tensor(x))))(np.ones(2, dtype="float32"))
    assert shown == ["tensor(shape=(2,), dtype=float32, traced by jax)"]


def test_the_program_on_the_page_about_arrays_runs():
    page = (ROOT / "docs" / "arrays.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"```py\n(# A compiled training step\n.*?)```", page, re.DOTALL)
    names = {}
    exec(compile(program, "docs/arrays.md", "exec"), names)
    assert names["loss"].item() < 0.5


# CuPy.


@needs_a_gpu
def test_cuda_is_where_pytorchs_users_expect_it():
    x = dg.ones(2, device="cuda", requires_grad=True)
    assert (x.is_cuda, x.device.type, x.cuda().device, x.cpu().device) == (
        True,
        "cuda",
        "cuda:0",
        "cpu",
    )
    with pytest.raises(TypeError):
        x.detach().numpy()
    (x * 2).sum().backward()
    assert x.grad.device == x.device
    model = nn.Linear(2, 2).cuda()
    assert model.weight.is_cuda
    with pytest.raises(IndexError):
        x[np.array([5])]
