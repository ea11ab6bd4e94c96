"""Transforms of small images, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from demograd import Generator, Tensor
from demograd.data._arguments import check_generator, numpy_generator, positive_int
from demograd.errors import (
    ArgumentError,
    ArgumentTypeError,
    DtypeError,
    GradientError,
    ShapeError,
)

__all__ = [
    "Compose",
    "Lambda",
    "Normalize",
    "RandomCrop",
    "RandomHorizontalFlip",
    "ToTensor",
]


class Compose:
    """One transform after the other.

    Args:
        transforms: callables; the first is applied first.

    >>> Compose([abs, str])(-3)
    '3'
    """

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = list(transforms)

    def __call__(self, image: Any) -> Any:
        for transform in self.transforms:
            image = transform(image)
        return image

    def __repr__(self) -> str:
        return f"Compose([{', '.join(map(repr, self.transforms))}])"


class Lambda:
    """Any function as a transform; what it adds to the bare function is a name in ``repr``.

    Args:
        function: takes an image, returns one.

    >>> Lambda(len)
    Lambda(len)
    """

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function

    def __call__(self, image: Any) -> Any:
        return self.function(image)

    def __repr__(self) -> str:
        return f"Lambda({getattr(self.function, '__name__', repr(self.function))})"


class ToTensor:
    """An array ``(H, W)`` or ``(H, W, C)`` to a tensor ``(C, H, W)``; bytes are scaled to 0..1.

    uint8 becomes float32, divided by 255; other types keep their values and type. A Pillow image
    is taken as the array that it is. A tensor is returned as it is, since it is one already.

    Raises:
        ArgumentTypeError: neither an array nor an image.
        ShapeError: not two or three dimensions.

    >>> import numpy as np
    >>> ToTensor()(np.array([[0, 255]], dtype=np.uint8)).tolist()
    [[[0.0, 1.0]]]
    """

    def __call__(self, image: Any) -> Tensor:
        if isinstance(image, Tensor):
            return image
        if not hasattr(image, "__array_interface__"):
            raise ArgumentTypeError(
                "ToTensor: this is not an image.",
                [f"image: {type(image).__name__}"],
                "Pass a NumPy array or a Pillow image: ToTensor()(numpy.asarray(image)).",
            )
        array = np.asarray(image)
        if array.ndim not in (2, 3):
            raise ShapeError(
                "ToTensor: an image has two or three dimensions, (H, W) or (H, W, C).",
                [f"image: shape {array.shape}"],
                "Transform one image at a time.",
            )
        array = array[np.newaxis] if array.ndim == 2 else array.transpose(2, 0, 1)
        array = np.ascontiguousarray(array)
        if array.dtype == np.uint8:
            array = np.divide(array, np.float32(255), dtype=np.float32)
        return Tensor(array)

    def __repr__(self) -> str:
        return "ToTensor()"


class Normalize:
    """``(image - mean) / std``, channel by channel.

    Args:
        mean: ``C`` numbers, one a channel, or a single one for all.
        std: likewise, each above 0.

    Raises:
        ArgumentError: a ``std`` that is 0, negative or not finite, or a ``mean`` that is not
            finite.
        ShapeError: when called, on an image that is not ``(..., C, H, W)``.
        DtypeError: when called, on an image of whole numbers.

    >>> import numpy as np
    >>> Normalize((0.5,), (0.25,))(Tensor(np.ones((1, 1, 2), dtype=np.float32))).tolist()
    [[[2.0, 2.0]]]
    """

    def __init__(self, mean: float | Sequence[float], std: float | Sequence[float]) -> None:
        self.mean = np.asarray(mean, dtype=np.float64).reshape(-1)
        self.std = np.asarray(std, dtype=np.float64).reshape(-1)
        finite = np.isfinite(self.mean).all() and np.isfinite(self.std).all()
        if not finite or not (self.std > 0).all():
            raise ArgumentError(
                "Normalize: mean must be finite, and std finite and above 0.",
                [f"mean: {self.mean.tolist()}", f"std: {self.std.tolist()}"],
                "Normalize((0.1307,), (0.3081,)) is right for MNIST.",
            )

    def __call__(self, image: Tensor) -> Tensor:
        shape, dtype = _shape("Normalize", image), image.data.dtype
        if dtype.kind != "f":
            raise DtypeError(
                "Normalize: the image must hold floats.",
                [f"image: {dtype}, shape {shape}"],
                "Compose([ToTensor(), Normalize(mean, std)]) scales bytes to 0..1 first.",
            )
        if not {self.mean.size, self.std.size} <= {1, shape[-3]}:
            raise ShapeError(
                "Normalize: mean and std do not fit the image's channels.",
                [
                    f"image: shape {shape}, {shape[-3]} channels",
                    f"mean: {self.mean.size} numbers",
                    f"std: {self.std.size} numbers",
                ],
                "Give one number a channel, or a single one for all.",
            )
        mean, std = (v.astype(dtype).reshape(-1, 1, 1) for v in (self.mean, self.std))
        return (image - Tensor(mean)) / Tensor(std)

    def __repr__(self) -> str:
        return f"Normalize(mean={self.mean.tolist()}, std={self.std.tolist()})"


class RandomHorizontalFlip:
    """The image mirrored left to right with probability ``p``, else as it is.

    Args:
        p: in 0..1.
        generator: where the choice comes from; the default generator if ``None``.

    Raises:
        ArgumentError: ``p`` is not in 0..1.

    >>> import numpy as np
    >>> RandomHorizontalFlip(p=1.0)(Tensor(np.array([[[1, 2, 3]]]))).tolist()
    [[[3, 2, 1]]]
    """

    def __init__(self, p: float = 0.5, generator: Generator | None = None) -> None:
        check_generator("RandomHorizontalFlip", generator)
        if not 0 <= p <= 1:
            raise ArgumentError(
                "RandomHorizontalFlip: p must be a probability.",
                [f"p: {p!r}"],
                "RandomHorizontalFlip(p=0.5)",
            )
        self.p = p
        self.generator = generator

    def __call__(self, image: Tensor) -> Tensor:
        _shape("RandomHorizontalFlip", image)
        if numpy_generator(self.generator).random() >= self.p:
            return image
        return image[..., ::-1]

    def __repr__(self) -> str:
        return f"RandomHorizontalFlip(p={self.p})"


class RandomCrop:
    """A part of the image at a random place, after a border of zeros was put around it.

    ``RandomCrop(28, padding=2)`` shifts an image of 28 x 28 by up to two pixels each way.

    Args:
        size: height and width of the part, or one number for both.
        padding: width of the border, in pixels.
        generator: where the place comes from; the default generator if ``None``.

    Raises:
        ArgumentError: a size below 1 or a negative padding.
        ShapeError: when called, on an image that with its border is smaller than the part.
        GradientError: when called, on an image that requires a gradient.

    >>> import numpy as np
    >>> RandomCrop(28, padding=2)(Tensor(np.ones((1, 28, 28)))).shape
    (1, 28, 28)
    """

    def __init__(
        self, size: int | tuple[int, int], padding: int = 0, generator: Generator | None = None
    ) -> None:
        check_generator("RandomCrop", generator)
        height, width = size if isinstance(size, tuple) else (size, size)
        self.size = (
            positive_int("RandomCrop", "height", height),
            positive_int("RandomCrop", "width", width),
        )
        if padding < 0:
            raise ArgumentError(
                "RandomCrop: padding must be at least 0.",
                [f"padding: {padding!r}"],
                "RandomCrop(28, padding=2)",
            )
        self.padding = padding
        self.generator = generator

    def __call__(self, image: Tensor) -> Tensor:
        shape = _shape("RandomCrop", image)
        if image.requires_grad:
            raise GradientError(
                "RandomCrop: the image requires a gradient, and padding would cut it.",
                [f"image: shape {shape}, requires_grad=True"],
                "RandomCrop(size)(image.detach())",
            )
        height, width = (n + 2 * self.padding for n in shape[-2:])
        room = height - self.size[0], width - self.size[1]
        if min(room) < 0:
            fits = min(height, self.size[0]), min(width, self.size[1])
            raise ShapeError(
                "RandomCrop: the image is smaller than the part.",
                [
                    f"image: {height} x {width} with its border",
                    f"part: {self.size[0]} x {self.size[1]}",
                ],
                f"RandomCrop({fits}, padding={self.padding})",
            )
        draw = numpy_generator(self.generator)
        top, left = (int(draw.integers(n + 1)) for n in room)
        border = [(0, 0)] * (len(shape) - 2) + [(self.padding, self.padding)] * 2
        padded = np.pad(image.data, border)
        part = padded[..., top : top + self.size[0], left : left + self.size[1]]
        return Tensor(np.ascontiguousarray(part))

    def __repr__(self) -> str:
        return f"RandomCrop(size={self.size}, padding={self.padding})"


def _shape(operation: str, image: object) -> tuple[int, ...]:
    """The image's shape, once it is known to be a tensor ``(..., C, H, W)``."""
    if not isinstance(image, Tensor):
        raise ArgumentTypeError(
            f"{operation}: the image must be a tensor.",
            [f"image: {type(image).__name__}"],
            f"Compose([ToTensor(), {operation}(...)]) makes it one first.",
        )
    shape = tuple(image.shape)
    if len(shape) < 3:
        raise ShapeError(
            f"{operation}: an image is (C, H, W).",
            [f"image: shape {shape}"],
            "image.reshape(1, height, width) adds the dimension of a single channel.",
        )
    return shape
