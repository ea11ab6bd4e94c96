"""The methods of NumPy's ufuncs: ``np.add.reduce(x)`` and its kin.

Any ufunc of two operands that has a rule has them all. Where there is a function for the whole
(``sum`` for ``np.add.reduce``) it is used, else the rule is applied one element after another.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from demograd import _casting, _providers, _shaping
from demograd._arithmetic import where as chosen
from demograd._dims import as_dim, as_dims
from demograd._inplace import SetIndex, change
from demograd._numpy._out import as_tensor, refuse_others, store
from demograd._tensor import Tensor
from demograd._tensor_backend import tensor_backend
from demograd.errors import ArgumentError, ArgumentTypeError, GradientError

__all__ = ["METHODS"]

Rule = Callable[..., Any]

# The functions that do at once what a ufunc does step by step, under the standard's names.
_REDUCTIONS = {
    "add": "sum",
    "logical_and": "all",
    "logical_or": "any",
    "maximum": "max",
    "minimum": "min",
    "multiply": "prod",
}
_RUNNING = {"add": "cumulative_sum", "multiply": "cumulative_prod"}


def reduce(ufunc: Any, rule: Rule, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``np.<ufunc>.reduce(x, axis=0, dtype=None, out=None, keepdims=False, initial=, where=)``."""
    name = f"np.{ufunc.__name__}.reduce"
    rest = dict(kwargs)
    axis, dtype = rest.pop("axis", 0), rest.pop("dtype", None)
    out, keepdims = rest.pop("out", None), rest.pop("keepdims", False)
    initial, where = rest.pop("initial", None), rest.pop("where", True)
    refuse_others(name, rest)
    if initial is np._NoValue:
        initial = None
    x = as_tensor(inputs[0])
    if dtype is not None:
        x = _casting.cast_to(x, np.dtype(dtype))
    if where is not True:
        fill = ufunc.identity if ufunc.identity is not None else initial
        if fill is None:
            raise ArgumentError(
                f"{name}: with where there must be an initial value.",
                mend="Give initial=..., the result over no elements.",
            )
        x = chosen(where, x, Tensor(fill, dtype=x.dtype))
    dims = as_dims(name, axis, x.ndim) if x.ndim else ()
    if initial is not None and any(x.shape[d] == 0 for d in dims):
        shape = tuple([1 if d in dims else n for d, n in enumerate(x.shape)])
        result = _shaping.expand(as_tensor(initial, (x,)), shape)
        result = result if keepdims else _without(result, dims)
    else:
        result = _reduced(ufunc, rule, name, x, dims, keepdims)
        if initial is not None:
            result = rule(initial, result)
    return result if out is None else store(name, out, result)


def _reduced(
    ufunc: Any, rule: Rule, name: str, x: Tensor, dims: tuple[int, ...], keepdims: bool
) -> Any:
    if not dims:
        return x  # over no dimension
    whole = _REDUCTIONS.get(ufunc.__name__)
    if whole is not None:
        return getattr(tensor_backend, whole)(x, axis=dims, keepdims=keepdims)
    if ufunc.__name__ == "logaddexp":
        return _providers.find_function("logsumexp")(x, dims, keepdims)
    if len(dims) > 1 and ufunc.identity is None:
        raise ArgumentError(f"{name}: the order matters, so there is one axis, not {dims}.")
    for dim in dims:
        layers = _layers(x, dim)
        if not layers:
            if ufunc.identity is None:
                raise ArgumentError(
                    f"{name}: there are no elements, and no initial value.",
                    [f"x: shape {x.shape}   dimension {dim} has length 0"],
                )
            layers = [Tensor(np.full(_without_length(x.shape, dim), ufunc.identity, x.dtype))]
        total = layers[0]
        for layer in layers[1:]:
            total = rule(total, layer)
        x = _shaping.reshape(total, (*x.shape[:dim], 1, *x.shape[dim + 1 :]))
    return x if keepdims else _without(x, dims)


def accumulate(ufunc: Any, rule: Rule, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``np.<ufunc>.accumulate(x, axis=0, dtype=None, out=None)``: ``reduce``, step by step."""
    name = f"np.{ufunc.__name__}.accumulate"
    rest = dict(kwargs)
    axis, dtype, out = rest.pop("axis", 0), rest.pop("dtype", None), rest.pop("out", None)
    refuse_others(name, rest)
    x = as_tensor(inputs[0])
    if dtype is not None:
        x = _casting.cast_to(x, np.dtype(dtype))
    if x.ndim == 0:
        raise ArgumentTypeError(f"{name}: a zero-dimensional tensor has nothing to run along.")
    dim = as_dim(name, axis, x.ndim)
    running = _RUNNING.get(ufunc.__name__)
    if running is not None:
        result = getattr(tensor_backend, running)(x, axis=dim)
    elif x.shape[dim] == 0:
        result = x
    else:
        layers = _layers(x, dim)
        steps = layers[:1]
        for layer in layers[1:]:
            steps.append(rule(steps[-1], layer))
        result = tensor_backend.stack(steps, axis=dim)
    return result if out is None else store(name, out, result)


def reduceat(ufunc: Any, rule: Rule, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``np.<ufunc>.reduceat(x, indices, axis=0)``: ``reduce`` over pieces that begin at indices."""
    name = f"np.{ufunc.__name__}.reduceat"
    rest = dict(kwargs)
    axis, dtype, out = rest.pop("axis", 0), rest.pop("dtype", None), rest.pop("out", None)
    refuse_others(name, rest)
    x, indices = as_tensor(inputs[0]), as_tensor(inputs[1]).tolist()
    dim = as_dim(name, axis, x.ndim)
    every = (slice(None),) * dim
    pieces = []
    for k, start in enumerate(indices):
        stop = indices[k + 1] if k + 1 < len(indices) else x.shape[dim]
        piece = slice(start, stop if stop > start else start + 1)
        part = _shaping.index(x, (*every, piece))
        pieces.append(reduce(ufunc, rule, (part,), {"axis": dim, "dtype": dtype}))
    result = tensor_backend.stack(pieces, axis=dim)
    return result if out is None else store(name, out, result)


def outer(ufunc: Any, rule: Rule, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``np.<ufunc>.outer(x, y)``: each element of one with each of the other."""
    x, y = (as_tensor(v, inputs) for v in inputs)
    return ufunc(_shaping.reshape(x, (*x.shape, *[1] * y.ndim)), y, **kwargs)


def at(ufunc: Any, rule: Rule, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """``np.<ufunc>.at(x, indices, y)``: in place, and again for a place that is named again."""
    name = f"np.{ufunc.__name__}.at"
    refuse_others(name, kwargs)
    target, key, *values = inputs
    if not isinstance(target, Tensor):
        if any(isinstance(v, Tensor) and v.requires_grad for v in values):
            raise GradientError(
                f"{name}: the values require a gradient, which an array cannot carry.",
                [f"x: NumPy array of shape {np.shape(target)}"],
                "Make it a Tensor: x = dg.tensor(x).",
            )
        plain = [v.numpy() if isinstance(v, Tensor) else v for v in (key, *values)]
        ufunc.at(target, *plain)
        return
    plain_key = _shaping._plain_index(key)

    def changed(old: Tensor, *operands: Any) -> Tensor:
        return _at_places(ufunc, rule, old, plain_key, operands)

    change(target, name, changed, *values)


def _at_places(ufunc: Any, rule: Rule, x: Tensor, key: Any, values: tuple[Any, ...]) -> Tensor:
    places = np.arange(x.numel()).reshape(x.shape)[key]
    given = [_shaping.expand(as_tensor(v, (x,)), places.shape) for v in values]
    if ufunc.__name__ in ("add", "subtract"):
        added = _shaping.index_add(x.shape, key, _casting.cast_to(given[0], x.dtype))
        return x + added if ufunc.__name__ == "add" else x - added
    flat, order = _shaping.reshape(x, (-1,)), places.reshape(-1)
    rows = [_shaping.reshape(v, (-1,)) for v in given]
    for turn in _turns(order):
        where = order[turn]
        new = rule(_shaping.index(flat, where), *[_shaping.index(v, turn) for v in rows])
        flat = SetIndex.apply(flat, _casting.cast_to(new, x.dtype), index=where)
    return _shaping.reshape(flat, x.shape)


def _turns(places: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
    """The numbers of the places, those that are named a first time first, then the second, ..."""
    sequence = np.argsort(places, kind="stable")
    ordered = places[sequence]
    if not places.size:
        return []
    first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    count = np.arange(places.size) - np.repeat(first, np.diff([*first, places.size]))
    return [np.sort(sequence[count == turn]) for turn in range(int(count.max()) + 1)]


def _layers(x: Tensor, dim: int) -> list[Tensor]:
    every = (slice(None),) * dim
    return [_shaping.index(x, (*every, k)) for k in range(x.shape[dim])]


def _without(x: Tensor, dims: tuple[int, ...]) -> Tensor:
    return _shaping.reshape(x, tuple([n for d, n in enumerate(x.shape) if d not in dims]))


def _without_length(shape: tuple[int, ...], dim: int) -> tuple[int, ...]:
    return (*shape[:dim], *shape[dim + 1 :])


METHODS: dict[str, Callable[..., Any]] = {
    "accumulate": accumulate,
    "at": at,
    "outer": outer,
    "reduce": reduce,
    "reduceat": reduceat,
}
