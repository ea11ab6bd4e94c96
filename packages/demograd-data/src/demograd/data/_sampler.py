"""Samplers: the order in which a loader reads a dataset."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence, Sized
from itertools import islice
from typing import Any, Generic, TypeVar

import numpy as np

from demograd import Generator, Tensor
from demograd.data._arguments import (
    as_array,
    check_generator,
    fresh_iterator,
    length,
    numpy_generator,
    positive_int,
)
from demograd.errors import ArgumentError, DataError, ShapeError

__all__ = [
    "BatchSampler",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
    "batch_count",
    "in_batches",
]

T_co = TypeVar("T_co", covariant=True)


class Sampler(ABC, Generic[T_co]):
    """An order of reading; subclasses define ``__iter__`` and, if they can, ``__len__``.

    Each call of ``iter`` starts an epoch anew.

    >>> class Backwards(Sampler[int]):
    ...     def __iter__(self):
    ...         return iter(range(4, -1, -1))
    >>> list(Backwards())
    [4, 3, 2, 1, 0]
    """

    @abstractmethod
    def __iter__(self) -> Iterator[T_co]: ...


class SequentialSampler(Sampler[int]):
    """The indices ``0 .. N - 1`` in order.

    Args:
        data_source: anything with a length ``N``.

    >>> list(SequentialSampler("abc"))
    [0, 1, 2]
    """

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self)))

    def __len__(self) -> int:
        return length("SequentialSampler", "data_source", self.data_source)


class RandomSampler(Sampler[int]):
    """The indices ``0 .. N - 1`` in a random order, drawn anew each epoch.

    An epoch's order is drawn in one go when the epoch starts, so that other random draws
    (dropout's, say) between two batches cannot change it.

    Args:
        data_source: anything with a length ``N`` of at least 1.
        replacement: draw each index from all ``N``, so that some come twice and some never.
        num_samples: how many indices an epoch has; ``N`` if ``None``. Without replacement, more
            than ``N`` means whole permutations one after the other.
        generator: where the order comes from; the default generator if ``None``.

    Raises:
        DataError: ``data_source`` is empty.
        ArgumentError: ``num_samples`` is not a positive whole number.

    >>> from demograd import Generator
    >>> sorted(RandomSampler("abcd", generator=Generator().manual_seed(0)))
    [0, 1, 2, 3]
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        check_generator("RandomSampler", generator)
        if num_samples is not None:
            num_samples = positive_int("RandomSampler", "num_samples", num_samples)
        if length("RandomSampler", "data_source", data_source) == 0:
            raise DataError(
                "RandomSampler: there is nothing to draw from.",
                [f"data_source: {type(data_source).__name__} of length 0"],
                "Give it a dataset of at least one sample.",
            )
        self.data_source = data_source
        self.replacement = replacement
        self.generator = generator
        self._num_samples = num_samples

    @property
    def num_samples(self) -> int:
        """How many indices an epoch has."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        size, count = len(self.data_source), self.num_samples
        draw = numpy_generator(self.generator)
        if self.replacement:
            order = draw.integers(size, size=count)
        else:
            order = np.concatenate([draw.permutation(size) for _ in range(-(-count // size))])
        yield from order[:count].tolist()

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """The given indices in a random order, drawn anew each epoch, none of them twice.

    Args:
        indices: what to draw from.
        generator: where the order comes from; the default generator if ``None``.

    >>> from demograd import Generator
    >>> sorted(SubsetRandomSampler([7, 3, 5], Generator().manual_seed(0)))
    [3, 5, 7]
    """

    def __init__(self, indices: Iterable[int], generator: Generator | None = None) -> None:
        check_generator("SubsetRandomSampler", generator)
        self.indices = list(indices)
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        for i in numpy_generator(self.generator).permutation(len(self.indices)).tolist():
            yield self.indices[i]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Indices ``0 .. N - 1``, each drawn with a probability in proportion to its weight.

    Weights of one over the size of a sample's class make rare classes as frequent as others.

    Args:
        weights: ``N`` finite numbers of at least 0, not all 0. Their sum does not matter.
        num_samples: how many indices an epoch has.
        replacement: whether an index may come again. If not, ``num_samples`` is at most the
            number of weights above 0.
        generator: where the draws come from; the default generator if ``None``.

    Raises:
        ShapeError: the weights are not one row of numbers.
        ArgumentError: a weight or ``num_samples`` is out of its range.

    >>> list(WeightedRandomSampler([0.0, 2.0, 0.0], num_samples=4))
    [1, 1, 1, 1]
    """

    def __init__(
        self,
        weights: Tensor | np.ndarray[Any, np.dtype[Any]] | Sequence[float],
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        check_generator("WeightedRandomSampler", generator)
        self.num_samples = positive_int("WeightedRandomSampler", "num_samples", num_samples)
        self.weights = as_array(weights).astype(np.float64)
        self.replacement = replacement
        self.generator = generator
        if self.weights.ndim != 1:
            raise ShapeError(
                "WeightedRandomSampler: weights must have one dimension.",
                [f"weights: shape {self.weights.shape}"],
                "Give one weight a sample: weights.reshape(-1).",
            )
        possible = int(np.count_nonzero(self.weights > 0))
        if not np.isfinite(self.weights).all() or (self.weights < 0).any() or not possible:
            raise ArgumentError(
                "WeightedRandomSampler: weights must be finite, at least 0 and not all 0.",
                [f"weights: {self.weights.size}, {_range(self.weights)}"],
                "weights = 1.0 / class_counts[labels]",
            )
        if not replacement and self.num_samples > possible:
            raise ArgumentError(
                "WeightedRandomSampler: too few indices to draw without replacement.",
                [f"num_samples: {self.num_samples}", f"weights above 0: {possible}"],
                f"Lower num_samples to {possible}, or draw with replacement=True.",
            )

    def __iter__(self) -> Iterator[int]:
        # Divided by the largest first, since the sum of large weights may overflow.
        shares = self.weights / self.weights.max()
        draws = numpy_generator(self.generator).choice(
            len(shares), self.num_samples, self.replacement, shares / shares.sum()
        )
        yield from draws.tolist()

    def __len__(self) -> int:
        return self.num_samples


def _range(weights: np.ndarray[Any, np.dtype[np.float64]]) -> str:
    if not weights.size:
        return "no numbers"
    if not np.isfinite(weights).all():
        return f"{np.count_nonzero(~np.isfinite(weights))} not finite"
    return f"from {weights.min():g} to {weights.max():g}"


class BatchSampler(Sampler[list[int]]):
    """Another sampler's indices in lists of ``batch_size``.

    Args:
        sampler: gives the indices; any iterable.
        batch_size: indices a batch, at least 1.
        drop_last: leave out the last batch if it is smaller.

    Raises:
        ArgumentError: ``batch_size`` is not a positive whole number.
        DataError: on reading, ``sampler`` is a generator that is already used up.

    >>> list(BatchSampler(range(5), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool = False) -> None:
        self.sampler = sampler
        self.batch_size = positive_int("BatchSampler", "batch_size", batch_size)
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        indices = fresh_iterator("BatchSampler", "sampler", self.sampler)
        return in_batches(indices, self.batch_size, self.drop_last)

    def __len__(self) -> int:
        size = length("BatchSampler", "sampler", self.sampler)
        return batch_count(size, self.batch_size, self.drop_last)


T = TypeVar("T")


def in_batches(items: Iterator[T], batch_size: int, drop_last: bool) -> Iterator[list[T]]:
    """``items`` in lists of ``batch_size``."""
    while batch := list(islice(items, batch_size)):
        if len(batch) < batch_size and drop_last:
            return
        yield batch


def batch_count(size: int, batch_size: int, drop_last: bool) -> int:
    """How many lists :func:`in_batches` makes of ``size`` items."""
    return size // batch_size if drop_last else -(-size // batch_size)
