"""Arrays that count what is done with them, as an array library for demograd."""

from demograd_counted._arrays import Array, operations
from demograd_counted._backend import CountedBackend

__all__ = ["Array", "CountedBackend", "operations"]
