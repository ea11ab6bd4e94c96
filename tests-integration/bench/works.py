"""The works that are timed, each written once for demograd and once for PyTorch.

Both sides read alike: the names are PyTorch's on purpose.
"""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from measure import Step

import demograd as dg

LIBRARIES: dict[str, Any] = {"demograd": dg, "torch": torch}
CHAIN = 500


def both(make: Callable[[Any], Step]) -> dict[str, Callable[[], Step]]:
    """The same preparation for each library."""
    return {name: lambda library=library: make(library) for name, library in LIBRARIES.items()}


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
