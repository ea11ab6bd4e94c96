"""Full backward hooks of modules, and what forward hooks do where ``forward`` fails."""

from typing import NamedTuple

import pytest

import demograd as dg
from demograd import nn
from demograd.autograd import grad
from demograd.errors import ArgumentError, ArgumentTypeError, DemogradError, GradientError


def message(call):
    with pytest.raises(DemogradError) as error:
        call()
    return str(error.value)


class Scale(nn.Module):
    """One output, or two where a second tensor is given."""

    def forward(self, x, factor=2.0, *, y=None):
        return x * factor if y is None else (x * factor, y * 3)


def leaf():
    return dg.tensor([1.0, 2.0], requires_grad=True)


def plain(gradients):
    return tuple(None if g is None else g.tolist() for g in gradients)


def test_a_hook_sees_the_gradients_of_inputs_and_outputs():
    said = []
    module = Scale()
    module.register_full_backward_hook(
        lambda m, inputs, outputs: said.append((m is module, plain(inputs), plain(outputs)))
    )
    module.register_full_backward_pre_hook(lambda m, outputs: said.append(plain(outputs)))
    module(leaf()).sum().backward()
    assert said == [([1.0, 1.0],), (True, ([2.0, 2.0],), ([1.0, 1.0],))]


def test_places_without_a_gradient_hold_none():
    said = []
    module = Scale()
    module.register_full_backward_hook(
        lambda m, inputs, outputs: said.append((plain(inputs), plain(outputs)))
    )
    out = module(leaf(), 3, y=leaf())
    assert type(out) is tuple
    out[0].sum().backward()
    assert said == [(([3.0, 3.0], None), ([1.0, 1.0], None))]


def test_what_hooks_return_replaces_gradients_in_their_order():
    x = leaf()
    module = Scale()
    module.register_full_backward_hook(lambda m, inputs, outputs: (inputs[0] + 1,))
    module.register_full_backward_hook(lambda m, inputs, outputs: inputs[0] * 10, prepend=True)
    module.register_full_backward_pre_hook(lambda m, outputs: (outputs[0] * 7,))
    module(x).sum().backward()
    assert x.grad.tolist() == [141.0, 141.0]


def test_parameters_get_the_replaced_gradient_of_the_output():
    layer = nn.Linear(2, 1, bias=False)
    layer.register_full_backward_pre_hook(lambda m, outputs: (outputs[0] * 0,))
    layer(dg.ones(3, 2)).sum().backward()
    assert layer.weight.grad.tolist() == [[0.0, 0.0]]


def test_without_a_gradient_of_an_input_the_hook_runs_on_the_output():
    said = []
    layer = nn.Linear(2, 1)
    handle = layer.register_full_backward_hook(
        lambda m, inputs, outputs: said.append((inputs, outputs[0].shape))
    )
    layer(dg.ones(3, 2)).sum().backward()
    assert said == [((None,), (3, 1))]
    handle.remove()
    layer.register_full_backward_hook(lambda m, inputs, outputs: (dg.ones(3, 2),))
    assert message(layer(dg.ones(3, 2)).sum().backward) == (
        "backward hook: it returned gradients of inputs that want none.\n"
        "  module: Linear\n"
        "Return None, or make an input of the module require a gradient."
    )


def test_hooks_of_a_recorded_pass_see_recorded_gradients():
    said = []
    x = leaf()
    module = Scale()
    module.register_full_backward_hook(
        lambda m, inputs, outputs: said.append((plain(inputs), inputs[0].requires_grad))
    )
    (first,) = grad((module(x) ** 2).sum(), x, create_graph=True)
    assert first.tolist() == [8.0, 16.0]
    (second,) = grad(first.sum(), x)
    assert second.tolist() == [8.0, 8.0]
    assert said == [(([8.0, 16.0],), True), (([8.0, 8.0],), False)]


def test_nested_modules_and_repeated_calls_have_hooks_of_their_own():
    said = []
    inner, outer = nn.Linear(2, 2), nn.Sequential()
    outer.append(inner)
    outer.append(inner)
    for name, module in (("inner", inner), ("outer", outer)):
        module.register_full_backward_hook(lambda m, i, o, name=name: said.append(name))
    outer(dg.ones(1, 2, requires_grad=True)).sum().backward()
    assert said == ["inner", "inner", "outer"]


class Two(NamedTuple):
    first: dg.Tensor
    second: dg.Tensor


@pytest.mark.parametrize("kind", [list, tuple, Two._make])
def test_the_output_keeps_its_kind(kind):
    module = nn.Lambda(lambda x: kind([x * 1, x * 2]))
    module.register_full_backward_hook(lambda m, inputs, outputs: None)
    out = module(leaf())
    assert type(out) is type(kind([1, 2]))
    out[1].sum().backward()


def test_in_no_grad_nothing_is_put_between():
    module = Scale()
    module.register_full_backward_hook(lambda m, inputs, outputs: pytest.fail("ran"))
    with dg.no_grad():
        out = module(leaf())
    assert out.grad_fn is None


def test_the_output_cannot_be_changed_in_place():
    module = Scale()
    module.register_full_backward_hook(lambda m, inputs, outputs: None)
    out = module(leaf())
    with pytest.raises(GradientError, match="the tensor shows memory that Pass has taken"):
        out.mul_(2)


BAD = [
    (
        lambda m, inputs, outputs: inputs + inputs,
        ArgumentError,
        "backward hook: grad_input has 1 gradients, but it returned 2.\n"
        "Return a tuple with 1 gradients, as grad_input has, or None.",
    ),
    (
        lambda m, inputs, outputs: 3.0,
        ArgumentTypeError,
        "backward hook: it returned float, not gradients.\n"
        "Return a tuple with 1 gradients, as grad_input has, or None.",
    ),
]


@pytest.mark.parametrize(("hook", "kind", "text"), BAD)
def test_what_a_hook_cannot_return_is_refused(hook, kind, text):
    module = Scale()
    module.register_full_backward_hook(hook)
    with pytest.raises(kind) as error:
        module(leaf()).sum().backward()
    assert str(error.value) == text


def test_an_output_that_cannot_be_followed_is_refused():
    module = nn.Lambda(lambda x: {"y": x})
    module.register_full_backward_hook(lambda m, inputs, outputs: None)
    assert message(lambda: module(leaf())) == (
        "Lambda: a backward hook cannot follow what it returned.\n"
        "  returned: dict\n"
        "A module with backward hooks returns a Tensor, or a tuple or list of them."
    )


class Fails(nn.Module):
    def forward(self, x):
        raise ValueError("boom")


def test_a_forward_hook_may_hear_of_failures():
    said = []
    module = Fails()
    module.register_forward_hook(lambda m, args, out: said.append("never"))
    module.register_forward_hook(lambda m, args, out: said.append(out), always_call=True)
    module.register_forward_hook(lambda m, args, out: 1 / 0, always_call=True)
    with pytest.raises(ValueError, match="boom") as error:
        module(dg.ones(1))
    assert said == [None]
    assert error.value.__notes__ == [
        "a forward hook with always_call=True failed as well: ZeroDivisionError('division by "
        "zero')",
        "in Fails",
    ]


def test_a_hook_that_ran_is_not_told_of_the_failure_of_a_later_one():
    said = []
    module = Scale()
    module.register_forward_hook(lambda m, args, out: said.append(out.tolist()), always_call=True)
    module.register_forward_hook(lambda m, args, out: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        module(dg.ones(1))
    assert said == [[2.0]]
