"""What demograd-ops adds to ``dg.``, to Tensor and to the namespace of rules.

The core finds ``provider`` through the entry point ``demograd.functions``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from demograd import ops
from demograd.interfaces import FunctionProvider
from demograd.ops._array_api import ARRAY_FUNCTIONS
from demograd.ops._array_api_shapes import SHAPE_FUNCTIONS
from demograd.ops._in_place import IN_PLACE
from demograd.ops._scattering import scatter_, scatter_add_
from demograd.ops._selecting import masked_fill_

__all__ = ["provider"]

# Functions that are methods too: the tensor comes first.
BOTH = """
    abs acos amax amin argmax argmin argsort asin atan bmm broadcast_to ceil chunk clamp cos cosh
    cumsum diag diagonal dot erf exp expm1 flatten flip floor gather index_select log log1p
    log_softmax logsumexp masked_fill masked_select max maximum min minimum mm moveaxis movedim mv
    norm outer prod ravel reciprocal relu repeat_interleave roll round rsqrt scatter scatter_add
    sigmoid sign sin sinh softmax sort split sqrt square squeeze std swapaxes swapdims
    take_along_dim tan tanh tile topk tril triu trunc unbind unflatten unsqueeze var view
""".split()

# Functions that are no methods: their first argument is no tensor, or the core has the method.
FUNCTIONS_ONLY: list[str] = """
    avg_pool2d cat concat concatenate conv2d einsum max_pool2d pad stack
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


provider = FunctionProvider(
    distribution="demograd-ops",
    functions=_named([*BOTH, *FUNCTIONS_ONLY]),
    methods={**_named(BOTH), **IN_PLACE, **METHODS_ONLY},
    array_functions={**ARRAY_FUNCTIONS, **SHAPE_FUNCTIONS},
)
