"""``functional_call``: a module as a function of its parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from demograd._tensor import Tensor
from demograd.errors import ArgumentTypeError, StateError
from demograd.interfaces import Model

__all__ = ["functional_call"]


def functional_call(
    module: Model,
    parameter_and_buffer_dicts: Mapping[str, Tensor] | Sequence[Mapping[str, Tensor]],
    args: Any = None,
    kwargs: Mapping[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Call a module with other tensors in the place of its parameters and buffers.

    The module is left as it was, also when the call raises; so the result is a function of the
    tensors given, and the transforms apply to it. What the call does to buffers in place, it does
    to those given.

    Args:
        module: any :class:`demograd.interfaces.Model` whose parameters are attributes that their
            names lead to: ``"0.weight"`` is ``weight`` of its part ``0``.
        parameter_and_buffer_dicts: tensors by name, or several such dicts.
        args: the positional arguments, a tuple; or the only one.
        kwargs: the keyword arguments.
        tie_weights: a parameter that the module has under several names is replaced under all of
            them, whichever is given.
        strict: every parameter and buffer must be given.

    Returns:
        What the module returns.

    Raises:
        StateError: the module has nothing of a name that is given; one is given twice; or one is
            not given, and ``strict`` is.
        ArgumentTypeError: what is given is no Tensor.

    Reference: ``torch.func.functional_call``.

    >>> class Line:
    ...     def __init__(self):
    ...         self.slope = Tensor(2.0, requires_grad=True)
    ...
    ...     def named_parameters(self):
    ...         return [("slope", self.slope)]
    ...
    ...     def __call__(self, x):
    ...         return self.slope * x
    >>> functional_call(Line(), {"slope": Tensor(5.0)}, Tensor(3.0))
    tensor(15.)
    """
    given = _one_dict(parameter_and_buffer_dicts)
    known = _members(module)
    _check_names(module, given, known, strict)
    values = dict(given)
    if tie_weights:
        values |= _tied(given, known)
    if args is None:
        args = ()
    elif not isinstance(args, tuple):
        args = (args,)
    former: list[tuple[dict[str, Any], str, Any]] = []
    try:
        for name, value in values.items():
            *path, last = name.split(".")
            owner: Any = module
            for part in path:
                owner = getattr(owner, part)
            former.append((vars(owner), last, vars(owner)[last]))
            vars(owner)[last] = value
        return module(*args, **(kwargs or {}))
    finally:
        for attributes, name, value in reversed(former):
            attributes[name] = value


def _one_dict(dicts: Any) -> dict[str, Tensor]:
    merged: dict[str, Tensor] = {}
    for given in [dicts] if isinstance(dicts, Mapping) else dicts:
        for name, value in given.items():
            if name in merged:
                raise StateError(
                    f"functional_call: {name!r} is given twice.",
                    mend="{**first, **second} lets the second prevail.",
                )
            if not isinstance(value, Tensor):
                raise ArgumentTypeError(
                    f"functional_call: {name!r} is of type {type(value).__name__}, not a Tensor."
                )
            merged[name] = value
    return merged


def _members(module: Any) -> dict[str, Tensor]:
    """The parameters and buffers of a module under all of their names."""
    found: dict[str, Tensor] = {}
    for walk in ("named_parameters", "named_buffers"):
        named = getattr(module, walk, None)
        if named is None:
            continue
        try:
            found.update(named(remove_duplicate=False))
        except TypeError:
            found.update(named())  # the interface asks for no more
    return found


def _check_names(
    module: Any, given: Mapping[str, Any], known: Mapping[str, Any], strict: bool
) -> None:
    unknown = sorted(set(given) - set(known))
    missing = sorted(set(known) - set(given)) if strict else []
    if unknown or missing:
        facts = [f"{name}: not in {type(module).__name__}" for name in unknown]
        raise StateError(
            "functional_call: the names are not those of the module.",
            [*facts, *(f"{name}: not given" for name in missing)],
            "dict(module.named_parameters()) has them.",
        )


def _tied(given: Mapping[str, Tensor], known: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What is given, under the other names of the same parameters; given ones go before."""
    by_tensor = {id(known[name]): value for name, value in given.items()}
    return {
        name: by_tensor[id(x)]
        for name, x in known.items()
        if id(x) in by_tensor and name not in given
    }
