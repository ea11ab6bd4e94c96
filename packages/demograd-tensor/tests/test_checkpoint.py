"""Checkpoints: the same values and derivatives, less memory, and a refusal where that cannot be."""

import gc
import tracemalloc

import numpy as np
import pytest

import demograd as dg
from demograd.autograd import checkpoint, checkpoint_sequential, grad, gradcheck, gradgradcheck
from demograd.errors import ArgumentError, DemogradError, GradientError


def message(call):
    with pytest.raises(DemogradError) as error:
        call()
    return str(error.value)


def leaf(*values):
    return dg.tensor(list(values) or [0.7, -1.2], dtype="float64", requires_grad=True)


def cubed(x):
    return x**3 * (x * x + 1)


def nested(x, depth=3):
    y = x * x + x
    if depth:
        y = checkpoint(nested, y, depth - 1)
    return y * y * 0.5


def several(x, *, scale):
    return {"a": x * x, "b": [x * scale * x, x + 1]}


def summed(x):
    parts = checkpoint(several, x, scale=leaf(2.0, 3.0))
    return (parts["a"] * parts["b"][0] + parts["b"][1]).sum()


def changed_in_place(x):
    y = x * 2
    y[0].mul_(x[1])
    y += x
    return y * y


FUNCTIONS = [
    lambda x: checkpoint(cubed, x),
    lambda x: checkpoint(cubed, checkpoint(cubed, x * 0.5)),
    lambda x: checkpoint(nested, x * 0.5),
    summed,
    lambda x: checkpoint(changed_in_place, x),
    lambda x: checkpoint(lambda parts: parts[0] * parts[1]["k"], [x * 2, {"k": x * x}]),
    lambda x: checkpoint(lambda: x * x * x),
    lambda x: checkpoint_sequential([cubed, lambda y: y * 0.1, cubed, cubed], 3, x * 0.5),
    lambda x: checkpoint(cubed, x, preserve_rng_state=False, determinism_check="none"),
]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_checkpoint_has_the_derivatives_of_its_function(function):
    x = leaf()
    assert gradcheck(function, x)
    assert gradgradcheck(function, x)


def test_a_nested_checkpoint_gives_the_gradients_of_the_function_itself():
    def plain(x, depth=3):
        y = x * x + x
        return (plain(y, depth - 1) if depth else y) ** 2 * 0.5

    x = leaf()
    expected = grad(plain(x).sum(), x)[0].tolist()
    np.testing.assert_allclose(grad(checkpoint(nested, x).sum(), x)[0].tolist(), expected)


def network(segments, x, weights):
    def layer(w):
        return lambda h: 1 / (1 + (h @ w) ** 2)

    layers = [layer(w) for w in weights]
    if segments:
        return checkpoint_sequential(layers, segments, x)
    for function in layers:
        x = function(x)
    return x


def peak_of_a_step(segments):
    draw = np.random.default_rng(0)
    weights = [dg.tensor(draw.standard_normal((32, 32)) / 6, requires_grad=True) for _ in range(30)]
    x = dg.tensor(draw.standard_normal((512, 32)))
    gc.collect()
    tracemalloc.start()
    network(segments, x, weights).sum().backward()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak, [w.grad.numpy() for w in weights]


def test_a_deep_network_in_pieces_takes_less_than_half_of_the_memory():
    whole, gradients = peak_of_a_step(0)
    pieces, the_same = peak_of_a_step(6)
    for first, second in zip(gradients, the_same, strict=True):
        np.testing.assert_array_equal(first, second)
    assert pieces < whole / 2


def test_a_nested_checkpoint_takes_less_than_its_outer_one():
    def peak(inner):
        w = dg.tensor(np.eye(64) * 0.9, requires_grad=True)
        x = dg.tensor(np.ones((256, 64)), requires_grad=True)

        def some(h):
            for _ in range(6):
                h = 1 / (1 + (h @ w) ** 2)
            return h

        def all_of_it(h):
            for _ in range(6):
                h = checkpoint(some, h) if inner else some(h)
            return h

        gc.collect()
        tracemalloc.start()
        checkpoint(all_of_it, x * 1.0).sum().backward()
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    assert peak(True) < peak(False) / 2


def test_nothing_of_the_block_is_kept():
    x = leaf()
    y = checkpoint(cubed, x)
    nodes, todo = set(), [y.grad_fn]
    while todo:
        node = todo.pop()
        nodes.add(node)
        todo += [n for n in node.next_functions if isinstance(n, dg.Function)]
    assert len(nodes) == 4
    assert sum(node.nbytes_saved for node in nodes) == 0


def test_the_function_runs_once_more_for_each_pass_and_never_without():
    calls = []

    def counted(x):
        calls.append(1)
        return x * x

    x = leaf()
    y = checkpoint(counted, x)
    y.sum().backward(retain_graph=True)
    y.sum().backward()
    assert len(calls) == 3
    np.testing.assert_allclose(x.grad.tolist(), (4 * x.detach().numpy()).tolist())
    assert message(y.sum().backward).startswith("backward: the graph was freed")
    with dg.no_grad():
        checkpoint(counted, x)
    assert len(calls) == 4


@pytest.mark.parametrize("own", [False, True])
def test_random_numbers_are_drawn_again_as_they_were(own):
    generator = dg.Generator(3) if own else dg.default_generator
    drawn = []

    def dropped(x):
        mask = dg.rand(2, generator=generator, dtype="float64")
        drawn.append(mask.tolist())
        return x * mask * x

    x = leaf()
    y = checkpoint(dropped, x)
    dg.rand(5, generator=generator)
    before = generator.get_state()
    y.sum().backward()
    assert drawn[0] == drawn[1]
    assert generator.get_state() == before
    np.testing.assert_allclose(x.grad.numpy(), 2 * np.array(drawn[0]) * x.detach().numpy())


def test_without_preserving_other_random_numbers_are_found_out():
    x = leaf()

    def dropped(x):
        return x * dg.rand(2, dtype="float64") * x

    y = checkpoint(dropped, x, preserve_rng_state=False)
    text = message(y.sum().backward)
    assert text.startswith(
        "checkpoint: the second call saved other values than the first.\n  Mul: "
    )
    assert text.endswith(
        "The function must do the same each time: depend on its arguments, and on nothing else."
    )


def second_time(first, then):
    """A function that does something else at its second call."""
    calls = []

    def function(x):
        calls.append(1)
        return first(x) if len(calls) == 1 else then(x)

    return function


OTHERWISE = [
    (
        second_time(lambda x: (x * x) ** 3, lambda x: (x * x)[:1] ** 3),
        "checkpoint: the second call saved other things than the first.\n"
        "  first: Pow saved shape (2,)\n"
        "  second: Pow saved shape (1,)\n",
    ),
    (
        second_time(lambda x: (x * x) ** 3, lambda x: x * x * x),
        "checkpoint: the second call saved other things than the first.\n"
        "  first: Pow saved shape (2,)\n"
        "  second: Mul saved shape (2,)\n",
    ),
    (
        second_time(lambda x: (x * x) ** 3, lambda x: x * x),
        "checkpoint: the second call saved fewer values than the first.\n  first: 3\n  second: 2\n",
    ),
]


@pytest.mark.parametrize(("function", "text"), OTHERWISE)
def test_a_second_call_that_does_something_else_is_refused(function, text):
    x = leaf()
    assert message(checkpoint(function, x).sum().backward) == text + (
        "The function must do the same each time: depend on its arguments, and on nothing else."
    )
    assert x.grad is None


def test_an_argument_or_a_leaf_that_was_changed_is_refused():
    x, w = leaf(), dg.Tensor([1.0, 1.0], requires_grad=True, name="bias")
    y = x * 1
    of_argument = checkpoint(cubed, y)
    y.mul_(3)
    text = (
        "backward: what a checkpoint is to compute again was changed in place afterwards.\n"
        "  {}\n"
        "Change a copy (x = x.clone()), or make the change after backward."
    )
    assert message(of_argument.sum().backward) == text.format(
        "argument: tensor of shape (2,), dtype float64\n  changed by: mul_"
    )
    of_leaf = checkpoint(lambda x: (x + w) ** 3, x)
    with dg.no_grad():
        w += 1e-6
    assert message(of_leaf.sum().backward) == text.format(
        "bias of shape (2,), dtype float32\n  changed by: +="
    )


def test_a_gradient_taken_inside_a_checkpoint():
    def penalty(x):
        y = (x**3).sum()
        (slope,) = grad(y, x, create_graph=True)
        return (slope**2).sum()

    x = leaf()
    y = checkpoint(lambda x: penalty(x * 1.0), x)
    y.backward()
    np.testing.assert_allclose(x.grad.numpy(), 36 * x.detach().numpy() ** 3)


def test_an_error_in_the_second_call_leaves_everything_in_order():
    def fails_later(x):
        raise ArithmeticError

    x = leaf()
    dg.manual_seed(0)
    y = checkpoint(second_time(lambda x: x * x * dg.rand(2, dtype="float64"), fails_later), x)
    state = dg.default_generator.get_state()
    with pytest.raises(ArithmeticError):
        y.sum().backward()
    assert x.grad is None
    assert dg.default_generator.get_state() == state
    (x * 2).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_arguments_out_of_range_are_refused():
    assert message(lambda: checkpoint(cubed, leaf(), use_reentrant=True)) == (
        "checkpoint: there is no reentrant way.\n"
        "Leave use_reentrant out: the gradients are the same, and more is possible."
    )
    with pytest.raises(ArgumentError):
        checkpoint(cubed, leaf(), determinism_check="always")
    assert message(lambda: checkpoint_sequential([cubed], 2, leaf())) == (
        "checkpoint_sequential: the number of pieces does not fit.\n  functions: 1\n  segments: 2"
    )


def test_a_value_overwritten_in_the_block_is_refused():
    def overwrites(x):
        y = x * 2
        z = y**3
        y.mul_(2)
        return z * y * z

    with pytest.raises(GradientError, match="changed in place afterwards"):
        checkpoint(overwrites, leaf()).sum().backward()
