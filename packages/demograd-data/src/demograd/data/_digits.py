"""The handwritten digits that come with demograd."""

from __future__ import annotations

from typing import Literal

import numpy as np

from demograd.data._dataset import TensorDataset
from demograd.data._split import every_nth_of_each_class
from demograd.errors import ArgumentError

__all__ = ["load_digits"]

TEST_EVERY = 5


def load_digits(
    split: Literal["train", "test"] | None = None, *, flatten: bool = True
) -> TensorDataset:
    """The UCI handwritten digits: 1,797 grey images of 8 x 8 pixels, with their labels 0 to 9.

    The test part is fixed and stratified: of each digit it has every fifth image in the file's
    order (the 5th, the 10th, ...), which makes 355 images; the training part is the other 1,442.

    Args:
        split: ``"train"``, ``"test"``, or ``None`` for all.
        flatten: images of shape ``(N, 64)``, as a linear layer takes them; if not,
            ``(N, 1, 8, 8)``, as a convolution takes them.

    Returns:
        A dataset of images, float32 in 0..1 (the file's 0 to 16, divided by 16), and of labels,
        int64 ``(N,)``. Each call gives arrays of its own.

    Raises:
        ArgumentError: another split.

    Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine
    Learning Repository, 1998, doi:10.24432/C50P49. CC BY 4.0. Content and order are those of
    scikit-learn's ``load_digits``; how the file was made stands beside it, in ``digits.md``.

    >>> images, labels = load_digits("test").tensors
    >>> images.shape, labels.shape
    ((355, 64), (355,))
    """
    if split not in ("train", "test", None):
        raise ArgumentError(
            "load_digits: there is no such split.",
            ["known: 'train', 'test' and None, for all", f"split: {split!r}"],
            "load_digits('train')",
        )
    pixels, labels = _read()
    if split is not None:
        chosen = every_nth_of_each_class(labels, TEST_EVERY) == (split == "test")
        pixels, labels = pixels[chosen], labels[chosen]
    images = np.divide(pixels, np.float32(16), dtype=np.float32)
    if not flatten:
        images = images.reshape(-1, 1, 8, 8)
    return TensorDataset(images, labels.astype(np.int64))


def _read() -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.uint8]], ...]:
    """Pixels ``(1797, 64)`` in 0..16 and labels ``(1797,)``, as they are in the file."""
    # Both are needed here alone, and are slow to import for what they are.
    import gzip
    from importlib.resources import files

    packed = files("demograd.data").joinpath("digits.csv.gz").read_bytes()
    lines = gzip.decompress(packed).decode("ascii").splitlines()
    table = np.loadtxt(lines, dtype=np.uint8, delimiter=",", skiprows=1)
    return table[:, :64], table[:, 64]
