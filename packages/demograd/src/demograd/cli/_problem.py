"""What is to be learnt: the bundled digits, or the user's own arrays."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from demograd import Tensor
from demograd.data import TensorDataset, load_digits, load_npz, stratified_split
from demograd.errors import DataError

__all__ = ["Problem", "digits", "own_data"]

TEST_EVERY = 5
MEND_LABELS = "y holds the class of each sample as a whole number, with shape (N,)."


@dataclass(frozen=True)
class Problem:
    """A classification: inputs flattened to ``(N, inputs)``, classes numbered from 0.

    Attributes:
        name: what its runs are called.
        train, test: inputs and classes.
        labels: the user's label of each class.
        images: the shape of one input if it is an image, ``(height, width)`` or with channels.
        digest: of all values, to know the same data again.
    """

    name: str
    train: TensorDataset
    test: TensorDataset
    labels: tuple[int, ...]
    images: tuple[int, ...] | None
    digest: str

    @property
    def inputs(self) -> int:
        """How many numbers a sample has."""
        return int(self.train.tensors[0].shape[1])

    def about(self) -> dict[str, Any]:
        """What is worth knowing beside the choices of a run."""
        return {
            "train": len(self.train),
            "test": len(self.test),
            "inputs": self.inputs,
            "labels": list(self.labels),
            "digest": self.digest,
        }


def digits() -> Problem:
    """The bundled handwritten digits with their fixed, stratified test part."""
    train, test = load_digits("train"), load_digits("test")
    arrays = [tensor.data for part in (train, test) for tensor in part.tensors]
    return Problem("digits", train, test, tuple(range(10)), (8, 8), _digest(*arrays))


def own_data(path: Path) -> Problem:
    """The arrays ``x`` and ``y`` of an ``.npz`` file; a fifth of each class is for the test.

    Raises:
        DataError: ``y`` holds no classes, or fewer than two, or too few samples of each.
        FileError: the file cannot be read.
    """
    whole = load_npz(path)
    x, y = (tensor.data for tensor in whole.tensors)
    if y.ndim != 1 or y.dtype.kind != "i":
        raise DataError(
            "train: y does not hold classes.",
            [f"file: {path}", f"y: {y.dtype} of shape {y.shape}"],
            f"{MEND_LABELS} y.argmax(axis=1) makes it of one-hot rows.",
        )
    labels, classes = np.unique(y, return_inverse=True)
    if len(labels) < 2:
        raise DataError(
            "train: there is only one class in y, so there is nothing to tell apart.",
            [f"file: {path}", f"y: {len(y)} times {labels[0]}"],
            MEND_LABELS,
        )
    rows = np.arange(len(y))
    train, test = (
        np.asarray(part.indices)
        for part in stratified_split(rows.tolist(), classes, every=TEST_EVERY)
    )
    flat = x.reshape(len(x), -1)
    return Problem(
        path.stem,
        TensorDataset(Tensor(flat[train]), Tensor(classes[train])),
        TensorDataset(Tensor(flat[test]), Tensor(classes[test])),
        tuple(labels.tolist()),
        x.shape[1:] if x.ndim > 2 else None,
        _digest(x, y),
    )


def _digest(*arrays: Any) -> str:
    whole = hashlib.sha256()
    for array in arrays:
        whole.update(f"{array.dtype}{array.shape}".encode())
        whole.update(np.ascontiguousarray(array).tobytes())
    return whole.hexdigest()
