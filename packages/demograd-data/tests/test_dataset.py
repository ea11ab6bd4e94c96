"""Datasets and views of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demograd import Tensor
from demograd.data import (
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    Rows,
    Subset,
    TensorDataset,
)
from demograd.errors import (
    ArgumentTypeError,
    DataError,
    DemogradError,
    OutOfRangeError,
    ShapeError,
)


class Squares(Dataset):
    def __getitem__(self, index):
        if not 0 <= index < 5:
            raise IndexError(index)
        return index, index**2

    def __len__(self):
        return 5


def rows(n=6):
    return TensorDataset(np.arange(2.0 * n).reshape(n, 2), np.arange(n))


def values(sample):
    return [part.tolist() for part in sample]


def test_a_sample_is_the_row_of_every_tensor():
    assert values(rows()[2]) == [[4.0, 5.0], 2]
    assert values(rows()[-1]) == [[10.0, 11.0], 5]
    assert len(rows()) == 6


def test_a_slice_is_the_rows_of_every_tensor():
    assert values(rows()[1:3]) == [[[2.0, 3.0], [4.0, 5.0]], [1, 2]]


def test_arrays_are_shared_and_tensors_kept():
    array, tensor = np.zeros((2, 1)), Tensor(np.zeros(2))
    dataset = TensorDataset(array, tensor)
    assert np.shares_memory(dataset.tensors[0].data, array)
    assert dataset.tensors[1] is tensor


def test_a_batch_of_rows_is_a_sequence_of_the_samples():
    batch = rows().__getitems__([4, 0, -1])
    assert isinstance(batch, Rows)
    assert [values(sample) for sample in batch] == [values(rows()[i]) for i in (4, 0, 5)]
    assert values(batch[-1]) == [[10.0, 11.0], 5]
    assert [values(sample) for sample in batch[1:]] == [values(rows()[i]) for i in (0, 5)]


def test_a_batch_of_rows_does_not_share_memory_with_the_dataset():
    dataset = rows()
    batch = dataset.__getitems__([0, 1, 2])
    assert not np.shares_memory(batch.columns[0].data, dataset.tensors[0].data)


def test_a_batch_of_rows_keeps_the_gradient():
    x = Tensor(np.arange(6.0).reshape(3, 2), requires_grad=True)
    ((batch,),) = DataLoader(TensorDataset(x), batch_sampler=[[2, 2, 0]])
    batch.sum().backward()
    assert x.grad.tolist() == [[1.0, 1.0], [0.0, 0.0], [2.0, 2.0]]


def test_a_subset_reads_through_its_indices():
    subset = Subset(Squares(), (i for i in (3, 1)))
    assert list(subset) == [(3, 9), (1, 1)]
    assert len(subset) == 2
    assert subset[-1] == (1, 1)


def test_a_subset_of_a_subset_of_tensors_is_read_at_once():
    batch = Subset(Subset(rows(), [5, 4, 3]), [2, 0]).__getitems__([0, 1])
    assert isinstance(batch, Rows)
    assert batch.columns[1].tolist() == [3, 5]


def test_a_subset_of_anything_else_is_read_one_by_one():
    assert Subset(Squares(), [4, 2]).__getitems__([1, 0]) == [(2, 4), (4, 16)]


def test_an_overridden_getitem_is_not_bypassed_by_an_inherited_getitems():
    class Doubled(TensorDataset):
        def __getitem__(self, index):
            return tuple(part.data * 2 for part in super().__getitem__(index))

    doubled = Doubled(np.arange(4.0))
    assert [x.tolist() for (x,) in DataLoader(doubled, 2)] == [[0, 2], [4, 6]]
    assert [x.tolist() for (x,) in DataLoader(Subset(doubled, [3, 1]), 2)] == [[6, 2]]


def test_a_getitems_of_the_users_own_is_used():
    class Bulk(Squares):
        calls = 0

        def __getitems__(self, indices):
            self.calls += 1
            return [(i, -i) for i in indices]

    bulk = Bulk()
    assert [y.tolist() for _, y in DataLoader(bulk, 3)] == [[0, -1, -2], [-3, -4]]
    assert bulk.calls == 2


@given(st.lists(st.integers(0, 4), min_size=1, max_size=5))
def test_a_concatenation_indexes_as_the_concatenated_list_does(sizes):
    parts = [[(i, j) for j in range(size)] for i, size in enumerate(sizes)]
    whole = [sample for part in parts for sample in part]
    concatenated = ConcatDataset(parts)
    assert len(concatenated) == len(whole)
    assert list(concatenated) == whole
    assert [concatenated[-i - 1] for i in range(len(whole))] == whole[::-1]


def test_adding_datasets_concatenates_them():
    both = Squares() + rows(2)
    assert isinstance(both, ConcatDataset)
    assert both[4] == (4, 16)
    assert values(both[6]) == [[2.0, 3.0], 1]
    assert both.cumulative_sizes == [5, 7]


@pytest.mark.parametrize("kind", [Dataset, IterableDataset])
def test_an_abstract_dataset_cannot_be_made(kind):
    with pytest.raises(TypeError, match="abstract"):
        kind()


ERRORS = {
    "tensors of different lengths": (
        lambda: TensorDataset(np.zeros((6, 2)), np.zeros(5)),
        ShapeError,
        """\
TensorDataset: the tensors must have the same first size.
  argument 0: shape (6, 2)
  argument 1: shape (5,)
Row i of every tensor belongs to sample i: cut them alike, as in x[:n], y[:n].""",
    ),
    "a tensor without a dimension": (
        lambda: TensorDataset(np.zeros(())),
        ShapeError,
        """\
TensorDataset: the tensors must have the same first size.
  argument 0: shape ()
Row i of every tensor belongs to sample i: cut them alike, as in x[:n], y[:n].""",
    ),
    "no tensors": (
        lambda: TensorDataset(),
        DataError,
        """\
TensorDataset: no tensors were given.
TensorDataset(x, y)""",
    ),
    "a list instead of a tensor": (
        lambda: TensorDataset(np.zeros(2), [1, 2]),
        ArgumentTypeError,
        """\
TensorDataset: every argument must be a tensor or a NumPy array.
  argument 1: list
TensorDataset(demograd.tensor(x), demograd.tensor(y))""",
    ),
    "an index beyond the rows": (
        lambda: rows().__getitems__([1, 9, 12]),
        OutOfRangeError,
        """\
TensorDataset: the index is out of range.
  index: 12
  length: 6
Indices run from 0 to 5.""",
    ),
    "a negative index beyond the rows": (
        lambda: rows().__getitems__([1, -7]),
        OutOfRangeError,
        """\
TensorDataset: the index is out of range.
  index: -7
  length: 6
Indices run from 0 to 5.""",
    ),
    "indices that are not whole": (
        lambda: rows().__getitems__([0.5]),
        ArgumentTypeError,
        """\
TensorDataset: a batch is a list of whole numbers, at least one.
  found: [0.5]
Let the sampler give integers, as in sampler=[0, 2, 4].""",
    ),
    "a batch without indices": (
        lambda: rows().__getitems__([]),
        ArgumentTypeError,
        """\
TensorDataset: a batch is a list of whole numbers, at least one.
  found: []
Let the sampler give integers, as in sampler=[0, 2, 4].""",
    ),
    "an index beyond a batch": (
        lambda: rows().__getitems__([0, 1])[2],
        OutOfRangeError,
        """\
Rows: the index is out of range.
  index: 2
  length: 2
Indices run from 0 to 1.""",
    ),
    "an index beyond a subset": (
        lambda: Subset(rows(), [1])[1],
        OutOfRangeError,
        """\
Subset: the index is out of range.
  index: 1
  length: 1
Indices run from 0 to 0.""",
    ),
    "a batch beyond a subset": (
        lambda: Subset(Squares(), []).__getitems__([0]),
        OutOfRangeError,
        """\
Subset: the index is out of range.
  index: 0
  length: 0
It has no samples.""",
    ),
    "an index beyond a concatenation": (
        lambda: ConcatDataset(["ab", "c"])[-4],
        OutOfRangeError,
        """\
ConcatDataset: the index is out of range.
  index: -4
  length: 3
Indices run from 0 to 2.""",
    ),
    "a concatenation of nothing": (
        lambda: ConcatDataset([]),
        DataError,
        """\
ConcatDataset: no datasets were given.
ConcatDataset([first, second])""",
    ),
    "a concatenation with a stream": (
        lambda: ConcatDataset(["ab", iter(["c"])]),
        ArgumentTypeError,
        """\
ConcatDataset: every part must be readable by index.
  part 1: list_iterator
Chain streams with itertools.chain(first, second).""",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_one_error_says_what_is_wrong_with(name):
    call, kind, text = ERRORS[name]
    with pytest.raises(kind) as raised:
        call()
    assert str(raised.value) == text
    assert isinstance(raised.value, DemogradError)
