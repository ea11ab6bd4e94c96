"""The floor under a step: its matrix products alone, on raw NumPy arrays.

What stands here is what BLAS must do for each work, in the sizes in which the step does it; all
that a step takes beyond it is the elementwise arithmetic, the copies and the recording.
"""

import itertools
import statistics
from typing import NamedTuple

import numpy as np
from measure import Step, time_step


class Product(NamedTuple):
    """``times`` products of matrices, one call for each; the shapes may be those of stacks."""

    times: int
    left: tuple[int, ...]
    right: tuple[int, ...]


def linear(
    rows: int, inputs: int, outputs: int, first: bool = False, times: int = 1
) -> list[Product]:
    """A linear layer: forward, the weight's gradient, and, but for the first layer, the input's."""
    products = [
        Product(times, (rows, inputs), (inputs, outputs)),
        Product(times, (outputs, rows), (rows, inputs)),
    ]
    return products if first else [*products, Product(times, (rows, outputs), (outputs, inputs))]


def mlp(sizes: tuple[int, ...], batch: int) -> list[Product]:
    """The layers of a multilayer perceptron."""
    return [
        product
        for i, (n, m) in enumerate(itertools.pairwise(sizes))
        for product in linear(batch, n, m, first=i == 0)
    ]


def convolution(
    rows: int, columns: int, inputs: int, outputs: int, kernel: int, batch: int, first: bool = False
) -> list[Product]:
    """A convolution to ``rows x columns``, as one product for each row of windows."""
    seen, places = inputs * kernel**2, columns * batch
    products = [
        Product(1, (rows, outputs, seen), (rows, seen, places)),
        Product(1, (rows, seen, places), (rows, places, outputs)),
    ]
    if first:
        return products
    # Each of the rows that there were before sees as many rows of windows as the kernel has rows,
    # but for those at the border.
    before = rows + kernel - 1
    taps = [min(h, kernel - 1, rows - 1, before - 1 - h) + 1 for h in range(before)]
    return products + [
        Product(1, (inputs * kernel, n * outputs), (n * outputs, places)) for n in taps
    ]


def attention(heads: int, length: int, width: int, layers: int) -> list[Product]:
    """Scores and weighted sums, and of each the gradients of both operands."""
    narrow, wide = (heads, length, width), (heads, width, length)
    square = (heads, length, length)
    return [Product(3 * layers, narrow, wide), Product(3 * layers, square, narrow)]


def gpt(layers: int, heads: int, width: int, context: int, words: int, batch: int) -> list[Product]:
    """Query, key and value, attention, projection, two layers of a perceptron, and the head."""
    rows = batch * context
    return [
        *linear(rows, width, 3 * width, times=layers),
        *attention(batch * heads, context, width // heads, layers),
        *linear(rows, width, width, times=layers),
        *linear(rows, width, 4 * width, times=layers),
        *linear(rows, 4 * width, width, times=layers),
        *linear(rows, width, words),
    ]


FLOORS: dict[str, list[Product]] = {
    "moons": mlp((2, 16, 16, 1), 100),
    "digits": mlp((64, 128, 64, 10), 64),
    "mlp": mlp((784, 256, 128, 10), 128),
    "lenet": [
        *convolution(24, 24, 1, 16, 5, 64, first=True),
        *convolution(8, 8, 16, 32, 5, 64),
        *linear(64, 32 * 4 * 4, 10),
    ],
    "gpt": gpt(layers=4, heads=4, width=128, context=64, words=65, batch=16),
    "lstm": [
        *linear(16, 64, 4 * 64, first=True, times=32),
        *linear(16, 64, 4 * 64, times=32),
    ],
}


def products_of(key: str) -> Step:
    """A step that does nothing but a work's matrix products, into memory that is there already."""
    draw = np.random.default_rng(0)
    calls = []
    for times, left, right in FLOORS[key]:
        x = draw.standard_normal(left).astype(np.float32)
        y = draw.standard_normal(right).astype(np.float32)
        calls += [(x, y, np.matmul(x, y))] * times

    def step() -> None:
        for x, y, out in calls:
            np.matmul(x, y, out=out)

    return step


def floor_microseconds(key: str, rounds: int = 15, seconds: float = 0.15) -> float | None:
    """The median time of a work's matrix products; None for a work that has none."""
    if key not in FLOORS:
        return None
    step = products_of(key)
    step()
    repeat = max(1, int(seconds * 1e6 / time_step(step, 3)))
    return statistics.median(time_step(step, repeat) for _ in range(rounds))
