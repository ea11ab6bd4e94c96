"""Choosing which leaves of a graph are drawn alone, which together, and which not at all."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demograd.viz._fold import Unit
from demograd.viz._record import CONSTANT, Record

__all__ = ["Leaves", "gather"]


@dataclass(frozen=True)
class Leaves:
    """The leaves by how they are drawn.

    Attributes:
        groups: leaves that share a box, mostly one, and the units that use them.
        hidden: by the number of a folded unit, the leaves that it alone uses.
    """

    groups: list[tuple[list[int], list[int]]]
    hidden: dict[int, list[int]]


def gather(
    record: Record,
    units: Sequence[Unit],
    unit_of: NDArray[np.int64],
    roots: Collection[int],
    limit: int,
) -> Leaves:
    """Sort a graph's leaves.

    What only a folded unit uses is hidden in it. If more than ``limit`` are left, those with the
    same users share a box; if that does not help, those with the same first user do.

    Args:
        record: the graph.
        units: what is drawn of its operations.
        unit_of: the unit of each operation.
        roots: the leaves that were asked for themselves; they always stand alone.
        limit: how many may be drawn one by one.
    """
    used = record.sources < CONSTANT
    uses = np.stack([-2 - record.sources[used], unit_of[record.consumers[used]]])
    users: dict[int, list[int]] = {root: [] for root in roots}
    for leaf, unit in np.unique(uses, axis=1).T.tolist():
        users.setdefault(leaf, []).append(unit)
    hidden: dict[int, list[int]] = {}
    shown: list[int] = []
    for leaf, its_users in users.items():
        if leaf not in roots and len(its_users) == 1 and units[its_users[0]].kind != "operation":
            hidden.setdefault(its_users[0], []).append(leaf)
        else:
            shown.append(leaf)
    groups: dict[tuple[int, ...], list[int]] = {}
    # From the finest division to the coarsest: all users, the first user.
    for length in (len(units), 1):
        groups = {}
        for leaf in shown:
            alone = leaf in roots or len(shown) <= limit
            key = (-1, leaf) if alone else tuple(users[leaf][:length])
            groups.setdefault(key, []).append(leaf)
        if len(groups) <= max(limit, len(units)):
            break
    return Leaves(
        [(group, sorted({unit for leaf in group for unit in users[leaf]})) for group in
         groups.values()],
        hidden,
    )  # fmt: skip
