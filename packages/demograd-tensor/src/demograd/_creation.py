"""Making tensors: from data, filled, in ranges, at random."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from demograd import _dtype, _random
from demograd._backend import Backend, as_numpy, backend_of, is_array, numpy_backend
from demograd._casting import cast_to
from demograd._dims import as_shape
from demograd._dtype import DTypeLike, as_dtype, native
from demograd._levels import anywhere
from demograd._libraries._backends import chosen, default
from demograd._libraries._moving import device_number, move, moved, placed, refuse_traced
from demograd._tensor import Tensor
from demograd.autograd._no_graph import warn_of_copy
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
    device: Any = None,
    requires_grad: bool = False,
    name: str | None = None,
) -> Tensor:
    """A leaf tensor with a copy of the data.

    Args:
        data: numbers, nested lists, an array or a Tensor.
        dtype: by default that of an array, float32 for Python floats, int64 for integers.
        device: where to; by default an array of another library, and a Tensor, stay where they are,
            and all else goes to the default device, which ``dg.backend`` sets.
        requires_grad: whether gradients can be asked for.
        name: shown in pictures and messages.

    >>> tensor([1.0, 2.0])
    tensor([1., 2.])
    """
    if isinstance(data, Tensor) and data.requires_grad:
        warn_of_copy(data)
    out = Tensor(data, dtype=dtype)
    values = np.array(out._data) if isinstance(out._data, np.ndarray) else out._data
    if device is not None or (default.library is not numpy_backend and not _stays(data)):
        values = moved(values, *_where(device))
    made = Tensor(values, requires_grad=requires_grad, name=name)
    if out._notes is not None:
        made._notes = out._notes  # where the data were cut off, under dg.debug()
    return made


def _stays(data: Any) -> bool:
    """Whether data are where they are to be, unless a device is named: an array or a Tensor."""
    return isinstance(data, Tensor) or (
        is_array(data) and not isinstance(data, (np.ndarray, np.generic))
    )


def as_tensor(data: Any, *, dtype: DTypeLike | None = None, device: Any = None) -> Tensor:
    """The tensor itself, or one that shares the array's memory where it can.

    Args:
        data: numbers, nested lists, an array or a Tensor.
        dtype: by default that of an array, float32 for Python floats, int64 for integers.
        device: where to; as in :func:`tensor` by default.

    >>> a = np.zeros(2)
    >>> as_tensor(a).data is a
    True
    """
    if isinstance(data, Tensor):  # it stays in the graph
        data = data if dtype is None else cast_to(data, as_dtype(dtype))
        return data if device is None else move(data, *_where(device))
    out = Tensor(data, dtype=dtype)
    if device is not None or (default.library is not numpy_backend and not _stays(data)):
        out = move(out, *_where(device))
    return out


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


def _make(array: Any, requires_grad: bool, device: Any = None) -> Tensor:
    if device is not None or default.library is not numpy_backend:
        array = placed(array, *_where(device))
    if array.ndim == 0 and isinstance(array, np.ndarray):
        array = array[()]  # a NumPy scalar, as Tensor makes of a Python number
    return Tensor(array, requires_grad=requires_grad)


def _where(device: Any) -> tuple[Backend, int | None]:
    """The library, and which of its devices, that ``device=`` means."""
    return (default.library, default.index) if device is None else chosen(device)


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


def zeros(
    *size: Any,
    dtype: DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Zeros.

    >>> zeros(2)
    tensor([0., 0.])
    """
    return _make(np.zeros(_sizes("zeros", size), _type(dtype)), requires_grad, device)


def ones(
    *size: Any,
    dtype: DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Ones.

    >>> ones(2, 1)
    tensor([[1.],
            [1.]])
    """
    return _make(np.ones(_sizes("ones", size), _type(dtype)), requires_grad, device)


def empty(
    *size: Any,
    dtype: DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Memory as it was found: fill it before use."""
    return _make(np.empty(_sizes("empty", size), _type(dtype)), requires_grad, device)


def full(
    size: Any,
    fill_value: Any,
    *,
    dtype: DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """One value everywhere; its type, if none is given, is that of ``tensor(fill_value)``.

    >>> full((2,), 7)
    tensor([7, 7])
    """
    value = Tensor(fill_value, dtype=dtype)
    filled = np.full(_sizes("full", _one_or_more(size)), as_numpy(value.data), value.dtype)
    return _make(filled, requires_grad, device)


def arange(
    start: Any,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: DTypeLike | None = None,
    device: Any = None,
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
    numbers = np.arange(start, end, step, dtype=None if dtype is None else as_dtype(dtype))
    return _make(numbers, requires_grad, device)


def linspace(
    start: float,
    end: float,
    steps: int,
    *,
    dtype: DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``steps`` numbers at equal distances, both ends included.

    >>> linspace(0, 1, 3)
    tensor([0.0000, 0.5000, 1.0000])
    """
    return _make(np.linspace(start, end, steps, dtype=_type(dtype)), requires_grad, device)


def eye(
    n: int,
    m: int | None = None,
    *,
    dtype: DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Ones on the diagonal, zeros elsewhere; ``(n, m)``, square by default."""
    return _make(np.eye(n, m, dtype=_type(dtype)), requires_grad, device)


def rand(
    *size: Any,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Uniform random numbers in [0, 1)."""
    return _make(_uniform(_sizes("rand", size), _type(dtype), generator), requires_grad, device)


def _uniform(shape: tuple[int, ...], kind: Any, generator: Generator | None) -> Any:
    # Drawn in single precision where that is asked for: a cast could round up to 1.
    drawn_in = np.float32 if kind == _dtype.float32 else np.float64

    def sample(shape: tuple[int, ...]) -> Any:
        with _random.lock:
            draw = _random.stream(generator)
            values = np.asarray(draw.random(shape, dtype=drawn_in))
        return values.astype(kind, copy=False)

    return _for_samples(sample, shape)


def _for_samples(sample: Callable[[tuple[int, ...]], Any], shape: tuple[int, ...]) -> Any:
    """Random values of a shape; within a vmap for each of its samples, or once for all of them."""
    if not anywhere.on:
        return sample(shape)
    from demograd.func._randomness import drawn

    return drawn(sample, shape)


def randn(
    *size: Any,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normal random numbers of mean 0 and variance 1."""
    return _make(_normal(_sizes("randn", size), _type(dtype), generator), requires_grad, device)


def _normal(shape: tuple[int, ...], kind: Any, generator: Generator | None) -> Any:
    drawn_in = np.float32 if kind == _dtype.float32 else np.float64

    def sample(shape: tuple[int, ...]) -> Any:
        with _random.lock:
            draw = _random.stream(generator)
            values = np.asarray(draw.standard_normal(shape, dtype=drawn_in))
        return values.astype(kind, copy=False)

    return _for_samples(sample, shape)


def randint(
    low: int,
    high: Any = None,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    device: Any = None,
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
    kind = _dtype.int64 if dtype is None else as_dtype(dtype)

    def sample(shape: tuple[int, ...]) -> Any:
        with _random.lock:
            values = np.asarray(_random.stream(generator).integers(low, high, shape))
        return values.astype(kind, copy=False)

    sizes = _sizes("randint", _one_or_more(size))
    return _make(_for_samples(sample, sizes), False, device)


def randperm(n: int, *, generator: Generator | None = None, device: Any = None) -> Tensor:
    """The integers below ``n`` in random order."""

    def sample(shape: tuple[int, ...]) -> Any:
        with _random.lock:
            draw = _random.stream(generator)
            if shape == (n,):
                return draw.permutation(n)
            return draw.permuted(np.broadcast_to(np.arange(n), shape), axis=-1)

    return _make(_for_samples(sample, (n,)), False, device)


def _beside(x: Any, values: Any, requires_grad: bool = False, device: Any = None) -> Tensor:
    """A tensor of new NumPy values on the device of ``x``, or on the one that is named."""
    if device is not None:
        return _make(values, requires_grad, device)
    array = x._data if isinstance(x, Tensor) else x
    library = backend_of(array)
    if library.wraps:
        values = library.beside(array, values)
    elif library is not numpy_backend:
        values = library.from_numpy(np.asarray(values), device_number(library.device_of(array)))
    elif np.ndim(values) == 0:
        values = values[()]
    return Tensor(values, requires_grad=requires_grad)


def _kind(x: Any, dtype: DTypeLike | None) -> Any:
    return native(x.dtype) if dtype is None else as_dtype(dtype)


def zeros_like(
    x: Any, *, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Zeros of the shape and type of ``x``, on its device."""
    return _beside(x, np.zeros(tuple(x.shape), _kind(x, dtype)), requires_grad, device)


def ones_like(
    x: Any, *, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Ones of the shape and type of ``x``, on its device."""
    return _beside(x, np.ones(tuple(x.shape), _kind(x, dtype)), requires_grad, device)


def empty_like(
    x: Any, *, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Unfilled memory of the shape and type of ``x``, on its device."""
    return _beside(x, np.empty(tuple(x.shape), _kind(x, dtype)), requires_grad, device)


def full_like(
    x: Any,
    fill_value: Any,
    *,
    dtype: DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """One value in the shape and type of ``x``, on its device."""
    filled = np.full(tuple(x.shape), fill_value, _kind(x, dtype))
    return _beside(x, filled, requires_grad, device)


def rand_like(x: Any, *, generator: Generator | None = None) -> Tensor:
    """Uniform random numbers in [0, 1) in the shape and type of ``x``, on its device.

    Raises:
        DeviceError: ``x`` is traced: the numbers would be the same at each run of the program.
    """
    refuse_traced("rand_like", x)
    return _beside(x, _uniform(tuple(x.shape), native(x.dtype), generator))


def randn_like(x: Any, *, generator: Generator | None = None) -> Tensor:
    """Normal random numbers in the shape and type of ``x``, on its device.

    Raises:
        DeviceError: ``x`` is traced: the numbers would be the same at each run of the program.
    """
    refuse_traced("randn_like", x)
    return _beside(x, _normal(tuple(x.shape), native(x.dtype), generator))
