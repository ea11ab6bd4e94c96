"""What the transforms of ``demograd.func`` cost, as ratios to the function that they transform.

The numbers on the page about transforms come from here::

    hatch run python tests-integration/bench/transforms.py

Each is the least of many runs, in turns with what it is compared with.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

import demograd as dg
from demograd import func

RNG = np.random.default_rng(0)
ROUNDS, SECONDS = 20, 0.02


def draw(*shape: int) -> dg.Tensor:
    return dg.tensor(0.1 * RNG.standard_normal(shape).astype("float32"))


def least(*works: Callable[[], object]) -> list[float]:
    """Seconds for each work, by the best of some rounds in which they take turns."""
    best = [float("inf")] * len(works)
    for _ in range(ROUNDS):
        for number, work in enumerate(works):
            start, runs = time.perf_counter(), 0
            while (spent := time.perf_counter() - start) < SECONDS or not runs:
                work()
                runs += 1
            best[number] = min(best[number], spent / max(runs, 1))
    return best


WEIGHTS = [draw(784, 256), draw(256, 128), draw(128, 10)]


def perceptron(x: dg.Tensor) -> dg.Tensor:
    for number, w in enumerate(WEIGHTS):
        x = x @ w
        if number < 2:
            x = x.tanh()
    return x


def perceptron_forward(x: dg.Tensor, v: dg.Tensor) -> tuple[dg.Tensor, dg.Tensor]:
    """Value and derivative as a forward mode would compute them, written out by hand."""
    for number, w in enumerate(WEIGHTS):
        x, v = x @ w, v @ w
        if number < 2:
            x = x.tanh()
            v = v * (1 - x * x)
    return x, v


def chain(x: dg.Tensor) -> dg.Tensor:
    y = x
    for _ in range(100):
        y = y * x + 1.0
    return y


def chain_forward(x: dg.Tensor, v: dg.Tensor) -> tuple[dg.Tensor, dg.Tensor]:
    y, t = x, v
    for _ in range(100):
        y, t = y * x + 1.0, t * x + y * v
    return y, t


def products() -> None:
    works = {
        "perceptron, batch 128": (perceptron, perceptron_forward, draw(128, 784)),
        "scalar chain of 200": (chain, chain_forward, dg.tensor(0.5)),
    }
    for name, (function, forward, x) in works.items():
        v = dg.ones_like(x)
        value, by_vjps = func.jvp(function, (x,), (v,))
        np.testing.assert_allclose(by_vjps.numpy(), forward(x, v)[1].numpy(), rtol=1e-3, atol=1e-4)
        plain, by_hand, trick, reverse = least(
            dg.no_grad(lambda f=function, x=x: f(x)),
            dg.no_grad(lambda f=forward, x=x, v=v: f(x, v)),
            lambda f=function, x=x, v=v: func.jvp(f, (x,), (v,)),
            lambda f=function, x=x, u=value: func.vjp(f, x)[1](u),
        )
        print(f"{name}: the function {plain * 1e3:.2f} ms")
        print(f"  jvp, forward mode by hand  {by_hand / plain:5.1f}")
        print(f"  jvp, by two vjps           {trick / plain:5.1f}")
        print(f"  vjp                        {reverse / plain:5.1f}")


def jacobians() -> None:
    narrow, wide = draw(20, 64), draw(64, 200)

    def widens(x: dg.Tensor) -> dg.Tensor:
        return (x @ narrow).tanh() @ wide

    def narrows(x: dg.Tensor) -> dg.Tensor:
        return (x @ wide.mT).tanh() @ narrow.mT

    def number(x: dg.Tensor) -> dg.Tensor:
        return (narrows(x) ** 2).sum()

    for name, function, x in (("20 to 200", widens, draw(20)), ("200 to 20", narrows, draw(200))):
        rows, columns = least(
            lambda f=function, x=x: func.jacrev(f)(x), lambda f=function, x=x: func.jacfwd(f)(x)
        )
        print(f"Jacobian, {name}: jacrev {rows * 1e3:.2f} ms, jacfwd {columns * 1e3:.2f} ms")
    x = draw(200)
    found = least(
        lambda: func.jacrev(func.jacrev(number))(x),
        lambda: func.jacfwd(func.jacrev(number))(x),
        lambda: func.jacrev(func.jacfwd(number))(x),
    )
    rows, forward, reverse = (1e3 * seconds for seconds in found)
    print(f"Hessian of 200: by rows twice {rows:.2f} ms, columns of rows {forward:.2f}, "
          f"rows of columns {reverse:.2f}")  # fmt: skip


def samples() -> None:
    w, x = draw(64, 32), draw(128, 64)

    def loss(w: dg.Tensor, x: dg.Tensor) -> dg.Tensor:
        return ((x @ w).tanh() ** 2).sum()

    gradient = func.grad(loss)
    each, loop, over, whole = least(
        lambda: func.vmap(gradient, in_dims=(None, 0))(w, x),
        lambda: [gradient(w, row) for row in x],
        lambda: func.grad(lambda w: func.vmap(loss, in_dims=(None, 0))(w, x).sum())(w),
        lambda: gradient(w, x),
    )
    print(f"Gradients of 128 samples: vmap(grad) {each * 1e3:.2f} ms, a loop {loop * 1e3:.2f} ms")
    print(f"One gradient over them: grad(vmap) {over * 1e3:.2f} ms, "
          f"written for a batch {whole * 1e3:.2f} ms")  # fmt: skip


if __name__ == "__main__":
    products()
    jacobians()
    samples()
