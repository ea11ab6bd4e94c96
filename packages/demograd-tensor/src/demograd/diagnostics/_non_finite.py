"""The first operation that makes a NaN or an infinity, named with what it was given.

An infinity is reported where an operation makes it of finite values, and passes where a value that
went in was infinite: a mask of minus infinity is a constant that somebody chose. A NaN is nobody's
choice: it is reported where no value that went in was NaN, so that the row of scores that is all
minus infinity is found too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from demograd._tensor import Tensor
from demograd.autograd._function import Function
from demograd.diagnostics._chain import chain_to, chain_words
from demograd.diagnostics._notes import NodeNotes
from demograd.diagnostics._ranges import as_numpy, is_finite, non_finite, range_of
from demograd.diagnostics._reasons import (
    MAKES_CONSTANTS,
    Told,
    of_backward,
    of_forward,
    signs_matter,
)
from demograd.diagnostics._settings import Settings, state
from demograd.diagnostics._wording import made_where, saved_as
from demograd.errors import NonFiniteOperationError

__all__ = ["check_backward", "check_forward"]


def check_forward(
    node: Function,
    inputs: Sequence[Any],
    outputs: Sequence[Tensor],
    settings: Settings,
    notes: NodeNotes,
) -> None:
    """Raise if a result is not finite, and its inputs are.

    Args:
        node: the operation.
        inputs: its positional arguments.
        outputs: its results.
        settings: what is to be reported.
        notes: where it was called.

    Raises:
        NonFiniteOperationError: it made a NaN or an infinity.
    """
    for number, output in enumerate(outputs):
        array = as_numpy(output)
        if is_finite(array):
            continue
        bad = non_finite(array)
        given = [as_numpy(x) for x in inputs]
        kind = _made(bad, [non_finite(x) for x in given], settings)
        if not kind or node.name in MAKES_CONSTANTS:
            continue
        at = _first(array, kind)
        told = of_forward(node.name, [_at(x, array, at) for x in given], array[at], array.dtype)
        several = f" {number}" if len(outputs) > 1 else ""
        raise NonFiniteOperationError(
            f"{node.name}: made {_called(kind, array[at])} out of {_of(kind, 'inputs')}.",
            [
                f"at {notes.place}",
                *([f"in {notes.module_path}"] if notes.calls else []),
                *_ranges(node, inputs),
                f"output{several}: {_counted(array, bad, at)}",
                f"there: {told[0]}",
            ],
            _mend(kind, told),
        )


def check_backward(
    node: Function, gradients: Sequence[Any], parts: Sequence[Any], settings: Settings
) -> None:
    """Raise if the gradient of an input is not finite, and those of the outputs are.

    Raises:
        NonFiniteOperationError: the rule made a NaN or an infinity.
    """
    for number, part in enumerate(parts[: len(node._edges)]):
        if part is None or node._edges[number] is None:
            continue
        array = as_numpy(part)
        if is_finite(array):
            continue
        bad = non_finite(array)
        arrived = [as_numpy(gradient) for gradient in gradients]
        saved = [as_numpy(value) for value in node.saved_tensors or ()]
        # An infinity that was saved is one that forward let pass.
        before = [non_finite(x) for x in arrived]
        before += [(0, non_finite(x)[1]) for x in saved]
        kind = _made(bad, before, settings)
        if not kind:
            continue
        at = _first(array, kind)
        first = arrived[0] if arrived else None
        told = of_backward(
            node.name,
            [_at(x, array, at) for x in saved],
            _at(first, array, at),
            array[at],
            array.dtype,
        )
        raise NonFiniteOperationError(
            f"backward of {node.name}: made {_called(kind, array[at])} out of "
            f"{_of(kind, 'gradients' if len(gradients) > 1 else 'a gradient')}.",
            [
                *made_where(node),
                *(f"gradient that arrived: {range_of(x)}" for x in gradients),
                *(
                    f"{saved_as(node, i)}: {range_of(x, signs=signs_matter(node.name))}"
                    for i, x in enumerate(node.saved_tensors or ())
                    if as_numpy(x) is not None
                ),
                f"gradient of input {number}: {_counted(array, bad, at)}",
                f"there: {told[0]}",
                *_from_the_loss(node),
            ],
            _mend(kind, told),
        )


def _made(bad: tuple[int, int], before: Sequence[tuple[int, int]], settings: Settings) -> str:
    """Which kind is new here and to be reported: ``nan``, ``inf`` or nothing."""
    nan, infinite = bad
    had_nan = any(n for n, _ in before)
    if nan and settings.nan and not had_nan:
        return "nan"
    if infinite and settings.inf and not had_nan and not any(i for _, i in before):
        return "inf"
    return ""


def _first(array: Any, kind: str) -> tuple[int, ...]:
    mask = np.isnan(array) if kind == "nan" else np.isinf(array)
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(mask)), array.shape))


def _at(x: Any, like: Any, place: tuple[int, ...]) -> float | None:
    """The element of ``x``, broadcast to the shape of ``like``, at a place; None without one."""
    if x is None or x.dtype.kind not in "fiu":
        return None
    try:
        return float(np.broadcast_to(x, like.shape)[place])
    except ValueError:
        return None


def _called(kind: str, value: Any) -> str:
    return kind if kind == "nan" or value > 0 else "-inf"


def _of(kind: str, what: str) -> str:
    if kind == "nan":
        return f"{what} without nan"
    return f"a finite {what[2:]}" if what.startswith("a ") else f"finite {what}"


def _counted(array: Any, bad: tuple[int, int], at: tuple[int, ...]) -> str:
    nan, infinite = bad
    parts = [f"{nan} nan"] * (nan > 0) + [f"{infinite} infinite"] * (infinite > 0)
    first = f", the first at {list(at)}" if at else ""
    return f"shape {tuple(array.shape)}, {' and '.join(parts)} of {array.size}{first}"


def _ranges(node: Function, inputs: Sequence[Any]) -> list[str]:
    signs = signs_matter(node.name)
    lines = []
    for number, x in enumerate(inputs):
        if isinstance(x, (Tensor, int, float)):
            label = x._label(f"input {number}") if isinstance(x, Tensor) else f"input {number}"
            lines.append(f"{label}: {range_of(x, signs=signs)}")
    return lines


def _from_the_loss(node: Function) -> list[str]:
    lines = chain_words(chain_to(node, reversed(state.passes)))
    return ["from the loss to here:", *(f"  {line}" for line in lines)] if lines else []


def _mend(kind: str, told: Told) -> str:
    if kind == "nan":
        return told[1]
    return f"{told[1]} Where it is meant, dg.debug(inf=False) lets infinities pass."
