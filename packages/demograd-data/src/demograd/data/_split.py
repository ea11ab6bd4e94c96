"""Splits of a dataset: at random, and stratified."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import accumulate
from math import floor, isclose
from operator import index
from typing import Any, TypeVar

import numpy as np

from demograd import Generator, Tensor
from demograd.data._arguments import as_array, check_generator, numpy_generator, positive_int
from demograd.data._dataset import SizedDataset, Subset
from demograd.errors import ArgumentError, DataError, ShapeError

__all__ = ["every_nth_of_each_class", "random_split", "stratified_split"]

T = TypeVar("T")


def random_split(
    dataset: SizedDataset[T],
    lengths: Sequence[int] | Sequence[float],
    generator: Generator | None = None,
) -> list[Subset[T]]:
    """Split ``dataset`` at random into parts that do not overlap.

    Args:
        dataset: what to split, of ``N`` samples.
        lengths: whole numbers that add up to ``N``, or fractions in 0..1 that add up to 1. A
            fraction ``f`` gets ``floor(f * N)`` samples; what remains is dealt out one by one
            from the first part on.
        generator: where the order comes from; the default generator if ``None``.

    Raises:
        ArgumentError: the lengths add up to something else, or one is negative.

    >>> from demograd import Generator
    >>> train, test = random_split(range(10), [0.7, 0.3], Generator().manual_seed(0))
    >>> len(train), len(test), sorted([*train, *test]) == list(range(10))
    (7, 3, True)
    """
    check_generator("random_split", generator)
    size = len(dataset)
    if any(part < 0 for part in lengths):
        raise ArgumentError(
            "random_split: a length is negative.",
            [f"lengths: {list(lengths)}"],
            "random_split(dataset, [0.8, 0.2])",
        )
    # PyTorch's rule: what adds up to one is fractions, so [1, 0] means all and nothing.
    if isclose(sum(lengths), 1):
        parts = [floor(size * part) for part in lengths]
        for i in range(size - sum(parts)):
            parts[i % len(parts)] += 1
        for i, part in enumerate(parts):
            if part == 0:
                warnings.warn(
                    f"random_split: part {i} of {list(lengths)} of {size} samples is empty.",
                    stacklevel=2,
                )
    else:
        parts = _whole_numbers(lengths)
        if sum(parts) != size:
            raise ArgumentError(
                "random_split: the lengths do not add up to the dataset's length.",
                [f"lengths: {list(lengths)}, together {sum(lengths)}", f"dataset: {size} samples"],
                "Fractions that add up to 1 fit any dataset: random_split(dataset, [0.8, 0.2]).",
            )
    order = numpy_generator(generator).permutation(size).tolist()
    return [
        Subset(dataset, order[end - part : end])
        for part, end in zip(parts, accumulate(parts), strict=True)
    ]


def _whole_numbers(lengths: Sequence[float]) -> list[int]:
    try:
        return [index(part) for part in lengths]  # type: ignore[arg-type]
    except TypeError:
        raise ArgumentError(
            "random_split: the lengths are neither whole numbers nor fractions of 1.",
            [f"lengths: {list(lengths)}, together {sum(lengths)}"],
            "random_split(dataset, [0.8, 0.2])",
        ) from None


def stratified_split(
    dataset: SizedDataset[T],
    labels: Tensor | np.ndarray[Any, np.dtype[Any]] | Sequence[int],
    every: int = 5,
) -> tuple[Subset[T], Subset[T]]:
    """Split ``dataset`` so that each class gives the same share, the same way each time.

    Of every class, samples number ``every``, ``2 * every``, ... in the dataset's order are the
    test part; all others are the training part. Nothing is random, so that a result measured
    on the test part means the same everywhere.

    Args:
        dataset: what to split, of ``N`` samples.
        labels: the class of each sample, ``N`` whole numbers.
        every: one sample in this many is for the test; at least 2.

    Returns:
        The training part and the test part.

    Raises:
        ShapeError: there is not one label a sample.
        ArgumentError: ``every`` is below 2.
        DataError: every class is too small to give a sample to the test.

    >>> train, test = stratified_split("aAbBcC", [0, 1, 0, 1, 0, 1], every=3)
    >>> list(train), list(test)
    (['a', 'A', 'b', 'B'], ['c', 'C'])
    """
    if positive_int("stratified_split", "every", every) < 2:
        raise ArgumentError(
            "stratified_split: every must be at least 2.",
            [f"every: {every}"],
            "every=5 keeps a fifth of each class for the test.",
        )
    classes = as_array(labels)
    if classes.shape != (len(dataset),):
        raise ShapeError(
            "stratified_split: there must be one label a sample.",
            [f"labels: shape {classes.shape}", f"dataset: {len(dataset)} samples"],
            "labels=dataset.tensors[1], for a TensorDataset of x and y.",
        )
    test = every_nth_of_each_class(classes, every)
    if not test.any():
        raise DataError(
            "stratified_split: no class is large enough to give a sample to the test.",
            [f"every: {every}", f"dataset: {len(dataset)} samples"],
            "Lower every, or use random_split(dataset, [0.8, 0.2]).",
        )
    return (
        Subset(dataset, np.flatnonzero(~test).tolist()),
        Subset(dataset, np.flatnonzero(test).tolist()),
    )


def every_nth_of_each_class(
    classes: np.ndarray[Any, np.dtype[Any]], every: int
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """A mask of samples number ``every``, ``2 * every``, ... of each class."""
    _, group, counts = np.unique(classes, return_inverse=True, return_counts=True)
    # The rank of a sample in its class: its place in the stable order less its class's start.
    rank = np.empty(len(classes), dtype=np.intp)
    starts = np.cumsum(counts) - counts
    rank[np.argsort(group, kind="stable")] = np.arange(len(classes)) - np.repeat(starts, counts)
    mask: np.ndarray[Any, np.dtype[np.bool_]] = rank % every == every - 1
    return mask
