"""MNIST and Fashion-MNIST, from small files of the same format, and from the real ones."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from demograd import Generator, Tensor
from demograd.data import MNIST, DataLoader, FashionMNIST, Rows, Subset
from demograd.data.transforms import Compose, Normalize, ToTensor
from demograd.errors import ArgumentTypeError, DataError, OutOfRangeError

# Where Debian's package dataset-fashion-mnist puts it.
REAL = Path(os.environ.get("DEMOGRAD_FASHION_MNIST", "/usr/share/datasets/fashion-mnist"))


def parts(train=5, test=3):
    pixels = np.arange((train + test) * 6, dtype=np.uint8).reshape(-1, 2, 3)
    labels = np.arange(train + test, dtype=np.uint8) % 10
    return {"train": (pixels[:train], labels[:train]), "t10k": (pixels[train:], labels[train:])}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", [MNIST, FashionMNIST])
@pytest.mark.parametrize("folder", ["", "raw", "{name}/raw"])
def test_the_files_are_found_in(tmp_path, write_mnist, kind, folder, packed):
    write_mnist(tmp_path / folder.format(name=kind.__name__), parts(), packed)
    train, test = kind(tmp_path), kind(str(tmp_path), train=False)
    assert (len(train), len(test)) == (5, 3)
    assert np.array_equal(train.data.data, parts()["train"][0])
    assert np.array_equal(test.data.data, parts()["t10k"][0])
    assert train.targets.tolist() == [0, 1, 2, 3, 4]
    assert (str(train.data.dtype), str(train.targets.dtype)) == ("uint8", "int64")


def test_a_sample_is_a_scaled_image_with_a_channel_and_an_int(tmp_path, write_mnist):
    write_mnist(tmp_path, parts())
    image, label = MNIST(tmp_path)[-2]
    assert isinstance(image, Tensor)
    assert (image.shape, str(image.dtype)) == ((1, 2, 3), "float32")
    assert np.array_equal(image.data[0], np.float32(parts()["train"][0][3]) / np.float32(255))
    assert (type(label), label) == (int, 3)


def test_a_batch_is_read_at_once_and_equals_its_samples(tmp_path, write_mnist):
    write_mnist(tmp_path, parts())
    dataset = MNIST(tmp_path)
    assert isinstance(dataset.__getitems__([4, 0]), Rows)
    images, labels = next(iter(DataLoader(Subset(dataset, [4, 0, 2]), 3)))
    assert (images.shape, str(images.dtype), str(labels.dtype)) == (
        (3, 1, 2, 3),
        "float32",
        "int64",
    )
    assert labels.tolist() == [4, 0, 2]
    for image, i in zip(images.data, [4, 0, 2], strict=True):
        assert np.array_equal(image, dataset[i][0].data)


def test_the_transform_is_applied_to_each_image(tmp_path, write_mnist):
    write_mnist(tmp_path, parts())
    plain = MNIST(tmp_path)
    transformed = MNIST(tmp_path, transform=Compose([ToTensor(), Normalize((0.5,), (0.25,))]))
    images, labels = next(iter(DataLoader(transformed, 5)))
    whole, _ = next(iter(DataLoader(plain, 5)))
    assert np.allclose(images.data, (whole.data - 0.5) / 0.25)
    assert labels.tolist() == [0, 1, 2, 3, 4]


def test_a_collate_function_gets_the_samples_as_the_dataset_gives_them(tmp_path, write_mnist):
    write_mnist(tmp_path, parts())
    batch = next(iter(DataLoader(MNIST(tmp_path), 2, collate_fn=list)))
    assert [(image.shape, type(label)) for image, label in batch] == [((1, 2, 3), int)] * 2


def test_the_classes_have_torchvisions_names():
    assert (MNIST.classes[0], MNIST.classes[9]) == ("0 - zero", "9 - nine")
    assert (FashionMNIST.classes[0], FashionMNIST.classes[9]) == ("T-shirt/top", "Ankle boot")
    assert len(set(MNIST.classes)) == len(set(FashionMNIST.classes)) == 10


def test_a_name_gives_its_label(tmp_path, write_mnist):
    write_mnist(tmp_path, parts())
    assert FashionMNIST(tmp_path).class_to_idx["Sneaker"] == 7


ERRORS = {
    "labels where images belong": (
        {"train": (np.zeros(5, np.uint8), np.zeros(5, np.uint8))},
        """\
MNIST: the file holds something else.
  file: {folder}/train-images-idx3-ubyte
  expected: uint8 values in 3 dimensions, at least one value
  found: uint8 values of shape (5,)
Images are in the idx3 file, labels in the idx1 file.""",
    ),
    "labels of another type": (
        {"train": (np.zeros((2, 2, 2), np.uint8), np.zeros(2, np.int32))},
        """\
MNIST: the file holds something else.
  file: {folder}/train-labels-idx1-ubyte
  expected: uint8 values in 1 dimensions, at least one value
  found: int32 values of shape (2,)
Images are in the idx3 file, labels in the idx1 file.""",
    ),
    "no images": (
        {"train": (np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8))},
        """\
MNIST: the file holds something else.
  file: {folder}/train-images-idx3-ubyte
  expected: uint8 values in 3 dimensions, at least one value
  found: uint8 values of shape (0, 28, 28)
Images are in the idx3 file, labels in the idx1 file.""",
    ),
    "images and labels of different lengths": (
        {"train": (np.zeros((3, 2, 2), np.uint8), np.zeros(2, np.uint8))},
        """\
MNIST: the two files do not belong together.
  file: {folder}/train-images-idx3-ubyte, 3 images
  file: {folder}/train-labels-idx1-ubyte, 2 labels
Take both files from one release.""",
    ),
    "a label beyond the classes": (
        {"train": (np.zeros((2, 2, 2), np.uint8), np.array([3, 10], np.uint8))},
        """\
MNIST: a label is out of range.
  file: {folder}/train-labels-idx1-ubyte
  expected: 0 to 9
  found: 10
Read other data sets with read_idx(path).""",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_sound_files_are_refused_for(tmp_path, write_mnist, name):
    content, text = ERRORS[name]
    write_mnist(tmp_path, content)
    with pytest.raises(DataError) as raised:
        MNIST(tmp_path)
    assert str(raised.value) == text.format(folder=tmp_path)


def test_a_missing_file_is_named_with_all_places_that_were_looked_at(tmp_path, write_mnist):
    write_mnist(tmp_path, {"train": parts()["train"]})
    with pytest.raises(FileNotFoundError) as raised:
        FashionMNIST(tmp_path, train=False)
    assert (
        str(raised.value)
        == f"""\
FashionMNIST: a file is missing.
  looked for: t10k-images-idx3-ubyte and t10k-images-idx3-ubyte.gz
  in: {tmp_path}
  in: {tmp_path}/raw
  in: {tmp_path}/FashionMNIST/raw
Put the four files into {tmp_path} as they are published; demograd downloads nothing."""
    )


def test_an_index_out_of_range_is_refused(tmp_path, write_mnist):
    write_mnist(tmp_path, parts())
    dataset = MNIST(tmp_path)
    for call in (lambda: dataset[5], lambda: dataset.__getitems__([0, 5])):
        with pytest.raises(OutOfRangeError) as raised:
            call()
        assert (
            str(raised.value)
            == """\
MNIST: the index is out of range.
  index: 5
  length: 5
Indices run from 0 to 4."""
        )
    with pytest.raises(ArgumentTypeError):
        dataset.__getitems__([])


@pytest.mark.skipif(
    not REAL.is_dir(), reason="Fashion-MNIST is not installed (Debian: dataset-fashion-mnist)"
)
def test_the_real_fashion_mnist_is_read_whole():
    train, test = FashionMNIST(REAL), FashionMNIST(REAL, train=False)
    assert (train.data.shape, test.data.shape) == ((60000, 28, 28), (10000, 28, 28))
    assert np.bincount(train.targets.data).tolist() == [6000] * 10
    assert np.bincount(test.targets.data).tolist() == [1000] * 10
    assert train.targets.tolist()[:5] == [9, 0, 0, 3, 0]
    # The mean and deviation that are published for it.
    pixels = train.data.data / np.float32(255)
    assert abs(pixels.mean(dtype=np.float64) - 0.2860) < 1e-4
    assert abs(pixels.std(dtype=np.float64) - 0.3530) < 1e-4
    loader = DataLoader(train, batch_size=1000, shuffle=True, generator=Generator(0))
    seen = [labels.tolist() for _, labels in loader]
    assert len(seen) == 60
    assert np.bincount(np.concatenate(seen)).tolist() == [6000] * 10
