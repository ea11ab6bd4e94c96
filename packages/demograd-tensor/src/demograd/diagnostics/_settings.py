"""What this thread wants to be told of."""

from __future__ import annotations

import threading
import weakref
from collections import deque
from dataclasses import dataclass
from typing import Any

from demograd.diagnostics._spot import Spot

__all__ = ["Pass", "Settings", "State", "state"]


@dataclass(frozen=True, slots=True)
class Settings:
    """Which checks are made; see :class:`demograd.diagnostics.debug`."""

    forward: bool = True  # look at the results of operations, and not at gradients alone
    nan: bool = True
    inf: bool = True
    buffers: bool = True
    anomaly: bool = False  # made by detect_anomaly


@dataclass(frozen=True, slots=True, eq=False)
class Pass:
    """A backward pass: where it began, in the graph and in the user's code."""

    roots: tuple[weakref.ref[Any], ...]
    spot: Spot


class State(threading.local):
    """The state of one thread.

    Attributes:
        settings: those in force, None for none: of the block that was entered last.
        blocks: those of all blocks, outermost first.
    """

    # A class attribute is what each thread begins with: DEMOGRAD_DEBUG sets it.
    settings: Settings | None = None

    def __init__(self) -> None:
        self.blocks: list[Settings] = []
        self.running: list[Any] = []  # the nodes whose rules are running, outermost first
        # Passes nest (a hook may differentiate), but not deeply.
        self.passes: deque[Pass] = deque(maxlen=8)


state = State()
