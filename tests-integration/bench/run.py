"""The benchmark: demograd and PyTorch in one process, in turns; prints a Markdown table.

hatch run bench                 print the table
hatch run bench --write FILE    and write it to a file
"""

import argparse
import datetime
import os
import platform
from pathlib import Path

import numpy as np
import torch
import works
from measure import Result, compare, import_milliseconds
from tqdm import tqdm

import demograd as dg

THREADS = 2


def results() -> list[Result]:
    """Time every work."""
    table = [
        ("scalar chain, an operation, forward and backward", works.scalar_chain, 0.5),
        ("the same, forward only under no_grad", works.scalar_chain_forward, None),
        ("two moons, MLP 2-16-16-1, batch 100, SGD, a step", works.moons_step, 0.5),
        (
            "digits, MLP 64-128-64-10, batch 64, Adam, a step",
            works.mlp_step((64, 128, 64, 10), 64, "Adam", lr=1e-3),
            0.8,
        ),
        (
            "MLP 784-256-128-10, batch 128, Adam, a step",
            works.mlp_step((784, 256, 128, 10), 128, "Adam", lr=1e-3),
            0.8,
        ),
    ]
    return [
        compare(
            name,
            works.both(make),
            target=target,
            per=2 * works.CHAIN if "chain" in name or "forward only" in name else 1,
        )
        for name, make, target in tqdm(table, desc="bench", unit="work")
    ]


def machine() -> str:
    """What it was measured on."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = names[0].partition(":")[2].strip() if names else cpu
    return (
        f"{cpu}, {os.cpu_count()} cores, {THREADS} threads each, Python "
        f"{platform.python_version()}, NumPy {np.__version__}, PyTorch {torch.__version__}, "
        f"demograd {dg.__version__}, {datetime.date.today().isoformat()}"
    )


def markdown(found: list[Result]) -> str:
    """The table."""
    lines = [
        "| work | demograd | PyTorch | ratio | at most |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for r in found:
        goal = "" if r.target is None else f"{r.target:.2f}"
        lines.append(
            f"| {r.work} | {r.demograd:,.2f} us | {r.torch:,.2f} us | {r.ratio:.2f} | {goal} |"
        )
    base = import_milliseconds("import numpy")
    ours = import_milliseconds("import demograd") - base
    theirs = import_milliseconds("import torch") - base
    lines.append(
        f"| import, beyond `import numpy` | {ours:.0f} ms | {theirs:,.0f} ms | "
        f"{ours / theirs:.3f} | 60 ms |"
    )
    lines += ["", f"Measured with `hatch run bench` on {machine()}.", ""]
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and write if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, help="write the table to this file as well")
    chosen = parser.parse_args()
    torch.set_num_threads(THREADS)
    table = markdown(results())
    print(table)
    if chosen.write is not None:
        chosen.write.write_text(table)


if __name__ == "__main__":
    main()
