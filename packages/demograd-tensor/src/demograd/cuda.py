"""Is there a GPU? PyTorch's names for the question; CuPy computes on it.

>>> import demograd as dg
>>> device = "cuda" if dg.cuda.is_available() else "cpu"
>>> dg.zeros(2, device=device).shape
(2,)
"""

from __future__ import annotations

from demograd._libraries._cupy import count_devices, load
from demograd.errors import MissingPackageError

__all__ = ["device_count", "is_available"]


def device_count() -> int:
    """How many GPUs CuPy can use; none where it is not installed.

    >>> device_count() >= 0
    True
    """
    try:
        cupy = load()
    except MissingPackageError:
        return 0
    return count_devices(cupy)


def is_available() -> bool:
    """Whether ``device="cuda"`` can be used.

    >>> is_available() == (device_count() > 0)
    True
    """
    return device_count() > 0
