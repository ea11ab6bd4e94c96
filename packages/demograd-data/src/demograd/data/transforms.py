"""Transforms of small images, under torchvision's names.

Each is a callable that takes an image and returns one. Images are float tensors of shape
``(..., C, H, W)``, which :class:`ToTensor` makes of arrays, and which :class:`~demograd.data.MNIST`
gives as they are.

>>> import numpy as np
>>> from demograd.data.transforms import Compose, Normalize, ToTensor
>>> prepare = Compose([ToTensor(), Normalize((0.5,), (0.5,))])
>>> prepare(np.full((28, 28), 255, dtype=np.uint8)).shape
(1, 28, 28)
"""

from demograd.data._transforms import (
    Compose,
    Lambda,
    Normalize,
    RandomCrop,
    RandomHorizontalFlip,
    ToTensor,
)

__all__ = [
    "Compose",
    "Lambda",
    "Normalize",
    "RandomCrop",
    "RandomHorizontalFlip",
    "ToTensor",
]
