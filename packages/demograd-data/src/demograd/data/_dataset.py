"""Datasets: what is read by index, what is read as a stream, and views of both."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, Generic, Protocol, TypeVar, cast

import numpy as np

from demograd import Tensor
from demograd.data._arguments import check_index, index_array, length
from demograd.data._rows import Rows
from demograd.errors import ArgumentTypeError, DataError, ShapeError

__all__ = [
    "ConcatDataset",
    "Dataset",
    "IterableDataset",
    "SizedDataset",
    "Subset",
    "TensorDataset",
    "read_samples",
]

T_co = TypeVar("T_co", covariant=True)


class SizedDataset(Protocol[T_co]):
    """What a dataset is to the rest: an integer gives a sample, and there are ``len`` of them.

    A list of samples is one, and so is every :class:`Dataset` that defines ``__len__``.
    """

    def __getitem__(self, index: int, /) -> T_co: ...

    def __len__(self) -> int: ...


class Dataset(ABC, Generic[T_co]):
    """Samples that are read by index; subclasses define ``__getitem__`` and ``__len__``.

    A subclass may also define ``__getitems__(indices)``, which reads a whole batch at once and
    returns a sequence of samples, :class:`Rows` if it can.

    >>> class Squares(Dataset[tuple[int, int]]):
    ...     def __getitem__(self, index):
    ...         return index, index**2
    ...
    ...     def __len__(self):
    ...         return 5
    >>> Squares()[3]
    (3, 9)
    >>> len(Squares() + Squares())
    10
    """

    @abstractmethod
    def __getitem__(self, index: int, /) -> T_co: ...

    def __add__(self, other: SizedDataset[T_co]) -> ConcatDataset[T_co]:
        return ConcatDataset([cast("SizedDataset[T_co]", self), other])


class IterableDataset(ABC, Generic[T_co]):
    """Samples that come as a stream; subclasses define ``__iter__``, which starts an epoch.

    >>> class Countdown(IterableDataset[int]):
    ...     def __iter__(self):
    ...         yield from (3, 2, 1)
    >>> list(Countdown())
    [3, 2, 1]
    """

    @abstractmethod
    def __iter__(self) -> Iterator[T_co]: ...


def read_samples(dataset: SizedDataset[T_co], indices: Sequence[int]) -> Sequence[T_co]:
    """The samples at ``indices``: in one read if the dataset offers it, else one by one.

    A subclass that overrides ``__getitem__`` alone must not be bypassed by the ``__getitems__``
    that it inherited, so the one that stands nearer in the class hierarchy decides.
    """
    for cls in type(dataset).__mro__:
        if "__getitems__" in vars(cls):
            return cast("Sequence[T_co]", cast(Any, dataset).__getitems__(indices))
        if "__getitem__" in vars(cls):
            break
    return [dataset[i] for i in indices]


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Samples that are the rows of tensors: ``dataset[i]`` is ``(x[i], y[i], ...)``.

    Args:
        *tensors: tensors or NumPy arrays of one and the same first size, ``(N, ...)``. Arrays
            are not copied.

    Raises:
        ShapeError: the first sizes differ, or a tensor has no dimension.
        DataError: no tensor was given.
        ArgumentTypeError: something is neither a tensor nor an array.

    >>> import numpy as np
    >>> dataset = TensorDataset(np.ones((4, 2)), np.arange(4))
    >>> len(dataset), dataset[3][1].item()
    (4, 3)
    """

    tensors: tuple[Tensor, ...]

    def __init__(self, *tensors: Tensor | np.ndarray[Any, np.dtype[Any]]) -> None:
        if not tensors:
            raise DataError("TensorDataset: no tensors were given.", [], "TensorDataset(x, y)")
        for i, tensor in enumerate(tensors):
            if not isinstance(tensor, (Tensor, np.ndarray)):
                raise ArgumentTypeError(
                    "TensorDataset: every argument must be a tensor or a NumPy array.",
                    [f"argument {i}: {type(tensor).__name__}"],
                    "TensorDataset(demograd.tensor(x), demograd.tensor(y))",
                )
        shapes = [tuple(tensor.shape) for tensor in tensors]
        if not all(shapes) or len({shape[0] for shape in shapes}) > 1:
            raise ShapeError(
                "TensorDataset: the tensors must have the same first size.",
                [f"argument {i}: shape {shape}" for i, shape in enumerate(shapes)],
                "Row i of every tensor belongs to sample i: cut them alike, as in x[:n], y[:n].",
            )
        self.tensors = tuple(t if isinstance(t, Tensor) else Tensor(t) for t in tensors)

    def __getitem__(self, index: Any, /) -> tuple[Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def __getitems__(self, indices: Sequence[int]) -> Rows:
        """The samples at ``indices``, taken with one fancy index a tensor."""
        chosen = index_array("TensorDataset", indices, len(self))
        return Rows(*(tensor[chosen] for tensor in self.tensors))

    def __len__(self) -> int:
        return self.tensors[0].shape[0]


class Subset(Dataset[T_co]):
    """The samples of ``dataset`` at ``indices``: ``subset[i]`` is ``dataset[indices[i]]``.

    Args:
        dataset: the whole.
        indices: positions in ``dataset``, in the order in which they are read.

    >>> subset = Subset("abcdef", [4, 1])
    >>> subset[0], len(subset)
    ('e', 2)
    """

    def __init__(self, dataset: SizedDataset[T_co], indices: Iterable[int]) -> None:
        self.dataset = dataset
        self.indices = list(indices)

    def __getitem__(self, index: int, /) -> T_co:
        check_index("Subset", index, len(self))
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices: Sequence[int]) -> Sequence[T_co]:
        """The samples at ``indices`` of the subset, read in one go where ``dataset`` can."""
        chosen = index_array("Subset", indices, len(self)).tolist()
        return read_samples(self.dataset, [self.indices[i] for i in chosen])

    def __len__(self) -> int:
        return len(self.indices)


class ConcatDataset(Dataset[T_co]):
    """Datasets one after the other.

    Args:
        datasets: at least one dataset with a length.

    Raises:
        DataError: no dataset was given.
        ArgumentTypeError: one of them has no length or cannot be indexed.

    >>> both = ConcatDataset(["abc", "de"])
    >>> len(both), both[3], both[-1]
    (5, 'd', 'e')
    """

    def __init__(self, datasets: Iterable[SizedDataset[T_co]]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise DataError(
                "ConcatDataset: no datasets were given.", [], "ConcatDataset([first, second])"
            )
        for i, dataset in enumerate(self.datasets):
            if not hasattr(type(dataset), "__getitem__"):
                raise ArgumentTypeError(
                    "ConcatDataset: every part must be readable by index.",
                    [f"part {i}: {type(dataset).__name__}"],
                    "Chain streams with itertools.chain(first, second).",
                )
        self.cumulative_sizes = list(
            accumulate(length("ConcatDataset", f"part {i}", d) for i, d in enumerate(self.datasets))
        )

    def __getitem__(self, index: int, /) -> T_co:
        check_index("ConcatDataset", index, len(self))
        index %= len(self)
        part = bisect_right(self.cumulative_sizes, index)
        start = self.cumulative_sizes[part - 1] if part else 0
        return self.datasets[part][index - start]

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]
