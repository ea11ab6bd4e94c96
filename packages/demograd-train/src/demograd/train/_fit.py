"""The training loop."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from operator import index
from os import PathLike
from typing import Any, Literal

from demograd import Tensor
from demograd.errors import (
    ArgumentError,
    ArgumentTypeError,
    NonFiniteOperationError,
    StateError,
    warn,
)
from demograd.interfaces import Model, Optimizer
from demograd.train._batch import batches_in, check_loader, no_batch, size_of, split
from demograd.train._callback import Callback, Run
from demograd.train._evaluate import evaluate, measure, number_of
from demograd.train._history import History
from demograd.train._metrics import Means, Metric, check_metrics
from demograd.train._non_finite import (
    Before,
    bad_gradient,
    bad_loss,
    bad_operation,
    buffers,
    first_bad_gradient,
)
from demograd.train._progress import progress_callback
from demograd.train._random_state import restore_random_state
from demograd.train._resume import restore
from demograd.train._schedule import Schedule

__all__ = ["fit"]

Moment = Literal[
    "on_fit_begin", "on_epoch_begin", "on_gradients", "on_batch_end", "on_epoch_end", "on_save",
    "on_fit_end",
]  # fmt: skip


def fit(
    model: Model,
    loss: Any,
    optimizer: Optimizer,
    loader: Iterable[Any],
    *,
    epochs: int,
    validation: Iterable[Any] | None = None,
    metrics: Mapping[str, Metric] | None = None,
    callbacks: Iterable[Callback] = (),
    schedule: Any = None,
    resume: str | PathLike[str] | None = None,
    progress: bool | None = None,
) -> History:
    """Train a model: for each batch ``zero_grad``, forward, ``backward``, ``step``.

    Model, optimizer and loader are known by their interfaces only (:mod:`demograd.interfaces`),
    so those of any package will do.

    Args:
        model: called with the inputs of a batch.
        loss: called as ``loss(output, target)``; gives the mean over the batch as a Tensor.
        optimizer: made with the model's parameters.
        loader: gives batches ``(x, target)``, anew each epoch.
        epochs: up to which epoch to train, at least 1; a resumed run counts those it has.
        validation: as ``loader``; measured after each epoch without training.
        metrics: by name, called as ``metric(output, target)``; each gives the mean over the batch.
            ``{"accuracy": train.accuracy}``, for example.
        callbacks: what is done at certain moments, in this order: checkpoints, early stopping.
        schedule: a learning-rate schedule, stepped after each epoch; for steps after each batch
            a :class:`Schedule`.
        resume: a checkpoint, or the folder of one, to go on from. Everything is made as it was for
            the first run; the numbers are those of one that was never interrupted.
        progress: ``None`` for a bar on a terminal and nothing elsewhere; ``True`` for a line an
            epoch elsewhere; ``False`` for nothing.

    Returns:
        The numbers of each epoch, those of a resumed run included.

    Raises:
        NonFiniteError: the loss or a gradient is not finite. It names the epoch, the step, the
            learning rate and the first module whose output is not finite, and the parameters are
            as they were before that step.
        DataError: the loader gives no batch, or is a generator and there are several epochs.
        StateError: the optimizer trains none of the model's parameters, or the checkpoint is of
            something else.
        FileError: the checkpoint cannot be read.
        ArgumentTypeError: something does not keep to its interface.

    >>> from demograd import Tensor, no_grad, ones
    >>> class Scale(Model):
    ...     w = ones(1, requires_grad=True)
    ...
    ...     def __call__(self, x):
    ...         return self.w * x
    ...
    ...     def parameters(self):
    ...         return iter([self.w])
    ...
    ...     def named_parameters(self):
    ...         return [("w", self.w)]
    ...
    ...     def state_dict(self):
    ...         return {"w": self.w}
    >>> class Descent(Optimizer):
    ...     def __init__(self, params, lr=0.1):
    ...         self.param_groups = [{"params": list(params), "lr": lr}]
    ...
    ...     @no_grad()
    ...     def step(self, closure=None):
    ...         for group in self.param_groups:
    ...             for p in group["params"]:
    ...                 p -= group["lr"] * p.grad
    ...                 p.grad = None
    >>> def squares(output, target):
    ...     return ((output - target) ** 2).mean()
    >>> model = Scale()
    >>> batches = [(Tensor([1.0, 2.0]), Tensor([3.0, 6.0]))]
    >>> history = fit(model, squares, Descent(model.parameters()), batches, epochs=20)
    >>> len(history), round(model.w.item(), 3)
    (20, 3.0)
    """
    if isinstance(callbacks, Callback):
        raise ArgumentTypeError(
            "fit: callbacks must be a list of callbacks.",
            [f"callbacks: {type(callbacks).__name__}"],
            f"callbacks=[{type(callbacks).__name__}(...)]",
        )
    every = list(callbacks)
    if schedule is not None:
        every.append(schedule if isinstance(schedule, Callback) else Schedule(schedule))
    run = Run(
        model,
        loss,
        optimizer,
        loader,
        _check_epochs(epochs),
        validation,
        check_metrics("fit", metrics),
        [*every, *progress_callback(progress)],
        steps=batches_in(loader),
    )
    _check(run)
    random = restore(run, resume) if resume is not None else None
    has_buffers = bool(buffers(model))
    try:
        _tell(run, "on_fit_begin")
        if random is not None:
            # Last, so that nothing draws between this and the first step.
            restore_random_state(run, random)
        while run.epoch < run.epochs and run.stop_reason is None:
            _epoch(run, has_buffers)
    finally:
        _tell(run, "on_fit_end")
    return run.history


def _tell(run: Run, moment: Moment) -> None:
    for callback in run.callbacks:
        getattr(callback, moment)(run)


def _epoch(run: Run, has_buffers: bool) -> None:
    run.epoch += 1
    run.step = 0
    run._means = Means()
    run.model.train()
    _tell(run, "on_epoch_begin")
    for batch in run.loader:
        _step(run, batch, has_buffers)
    if not run.step:
        raise no_batch("fit", "loader", run.loader)
    row = {"epoch": run.epoch, **run.means}
    if run.validation is not None:
        checked = evaluate(run.model, run.loss, run.validation, run.metrics)
        row.update({f"val_{name}": value for name, value in checked.items()})
    run.history.append({**row, "lr": run.lr})
    _tell(run, "on_epoch_end")
    _tell(run, "on_save")


def _step(run: Run, batch: Any, has_buffers: bool) -> None:
    inputs, target = split("fit", batch)
    before = Before(run.model, has_buffers)
    run.optimizer.zero_grad()
    try:
        output = run.model(*inputs)
        loss = run.loss(output, target)
        value = number_of("fit", loss)
        if not math.isfinite(value):
            raise bad_loss(run, inputs, target, value, before)
        loss.backward()
    except NonFiniteOperationError as error:  # under dg.debug()
        bad_operation(run, error, before)
        raise
    if (parameter := first_bad_gradient(run)) is not None:
        raise bad_gradient(run, inputs, target, parameter, value, before)
    _tell(run, "on_gradients")
    run.optimizer.step()
    run.step += 1
    run._means.add(size_of(target), {"loss": value, **measure(run.metrics, output, target)})
    _tell(run, "on_batch_end")


def _check_epochs(epochs: int) -> int:
    try:
        number = 0 if isinstance(epochs, bool) else index(epochs)
    except TypeError:
        number = 0
    if number < 1:
        raise ArgumentError(
            "fit: epochs must be a whole number of at least 1.",
            [f"epochs: {epochs!r}"],
            "epochs=10",
        )
    return number


def _check(run: Run) -> None:
    """Refuse, before anything is changed, what cannot be trained."""
    _check_interface("model", run.model, Model, "a module of demograd.nn, for example")
    _check_interface("optimizer", run.optimizer, Optimizer, "optim.SGD(model.parameters(), lr=0.1)")
    for callback in run.callbacks:
        if not isinstance(callback, Callback):
            raise ArgumentTypeError(
                "fit: a callback must be a train.Callback.",
                [f"found: {type(callback).__name__}"],
                "class Mine(train.Callback): ...",
            )
    check_loader("fit", "loader", run.loader, run.epochs)
    if run.validation is not None:
        check_loader("fit", "validation", run.validation, run.epochs)
    _check_parameters(run)


def _check_interface(name: str, value: Any, interface: type, example: str) -> None:
    if not isinstance(value, interface):
        wanted = {*vars(interface), *getattr(interface, "__annotations__", {})}
        lacking = sorted(
            member
            for member in wanted
            if (not member.startswith("_") or member == "__call__") and not hasattr(value, member)
        )
        raise ArgumentTypeError(
            f"fit: the {name} does not keep to demograd.interfaces.{interface.__name__}.",
            [f"{name}: {type(value).__name__} without {', '.join(lacking)}"],
            f"{name}: {example}.",
        )


def _check_parameters(run: Run) -> None:
    """An optimizer made before the model's parameters were replaced trains nothing, in silence."""
    own: dict[int, Tensor] = {id(p): p for p in run.model.parameters()}
    trained = {id(p) for group in run.optimizer.param_groups for p in group["params"]}
    if not own.keys() & trained:
        raise StateError(
            "fit: the optimizer trains none of the model's parameters.",
            [f"model: {len(own)} parameters", f"optimizer: {len(trained)} others"],
            "Make it of this model, and anew after parameters were replaced: "
            "SGD(model.parameters(), lr=0.1).",
        )
    left_out = [p for key, p in own.items() if key not in trained and p.requires_grad]
    foreign = len(trained - own.keys())
    if left_out and foreign:
        warn(
            "fit: the optimizer was made of another model, or before a part of this was replaced.",
            [
                f"parameters of the model that are not trained: {len(left_out)}",
                f"parameters of the optimizer that are not the model's: {foreign}",
            ],
            "Make the optimizer after the last change of the model: SGD(model.parameters()).",
        )
