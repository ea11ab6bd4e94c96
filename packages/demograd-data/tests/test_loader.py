"""The loader. Batches of the table are what PyTorch 2.13 gives for the same arguments."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import demograd
from demograd import Generator, Tensor
from demograd.data import (
    DataLoader,
    IterableDataset,
    RandomSampler,
    Subset,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
    default_convert,
)
from demograd.errors import ArgumentError, ArgumentTypeError, DataError, OutOfRangeError

TEN = TensorDataset(np.arange(10.0).reshape(10, 1), np.arange(10))


class Stream(IterableDataset):
    """The numbers 0 to 4, anew each epoch."""

    def __iter__(self):
        return iter(range(5))


class SizedStream(Stream):
    def __len__(self):
        return 5


def labels(loader):
    return [batch[1].tolist() for batch in loader]


def flat(batches):
    return [label for batch in batches for label in batch]


BATCHES = [
    ({"batch_size": 4}, [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]),
    ({"batch_size": 4, "drop_last": True}, [[0, 1, 2, 3], [4, 5, 6, 7]]),
    ({"batch_size": 5}, [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]),
    ({"batch_size": 20}, [list(range(10))]),
    ({"batch_size": 20, "drop_last": True}, []),
    ({"batch_size": None}, list(range(10))),
    ({"sampler": [3, 1, 2], "batch_size": 2}, [[3, 1], [2]]),
    ({"sampler": [3, 1], "batch_size": None}, [3, 1]),
    ({"batch_sampler": [[0, 1], [5, 6, 7]]}, [[0, 1], [5, 6, 7]]),
    ({}, [[i] for i in range(10)]),
]


@pytest.mark.parametrize(("arguments", "batches"), BATCHES)
def test_batches_and_length_are_those_of_pytorch(arguments, batches):
    loader = DataLoader(TEN, **arguments)
    assert labels(loader) == batches
    assert labels(loader) == batches
    assert len(loader) == len(batches)


@pytest.mark.parametrize(("arguments", "batches"), BATCHES)
def test_reading_at_once_and_one_by_one_give_the_same(arguments, batches):
    one_by_one = DataLoader([TEN[i] for i in range(10)], **arguments)
    assert labels(one_by_one) == batches


def test_a_batch_is_a_list_of_tensors_that_are_not_the_datasets_memory():
    x, y = next(iter(DataLoader(TEN, 10)))
    assert type(next(iter(DataLoader(TEN, 10)))) is list
    assert (x.shape, str(x.dtype), str(y.dtype)) == ((10, 1), "float64", "int64")
    x.data[:] = -1
    assert TEN.tensors[0].data.min() == 0


def test_arguments_can_be_read_back_as_in_pytorch():
    loader = DataLoader(TEN, batch_size=4, shuffle=True)
    assert (loader.batch_size, loader.drop_last, loader.dataset) == (4, False, TEN)
    assert isinstance(loader.sampler, RandomSampler)
    assert loader.collate_fn is default_collate
    assert DataLoader(TEN, batch_sampler=[[1]]).batch_size is None
    assert DataLoader(TEN, batch_size=None).collate_fn is default_convert


def test_a_shuffle_reads_everything_once_an_epoch_in_a_new_order():
    loader = DataLoader(TEN, 3, shuffle=True, generator=Generator(0))
    epochs = [flat(labels(loader)) for _ in range(3)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len(set(map(tuple, epochs))) == 3


def test_a_seed_repeats_a_shuffle_epoch_for_epoch():
    def epochs(seed):
        loader = DataLoader(TEN, 4, shuffle=True, generator=Generator().manual_seed(seed))
        return [labels(loader) for _ in range(3)]

    assert epochs(1) == epochs(1)
    assert epochs(1) != epochs(2)


def test_a_shuffle_comes_from_the_default_generator_if_none_is_given():
    loader, orders = DataLoader(TEN, 4, shuffle=True), []
    for _ in range(2):
        demograd.manual_seed(9)
        orders.append([labels(loader), labels(loader)])
    assert orders[0] == orders[1]


def test_draws_between_two_batches_do_not_change_a_shuffle():
    def epoch(draw):
        generator = Generator(4)
        loader = DataLoader(TEN, 2, shuffle=True, generator=generator)
        return [(batch[1].tolist(), draw and generator.numpy.random())[0] for batch in loader]

    assert epoch(draw=True) == epoch(draw=False)


def test_two_loops_over_one_loader_do_not_disturb_each_other():
    loader = DataLoader(TEN, 5)
    pairs = [(a[1].tolist()[0], b[1].tolist()[0]) for a in loader for b in loader]
    assert pairs == [(0, 0), (0, 5), (5, 0), (5, 5)]


def test_a_weighted_sampler_chooses_the_samples():
    weights = np.zeros(10)
    weights[[2, 7]] = 1
    loader = DataLoader(TEN, 8, sampler=WeightedRandomSampler(weights, 16))
    assert set(flat(labels(loader))) == {2, 7}
    assert len(loader) == 2


def test_the_users_collate_function_gets_the_samples_as_a_list():
    seen = []

    def collate(samples):
        samples.sort(key=lambda sample: -sample[1].item())
        seen.append(type(samples))
        return [sample[1].item() for sample in samples]

    assert list(DataLoader(TEN, 4, collate_fn=collate)) == [[3, 2, 1, 0], [7, 6, 5, 4], [9, 8]]
    assert seen == [list] * 3


def test_a_list_of_samples_an_array_and_a_subset_are_datasets():
    assert [b.tolist() for b in DataLoader([1.0, 2.0, 3.0], 2)] == [[1.0, 2.0], [3.0]]
    assert [b.tolist() for b in DataLoader(np.eye(2), 2)] == [[[1.0, 0.0], [0.0, 1.0]]]
    assert labels(DataLoader(Subset(TEN, [9, 0, 4]), 2)) == [[9, 0], [4]]


def test_a_stream_is_read_from_front_to_end():
    assert [b.tolist() for b in DataLoader(Stream(), 2)] == [[0, 1], [2, 3], [4]]
    assert [b.tolist() for b in DataLoader(Stream(), 2, drop_last=True)] == [[0, 1], [2, 3]]
    assert list(DataLoader(Stream(), batch_size=None)) == [0, 1, 2, 3, 4]


def test_a_stream_with_a_length_gives_the_loader_one():
    assert len(DataLoader(SizedStream(), 2)) == 3
    assert len(DataLoader(SizedStream(), 2, drop_last=True)) == 2
    assert len(DataLoader(SizedStream(), None)) == 5


def test_a_generator_serves_as_a_dataset_for_one_epoch():
    loader = DataLoader((i for i in range(3)), 2)
    assert [b.tolist() for b in loader] == [[0, 1], [2]]
    with pytest.raises(DataError):
        next(iter(loader))


def test_a_generator_left_in_the_middle_goes_on():
    loader = DataLoader(TEN, 2, sampler=iter([5, 4, 3, 2]))
    assert next(iter(loader))[1].tolist() == [5, 4]
    assert labels(loader) == [[3, 2]]


def test_a_loader_without_a_length_can_still_become_a_list():
    assert len(list(DataLoader(Stream(), 2))) == 3


@given(st.integers(1, 25), st.integers(1, 8), st.booleans(), st.booleans())
def test_an_epoch_has_as_many_batches_as_its_length_says(size, batch_size, shuffle, drop_last):
    loader = DataLoader(TensorDataset(np.arange(size)), batch_size, shuffle, drop_last=drop_last)
    batches = [x.tolist() for (x,) in loader]
    assert len(batches) == len(loader)
    seen = flat(batches)
    assert len(set(seen)) == len(seen) == (size - size % batch_size if drop_last else size)


def exhausted(**arguments):
    loader = DataLoader(**arguments)
    list(loader)
    list(loader)


class Endless:
    def __getitem__(self, index):
        return index


class NoSamples(IterableDataset):
    def __iter__(self):
        return iter(())


ERRORS = {
    "an empty list": (
        lambda: DataLoader([], 4),
        DataError,
        """\
DataLoader: the dataset is empty.
  dataset: list of length 0
Give it at least one sample; look at what filled or filtered the dataset.""",
    ),
    "an empty dataset to shuffle": (
        lambda: DataLoader(TensorDataset(np.zeros((0, 3))), 4, shuffle=True),
        DataError,
        """\
DataLoader: the dataset is empty.
  dataset: TensorDataset of length 0
Give it at least one sample; look at what filled or filtered the dataset.""",
    ),
    "a stream of nothing": (
        lambda: list(DataLoader(NoSamples(), 4)),
        DataError,
        """\
DataLoader: the dataset is empty.
  dataset: NoSamples that gave no sample
Give it at least one sample; look at what filled or filtered the dataset.""",
    ),
    "a dataset that is a generator already used up": (
        lambda: exhausted(dataset=(i for i in range(3)), batch_size=2),
        DataError,
        """\
DataLoader: dataset is a generator that is already used up.
  dataset: generator with nothing left to give
A generator serves one epoch. Keep its values: list(dataset).""",
    ),
    "a sampler that is a generator already used up": (
        lambda: exhausted(dataset=TEN, sampler=(i for i in range(3)), batch_size=2),
        DataError,
        """\
BatchSampler: sampler is a generator that is already used up.
  sampler: generator with nothing left to give
A generator serves one epoch. Keep its values: list(sampler).""",
    ),
    "such a sampler without batches": (
        lambda: exhausted(dataset=TEN, sampler=iter([1]), batch_size=None),
        DataError,
        """\
DataLoader: sampler is a generator that is already used up.
  sampler: list_iterator with nothing left to give
A generator serves one epoch. Keep its values: list(sampler).""",
    ),
    "a batch sampler that is a generator already used up": (
        lambda: exhausted(dataset=TEN, batch_sampler=([i] for i in range(3))),
        DataError,
        """\
DataLoader: batch_sampler is a generator that is already used up.
  batch_sampler: generator with nothing left to give
A generator serves one epoch. Keep its values: list(batch_sampler).""",
    ),
    "a number as a dataset": (
        lambda: DataLoader(5),
        ArgumentTypeError,
        """\
DataLoader: this is not a dataset.
  dataset: int, neither indexed nor iterable
DataLoader(TensorDataset(x, y), batch_size=32)""",
    ),
    "a dataset without a length": (
        lambda: DataLoader(Endless(), 2),
        ArgumentTypeError,
        """\
DataLoader: the length is not known, because dataset has none.
  dataset: Endless without __len__
Define __len__ on it, or pass a list: list(dataset).""",
    ),
    "the length of a stream": (
        lambda: len(DataLoader(Stream(), 2)),
        ArgumentTypeError,
        """\
DataLoader: the length is not known, because dataset has none.
  dataset: Stream without __len__
Define __len__ on it, or pass a list: list(dataset).""",
    ),
    "a batch size of zero": (
        lambda: DataLoader(TEN, 0),
        ArgumentError,
        """\
DataLoader: batch_size must be a whole number of at least 1.
  batch_size: 0
batch_size=32, for example.""",
    ),
    "text as batch size": (
        lambda: DataLoader([[1.0]], "32"),
        ArgumentError,
        """\
DataLoader: batch_size must be a whole number of at least 1.
  batch_size: '32'
batch_size=32, for example.""",
    ),
    "a seed instead of a generator": (
        lambda: DataLoader(TEN, 2, shuffle=True, generator=0),
        ArgumentTypeError,
        """\
DataLoader: generator must be a demograd.Generator.
  generator: 0, of type int
generator=demograd.Generator().manual_seed(0)""",
    ),
    "shuffle with a sampler": (
        lambda: DataLoader(TEN, shuffle=True, sampler=[1]),
        ArgumentError,
        """\
DataLoader: sampler excludes shuffle.
  given with it: shuffle
Leave out shuffle.""",
    ),
    "all else with a batch sampler": (
        lambda: DataLoader(TEN, 2, sampler=[1], batch_sampler=[[1]], drop_last=True),
        ArgumentError,
        """\
DataLoader: batch_sampler excludes batch_size, sampler, drop_last.
  given with it: batch_size, sampler, drop_last
Leave out batch_size and sampler and drop_last.""",
    ),
    "drop_last without batches": (
        lambda: DataLoader(TEN, None, drop_last=True),
        ArgumentError,
        """\
DataLoader: batch_size=None excludes drop_last.
  given with it: drop_last
Leave out drop_last.""",
    ),
    "the shuffle of a stream": (
        lambda: DataLoader(Stream(), 2, shuffle=True),
        ArgumentError,
        """\
DataLoader: a dataset that is a stream excludes shuffle.
  given with it: shuffle
Leave out shuffle.""",
    ),
    "a sampler's index beyond the dataset": (
        lambda: list(DataLoader(TEN, 2, sampler=[3, 99])),
        OutOfRangeError,
        """\
TensorDataset: the index is out of range.
  index: 99
  length: 10
Indices run from 0 to 9.""",
    ),
    "a later change": (
        lambda: setattr(DataLoader(TEN, 2), "batch_size", 3),
        ArgumentError,
        """\
DataLoader: batch_size cannot be changed after the loader is made.
  batch_size: 2
Make another loader: DataLoader(dataset, batch_size=...).""",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_one_error_says_what_is_wrong_with(name):
    call, kind, text = ERRORS[name]
    with pytest.raises(kind) as raised:
        call()
    assert str(raised.value) == text


def test_a_refused_change_leaves_the_loader_as_it_was():
    loader = DataLoader(TEN, 4)
    with pytest.raises(ArgumentError):
        loader.batch_size = 3
    assert loader.batch_size == 4
    assert len(loader) == 3


def test_an_error_in_the_users_dataset_comes_through_unchanged():
    class Broken:
        def __len__(self):
            return 2

        def __getitem__(self, index):
            raise OSError("disk on fire")

    with pytest.raises(OSError, match="disk on fire"):
        list(DataLoader(Broken(), 2))


def test_tensors_of_other_dtypes_keep_them():
    half = Tensor(np.ones((4, 2), dtype=np.float16))
    assert {str(x.dtype) for (x,) in DataLoader(TensorDataset(half), 3)} == {"float16"}
