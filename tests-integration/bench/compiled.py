"""A training step on NumPy (``python compiled.py cpu``), compiled by JAX (``... jit``), or run by
JAX operation by operation (``... jax``).

Milliseconds of one step with Adam, the median of rounds: of the MLP 784-256-128-10, batch 128, and
of a tower of 24 layers of width 32, batch 32. Each way runs in a process of its own: the threads
of the two libraries would take the cores from one another.
"""

import statistics
import sys
import time

import numpy as np

import demograd as dg
from demograd import nn, optim
from demograd.nn import functional as F

ROUNDS, STEPS = 7, 10


def mlp():
    return nn.Sequential(
        nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)
    )


def tower():
    layers = [layer for _ in range(24) for layer in (nn.Linear(32, 32), nn.Tanh())]
    return nn.Sequential(*layers, nn.Linear(32, 10))


def made(make, batch, width, way):
    device = "cpu" if way == "cpu" else "jax"
    dg.manual_seed(0)
    model = make().to(device)
    optimizer = optim.Adam(model.parameters())

    def step(x, y):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    rng = np.random.default_rng(0)
    x = dg.tensor(rng.standard_normal((batch, width)).astype("float32"), device=device)
    y = dg.tensor(rng.integers(0, 10, batch), device=device)
    return (dg.jax.jit(step, model, optimizer) if way == "jit" else step), x, y


def main():
    way = sys.argv[1]
    for make, batch, width in ((mlp, 128, 784), (tower, 32, 32)):
        run, x, y = made(make, batch, width, way)
        run(x, y)
        start = time.perf_counter()
        run(x, y).item()
        second = time.perf_counter() - start
        times = []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            for _ in range(STEPS):
                loss = run(x, y)
            loss.item()  # JAX computes behind the caller's back: wait for it
            times.append((time.perf_counter() - start) / STEPS * 1000)
        found = f"{statistics.median(times):.2f} ms a step, the second one {second:.2f} s"
        print(f"{make.__name__}, {way}: {found}, loss {loss.item():.2e}")


if __name__ == "__main__":
    main()
