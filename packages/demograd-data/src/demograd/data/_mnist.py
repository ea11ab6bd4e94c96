"""MNIST and Fashion-MNIST, from a folder of their standard files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from demograd import Tensor
from demograd.data._arguments import check_index, index_array
from demograd.data._dataset import Dataset
from demograd.data._idx import read_idx
from demograd.data._rows import Rows
from demograd.errors import DataError, MissingFileError

__all__ = ["MNIST", "FashionMNIST"]


class MNIST(Dataset[tuple[Any, int]]):
    """Handwritten digits: 60,000 images for training and 10,000 for the test, 28 x 28 pixels.

    A sample is ``(image, label)``: a float32 tensor of shape ``(1, 28, 28)`` in 0..1 and an int
    in 0..9. ``data`` holds all images as they are in the file, uint8 ``(N, 28, 28)``, and
    ``targets`` the labels, int64 ``(N,)``. A loader without ``transform`` and ``collate_fn``
    reads whole batches at once.

    Args:
        root: the folder with ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte``,
            ``t10k-images-idx3-ubyte`` and ``t10k-labels-idx1-ubyte``, each gzipped (``.gz``) or
            not; or the folder that was given to torchvision, whose ``MNIST/raw`` holds them.
            Nothing is downloaded.
        train: the training images rather than those of the test.
        transform: applied to the image of each sample when it is read.

    Raises:
        FileError: a file cannot be opened (a ``FileNotFoundError`` if it is not there).
        DataError: a file is damaged or holds something else, or the two do not belong together.

    Source: Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied to
    document recognition", Proceedings of the IEEE 86(11), 1998.
    """

    classes: ClassVar[list[str]] = [
        "0 - zero",
        "1 - one",
        "2 - two",
        "3 - three",
        "4 - four",
        "5 - five",
        "6 - six",
        "7 - seven",
        "8 - eight",
        "9 - nine",
    ]

    def __init__(
        self,
        root: str | PathLike[str],
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
    ) -> None:
        part = "train" if train else "t10k"
        folder, name = Path(root), type(self).__name__
        images_path = _find(name, folder, f"{part}-images-idx3-ubyte")
        labels_path = _find(name, folder, f"{part}-labels-idx1-ubyte")
        images, labels = read_idx(images_path), read_idx(labels_path)
        _check(name, images_path, images, labels_path, labels, len(self.classes))
        self.root = folder
        self.train = train
        self.transform = transform
        self.data = Tensor(images)
        self.targets = Tensor(labels.astype(np.int64))

    @property
    def class_to_idx(self) -> dict[str, int]:
        """The label of each class by its name."""
        return {name: i for i, name in enumerate(self.classes)}

    def __getitem__(self, index: int, /) -> tuple[Any, int]:
        check_index(type(self).__name__, index, len(self))
        image: Any = _to_image(self.data.data[index])
        if self.transform is not None:
            image = self.transform(image)
        return image, int(self.targets.data[index])

    def __getitems__(self, indices: Sequence[int]) -> Sequence[tuple[Any, ...]]:
        """The samples at ``indices``, read at once where no transform wants them one by one."""
        if self.transform is not None:
            return [self[i] for i in indices]
        chosen = index_array(type(self).__name__, indices, len(self))
        return Rows(_to_image(self.data.data[chosen]), Tensor(self.targets.data[chosen]))

    def __len__(self) -> int:
        return self.data.shape[0]


class FashionMNIST(MNIST):
    """Clothes in the format of :class:`MNIST`: same files, shapes and sizes, ten other classes.

    Debian and Ubuntu have it as the package ``dataset-fashion-mnist``, which puts the files into
    ``/usr/share/datasets/fashion-mnist``.

    Source: H. Xiao, K. Rasul and R. Vollgraf, "Fashion-MNIST: a novel image dataset for
    benchmarking machine learning algorithms", arXiv:1708.07747, 2017. MIT licence.
    """

    classes: ClassVar[list[str]] = [
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ]


def _to_image(pixels: np.ndarray[Any, np.dtype[Any]]) -> Tensor:
    """uint8 ``(..., H, W)`` to float32 ``(..., 1, H, W)`` in 0..1."""
    scaled = np.divide(pixels, np.float32(255), dtype=np.float32)
    return Tensor(scaled[..., np.newaxis, :, :])


def _find(dataset: str, root: Path, name: str) -> Path:
    folders = [root, root / "raw", root / dataset / "raw"]
    for folder in folders:
        for path in (folder / name, folder / f"{name}.gz"):
            if path.is_file():
                return path
    raise MissingFileError(
        f"{dataset}: a file is missing.",
        [f"looked for: {name} and {name}.gz", *(f"in: {folder}" for folder in folders)],
        f"Put the four files into {root} as they are published; demograd downloads nothing.",
    )


def _check(
    dataset: str,
    images_path: Path,
    images: np.ndarray[Any, np.dtype[Any]],
    labels_path: Path,
    labels: np.ndarray[Any, np.dtype[Any]],
    classes: int,
) -> None:
    """Refuse files that are sound IDX but not images and labels that belong together."""
    for path, array, dimensions in ((images_path, images, 3), (labels_path, labels, 1)):
        if array.ndim != dimensions or array.dtype != np.uint8 or not array.size:
            raise DataError(
                f"{dataset}: the file holds something else.",
                [
                    f"file: {path}",
                    f"expected: uint8 values in {dimensions} dimensions, at least one value",
                    f"found: {array.dtype} values of shape {array.shape}",
                ],
                "Images are in the idx3 file, labels in the idx1 file.",
            )
    if len(images) != len(labels):
        raise DataError(
            f"{dataset}: the two files do not belong together.",
            [
                f"file: {images_path}, {len(images)} images",
                f"file: {labels_path}, {len(labels)} labels",
            ],
            "Take both files from one release.",
        )
    if labels.max() >= classes:
        raise DataError(
            f"{dataset}: a label is out of range.",
            [f"file: {labels_path}", f"expected: 0 to {classes - 1}", f"found: {labels.max()}"],
            "Read other data sets with read_idx(path).",
        )
