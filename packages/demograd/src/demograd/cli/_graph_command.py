"""``demograd graph``."""

from __future__ import annotations

from pathlib import Path

import click

from demograd.cli._options import debug_option, dropout_option, hidden_option

__all__ = ["graph"]


@click.command(short_help="Draw the computational graph of a network.")
@hidden_option
@dropout_option
@click.option(
    "--inputs", type=click.IntRange(1), default=64, show_default=True, help="Numbers a sample."
)
@click.option(
    "--classes",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    help="Classes it tells apart.",
)
@click.option(
    "--batch-size", type=click.IntRange(1), default=32, show_default=True, help="Samples a step."
)
@click.option(
    "--loss/--no-loss",
    default=True,
    show_default=True,
    help="Whether the cross-entropy loss is drawn, or the network alone.",
)
@click.option(
    "--direction",
    type=click.Choice(["TB", "LR", "BT", "RL"], case_sensitive=False),
    default="TB",
    show_default=True,
    help="Where the data flow: downwards, to the right, upwards, to the left.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    default="graph.svg",
    show_default=True,
    help="The picture; its ending says the format. .svg, .html and .dot always work, .png, .pdf "
    "and others need Graphviz. A former picture is replaced.",
)
@debug_option
def graph(
    hidden: tuple[int, ...],
    dropout: float,
    inputs: int,
    classes: int,
    batch_size: int,
    loss: bool,
    direction: str,
    out: Path,
) -> None:
    """Draw what a step of a multilayer perceptron computes.

    Tensors are boxes with their shape and type, operations are ellipses, and each layer stands in
    a frame with its parameters.

    \b
    Examples:
      demograd graph
      demograd graph --hidden 32 --out small.png
      demograd graph --hidden none --inputs 784 --no-loss --direction LR --out softmax.html
    """
    import numpy as np

    import demograd as dg
    from demograd import nn, viz
    from demograd.cli._network import perceptron

    sizes = (inputs, *hidden, classes)
    model = perceptron(sizes, dropout)
    result = model(dg.zeros(batch_size, inputs))
    result.name = "scores"
    if loss:
        result = nn.CrossEntropyLoss()(result, dg.tensor(np.zeros(batch_size, np.int64)))
        result.name = "loss"
    name = "-".join(map(str, sizes))
    picture = viz.graph(result, model=model, name=name, direction=direction.upper())
    click.echo(f"graph: {picture.export(out)}")
