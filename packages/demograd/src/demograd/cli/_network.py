"""The network and its optimizer, made of the choices of a run."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from demograd import nn
from demograd.errors import ArgumentError, DemogradError
from demograd.interfaces import Optimizer
from demograd.train import get_optimizer

__all__ = ["check_settings", "make_optimizer", "perceptron"]

MOST_PARAMETERS = 100_000_000


def perceptron(sizes: Sequence[int], dropout: float = 0.0) -> nn.Sequential:
    """A multilayer perceptron: linear layers with ReLU, and dropout if any, between them.

    Args:
        sizes: how many numbers go in, come out of each hidden layer, and go out.
        dropout: share of the hidden units that training leaves out.

    Raises:
        ArgumentError: it would have more parameters than a memory holds.
    """
    count = sum((before + 1) * after for before, after in pairwise(sizes))
    if count > MOST_PARAMETERS:
        raise ArgumentError(
            "network: it would be too large.",
            [f"layers: {'-'.join(map(str, sizes))}", f"parameters: {count:,}"],
            f"At most {MOST_PARAMETERS:,} fit: make the hidden layers smaller.",
        )
    layers: list[nn.Module] = []
    for before, after in pairwise(sizes):
        if layers:
            layers.append(nn.ReLU())
            if dropout:
                layers.append(nn.Dropout(dropout))
        layers.append(nn.Linear(before, after))
    return nn.Sequential(*layers)


def check_settings(name: str, settings: Mapping[str, Any]) -> None:
    """Refuse an optimizer that is not installed, or settings that it does not have."""
    accepted = inspect.signature(get_optimizer(name)).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in accepted.values()):
        return
    known = [
        key
        for number, (key, parameter) in enumerate(accepted.items())
        if number and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    ]
    unknown = [key for key in settings if key not in known]
    if unknown:
        raise ArgumentError(
            f"train: the optimizer {name!r} has no setting {unknown[0]!r}.",
            [f"settings: {', '.join(known)}"],
            f"--set {known[0]}=VALUE" if known else "Leave --set out.",
        )


def make_optimizer(name: str, model: nn.Module, settings: Mapping[str, Any]) -> Optimizer:
    """The optimizer of this name for all parameters of a model.

    Raises:
        ArgumentError: it is not installed, or refuses the settings.
    """
    check_settings(name, settings)
    try:
        optimizer: Optimizer = get_optimizer(name)(model.parameters(), **settings)
    except DemogradError:
        raise
    except (TypeError, ValueError) as error:
        raise ArgumentError(
            f"train: the optimizer {name!r} refuses its settings.",
            [f"{key}: {value!r}" for key, value in settings.items()],
            str(error),
        ) from error
    return optimizer
