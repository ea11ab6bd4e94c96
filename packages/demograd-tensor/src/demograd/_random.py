"""Random numbers: generators with a seed, and the one that is used when none is given."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from demograd.errors import ArgumentError, StateError

__all__ = ["Generator", "default_generator", "initial_seed", "manual_seed"]


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


default_generator = Generator()
# One stream for all threads would be drawn from in no fixed order; drawing is locked at least.
lock = threading.Lock()


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
