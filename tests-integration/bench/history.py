"""The table over commits: reading it, adding a row, and comparing with the last.

It is a CSV file with a row for each recorded commit: the date, the commit, and for each work the
ratio of times and that of peak memory. A work that a row lacks has an empty place there.
"""

import csv
from pathlib import Path

# A ratio that is a quarter worse than the recorded one is no noise.
SLACK = 1.25
# Below a tenth of PyTorch's, as the memory of some steps is, a quarter is less than is written.
NEGLIGIBLE = 0.1

Row = dict[str, str]


def columns(key: str) -> tuple[str, str]:
    """The columns of a work: the ratio of times, and that of peak memory."""
    return key, f"{key} memory"


def read(path: Path) -> list[Row]:
    """The rows, the oldest first; none where there is no file yet."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def append(path: Path, date: str, commit: str, ratios: dict[str, float]) -> None:
    """Add a row; columns that are new come last."""
    rows = read(path)
    rows.append({"date": date, "commit": commit} | {k: f"{v:.2f}" for k, v in ratios.items()})
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, names, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def complaints(rows: list[Row], ratios: dict[str, float]) -> list[str]:
    """Which of the ratios are a quarter worse than the last that was recorded, in words.

    Raises:
        ValueError: none of them was ever recorded, so that nothing can be compared.
    """
    found, compared = [], 0
    for name, ratio in ratios.items():
        known = [row for row in rows if row.get(name)]
        if not known:
            continue
        compared += 1
        last = known[-1]
        limit = max(float(last[name]) * SLACK, NEGLIGIBLE)
        if ratio > limit:
            found.append(
                f"{name}: the ratio is {ratio:.2f}, a quarter worse than the {last[name]} of "
                f"commit {last['commit']} (more than {limit:.2f})"
            )
    if not compared:
        raise ValueError("nothing to compare with: record a row first, by --record")
    return found
