"""What ``dg.debug`` costs: steps without it and under it, in turns, in one process.

    python tests-integration/bench/debug_cost.py

Prints the table that stands in docs/diagnostics.md. Needs demograd alone.
"""

import gc
import itertools
import os
import platform
import statistics
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import numpy as np

import demograd as dg
from demograd import nn

Step = Callable[[], None]

ROUNDS = 11
SECONDS = 0.1  # about how long each timing lasts

WAYS: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "off": nullcontext,
    "`dg.debug()`": dg.debug,
    "`dg.debug(buffers=False)`": lambda: dg.debug(buffers=False),
    "`detect_anomaly()`": dg.autograd.detect_anomaly,
}


def scalar_chain() -> Step:
    """``y * c + x0`` 500 times, forward and backward."""
    x = dg.tensor(1.0, requires_grad=True)
    c, x0 = dg.tensor(0.9999), dg.tensor(1e-4)

    def step() -> None:
        y = x
        for _ in range(500):
            y = y * c + x0
        y.backward()

    return step


def moons_step() -> Step:
    """micrograd's demonstration: 2-16-16-1, batch 100, hinge loss with L2, SGD."""
    model = nn.Sequential(
        nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1)
    )
    draw = np.random.default_rng(0)
    x = dg.tensor(draw.standard_normal((100, 2)).astype(np.float32))
    y = dg.tensor(draw.choice([-1.0, 1.0], (100, 1)).astype(np.float32))
    optimizer = dg.optim.SGD(model.parameters(), lr=0.1)

    def step() -> None:
        optimizer.zero_grad()
        loss = (1 - y * model(x)).relu().mean()
        for p in model.parameters():
            loss = loss + 1e-4 * (p * p).sum()
        loss.backward()
        optimizer.step()

    return step


def mlp_step() -> Step:
    """784-256-128-10, batch 128, cross-entropy, Adam."""
    layers: list[nn.Module] = []
    for i, (n, m) in enumerate(itertools.pairwise((784, 256, 128, 10))):
        layers += [nn.ReLU()] * (i > 0) + [nn.Linear(n, m)]
    model = nn.Sequential(*layers)
    draw = np.random.default_rng(0)
    x = dg.tensor(draw.standard_normal((128, 784)).astype(np.float32))
    y = dg.tensor(draw.integers(0, 10, 128))
    loss_function = nn.CrossEntropyLoss()
    optimizer = dg.optim.Adam(model.parameters())

    def step() -> None:
        optimizer.zero_grad()
        loss_function(model(x), y).backward()
        optimizer.step()

    return step


WORKS = {
    "scalar chain, 1,000 operations": scalar_chain,
    "two moons step": moons_step,
    "MLP 784-256-128-10 step, batch 128": mlp_step,
}


def milliseconds(step: Step, repeat: int) -> float:
    """The processor time of one step, over several in a row: other programs do not count."""
    start = time.process_time()
    for _ in range(repeat):
        step()
    return (time.process_time() - start) / repeat * 1e3


def row(step: Step) -> str:
    """Milliseconds without, and the median ratio to it of each other way."""
    repeat = max(1, int(SECONDS * 1e3 / max(milliseconds(step, 3) for _ in range(3))))
    times: dict[str, list[float]] = {way: [] for way in WAYS}
    gc.collect()
    gc.freeze()
    for _ in range(ROUNDS):
        for way, context in WAYS.items():
            with context():
                times[way].append(milliseconds(step, repeat))
    gc.unfreeze()
    off, *others = times.values()
    ratios = [statistics.median(a / b for a, b in zip(t, off, strict=True)) for t in others]
    cells = [f"{statistics.median(off):.2f} ms", *(f"{ratio:.2f}" for ratio in ratios)]
    return " | ".join(cells)


def main() -> None:
    """Print the table."""
    print(f"| work | {' | '.join(WAYS)} |")
    print("| --- |" + " ---: |" * len(WAYS))
    for name, make in WORKS.items():
        print(f"| {name} | {row(make())} |")
    print(
        f"\n{platform.processor() or platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, NumPy {np.__version__}"
    )


if __name__ == "__main__":
    main()
