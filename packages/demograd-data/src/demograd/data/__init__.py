"""Datasets, loaders, transforms, the bundled digits, and readers of standard files.

>>> from demograd.data import DataLoader, load_digits
>>> loader = DataLoader(load_digits("train"), batch_size=64, shuffle=True)
>>> images, labels = next(iter(loader))
>>> images.shape, labels.shape
((64, 64), (64,))
"""

from demograd.data import transforms
from demograd.data._collate import default_collate, default_convert
from demograd.data._dataset import (
    ConcatDataset,
    Dataset,
    IterableDataset,
    SizedDataset,
    Subset,
    TensorDataset,
)
from demograd.data._digits import load_digits
from demograd.data._errors import MissingKeyError
from demograd.data._idx import read_idx
from demograd.data._loader import DataLoader
from demograd.data._mnist import MNIST, FashionMNIST
from demograd.data._npz import load_npz
from demograd.data._rows import Rows
from demograd.data._sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)
from demograd.data._split import random_split, stratified_split

__all__ = [
    "MNIST",
    "BatchSampler",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "FashionMNIST",
    "IterableDataset",
    "MissingKeyError",
    "RandomSampler",
    "Rows",
    "Sampler",
    "SequentialSampler",
    "SizedDataset",
    "Subset",
    "SubsetRandomSampler",
    "TensorDataset",
    "WeightedRandomSampler",
    "default_collate",
    "default_convert",
    "load_digits",
    "load_npz",
    "random_split",
    "read_idx",
    "stratified_split",
    "transforms",
]
