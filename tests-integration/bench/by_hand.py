"""The step of two moons written out in NumPy: what is left when nothing is recorded or asked.

python tests-integration/bench/by_hand.py     print the microseconds of a step

The same calls as demograd's rules make, forward and backward, and the same update; it is the floor
of the work ``moons`` in the benchmark.
"""

import numpy as np
from measure import time_step


def moons_by_hand() -> float:
    """Microseconds of a step, the least of many."""
    draw = np.random.default_rng(0)
    x = draw.standard_normal((100, 2)).astype(np.float32)
    y = draw.choice([-1.0, 1.0], (100, 1)).astype(np.float32)
    sizes = [(2, 16), (16, 16), (16, 1)]
    weights = [draw.standard_normal((m, n)).astype(np.float32) / 4 for n, m in sizes]
    biases = [np.zeros(m, np.float32) for _, m in sizes]
    ones = np.ones(100, np.float32)
    rate, penalty = np.float32(0.1), np.float32(1e-4)

    def step() -> None:
        inputs = [x]
        for number, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            out = inputs[-1].dot(weight.T)
            out += bias
            inputs.append(np.maximum(out, 0) if number < 2 else out)
        margin = np.maximum(1 - y * inputs.pop(), 0)
        loss = np.add.reduce(margin, axis=None) / 100
        for p in [*weights, *biases]:
            loss = loss + penalty * np.add.reduce(p * p, axis=None)
        grad = np.full((100, 1), np.float32(1 / 100))
        grad = -np.multiply(grad.view(np.int32), margin != 0).view(np.float32) * y
        for number in (2, 1, 0):
            weight, bias, value = weights[number], biases[number], inputs[number]
            of_weight, of_bias = grad.T.dot(value), ones.dot(grad)
            if number:
                grad = grad.dot(weight)
                grad = np.multiply(grad.view(np.int32), value != 0).view(np.float32)
            for p, g in ((weight, of_weight), (bias, of_bias)):
                half = np.full(p.shape, penalty)
                g = g + half * p + half * p
                p -= rate * g

    for _ in range(100):
        step()
    return min(time_step(step, 100) for _ in range(50))


if __name__ == "__main__":
    print(f"two moons, a step written out in NumPy: {moons_by_hand():.1f} us")
