"""A batch of samples that is stored column by column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

from demograd import Tensor
from demograd.data._arguments import check_index

__all__ = ["Rows"]


class Rows(Sequence[tuple[Tensor, ...]]):
    """Samples stored as columns: a sequence of tuples whose columns are ready-made batches.

    A dataset whose ``__getitems__(indices)`` returns ``Rows`` is read with one fancy index a
    column; :func:`default_collate` hands the columns on as they are, where PyTorch takes the
    samples apart and stacks them again. To everybody else it is a sequence of samples.

    Args:
        *columns: tensors of one and the same first size, ``(N, ...)``.

    >>> import numpy as np
    >>> from demograd import Tensor
    >>> rows = Rows(Tensor(np.zeros((3, 2))), Tensor(np.arange(3)))
    >>> len(rows), rows[2][1].item()
    (3, 2)
    """

    def __init__(self, *columns: Tensor) -> None:
        self.columns = columns

    def __len__(self) -> int:
        return self.columns[0].shape[0]

    @overload
    def __getitem__(self, index: int) -> tuple[Tensor, ...]: ...
    @overload
    def __getitem__(self, index: slice) -> Rows: ...
    def __getitem__(self, index: int | slice) -> tuple[Tensor, ...] | Rows:
        if isinstance(index, slice):
            return Rows(*(column[index] for column in self.columns))
        check_index("Rows", index, len(self))
        return tuple(column[index] for column in self.columns)
