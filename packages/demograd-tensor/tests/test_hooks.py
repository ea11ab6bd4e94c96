"""Hooks of tensors, nodes and leaves: when they run, what they may do, and what is refused."""

import gc
import weakref

import numpy as np
import pytest

import demograd as dg
from demograd.autograd import RemovableHandle, grad
from demograd.errors import DemogradError


def message(call):
    with pytest.raises(DemogradError) as error:
        call()
    return str(error.value)


def leaf():
    return dg.tensor([1.0, 2.0], requires_grad=True)


class Halves(dg.Function):
    """Two outputs, of which one may go unused."""

    def forward(self, x):
        return x[:1] * 2, x[1:] * 3

    def backward(self, first, second):
        return self.xp.concat([first * 2, second * 3])


def test_hooks_run_in_pytorchs_order():
    said = []
    x = leaf()
    y = x * 2
    y.retain_grad()
    y.register_hook(lambda g: (said.append("first of y"), g * 10)[1])
    y.grad_fn.register_prehook(lambda grads: said.append(("before", grads[0].tolist())))
    y.grad_fn.register_hook(
        lambda inputs, outputs: said.append(("after", inputs[0].tolist(), outputs[0].tolist()))
    )
    x.register_hook(lambda g: (said.append("x"), g * 3)[1])
    x.register_post_accumulate_grad_hook(lambda t: said.append(("added", t.grad.tolist())))
    y.register_hook(lambda g: said.append("second of y"))
    y.sum().backward()
    assert said == [
        "first of y",
        "second of y",
        ("before", [10.0, 10.0]),
        ("after", [20.0, 20.0], [10.0, 10.0]),
        "x",
        ("added", [60.0, 60.0]),
    ]
    # What is kept is what goes on, whenever retain_grad was called.
    assert y.grad.tolist() == [10.0, 10.0]


def test_hooks_of_a_node_replace_its_gradients():
    x, w = leaf(), dg.tensor(3.0, requires_grad=True)
    y = x * w
    y.grad_fn.register_prehook(lambda grads: (grads[0] * 5,))
    y.grad_fn.register_hook(lambda inputs, outputs: (inputs[0] * 2, None))
    y.sum().backward()
    assert x.grad.tolist() == [30.0, 30.0]
    assert w.grad is None


def test_hooks_of_a_node_see_none_where_nothing_is_wanted_or_came():
    seen = []
    x = leaf()
    constant = x * dg.ones(2)
    constant.grad_fn.register_hook(lambda inputs, outputs: seen.append(inputs[1]))
    first, _ = Halves.apply(x)
    first.grad_fn.register_prehook(lambda grads: seen.append(grads[1]))
    first.grad_fn.register_hook(lambda inputs, outputs: seen.append(outputs[1]))
    (constant.sum() + first.sum()).backward()
    assert seen == [None, None, None]
    assert x.grad.tolist() == [3.0, 1.0]


def test_hooks_of_a_recorded_pass_are_recorded():
    x = leaf()
    y = x**3
    y.grad_fn.register_hook(lambda inputs, outputs: (inputs[0] * x, None))
    y.register_hook(lambda g: g * x)
    (first,) = grad(y.sum(), x, create_graph=True)
    (second,) = grad(first.sum(), x)
    assert first.tolist() == [3.0, 48.0]  # 3 x^4
    assert second.tolist() == [12.0, 96.0]


def test_a_wanted_gradient_has_seen_the_tensors_hooks_and_not_the_nodes():
    x = leaf()
    y = x * 2
    y.register_hook(lambda g: g * 7)
    y.grad_fn.register_prehook(lambda grads: (grads[0] * 100,))
    of_y, of_x = grad(y.sum(), [y, x])
    assert (of_y.tolist(), of_x.tolist()) == ([7.0, 7.0], [1400.0, 1400.0])


BAD = [
    (
        lambda inputs, outputs: inputs[0],
        "hook of Mul: it returned Tensor, not a tuple.\n"
        "Return a tuple with a gradient, or None, for each; or None to leave all.",
    ),
    (
        lambda inputs, outputs: (inputs[0],),
        "hook of Mul: it returned 1 gradients for 2.\n"
        "Return a tuple with a gradient, or None, for each; or None to leave all.",
    ),
    (
        lambda inputs, outputs: (inputs[0].sum(), None),
        "hook of Mul: what it returned is no gradient for this place.\n"
        "  gradient 0: shape (2,)\n"
        "  returned: shape ()\n"
        "Return a Tensor of the gradient's shape, or None where there is none.",
    ),
    (
        lambda inputs, outputs: (1.0, None),
        "hook of Mul: it returned float, not a Tensor.\n"
        "Return a Tensor of the gradient's shape, or None.",
    ),
    (
        lambda inputs, outputs: (None, outputs[0]),
        "hook of Mul: what it returned is no gradient for this place.\n"
        "  gradient 1: None, nothing wants it\n"
        "  returned: shape (2,)\n"
        "Return a Tensor of the gradient's shape, or None where there is none.",
    ),
]


@pytest.mark.parametrize(("hook", "text"), BAD)
def test_what_a_nodes_hook_cannot_return_is_refused(hook, text):
    x = leaf()
    y = x * 2
    y.grad_fn.register_hook(hook)
    assert message(y.sum().backward) == text
    assert x.grad is None


def test_a_prehook_is_held_to_the_same():
    y = leaf() * 2
    y.grad_fn.register_prehook(lambda grads: grads[0])
    assert message(y.sum().backward).startswith("pre-hook of Mul: it returned Tensor")


def test_a_hook_that_raises_leaves_every_gradient_as_it_was():
    x = leaf()
    x.grad = dg.ones(2)

    def fail(*_):
        raise ArithmeticError("no")

    handle = (x * 2).grad_fn.register_hook(fail)
    assert isinstance(handle, RemovableHandle)
    for register in (
        lambda y: y.register_hook(fail),
        lambda y: y.grad_fn.register_hook(fail),
        lambda y: y.grad_fn.register_prehook(fail),
        lambda y: x.register_hook(fail),
    ):
        y = x * 2
        with register(y), pytest.raises(ArithmeticError):
            y.sum().backward()
        assert x.grad.tolist() == [1.0, 1.0]
    (x * 2).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_a_hook_may_remove_itself_and_others():
    said = []
    x = leaf()
    handles = []

    def once(gradient):
        said.append("once")
        for handle in handles:
            handle.remove()

    handles.append(x.register_hook(once))
    handles.append(x.register_hook(lambda g: said.append("other")))
    (x * 2).sum().backward()
    (x * 2).sum().backward()
    assert said == ["once", "other"]  # those that there were run, in this pass


def test_a_handle_is_tied_weakly_and_removes_once_and_as_a_context():
    x = leaf()
    with x.register_hook(lambda g: g * 2) as handle:
        (x * 1).sum().backward()
    (x * 1).sum().backward()
    handle.remove()
    assert x.grad.tolist() == [3.0, 3.0]
    handle = (x * 1).grad_fn.register_hook(lambda inputs, outputs: None)
    gc.collect()
    handle.remove()  # the node is gone, and the handle has not kept it


def test_a_post_accumulate_hook_can_be_the_optimizer():
    parameters = [dg.tensor([1.0], requires_grad=True), dg.tensor([2.0], requires_grad=True)]

    def step(x):
        with dg.no_grad():
            x -= 0.1 * x.grad
        x.grad = None

    for x in parameters:
        x.register_post_accumulate_grad_hook(step)
    for _ in range(2):
        (parameters[0] * parameters[1] ** 2).sum().backward()
    a, b = 1.0, 2.0
    for _ in range(2):
        a, b = a - 0.1 * b**2, b - 0.1 * 2 * a * b
    np.testing.assert_allclose([x.item() for x in parameters], [a, b], rtol=1e-6)
    assert [x.grad for x in parameters] == [None, None]


def test_a_post_accumulate_hook_may_run_a_pass_of_its_own():
    x, y = leaf(), leaf()

    @x.register_post_accumulate_grad_hook
    def run(t):
        assert not dg.is_grad_enabled()
        with dg.enable_grad():
            (y * 2).sum().backward()

    (x * 3).sum().backward()
    assert (x.grad.tolist(), y.grad.tolist()) == ([3.0, 3.0], [2.0, 2.0])


def test_a_post_accumulate_hook_hears_of_backward_alone():
    said = []
    x = leaf()
    handle = x.register_post_accumulate_grad_hook(lambda t: said.append(1))
    grad((x * 2).sum(), x)
    assert said == []
    (x * 2).sum().backward()
    handle.remove()
    (x * 2).sum().backward()
    assert said == [1]


def test_where_no_gradient_comes_no_hook_can_be_registered():
    x = leaf()
    assert message(lambda: (x * 2).register_post_accumulate_grad_hook(print)) == (
        "register_post_accumulate_grad_hook: only a leaf that requires a gradient gets one.\n"
        "  tensor of shape (2,), dtype float32, made by Mul\n"
        "x.register_hook(hook) sees the gradient of a computed tensor."
    )
    assert message(lambda: dg.ones(2).register_post_accumulate_grad_hook(print)) == (
        "register_post_accumulate_grad_hook: only a leaf that requires a gradient gets one.\n"
        "  tensor of shape (2,), dtype float32\n"
        "x.requires_grad_() makes it require one."
    )
    x.register_post_accumulate_grad_hook(lambda t: 1)
    assert message((x * 2).sum().backward) == (
        "post-accumulate hook: it returned a value, which replaces nothing.\n"
        "  tensor of shape (2,), dtype float32\n"
        "Change x.grad in the hook, and return None."
    )


def test_which_tensors_retain_and_which_output_they_are():
    x = leaf()
    y = x * 2
    assert (x.retains_grad, y.retains_grad) == (False, False)
    x.retain_grad()
    y.retain_grad()
    assert (x.retains_grad, y.retains_grad) == (False, True)
    first, second = Halves.apply(x)
    assert (x.output_nr, y.output_nr, first.output_nr, second.output_nr) == (0, 0, 0, 1)
    assert x[:1].output_nr == 0  # its node keeps an index, which is no output's


def test_hooks_make_no_cycles():
    gc.disable()
    try:
        x = leaf()
        y = x * 2
        y.register_hook(lambda g: None)
        y.grad_fn.register_hook(lambda inputs, outputs: None)
        y.retain_grad()
        node = weakref.ref(y.grad_fn)
        y.sum().backward()
        del y
        assert node() is None
    finally:
        gc.enable()


def test_nodes_with_unmaterialized_gradients_get_none():
    class Pair(dg.Function):
        def forward(self, x):
            self.set_materialize_grads(False)
            return x * 2, x * 3

        def backward(self, first, second):
            assert second is None
            return first * 2

    x = leaf()
    first, _ = Pair.apply(x)
    first.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_an_intermediate_asked_for_leaves_its_own_graph_whole():
    x = leaf()
    y = x * x
    grad(y.sum(), y)
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 4.0]
