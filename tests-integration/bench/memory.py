"""The peak memory of a work's step above the idle process, each in a process of its own.

``python memory.py demograd lenet`` measures one work of one library, and prints bytes. What is idle
has imported the library, and made the model, the optimizer and the data, but has run no step: after
one, memory that is free but not given back would count as idle. So the number holds gradients,
the optimizer's state, and what a library sets up when it is first used.
"""

import importlib
import statistics
import subprocess
import sys
from pathlib import Path

from works import WORKS

THREADS = 2
STEPS = 5
STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def peak_bytes(library: str, key: str, rounds: int = 3) -> float | None:
    """The median over fresh processes; None where the system does not tell (only Linux does)."""
    if not STATUS.exists():
        return None
    command = [sys.executable, __file__, library, key]
    return statistics.median(
        int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        for _ in range(rounds)
    )


def resident(kind: str) -> int:
    """Bytes of memory that the process holds now (``VmRSS``) or has held at most (``VmHWM``)."""
    for line in STATUS.read_text().splitlines():
        if line.startswith(f"{kind}:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"{STATUS} has no {kind}")


def measure(library: str, key: str) -> int:
    """Bytes of one work of one library, in this process."""
    module = importlib.import_module(library)
    if library == "torch":
        module.set_num_threads(THREADS)
    (work,) = [work for work in WORKS if work.key == key]
    step = work.make(module)
    RESET.write_text("5")  # the peak so far is forgotten
    idle = resident("VmRSS")
    for _ in range(min(STEPS, work.rounds)):
        step()
    return resident("VmHWM") - idle


if __name__ == "__main__":
    print(measure(*sys.argv[1:]))
