"""Forward hooks."""

import pytest

import demograd as dg
from demograd import nn
from demograd.errors import ArgumentTypeError


class Add(nn.Module):
    def forward(self, x, y=0):
        return x + y


def test_hooks_run_around_forward_in_the_order_of_registration():
    module, calls = Add(), []
    module.register_forward_hook(lambda m, args, out: calls.append(("after", args, out)))
    module.register_forward_pre_hook(lambda m, args: calls.append(("before", args)))
    module.register_forward_pre_hook(lambda m, args: calls.append(("first", args)), prepend=True)
    assert module(1) == 1
    assert calls == [("first", (1,)), ("before", (1,)), ("after", (1,), 1)]


def test_what_a_hook_returns_replaces_arguments_and_output():
    module = Add()
    module.register_forward_pre_hook(lambda m, args: args[0] * 10)
    module.register_forward_pre_hook(lambda m, args: (args[0], 5))
    module.register_forward_hook(lambda m, args, out: (args, out))
    assert module(1) == ((10, 5), 15)


def test_hooks_with_keywords_see_and_replace_them():
    module, seen = Add(), []
    module.register_forward_pre_hook(
        lambda m, args, kwargs: (args, {"y": kwargs["y"] + 1}), with_kwargs=True
    )
    module.register_forward_hook(
        lambda m, args, kwargs, out: seen.append((args, kwargs, out)), with_kwargs=True
    )
    assert module(1, y=2) == 4
    assert seen == [((1,), {"y": 3}, 4)]


def test_a_handle_takes_its_hook_away_also_at_the_end_of_a_with_block():
    module, calls = Add(), []
    with module.register_forward_hook(lambda m, args, out: calls.append(out)):
        module(1)
    handle = module.register_forward_pre_hook(lambda m, args: calls.append(args))
    handle.remove()
    handle.remove()
    module(2)
    assert calls == [1]


def test_a_hook_may_remove_itself():
    module, calls = Add(), []

    def once(m, args, out):
        calls.append(out)
        handle.remove()

    handle = module.register_forward_hook(once)
    module(1)
    module(2)
    assert calls == [1]


def test_a_replaced_output_is_what_the_graph_goes_on_from():
    layer = nn.Linear(2, 2)
    layer.register_forward_hook(lambda m, args, out: out * 0.0)
    layer(dg.ones(1, 2)).sum().backward()
    assert layer.weight.grad.tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_a_pre_hook_with_keywords_must_return_both():
    module = Add()
    module.register_forward_pre_hook(lambda m, args, kwargs: args, with_kwargs=True)
    with pytest.raises(ArgumentTypeError) as error:
        module(1)
    assert (
        str(error.value)
        == """\
forward pre-hook: with_kwargs=True, but the hook returned neither None nor two parts.
  returned: tuple
Return (args, kwargs): a tuple and a dictionary."""
    )
