"""A batch: what goes into the model, and the target."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from demograd import Tensor
from demograd.errors import ArgumentTypeError, DataError

__all__ = ["batches_in", "check_loader", "is_used_once", "no_batch", "size_of", "split"]


def split(operation: str, batch: Any) -> tuple[tuple[Any, ...], Any]:
    """The inputs and the target: a batch is ``(x, target)`` or ``(x1, x2, ..., target)``."""
    if isinstance(batch, (Tensor, str)) or not isinstance(batch, Sequence) or len(batch) < 2:
        raise ArgumentTypeError(
            f"{operation}: a batch must be a pair of inputs and target.",
            [f"found: {type(batch).__name__}"],
            "Let the loader give (x, target): DataLoader(TensorDataset(x, target)). "
            "A model that is to repeat its input takes (x, x).",
        )
    *inputs, target = batch
    return tuple(inputs), target


def size_of(target: Any) -> int:
    """How many samples a batch has: the first length of the target."""
    shape = getattr(target, "shape", None)
    if shape is not None:
        return int(shape[0]) if len(shape) else 1
    return len(target) if hasattr(target, "__len__") else 1


def batches_in(loader: Any) -> int | None:
    """How many batches an epoch has, or None if it cannot be told."""
    try:
        return len(loader)
    except TypeError:  # also what a loader of a stream raises
        return None


def is_used_once(loader: Any) -> bool:
    """Whether it is an iterator, which serves one epoch and is then used up."""
    return isinstance(loader, Iterator)


def check_loader(operation: str, name: str, loader: Any, epochs: int) -> None:
    """Refuse what cannot be read, or not ``epochs`` times."""
    if not isinstance(loader, Iterable):
        raise ArgumentTypeError(
            f"{operation}: {name} must give batches.",
            [f"{name}: {type(loader).__name__}, which cannot be iterated over"],
            f"{name}=DataLoader(dataset, batch_size=32), or a list of batches.",
        )
    if is_used_once(loader) and epochs > 1:
        raise DataError(
            f"{operation}: {name} is a generator, which is used up after one epoch.",
            [f"{name}: {type(loader).__name__}", f"epochs: {epochs}"],
            f"Keep its batches, {name}=list(batches), or give a DataLoader.",
        )


def no_batch(operation: str, name: str, loader: Any) -> DataError:
    """What is raised when an epoch had no batch at all."""
    reason = "a generator that is used up, or was empty" if is_used_once(loader) else "it is empty"
    return DataError(
        f"{operation}: {name} gave no batch.",
        [f"{name}: {type(loader).__name__}; {reason}"],
        "Look at what filled or filtered the dataset, and at drop_last.",
    )
