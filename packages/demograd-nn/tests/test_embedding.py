"""Embedding and one_hot."""

import numpy as np
import pytest

import demograd as dg
from demograd import nn
from demograd.errors import ArgumentError, DtypeError, OutOfRangeError, ShapeError
from demograd.nn import functional as F
from demograd.nn.functional._embedding import Lookup
from demograd.testing import check_function, check_model


def draw(*shape):
    return dg.tensor(np.random.default_rng(0).standard_normal(shape))


@pytest.mark.parametrize("index", [[1, 1, 0], [[4, 0], [2, 2]], 3, np.zeros((0, 2), dtype=int)])
def test_rows_are_looked_up_and_their_gradients_add_up(index):
    weight, index = draw(5, 3), dg.tensor(index)
    out = F.embedding(index, weight)
    np.testing.assert_array_equal(out.numpy(), weight.numpy()[index.numpy()])
    if index.numel():
        check_function(lambda w: F.embedding(index, w), weight)
        check_function(Lookup, weight, index, padding=None)


@pytest.mark.parametrize("padding", [1, -4])
def test_the_padding_row_is_given_and_gets_no_gradient(padding):
    weight = draw(5, 2).requires_grad_()
    out = F.embedding(dg.tensor([[1, 0], [1, 0]]), weight, padding_idx=padding)
    out.sum().backward()
    assert out.detach()[0, 0].tolist() == weight[1].tolist()
    assert weight.grad.tolist() == [[2.0, 2.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]


def test_the_layer_starts_normal_with_zeros_for_the_padding():
    dg.manual_seed(0)
    layer = nn.Embedding(1000, 10, padding_idx=-1)
    values = layer.weight.detach().numpy()
    assert layer.padding_idx == 999
    assert abs(values[:-1].mean()) < 0.05
    assert abs(values[:-1].std() - 1.0) < 0.05
    assert values[-1].tolist() == [0.0] * 10
    assert repr(layer) == "Embedding(1000, 10, padding_idx=999)"
    assert repr(nn.Embedding(5, 3)) == "Embedding(5, 3)"


def test_given_vectors_are_frozen_unless_they_are_to_be_trained():
    vectors = draw(4, 2)
    layer = nn.Embedding.from_pretrained(vectors)
    assert layer(dg.tensor([3])).tolist() == vectors[3:].tolist()
    assert not layer.weight.requires_grad
    assert layer.weight.data is vectors.data
    assert nn.Embedding.from_pretrained(vectors, freeze=False, padding_idx=-1).weight.requires_grad


def test_the_layer_keeps_the_promises_of_a_model():
    check_model(nn.Embedding(5, 3, padding_idx=0), dg.tensor([[0, 4], [1, 1]]))


def test_one_hot_marks_each_class():
    assert F.one_hot(dg.tensor([[0, 2], [1, 1]])).tolist() == [
        [[1, 0, 0], [0, 0, 1]],
        [[0, 1, 0], [0, 1, 0]],
    ]
    out = F.one_hot(dg.tensor(1), 4)
    assert (out.tolist(), out.dtype) == ([0, 1, 0, 0], dg.int64)
    assert F.one_hot(dg.zeros(0, dtype=dg.int64), 3).shape == (0, 3)


@pytest.mark.parametrize(
    ("act", "kind", "text"),
    [
        (
            lambda: nn.Embedding(5, 3)(dg.tensor([[0, 1], [5, 2]])),
            OutOfRangeError,
            """\
embedding: there is no such row.
  input: shape (2, 2)   5 at (1, 0)
  weight: shape (5, 3)   rows 0 to 4""",
        ),
        (
            lambda: nn.Embedding(5, 3)(dg.tensor([0, -1])),
            OutOfRangeError,
            """\
embedding: there is no such row.
  input: shape (2,)   -1 at 1
  weight: shape (5, 3)   rows 0 to 4""",
        ),
        (
            lambda: nn.Embedding(5, 3)(dg.tensor([0.0])),
            DtypeError,
            """\
embedding: input is not of integers.
  input: shape (1,), dtype float32, expected row numbers
input.long() makes integers of it.""",
        ),
        (
            lambda: F.embedding(dg.tensor([0]), dg.ones(3)),
            ShapeError,
            "embedding: the weight is no matrix.\n  weight: shape (3,), expected (V, D)",
        ),
        (
            lambda: F.embedding(dg.tensor([0]), dg.ones(3, 2), padding_idx=3),
            ArgumentError,
            "embedding: padding_idx is 3, and there are 3 rows.",
        ),
        (
            lambda: nn.Embedding(3, 2, padding_idx=3),
            ArgumentError,
            "Embedding: padding_idx is 3, and there are 3 vectors.",
        ),
        (
            lambda: nn.Embedding.from_pretrained(dg.ones(3)),
            ShapeError,
            "Embedding.from_pretrained: the vectors are not the rows of a matrix.\n"
            "  embeddings: shape (3,)",
        ),
        (
            lambda: F.one_hot(dg.tensor([0, 3]), 3),
            OutOfRangeError,
            "one_hot: there is no such class.\n  tensor: shape (2,)   3 at 1\n  classes: 0 to 2",
        ),
        (
            lambda: F.one_hot(dg.tensor(-1)),
            OutOfRangeError,
            "one_hot: there is no such class.\n  tensor: shape ()   -1\n  classes: 0 to 0",
        ),
        (
            lambda: F.one_hot(dg.tensor([0.5])),
            DtypeError,
            """\
one_hot: tensor is not of integers.
  tensor: shape (1,), dtype float32, expected class numbers
tensor.long() makes integers of it.""",
        ),
        (
            lambda: F.one_hot(dg.zeros(0, dtype=dg.int64)),
            ArgumentError,
            "one_hot: how many classes there are cannot be told from none.\nGive num_classes.",
        ),
    ],
)
def test_what_does_not_fit_says_why(act, kind, text):
    with pytest.raises(kind) as error:
        act()
    assert str(error.value) == text
