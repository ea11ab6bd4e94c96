"""Memory that is freed at the end of a training step and wanted again in the next.

The C library of Linux takes arrays above 128 KiB from the system and gives them back at once when
they are freed, and the system clears each page anew that it hands out: two microseconds for each 4
KiB, a sixth of a training step of a small transformer. But glibc learns: when such an array is
freed, arrays up to its size are from then on kept for the next taker, and twice as much in all
(``mallopt(3)``, M_MMAP_THRESHOLD, "dynamic mmap threshold"). Its upper limit is 32 MiB.

So one array just below the limit is taken and freed, untouched, which costs some microseconds and
no memory. Elsewhere this does nothing.
"""

from __future__ import annotations

import numpy as np

__all__ = ["keep_freed_memory"]


def keep_freed_memory() -> None:
    """Let the allocator keep what is freed, up to 62 MiB."""
    np.empty(31 << 20, np.uint8)
