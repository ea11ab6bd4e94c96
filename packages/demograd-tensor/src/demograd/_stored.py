"""A number put into an element of an array: the gradient ends there, which nobody sees.

``history[i] = loss`` is Python's ``history[i] = float(loss)`` where ``history`` is NumPy's. It is
right for a record of losses and wrong in a computation, so it is warned of. An array that would be
put into an array is refused, by ``__array__``.
"""

from __future__ import annotations

from opcode import opmap
from typing import TYPE_CHECKING

from demograd._place import user_frame
from demograd.errors import warn

if TYPE_CHECKING:
    from demograd._tensor import Tensor

__all__ = ["warn_if_stored"]

_STORES = opmap["STORE_SUBSCR"]


def warn_if_stored(x: Tensor) -> None:
    """Warn where the user's code is at ``a[i] = x``, and not at ``float(x)``."""
    frame = user_frame()
    if frame.f_lasti >= 0 and frame.f_code.co_code[frame.f_lasti] == _STORES:
        warn(
            "a[i] = x: an array's element carries no gradient.",
            [x._describe()],
            "a[i] = x.item() says that it may end there; np.stack keeps it, as a Tensor a does.",
        )
