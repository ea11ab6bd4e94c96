"""Timing two libraries in one process: in turns, medians, ratios.

The machine's speed drifts, so an absolute time means little and a ratio of times taken one after
the other means much. Each round times every library once, in turns; the ratio that counts is
the median over the rounds of the ratios within a round.
"""

import gc
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

Step = Callable[[], object]


@dataclass(frozen=True)
class Result:
    """Microseconds an operation or step took, by library, and the ratio to PyTorch."""

    demograd: float
    torch: float
    ratio: float


def time_step(step: Step, repeat: int) -> float:
    """Microseconds of one call, over ``repeat`` calls in a row."""
    start = time.perf_counter()
    for _ in range(repeat):
        step()
    return (time.perf_counter() - start) / repeat * 1e6


def compare(
    steps: dict[str, Step],
    *,
    per: int = 1,
    rounds: int = 15,
    seconds: float = 0.15,
    warm: int = 3,
) -> Result:
    """Time the steps of both libraries in turns.

    Args:
        steps: those of ``demograd`` and ``torch``.
        per: how many operations a step has; times are given for one.
        rounds: how often each is timed.
        seconds: about how long each timing lasts.
        warm: how many steps come before the timings.
    """
    repeats = {}
    for library, step in steps.items():
        time_step(step, warm)
        repeats[library] = max(1, int(seconds * 1e6 / time_step(step, warm)))
    # What the imports have left is no business of the collector's during the steps: the objects of
    # one library would be searched on account of the other.
    gc.collect()
    gc.freeze()
    times: dict[str, list[float]] = {library: [] for library in steps}
    for number in range(rounds):
        order = list(steps) if number % 2 == 0 else list(reversed(list(steps)))
        for library in order:
            times[library].append(time_step(steps[library], repeats[library]) / per)
    gc.unfreeze()
    ratios = [a / b for a, b in zip(times["demograd"], times["torch"], strict=True)]
    return Result(
        statistics.median(times["demograd"]),
        statistics.median(times["torch"]),
        statistics.median(ratios),
    )


def import_milliseconds(statement: str, rounds: int = 9) -> float:
    """The median time that a fresh interpreter takes for an import, in milliseconds."""
    code = (
        "import time; start = time.perf_counter(); "
        f"{statement}; print((time.perf_counter() - start) * 1e3)"
    )
    # Compiled files are written by the first run, wherever the environment forbids it or not.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}

    def run() -> float:
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        )
        return float(done.stdout)

    run()
    return statistics.median(run() for _ in range(rounds))
