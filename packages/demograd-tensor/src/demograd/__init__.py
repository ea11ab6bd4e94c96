"""demograd: PyTorch's semantics at NumPy's weight.

``import demograd as dg`` gives Tensor, the factories, differentiation, and, from the packages
that are installed beside the core, their functions (``dg.exp``) and sub-packages (``dg.nn``).

This file is shipped by demograd-tensor alone. The other distributions put their sub-packages
beside it; ``extend_path`` finds them wherever they are installed.
"""

import importlib
import importlib.util
import os
from pkgutil import extend_path
from typing import TYPE_CHECKING, Any

__path__ = extend_path(__path__, __name__)

# Tensor first: the operators are built on it, and it on nothing.
from demograd._tensor import Tensor  # isort: skip

from demograd import _dtype, _providers, autograd
from demograd._arithmetic import add, div, mul, neg, pow, remainder, sub, where
from demograd._casting import clone
from demograd._comparing import all, allclose, any, eq, ge, gt, isfinite, isinf, isnan, le, lt, ne
from demograd._creation import (
    arange,
    as_tensor,
    empty,
    empty_like,
    eye,
    from_numpy,
    full,
    full_like,
    linspace,
    ones,
    ones_like,
    rand,
    rand_like,
    randint,
    randn,
    randn_like,
    randperm,
    tensor,
    zeros,
    zeros_like,
)  # fmt: skip
from demograd._dlpack import from_dlpack
from demograd._dtype import (
    complex64,
    complex128,
    float16,
    float32,
    float64,
    get_default_dtype,
    int8,
    int16,
    int32,
    int64,
    result_type,
    set_default_dtype,
    uint8,
)  # fmt: skip
from demograd._libraries._backends import backend, get_default_device
from demograd._libraries._device import device
from demograd._matmul import matmul
from demograd._random import Generator, default_generator, initial_seed, manual_seed
from demograd._shaping import mean, permute, reshape, sum, transpose
from demograd._version import __version__
from demograd.autograd import (
    Function,
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)  # fmt: skip

bool = _dtype.bool_
if TYPE_CHECKING:
    from demograd.diagnostics import debug, explain

half, float, double, int, long = float16, float32, float64, int32, int64

__all__ = [
    "Function",
    "Generator",
    "Tensor",
    "__version__",
    "add",
    "all",
    "allclose",
    "any",
    "arange",
    "as_tensor",
    "autograd",
    "backend",
    "bool",
    "clone",
    "complex64",
    "complex128",
    "debug",
    "default_generator",
    "device",
    "div",
    "double",
    "empty",
    "empty_like",
    "enable_grad",
    "eq",
    "explain",
    "eye",
    "float",
    "float16",
    "float32",
    "float64",
    "from_dlpack",
    "from_numpy",
    "full",
    "full_like",
    "ge",
    "get_default_device",
    "get_default_dtype",
    "gt",
    "half",
    "inference_mode",
    "initial_seed",
    "int",
    "int8",
    "int16",
    "int32",
    "int64",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "isfinite",
    "isinf",
    "isnan",
    "le",
    "linspace",
    "long",
    "lt",
    "manual_seed",
    "matmul",
    "mean",
    "mul",
    "ne",
    "neg",
    "no_grad",
    "ones",
    "ones_like",
    "permute",
    "pow",
    "rand",
    "rand_like",
    "randint",
    "randn",
    "randn_like",
    "randperm",
    "remainder",
    "reshape",
    "result_type",
    "set_default_dtype",
    "set_grad_enabled",
    "sub",
    "sum",
    "tensor",
    "transpose",
    "uint8",
    "where",
    "zeros",
    "zeros_like",
]  # fmt: skip


# The core's own names that are imported when they are first used.
_LATE = {"debug": "demograd.diagnostics", "explain": "demograd.diagnostics"}


def __getattr__(name: str) -> Any:
    """Sub-packages and functions of what is installed; reached once for each name."""
    if name.startswith("_"):
        raise AttributeError(f"module 'demograd' has no attribute {name!r}")
    value: Any
    if name in _LATE:
        value = getattr(importlib.import_module(_LATE[name]), name)
        globals()[name] = value
    elif importlib.util.find_spec(f"demograd.{name}") is not None:
        value = importlib.import_module(f"demograd.{name}")
    else:
        value = _providers.find_function(name)
        globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, "func", *_providers.functions(), *_providers.SUBPACKAGES})


if os.environ.get("DEMOGRAD_DEBUG", "0") not in ("", "0"):
    from demograd.diagnostics._debug import debug_every_thread

    debug_every_thread()
