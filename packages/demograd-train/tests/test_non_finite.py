"""A loss or a gradient that is not finite stops training, says where, and changes nothing."""

import math
import re

import numpy as np
import pytest

import demograd as dg
from demograd import Function, Tensor
from demograd.errors import NonFiniteError, NonFiniteOperationError
from demograd.operators import log
from demograd.train import Callback, fit


class SquareRoot(Function):
    """Finite at zero, with an infinite slope there."""

    def forward(self, x):
        out = x**0.5
        self.save_for_backward(out)
        return out

    def backward(self, grad):
        (out,) = self.saved_tensors
        return grad / (2 * out)


class Remember(Callback):
    """The state at the beginning of each step."""

    def on_epoch_begin(self, run):
        self.state = self.now(run)

    on_batch_end = on_epoch_begin

    def now(self, run):
        velocity = run.optimizer.state_dict()["state"]
        return [
            {name: value.numpy().copy() for name, value in run.model.state_dict().items()},
            {number: entry["velocity"].numpy().copy() for number, entry in velocity.items()},
            dg.default_generator.get_state(),
        ]


def is_same(a, b):
    arrays = all(
        first.keys() == second.keys() and all(np.array_equal(first[k], second[k]) for k in first)
        for first, second in zip(a[:2], b[:2], strict=True)
    )
    return arrays and a[2] == b[2]


def stop(c, **settings):
    """Train until it stops; the message, and whether all is as it was before that step."""
    remember = Remember()
    with pytest.raises(NonFiniteError) as e, np.errstate(all="ignore"):
        fit(
            *(c.model, c.loss, c.optimizer, c.loader),
            **{"epochs": 3, "callbacks": [remember], **settings},
        )
    assert isinstance(e.value, FloatingPointError)

    class Run:
        model, optimizer = c.model, c.optimizer

    return str(e.value), is_same(remember.state, remember.now(Run))


MEND = (
    "The parameters are as they were before this step. Lower the learning rate, clip the "
    "gradients (train.GradientClip), or look at what that module computes."
)


def breaking(part, after, make):
    """Let a part's output, from its call number ``after`` on, be what ``make`` makes of it."""
    whole, calls = part.forward, [0]

    def forward(x):
        calls[0] += 1
        return make(whole(x)) if calls[0] >= after else whole(x)

    part.forward = forward


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_the_first_module_with_such_an_output_is_named(value, parts):
    c = parts.case()

    def spoil(x):
        x = x.clone()
        x[0, 1] = value
        return x

    breaking(c.model.parts["square"], 6, spoil)
    text, same = stop(c)
    kind = "1 nan" if value != value else "1 infinite"
    loss = "inf" if value == value else "nan"
    assert text == (
        "fit: the loss is not finite.\n"
        f"  loss: {loss}\n"
        "  epoch 2, step 2 of 4, learning rate 0.01\n"
        f"  first module with such an output: 'square' (Square), shape (4, 4), {kind} of 16\n"
        + MEND
    )
    assert same


def test_an_outer_module_is_named_where_the_inner_ones_are_finite(parts):
    c = parts.case()
    breaking(c.model, 1, lambda x: x * math.inf)
    text, same = stop(c)
    assert "  first module with such an output: Net, shape (4, 2), 8 infinite of 8\n" in text
    assert same


def test_a_loss_that_makes_it_itself_is_told(parts):
    c = parts.case()
    c.loss = lambda output, target: (output - target).mean() * math.inf
    text, same = stop(c)
    assert "  first module: none, every output is finite; the loss made it so\n" in text
    assert same


def test_data_that_are_not_finite_are_told(parts):
    c = parts.case()
    c.x[5, 1] = math.nan
    text, same = stop(c)
    assert text.endswith(
        "  input 0 of the batch: shape (4, 3), 1 nan of 12\n"
        "  first module with such an output: 'first' (Affine), shape (4, 4), 4 nan of 16\n"
        "The parameters are as they were before this step. Clean the data: "
        "keep = np.isfinite(x).reshape(len(x), -1).all(axis=1)."
    )
    assert same


def test_parameters_that_were_not_finite_before_are_told(parts):
    c = parts.case()
    c.model.parts["last"].weight.data[0, 0] = math.inf
    text, _ = stop(c)
    assert "  parameter last.weight: shape (4, 2), 1 infinite of 8\n" in text
    assert text.endswith(
        "They were so before this step: start again, or from a checkpoint, with a lower learning "
        "rate."
    )


def test_a_gradient_that_is_not_finite_stops_before_the_step(parts):
    c = parts.case()
    c.loss = lambda output, target: (output * output).mean() + SquareRoot.apply(output * 0).mean()
    text, same = stop(c)
    assert text.startswith("fit: a gradient is not finite, though the loss is.\n  loss: ")
    assert re.sub(r"\S+/|0x\S+|test_\w+\.py:\d+", "", text).split("learning rate 0.01\n")[1] == (
        "  first such gradient: of first.weight, shape (3, 4), 12 nan of 12\n"
        "  first operation: backward of SquareRoot: made inf out of a finite gradient.\n"
        "    made at , in <lambda>: c.loss = lambda output, target: (output * output).mean() + "
        "SquareRoot.apply(output * 0).mean()\n"
        "    gradient that arrived: shape (4, 2), float64, all 0.125\n"
        "    output: shape (4, 2), float64, all 0\n"
        "    gradient of input 0: shape (4, 2), 8 infinite of 8, the first at [0, 0]\n"
        "    there: the gradient of SquareRoot is inf: it overflows there, or divides by zero\n"
        "    from the loss to here:\n"
        "      Add <- Mean <- SquareRoot, \n" + MEND
    )
    assert same
    assert all(p.grad is None for p in c.model.parameters())


def test_the_first_operation_is_named_though_debug_was_off(parts):
    c = parts.case()
    c.loss = lambda output, target: log(output - output).mean() * 0
    text, same = stop(c)
    assert "  first operation: Log: made -inf out of finite inputs.\n    at " in text
    assert "    input 0: shape (4, 2), float64, all 0\n" in text
    assert "    there: log(0) = -inf\n" in text
    assert text.endswith(MEND)
    assert same


def test_under_debug_the_operation_itself_stops_the_training_and_the_step_is_named(parts):
    c = parts.case()
    c.loss = lambda output, target: log(output - output).mean()
    before = [np.array(p.detach().data) for p in c.model.parameters()]
    with dg.debug(), pytest.raises(NonFiniteOperationError) as e:
        fit(c.model, c.loss, c.optimizer, c.loader, epochs=1)
    assert str(e.value).splitlines()[0] == "Log: made -inf out of finite inputs."
    assert e.value.__notes__ == [
        "in fit: epoch 1, step 1 of 4, learning rate 0.01; the parameters are as they were before "
        "this step"
    ]
    assert all(map(np.array_equal, before, [p.detach().data for p in c.model.parameters()]))
    assert all(p.grad is None for p in c.model.parameters())


def test_gradients_whose_sum_overflows_are_finite(parts):
    c = parts.case(n=4)
    c.optimizer.param_groups[0]["lr"] = 0.0
    c.model.parts["last"].weight.register_hook(lambda grad: Tensor(np.full((4, 2), 1e308)))
    assert len(fit(c.model, c.loss, c.optimizer, c.loader, epochs=1)) == 1


def test_a_model_without_hooks_is_trained_and_its_module_is_not_known(parts):
    c = parts.case()
    net = c.model

    class Plain:
        training = True
        parameters, named_parameters = net.parameters, net.named_parameters
        state_dict, load_state_dict = net.state_dict, net.load_state_dict

        def __call__(self, x):
            return net.forward(x)

        def train(self, mode=True):
            net.train(mode)

        def eval(self):
            net.eval()

    c.model = Plain()
    c.loss = lambda output, target: (output - target).mean() * math.nan
    text, same = stop(c)
    assert (
        "  first module: not known, the model has no named_modules() with forward hooks\n" in text
    )
    assert same


def test_no_hook_is_left_behind(parts):
    c = parts.case()
    breaking(c.model.parts["first"], 2, lambda x: x * math.nan)
    stop(c)
    assert all(part.hooks == [] for part in c.model.modules())


def test_a_learning_rate_that_explodes_is_named_with_all_groups(parts):
    c = parts.case(n=40)
    last = c.model.parts["last"]
    others = [p for p in c.model.parameters() if p is not last.weight]
    c.optimizer = parts.Momentum([{"params": others, "lr": 3.0}, {"params": [last.weight]}], lr=2.5)
    text, same = stop(c, epochs=20)
    assert ", learning rates 3, 2.5\n" in text
    assert same


def test_training_goes_on_after_it(parts):
    c, twin = parts.case(), parts.case()
    whole = c.model.parts["square"].forward
    breaking(c.model.parts["square"], 1, lambda x: x * math.nan)
    stop(c)
    c.model.parts["square"].forward = whole
    c.loader = twin.loader
    dg.manual_seed(7)
    one = fit(c.model, c.loss, c.optimizer, c.loader, epochs=1)
    dg.manual_seed(7)
    twin.loader.generator.manual_seed(0)
    two = fit(twin.model, twin.loss, twin.optimizer, twin.loader, epochs=1)
    assert one["loss"] == two["loss"]
