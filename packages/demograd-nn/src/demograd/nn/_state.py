"""The state of a module: taken by name, and given back only if all of it fits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from demograd import Tensor
from demograd.errors import ArgumentTypeError, StateError
from demograd.operators import Call, at_once, overwriting

if TYPE_CHECKING:
    from demograd.nn._module import Module

__all__ = ["IncompatibleKeys", "load_state_dict", "state_dict"]


class IncompatibleKeys(NamedTuple):
    """Names that a state lacks, and names that it has too many."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return (
            f"IncompatibleKeys(missing_keys={self.missing_keys}, "
            f"unexpected_keys={self.unexpected_keys})"
        )


def state_dict(module: Module, prefix: str = "", keep_vars: bool = False) -> dict[str, Tensor]:
    """Parameters and persistent buffers by name; each module's parameters before its buffers."""
    tensors: dict[str, Tensor] = {}
    for path, part in module.named_modules(remove_duplicate=False):
        for kind in ("parameter", "buffer"):
            for name, value in part._registered(kind):
                key = f"{prefix}{path}.{name}" if path else f"{prefix}{name}"
                tensors[key] = value if keep_vars else value.detach()
    return tensors


def load_state_dict(
    module: Module, state: Mapping[str, Any], strict: bool = True
) -> IncompatibleKeys:
    """Copy the values of ``state`` into the module if all of them fit."""
    if not isinstance(state, Mapping):
        raise ArgumentTypeError(
            f"load_state_dict: the state is a dictionary, not {type(state).__name__}.",
            mend="model.state_dict() and dg.load(file) give one.",
        )
    own = state_dict(module, keep_vars=True)
    missing = [name for name in own if name not in state]
    unexpected = [str(name) for name in state if name not in own]
    values = {name: _as_array(name, state[name]) for name in own if name in state}
    misshaped = [
        f"misshaped: {name}, {own[name].shape} here, {value.shape} in the state"
        for name, value in values.items()
        if value.shape != own[name].shape
    ]
    facts = [f"missing: {name}" for name in missing] if strict else []
    facts += [f"unexpected: {name}" for name in unexpected] if strict else []
    if facts or misshaped:
        raise StateError(
            f"load_state_dict: the state does not fit this {type(module).__name__}, which is "
            "left as it was.",
            facts + misshaped,
            "Build the model with the sizes that the state was saved from."
            if misshaped
            else _renamed(missing, unexpected)
            or "strict=False passes over what is missing or unexpected.",
        )
    # Prepared first, then copied with nothing in between: an interrupt leaves all or none.
    calls: list[Call] = []
    for name, value in values.items():
        calls += overwriting(own[name], value, "load_state_dict")
    at_once(calls)
    return IncompatibleKeys(missing, unexpected)


def _renamed(missing: list[str], unexpected: list[str]) -> str:
    """The way out where the names differ by a prefix, as when the model was part of another."""
    for longer, shorter in ((unexpected, missing), (missing, unexpected)):
        prefix = next((x[: -len(y)] for x in longer for y in shorter if x.endswith("." + y)), "")
        if prefix and {prefix + name for name in shorter} == set(longer):
            if longer is unexpected:
                return f'{{k.removeprefix("{prefix}"): v for k, v in state.items()}} would fit.'
            return f'{{"{prefix}" + k: v for k, v in state.items()}} would fit.'
    return ""


def _as_array(name: str, value: Any) -> np.ndarray[Any, Any]:
    """The values of a Tensor, of an array, or of another library's tensor on the CPU."""
    if isinstance(value, Tensor):
        return value.detach().cpu().numpy()
    try:
        array = np.asarray(value)
        why = f"dtype {array.dtype}"
    except (TypeError, ValueError, RuntimeError) as error:
        # What other libraries raise for a tensor on a GPU, or of a type that NumPy lacks.
        array, why = np.asarray(None), str(error)
    if array.dtype.kind not in "fiub":
        raise ArgumentTypeError(
            f"load_state_dict: the value of {name} is no array of numbers.",
            [f"{name}: {type(value).__name__}, {why}"],
            "Give Tensors or arrays, as model.state_dict() does.",
        )
    return array
