"""What demograd-ops adds to ``dg.``, to Tensor and to the namespace of rules.

The core finds ``provider`` through the entry point ``demograd.functions``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

from demograd import ops
from demograd.interfaces import FunctionProvider
from demograd.ops._in_place import IN_PLACE
from demograd.ops._scattering import scatter_, scatter_add_
from demograd.ops._selecting import masked_fill_

__all__ = ["Late", "provider"]

# Functions that are methods too: the tensor comes first.
BOTH = """
    abs acos acosh amax amin argmax argmin argsort asin asinh atan atan2 atanh bmm broadcast_to
    ceil chunk clamp copysign cos cosh cumprod cumsum diag diagonal diff dot erf exp exp2 expm1
    flatten flip floor gather hypot index_select log log10 log1p log2 log_softmax logaddexp
    logsumexp masked_fill masked_select max maximum min minimum mm moveaxis movedim mv norm
    outer prod ravel reciprocal relu repeat_interleave roll round rsqrt scatter scatter_add
    sigmoid sign sin sinh softmax sort split sqrt square squeeze std swapaxes swapdims
    take_along_dim tan tanh tile topk tril triu trunc unbind unflatten unsqueeze var view
""".split()

# Functions that are no methods: their first argument is no tensor, or the core has the method.
FUNCTIONS_ONLY: list[str] = """
    avg_pool2d cat concat concatenate conv2d einsum max_pool2d pad stack tensordot
""".split()

# Methods that are no functions, because dg.repeat would be mistaken for NumPy's repeat.
METHODS_ONLY: dict[str, Callable[..., Any]] = {
    "masked_fill_": masked_fill_,
    "repeat": ops.repeat,
    "scatter_": scatter_,
    "scatter_add_": scatter_add_,
}


def _named(names: list[str]) -> dict[str, Callable[..., Any]]:
    return {name: getattr(ops, name) for name in names}


class Late(Mapping[str, Callable[..., Any]]):
    """Names that are imported when the first is looked up: most programs need none of them."""

    def __init__(self, load: Callable[[], dict[str, Callable[..., Any]]]) -> None:
        self._load = load

    @cached_property
    def _names(self) -> dict[str, Callable[..., Any]]:
        return self._load()

    def __getitem__(self, name: str) -> Callable[..., Any]:
        return self._names[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _array_functions() -> dict[str, Callable[..., Any]]:
    from demograd.ops._array_api import ARRAY_FUNCTIONS
    from demograd.ops._array_api_linalg import LINALG_FUNCTIONS
    from demograd.ops._array_api_shapes import SHAPE_FUNCTIONS

    return {**ARRAY_FUNCTIONS, **SHAPE_FUNCTIONS, **LINALG_FUNCTIONS}


def _numpy_functions() -> dict[str, Callable[..., Any]]:
    from demograd.ops._numpy import NUMPY_FUNCTIONS

    return NUMPY_FUNCTIONS


provider = FunctionProvider(
    distribution="demograd-ops",
    functions=_named([*BOTH, *FUNCTIONS_ONLY]),
    methods={**_named(BOTH), **IN_PLACE, **METHODS_ONLY},
    array_functions=Late(_array_functions),
    numpy_functions=Late(_numpy_functions),
)
