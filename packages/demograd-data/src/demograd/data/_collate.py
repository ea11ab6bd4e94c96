"""Samples to batches."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from copy import copy
from typing import Any

import numpy as np

import demograd
from demograd import Tensor
from demograd.data._errors import MissingKeyError
from demograd.data._rows import Rows
from demograd.errors import ArgumentTypeError, DataError, GradientError, ShapeError

__all__ = ["default_collate", "default_convert"]


def default_collate(batch: Sequence[Any]) -> Any:
    """Turn a list of samples into a batch, with a new first dimension in each tensor.

    =======================  ==============================================
    samples                  batch
    =======================  ==============================================
    tensors, NumPy arrays    a tensor of shape ``(N, ...)``
    NumPy scalars            a tensor of shape ``(N,)`` and their dtype
    ``float``                a float32 tensor of shape ``(N,)``
    ``int``, ``bool``        an int64 or bool tensor of shape ``(N,)``
    ``str``, ``bytes``       a list of them
    mappings                 the same kind of mapping, each value a batch
    named tuples             the same named tuple, each field a batch
    other sequences          a list, each position a batch
    =======================  ==============================================

    PyTorch makes a float64 tensor of Python floats; here they are float32 as everywhere else in
    demograd, so that a loss does not turn float64.

    Args:
        batch: samples of one and the same structure, at least one.

    Raises:
        ShapeError: arrays of different shapes, or sequences of different lengths.
        DataError: no samples, or mappings of different keys.
        GradientError: a sample requires a gradient, which stacking would cut.
        ArgumentTypeError: samples of a kind that is not in the table.

    >>> import numpy as np
    >>> x, y = default_collate([(np.zeros(2), 3), (np.ones(2), 4)])
    >>> x.shape, y.tolist()
    ((2, 2), [3, 4])
    """
    if isinstance(batch, Rows):
        return list(batch.columns)
    if not batch:
        raise DataError(
            "default_collate: the batch is empty.",
            ["batch: no samples"],
            "Let the batch sampler give at least one index a batch.",
        )
    first = batch[0]
    if isinstance(first, Tensor):
        return _stack_tensors(batch)
    if isinstance(first, (np.ndarray, np.generic)) and first.dtype.kind in "biufc":
        return _stack([np.asarray(sample) for sample in batch])
    if isinstance(first, (float, int)):
        return demograd.tensor(list(batch))
    if isinstance(first, (str, bytes)):
        return list(batch)
    if isinstance(first, Mapping):
        return _collate_mappings(batch)
    if isinstance(first, Sequence):
        return _collate_sequences(batch)
    kind = type(first).__name__
    if isinstance(first, (np.ndarray, np.generic)):
        kind = f"NumPy {first.dtype}"
    raise ArgumentTypeError(
        "default_collate: samples of this kind cannot be put into a batch.",
        ["known: tensors, NumPy arrays, numbers, strings, mappings, sequences", f"found: {kind}"],
        "DataLoader(dataset, collate_fn=list) leaves the samples as they are.",
    )


def default_convert(sample: Any) -> Any:
    """Turn the NumPy arrays inside one sample into tensors, and leave all else as it is.

    A loader with ``batch_size=None`` applies this instead of :func:`default_collate`.

    >>> import numpy as np
    >>> default_convert({"x": np.zeros(2), "name": "a"})["x"].shape
    (2,)
    """
    if isinstance(sample, (np.ndarray, np.generic)) and sample.dtype.kind in "biufc":
        return Tensor(np.asarray(sample))
    if isinstance(sample, Mapping):
        return _like(sample, {key: default_convert(value) for key, value in sample.items()})
    if isinstance(sample, tuple) and hasattr(sample, "_fields"):
        return type(sample)(*map(default_convert, sample))
    if isinstance(sample, Sequence) and not isinstance(sample, (str, bytes)):
        return [default_convert(value) for value in sample]
    return sample


def _stack_tensors(batch: Sequence[Tensor]) -> Tensor:
    for i, sample in enumerate(batch):
        if sample.requires_grad:
            raise GradientError(
                "default_collate: a sample requires a gradient, and stacking would cut it.",
                [f"sample {i}: shape {tuple(sample.shape)}, requires_grad=True"],
                "Return x.detach() from the dataset, or pass collate_fn=demograd.stack.",
            )
    return _stack([sample.data for sample in batch])


def _stack(arrays: Sequence[np.ndarray[Any, np.dtype[Any]]]) -> Tensor:
    for i, array in enumerate(arrays):
        if array.shape != arrays[0].shape:
            raise ShapeError(
                "default_collate: the samples of a batch differ in shape.",
                [f"sample 0: shape {arrays[0].shape}", f"sample {i}: shape {array.shape}"],
                "Crop or pad them in the dataset, or pass your own collate_fn.",
            )
    return Tensor(np.stack(arrays))


def _collate_mappings(batch: Sequence[Mapping[Any, Any]]) -> Any:
    keys = list(batch[0])
    for i, sample in enumerate(batch):
        if sample.keys() != batch[0].keys():
            raise MissingKeyError(
                "default_collate: the samples of a batch have different keys.",
                [
                    f"sample 0: {', '.join(map(repr, keys))}",
                    f"sample {i}: {', '.join(map(repr, sample))}",
                ],
                "Give every sample the same keys.",
            )
    return _like(
        batch[0], {key: default_collate([sample[key] for sample in batch]) for key in keys}
    )


def _like(mapping: Mapping[Any, Any], values: dict[Any, Any]) -> Any:
    """``values`` in a mapping of the same kind, a dict where it cannot be changed."""
    if not isinstance(mapping, MutableMapping):
        return values
    out = copy(mapping)  # A copy keeps what a kind of mapping has besides, a default factory say.
    out.update(values)
    return out


def _collate_sequences(batch: Sequence[Sequence[Any]]) -> Any:
    first = batch[0]
    for i, sample in enumerate(batch):
        if len(sample) != len(first):
            raise ShapeError(
                "default_collate: the samples of a batch differ in length.",
                [f"sample 0: length {len(first)}", f"sample {i}: length {len(sample)}"],
                "Pad them in the dataset, or pass your own collate_fn.",
            )
    columns = [default_collate(column) for column in zip(*batch, strict=True)]
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*columns)
    return columns
