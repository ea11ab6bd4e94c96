"""Where the time of a training step goes, as a flame graph.

``hatch run flame lenet docs/_static/flame-lenet.svg`` runs 50 steps of one work of demograd, times
each call on each path of calls, those of NumPy included, and has flameprof draw them: a box is as
wide as its function took time, and stands below what it calls. Noting a call takes time itself, so
what consists of many small calls looks wider than it is.
"""

import sys
import time
from pathlib import Path
from typing import Any

import flameprof
from works import WORKS

import demograd as dg

STEPS = 50


def name_of(frame: Any, called: Any) -> str:
    """A function of Python by its qualified name, one of C by its own."""
    return frame.f_code.co_qualname if called is None else getattr(called, "__qualname__", "?")


def timed(step: Any) -> dict[Any, Any]:
    """The statistics of pstats, but with a function on two paths of calls as two of them."""
    nodes: dict[Any, list[float]] = {}  # by path: calls, own time, whole time
    numbers: dict[Any, int] = {}
    stack: list[tuple[Any, float, list[float]]] = []

    def note(frame: Any, event: str, called: Any) -> None:
        now = time.perf_counter()
        if event in ("call", "c_call"):
            name = name_of(frame, called if event == "c_call" else None)
            path = (stack[-1][0] if stack else None, name)
            node = nodes.setdefault(path, [0, 0.0, 0.0])
            numbers.setdefault(path, len(numbers))
            stack.append((path, now, node))
        elif stack:
            _, start, node = stack.pop()
            spent = now - start
            node[0] += 1
            node[1] += spent
            node[2] += spent
            if stack:
                stack[-1][2][1] -= spent

    sys.setprofile(note)
    for _ in range(STEPS):
        step()
    sys.setprofile(None)
    keys = {path: ("", numbers[path], path[1]) for path in nodes}
    return {
        keys[path]: (
            count, count, own, whole,
            {keys[path[0]]: (count, count, own, whole)} if path[0] in keys else {},
        )
        for path, (count, own, whole) in nodes.items() if count
    }  # fmt: skip


def main() -> None:
    """Run the steps, and write the picture."""
    key, target = sys.argv[1:]
    (work,) = [work for work in WORKS if work.key == key]
    step = work.make(dg)
    for _ in range(5):
        step()
    with Path(target).open("w") as file:
        flameprof.render(timed(step), file, threshold=0.002)


if __name__ == "__main__":
    main()
