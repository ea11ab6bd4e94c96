"""What a step does to the parameters."""

import signal
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import demograd as dg
from demograd.errors import GradientError
from demograd.optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop
from demograd.optim import _updater as updater
from demograd.testing import check_optimizer

CASES = [
    (SGD, {}),
    (SGD, {"weight_decay": 0.1, "maximize": True}),
    (SGD, {"momentum": 0.9}),
    (SGD, {"momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}),
    (SGD, {"momentum": 0.9, "nesterov": True}),
    (Adam, {}),
    (Adam, {"betas": (0.5, 0.8), "eps": 1e-3, "weight_decay": 0.1, "maximize": True}),
    (Adam, {"amsgrad": True}),
    (AdamW, {}),
    (AdamW, {"amsgrad": True, "weight_decay": 0.3}),
    (RMSprop, {}),
    (RMSprop, {"momentum": 0.9, "weight_decay": 0.1}),
    (RMSprop, {"centered": True, "alpha": 0.5, "eps": 1e-3, "maximize": True}),
    (RMSprop, {"centered": True, "momentum": 0.9}),
    (Adagrad, {}),
    (Adagrad, {"lr_decay": 0.1, "initial_accumulator_value": 0.5, "weight_decay": 0.1}),
]
SETTINGS = pytest.mark.parametrize(("kind", "chosen"), CASES)


def expected_path(kind, chosen, x, gradients, lr):
    """The parameter after each step, from the equations in the docstrings, written out again."""
    momentum, decay = chosen.get("momentum", 0.0), chosen.get("weight_decay")
    decay = (0.01 if kind is AdamW else 0.0) if decay is None else decay
    beta1, beta2 = chosen.get("betas", (0.9, 0.999))
    alpha = chosen.get("alpha", 0.99)
    eps = chosen.get("eps", 1e-10 if kind is Adagrad else 1e-8)
    first = second = mean = buffer = largest = 0.0
    total = chosen.get("initial_accumulator_value", 0.0)
    for t, gradient in enumerate(gradients, 1):
        g = -gradient if chosen.get("maximize") else gradient
        if kind is AdamW:
            x = x - lr * decay * x
        else:
            g = g + decay * x
        if kind is SGD:
            buffer = g if t == 1 else momentum * buffer + (1 - chosen.get("dampening", 0.0)) * g
            x = x - lr * (g + momentum * buffer if chosen.get("nesterov") else buffer)
        elif kind in (Adam, AdamW):
            first = beta1 * first + (1 - beta1) * g
            second = beta2 * second + (1 - beta2) * g**2
            largest = np.maximum(largest, second)
            used = largest if chosen.get("amsgrad") else second
            scale = np.sqrt(used / (1 - beta2**t)) + eps
            x = x - lr * first / (1 - beta1**t) / scale
        elif kind is RMSprop:
            second = alpha * second + (1 - alpha) * g**2
            mean = alpha * mean + (1 - alpha) * g if chosen.get("centered") else 0.0
            buffer = momentum * buffer + g / (np.sqrt(second - mean**2) + eps)
            x = x - lr * buffer
        else:
            total = total + g**2
            x = x - lr / (1 + (t - 1) * chosen.get("lr_decay", 0.0)) * g / (np.sqrt(total) + eps)
        yield x


@SETTINGS
def test_steps_follow_the_equations_of_the_docstring(kind, chosen):
    random = np.random.default_rng(0)
    start = random.standard_normal((2, 3))
    gradients = random.standard_normal((30, 2, 3))
    x = dg.Tensor(np.array(start), requires_grad=True)
    optimizer = kind([x], lr=0.05, **chosen)
    for gradient, expected in zip(
        gradients, expected_path(kind, chosen, start, gradients, 0.05), strict=True
    ):
        x.grad = dg.Tensor(np.array(gradient))
        optimizer.step()
        np.testing.assert_allclose(x.detach().numpy(), expected, rtol=1e-10, atol=1e-12)


@SETTINGS
def test_the_interface_is_kept(kind, chosen):
    if "maximize" in chosen:
        chosen = {**chosen, "maximize": False}
    check_optimizer(lambda params, **own: kind(params, **{**chosen, **own}), lr=0.05)


def stepped(kind, chosen, start, gradients, plainly=False):
    """The parameter after some steps; ``plainly``, each operation makes a new array."""
    x = dg.Tensor(np.array(start), requires_grad=True)
    optimizer = kind([x], lr=0.05, **chosen)
    with pytest.MonkeyPatch.context() as patch:
        if plainly:
            patch.setattr(updater, "trace", lambda *_: None)
        for gradient in gradients:
            x.grad = dg.Tensor(gradient)
            optimizer.step()
    return x.detach().numpy(), optimizer


shapes = st.lists(st.integers(0, 5), max_size=3).map(tuple)


@SETTINGS
@settings(max_examples=20)
@given(shape=shapes, dtype=st.sampled_from(["float16", "float32", "float64"]))
def test_the_step_in_place_equals_the_plain_formula_bit_for_bit(kind, chosen, shape, dtype):
    random = np.random.default_rng(1)
    start = random.standard_normal(shape).astype(dtype)
    gradients = random.standard_normal((3, *shape)).astype(dtype)
    with np.errstate(all="ignore"):  # eps is zero as a float16
        in_place, optimizer = stepped(kind, chosen, start, gradients)
        plain, reference = stepped(kind, chosen, start, gradients, plainly=True)
    assert in_place.dtype == dtype
    np.testing.assert_array_equal(in_place, plain)
    found, expected = optimizer.state_dict(), reference.state_dict()
    assert found["state"].keys() == expected["state"].keys()
    for place, kept in expected["state"].items():
        for name, value in kept.items():
            np.testing.assert_array_equal(
                np.asarray(found["state"][place][name]), np.asarray(value)
            )


@SETTINGS
@pytest.mark.parametrize("layout", ["rows", "columns", "every other", "gradient in columns"])
def test_arrays_of_several_pieces_and_any_layout_are_changed_alike(kind, chosen, layout):
    random = np.random.default_rng(2)
    shape = (70, 1000)
    assert np.prod(shape) > updater.PIECE
    start = random.standard_normal(shape)
    gradients = random.standard_normal((2, *shape))
    expected, _ = stepped(kind, chosen, start, gradients, plainly=True)
    memory = np.zeros((140, 1000)) if layout == "every other" else np.zeros(shape)
    if layout == "columns":
        memory = np.asfortranarray(memory)
    array = memory[::2] if layout == "every other" else memory
    array[...] = start
    x = dg.Tensor(array, requires_grad=True)
    optimizer = kind([x], lr=0.05, **chosen)
    for gradient in gradients:
        if layout == "gradient in columns":
            gradient = np.asfortranarray(gradient)
        x.grad = dg.Tensor(gradient)
        optimizer.step()
    assert x.data is array
    np.testing.assert_array_equal(array, expected)


@SETTINGS
def test_gradients_are_left_as_they_were(kind, chosen):
    gradient = np.array([1.0, -2.0])
    _, optimizer = stepped(kind, chosen, [3.0, 4.0], [gradient, gradient])
    np.testing.assert_array_equal(gradient, [1.0, -2.0])
    assert optimizer.param_groups[0]["params"][0].grad.data is gradient


@SETTINGS
def test_arrays_of_another_library_are_replaced_by_the_same_numbers(kind, chosen):
    library = pytest.importorskip("array_api_strict", reason="array-api-strict is not installed")
    random = np.random.default_rng(3)
    start, gradients = random.standard_normal(4), random.standard_normal((3, 4))
    expected, _ = stepped(kind, chosen, start, gradients, plainly=True)
    x = dg.Tensor(library.asarray(start), requires_grad=True)
    optimizer = kind([x], lr=0.05, **chosen)
    for gradient in gradients:
        x.grad = dg.Tensor(library.asarray(gradient))
        optimizer.step()
    assert type(x.data) is type(library.asarray(start))
    assert x.is_leaf
    assert x.requires_grad
    np.testing.assert_array_equal(np.asarray(x.data), expected)


def test_a_tensor_that_holds_a_numpy_scalar_is_changed():
    x = (dg.tensor(1.0) * 3).detach().requires_grad_()
    (x * x).backward()
    SGD([x], lr=0.5).step()
    assert x.item() == 0.0


def test_a_zero_dimensional_parameter_is_changed_in_place():
    array = np.array(3.0)
    x = dg.Tensor(array, requires_grad=True)
    (x * x).backward()
    SGD([x], lr=0.25).step()
    assert x.data is array
    assert array == 1.5


def test_parameters_without_a_gradient_have_no_state():
    x, y = dg.zeros(2, requires_grad=True), dg.zeros(2, requires_grad=True)
    optimizer = Adam([x, y])
    for _ in range(3):
        x.grad = dg.ones(2)
        optimizer.step()
    y.grad = dg.ones(2)
    optimizer.step()
    assert {p: kept["step"] for p, kept in optimizer.state_dict()["state"].items()} == {0: 4, 1: 1}
    # The corrections count the steps of each: y has made Adam's first step, of size lr.
    np.testing.assert_allclose(y.detach().numpy(), -1e-3, rtol=1e-6)


@SETTINGS
def test_parameters_that_begin_later_do_not_disturb_the_others(kind, chosen):
    random = np.random.default_rng(4)
    starts, gradients = random.standard_normal((2, 3)), random.standard_normal((6, 3))
    early, _ = stepped(kind, chosen, starts[0], gradients)
    late, _ = stepped(kind, chosen, starts[1], gradients[3:])
    x, y = (dg.Tensor(np.array(start), requires_grad=True) for start in starts)
    optimizer = kind([y, x], lr=0.05, **chosen)
    for time, gradient in enumerate(gradients):
        x.grad = dg.Tensor(gradient)
        y.grad = dg.Tensor(gradient) if time >= 3 else None
        optimizer.step()
    np.testing.assert_array_equal(x.detach().numpy(), early)
    np.testing.assert_array_equal(y.detach().numpy(), late)


def test_settings_are_read_at_each_step():
    x = dg.tensor([1.0], requires_grad=True)
    optimizer = SGD([x], lr=0.5)
    for changes, expected in [
        ({}, 0.5),
        ({"lr": 0.25}, 0.25),
        ({"lr": dg.tensor(0.25)}, 0.0),
        ({"lr": np.float64(0.5), "maximize": True}, 0.5),
        ({"maximize": False, "momentum": 0.5}, 0.0),
        ({}, -0.75),  # the momentum is 1 * 0.5 + 1
    ]:
        optimizer.param_groups[0].update(changes)
        x.grad = dg.tensor([1.0])
        optimizer.step()
        assert x.dtype == dg.float32
        assert x.tolist() == [expected]


def test_the_closure_is_run_with_recording_on_and_its_loss_returned():
    x = dg.tensor([2.0], requires_grad=True)
    optimizer = SGD([x], lr=0.25)

    def closure():
        optimizer.zero_grad()
        loss = (x * x).sum()
        loss.backward()
        return loss

    with dg.no_grad():
        loss = optimizer.step(closure)
    assert loss.item() == 4.0
    assert x.tolist() == [1.0]
    assert optimizer.step() is None


def test_gradients_are_forgotten_or_filled_with_zeros():
    x = dg.tensor([2.0], requires_grad=True)
    optimizer = SGD([x])
    (x * x).sum().backward(create_graph=True)
    before = x.grad
    optimizer.zero_grad(set_to_none=False)
    assert x.grad.tolist() == [0.0]
    assert x.grad.data is before.data
    assert not x.grad.requires_grad
    optimizer.zero_grad()
    assert x.grad is None
    optimizer.zero_grad(set_to_none=False)
    assert x.grad is None


def test_a_step_between_forward_and_backward_is_noticed():
    x = dg.tensor([2.0], requires_grad=True)
    y = x * x
    x.grad = dg.tensor([1.0])
    SGD([x]).step()
    with pytest.raises(GradientError) as e:
        y.sum().backward()
    assert "SGD.step" in str(e.value)


def test_read_only_memory_is_refused():
    x = dg.Tensor(np.broadcast_to(np.float32(1.0), (3,)), requires_grad=True)
    x.grad = dg.ones(3)
    optimizer = Adam([x])
    with pytest.raises(GradientError) as e:
        optimizer.step()
    assert (
        str(e.value)
        == """\
Adam.step: the memory of a parameter is read-only, or shared by repetition.
  parameter: shape (3,), dtype float32
x.data = x.data.copy() gives it memory of its own."""
    )
    assert x.tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("kind", [SGD, Adam])
def test_a_step_that_is_refused_changes_nothing(kind):
    x = dg.ones(2, requires_grad=True)
    y = dg.Tensor(np.broadcast_to(np.float32(1.0), (2,)), requires_grad=True)
    optimizer = kind([x, y], lr=0.5, **({"momentum": 0.9} if kind is SGD else {}))
    loss = (x * x).sum()
    x.grad, y.grad = dg.ones(2), dg.ones(2)
    with pytest.raises(GradientError):
        optimizer.step()
    assert x.tolist() == [1.0, 1.0]
    assert optimizer.state_dict()["state"] == {}
    loss.backward()
    y.grad = None
    optimizer.step()
    assert x.tolist() == pytest.approx([-0.5, -0.5] if kind is SGD else [0.5, 0.5])


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no interval timers")
@pytest.mark.parametrize("kind", [SGD, Adam, RMSprop, Adagrad])
def test_an_interrupt_leaves_no_parameter_half_changed(kind):
    def interrupt(number, frame):
        raise KeyboardInterrupt

    x, y = dg.zeros(20 * updater.PIECE, requires_grad=True), dg.zeros(3, requires_grad=True)
    x.grad, y.grad = dg.ones(*x.shape), dg.ones(3)
    optimizer = kind([x, y], lr=0.5)
    optimizer.step()
    former = signal.signal(signal.SIGALRM, interrupt)
    interrupted = 0
    try:
        for trial in range(40):
            try:
                signal.setitimer(signal.ITIMER_REAL, 1e-4 * (1 + trial))
                for _ in range(100):
                    optimizer.step()
                signal.setitimer(signal.ITIMER_REAL, 0)
            except KeyboardInterrupt:
                interrupted += 1
                assert len(np.unique(x.detach().numpy())) == 1
                np.testing.assert_array_equal(y.detach().numpy(), x.detach().numpy()[:3])
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)
    assert interrupted > 10


class NormalizedSGD(Optimizer):
    """A rule that is not elementwise, and branches on values."""

    def __init__(self, params, lr=0.5):
        super().__init__(params, {"lr": lr})

    def initial_state(self, group):
        return {"step": 0, "longest": 0.0}

    @staticmethod
    def rule(xp, x, grad, longest, *, lr, step):
        norm = xp.sqrt(xp.sum(grad * grad))
        if norm == 0:
            return x, longest
        return x - lr / step * grad / norm, xp.maximum(longest, xp.ones_like(longest) * norm)


def test_a_rule_over_whole_arrays_is_run_as_it_stands():
    array = np.array([1.0, 2.0])
    x = dg.Tensor(array, requires_grad=True)
    optimizer = NormalizedSGD([x])
    for gradient in ([3.0, 4.0], [0.0, 0.0], [0.0, 2.0]):
        x.grad = dg.Tensor(np.array(gradient))
        optimizer.step()
    assert x.data is array
    np.testing.assert_allclose(array, [0.7, 1.6 - 0.5 / 3])
    kept = optimizer.state_dict()["state"][0]
    assert kept["step"] == 3
    assert kept["longest"].tolist() == [5.0, 5.0]


class PlainStep(Optimizer):
    """An optimizer in PyTorch's own style: it overrides ``step``."""

    def __init__(self, params, lr=0.5):
        super().__init__(params, {"lr": lr})

    def step(self, closure=None):
        with dg.no_grad():
            for group in self.param_groups:
                for x in group["params"]:
                    kept = self.state[x]
                    kept["count"] = kept.get("count", 0) + 1
                    kept["last"] = x.grad.clone()
                    x.sub_(x.grad, alpha=group["lr"])


def test_a_step_may_be_overridden():
    x = dg.tensor([2.0], requires_grad=True)
    optimizer = PlainStep([x])
    (x * x).sum().backward()
    optimizer.step()
    assert x.tolist() == [0.0]
    resumed = PlainStep([x])
    resumed.load_state_dict(optimizer.state_dict())
    assert resumed.state[x]["count"] == 1
    assert resumed.state[x]["last"].tolist() == [4.0]


def test_an_optimizer_without_a_rule_says_so():
    class Nothing(Optimizer):
        pass

    x = dg.ones(1, requires_grad=True)
    with pytest.raises(NotImplementedError, match="Nothing has neither a rule nor a step"):
        Nothing([x], {"lr": 1.0}).step()


def test_a_gradient_that_is_cleared_is_freed():
    x = dg.ones(3, requires_grad=True)
    optimizer = SGD([x], lr=0.1)
    for _ in range(3):  # the first step makes the plan, the later ones use it
        (x * x).sum().backward()
        gradient = weakref.ref(x.grad.data)
        optimizer.step()
        optimizer.zero_grad()
        assert gradient() is None
