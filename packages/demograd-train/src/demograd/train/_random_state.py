"""The states of the random generators that a run draws from."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from demograd import Generator, default_generator
from demograd.errors import StateError
from demograd.train._callback import Run

__all__ = ["random_state", "restore_random_state"]

# Where a loader keeps the generator of its order.
PLACES = ("generator", "sampler.generator", "batch_sampler.generator",
          "batch_sampler.sampler.generator")  # fmt: skip


def generators(run: Run) -> dict[str, Generator]:
    """The default generator and those of the loaders, each once."""
    found = {"default_generator": default_generator}
    for name, loader in (("loader", run.loader), ("validation", run.validation)):
        for place in PLACES:
            try:
                generator = attrgetter(place)(loader)
            except AttributeError:
                continue
            if isinstance(generator, Generator) and not any(
                generator is known for known in found.values()
            ):
                found[f"{name}.{place}"] = generator
    return found


def random_state(run: Run) -> dict[str, Any]:
    """The state of each generator, by where it was found."""
    return {place: generator.get_state() for place, generator in generators(run).items()}


def restore_random_state(run: Run, states: Mapping[str, Any]) -> None:
    """Set each generator back; refuses if they are not the ones that were saved."""
    present = generators(run)
    if present.keys() != states.keys():
        raise StateError(
            "fit: the run has other random generators than the checkpoint.",
            [f"checkpoint: {', '.join(states)}", f"run: {', '.join(present)}"],
            "Make the loaders as they were, with a generator of their own or without.",
        )
    for place, generator in present.items():
        generator.set_state(dict(states[place]))
