"""The works that are timed, each written once for both libraries.

A work takes the library, ``demograd`` or ``torch``, and uses the names that both have.
"""

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from measure import Step
from sequences import gpt_step, lstm_step

CHAIN = 500


def scalar_chain(lib: Any) -> Step:
    """``x * c + x0`` again and again, forward and backward."""
    x = lib.tensor(1.0, requires_grad=True)
    c, x0 = lib.tensor(0.9999), lib.tensor(1e-4)

    def step() -> None:
        y = x
        for _ in range(CHAIN):
            y = y * c + x0
        y.backward()

    return step


def million_chain(lib: Any) -> Step:
    """A chain of 1,000,000 operations: forward, backward, and freeing it."""
    x, c = lib.tensor(1.0, requires_grad=True), lib.tensor(0.9999999)

    def step() -> None:
        y = x
        for _ in range(1_000_000):
            y = y * c
        y.backward()

    return step


def scalar_chain_forward(lib: Any) -> Step:
    """The same, forward only, not recorded."""
    x = lib.tensor(1.0, requires_grad=True)
    c, x0 = lib.tensor(0.9999), lib.tensor(1e-4)

    def step() -> None:
        with lib.no_grad():
            y = x
            for _ in range(CHAIN):
                y = y * c + x0

    return step


def mlp_step(
    sizes: tuple[int, ...], batch: int, optimizer: str, **settings: float
) -> Callable[[Any], Step]:
    """A training step of a multilayer perceptron with ReLU and cross-entropy."""

    def make(lib: Any) -> Step:
        nn = lib.nn
        layers = []
        for i, (n, m) in enumerate(itertools.pairwise(sizes)):
            layers += [nn.ReLU()] * (i > 0) + [nn.Linear(n, m)]
        model = nn.Sequential(*layers)
        draw = np.random.default_rng(0)
        x = lib.tensor(draw.standard_normal((batch, sizes[0])).astype(np.float32))
        y = lib.tensor(draw.integers(0, sizes[-1], batch))
        loss_function = nn.CrossEntropyLoss()
        opt = getattr(lib.optim, optimizer)(model.parameters(), **settings)

        def step() -> None:
            opt.zero_grad()
            loss_function(model(x), y).backward()
            opt.step()

        return step

    return make


def moons_step(lib: Any) -> Step:
    """micrograd's demonstration: 2-16-16-1, batch 100, hinge loss with L2, SGD."""
    nn = lib.nn
    model = nn.Sequential(
        nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1)
    )
    draw = np.random.default_rng(0)
    x = lib.tensor(draw.standard_normal((100, 2)).astype(np.float32))
    y = lib.tensor(draw.choice([-1.0, 1.0], (100, 1)).astype(np.float32))
    opt = lib.optim.SGD(model.parameters(), lr=0.1)

    def step() -> None:
        opt.zero_grad()
        loss = (1 - y * model(x)).relu().mean()
        for p in model.parameters():
            loss = loss + 1e-4 * (p * p).sum()
        loss.backward()
        opt.step()

    return step


def lenet_step(lib: Any) -> Step:
    """A training step of LeNet on images of 28 x 28, batch 64, with Adam."""
    nn = lib.nn
    model = nn.Sequential(
        nn.Conv2d(1, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(32 * 4 * 4, 10),
    )  # fmt: skip
    draw = np.random.default_rng(0)
    x = lib.tensor(draw.standard_normal((64, 1, 28, 28)).astype(np.float32))
    y = lib.tensor(draw.integers(0, 10, 64))
    loss_function = nn.CrossEntropyLoss()
    opt = lib.optim.Adam(model.parameters(), lr=1e-3)

    def step() -> None:
        opt.zero_grad()
        loss_function(model(x), y).backward()
        opt.step()

    return step


class Work(NamedTuple):
    """A work of the benchmark.

    Attributes:
        key: its name in the history, on the command line and for the floor.
        title: its name in the table.
        make: prepares the step for a library.
        target: the ratio of times that is to be reached at most.
        per: how many operations a step has; times are given for one.
        rounds: how often it is timed.
        warm: how many steps come before.
    """

    key: str
    title: str
    make: Callable[[Any], Step]
    target: float | None
    per: int = 1
    rounds: int = 15
    warm: int = 3


WORKS = [
    Work(
        "chain",
        "scalar chain, an operation, forward and backward",
        scalar_chain,
        0.40,
        per=2 * CHAIN,
    ),
    Work(
        "forward",
        "the same, forward only under no_grad",
        scalar_chain_forward,
        0.60,
        per=2 * CHAIN,
    ),
    Work(
        "million",
        "a chain of 1,000,000 operations, forward, backward and free",
        million_chain,
        1.00,
        rounds=3,
        warm=1,
    ),
    Work("moons", "two moons, MLP 2-16-16-1, batch 100, SGD, a step", moons_step, 0.40),
    Work(
        "digits",
        "digits, MLP 64-128-64-10, batch 64, Adam, a step",
        mlp_step((64, 128, 64, 10), 64, "Adam", lr=1e-3),
        None,
    ),
    Work(
        "mlp",
        "MLP 784-256-128-10, batch 128, Adam, a step",
        mlp_step((784, 256, 128, 10), 128, "Adam", lr=1e-3),
        0.70,
    ),
    Work(
        "lenet",
        "LeNet, 1 x 28 x 28, conv 16 and 32 of 5 x 5, batch 64, Adam, a step",
        lenet_step,
        1.00,
    ),
    Work(
        "gpt",
        "GPT, 4 layers, 4 heads, width 128, context 64, batch 16, AdamW, a step",
        gpt_step,
        1.00,
    ),
    Work("lstm", "LSTM cell, 32 steps, width 64, batch 16, Adam, a step", lstm_step, 1.00),
]
