"""``Batched``: an array with one dimension more than it shows, over which vmap maps.

A derivative rule, and every function that is made of rules, is array code. So vmap is an array
library: its arrays hold all samples and show the shape of one. What is computed with them is
computed for all samples at once, by the rules of batching here and in the modules beside.

An array of samples is held with their dimension in front (``mapped``), or it is one and the same
for all of them. It may hold another library's array, a ``Batched`` of an outer vmap, or a Tensor:
then what is computed is recorded outside of this vmap.

Reference: the design is that of ``BatchTracer`` in JAX (Bradbury et al., 2018).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from demograd._backend import backend_of, numpy_backend
from demograd._levels import Level
from demograd._tensor import Tensor
from demograd._tensor_backend import tensor_backend
from demograd.errors import MappingError
from demograd.func._operators import Operators

__all__ = [
    "Batched",
    "aligned",
    "beneath",
    "held",
    "in_namespace",
    "level_of",
    "on_level",
    "spread",
]


class Batched(Operators):
    """An array of a vmap: the samples in ``value``, the shape of one sample to whoever asks.

    Args:
        level: the vmap.
        value: the samples along a first dimension; or, where not ``mapped``, what all share.
        mapped: which of the two.
    """

    __slots__ = ("level", "mapped", "value", "views")

    def __init__(self, level: Level, value: Any, mapped: bool) -> None:
        self.level = level
        self.value = held(value)
        self.mapped = mapped
        # The tensors that show its memory; None stands for one that nobody here knows.
        self.views: list[Callable[[], Any]] = []

    def is_shared(self) -> bool:
        """Whether other tensors show the memory of the tensor whose array this is."""
        return any(view() is not None for view in self.views)

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        from demograd.func._backend import batched_backend

        return batched_backend

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one sample."""
        shape: tuple[int, ...] = self.value.shape
        return shape[1:] if self.mapped else shape

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def dtype(self) -> Any:
        return self.value.dtype

    @property
    def device(self) -> Any:
        return getattr(self.value, "device", "cpu")

    @property
    def nbytes(self) -> int:
        return int(getattr(self.value, "nbytes", 0))

    @property
    def base(self) -> Any:
        """The plain array that it holds: who asks for the owner of the memory finds it so."""
        value = self.value
        while isinstance(value, (Batched, Tensor)):
            value = value.value if isinstance(value, Batched) else value._data
        return value

    @property
    def mT(self) -> Batched:
        return Batched(self.level, self.value.mT, self.mapped)

    @property
    def T(self) -> Any:
        from demograd.func._shapes import permute_dims

        return permute_dims(self, tuple(reversed(range(self.ndim))))

    def copy(self) -> Batched:
        """The same in memory of its own."""
        value = self.value
        copied = value.clone() if isinstance(value, Tensor) else (
            beneath([value]).asarray(value, copy=True)
        )  # fmt: skip
        return Batched(self.level, copied, self.mapped)

    def __repr__(self) -> str:
        what = "mapped over" if self.mapped else "the same for"
        return f"shape={self.shape}, dtype={self.dtype}, {what} {self.level.size} samples"

    # One value is wanted of it, and it has many.

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        facts = [
            f"tensor: shape {self.shape}, dtype {self.dtype}, one for each of {self.level.size}"
        ]
        if not self.level.running:
            raise MappingError(
                "vmap: a tensor of a mapped function is used after that function is done.",
                facts,
                "Return it: what is kept in a variable from outside stays as it is within.",
            )
        raise MappingError(
            "vmap: the values of a mapped tensor are asked for, and each sample has its own.",
            facts,
            "x.item(), x.numpy(), bool(x) and `if x:` work outside of vmap only; "
            "dg.where(condition, a, b) chooses within.",
        )

    def __bool__(self) -> bool:
        return bool(self.__array__())

    def __float__(self) -> float:
        return float(self.__array__())

    def __int__(self) -> int:
        return int(self.__array__())

    def __index__(self) -> int:
        return operator.index(self.__array__())

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of an array without dimensions")
        return self.shape[0]

    def __getitem__(self, key: Any) -> Any:
        from demograd.func._indexing import index

        return index(self, key)

    def over_all(self, function: Callable[..., Any], *arrays: Any) -> Any:
        level = level_of(arrays)
        if level is None:
            return function(*arrays)
        _, values, mapped = aligned(level, arrays)
        return Batched(level, function(*values), mapped)


def held(value: Any) -> Any:
    """The raw array of a Tensor without a history: what is computed with it needs no record."""
    return value._data if isinstance(value, Tensor) and not value.requires_grad else value


def level_of(arrays: Iterable[Any]) -> Level | None:
    """The innermost vmap that any of the arrays belongs to."""
    found: Level | None = None
    for x in arrays:
        if type(x) is Batched and (found is None or x.level.time > found.time):
            found = x.level
    return found


def beneath(values: Iterable[Any]) -> Any:
    """The namespace for what a ``Batched`` holds, or for several of such."""
    found: Any = numpy_backend
    for value in values:
        if isinstance(value, Tensor):
            return tensor_backend
        if type(value) is Batched:
            found = value.__array_namespace__()
        elif (
            found is numpy_backend
            and hasattr(value, "__array_namespace__")
            and not isinstance(value, type)
        ):
            found = backend_of(value)
    return found


def aligned(level: Level, arrays: Iterable[Any]) -> tuple[Any, list[Any], bool]:
    """The namespace, what the arrays hold in shapes that broadcast, and whether it is of samples.

    The samples' dimension stays in front: dimensions of length one are put behind it.

    Raises:
        ValueError: the shapes of one sample do not broadcast.
    """
    given = list(arrays)
    ndim = len(np.broadcast_shapes(*[tuple(x.shape) for x in given if hasattr(x, "shape")]))
    values, of_samples = [], False
    for x in given:
        if type(x) is not Batched or x.level is not level:
            values.append(x)
            continue
        value = x.value
        if x.mapped:
            of_samples = True
            missing = ndim - x.ndim
            if missing:
                shape = (value.shape[0], *(1,) * missing, *value.shape[1:])
                value = beneath([value]).reshape(value, shape)
        values.append(value)
    xp = beneath(values)
    return xp, [in_namespace(xp, value) for value in values], of_samples


def in_namespace(xp: Any, value: Any) -> Any:
    """A value as the namespace takes it: as a Tensor, or as an array of its library."""
    if xp is numpy_backend or isinstance(value, Tensor) or not hasattr(value, "shape"):
        return value
    if xp is tensor_backend:
        return Tensor(value)
    if isinstance(value, np.generic):
        return value.item()
    return xp.from_numpy(value) if type(value) is np.ndarray else value


def spread(x: Any, level: Level) -> Any:
    """All samples of ``x``, repeated without a copy where it is the same for all."""
    if type(x) is Batched and x.level is level:
        if x.mapped:
            return x.value
        x = x.value
    return beneath([x]).broadcast_to(x, (level.size, *x.shape))


def on_level(level: Level, x: Any) -> Any:
    """``x`` as an array of the vmap, whatever it is."""
    return x if type(x) is Batched and x.level is level else Batched(level, x, False)
