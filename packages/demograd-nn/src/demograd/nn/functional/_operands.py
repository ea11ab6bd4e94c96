"""What every function of this package asks of its operands, in one wording."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from demograd import Tensor
from demograd.errors import ArgumentTypeError, DtypeError
from demograd.operators import known_values

__all__ = [
    "check_floats",
    "check_integers",
    "check_one_dtype",
    "check_tensors",
    "kind_of",
    "known_values",
]


def kind_of(x: Tensor) -> str:
    """``"f"`` for floats, ``"i"`` for integers with or without sign, ``"b"`` for booleans.

    >>> kind_of(Tensor([1, 2]))
    'i'
    """
    kind = getattr(x.dtype, "kind", None)
    if kind is not None:
        return "i" if kind == "u" else str(kind)
    # Another library's types have no kind; its namespace sorts them.
    isdtype = x.data.__array_namespace__().isdtype
    kinds = {"f": "real floating", "i": "integral", "b": "bool"}
    return next((kind for kind, name in kinds.items() if isdtype(x.dtype, name)), "c")


def check_tensors(operation: str, operands: Mapping[str, Any]) -> None:
    """Refuse what is no Tensor."""
    for name, x in operands.items():
        if not isinstance(x, Tensor):
            kind = type(x).__name__
            raise ArgumentTypeError(
                f"{operation}: {name} is no Tensor.",
                [f"{name}: {kind}"],
                f"{kind}() makes the layer, and its call computes: {kind}()(x)."
                if hasattr(x, "forward")
                else "dg.tensor(x) makes one of numbers or an array.",
            )


def check_floats(operation: str, operands: Mapping[str, Tensor]) -> None:
    """Refuse integers and booleans where a gradient is computed with."""
    for name, x in operands.items():
        if kind_of(x) != "f":
            raise DtypeError(
                f"{operation}: {name} is not of floats.",
                [f"{name}: shape {x.shape}, dtype {x.dtype}"],
                f"{name}.float() makes floats of it.",
            )


def check_integers(operation: str, name: str, x: Tensor, meaning: str) -> None:
    """Refuse floats and booleans where numbers of something are meant."""
    if kind_of(x) != "i":
        raise DtypeError(
            f"{operation}: {name} is not of integers.",
            [f"{name}: shape {x.shape}, dtype {x.dtype}, expected {meaning}"],
            f"{name}.long() makes integers of it.",
        )


def check_one_dtype(operation: str, operands: Mapping[str, Tensor]) -> None:
    """Refuse operands of several types: casting in silence would let float64 creep in.

    Args:
        operation: for the message.
        operands: ``input`` first, then a layer's parameters or a loss's ``target``.
    """
    check_floats(operation, operands)
    input, *others = operands.values()
    for x in others:
        if x.dtype != input.dtype:
            mend = f"target.to(dg.{input.dtype}) would fit."
            if "target" not in operands:
                mend = f"x.to(dg.{x.dtype}) casts the input, model.to(dg.{input.dtype}) the model."
            raise DtypeError(
                f"{operation}: the operands have different types.",
                [f"{name}: shape {x.shape}, dtype {x.dtype}" for name, x in operands.items()],
                mend,
            )
