"""Running a model without leaving a trace in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import demograd as dg

__all__ = ["inference", "modules_of"]


def modules_of(model: Any) -> list[tuple[str, Any]]:
    """Path and value of the model (path ``""``) and of its parts, where it can name them."""
    named = getattr(model, "named_modules", None)
    return [("", model)] if named is None else list(named())


@contextmanager
def inference(model: Any) -> Iterator[None]:
    """Evaluation mode without recording; afterwards all is as it was, after an exception too.

    The mode of each part is put back for itself, since a part may have been frozen in evaluation
    mode. So is the state of the default generator.
    """
    modes = [(part, part.training) for _, part in modules_of(model) if hasattr(part, "training")]
    random_state = dg.default_generator.get_state()
    try:
        if modes:
            model.eval()
        with dg.no_grad():
            yield
    finally:
        if modes:
            model.train(modes[0][1])
        for part, mode in modes:
            if part.training != mode:
                part.training = mode
        dg.default_generator.set_state(random_state)
