"""``vmap``: a function of one sample, for many samples at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from demograd._levels import Level
from demograd._shaping import expand, permute
from demograd._tensor import Tensor
from demograd.errors import (
    ArgumentError,
    ArgumentTypeError,
    MappingError,
    OutOfRangeError,
    ShapeError,
)
from demograd.func._batched import Batched
from demograd.func._tree import flatten, leaves_of, spread_prefix, unflatten

__all__ = ["vmap"]

RANDOMNESS = ("error", "different", "same")


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
) -> Callable[..., Any]:
    """A function that maps ``func`` over a dimension of its arguments, for all samples at once.

    ``func`` is written for one sample. Called with arrays of samples, ``vmap(func)`` gives the
    results of all of them, stacked; nothing loops.

    Args:
        func: takes Tensors, or nested lists, tuples and dicts of them, and returns such.
        in_dims: which dimension of the arguments holds the samples. A number for all arguments;
            or a tuple with one for each, None for an argument that is the same for all samples.
            For a nested argument it may be nested alike. Keyword arguments are the same for all.
        out_dims: where the dimension of the samples stands in the results; a number, or a
            structure like the results'. None for a result that is the same for all samples.
        randomness: whether random numbers within ``func`` are refused (``"error"``), drawn for
            each sample (``"different"``), or once for all (``"same"``).

    Raises:
        ArgumentError: ``in_dims``, ``out_dims`` or ``randomness`` do not fit.
        ArgumentTypeError: what is to be mapped over, or is returned, is no Tensor.
        ShapeError: the arguments hold different numbers of samples.
        MappingError: ``func`` does what cannot be done for all samples at once, such as
            ``x.item()``, ``if x:`` or ``x[mask]``.

    Reference: ``torch.func.vmap``; Bradbury et al., "JAX: composable transformations of
    Python+NumPy programs", 2018.

    >>> dot = vmap(lambda x, y: (x * y).sum())
    >>> dot(Tensor([[1.0, 2.0], [3.0, 4.0]]), Tensor([[1.0, 1.0], [2.0, 2.0]]))
    tensor([ 3., 14.])
    >>> vmap(lambda x, y: x * y, in_dims=(0, None), out_dims=1)(
    ...     Tensor([1.0, 2.0]), Tensor([3.0, 4.0])
    ... )
    tensor([[3., 6.],
            [4., 8.]])
    """
    if randomness not in RANDOMNESS:
        raise ArgumentError(
            f"vmap: randomness is {randomness!r}.", mend='Use "error", "different" or "same".'
        )

    def mapped(*args: Any, **kwargs: Any) -> Any:
        dims = _in_dims(in_dims, args)
        leaves = leaves_of(args)
        level = Level(_number_of_samples(leaves, dims), randomness)
        with level:
            entered = [
                leaf if dim is None else _entered(leaf, dim, level)
                for leaf, dim in zip(leaves, dims, strict=True)
            ]
            outputs = func(*unflatten(args, entered), **kwargs)
        return _left(outputs, out_dims, level)

    mapped.__name__ = mapped.__qualname__ = f"vmap({getattr(func, '__name__', 'func')})"
    mapped.__doc__ = getattr(func, "__doc__", None)
    return mapped


def _in_dims(in_dims: Any, args: tuple[Any, ...]) -> list[Any]:
    """The dimension of the samples for each leaf of the arguments, None where there is none."""
    if not isinstance(in_dims, (int, tuple, list)):
        raise ArgumentError(
            f"vmap: in_dims is {in_dims!r}, not a number or a tuple.",
            mend="in_dims=(0, None) maps over the first argument alone.",
        )
    prefix = tuple(in_dims) if isinstance(in_dims, list) else in_dims

    def misfit(part: Any, tree: Any) -> Exception:
        return ArgumentError(
            "vmap: in_dims is not built like the arguments.",
            [f"in_dims: {in_dims!r}", f"{part!r} stands for {_form(tree)}"],
            "A tuple with a number or None for each positional argument.",
        )

    dims = spread_prefix(prefix, args, misfit)
    if not any(dim is not None for dim in dims):
        raise ArgumentError(
            "vmap: there is nothing to map over.",
            [f"in_dims: {in_dims!r}", f"positional arguments: {len(args)}"],
            "At least one argument needs a dimension of samples.",
        )
    return dims


def _form(tree: Any) -> str:
    """A tree in few words."""
    if isinstance(tree, dict):
        return f"a dict of {', '.join(map(repr, tree)) or 'nothing'}"
    if isinstance(tree, (list, tuple)):
        return f"a {type(tree).__name__} of {len(tree)}"
    return "one tensor" if isinstance(tree, Tensor) else f"one {type(tree).__name__}"


def _number_of_samples(leaves: list[Any], dims: list[Any]) -> int:
    sizes = {}
    for number, (leaf, dim) in enumerate(zip(leaves, dims, strict=True)):
        if dim is None:
            continue
        if not isinstance(leaf, Tensor):
            raise ArgumentTypeError(
                f"vmap: argument {number} is of type {type(leaf).__name__}, and cannot be mapped "
                "over.",
                [f"in_dims: {dim} for it"],
                "in_dims=(..., None) gives it to all samples; dg.tensor(...) makes a Tensor.",
            )
        if not isinstance(dim, int):
            raise ArgumentError(f"vmap: in_dims has {dim!r} for argument {number}, not a number.")
        if not -leaf.ndim <= dim < leaf.ndim:
            raise OutOfRangeError(
                f"vmap: argument {number} has no dimension {dim}.",
                [f"argument {number}: shape {leaf.shape}"],
                "in_dims=(..., None) gives an argument to all samples as it is.",
            )
        sizes[number] = leaf.shape[dim]
    if len(set(sizes.values())) > 1:
        raise ShapeError(
            "vmap: the arguments hold different numbers of samples.",
            [
                f"argument {number}: shape {leaves[number].shape}   {size} along dimension "
                f"{dims[number]}"
                for number, size in sizes.items()
            ],
        )
    return next(iter(sizes.values()))


def _entered(x: Tensor, dim: int, level: Level) -> Tensor:
    """A tensor as the function of one sample sees it."""
    place = dim % x.ndim
    if place:
        x = permute(x, place, *[i for i in range(x.ndim) if i != place])
    data = Batched(level, x, True)
    data.views.append(lambda: x)  # whoever called
    return Tensor(data)


def _left(outputs: Any, out_dims: Any, level: Level) -> Any:
    """The results as they are outside."""
    leaves, form = flatten(outputs)

    def misfit(part: Any, tree: Any) -> Exception:
        return ArgumentError(
            "vmap: out_dims is not built like the results.",
            [f"out_dims: {out_dims!r}", f"{part!r} stands for {_form(tree)}"],
            "A number for all results, or a structure like theirs.",
        )

    dims = spread_prefix(out_dims, outputs, misfit)
    return unflatten(form, [_outside(x, dim, level) for x, dim in zip(leaves, dims, strict=True)])


def _outside(x: Any, dim: Any, level: Level) -> Any:
    if dim is None and not isinstance(x, Tensor):
        return x
    if not isinstance(x, Tensor):
        raise ArgumentTypeError(
            f"vmap: the function returns {type(x).__name__}, not a Tensor.",
            mend="out_dims=None gives what is the same for all samples as it is.",
        )
    own = type(x._data) is Batched and x._data.level is level
    value = x._data.value if own else x
    of_samples = own and x._data.mapped
    tensor = value if isinstance(value, Tensor) else Tensor(value)
    if dim is None:
        if of_samples:
            raise MappingError(
                "vmap: out_dims is None for a result that each sample has of its own.",
                [f"result: shape {x.shape} for each of {level.size} samples"],
                "out_dims=0 stacks them.",
            )
        return tensor
    if not isinstance(dim, int) or not -x.ndim - 1 <= dim <= x.ndim:
        raise OutOfRangeError(
            f"vmap: out_dims is {dim!r} for a result of {x.ndim} dimensions.",
            [f"result: shape {x.shape} for each sample, so from {-x.ndim - 1} to {x.ndim}"],
        )
    if not of_samples:
        tensor = expand(tensor, level.size, *tensor.shape)
    place = dim % (x.ndim + 1)
    if place:
        tensor = permute(tensor, *range(1, place + 1), 0, *range(place + 1, tensor.ndim))
    return tensor
