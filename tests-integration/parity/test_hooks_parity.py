"""Hooks, checkpoints, inference mode and in-place operators: the same program in both libraries.

Each program gives a value that both must agree on; an error counts by its kind.
"""

import numpy as np
import pytest
import torch
import torch.utils.checkpoint

import demograd as dg

KINDS = (IndexError, TypeError, RuntimeError, ValueError)


class Library:
    """The names that differ between the two."""

    def __init__(self, root, checkpoint, checkpoint_sequential):
        self.root = root
        self.checkpoint = lambda f, *args, **kw: checkpoint(f, *args, use_reentrant=False, **kw)
        self.checkpoint_sequential = lambda *args: checkpoint_sequential(*args, use_reentrant=False)

    def __getattr__(self, name):
        return getattr(self.root, name)


LIBRARIES = [
    Library(torch, torch.utils.checkpoint.checkpoint, torch.utils.checkpoint.checkpoint_sequential),
    Library(dg, dg.autograd.checkpoint, dg.autograd.checkpoint_sequential),
]


def leaf(lib, *values):
    return lib.tensor(list(values) or [1.0, 2.0], requires_grad=True)


def plain(value):
    """Tensors as lists, whatever they are in."""
    if isinstance(value, (tuple, list)):
        return [plain(part) for part in value]
    return value.tolist() if hasattr(value, "tolist") else value


def tried(function, *args):
    """What a function gives, or the kind of its error."""
    try:
        return plain(function(*args))
    except KINDS as error:
        return next(kind.__name__ for kind in KINDS if isinstance(error, kind))


def order(lib):
    said = []
    x = leaf(lib)
    y = x * 2
    y.retain_grad()
    y.register_hook(lambda g: (said.append("a"), g * 10)[1])
    y.grad_fn.register_prehook(lambda grads: said.append(plain(grads)))
    y.grad_fn.register_hook(lambda i, o: said.append((plain(i), plain(o))))
    y.register_hook(lambda g: said.append("b"))
    x.register_hook(lambda g: (said.append("x"), g * 3)[1])
    x.register_post_accumulate_grad_hook(lambda t: said.append(plain(t.grad)))
    y.sum().backward()
    return said, y.grad, x.grad, y.retains_grad, x.retains_grad


def hooks_and_a_change_in_place(lib):
    said = []
    x = leaf(lib)
    y = x * 2
    y.retain_grad()
    y.register_hook(lambda g: said.append(("old", plain(g))))
    y.mul_(3)
    y.register_hook(lambda g: said.append(("new", plain(g))))
    (y * y).sum().backward()
    return said, y.grad, x.grad


def replaced(hook, before=False):
    def program(lib):
        x, w = leaf(lib), lib.tensor(3.0, requires_grad=True)
        y = x * w
        if before:
            y.grad_fn.register_prehook(hook)
        else:
            y.grad_fn.register_hook(hook)
        y.sum().backward()
        return x.grad, w.grad

    return lambda lib: tried(program, lib)


def wanted_inside(lib):
    x = leaf(lib)
    y = x * 2
    y.register_hook(lambda g: g * 7)
    y.grad_fn.register_prehook(lambda grads: (grads[0] * 100,))
    x.register_hook(lambda g: g + 1)
    # One after the other: asked for both, PyTorch gives the first as its hook has not seen it.
    return [lib.autograd.grad(y.sum(), t, retain_graph=True) for t in (y, x)]


def recorded(lib):
    x = leaf(lib)
    y = x**3
    y.register_hook(lambda g: g * x)
    (first,) = lib.autograd.grad(y.sum(), x, create_graph=True)
    return lib.autograd.grad(first.sum(), x)


def removed_inside(lib):
    said = []
    x = leaf(lib)
    handles = [x.register_hook(lambda g: (said.append(1), handles[1].remove())[1])]
    handles.append(x.register_hook(lambda g: said.append(2)))
    for _ in range(2):
        (x * 2).sum().backward()
    return said


def no_post_accumulate(lib):
    return [
        tried(t.register_post_accumulate_grad_hook, print) for t in (lib.ones(2), leaf(lib) * 2)
    ]


class Watched:
    """Programs around one module with backward hooks."""

    def __init__(self, lib, forward):
        class Module(lib.nn.Module):
            def forward(self, *args, **kwargs):
                return forward(*args, **kwargs)

        self.said = []
        self.module = Module()
        self.module.register_full_backward_pre_hook(lambda m, o: self.said.append(plain(o)))
        self.module.register_full_backward_hook(
            lambda m, i, o: self.said.append((plain(i), plain(o)))
        )


def module_hooks(lib):
    x = leaf(lib)
    one = Watched(lib, lambda x: x * 2)
    one.module(x).sum().backward()
    two = Watched(lib, lambda x, *, y: (x * x, y * 3))
    two.module(x, y=leaf(lib))[0].sum().backward()
    linear = lib.nn.Linear(2, 1)
    said = []
    linear.register_full_backward_hook(lambda m, i, o: said.append((plain(i), plain(o))))
    linear(lib.ones(3, 2)).sum().backward()
    return one.said, two.said, said, x.grad


def module_hooks_of_a_recorded_pass(lib):
    x = leaf(lib)
    watched = Watched(lib, lambda x: x * 2)
    (first,) = lib.autograd.grad((watched.module(x) ** 2).sum(), x, create_graph=True)
    first.sum().backward()
    return watched.said, first, x.grad


def module_hooks_replace(lib):
    def module(hook, before):
        made = lib.nn.ReLU()
        if before:
            made.register_full_backward_pre_hook(hook)
        else:
            made.register_full_backward_hook(hook)
        x = leaf(lib)
        made(x).sum().backward()
        return x.grad

    return [
        tried(module, lambda m, i, o: (i[0] * 100,), False),
        tried(module, lambda m, o: (o[0] * 7,), True),
        tried(module, lambda m, o: (o[0], o[0]), True) in ("RuntimeError", "ValueError"),
        tried(module, lambda m, i, o: (i[0], i[0]), False) in ("RuntimeError", "ValueError"),
    ]


def module_hooks_and_a_change_in_place(lib):
    watched = Watched(lib, lambda x: x * 2)
    return tried(lambda: watched.module(leaf(lib)).mul_(2))


def a_call_that_fails(lib):
    said = []

    class Fails(lib.nn.Module):
        def forward(self, x):
            raise ValueError("boom")

    module = Fails()
    module.register_forward_hook(lambda m, a, o: said.append(o), always_call=True)
    module.register_forward_hook(lambda m, a, o: said.append("never"))
    return tried(module, lib.ones(1)), said


def packed_values(lib):
    kept = []
    hooks = lib.autograd.graph.saved_tensors_hooks(
        lambda t: (kept.append(t), len(kept) - 1)[1], lambda number: kept[number]
    )
    x = leaf(lib)
    with hooks:
        y = x * x
        z = y.exp() * 2.0
    (first,) = lib.autograd.grad(z.sum(), x, create_graph=True)
    return len(kept), plain(kept), first, lib.autograd.grad(first.sum(), x)


def packed_and_overwritten(lib):
    x = leaf(lib)
    y = x * 1
    with lib.autograd.graph.saved_tensors_hooks(lambda t: t.clone(), lambda t: t):
        z = (y * y).sum()
    y.mul_(10)
    z.backward()
    return x.grad


def checkpointed(lib):
    x = leaf(lib)
    w = leaf(lib, 0.5, 0.25)

    def block(x, *, scale):
        h = (x * w).tanh() * scale
        h = lib.checkpoint(lambda h: (h * w).exp() * h, h)
        return h, h * x

    first, second = lib.checkpoint(block, x * 1, scale=2.0)
    loss = (first * second).sum()
    gradients = lib.autograd.grad(loss, [x, w], create_graph=True)
    loss2 = sum((g * g).sum() for g in gradients)
    loss2.backward()
    return gradients, x.grad, w.grad


def checkpointed_in_sequence(lib):
    x = leaf(lib)
    layers = [lib.nn.Tanh(), lib.nn.Sigmoid(), lib.nn.Tanh()]
    lib.checkpoint_sequential(lib.nn.Sequential(*layers), 2, x).sum().backward()
    return x.grad


def checkpoints_that_cannot_be_run_again(lib):
    x = leaf(lib)
    calls = []

    def shrinks(x):
        calls.append(1)
        return (x * x if len(calls) == 1 else (x * x)[:1]).exp()

    y = x * 1
    changed = lib.checkpoint(lambda y: (y * y).tanh(), y).sum()
    y.mul_(3)
    return tried(lib.checkpoint(shrinks, x).sum().backward), tried(changed.backward)


def inference(lib):
    ordinary, w = lib.ones(2), leaf(lib)
    with lib.inference_mode():
        a = lib.ones(2)
        inside = [a.is_inference(), ordinary[:1].is_inference(), (w * 2).requires_grad]
        with lib.inference_mode(False):
            inside += [lib.ones(2).is_inference(), (w * 2).requires_grad]
    outside = [t.is_inference() for t in (a[:1], a * 2, a.clone(), a.detach())]
    refused = [
        tried(f)
        for f in (
            lambda: a * w, lambda: a + w, lambda: a.requires_grad_(),
            lambda: a.requires_grad_(False), lambda: (w * 1).mul_(a), lambda: lib.ones(2).add_(a),
            lambda: lib.ones(2).copy_(a),
            # PyTorch refuses these when it has done them.
            lambda: a.add_(1), lambda: a.__setitem__(0, 1.0),
        )
    ]  # fmt: skip
    return inside, outside, refused, lib.is_grad_enabled(), lib.is_inference_mode_enabled()


def doubles_in_place(lib):
    class Double(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x, returned=True):
            x *= 2
            ctx.mark_dirty(x)
            return x if returned else x * 1

        @staticmethod
        def backward(ctx, grad):
            return grad * 2, None

    return Double.apply


def marked_dirty(lib):
    double = doubles_in_place(lib)
    x = leaf(lib)
    y = x * 1
    same = [double(y) is y]
    view = y[:1]
    same.append(double(view) is view)
    y.sum().backward()
    saved = x * 1
    stale = (saved * saved).sum()
    double(saved)
    with lib.no_grad():
        z = x * 1
        same.append(double(z) is z)
    return (
        same, x.grad, y, z, tried(stale.backward), tried(double, x), tried(double, x * 1, False),
    )  # fmt: skip


def an_input_returned(lib):
    class Identity(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, grad):
            return grad * 3

    x = leaf(lib)
    (Identity.apply(x * 1) * 2).sum().backward()
    return x.grad, tried(lambda: Identity.apply(x * 1).mul_(2))


def an_output_returned_twice(lib):
    class Twice(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x * 2
            return y, y

        @staticmethod
        def backward(ctx, first, second):
            return first * 2 + second * 2

    x = leaf(lib)
    first, second = Twice.apply(x)
    (first + 3 * second).sum().backward()
    return x.grad


PROGRAMS = {
    function.__name__.replace("_", " "): function
    for function in (
        order, hooks_and_a_change_in_place, wanted_inside, recorded, removed_inside,
        no_post_accumulate, module_hooks, module_hooks_of_a_recorded_pass, module_hooks_replace,
        module_hooks_and_a_change_in_place, a_call_that_fails, packed_values,
        packed_and_overwritten, checkpointed, checkpointed_in_sequence,
        checkpoints_that_cannot_be_run_again, inference, marked_dirty, an_input_returned,
        an_output_returned_twice,
    )
}  # fmt: skip
PROGRAMS |= {
    "a hook replaces": replaced(lambda i, o: (i[0] * 5, None)),
    "a hook returns too few": replaced(lambda i, o: (i[0],)),
    "a hook returns no tuple": replaced(lambda i, o: i[0]),
    "a hook returns another shape": replaced(lambda i, o: (i[0].sum(), i[1])),
    "a hook returns a number": replaced(lambda i, o: (1.0, i[1])),
    "a pre-hook replaces": replaced(lambda o: (o[0] * 5,), before=True),
    "a pre-hook returns no tuple": replaced(lambda o: o[0], before=True),
}  # fmt: skip


def flat(value):
    """The numbers of a structure, and the structure without them."""
    if isinstance(value, (tuple, list)):
        parts = [flat(part) for part in value]
        return [n for numbers, _ in parts for n in numbers], [kind for _, kind in parts]
    if isinstance(value, float):
        return [value], "number"
    return [], value


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_a_program_with_hooks_gives_what_it_gives_in_pytorch(program):
    (theirs, their_kinds), (ours, our_kinds) = (flat(plain(program(lib))) for lib in LIBRARIES)
    assert our_kinds == their_kinds
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7)
