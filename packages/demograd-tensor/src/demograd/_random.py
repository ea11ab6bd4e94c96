"""Random numbers: generators with a seed, and the one that is used when none is given."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from demograd.errors import ArgumentError, DeviceError, StateError

__all__ = [
    "Generator", "default_generator", "generators", "initial_seed", "manual_seed", "no_drawing",
    "stream",
]  # fmt: skip


class Generator:
    """A source of random numbers with a seed and a state that can be kept.

    Args:
        seed: any non-negative integer; from the operating system if left out.

    Attributes:
        numpy: the NumPy generator (PCG64) that draws the numbers.

    >>> a, b = Generator().manual_seed(0), Generator().manual_seed(0)
    >>> bool(a.numpy.random() == b.numpy.random())
    True
    """

    numpy: np.random.Generator

    def __new__(cls, *_: Any) -> Generator:
        generator = super().__new__(cls)
        with _alive_lock:
            _alive.add(generator)
        return generator

    def __init__(self, seed: int | None = None) -> None:
        if seed is None:
            seed = int(np.random.SeedSequence().entropy) % 2**63  # type: ignore[arg-type]
        self.manual_seed(seed)

    def manual_seed(self, seed: int) -> Generator:
        """Start again from a seed; returns the generator itself.

        Raises:
            ArgumentError: the seed is negative.
        """
        if seed < 0:
            raise ArgumentError(
                f"manual_seed: the seed is {seed}.", mend="Use a non-negative integer."
            )
        self._seed = int(seed)
        self.numpy = np.random.Generator(np.random.PCG64(self._seed))
        return self

    def initial_seed(self) -> int:
        """The seed that it was started from."""
        return self._seed

    def get_state(self) -> dict[str, Any]:
        """The state: plain numbers and strings, fit for JSON."""
        return {"seed": self._seed, **self.numpy.bit_generator.state}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from a state that ``get_state`` gave.

        Raises:
            StateError: it is no such state.
        """
        try:
            seed = int(state["seed"])
            self.numpy.bit_generator.state = {k: v for k, v in state.items() if k != "seed"}
            self._seed = seed
        except (KeyError, TypeError, ValueError) as error:
            raise StateError(
                "set_state: this is no state of a Generator.",
                [f"{type(error).__name__}: {error}"],
                "Use what get_state() returned.",
            ) from error


# All that there are: a checkpoint puts them back into the states that they had.
_alive: weakref.WeakSet[Generator] = weakref.WeakSet()
_alive_lock = threading.Lock()


def generators() -> list[Generator]:
    """The generators that there are."""
    with _alive_lock:
        return list(_alive)


default_generator = Generator()
# One stream for all threads would be drawn from in no fixed order; drawing is locked at least.
lock = threading.Lock()


class _Refused(threading.local):
    """What this thread does that no random numbers may be drawn in; nothing as a rule."""

    by: str = ""


_refused = _Refused()


@contextmanager
def no_drawing(by: str) -> Iterator[None]:
    """Refuse to draw in this thread: what is traced is done once, and the numbers would stay."""
    former, _refused.by = _refused.by, by
    try:
        yield
    finally:
        _refused.by = former


def stream(generator: Generator | None) -> np.random.Generator:
    """Where random numbers come from.

    Raises:
        DeviceError: what asks for them is being compiled.
    """
    if _refused.by:
        raise DeviceError(
            f"{_refused.by}: random numbers would be the same at each run of a compiled program.",
            mend="Draw them outside, and give them to the program as an argument.",
        )
    return (default_generator if generator is None else generator).numpy


def manual_seed(seed: int) -> Generator:
    """Start the default generator from a seed, and return it.

    >>> import demograd as dg
    >>> _ = manual_seed(0)
    >>> a = dg.rand(3)
    >>> _ = manual_seed(0)
    >>> b = dg.rand(3)
    >>> a.tolist() == b.tolist()
    True
    """
    return default_generator.manual_seed(seed)


def initial_seed() -> int:
    """The seed of the default generator."""
    return default_generator.initial_seed()
