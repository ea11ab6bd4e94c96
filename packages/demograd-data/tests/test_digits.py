"""The bundled handwritten digits."""

from __future__ import annotations

import gzip
from hashlib import sha256
from importlib.resources import files

import numpy as np
import pytest

from demograd.data import DataLoader, TensorDataset, load_digits
from demograd.errors import ArgumentError

# Of the pixels and then the labels, a byte each, in scikit-learn's order.
CONTENT = "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"
IMAGES_PER_DIGIT = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def content(dataset):
    """Pixels 0..16 and labels, as bytes again."""
    images, labels = (tensor.data for tensor in dataset.tensors)
    return (images.reshape(len(images), 64) * 16).astype(np.uint8), labels.astype(np.uint8)


def test_the_content_is_the_published_one():
    pixels, labels = content(load_digits())
    assert sha256(pixels.tobytes() + labels.tobytes()).hexdigest() == CONTENT


def test_the_content_is_that_of_scikit_learn():
    sklearn = pytest.importorskip(
        "sklearn.datasets", reason="scikit-learn is not installed to compare with"
    ).load_digits()
    images, labels = load_digits().tensors
    assert np.array_equal(images.data * 16, sklearn.data)
    assert np.array_equal(labels.data, sklearn.target)


def test_images_are_float32_in_0_to_1_and_labels_int64():
    dataset = load_digits()
    images, labels = dataset.tensors
    assert isinstance(dataset, TensorDataset)
    assert (images.shape, str(images.dtype)) == ((1797, 64), "float32")
    assert (labels.shape, str(labels.dtype)) == ((1797,), "int64")
    assert (images.data.min(), images.data.max()) == (0.0, 1.0)
    assert np.bincount(labels.data).tolist() == IMAGES_PER_DIGIT


def test_the_first_image_is_a_zero():
    image, label = load_digits(flatten=False)[0]
    assert label.item() == 0
    assert (image.data[0] * 16).astype(int).tolist() == [
        [0, 0, 5, 13, 9, 1, 0, 0],
        [0, 0, 13, 15, 10, 15, 5, 0],
        [0, 3, 15, 2, 0, 11, 8, 0],
        [0, 4, 12, 0, 0, 8, 8, 0],
        [0, 5, 8, 0, 0, 9, 8, 0],
        [0, 4, 11, 0, 1, 12, 7, 0],
        [0, 2, 14, 5, 10, 12, 0, 0],
        [0, 0, 6, 13, 10, 0, 0, 0],
    ]


@pytest.mark.parametrize(("split", "count"), [("train", 1442), ("test", 355), (None, 1797)])
def test_unflattened_images_are_the_same_in_another_shape(split, count):
    flat, square = load_digits(split).tensors[0], load_digits(split, flatten=False).tensors[0]
    assert (flat.shape, square.shape) == ((count, 64), (count, 1, 8, 8))
    assert np.array_equal(flat.data, square.data.reshape(count, 64))


def test_the_test_part_is_every_fifth_image_of_each_digit():
    pixels, labels = content(load_digits())
    expected, seen = [], [0] * 10
    for i, label in enumerate(labels.tolist()):
        seen[label] += 1
        if seen[label] % 5 == 0:
            expected.append(i)
    test_pixels, test_labels = content(load_digits("test"))
    assert np.array_equal(test_pixels, pixels[expected])
    assert np.array_equal(test_labels, labels[expected])
    assert np.bincount(test_labels).tolist() == [n // 5 for n in IMAGES_PER_DIGIT]


def test_the_two_parts_make_up_the_whole_and_share_no_image():
    whole, train, test = (content(load_digits(split))[0] for split in (None, "train", "test"))
    rows = sorted(map(bytes, whole))
    assert sorted(map(bytes, np.concatenate([train, test]))) == rows
    # No image is in the data twice, or a split could put one into both parts.
    assert len(set(rows)) == 1797


def test_each_call_gives_arrays_of_its_own():
    images = load_digits("test").tensors[0]
    images.data[:] = 7
    assert load_digits("test").tensors[0].data.max() == 1.0


def test_the_parts_load_in_batches():
    batches = list(DataLoader(load_digits("train"), batch_size=64, shuffle=True, drop_last=True))
    assert {(x.shape, y.shape) for x, y in batches} == {((64, 64), (64,))}
    assert len(batches) == 22


def test_the_file_opens_with_any_tool_and_says_what_is_in_it():
    folder = files("demograd.data")
    packed = folder.joinpath("digits.csv.gz").read_bytes()
    header, first, *rest = gzip.decompress(packed).decode("ascii").splitlines()
    names = [f"p{row}{column}" for row in range(8) for column in range(8)]
    assert header.split(",") == [*names, "label"]
    assert (len(first.split(",")), len(rest)) == (65, 1796)
    assert len(packed) < 60_000
    notice = folder.joinpath("digits.md").read_text(encoding="utf-8")
    for words in ("E. Alpaydin and C. Kaynak", "10.24432/C50P49", "Attribution 4.0"):
        assert words in notice


def test_an_unknown_split_is_refused():
    with pytest.raises(ArgumentError) as raised:
        load_digits("valid")
    assert (
        str(raised.value)
        == """\
load_digits: there is no such split.
  known: 'train', 'test' and None, for all
  split: 'valid'
load_digits('train')"""
    )
