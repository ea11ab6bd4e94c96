"""Making tensors: from data, filled, in ranges, at random."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from demograd import _dtype, _random
from demograd._backend import backend_of
from demograd._casting import cast_to
from demograd._dims import as_shape
from demograd._dtype import DTypeLike, as_dtype
from demograd._tensor import Tensor
from demograd.errors import ArgumentError, ArgumentTypeError

__all__ = [
    "arange", "as_tensor", "empty", "empty_like", "eye", "from_numpy", "full", "full_like",
    "linspace", "ones", "ones_like", "rand", "rand_like", "randint", "randn", "randn_like",
    "randperm", "tensor", "zeros", "zeros_like",
]  # fmt: skip

Generator = _random.Generator


def tensor(
    data: Any,
    *,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    name: str | None = None,
) -> Tensor:
    """A leaf tensor with a copy of the data.

    Args:
        data: numbers, nested lists, an array or a Tensor.
        dtype: by default that of an array, float32 for Python floats, int64 for integers.
        requires_grad: whether gradients can be asked for.
        name: shown in pictures and messages.

    >>> tensor([1.0, 2.0])
    tensor([1., 2.])
    """
    out = Tensor(data, dtype=dtype)
    return Tensor(np.array(out._data) if isinstance(out._data, np.ndarray) else out._data,
                  requires_grad=requires_grad, name=name)  # fmt: skip


def as_tensor(data: Any, *, dtype: DTypeLike | None = None) -> Tensor:
    """The tensor itself, or one that shares the array's memory where it can.

    >>> a = np.zeros(2)
    >>> as_tensor(a).data is a
    True
    """
    if isinstance(data, Tensor) and (dtype is None or data.dtype == as_dtype(dtype)):
        return data
    if isinstance(data, Tensor):
        return cast_to(data, as_dtype(dtype))  # it stays in the graph
    return Tensor(data, dtype=dtype)


def from_numpy(array: np.ndarray[Any, Any]) -> Tensor:
    """A tensor that shares the memory of a NumPy array.

    Raises:
        ArgumentTypeError: it is no NumPy array.
    """
    if not isinstance(array, np.ndarray):
        raise ArgumentTypeError(
            f"from_numpy: expected a NumPy array, not {type(array).__name__}.",
            mend="dg.tensor(...) takes lists and numbers.",
        )
    return Tensor(array)


def _make(array: Any, requires_grad: bool) -> Tensor:
    # Without dimensions: a NumPy scalar, as Tensor makes of a Python number.
    return Tensor(array[()] if array.ndim == 0 else array, requires_grad=requires_grad)


def _type(dtype: DTypeLike | None) -> Any:
    return _dtype.get_default_dtype() if dtype is None else as_dtype(dtype)


def _sizes(operation: str, size: tuple[Any, ...]) -> tuple[int, ...]:
    try:
        sizes = tuple([operator.index(n) for n in as_shape(size)])
    except TypeError as error:
        raise ArgumentTypeError(
            f"{operation}: lengths are integers, not {as_shape(size)}.",
            mend="n // 2 divides into an integer.",
        ) from error
    if min(sizes, default=0) < 0:
        raise ArgumentError(f"{operation}: a length is negative in {sizes}.")
    return sizes


def _one_or_more(size: Any) -> tuple[Any, ...]:
    return tuple(size) if isinstance(size, (tuple, list)) else (size,)


def zeros(*size: Any, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Zeros.

    >>> zeros(2)
    tensor([0., 0.])
    """
    return _make(np.zeros(_sizes("zeros", size), _type(dtype)), requires_grad)


def ones(*size: Any, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Ones.

    >>> ones(2, 1)
    tensor([[1.],
            [1.]])
    """
    return _make(np.ones(_sizes("ones", size), _type(dtype)), requires_grad)


def empty(*size: Any, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Memory as it was found: fill it before use."""
    return _make(np.empty(_sizes("empty", size), _type(dtype)), requires_grad)


def full(
    size: Any, fill_value: Any, *, dtype: DTypeLike | None = None, requires_grad: bool = False
) -> Tensor:
    """One value everywhere; its type, if none is given, is that of ``tensor(fill_value)``.

    >>> full((2,), 7)
    tensor([7, 7])
    """
    value = Tensor(fill_value, dtype=dtype)
    return _make(np.full(_sizes("full", _one_or_more(size)),
                         value.data, value.dtype), requires_grad)  # fmt: skip


def arange(
    start: Any,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers from ``start`` up to, and without, ``end``.

    Raises:
        ArgumentError: the step is zero, or leads away from the end.

    >>> arange(3)
    tensor([0, 1, 2])
    """
    if end is None:
        start, end = 0, start
    if step == 0 or (end - start) * step < 0:
        raise ArgumentError(
            "arange: the step does not lead from start to end.",
            [f"start: {start}", f"end: {end}", f"step: {step}"],
        )
    if dtype is None and any(isinstance(v, float) for v in (start, end, step)):
        dtype = _dtype.get_default_dtype()
    return _make(np.arange(start, end, step, dtype=None if dtype is None else as_dtype(dtype)),
                 requires_grad)  # fmt: skip


def linspace(
    start: float,
    end: float,
    steps: int,
    *,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """``steps`` numbers at equal distances, both ends included.

    >>> linspace(0, 1, 3)
    tensor([0.0000, 0.5000, 1.0000])
    """
    return _make(np.linspace(start, end, steps, dtype=_type(dtype)), requires_grad)


def eye(
    n: int, m: int | None = None, *, dtype: DTypeLike | None = None, requires_grad: bool = False
) -> Tensor:
    """Ones on the diagonal, zeros elsewhere; ``(n, m)``, square by default."""
    return _make(np.eye(n, m, dtype=_type(dtype)), requires_grad)


def rand(
    *size: Any,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Uniform random numbers in [0, 1)."""
    draw = (generator or _random.default_generator).numpy
    kind = _type(dtype)
    # Drawn in single precision where that is asked for: a cast could round up to 1.
    drawn_in = np.float32 if kind == _dtype.float32 else np.float64
    with _random.lock:
        values = draw.random(_sizes("rand", size), dtype=drawn_in)
    return _make(values.astype(kind, copy=False), requires_grad)


def randn(
    *size: Any,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normal random numbers of mean 0 and variance 1."""
    draw = (generator or _random.default_generator).numpy
    kind = _type(dtype)
    drawn_in = np.float32 if kind == _dtype.float32 else np.float64
    with _random.lock:
        values = np.asarray(draw.standard_normal(_sizes("randn", size), dtype=drawn_in))
    return _make(values.astype(kind, copy=False), requires_grad)


def randint(
    low: int,
    high: Any = None,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """Random integers from ``low`` up to, and without, ``high``; ``randint(high, size)`` from 0.

    Raises:
        ArgumentError: there is no integer in the range.
    """
    if size is None:
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    if high <= low:
        raise ArgumentError(f"randint: there is no integer from {low} up to, and without, {high}.")
    draw = (generator or _random.default_generator).numpy
    sizes = _sizes("randint", _one_or_more(size))
    with _random.lock:
        values = np.asarray(draw.integers(low, high, sizes))
    return Tensor(values, dtype=_dtype.int64 if dtype is None else dtype)


def randperm(n: int, *, generator: Generator | None = None) -> Tensor:
    """The integers below ``n`` in random order."""
    with _random.lock:
        return Tensor((generator or _random.default_generator).numpy.permutation(n))


def _like(x: Any) -> tuple[tuple[int, ...], Any]:
    return tuple(x.shape), x.dtype


def _beside(x: Any, made: Tensor, requires_grad: bool) -> Tensor:
    """What was made, as an array of the library of ``x``."""
    library = backend_of(x._data if isinstance(x, Tensor) else x)
    return _make(library.from_numpy(made._data), requires_grad)


def zeros_like(x: Any, *, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Zeros of the shape and type of ``x``."""
    shape, kind = _like(x)
    return _beside(x, zeros(shape, dtype=dtype or kind), requires_grad)


def ones_like(x: Any, *, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Ones of the shape and type of ``x``."""
    shape, kind = _like(x)
    return _beside(x, ones(shape, dtype=dtype or kind), requires_grad)


def empty_like(x: Any, *, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Unfilled memory of the shape and type of ``x``."""
    shape, kind = _like(x)
    return empty(shape, dtype=dtype or kind, requires_grad=requires_grad)


def full_like(
    x: Any, fill_value: Any, *, dtype: DTypeLike | None = None, requires_grad: bool = False
) -> Tensor:
    """One value in the shape and type of ``x``."""
    shape, kind = _like(x)
    return _beside(x, full(shape, fill_value, dtype=dtype or kind), requires_grad)


def rand_like(x: Any, *, generator: Generator | None = None) -> Tensor:
    """Uniform random numbers in [0, 1) in the shape and type of ``x``."""
    shape, kind = _like(x)
    return rand(shape, generator=generator, dtype=kind)


def randn_like(x: Any, *, generator: Generator | None = None) -> Tensor:
    """Normal random numbers in the shape and type of ``x``."""
    shape, kind = _like(x)
    return randn(shape, generator=generator, dtype=kind)
