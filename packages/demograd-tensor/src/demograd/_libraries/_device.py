"""``device``: which library's arrays a tensor is made of, and where their memory is."""

from __future__ import annotations

from typing import Any

__all__ = ["CPU", "device"]


class device(str):
    """Where the memory of a tensor is, and so which array library computes with it.

    ====================  ==========================================================
    device                arrays
    ====================  ==========================================================
    ``cpu``               NumPy's
    ``cuda``, ``cuda:1``  CuPy's, on a GPU
    ``jax``               JAX's, on its default device; ``jax:1`` on its second
    another name          those of the backend that a package declares by this name
    ====================  ==========================================================

    It is a string as well, so ``x.device == "cpu"`` asks what it seems to ask.

    Args:
        type: the kind, or both parts as one string.
        index: which of several.

    Raises:
        DeviceError: there is no such device; those that there are, are listed.

    >>> device("cuda", 1)
    device(type='cuda', index=1)
    >>> device("cuda:1").index
    1
    >>> device("cpu") == "cpu"
    True
    """

    __slots__ = ()

    def __new__(cls, type: str, index: int | None = None) -> device:
        from demograd._libraries._backends import check_name

        text = str(type) if index is None else f"{type}:{index}"
        check_name(text)
        return super().__new__(cls, text)

    @property
    def type(self) -> str:
        """The part before the colon."""
        return str(self).partition(":")[0]

    # The methods of str of this name are of no use here: PyTorch's attribute wins.
    @property
    def index(self) -> Any:
        """The number after the colon, None without one."""
        number = str(self).partition(":")[2]
        return int(number) if number else None

    def __repr__(self) -> str:
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type={self.type!r}{index})"

    def __reduce__(self) -> tuple[Any, ...]:
        return device, (str(self),)

    @classmethod
    def _known(cls, text: str) -> device:
        """A device whose name needs no check."""
        return super().__new__(cls, text)


CPU = device._known("cpu")
