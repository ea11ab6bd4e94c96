"""The command and its parts; errors are told as text."""

from __future__ import annotations

from typing import Any

import click

import demograd
from demograd.cli._graph_command import graph
from demograd.cli._info_command import info
from demograd.cli._options import debug_option, is_debugging
from demograd.cli._train_command import train
from demograd.errors import DemogradError

__all__ = ["main"]


class Commands(click.Group):
    """A group whose errors are told as text, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except DemogradError as error:
            if is_debugging(ctx):
                raise
            raise click.ClickException(str(error)) from error
        except MemoryError as error:
            if is_debugging(ctx):
                raise
            raise click.ClickException(
                f"the memory does not suffice: {error}\n"
                "Make the network, the batches or the data smaller."
            ) from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(demograd.__version__, prog_name="demograd", message="%(prog)s %(version)s")
@debug_option
def main() -> None:
    """Train neural networks with NumPy, and see everything that happens.

    \b
    demograd train                                   handwritten digits, in seconds
    demograd train --data mine.npz --out runs/mine   your own x and y
    demograd graph --hidden 32 --out graph.svg       the picture of a network
    demograd info                                    what is installed

    Each command has its own --help.
    """


main.add_command(train)
main.add_command(graph)
main.add_command(info)
