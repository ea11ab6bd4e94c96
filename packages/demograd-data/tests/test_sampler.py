"""Samplers."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import demograd
from demograd import Generator, Tensor
from demograd.data import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)
from demograd.errors import ArgumentError, ArgumentTypeError, DataError, ShapeError

# Each makes a sampler of a generator, over ten samples.
RANDOM = {
    "RandomSampler": lambda g: RandomSampler(range(10), generator=g),
    "RandomSampler with replacement": lambda g: RandomSampler(range(10), True, 40, g),
    "SubsetRandomSampler": lambda g: SubsetRandomSampler(list("abcdefghij"), g),
    "WeightedRandomSampler": lambda g: WeightedRandomSampler(np.arange(10), 40, generator=g),
}


@pytest.mark.parametrize("name", RANDOM)
def test_a_seed_repeats_the_order_of_every_epoch(name):
    first, second = (RANDOM[name](Generator(11)) for _ in range(2))
    epochs = [list(first) for _ in range(3)]
    assert epochs == [list(second) for _ in range(3)]
    assert epochs[0] != epochs[1]
    assert all(len(epoch) == len(first) for epoch in epochs)


@pytest.mark.parametrize("name", RANDOM)
def test_the_default_generator_is_used_if_none_is_given(name):
    sampler, orders = RANDOM[name](None), []
    for _ in range(2):
        demograd.manual_seed(2)
        orders.append(list(sampler))
    assert orders[0] == orders[1]


@pytest.mark.parametrize("name", RANDOM)
def test_a_saved_state_brings_an_epoch_back(name):
    generator = Generator(0)
    sampler = RANDOM[name](generator)
    list(sampler)
    state = generator.get_state()
    epoch = list(sampler)
    generator.set_state(state)
    assert list(sampler) == epoch


@pytest.mark.parametrize("name", RANDOM)
def test_other_draws_during_an_epoch_do_not_change_it(name):
    undisturbed = list(RANDOM[name](Generator(7)))
    generator, disturbed = Generator(7), []
    for i in RANDOM[name](generator):
        generator.numpy.random()
        disturbed.append(i)
    assert disturbed == undisturbed


@pytest.mark.parametrize("name", [name for name in RANDOM if name != "SubsetRandomSampler"])
def test_indices_are_pythons_integers(name):
    assert {type(i) for i in RANDOM[name](Generator(0))} == {int}


def test_sequential_is_in_order_and_follows_the_length():
    source = [1, 2, 3]
    sampler = SequentialSampler(source)
    source.append(4)
    assert list(sampler) == [0, 1, 2, 3]
    assert len(sampler) == 4


@given(st.integers(1, 20), st.integers(1, 50))
def test_random_without_replacement_repeats_no_index_before_all_were_drawn(size, count):
    order = list(RandomSampler(range(size), num_samples=count, generator=Generator(0)))
    assert len(order) == count
    for start in range(0, count, size):
        round_ = order[start : start + size]
        assert len(set(round_)) == len(round_) == min(size, count - start)
        assert set(round_) <= set(range(size))


def test_random_with_replacement_draws_evenly():
    sampler = RandomSampler(range(4), True, 40_000, Generator(0))
    counts = Counter(sampler)
    # Ten thousand each; the standard deviation is 87, so this is six of them.
    assert sorted(counts) == [0, 1, 2, 3]
    assert all(abs(count - 10_000) < 520 for count in counts.values())


def test_every_permutation_is_drawn():
    sampler = RandomSampler(range(3), generator=Generator(0))
    assert len({tuple(sampler) for _ in range(100)}) == 6


def test_weights_are_proportions_and_need_not_add_up():
    weights = Tensor(np.array([0.0, 3.0, 1.0], dtype=np.float32))
    counts = Counter(WeightedRandomSampler(weights, 40_000, generator=Generator(0)))
    assert sorted(counts) == [1, 2]
    assert abs(counts[1] - 30_000) < 520


def test_large_weights_do_not_overflow():
    assert set(WeightedRandomSampler([1e308, 1e308, 0], 100)) == {0, 1}


def test_weighted_without_replacement_draws_each_index_once():
    sampler = WeightedRandomSampler([1, 0, 5, 2], 3, replacement=False)
    assert sorted(sampler) == [0, 2, 3]


@pytest.mark.parametrize(
    ("drop_last", "batches"),
    [(False, [[0, 1, 2], [3, 4, 5], [6]]), (True, [[0, 1, 2], [3, 4, 5]])],
)
def test_the_last_batch_is_smaller_or_dropped(drop_last, batches):
    sampler = BatchSampler(SequentialSampler(range(7)), 3, drop_last)
    assert list(sampler) == batches
    assert list(sampler) == batches
    assert len(sampler) == len(batches)


@given(st.integers(0, 30), st.integers(1, 12), st.booleans())
def test_the_length_is_the_number_of_batches(size, batch_size, drop_last):
    sampler = BatchSampler(range(size), batch_size, drop_last)
    batches = list(sampler)
    assert len(batches) == len(sampler)
    kept = size - size % batch_size if drop_last else size
    assert [i for batch in batches for i in batch] == list(range(kept))


def test_numpys_integers_are_batch_sizes():
    assert list(BatchSampler(range(3), np.int64(2))) == [[0, 1], [2]]


def test_an_abstract_sampler_cannot_be_made():
    with pytest.raises(TypeError, match="abstract"):
        Sampler()


def used_up():
    generator = (i for i in range(3))
    batches = BatchSampler(generator, 2)
    assert list(batches) == [[0, 1], [2]]
    list(batches)


ERRORS = {
    "a generator already used up": (
        used_up,
        DataError,
        """\
BatchSampler: sampler is a generator that is already used up.
  sampler: generator with nothing left to give
A generator serves one epoch. Keep its values: list(sampler).""",
    ),
    "a batch size of zero": (
        lambda: BatchSampler([1], 0),
        ArgumentError,
        """\
BatchSampler: batch_size must be a whole number of at least 1.
  batch_size: 0
batch_size=32, for example.""",
    ),
    "a batch size that is true": (
        lambda: BatchSampler([1], True),
        ArgumentError,
        """\
BatchSampler: batch_size must be a whole number of at least 1.
  batch_size: True
batch_size=32, for example.""",
    ),
    "a batch size with a fraction": (
        lambda: BatchSampler([1], 2.5),
        ArgumentError,
        """\
BatchSampler: batch_size must be a whole number of at least 1.
  batch_size: 2.5
batch_size=32, for example.""",
    ),
    "the length of a generator": (
        lambda: len(BatchSampler(iter([1, 2]), 1)),
        ArgumentTypeError,
        """\
BatchSampler: the length is not known, because sampler has none.
  sampler: list_iterator without __len__
Define __len__ on it, or pass a list: list(sampler).""",
    ),
    "nothing to draw from": (
        lambda: RandomSampler([]),
        DataError,
        """\
RandomSampler: there is nothing to draw from.
  data_source: list of length 0
Give it a dataset of at least one sample.""",
    ),
    "a negative number of samples": (
        lambda: RandomSampler([1], num_samples=-1),
        ArgumentError,
        """\
RandomSampler: num_samples must be a whole number of at least 1.
  num_samples: -1
num_samples=32, for example.""",
    ),
    "a seed instead of a generator": (
        lambda: SubsetRandomSampler([1], 42),
        ArgumentTypeError,
        """\
SubsetRandomSampler: generator must be a demograd.Generator.
  generator: 42, of type int
generator=demograd.Generator().manual_seed(0)""",
    ),
    "negative weights": (
        lambda: WeightedRandomSampler([1.0, -2.0], 1),
        ArgumentError,
        """\
WeightedRandomSampler: weights must be finite, at least 0 and not all 0.
  weights: 2, from -2 to 1
weights = 1.0 / class_counts[labels]""",
    ),
    "weights of zero": (
        lambda: WeightedRandomSampler([0.0, 0.0], 1),
        ArgumentError,
        """\
WeightedRandomSampler: weights must be finite, at least 0 and not all 0.
  weights: 2, from 0 to 0
weights = 1.0 / class_counts[labels]""",
    ),
    "no weights": (
        lambda: WeightedRandomSampler([], 1),
        ArgumentError,
        """\
WeightedRandomSampler: weights must be finite, at least 0 and not all 0.
  weights: 0, no numbers
weights = 1.0 / class_counts[labels]""",
    ),
    "weights that are not finite": (
        lambda: WeightedRandomSampler([1.0, float("nan"), float("inf")], 1),
        ArgumentError,
        """\
WeightedRandomSampler: weights must be finite, at least 0 and not all 0.
  weights: 3, 2 not finite
weights = 1.0 / class_counts[labels]""",
    ),
    "weights in two dimensions": (
        lambda: WeightedRandomSampler([[1.0], [2.0]], 1),
        ShapeError,
        """\
WeightedRandomSampler: weights must have one dimension.
  weights: shape (2, 1)
Give one weight a sample: weights.reshape(-1).""",
    ),
    "more draws than weights above zero": (
        lambda: WeightedRandomSampler([0.0, 2.0], 2, replacement=False),
        ArgumentError,
        """\
WeightedRandomSampler: too few indices to draw without replacement.
  num_samples: 2
  weights above 0: 1
Lower num_samples to 1, or draw with replacement=True.""",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_one_error_says_what_is_wrong_with(name):
    call, kind, text = ERRORS[name]
    with pytest.raises(kind) as raised:
        call()
    assert str(raised.value) == text
