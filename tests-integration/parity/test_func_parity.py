"""``demograd.func`` against ``torch.func`` and JAX, on a table of functions.

Each function is written once, with operators and with the names that the three libraries share.
"""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import demograd as dg
from demograd import func

jax.config.update("jax_enable_x64", True)
RNG = np.random.default_rng(0)


class Names:
    """The names of demograd that the others spell otherwise."""

    arctan2 = staticmethod(dg.atan2)

    def __getattr__(self, name):
        return getattr(dg, name)


class Demograd:
    np, make = Names(), staticmethod(dg.tensor)
    grad, jacrev, jacfwd, hessian = func.grad, func.jacrev, func.jacfwd, func.hessian
    vjp, jvp, vmap, value_and_grad = func.vjp, func.jvp, func.vmap, func.value_and_grad


class Torch:
    np, make = torch, staticmethod(torch.tensor)
    grad, jacrev, jacfwd = torch.func.grad, torch.func.jacrev, torch.func.jacfwd
    hessian, vjp, jvp, vmap = torch.func.hessian, torch.func.vjp, torch.func.jvp, torch.func.vmap

    @staticmethod
    def value_and_grad(*args, **kwargs):
        both = torch.func.grad_and_value(*args, **kwargs)
        return lambda *xs: both(*xs)[::-1]


class Jax:
    np, make = jnp, staticmethod(jnp.asarray)
    grad, jacrev, jacfwd, hessian = jax.grad, jax.jacrev, jax.jacfwd, jax.hessian
    vjp, jvp, value_and_grad = jax.vjp, jax.jvp, jax.value_and_grad

    @staticmethod
    def vmap(function, in_dims=0, out_dims=0):
        return jax.vmap(function, in_axes=in_dims, out_axes=out_dims)


def leaves(tree):
    """The arrays of nested results, in order of structure; names of dicts sorted."""
    if isinstance(tree, dict):
        return [leaf for key in sorted(tree) for leaf in leaves(tree[key])]
    if isinstance(tree, (list, tuple)):
        return [leaf for part in tree for leaf in leaves(part)]
    if isinstance(tree, torch.Tensor):
        return [tree.numpy(force=True)]
    return [np.asarray(tree)]


def made(library, tree):
    if isinstance(tree, dict):
        return {key: made(library, value) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return type(tree)(made(library, value) for value in tree)
    return library.make(tree)


def compare(compute, *args, tolerance=1e-9):
    """The results of ``compute(library, ...)`` with all libraries, which must agree."""
    ours, theirs = (leaves(compute(lib, *made(lib, args))) for lib in (Demograd, Torch))
    # Compiled as one program: JAX takes ten times as long for the operations one by one.
    of_jax = leaves(jax.jit(lambda *args: compute(Jax, *args))(*made(Jax, args)))
    for others in (theirs, of_jax):
        assert [a.shape for a in ours] == [b.shape for b in others]
        assert [a.dtype for a in ours] == [b.dtype for b in others]
        for a, b in zip(ours, others, strict=True):
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def softmax(xp, x):
    weights = xp.exp(x - x.max())
    return weights / weights.sum()


def smooth_steps(xp, x):
    for _ in range(5):
        x = xp.sin(x) * x + xp.cos(x[0])
    return x


# name: (function of (xp, x), shape of x); each is defined near the x that is drawn.
FUNCTIONS = {
    "number": (lambda xp, x: xp.sin(x) * x, ()),
    "polynomial": (lambda xp, x: x**3 - 2 * x**2 + 1 / x, (3,)),
    "exponentials": (lambda xp, x: xp.exp(x) * xp.log(x * x + 1), (3,)),
    "logistic": (lambda xp, x: 1 / (1 + xp.exp(-x)), (4,)),
    "tanh of a product": (lambda xp, x: xp.tanh(x @ x.T), (3, 3)),
    "softmax": (softmax, (4,)),
    "cross-entropy": (lambda xp, x: -xp.log(softmax(xp, x))[1], (4,)),
    "norm": (lambda xp, x: xp.sqrt((x * x).sum()), (5,)),
    "normalized": (
        lambda xp, x: (x - x.mean()) / xp.sqrt(((x - x.mean()) ** 2).mean() + 1e-5), (5,)
    ),
    "where": (lambda xp, x: xp.where(x > 0, x * x, -x), (6,)),
    "maximum": (lambda xp, x: xp.maximum(x, 2 * x), (6,)),
    "largest": (lambda xp, x: x.max() * x, (4,)),
    "abs": (lambda xp, x: xp.abs(x) * x, (4,)),
    "slices": (lambda xp, x: x[1:] * x[:-1], (5,)),
    "gathered": (lambda xp, x: x[np.array([0, 2, 0])] ** 2, (3,)),
    "picked": (lambda xp, x: x[np.array([0, 1]), np.array([1, 0])] * x[0], (2, 2)),
    "reshaped": (lambda xp, x: x.reshape(2, 3) @ x.reshape(3, 2), (6,)),
    "broadcast": (lambda xp, x: x[:, None] * x[None, :] + x, (3,)),
    "einsum": (lambda xp, x: xp.einsum("ij,jk->ik", x, x), (2, 2)),
    "stacked": (lambda xp, x: xp.stack([x, x * x, xp.exp(x)]), (2,)),
    "cumulative": (lambda xp, x: xp.cumsum(x * x, 0), (4,)),
    "power of itself": (lambda xp, x: xp.abs(x) ** x, (3,)),
    "variance": (lambda xp, x: ((x - x.mean(0)) ** 2).mean(0), (4, 2)),
    "a loop": (smooth_steps, (3,)),
    "arctangent": (lambda xp, x: xp.arctan2(x, x * x + 1), (3,)),
    "constant": (lambda xp, x: x * 0 + 3.0, (2,)),
}  # fmt: skip


def drawn(shape, seed=0):
    values = np.random.default_rng(seed).standard_normal(shape)
    return np.asarray(values + 0.3 * np.sign(values))


@pytest.mark.parametrize("name", FUNCTIONS)
class TestAFunction:
    def setting(self, name):
        function, shape = FUNCTIONS[name]
        return function, drawn(shape)

    def test_has_the_same_gradient_value_and_higher_derivatives(self, name):
        function, x = self.setting(name)

        def compute(lib, x):
            def number(x):
                return (function(lib.np, x) ** 2).sum()

            slope = lib.grad(number)
            second = lib.grad(lambda x: (slope(x) ** 2).sum())
            third = lib.grad(lambda x: (second(x) ** 2).sum())
            return lib.value_and_grad(number)(x), slope(x), second(x), third(x)

        compare(compute, x, tolerance=1e-7)

    def test_has_the_same_jacobians_and_products(self, name):
        function, x = self.setting(name)

        def compute(lib, x, v):
            def f(x):
                return function(lib.np, x)

            value, pull = lib.vjp(f, x)
            along = lib.jvp(f, (x,), (v,))
            curved = lib.jvp(lib.grad(lambda x: (f(x) ** 2).sum()), (x,), (v,))[1]
            return (
                lib.jacrev(f)(x), lib.jacfwd(f)(x), value, pull(value), along, curved,
                lib.hessian(lambda x: (f(x) ** 2).sum())(x),
                lib.jacfwd(lib.jacrev(f))(x), lib.jacrev(lib.jacfwd(f))(x),
            )  # fmt: skip

        compare(compute, x, drawn(x.shape, 1), tolerance=1e-8)

    def test_is_mapped_alike(self, name):
        function, x = self.setting(name)
        many = np.stack([drawn(x.shape, seed) for seed in range(4)], axis=-1)

        def compute(lib, many):
            def f(x):
                return function(lib.np, x)

            def number(x):
                return (f(x) ** 2).sum()

            def over(many):
                return lib.vmap(number, -1)(many).sum()

            def over_slopes(many):
                return (lib.vmap(lib.grad(number), -1)(many) ** 2).sum()

            return (
                lib.vmap(f, -1, 0)(many), lib.vmap(lib.grad(number), -1, -1)(many),
                lib.grad(over)(many), lib.grad(over_slopes)(many),
                lib.vmap(lib.jacrev(f), -1)(many), lib.vmap(lib.hessian(number), -1)(many),
            )  # fmt: skip

        compare(compute, many, tolerance=1e-8)


def test_hvp_is_that_of_pytorch():
    x, v = drawn((4,)), drawn((4,), 1)

    def f(x, xp):
        return (xp.exp(x) * x).sum() * x[0]

    ours = func.hvp(lambda x: f(x, dg), dg.tensor(x), dg.tensor(v))
    theirs = torch.autograd.functional.hvp(lambda x: f(x, torch), torch.tensor(x), torch.tensor(v))
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12)


def test_nested_arguments_and_results_are_built_alike():
    args = ({"w": drawn((2, 3)), "b": [drawn((2,)), drawn(())]}, drawn((3,)))

    def f(p, x):
        y = p["w"] @ x + p["b"][0]
        return {"y": y, "more": (y * p["b"][1], [x * x])}

    def compute(lib, p, x):
        def number(p, x):
            return (f(p, x)["y"] ** 3).sum()

        return (
            lib.grad(number)(p, x), lib.grad(number, argnums=(0, 1))(p, x),
            lib.grad(number, argnums=1)(p, x), lib.jacrev(f, argnums=(0, 1))(p, x),
            lib.jacfwd(f)(p, x), lib.hessian(number)(p, x),
            lib.grad(lambda p: (number(p, x), f(p, x)), has_aux=True)(p),
            lib.value_and_grad(lambda p: (number(p, x), f(p, x)), has_aux=True)(p),
        )  # fmt: skip

    compare(compute, *args)


def test_dims_of_arguments_and_results_mean_the_same():
    args = ({"w": drawn((4, 2, 3)), "b": drawn((2,))}, drawn((3, 4)), drawn(()))

    def compute(lib, p, x, c):
        def f(p, x, c):
            y = p["w"] @ x * c + p["b"]
            return {"y": y, "outer": y[:, None] * x}

        dims = ({"w": 0, "b": None}, 1, None)
        return [
            lib.vmap(f, dims, {"y": 1, "outer": 0})(p, x, c),
            lib.vmap(f, dims, {"y": -1, "outer": 2})(p, x, c),
            lib.vmap(lib.vmap(lambda a, b: a @ b, (0, None)), (None, 1), 1)(p["w"], x),
        ]

    compare(compute, *args)


def test_perturbations_are_not_confused():
    def compute(lib, x, one):
        return [
            lib.grad(lambda x: x * lib.grad(lambda y: x + y)(one))(x),
            lib.grad(lambda x: x * lib.grad(lambda y: x * y)(one))(x),
            lib.grad(lambda x: lib.grad(lambda y: x * y * y)(x))(x),
            lib.grad(lambda x: x * lib.jvp(lambda y: x + y, (one,), (one,))[1])(x),
            lib.jvp(lambda x: x * lib.jvp(lambda y: x * y, (one,), (one,))[1], (x,), (one,)),
            lib.vmap(lambda x: lib.grad(lambda y: x * y * y)(x))(x[None] * lib.np.ones(3)),
        ]

    compare(compute, np.asarray(3.0), np.asarray(1.0))


def test_gradients_of_each_sample_of_a_network_are_the_same():
    params = {"w1": drawn((5, 8)), "b1": drawn((8,)), "w2": drawn((8, 3))}
    x, y = drawn((6, 5)), np.eye(3)[RNG.integers(0, 3, 6)]

    def compute(lib, params, x, y):
        xp = lib.np

        def loss(p, x, y):
            hidden = xp.tanh(x @ p["w1"] + p["b1"])
            return -(xp.log(softmax(xp, hidden @ p["w2"])) * y).sum()

        each = lib.vmap(lib.grad(loss), (None, 0, 0))(params, x, y)
        whole = lib.grad(lambda p: lib.vmap(loss, (None, 0, 0))(p, x, y).mean())(params)
        return each, whole

    compare(compute, params, x, y)


def test_functional_call_is_that_of_pytorch():
    def make(nn):
        return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))

    theirs, ours = make(torch.nn), make(dg.nn)
    ours.load_state_dict(theirs.state_dict())
    x = drawn((5, 3)).astype("float32")
    given = {
        "0.weight": drawn((4, 3)).astype("float32"), "2.bias": drawn((2,)).astype("float32")
    }  # fmt: skip
    a = func.functional_call(ours, {k: dg.tensor(v) for k, v in given.items()}, (dg.tensor(x),))
    b = torch.func.functional_call(
        theirs, {k: torch.tensor(v) for k, v in given.items()}, (torch.tensor(x),)
    )
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-5, atol=1e-6)


# What the arguments are called, and what is refused, is the same as in PyTorch.

LEFT_OUT = {
    "vmap": {"chunk_size"},
    "jacrev": {"chunk_size", "_preallocate_and_copy"},
    "jacfwd": {"randomness"},
    "jvp": {"strict"},
}


@pytest.mark.parametrize(
    "name",
    ["grad", "grad_and_value", "vjp", "jvp", "jacrev", "jacfwd", "hessian", "vmap",
     "functional_call"],
)  # fmt: skip
def test_arguments_have_pytorchs_names_order_and_defaults(name):
    def described(function):
        return [
            (p.name, p.default)
            for p in inspect.signature(function).parameters.values()
            if p.name not in LEFT_OUT.get(name, ())
        ]

    # By keyword only in PyTorch, has_aux may be given by position here as well.
    assert described(getattr(func, name)) == described(getattr(torch.func, name))


REFUSED = {
    "item": lambda lib: lib.vmap(lambda x: x.sum().item())(ones(lib)),
    "if": lambda lib: lib.vmap(lambda x: x if x.sum() > 0 else -x)(ones(lib)),
    "a mask": lambda lib: lib.vmap(lambda x: x[x > 0])(ones(lib)),
    "random numbers": lambda lib: lib.vmap(lambda x: x + lib.np.rand(3))(ones(lib)),
    "in place on what is the same": lambda lib: lib.vmap(
        lambda x: lib.np.zeros(3, dtype=lib.np.float64).add_(x)
    )(ones(lib)),
    "a number to map over": lambda lib: lib.vmap(lambda x, y: x)(ones(lib), 2.0),
    "no such dimension": lambda lib: lib.vmap(lambda x: x, in_dims=2)(ones(lib)),
    "different numbers": lambda lib: lib.vmap(lambda x, y: x, in_dims=(0, 1))(ones(lib), ones(lib)),
    "nothing to map over": lambda lib: lib.vmap(lambda x: x, in_dims=(None,))(ones(lib)),
    "None for a mapped result": lambda lib: lib.vmap(lambda x: x, out_dims=None)(ones(lib)),
    "a result that is no tensor": lambda lib: lib.vmap(lambda x: 1.0)(ones(lib)),
    "dimensions": lambda lib: lib.grad(lambda x: x)(ones(lib)),
    "integers": lambda lib: lib.grad(lambda x: x.sum())(lib.np.ones(2, dtype=lib.np.int64)),
    "no such argument": lambda lib: lib.grad(lambda x: x.sum(), argnums=1)(ones(lib)),
    "another shape": lambda lib: lib.vjp(lambda x: x.sum(), ones(lib))[1](ones(lib)),
    "no tuple": lambda lib: lib.jvp(lambda x: x, ones(lib), (ones(lib),)),
    "another tangent": lambda lib: lib.jvp(lambda x: x, (ones(lib),), (ones(lib).sum(),)),
}


def ones(lib):
    return lib.np.ones(2, 3, dtype=lib.np.float64)


@pytest.mark.parametrize("case", REFUSED)
def test_what_pytorch_refuses_is_refused(case):
    with pytest.raises((RuntimeError, ValueError, IndexError)):
        REFUSED[case](Torch)
    with pytest.raises(dg.errors.DemogradError):
        REFUSED[case](Demograd)


RANDOM = {
    "same": {True},
    "different": {False},
}


@pytest.mark.parametrize("randomness", RANDOM)
def test_randomness_means_the_same(randomness):
    for lib in (Demograd, Torch):
        drawing = lib.vmap(lambda x, lib=lib: lib.np.rand(8), randomness=randomness)
        drawn = drawing(ones(lib)).numpy()
        assert {bool((drawn[0] == drawn[1]).all())} == RANDOM[randomness]


def test_in_place_changes_of_arguments_and_views_are_pytorchs():
    def program(x):
        y = x * 1
        head = y[:2]
        head *= 10
        y[2] = y[0] * 2
        y += x
        return y

    for lib_grad in (False, True):
        found = []
        for lib in (Demograd, Torch):
            x = lib.make(np.arange(6.0).reshape(2, 3))

            def slope(x, lib=lib):
                return lib.grad(lambda x: (program(x) ** 2).sum())(x)

            found.append(lib.vmap(slope if lib_grad else program)(x).numpy())
            given = lib.make(np.arange(6.0).reshape(2, 3))
            lib.vmap(lambda x: x.add_(1))(given)
            found.append(given.numpy())
        np.testing.assert_allclose(found[0], found[2])
        np.testing.assert_allclose(found[1], found[3])
