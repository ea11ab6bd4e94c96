"""Transforms of images."""

from __future__ import annotations

import numpy as np
import pytest

import demograd
from demograd import Generator, Tensor
from demograd.data.transforms import (
    Compose,
    Lambda,
    Normalize,
    RandomCrop,
    RandomHorizontalFlip,
    ToTensor,
)
from demograd.errors import (
    ArgumentError,
    ArgumentTypeError,
    DtypeError,
    GradientError,
    ShapeError,
)


def image(channels=1, height=4, width=5, dtype="float32"):
    return Tensor(np.arange(channels * height * width, dtype=dtype).reshape(-1, height, width))


class PillowLike:
    """Offers its pixels as Pillow's images do."""

    def __init__(self, array):
        self.__array_interface__ = array.__array_interface__
        self.array = array


TO_TENSOR = {
    "a grey image of bytes": (np.array([[0, 51], [255, 102]], "u1"), [[[0.0, 0.2], [1.0, 0.4]]]),
    "a colour image of bytes": (
        np.array([[[0, 51, 102]], [[255, 204, 153]]], "u1"),
        [[[0.0], [1.0]], [[0.2], [0.8]], [[0.4], [0.6]]],
    ),
    "floats, which are not scaled": (np.array([[0.5, 300.0]], "f4"), [[[0.5, 300.0]]]),
    "a Pillow image": (PillowLike(np.array([[255, 0]], "u1")), [[[1.0, 0.0]]]),
}


@pytest.mark.parametrize("name", TO_TENSOR)
def test_to_tensor_puts_channels_first_and_scales_bytes_of(name):
    picture, expected = TO_TENSOR[name]
    out = ToTensor()(picture)
    assert isinstance(out, Tensor)
    assert str(out.dtype) == "float32"
    assert out.data.flags.c_contiguous
    assert np.allclose(out.data, expected, atol=1e-7)
    assert out.shape == np.shape(expected)


def test_to_tensor_keeps_other_types_and_returns_tensors_as_they_are():
    assert str(ToTensor()(np.zeros((2, 2), "f8")).dtype) == "float64"
    assert str(ToTensor()(np.zeros((2, 2), "i8")).dtype) == "int64"
    x = image()
    assert ToTensor()(x) is x


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_normalize_subtracts_the_mean_and_divides_by_the_deviation(dtype):
    x = image(3, dtype=dtype)
    out = Normalize([1.0, 2.0, 4.0], [0.5, 1.0, 2.0])(x)
    mean, std = (np.array(v, dtype).reshape(3, 1, 1) for v in ([1, 2, 4], [0.5, 1, 2]))
    assert np.array_equal(out.data, (x.data - mean) / std)
    assert out.dtype == x.dtype
    assert x.data[0, 0, 1] == 1


def test_normalize_takes_one_number_for_all_channels_and_whole_batches():
    x = Tensor(np.ones((7, 3, 2, 2), dtype=np.float32))
    assert np.array_equal(Normalize(0.5, 0.25)(x).data, np.full((7, 3, 2, 2), 2, np.float32))


def test_normalize_passes_a_gradient_on():
    x = Tensor(np.ones((2, 1, 1)), requires_grad=True)
    Normalize((0.0, 1.0), (0.5, 4.0))(x).sum().backward()
    assert x.grad.tolist() == [[[2.0]], [[0.25]]]


def test_a_flip_mirrors_left_to_right_and_passes_a_gradient_on():
    x = Tensor(np.arange(6.0).reshape(1, 2, 3), requires_grad=True)
    flipped = RandomHorizontalFlip(p=1)(x)
    assert flipped.tolist() == [[[2, 1, 0], [5, 4, 3]]]
    (flipped * Tensor(np.array([1.0, 2.0, 3.0]))).sum().backward()
    assert x.grad.tolist() == [[[3, 2, 1], [3, 2, 1]]]


def test_a_flip_happens_with_its_probability():
    x, generator = image(1, 1, 2), Generator(0)
    flip = RandomHorizontalFlip(0.25, generator)
    count = sum(flip(x).tolist() == [[[1.0, 0.0]]] for _ in range(2000))
    # 500 are expected, with a standard deviation of 19.
    assert abs(count - 500) < 110
    never = RandomHorizontalFlip(0, generator)
    assert all(never(x) is x for _ in range(20))


def test_a_crop_is_a_part_of_the_image_and_every_part_comes():
    x = image(1, 3, 3)
    crop = RandomCrop(2, generator=Generator(0))
    seen = {tuple(crop(x).data.reshape(-1).astype(int).tolist()) for _ in range(200)}
    assert seen == {(0, 1, 3, 4), (1, 2, 4, 5), (3, 4, 6, 7), (4, 5, 7, 8)}


def test_padding_puts_zeros_around_the_image_and_keeps_channels_apart():
    x = Tensor(np.ones((2, 2, 2), dtype=np.float32))
    out = RandomCrop((4, 4), padding=1)(x)
    expected = np.pad(np.ones((2, 2), np.float32), 1)
    assert np.array_equal(out.data, np.stack([expected, expected]))
    assert str(out.dtype) == "float32"


def test_a_crop_is_contiguous_and_does_not_share_the_images_memory():
    x = image()
    part = RandomCrop((4, 5))(x)
    part.data[:] = -1
    assert x.data.min() == 0
    assert RandomCrop((2, 3))(x).data.flags.c_contiguous


@pytest.mark.parametrize(
    "make", [lambda g: RandomCrop(2, generator=g), lambda g: RandomHorizontalFlip(generator=g)]
)
def test_a_seed_repeats_the_random_transforms(make):
    def outcomes(transform):
        return [transform(image()).tolist() for _ in range(20)]

    assert outcomes(make(Generator(3))) == outcomes(make(Generator(3)))
    defaults = []
    for _ in range(2):
        demograd.manual_seed(3)
        defaults.append(outcomes(make(None)))
    assert defaults[0] == defaults[1]


def test_compose_applies_the_first_one_first():
    assert Compose([lambda x: x + 1, lambda x: x * 10])(1) == 20
    assert Compose([])(1) == 1


def test_transforms_show_their_settings():
    pipeline = Compose(
        [
            ToTensor(),
            Normalize((0.5,), (0.25,)),
            RandomHorizontalFlip(0.5),
            RandomCrop(28, padding=2),
            Lambda(len),
        ]
    )
    assert repr(pipeline) == (
        "Compose([ToTensor(), Normalize(mean=[0.5], std=[0.25]), RandomHorizontalFlip(p=0.5), "
        "RandomCrop(size=(28, 28), padding=2), Lambda(len)])"
    )


ERRORS = {
    "a list as an image": (
        lambda: ToTensor()([[1, 2]]),
        ArgumentTypeError,
        """\
ToTensor: this is not an image.
  image: list
Pass a NumPy array or a Pillow image: ToTensor()(numpy.asarray(image)).""",
    ),
    "a batch of arrays": (
        lambda: ToTensor()(np.zeros((5, 28, 28, 1))),
        ShapeError,
        """\
ToTensor: an image has two or three dimensions, (H, W) or (H, W, C).
  image: shape (5, 28, 28, 1)
Transform one image at a time.""",
    ),
    "a deviation of zero": (
        lambda: Normalize((0.5, 0.5), (0.25, 0)),
        ArgumentError,
        """\
Normalize: mean must be finite, and std finite and above 0.
  mean: [0.5, 0.5]
  std: [0.25, 0.0]
Normalize((0.1307,), (0.3081,)) is right for MNIST.""",
    ),
    "an array to normalize": (
        lambda: Normalize(0, 1)(np.zeros((1, 2, 2))),
        ArgumentTypeError,
        """\
Normalize: the image must be a tensor.
  image: ndarray
Compose([ToTensor(), Normalize(...)]) makes it one first.""",
    ),
    "bytes to normalize": (
        lambda: Normalize(0, 1)(image(dtype="uint8")),
        DtypeError,
        """\
Normalize: the image must hold floats.
  image: uint8, shape (1, 4, 5)
Compose([ToTensor(), Normalize(mean, std)]) scales bytes to 0..1 first.""",
    ),
    "more means than channels": (
        lambda: Normalize((0.1, 0.2, 0.3), 1)(image()),
        ShapeError,
        """\
Normalize: mean and std do not fit the image's channels.
  image: shape (1, 4, 5), 1 channels
  mean: 3 numbers
  std: 1 numbers
Give one number a channel, or a single one for all.""",
    ),
    "an image without channels": (
        lambda: RandomHorizontalFlip()(Tensor(np.zeros((4, 5)))),
        ShapeError,
        """\
RandomHorizontalFlip: an image is (C, H, W).
  image: shape (4, 5)
image.reshape(1, height, width) adds the dimension of a single channel.""",
    ),
    "a probability above one": (
        lambda: RandomHorizontalFlip(1.5),
        ArgumentError,
        """\
RandomHorizontalFlip: p must be a probability.
  p: 1.5
RandomHorizontalFlip(p=0.5)""",
    ),
    "a crop of nothing": (
        lambda: RandomCrop((3, 0)),
        ArgumentError,
        """\
RandomCrop: width must be a whole number of at least 1.
  width: 0
width=32, for example.""",
    ),
    "a negative padding": (
        lambda: RandomCrop(3, padding=-1),
        ArgumentError,
        """\
RandomCrop: padding must be at least 0.
  padding: -1
RandomCrop(28, padding=2)""",
    ),
    "a crop larger than the image": (
        lambda: RandomCrop((4, 9), padding=1)(image()),
        ShapeError,
        """\
RandomCrop: the image is smaller than the part.
  image: 6 x 7 with its border
  part: 4 x 9
RandomCrop((4, 7), padding=1)""",
    ),
    "a crop of what requires a gradient": (
        lambda: RandomCrop(2)(Tensor(np.zeros((1, 3, 3)), requires_grad=True)),
        GradientError,
        """\
RandomCrop: the image requires a gradient, and padding would cut it.
  image: shape (1, 3, 3), requires_grad=True
RandomCrop(size)(image.detach())""",
    ),
    "a seed instead of a generator": (
        lambda: RandomCrop(2, generator=1),
        ArgumentTypeError,
        """\
RandomCrop: generator must be a demograd.Generator.
  generator: 1, of type int
generator=demograd.Generator().manual_seed(0)""",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_one_error_says_what_is_wrong_with(name):
    call, kind, text = ERRORS[name]
    with pytest.raises(kind) as raised:
        call()
    assert str(raised.value) == text
