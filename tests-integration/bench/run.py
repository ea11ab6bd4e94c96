"""The benchmark: demograd and PyTorch in one process, in turns; prints a Markdown table.

hatch run bench                     print the table
hatch run bench --only lenet gpt    of these works only
hatch run bench --write FILE        and write it to a file
hatch run bench --record            and add the ratios to the table over commits in the docs
hatch run bench --check             exit with 1 if a ratio is a quarter worse than the last there
hatch run bench --floor             print what the matrix products of each step take alone
"""

import argparse
import datetime
import importlib
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import history
import numpy as np
import torch
from floor import floor_microseconds
from measure import Result, compare, import_milliseconds
from memory import THREADS, peak_bytes
from tqdm import tqdm
from works import WORKS, Work

import demograd as dg

HISTORY = Path(__file__).parents[2] / "docs" / "benchmark-history.csv"


class Found(NamedTuple):
    """A work, the times, and the peak bytes of both libraries where they can be measured."""

    work: Work
    times: Result
    memory: tuple[float, float] | None


def find(works: list[Work], with_memory: bool) -> list[Found]:
    """Measure works."""
    found = []
    for work in tqdm(works, desc="bench", unit="work"):
        steps = {name: work.make(importlib.import_module(name)) for name in ("demograd", "torch")}
        times = compare(steps, per=work.per, rounds=work.rounds, warm=work.warm)
        ours = peak_bytes("demograd", work.key) if with_memory else None
        theirs = peak_bytes("torch", work.key) if with_memory else None
        memory = (ours, theirs) if ours is not None and theirs is not None else None
        found.append(Found(work, times, memory))
    return found


def ratios(found: list[Found]) -> dict[str, float]:
    """All ratios by the columns of the history."""
    out = {}
    for work, times, memory in found:
        time_column, memory_column = history.columns(work.key)
        out[time_column] = times.ratio
        if memory is not None:
            out[memory_column] = memory[0] / memory[1]
    return out


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


def commit() -> str:
    """The commit that is checked out, with a plus if files were changed since."""
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty=+", "--exclude=*"],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parent,
    )
    return said.stdout.strip()


def markdown(found: list[Found]) -> str:
    """The table: microseconds and megabytes of both, and the ratios."""
    lines = [
        "| work | demograd | PyTorch | ratio | at most | memory | PyTorch | ratio | at most |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for work, times, memory in found:
        goal = "" if work.target is None else f"{work.target:.2f}"
        peak = " | | | | "
        if memory is not None:
            ours, theirs = (bytes / 1e6 for bytes in memory)
            peak = f" | {ours:,.1f} MB | {theirs:,.1f} MB | {ours / theirs:.2f} | 1.00 "
        lines.append(
            f"| {work.title} | {times.demograd:,.2f} us | {times.torch:,.2f} us | "
            f"{times.ratio:.2f} | {goal}{peak}|"
        )
    base = import_milliseconds("import numpy")
    ours = import_milliseconds("import demograd") - base
    theirs = import_milliseconds("import torch") - base
    lines.append(
        f"| import, beyond `import numpy` | {ours:.0f} ms | {theirs:,.0f} ms | "
        f"{ours / theirs:.3f} | 60 ms | | | | |"
    )
    lines += ["", f"Measured with `hatch run bench` on {machine()}.", ""]
    return "\n".join(lines)


def floors(works: list[Work]) -> str:
    """The table of what the matrix products take alone, and which part of the step that is."""
    lines = [
        "| work | matrix products alone | the whole step | part |",
        "| --- | ---: | ---: | ---: |",
    ]
    for work in tqdm(works, desc="floor", unit="work"):
        floor = floor_microseconds(work.key)
        if floor is None:
            continue
        step = work.make(dg)
        whole = compare({"demograd": step, "torch": step}).demograd
        lines.append(f"| {work.title} | {floor:,.0f} us | {whole:,.0f} us | {floor / whole:.0%} |")
    return "\n".join([*lines, "", f"Measured with `hatch run bench --floor` on {machine()}.", ""])


def main() -> None:
    """Measure, print, and do what was asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    keys = [work.key for work in WORKS]
    parser.add_argument("--only", nargs="+", choices=keys, default=keys, metavar="WORK")
    parser.add_argument("--no-memory", action="store_true", help="measure times alone")
    parser.add_argument("--floor", action="store_true", help="time the matrix products alone")
    parser.add_argument("--write", type=Path, help="write the table to this file as well")
    parser.add_argument("--record", action="store_true", help=f"add a row to {HISTORY.name}")
    parser.add_argument("--check", action="store_true", help=f"compare with {HISTORY.name}")
    chosen = parser.parse_args()
    torch.set_num_threads(THREADS)
    works = [work for work in WORKS if work.key in chosen.only]
    if chosen.floor:
        table, found = floors(works), []
    else:
        found = find(works, not chosen.no_memory)
        table = markdown(found)
    print(table)
    if chosen.write is not None:
        chosen.write.write_text(table)
    if found and chosen.check:
        try:
            worse = history.complaints(history.read(HISTORY), ratios(found))
        except ValueError as error:
            sys.exit(str(error))
        if worse:
            sys.exit("\n".join(worse))
        print("No ratio is a quarter worse than the last one recorded.")
    if found and chosen.record:
        today = datetime.date.today().isoformat()
        history.append(HISTORY, today, commit(), ratios(found))


if __name__ == "__main__":
    main()
