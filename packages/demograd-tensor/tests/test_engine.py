"""The engine: what backward and grad compute, refuse, and leave alone."""

import gc
import threading
import weakref

import numpy as np
import pytest

import demograd as dg
from demograd.autograd import backward, grad


def leaf(*values):
    return dg.tensor(list(values), requires_grad=True)


def message(call):
    with pytest.raises(dg_errors()) as error:
        call()
    return str(error.value)


def dg_errors():
    from demograd.errors import DemogradError

    return DemogradError


def test_gradients_accumulate_over_passes():
    x = leaf(1.0, 2.0)
    (x * 3).sum().backward()
    (x * 4).sum().backward()
    assert x.grad.tolist() == [7.0, 7.0]


def test_a_value_used_twice_gets_the_sum():
    x = leaf(3.0)
    y = x * x
    (y * y + y).sum().backward()
    assert x.grad.tolist() == [4 * 27.0 + 6.0]


def test_two_gradients_never_share_memory():
    x, y = leaf(1.0), leaf(2.0)
    (x + y).sum().backward()
    x.grad.data[0] = 9.0
    assert y.grad.tolist() == [1.0]


def test_a_gradient_does_not_share_memory_with_the_one_passed_in():
    x, seed = leaf(1.0, 2.0), dg.ones(2)
    (x + 0.0).backward(seed)
    x.grad.zero_()
    assert seed.tolist() == [1.0, 1.0]


def test_a_deep_chain_needs_no_recursion():
    x = leaf(1.0)
    y = x
    for _ in range(100_000):
        y = y * 1.0
    y.backward(dg.ones(1))
    assert x.grad.tolist() == [1.0]
    del y


def test_a_second_backward_says_what_was_freed():
    x = leaf(1.0, 2.0)
    y = (x * x).sum()
    y.backward()
    assert message(y.backward) == (
        "backward: the graph was freed by an earlier backward, at Mul.\n"
        "  Mul: output shapes ((2,),)\n"
        "Compute the loss anew, or give the first one retain_graph=True. What is kept from an "
        "earlier step, such as a hidden state, is cut off from it by h = h.detach()."
    )
    assert x.grad.tolist() == [2.0, 4.0]


def test_retain_graph_allows_a_second_backward():
    x = leaf(1.0, 2.0)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [4.0, 8.0]


def test_backward_of_several_elements_wants_a_gradient():
    x = leaf(1.0, 2.0)
    assert message((x * 2).backward) == (
        "backward: only a tensor of one element has a gradient without more words.\n"
        "  tensor of shape (2,), dtype float32\n"
        "x.sum().backward(), or x.backward(gradient) with a gradient of its shape."
    )
    assert x.grad is None


def test_backward_where_nothing_requires_a_gradient_is_an_error():
    assert message(dg.tensor(1.0).backward) == (
        "backward: the tensor does not require a gradient.\n"
        "  tensor of shape (), dtype float32, computed from nothing that requires one\n"
        "Make a leaf with requires_grad=True before computing with it. A graph ends at no_grad, "
        "detach(), .data, item(), float(), numpy(), dg.tensor(x), and at integers (argmax)."
    )


def test_a_gradient_of_another_shape_is_an_error():
    x = leaf(1.0, 2.0)
    assert message(lambda: (x * 2).backward(dg.ones(3))) == (
        "backward: the gradient has another shape than its tensor.\n"
        "  tensor of shape (2,), dtype float32\n"
        "  gradient: shape (3,)"
    )


def test_an_unused_input_is_an_error_unless_allowed():
    x, z = leaf(1.0), dg.tensor([5.0], requires_grad=True, name="z")
    y = (x * 2).sum()
    assert message(lambda: grad(y, [x, z], retain_graph=True)) == (
        "grad: input 1 was not used to compute the outputs.\n"
        "  input 1: z of shape (1,), dtype float32\n"
        "grad(..., allow_unused=True) gives None for it, materialize_grads=True zeros."
    )
    assert grad(y, [x, z], allow_unused=True, retain_graph=True)[1] is None
    assert grad(y, [x, z], materialize_grads=True)[1].tolist() == [0.0]


def test_an_input_that_requires_no_gradient_is_an_error():
    x, c = leaf(1.0), dg.tensor([1.0])
    assert message(lambda: grad((x * c).sum(), [c])) == (
        "grad: input 0 does not require a gradient.\n"
        "  input 0: tensor of shape (1,), dtype float32\n"
        "x.requires_grad_() before it is used makes it require one."
    )


def test_grad_leaves_the_leaves_alone_and_takes_tensors_on_the_way():
    x = leaf(3.0)
    y = x * x
    z = (y * y).sum()
    by_y, by_x = grad(z, [y, x])
    assert (by_y.tolist(), by_x.tolist(), x.grad) == ([18.0], [108.0], None)


def test_backward_with_inputs_gives_gradients_to_them_alone():
    x, y = leaf(1.0), leaf(2.0)
    (x * y).sum().backward(inputs=[x])
    assert (x.grad.tolist(), y.grad) == ([2.0], None)


def test_nothing_is_computed_for_an_input_that_wants_none():
    asked = []

    class Spy(dg.Function):
        def forward(self, x, y):
            return x + y

        def backward(self, grad):
            asked.append(self.needs_input_grad)
            return grad, grad

    x, y = leaf(1.0), leaf(2.0)
    z = Spy.apply(x, y).sum()
    grad(z, x, retain_graph=True)
    z.backward()
    Spy.apply(x, dg.ones(1)).sum().backward()
    assert asked == [(True, False), (True, True), (True, False)]


def test_several_roots_add_up():
    x = leaf(1.0, 2.0)
    backward([x.sum(), (x * x).sum()])
    assert x.grad.tolist() == [3.0, 5.0]


def test_an_exception_in_a_rule_leaves_every_gradient_as_it_was():
    class Broken(dg.Function):
        def forward(self, x):
            return x * 1

        def backward(self, grad):
            raise ZeroDivisionError("in the rule")

    x, y = leaf(1.0), leaf(2.0)
    loss = (y * 2 + Broken.apply(x)).sum()
    with pytest.raises(ZeroDivisionError):
        loss.backward()
    assert (x.grad, y.grad) == (None, None)
    (y * 2).sum().backward()
    assert y.grad.tolist() == [2.0]


def test_no_cycle_keeps_a_graph_alive():
    gc.collect()
    gc.disable()
    try:
        x = leaf(1.0, 2.0)
        y = x * x
        y.retain_grad()
        node = weakref.ref(y.grad_fn)
        z = (y + x).sum()
        z.backward()
        del y, z
        assert node() is None
    finally:
        gc.enable()


def test_saved_values_go_as_soon_as_a_node_has_run():
    x = leaf(1.0, 2.0)
    y = x * x
    assert y.grad_fn.nbytes_saved == 16
    y.sum().backward()
    assert y.grad_fn.nbytes_saved == 0


def test_hooks_see_and_replace_the_whole_gradient():
    x = leaf(1.0)
    y = x * 2
    seen = []
    y.register_hook(lambda g: seen.append(g.tolist()))
    y.register_hook(lambda g: g * 10)
    handle = x.register_hook(lambda g: g + 1)
    (y + y).sum().backward()
    assert (seen, x.grad.tolist()) == ([[2.0]], [41.0])
    handle.remove()
    x.grad = None
    (x * 2).sum().backward()
    assert x.grad.tolist() == [2.0]


def test_retain_grad_keeps_the_gradient_of_a_computed_tensor():
    x = leaf(3.0)
    y = x * x
    y.retain_grad()
    (y * 5).sum().backward()
    assert (y.grad.tolist(), x.grad.tolist()) == ([5.0], [30.0])


def test_create_graph_makes_gradients_that_can_be_differentiated():
    x = leaf(2.0)
    (x**3).sum().backward(create_graph=True)
    first = x.grad
    x.grad = None
    first.sum().backward()
    assert (first.tolist(), x.grad.tolist()) == ([12.0], [12.0])


def test_a_gradient_penalty_trains():
    w = dg.tensor([[0.5, -0.3], [0.2, 0.8]], dtype="float64", requires_grad=True)
    x = dg.tensor([[1.0, 2.0]], dtype="float64", requires_grad=True)

    def penalty(w):
        out = ((x @ w) ** 2).sum()
        (gx,) = grad(out, x, create_graph=True)
        return (gx * gx).sum()

    from demograd.autograd import gradcheck

    assert gradcheck(penalty, w)


def test_a_hessian_vector_product_agrees_with_the_hessian():
    a = np.array([[2.0, 1.0], [1.0, 3.0]])
    x = dg.tensor([0.3, -0.7], dtype="float64", requires_grad=True)
    v = dg.tensor([1.5, -2.0], dtype="float64")
    (first,) = grad((x @ dg.tensor(a) @ x) / 2, x, create_graph=True)
    (product,) = grad((first * v).sum(), x)
    np.testing.assert_allclose(product.numpy(), a @ v.numpy())


def test_threads_add_up_on_shared_parameters():
    w = dg.zeros(50, requires_grad=True)
    start = threading.Barrier(4)

    def work():
        start.wait()
        for _ in range(50):
            (w * 2).sum().backward()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert w.grad.tolist() == [400.0] * 50


def test_each_thread_has_its_own_grad_mode():
    seen = []
    with dg.no_grad():
        thread = threading.Thread(target=lambda: seen.append(dg.is_grad_enabled()))
        thread.start()
        thread.join()
        seen.append(dg.is_grad_enabled())
    assert seen == [True, False]


def test_a_value_overwritten_after_it_was_saved_is_refused():
    x = dg.tensor([1.0, 2.0], requires_grad=True)
    y = x * 1
    z = (y * y).sum()
    y.add_(1.0)
    assert message(z.backward) == (
        "backward: a value that Mul saved was changed in place afterwards.\n"
        "  Mul: saved its input 0, made by Mul, of shape (2,), dtype float32\n"
        "  changed by: add_\n"
        "Change a copy (x = x.clone()), or make the change after backward.\n"
        "Under dg.debug() this message names the lines of both."
    )
    assert x.grad is None


def test_a_change_through_a_view_of_the_saved_memory_is_seen():
    x = dg.tensor([1.0, 2.0], requires_grad=True)
    c = dg.tensor([3.0, 4.0])
    z = (x * c).sum()
    c[0:1].mul_(10.0)
    assert message(z.backward).splitlines()[2] == "  changed by: mul_"


def test_an_optimizer_step_between_forward_and_backward_is_refused():
    w = dg.tensor([1.0], requires_grad=True)
    loss = (w * w).sum()
    with dg.no_grad():
        w -= 0.1
    assert message(loss.backward).splitlines()[0] == (
        "backward: a value that Mul saved was changed in place afterwards."
    )


def test_a_hook_that_changes_its_gradient_in_place_changes_that_one_only():
    def double(gradient):
        gradient.mul_(2)

    for create_graph in (False, True):
        a, b, given = leaf(1.0, 2.0), leaf(1.0, 2.0), dg.ones(2)
        doubled, plain = a * 1, b * 1
        doubled.register_hook(double)
        (plain + doubled).backward(given, create_graph=create_graph)
        assert (a.grad.tolist(), b.grad.tolist()) == ([2.0, 2.0], [1.0, 1.0])
        assert given.tolist() == [1.0, 1.0]


def test_gradients_that_are_returned_share_no_memory():
    a, b, given = leaf(1.0, 2.0), leaf(1.0, 2.0), dg.ones(2)
    for create_graph in (False, True):
        by_a, by_b = grad(a + b, [a, b], given, create_graph=create_graph)
        by_a.mul_(5)
        assert (by_b.tolist(), given.tolist()) == ([1.0, 1.0], [1.0, 1.0])


def test_gradients_that_are_kept_share_no_memory():
    a, b = leaf(1.0, 2.0), leaf(1.0, 2.0)
    (a + b).sum().backward(create_graph=True)
    a.grad.detach().mul_(5)
    assert b.grad.tolist() == [1.0, 1.0]
    x = leaf(1.0, 2.0)
    first = x + 0
    second = first + 0
    first.retain_grad()
    second.retain_grad()
    given = dg.ones(2)
    second.backward(given)
    second.grad.zero_()
    assert (first.grad.tolist(), given.tolist()) == ([1.0, 1.0], [1.0, 1.0])


def test_a_recorded_pass_is_recorded_inside_no_grad():
    x, hooked = leaf(1.0, 2.0), leaf(3.0)
    hooked.register_hook(lambda gradient: gradient * hooked)
    for _ in range(2):
        y = (x * x).sum() + (hooked * hooked).sum()
        with dg.no_grad():
            y.backward(create_graph=True)
        assert x.grad.requires_grad
    # Twice 2x * x, of which 8x is the derivative; the hook multiplies that by x again.
    assert grad(hooked.grad, hooked)[0].tolist() == [72.0]


def test_a_retained_gradient_that_is_also_wanted_counts_once():
    x = leaf(1.0, 2.0)
    y = x * 2
    y.retain_grad()
    (y * y).sum().backward(inputs=[y])
    assert y.grad.tolist() == [4.0, 8.0]


def test_a_leaf_that_was_frozen_since_is_given_no_gradient():
    x = leaf(1.0)
    y = x * 2
    x.requires_grad = False
    y.backward()
    assert x.grad is None
