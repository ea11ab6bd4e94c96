"""``demograd train``."""

from __future__ import annotations

import os
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from demograd.cli._config import Config
from demograd.cli._options import debug_option, dropout_option, hidden_option, rate, setting
from demograd.errors import DataError

if TYPE_CHECKING:
    from demograd.cli._problem import Problem

__all__ = ["train"]


@click.command(short_help="Train a network on handwritten digits or on your data.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="FILE.npz",
    help="Your data: an array x of shape (N, ...) and an array y of N class numbers, as "
    "numpy.savez(file, x=x, y=y) writes them. Values are taken as they are, so scale them to about "
    "-1 to 1. Every fifth sample of each class is kept for the test. Default: the bundled digits.",
)
@hidden_option
@dropout_option
@click.option(
    "--optimizer",
    metavar="NAME",
    default="adam",
    show_default=True,
    help="An optimizer of any installed package; `demograd info` lists them.",
)
@click.option(
    "--lr", type=rate, metavar="FLOAT", help="Learning rate. Default: the optimizer's own."
)
@click.option(
    "--set",
    "settings",
    type=setting,
    metavar="NAME=VALUE",
    multiple=True,
    help="Another setting of the optimizer, such as momentum=0.9 or betas=[0.9,0.99]; repeatable.",
)
@click.option(
    "--label-smoothing",
    type=click.FloatRange(0, 1),
    default=0.1,
    show_default=True,
    help="Share of the target that is spread over all classes, against overconfidence.",
)
@click.option(
    "--batch-size",
    type=click.IntRange(1),
    default=16,
    show_default=True,
    help="Samples a step.",
)
@click.option(
    "--epochs",
    type=click.IntRange(1),
    default=30,
    show_default=True,
    help="How often to go through the data; with --resume, up to which epoch.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Of the random numbers: the same seed gives the same numbers.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where the results go: a folder that is new or empty. Default: runs/digits-1, then -2 and "
    "so on; with --data, the file's name in place of digits.",
)
@click.option(
    "--resume",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Go on with the run in this folder, as if it had not been interrupted. Its choices hold; "
    "--epochs may be larger than they say.",
)
@click.option(
    "--pictures/--no-pictures",
    default=True,
    show_default=True,
    help="Whether to draw curves.png, misclassified.png and graph.svg.",
)
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@debug_option
@click.pass_context
def train(
    ctx: click.Context, /, resume: Path | None, quiet: bool, pictures: bool, **chosen: Any
) -> None:
    """Train a multilayer perceptron, and keep everything that comes of it.

    Without options it learns the bundled handwritten digits (1,797 images of 8 x 8) in seconds.
    It shows loss and accuracy while it trains, and leaves in its folder:

    \b
    model.safetensors   the weights, for dg.load
    last.safetensors    the checkpoint that --resume goes on from
    history.json, .csv  loss and accuracy of each epoch (val_: of the test samples)
    curves.png          the same as curves
    misclassified.png   the test images that it got wrong
    graph.svg           the computational graph
    config.json         the choices that were made

    \b
    Examples:
      demograd train
      demograd train --hidden 128,64 --optimizer adam --lr 1e-3 --epochs 30 --seed 0
      demograd train --optimizer sgd --lr 0.1 --set momentum=0.9
      demograd train --data mine.npz --hidden 64 --out runs/mine
      demograd train --resume runs/mine --epochs 60
    """
    # Imported here, so that --help and --version answer at once.
    from demograd.cli._network import check_settings
    from demograd.cli._problem import digits, own_data
    from demograd.cli._run import perform
    from demograd.cli._run_folder import new_folder, unfinished

    if resume is None:
        config = _config(chosen)
        check_settings(config.optimizer, config.settings)
        problem = digits() if config.data is None else own_data(Path(config.data))
        folder = new_folder(chosen["out"], problem.name)
    else:
        folder = resume
        config, problem = _resumed(ctx, folder, chosen)
    with unfinished(folder, new=resume is None):
        perform(config, problem, folder, resume=resume is not None, quiet=quiet, pictures=pictures)


def _config(chosen: dict[str, Any]) -> Config:
    settings = dict(chosen["settings"])
    if chosen["lr"] is not None:
        if "lr" in settings:
            raise click.UsageError("The learning rate is given twice, by --lr and by --set lr=...")
        settings["lr"] = chosen["lr"]
    if len(settings) < len(chosen["settings"]):
        raise click.UsageError("A setting is given twice by --set.")
    names = {each.name for each in fields(Config)} - {"data", "settings"}
    data = None if chosen["data"] is None else os.path.abspath(chosen["data"])
    return Config(data=data, settings=settings, **{name: chosen[name] for name in names})


def _resumed(ctx: click.Context, folder: Path, chosen: dict[str, Any]) -> tuple[Config, Problem]:
    """The choices and the data of the run in a folder, which must still be the same."""
    from demograd.cli._config import read_config
    from demograd.cli._problem import digits, own_data

    given = {
        name for name in chosen if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }
    fixed = [
        parameter.opts[0]
        for parameter in ctx.command.params
        if parameter.name in given - {"epochs"}
    ]
    if fixed:
        raise click.UsageError(
            f"--resume keeps the choices that the run was started with: leave out "
            f"{', '.join(fixed)}."
        )
    config, about = read_config(folder)
    problem = digits() if config.data is None else own_data(Path(config.data))
    if about.get("digest") != problem.digest:
        raise DataError(
            "train: the data are not those that the run was started with.",
            [f"data: {config.data or 'the bundled digits'}", f"run: {folder}"],
            "Put back the file as it was, or start anew.",
        )
    return (replace(config, epochs=chosen["epochs"]) if "epochs" in given else config), problem
