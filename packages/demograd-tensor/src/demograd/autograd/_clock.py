"""The one clock: it numbers nodes as they are made, and in-place changes as they happen."""

from __future__ import annotations

import itertools

__all__ = ["tick"]

# A C-level counter: one call is atomic, so threads never draw the same number.
tick = itertools.count(1).__next__
