"""Where values leave the graph: ``detach``, ``no_grad``, integers, and plain arrays and numbers.

A tensor that was made of values that required a gradient, and requires none itself, carries a note
of the line where they were cut off; what is computed from it carries the note on, and so does the
node that takes it as a constant. The notes know the leaves weakly, so they keep nothing alive.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Sequence
from typing import Any

from demograd._tensor import Tensor
from demograd.autograd._function import Function
from demograd.autograd._mode import grad_mode
from demograd.autograd._scope import open_calls
from demograd.diagnostics._notes import Cut, Leaves, NodeNotes, tensor_notes
from demograd.diagnostics._spot import Spot, called_by_user, spot_here

__all__ = ["carry_on", "cuts_of", "leaves_of", "note_left", "recent_exits"]

MOST = 32  # notes of cuts that a tensor carries
MOST_EXITS = 512  # lines at which values became plain arrays or numbers

# Where values went to what no note can be tied to, by the line: the latest of each.
_exits: dict[tuple[str, Spot], Cut] = {}


def cuts_of(x: Any) -> tuple[Cut, ...]:
    """The cuts that a tensor has behind it."""
    notes = x._notes if isinstance(x, Tensor) else None
    return () if notes is None else notes.cuts


def carry_on(
    node: Function, inputs: Sequence[Any], outputs: Sequence[Tensor], notes: NodeNotes
) -> None:
    """Note what an operation cuts off, and take on what was cut off before."""
    former = merged(cuts for x in inputs if (cuts := cuts_of(x)))
    needed = [x for x in inputs if isinstance(x, Tensor) and x._requires_grad]
    notes.cuts = former
    for output in outputs:
        if output._requires_grad:
            continue
        cuts = former
        if needed:
            how = _how(node, output)
            cuts = merged([[_cut(x, how, notes.spot, notes.calls) for x in needed], former])
        if cuts:
            tensor_notes(output).cuts = cuts


def note_left(x: Tensor, how: str, out: Tensor | None) -> None:
    """Note that values left the graph by something that is no operation.

    Args:
        x: whose values.
        how: by what, in the words of who reports it.
        out: the Tensor that holds them now; None for a plain array or number.
    """
    former = cuts_of(x)
    if not x._requires_grad and not former:
        return
    if out is None:
        _note_exit(x, how, former)
    elif not x._requires_grad:
        tensor_notes(out).cuts = merged([cuts_of(out), former])
    else:
        name, _ = called_by_user()
        if not how.startswith("the comparison"):
            how = _INTO_TENSORS.get(name, f"{name.strip('_')}, which gives no gradient")
        cut = _cut(x, how, spot_here(), open_calls())
        tensor_notes(out).cuts = merged([[cut], cuts_of(out)])


# What a user calls, by the name of the function or method.
_INTO_TENSORS = {"detach": "detach", "__init__": "Tensor(x)", "tensor": "dg.tensor(x)"}
_INTO_OTHERS = {
    "data": ".data",
    "item": ".item()",
    "numpy": ".numpy()",
    "tolist": ".tolist()",
    "__array__": "np.asarray(x)",
    "__bool__": "bool(x)",
    "__float__": "float(x)",
    "__int__": "int(x)",
}


def _note_exit(x: Tensor, how: str, former: tuple[Cut, ...]) -> None:
    name, of_tensor = called_by_user()
    way = how if how == "use as an index" else _INTO_OTHERS.get(name) if of_tensor else None
    if way is None:
        return  # what demograd does with arrays inside is no cut
    spot = spot_here()
    cut = _cut(x, way, spot, open_calls())
    for earlier in former:
        cut.leaves = {**earlier.leaves, **cut.leaves}
    _exits.pop((way, spot), None)
    _exits[way, spot] = cut
    if len(_exits) > MOST_EXITS:
        del _exits[next(iter(_exits))]


def recent_exits() -> list[Cut]:
    """Where values became plain arrays or numbers, latest first."""
    return list(_exits.values())[::-1]


def merged(several: Iterable[Sequence[Cut]]) -> tuple[Cut, ...]:
    """All cuts once, the latest few of them."""
    found: dict[Any, Cut] = {}
    for cuts in several:
        for cut in cuts:
            found.setdefault((cut.how, cut.spot, cut.value), cut)
    return tuple(list(found.values())[:MOST])


def _how(node: Function, output: Tensor) -> str:
    if not grad_mode.enabled:
        return "inference_mode" if grad_mode.inference else "no_grad"
    if output.dtype.kind in "biu":
        if node.name == "Cast":
            return f"a cast to {output.dtype}"
        return f"{node.name}, whose result is of type {output.dtype}"
    return f"{node.name}, which gives no gradient"


def _cut(x: Tensor, how: str, spot: Spot, calls: tuple[str, ...]) -> Cut:
    node = x._node
    made = "" if node is None else f", made by {getattr(node, 'node', node).name}"
    return Cut(
        how=how,
        spot=spot,
        calls=calls,
        value=f"{x._describe()}{made}",
        leaves=leaves_of(x),
        node=None if node is None else weakref.ref(node),
        switched=grad_mode.place if how in ("no_grad", "inference_mode") else None,
    )


def leaves_of(x: Tensor) -> Leaves:
    """The leaves that a tensor was computed from.

    What is found is kept on the node, so that a loop with a cut in each turn walks each node once.
    """
    if x._node is None:
        return {id(x): weakref.ref(x)} if x._requires_grad else {}
    found: dict[int, weakref.ref[Tensor]] = {}
    seen: set[Any] = {x._node}
    stack: list[Any] = [x._node]
    while stack:
        node = stack.pop()
        if node._notes is not None and node._notes.leaves is not None:
            found.update(node._notes.leaves)
            continue
        for edge in node._edges:
            if edge is None:
                continue
            if edge._kind is None:
                found[id(edge)] = weakref.ref(edge)
            elif edge not in seen:
                seen.add(edge)
                stack.append(edge)
    if x._node._notes is not None:
        x._node._notes.leaves = found
    return found
