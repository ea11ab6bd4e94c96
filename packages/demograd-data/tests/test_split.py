"""Splits at random and stratified."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import demograd
from demograd import Generator, Tensor
from demograd.data import random_split, stratified_split
from demograd.errors import ArgumentError, ArgumentTypeError, DataError, ShapeError

# Sizes of the parts of range(n), as PyTorch 2.13 gives them.
PARTS = [
    (10, [7, 3], [7, 3]),
    (10, [0.7, 0.3], [7, 3]),
    (10, [0.3, 0.3, 0.4], [3, 3, 4]),
    (10, [0.6, 0.3, 0.1], [6, 3, 1]),
    (11, [0.5, 0.5], [6, 5]),
    (11, [0.3, 0.3, 0.4], [4, 3, 4]),
    (10, [1], [10]),
    (10, [10], [10]),
    (10, [0, 10], [0, 10]),
]


@pytest.mark.parametrize(("size", "lengths", "parts"), PARTS)
def test_parts_have_the_sizes_that_pytorch_gives_them(size, lengths, parts):
    assert [len(part) for part in random_split(range(size), lengths)] == parts


def test_fractions_that_add_up_to_a_hair_more_than_one_are_fractions():
    fractions = [0.5000000000000002, 0.5]
    assert sum(fractions) > 1
    assert [len(part) for part in random_split(range(11), fractions)] == [6, 5]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=5).filter(lambda sizes: sum(sizes) > 1))
def test_parts_cover_the_dataset_and_do_not_overlap(sizes):
    parts = random_split(range(sum(sizes)), sizes)
    assert [len(part) for part in parts] == sizes
    assert sorted(i for part in parts for i in part) == list(range(sum(sizes)))


def test_a_seed_repeats_a_split_and_another_seed_does_not():
    def split(seed):
        return [list(part) for part in random_split(range(50), [25, 25], Generator(seed))]

    assert split(3) == split(3)
    assert split(3) != split(4)


def test_a_split_comes_from_the_default_generator_if_none_is_given():
    orders = []
    for _ in range(2):
        demograd.manual_seed(5)
        orders.append([list(part) for part in random_split(range(30), [10, 20])])
    assert orders[0] == orders[1]


@pytest.mark.parametrize("lengths", [[1, 0], [0.99, 0.01]])
def test_an_empty_part_of_fractions_warns(lengths):
    text = f"random_split: part 1 of {lengths} of 10 samples is empty."
    with pytest.warns(UserWarning, match=f"^{re.escape(text)}$") as caught:
        parts = random_split(range(10), lengths)
    assert [len(part) for part in parts] == [10, 0]
    assert [warning.filename for warning in caught] == [__file__]


def test_a_stratified_split_takes_every_nth_of_each_class():
    labels = np.array([7, 7, 2, 7, 2, 7, 2, 2, 7])
    train, test = stratified_split(range(9), labels, every=2)
    assert list(test) == [1, 4, 5, 7]
    assert list(train) == [0, 2, 3, 6, 8]


@given(st.lists(st.integers(0, 3), min_size=30, max_size=90), st.integers(2, 5))
def test_a_stratified_split_gives_each_class_its_share(labels, every):
    train, test = stratified_split(labels, Tensor(np.array(labels)), every)
    assert sorted([*train.indices, *test.indices]) == list(range(len(labels)))
    for label in set(labels):
        assert list(test).count(label) == labels.count(label) // every


def test_a_stratified_split_is_the_same_each_time():
    labels = [i % 3 for i in range(40)]
    first, second = (stratified_split(range(40), labels)[1].indices for _ in range(2))
    assert first == second == [12, 13, 14, 27, 28, 29]


ERRORS = {
    "lengths that add up to something else": (
        lambda: random_split(range(10), [7, 4]),
        ArgumentError,
        """\
random_split: the lengths do not add up to the dataset's length.
  lengths: [7, 4], together 11
  dataset: 10 samples
Fractions that add up to 1 fit any dataset: random_split(dataset, [0.8, 0.2]).""",
    ),
    "fractions that do not add up to one": (
        lambda: random_split(range(10), [0.5, 0.25]),
        ArgumentError,
        """\
random_split: the lengths are neither whole numbers nor fractions of 1.
  lengths: [0.5, 0.25], together 0.75
random_split(dataset, [0.8, 0.2])""",
    ),
    "a negative length": (
        lambda: random_split(range(10), [11, -1]),
        ArgumentError,
        """\
random_split: a length is negative.
  lengths: [11, -1]
random_split(dataset, [0.8, 0.2])""",
    ),
    "a seed instead of a generator": (
        lambda: random_split(range(10), [5, 5], 0),
        ArgumentTypeError,
        """\
random_split: generator must be a demograd.Generator.
  generator: 0, of type int
generator=demograd.Generator().manual_seed(0)""",
    ),
    "labels of another length": (
        lambda: stratified_split(range(10), [0, 1]),
        ShapeError,
        """\
stratified_split: there must be one label a sample.
  labels: shape (2,)
  dataset: 10 samples
labels=dataset.tensors[1], for a TensorDataset of x and y.""",
    ),
    "every sample in the test": (
        lambda: stratified_split(range(2), [0, 1], every=1),
        ArgumentError,
        """\
stratified_split: every must be at least 2.
  every: 1
every=5 keeps a fifth of each class for the test.""",
    ),
    "classes that are too small": (
        lambda: stratified_split(range(3), [0.1, 0.2, 0.3]),
        DataError,
        """\
stratified_split: no class is large enough to give a sample to the test.
  every: 5
  dataset: 3 samples
Lower every, or use random_split(dataset, [0.8, 0.2]).""",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_one_error_says_what_is_wrong_with(name):
    call, kind, text = ERRORS[name]
    with pytest.raises(kind) as raised:
        call()
    assert str(raised.value) == text
