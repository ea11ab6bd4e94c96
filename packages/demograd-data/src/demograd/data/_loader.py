"""The loader: batches of a dataset, epoch after epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, Generic, TypeVar, cast

from demograd import Generator
from demograd.data._arguments import check_generator, fresh_iterator, length, positive_int
from demograd.data._collate import default_collate, default_convert
from demograd.data._dataset import IterableDataset, SizedDataset, read_samples
from demograd.data._rows import Rows
from demograd.data._sampler import (
    BatchSampler,
    RandomSampler,
    SequentialSampler,
    batch_count,
    in_batches,
)
from demograd.errors import ArgumentError, ArgumentTypeError, DataError

__all__ = ["DataLoader"]

T_co = TypeVar("T_co", covariant=True)

FIXED = frozenset({"dataset", "batch_size", "sampler", "batch_sampler", "drop_last"})


class DataLoader(Generic[T_co]):
    """Batches of a dataset; each ``for`` loop over it is an epoch.

    ``for x, y in DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True)`` is all that most
    programs need. Batches are made in the calling thread, one at a time.

    Args:
        dataset: read by index (``dataset[i]`` and ``len(dataset)``), or a stream that is read
            from front to end (:class:`IterableDataset`, or any iterable without index).
        batch_size: samples a batch, at least 1; ``None`` gives samples one by one, unbatched.
        shuffle: draw a new order each epoch.
        sampler: gives the indices in the order in which they are read; excludes ``shuffle``.
        batch_sampler: gives lists of indices, a batch each; excludes ``batch_size``, ``shuffle``,
            ``sampler`` and ``drop_last``.
        collate_fn: makes a batch of a list of samples; :func:`default_collate` if ``None``,
            or :func:`default_convert` where ``batch_size`` is ``None``.
        drop_last: leave out the last batch if it is smaller.
        generator: where a shuffle comes from; the default generator if ``None``. Its state,
            saved before an epoch, brings that epoch's order back.

    Raises:
        DataError: the dataset is empty, or, on reading, a dataset, sampler or batch sampler is a
            generator that is already used up.
        ArgumentError: a size out of its range, or arguments that exclude one another.
        ArgumentTypeError: something that is no dataset, no generator, or has no length.

    >>> import numpy as np
    >>> from demograd import Generator
    >>> from demograd.data import TensorDataset
    >>> dataset = TensorDataset(np.ones((10, 3)), np.arange(10))
    >>> loader = DataLoader(
    ...     dataset, batch_size=4, shuffle=True, generator=Generator().manual_seed(0)
    ... )
    >>> len(loader), [x.shape for x, y in loader]
    (3, [(4, 3), (4, 3), (2, 3)])
    """

    def __init__(
        self,
        dataset: SizedDataset[T_co] | Iterable[T_co],
        batch_size: int | None = 1,
        shuffle: bool = False,
        sampler: Iterable[int] | None = None,
        batch_sampler: Iterable[list[int]] | None = None,
        collate_fn: Callable[[Any], Any] | None = None,
        drop_last: bool = False,
        generator: Generator | None = None,
    ) -> None:
        check_generator("DataLoader", generator)
        _check_combination(dataset, batch_size, shuffle, sampler, batch_sampler, drop_last)
        if batch_size is not None:
            batch_size = positive_int("DataLoader", "batch_size", batch_size)
        if _has_length(dataset) and length("DataLoader", "dataset", dataset) == 0:
            raise _empty(dataset, "of length 0")
        if sampler is None and batch_sampler is None and not _is_stream(dataset):
            by_index = cast("SizedDataset[T_co]", dataset)
            length("DataLoader", "dataset", dataset)
            sampler = (
                RandomSampler(by_index, generator=generator)
                if shuffle
                else SequentialSampler(by_index)
            )
        if batch_sampler is not None:
            batch_size = None
        elif batch_size is not None and sampler is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        if collate_fn is None:
            batched = batch_sampler is not None or batch_size is not None
            collate_fn = default_collate if batched else default_convert
        self.collate_fn: Callable[[Any], Any] = collate_fn
        self.generator = generator
        self.dataset = dataset
        self.batch_size = batch_size
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.drop_last = drop_last

    def __setattr__(self, name: str, value: object) -> None:
        # The samplers are made of these, so a later change would have no effect.
        if name in FIXED and name in vars(self):
            raise ArgumentError(
                f"DataLoader: {name} cannot be changed after the loader is made.",
                [f"{name}: {vars(self)[name]!r}"],
                f"Make another loader: DataLoader(dataset, {name}=...).",
            )
        super().__setattr__(name, value)

    def __iter__(self) -> Iterator[Any]:
        if _is_stream(self.dataset):
            return self._read_stream(cast("Iterable[T_co]", self.dataset))
        return self._read_by_index(cast("SizedDataset[T_co]", self.dataset))

    def __len__(self) -> int:
        """How many batches an epoch has (samples, where ``batch_size`` is ``None``)."""
        if self.batch_sampler is not None:
            return length("DataLoader", "batch_sampler", self.batch_sampler)
        if self.sampler is not None:
            return length("DataLoader", "sampler", self.sampler)
        size = length("DataLoader", "dataset", self.dataset)
        if self.batch_size is None:
            return size
        return batch_count(size, self.batch_size, self.drop_last)

    def _read_stream(self, stream: Iterable[T_co]) -> Iterator[Any]:
        samples = fresh_iterator("DataLoader", "dataset", stream)
        for first in samples:
            samples = chain([first], samples)
            break
        else:
            raise _empty(stream, "that gave no sample")
        if self.batch_size is None:
            yield from map(self.collate_fn, samples)
        else:
            yield from map(self.collate_fn, in_batches(samples, self.batch_size, self.drop_last))

    def _read_by_index(self, dataset: SizedDataset[T_co]) -> Iterator[Any]:
        if self.batch_sampler is None:
            for i in fresh_iterator("DataLoader", "sampler", cast("Iterable[int]", self.sampler)):
                yield self.collate_fn(dataset[i])
            return
        for indices in fresh_iterator("DataLoader", "batch_sampler", self.batch_sampler):
            samples = read_samples(dataset, indices)
            if isinstance(samples, Rows) and self.collate_fn is not default_collate:
                # A collate function of the user's may expect a list, which it may sort or change,
                # of samples exactly as dataset[i] gives them.
                samples = [dataset[i] for i in indices]
            yield self.collate_fn(samples)


def _empty(dataset: object, found: str) -> DataError:
    return DataError(
        "DataLoader: the dataset is empty.",
        [f"dataset: {type(dataset).__name__} {found}"],
        "Give it at least one sample; look at what filled or filtered the dataset.",
    )


def _is_stream(dataset: object) -> bool:
    return isinstance(dataset, IterableDataset) or not hasattr(type(dataset), "__getitem__")


def _has_length(dataset: object) -> bool:
    return hasattr(type(dataset), "__len__")


def _check_combination(
    dataset: object,
    batch_size: int | None,
    shuffle: bool,
    sampler: object,
    batch_sampler: object,
    drop_last: bool,
) -> None:
    """Refuse arguments that exclude one another, rather than let one of them win."""
    given = {
        "batch_size": batch_size != 1,
        "shuffle": bool(shuffle),
        "sampler": sampler is not None,
        "batch_sampler": batch_sampler is not None,
        "drop_last": bool(drop_last),
    }
    if _is_stream(dataset):
        if not hasattr(type(dataset), "__iter__"):
            raise ArgumentTypeError(
                "DataLoader: this is not a dataset.",
                [f"dataset: {type(dataset).__name__}, neither indexed nor iterable"],
                "DataLoader(TensorDataset(x, y), batch_size=32)",
            )
        _exclude(given, "a dataset that is a stream", ("shuffle", "sampler", "batch_sampler"))
    if given["sampler"]:
        _exclude(given, "sampler", ("shuffle",))
    if given["batch_sampler"]:
        _exclude(given, "batch_sampler", ("batch_size", "shuffle", "sampler", "drop_last"))
    elif batch_size is None:
        _exclude(given, "batch_size=None", ("drop_last",))


def _exclude(given: dict[str, bool], by: str, names: tuple[str, ...]) -> None:
    clashes = [name for name in names if given[name]]
    if clashes:
        raise ArgumentError(
            f"DataLoader: {by} excludes {', '.join(clashes)}.",
            [f"given with it: {', '.join(clashes)}"],
            f"Leave out {' and '.join(clashes)}.",
        )
