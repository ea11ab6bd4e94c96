"""Names that other packages add to ``dg.`` and to Tensor, found by entry point.

A package declares, in its pyproject.toml, an entry point of the group ``demograd.functions``
that leads to a :class:`demograd.interfaces.FunctionProvider`. Nothing is patched at import:
the entry points are read when a name is asked for that the core lacks, once.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from demograd.errors import MissingNameError, ProviderError

if TYPE_CHECKING:
    import importlib.metadata

    from demograd.interfaces import FunctionProvider

__all__ = [
    "find_array_function", "find_function", "find_method", "functions", "methods",
    "numpy_functions",
]  # fmt: skip

GROUP = "demograd.functions"

# Which of demograd's own distributions brings a sub-package or a function: a missing one can then
# be named. A test holds this equal to what they offer.
SUBPACKAGES: dict[str, str] = {
    "activations": "demograd-ops",
    "data": "demograd-data",
    "linalg": "demograd-ops",
    "nn": "demograd-nn",
    "ops": "demograd-ops",
    "optim": "demograd-optim",
    "train": "demograd-train",
    "viz": "demograd-viz",
    **dict.fromkeys(
        ["cli", "functions", "losses", "optimizers", "tensor_engine", "visualization"], "demograd"
    ),
}
OPS_NAMES: frozenset[str] = frozenset(
    """
    abs abs_ acos acos_ acosh acosh_ amax amin argmax argmin argsort asin asin_ asinh asinh_ atan
    atan2 atan_ atanh atanh_ avg_pool2d bmm broadcast_to cat ceil ceil_ chunk clamp clamp_ concat
    concatenate conv2d copysign cos cos_ cosh cosh_ cumprod cumsum diag diagonal diff dot einsum erf
    erf_ exp exp2 exp2_ exp_ expm1 expm1_ flatten flip floor floor_ gather hypot index_select log
    log10 log10_ log1p log1p_ log2 log2_ log_softmax logaddexp logsumexp masked_fill masked_fill_
    masked_select max max_pool2d maximum min minimum mm moveaxis movedim mv norm outer pad prod
    ravel reciprocal reciprocal_ relu relu_ repeat repeat_interleave roll round round_ rsqrt rsqrt_
    scatter scatter_ scatter_add scatter_add_ sigmoid sigmoid_ sign sign_ sin sin_ sinh sinh_
    softmax sort split sqrt sqrt_ square square_ squeeze stack std swapaxes swapdims take_along_dim
    tan tan_ tanh tanh_ tensordot tile topk tril triu trunc trunc_ unbind unflatten unsqueeze var
    view
    """.split()
)
FUNCTIONS: dict[str, str] = {
    **dict.fromkeys(OPS_NAMES, "demograd-ops"),
    "load": "demograd-train",
    "save": "demograd-train",
}


@functools.cache
def providers() -> tuple[FunctionProvider, ...]:
    """The function providers that are installed."""
    import importlib.metadata  # a third of the time that importing demograd would take

    found = []
    for entry in importlib.metadata.entry_points(group=GROUP):
        try:
            found.append(entry.load())
        except Exception as error:
            raise ProviderError(
                f"functions: the provider {entry.name!r} of {_distribution(entry)} fails to load.",
                [f"entry point: {entry.value}", f"{type(error).__name__}: {error}"],
                "Mend or uninstall that package.",
            ) from error
    return tuple(found)


def _distribution(entry: importlib.metadata.EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else entry.value


def merge(kind: str, offers: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """All names of all packages in one dictionary; a name that two offer is an error.

    >>> merge("functions", [("a", {"exp": 1}), ("b", {"log": 2})])
    {'exp': 1, 'log': 2}
    """
    merged: dict[str, Any] = {}
    owners: dict[str, str] = {}
    for distribution, names in offers:
        for name, value in names.items():
            if name in merged and merged[name] is not value:
                raise ProviderError(
                    f"{kind}: two installed packages offer {name!r}.",
                    [f"first: {owners[name]}", f"second: {distribution}"],
                    "Uninstall one of them.",
                )
            merged[name] = value
            owners[name] = distribution
    return merged


@functools.cache
def functions() -> dict[str, Callable[..., Any]]:
    """What the providers add to ``dg.``."""
    return merge("functions", [(p.distribution, p.functions) for p in providers()])


@functools.cache
def methods() -> dict[str, Callable[..., Any]]:
    """What the providers add to Tensor."""
    return merge("methods", [(p.distribution, p.methods) for p in providers()])


@functools.cache
def array_functions() -> dict[str, Callable[..., Any]]:
    """What the providers add to the namespace of Tensors, under the array API's names."""
    return merge("array functions", [(p.distribution, p.array_functions) for p in providers()])


@functools.cache
def numpy_functions() -> dict[str, Callable[..., Any]]:
    """What NumPy's functions do with Tensors, under NumPy's names."""
    return merge("NumPy functions", [(p.distribution, p.numpy_functions) for p in providers()])


def find_method(name: str) -> Callable[..., Any]:
    """The Tensor method of this name, from the providers.

    Raises:
        MissingNameError: nothing installed offers it.
    """
    if name.startswith("_"):
        raise AttributeError(name)
    method = methods().get(name)
    if method is None:
        raise missing("Tensor", f"x.{name}()", name, methods())
    return method


def find_function(name: str) -> Callable[..., Any]:
    """The function ``dg.<name>``, from the providers.

    Raises:
        MissingNameError: nothing installed offers it.
    """
    function = functions().get(name)
    if function is None:
        raise missing("demograd", f"dg.{name}", name, functions())
    return function


def find_array_function(name: str) -> Callable[..., Any]:
    """The function of this name in the namespace of Tensors.

    Raises:
        MissingNameError: nothing installed offers it.
    """
    found = array_functions().get(name) or functions().get(name)
    if found is None:
        raise missing("xp", f"xp.{name} on Tensors", name, array_functions())
    return found


def missing(owner: str, use: str, name: str, known: Iterable[str]) -> MissingNameError:
    """The error for a name that nothing installed offers."""
    distribution = SUBPACKAGES.get(name) or FUNCTIONS.get(name)
    if distribution is not None:
        return MissingNameError(
            f"{owner} has no {name!r}: {use} is part of {distribution}, which is not installed.",
            mend=f"pip install {distribution}",
        )
    close = difflib.get_close_matches(name, list(known), 1)
    return MissingNameError(
        f"{owner} has no {name!r}, and no installed package offers it.",
        mend=f"Did you mean {close[0]!r}?" if close else "",
    )
