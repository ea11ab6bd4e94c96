"""Options that several commands have, and the kinds of values that they take."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, TypeVar

import click

__all__ = ["debug_option", "dropout_option", "hidden_option", "is_debugging", "rate", "setting"]

F = TypeVar("F", bound=Callable[..., Any])

DEBUG = "demograd.cli.debug"
WIDEST = 100_000


def layers(text: str | tuple[int, ...]) -> tuple[int, ...]:
    """Widths of layers: ``128,64``; ``none`` for no hidden layer."""
    if isinstance(text, tuple):
        return text
    if text.strip() in ("", "none"):
        return ()
    try:
        widths = tuple([int(part) for part in text.split(",")])
    except ValueError:
        message = f"{text!r} is not a list of whole numbers, such as 128,64."
        raise click.BadParameter(message) from None
    if not all(1 <= width <= WIDEST for width in widths):
        raise click.BadParameter(f"{text!r}: a layer has 1 to {WIDEST:,} units.")
    return widths


def rate(text: str) -> float:
    """A learning rate: finite, at least 0."""
    try:
        value = float(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a number.") from None
    if not (math.isfinite(value) and value >= 0):
        raise click.BadParameter(f"{text!r}: a learning rate is finite and at least 0.")
    return value


def setting(text: str | tuple[str, Any]) -> tuple[str, Any]:
    """``NAME=VALUE``: the value as JSON where it is JSON, else as text."""
    if isinstance(text, tuple):
        return text
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        message = f"{text!r} is not of the form NAME=VALUE, such as momentum=0.9."
        raise click.BadParameter(message)
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _remember(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        ctx.find_root().meta[DEBUG] = True


def is_debugging(ctx: click.Context) -> bool:
    """Whether ``--debug`` was given, to the command itself or to one of its parts."""
    return bool(ctx.find_root().meta.get(DEBUG))


def debug_option(command: F) -> F:
    """``--debug``: errors with their traceback."""
    return click.option(
        "--debug",
        is_flag=True,
        expose_value=False,
        callback=_remember,
        help="Show the traceback of an error.",
    )(command)


def hidden_option(command: F) -> F:
    """``--hidden``: the widths of the hidden layers."""
    return click.option(
        "--hidden",
        type=layers,
        metavar="N,N,...",
        default="128,64",
        show_default=True,
        help="Units of each hidden layer; 'none' for no hidden layer.",
    )(command)


def dropout_option(command: F) -> F:
    """``--dropout``: which share of the hidden units is left out."""
    return click.option(
        "--dropout",
        type=click.FloatRange(0, 1, max_open=True),
        default=0.0,
        show_default=True,
        help="Share of the hidden units that training leaves out at random.",
    )(command)
