"""A run of ``demograd train``, from its choices to the last picture."""

from __future__ import annotations

import io
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

import demograd as dg
from demograd import nn, train, viz
from demograd.cli._config import Config, write_config
from demograd.cli._network import make_optimizer, perceptron
from demograd.cli._problem import Problem
from demograd.cli._run_folder import CHECKPOINT, WEIGHTS
from demograd.data import DataLoader
from demograd.errors import ArgumentError

__all__ = ["perform"]

TEST_BATCH = 512
PER_PICTURE = 40


@dataclass
class Result:
    """What training left."""

    name: str
    model: nn.Sequential
    loss: Any
    history: train.History
    measured: dict[str, float]
    seconds: float


def perform(
    config: Config, problem: Problem, folder: Path, *, resume: bool, quiet: bool, pictures: bool
) -> None:
    """Train, write everything into the folder, and say what came of it."""
    result = _train(config, problem, folder, resume=resume, quiet=quiet)
    written = [
        ("weights", folder / WEIGHTS),
        ("checkpoint", folder / CHECKPOINT),
        ("history", folder / "history.json"),
        ("history", folder / "history.csv"),
    ]
    dg.save(result.model.state_dict(), folder / WEIGHTS)
    if pictures:
        written += _pictures(problem, result, folder)
    written.append(("config", write_config(folder, config, problem.about())))
    click.echo("".join(f"{what}: {path}\n" for what, path in written), nl=False)
    click.echo(f"training time: {result.seconds:.1f} s")
    click.echo(f"test loss: {result.measured['loss']:.4f}")
    click.echo(f"test accuracy: {100 * result.measured['accuracy']:.1f} %")


def _train(config: Config, problem: Problem, folder: Path, *, resume: bool, quiet: bool) -> Result:
    dg.manual_seed(config.seed)
    sizes = (problem.inputs, *config.hidden, len(problem.labels))
    model = perceptron(sizes, config.dropout)
    optimizer = make_optimizer(config.optimizer, model, config.settings)
    loss = nn.CrossEntropyLoss(label_smoothing=config.label_smoothing)
    loader = DataLoader(problem.train, batch_size=config.batch_size, shuffle=True)
    test = DataLoader(problem.test, batch_size=TEST_BATCH)
    metrics = {"accuracy": train.accuracy}
    click.echo(
        f"data: {problem.name}, {len(problem.train)} samples to train, {len(problem.test)} to test"
    )
    name = "-".join(map(str, sizes))
    click.echo(
        f"network: {name}, {sum(p.numel() for p in model.parameters()):,} "
        f"parameters; {config.optimizer}, {_rates(optimizer)}"
    )
    if not resume:
        write_config(folder, config, problem.about())
    start = time.perf_counter()
    with np.errstate(all="ignore"):  # a number that is not finite stops the run in words
        history = train.fit(
            model,
            loss,
            optimizer,
            loader,
            epochs=config.epochs,
            # Nothing is chosen by it, so that the test accuracy at the end means what it says.
            validation=test,
            metrics=metrics,
            callbacks=[train.Checkpoint(folder), train.HistoryWriter(folder)],
            resume=folder if resume else None,
            progress=not quiet,
        )
    seconds = time.perf_counter() - start
    if len(history) > config.epochs:
        raise ArgumentError(
            f"train: the run has {len(history)} epochs already.",
            [f"folder: {folder}", f"epochs: {config.epochs}"],
            f"--epochs {len(history) + 30} would train it further.",
        )
    measured = train.evaluate(model, loss, test, metrics)
    return Result(name, model, loss, history, measured, seconds)


def _rates(optimizer: Any) -> str:
    return f"learning rate {float(optimizer.param_groups[0]['lr']):g}"


def _pictures(problem: Problem, result: Result, folder: Path) -> list[tuple[str, Path]]:
    written = [("curves", _write(folder / "curves.png", viz.curves(result.history)))]
    x, classes = problem.test.tensors
    result.model.eval()
    if problem.images is not None:
        with dg.no_grad():
            scores = [result.model(x[i : i + TEST_BATCH]) for i in range(0, len(x), TEST_BATCH)]
        figure = viz.images(
            x.reshape(len(x), *problem.images),
            classes,
            np.concatenate([part.numpy() for part in scores]),
            wrong_only=True,
            count=PER_PICTURE,
            columns=8,
            names=[str(label) for label in problem.labels],
        )
        written.append(("misclassified", _write(folder / "misclassified.png", figure)))
    loss = result.loss(result.model(x[:1]), classes[:1])
    loss.name = "loss"
    with warnings.catch_warnings():
        # That a deep network's graph is folded stands in the picture itself.
        warnings.simplefilter("ignore")
        picture = viz.graph(loss, model=result.model, name=result.name)
    written.append(("graph", picture.export(folder / "graph.svg")))
    return written


def _write(path: Path, figure: Any) -> Path:
    """Write a figure of Matplotlib as PNG, whole or not at all."""
    file = io.BytesIO()
    # Without the date and the version, the same run makes the same file.
    figure.savefig(file, format="png", dpi=120, metadata={"Software": None})
    return train.write_atomically(path, file.getvalue(), operation="train")
