"""Why the gradient of a loss does not reach a tensor: cut off on the way, or not on the way."""

from __future__ import annotations

from demograd._tensor import Tensor
from demograd.diagnostics._cuts import cuts_of, leaves_of, recent_exits
from demograd.diagnostics._explanation import Explanation
from demograd.diagnostics._graph import Graph
from demograd.diagnostics._notes import Cut
from demograd.diagnostics._settings import state

__all__ = ["LEARN", "constant_loss", "mend_of", "not_reached"]

MOST = 6  # leaves that are named
LEARN = "Run it under dg.debug() to learn the line: with dg.debug(): ..."


def constant_loss(x: Tensor, name: str, loss: Tensor) -> Explanation:
    """The loss requires no gradient."""
    cuts = _cuts_from(x, cuts_of(loss))
    if cuts:
        return Explanation(
            name,
            "cut",
            "no gradient, because the loss requires none: it was cut off.",
            tuple(str(cut) for cut in cuts),
            mend_of(cuts[0]),
        )
    return Explanation(
        name,
        "not reached",
        "no gradient, because the loss requires none: it was computed from nothing that does.",
        tuple(exits := _exits_from(x)),
        "" if exits or state.settings is not None else LEARN,
    )


def not_reached(x: Tensor, name: str, graph: Graph, names: dict[int, str]) -> Explanation:
    """The loss requires one, and no recorded operation leads to ``x``.

    Args:
        x: the tensor.
        name: what it is called.
        graph: of the loss.
        names: what leaves are called, by their ids.
    """
    cuts = _cuts_from(x, graph.cuts())
    if cuts:
        return Explanation(
            name,
            "cut",
            "no gradient, because between it and the loss the gradient is cut off.",
            tuple(str(cut) for cut in cuts),
            mend_of(cuts[0]),
        )
    facts = [f"the loss depends on {_listed(graph.leaves, names)}"]
    if x._replaced is not None:
        facts.insert(0, f"its module has another in its place, since {x._replaced}")
    facts += _exits_from(x)
    watched = any(node._notes is not None for node in graph.nodes)
    return Explanation(
        name,
        "not reached",
        "no gradient, because the loss was not computed from it.",
        tuple(facts),
        "" if watched else f"If it was, the gradient is cut off on the way. {LEARN}",
    )


def _cuts_from(x: Tensor, cuts: tuple[Cut, ...]) -> list[Cut]:
    """Those behind which ``x`` is: it is a leaf that was cut off, or leads to such a value."""
    if x._node is None:
        return [c for c in cuts if (leaf := c.leaves.get(id(x))) is not None and leaf() is x]
    found = []
    own = set(leaves_of(x))
    for cut in cuts:
        node = cut.node() if cut.node is not None else None
        # The graph that was cut off may be gone; then it is known by its leaves.
        if Graph(node).reaches(x) if node is not None else bool(own & set(cut.leaves)):
            found.append(cut)
    return found


def _exits_from(x: Tensor) -> list[str]:
    """Where values that depend on ``x`` became plain arrays or numbers, the latest three."""
    found = [str(cut) for cut in _cuts_from(x, tuple(recent_exits()))][:3]
    return [f"the values went into a plain array or number here: {line}" for line in found]


def _listed(leaves: list[Tensor], names: dict[int, str]) -> str:
    """Leaves by name, the first few of them."""
    if not leaves:
        return "no leaf"
    labels = [names.get(id(x)) or x.name or f"one of shape {x.shape}" for x in leaves]
    more = f" and {len(labels) - MOST} more" if len(labels) > MOST else ""
    return f"{', '.join(labels[:MOST])}{more}"


def mend_of(cut: Cut) -> str:
    """The way out of a cut."""
    if cut.how in ("no_grad", "inference_mode"):
        return f"Compute it outside {cut.how}."
    if cut.how == "detach":
        return "Leave the detach out, if the gradient is to go on."
    if "comparison" in cut.how or "type" in cut.how or "cast" in cut.how:
        return "Integers and booleans have no gradient: compute the loss from the floats before."
    return "Keep the Tensor: what is computed with arrays, numbers and copies is not recorded."
