"""Programs drawn at random, under transforms nested at random: the same as with loops."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import demograd as dg
from demograd import func

SAMPLES, SIZE = 3, 2
# Each step takes one or two tensors of shape (2,) or () and gives such a one.
STEPS = {
    "add": lambda a, b: a + b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / (1.5 + b * b),
    "dot": lambda a, b: (a * b).sum() * a,
    "outer": lambda a, b: (a.reshape(-1, 1) * b.reshape(1, -1)).sum(0) * a,
    "where": lambda a, b: dg.where(a > b, a * b, b),
    "cut": lambda a, b: a.detach() * b,
    "log": lambda a, _: dg.operators.log(a * a + 1),
    "power": lambda a, _: a**3 / 4,
    "turn": lambda a, _: a[[-1, 0]] if a.ndim else a * 2,
    "mean": lambda a, b: (a - a.mean()) * b,
    "matrix": lambda a, b: (a.expand(2) @ (b.expand(2).reshape(2, 1) * a.expand(2))) / 2,
    "set": lambda a, b: with_first(a, b),
    "in place": lambda a, b: (a + 0 * b).expand(2).clone().add_(b).mul_(a),
    "slope": lambda a, b: func.grad(lambda v: (v * v * b).sum())(a),
    "along": lambda a, b: func.jvp(lambda v: v * v * v / 3, (a,), (a,))[1] * b,
    "each": lambda a, b: func.vmap(lambda v: v * v * b.sum())(a.expand(2)),
    "each slope": lambda a, b: func.vmap(func.grad(lambda v: v**3 * b.sum()))(a.expand(2)),
}


def with_first(a, b):
    out = a.expand(2) * 1.0 + 0 * b
    out[0] = b.sum()
    return out


def run(program, x, w):
    """The program on its two inputs; every step may use them, a constant and former results."""
    pool = [x, w, dg.tensor([0.5, -1.0], dtype="float64")]
    for name, first, second in program:
        pool.append(STEPS[name](pool[first % len(pool)], pool[second % len(pool)]))
        pool[-1] = pool[-1] / (1 + (pool[-1] * pool[-1]).sum().detach())  # it stays small
    return sum((t * t).sum() for t in pool[3:])


def sloped(program, x, w):
    """A number made of gradients by both inputs."""
    by_x, by_w = func.grad(lambda x, w: run(program, x, w), (0, 1))(x, w)
    return (by_x * by_x).sum() + (by_w * by_x.sum()).sum()


steps = st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 9), st.integers(0, 9))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    program=st.lists(steps, min_size=1, max_size=6),
    of_slopes=st.booleans(),
    numbers=st.booleans(),
    own=st.booleans(),
    seed=st.integers(0, 10**6),
)
def test_a_program_under_transforms_is_the_program_in_loops(program, of_slopes, numbers, own, seed):
    draw = np.random.default_rng(seed)
    shape = () if numbers else (SIZE,)
    x = dg.tensor(draw.standard_normal((SAMPLES, *shape)))
    w = dg.tensor(draw.standard_normal((SAMPLES, SIZE) if own else (SIZE,)))
    one = (lambda x, w: sloped(program, x, w)) if of_slopes else (lambda x, w: run(program, x, w))
    dims = (0, 0 if own else None)

    def at_once(x, w):
        return func.vmap(one, dims)(x, w)

    def in_turn(x, w):
        return [one(x[k], w[k] if own else w) for k in range(SAMPLES)]

    def close(found, expected):
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-7, atol=1e-9)

    np.testing.assert_allclose(at_once(x, w).numpy(), [t.item() for t in in_turn(x, w)], rtol=1e-9)
    over = func.grad(lambda x, w: at_once(x, w).sum(), (0, 1))(x, w)
    expected = func.grad(lambda x, w: sum(in_turn(x, w)), (0, 1))(x, w)
    for found, wanted in zip(over, expected, strict=True):
        close(found, wanted)
    # By the graph of a leaf, without a transform outside.
    a, b = x.clone().requires_grad_(), w.clone().requires_grad_()
    (at_once(a, b).sum() + 0 * a.sum()).backward()
    for leaf, wanted in zip((a, b), expected, strict=True):
        close(dg.zeros_like(wanted) if leaf.grad is None else leaf.grad, wanted)
    # And along a direction, which differentiates the gradients once more.
    v = dg.ones_like(x)
    along = func.jvp(lambda x: at_once(x, w), (x,), (v,))[1]
    np.testing.assert_allclose(
        along.sum().numpy(), (expected[0] * v).sum().numpy(), rtol=1e-7, atol=1e-9
    )
