"""``dg.explain``: why a gradient is None, or zero, in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from demograd._tensor import Tensor
from demograd.diagnostics._cuts import cuts_of
from demograd.diagnostics._explanation import Explanation, ModelExplanation
from demograd.diagnostics._graph import Graph
from demograd.diagnostics._notes import TensorNotes
from demograd.diagnostics._ranges import as_numpy, number, share
from demograd.diagnostics._settings import state
from demograd.diagnostics._spot import place_of
from demograd.diagnostics._unreached import LEARN, constant_loss, mend_of, not_reached
from demograd.diagnostics._zeros import blocked, stopped, thinned
from demograd.errors import ArgumentTypeError

__all__ = ["explain"]


def explain(x: Any, loss: Tensor | None = None) -> Explanation | ModelExplanation:
    """Why the gradient of ``x`` is None or zero, or that all is well.

    It works before ``backward`` and after it, changes nothing, and knows more when what it is
    asked about ran under :class:`demograd.diagnostics.debug`.

    Args:
        x: a Tensor, or a model (see :class:`demograd.interfaces.Model`), each of whose parameters
            is explained.
        loss: what was, or is to be, differentiated. Without it only what ``x`` itself knows can
            be said, or, under ``dg.debug()``, what the last backward pass in this thread has met.

    Returns:
        An object that prints as the explanation; ``verdict`` says it in two or three words.

    Raises:
        ArgumentTypeError: ``x`` is neither a Tensor nor a model, or ``loss`` is no Tensor.

    >>> import demograd as dg
    >>> w = dg.tensor([1.0, 2.0], requires_grad=True, name="w")
    >>> loss = (w.detach() * 3).sum()
    >>> dg.explain(w, loss)
    w: no gradient, because the loss requires none: it was computed from nothing that does.
    Run it under dg.debug() to learn the line: with dg.debug(): ...
    """
    if loss is not None and not isinstance(loss, Tensor):
        raise ArgumentTypeError(
            f"explain: the loss is of type {type(loss).__name__}, not a Tensor.",
            mend="dg.explain(x, loss) takes what backward() is called on.",
        )
    graph = Graph(loss) if loss is not None else None
    if isinstance(x, Tensor):
        return _explained(x, x._label("tensor"), loss, graph, {})
    if not hasattr(x, "named_parameters"):
        raise ArgumentTypeError(
            f"explain: {type(x).__name__} is neither a Tensor nor a model.",
            mend="A model has named_parameters(); see demograd.interfaces.Model.",
        )
    named = list(x.named_parameters())
    names = {id(p): name for name, p in named}
    each = [_explained(p, name, loss, graph, names) for name, p in named]
    return ModelExplanation(type(x).__name__, tuple(each))


def _explained(
    x: Tensor, name: str, loss: Tensor | None, graph: Graph | None, names: dict[int, str]
) -> Explanation:
    if not x.requires_grad:
        return _not_required(x, name)
    missing = None
    if loss is not None and not loss.requires_grad:
        missing = constant_loss(x, name, loss)
    elif graph is not None and not graph.reaches(x):
        missing = not_reached(x, name, graph, names)
    if missing is not None and x._grad is None:
        return missing
    if missing is not None:
        why = missing.headline.removeprefix("no gradient, ")
        return replace(missing, headline=f"its gradient is of another loss; of this none, {why}")
    if graph is None:
        graph = _last_graph(x)
    if x._grad is not None:
        return _present(x, name, graph)
    if not x.is_leaf and x._retained is None:
        return Explanation(
            name,
            "not a leaf",
            "no gradient is kept, because it is not a leaf: it was computed, by "
            f"{x.grad_fn.name if x.grad_fn else ''}.",
            _made(x),
            "x.retain_grad() before backward keeps it.",
        )
    return _not_there(x, name, graph)


def _not_required(x: Tensor, name: str) -> Explanation:
    cuts = cuts_of(x)
    if x.dtype.kind in "biu":
        return Explanation(
            name,
            "integers",
            f"no gradient, because it is of type {x.dtype}, and only floats have one.",
            tuple(str(cut) for cut in cuts),
            "x.float() before requires_grad_(), if it is to be trained."
            if not cuts
            else "Keep floats up to the loss: a cast to integers, and back, ends the gradient.",
        )
    if cuts:
        return Explanation(
            name,
            "cut",
            "no gradient, because it was cut off from what requires one.",
            tuple(str(cut) for cut in cuts),
            mend_of(cuts[0]),
        )
    if type(x) is not Tensor:
        return Explanation(
            name,
            "frozen",
            "no gradient, because it is frozen.",
            ("requires_grad is False",),
            "x.requires_grad_() makes it require one.",
        )
    return Explanation(
        name,
        "does not require one",
        "no gradient, because it does not require one: it was made without requires_grad=True, or "
        "computed from nothing that requires one.",
        (),
        "x.requires_grad_() makes it require one. If it was cut off by detach, no_grad or a cast: "
        f"{LEARN}",
    )


def _present(x: Tensor, name: str, graph: Graph | None) -> Explanation:
    assert x._grad is not None
    array = as_numpy(x._grad)
    if array is None:
        return Explanation(name, "ok", "it has a gradient.")
    if not np.isfinite(array).all():
        return Explanation(
            name,
            "not finite",
            "it has a gradient, which is not finite.",
            (f"{int((~np.isfinite(array)).sum())} of {array.size} elements",),
            "Under dg.debug() backward stops at the operation that made it so.",
        )
    zeros = array.size - int(np.count_nonzero(array))
    if zeros == array.size and zeros:
        return _all_zero(x, name, graph)
    facts = [f"mean size {number(np.abs(array).mean())}, largest {number(np.abs(array).max())}"]
    if zeros:
        facts.append(f"{share(zeros, array.size)} of its elements are zero")
        if graph is not None and graph.reaches(x):
            graph.tried()
            facts += thinned(graph, x)
    return Explanation(name, "ok", "it has a gradient.", tuple(facts))


def _all_zero(x: Tensor, name: str, graph: Graph | None) -> Explanation:
    headline = "its gradient is zero."
    if graph is None or not graph.reaches(x):
        return Explanation(
            name,
            "zero",
            headline,
            (),
            "dg.explain(x, loss) before loss.backward(), or after one under dg.debug(), says where "
            "it became so.",
        )
    counted = graph.zeros_at(x) if graph.tried() else None
    if counted is not None and counted[0] < counted[1]:
        return Explanation(
            name,
            "cleared",
            "its gradient is zero, and the loss would give it another.",
            ("it was set to zeros, for example by zero_grad(set_to_none=False)",),
            "loss.backward() adds the gradient of this loss.",
        )
    facts = blocked(graph, x)
    if facts is None:
        return Explanation(
            name,
            "zero",
            headline,
            (),
            "The saved values are gone. dg.explain(x, loss) before loss.backward(), or after one "
            "under dg.debug(), says where it became so.",
        )
    return Explanation(name, "zero", headline, tuple(facts), "")


def _not_there(x: Tensor, name: str, graph: Graph | None) -> Explanation:
    notes: TensorNotes | None = x._notes
    if notes is not None and notes.reached is not None and notes.cleared is not None:
        return Explanation(
            name,
            "cleared",
            "no gradient, because it was cleared after backward.",
            (
                f"backward gave it at {place_of(notes.reached.spot)}",
                f"cleared at {place_of(notes.cleared)}",
            ),
            "Read it, or step, between backward and zero_grad.",
        )
    if graph is not None:
        graph.tried()
        if graph.error:
            return Explanation(
                name,
                "backward fails",
                "no gradient, and backward raises an error.",
                tuple(graph.error.splitlines()),
            )
        if lines := stopped(graph, x):
            return Explanation(name, "stopped", "no gradient arrives at it.", tuple(lines))
        if not graph.freed:
            return _not_yet(x, name, graph)
    if graph is not None:
        return Explanation(
            name,
            "cleared",
            "no gradient, though a backward pass of this loss has run.",
            (
                "it was cleared since, by zero_grad or x.grad = None, or the pass was that of "
                "autograd.grad, or of backward(inputs=...), which leave it alone",
            ),
            "Read it, or step, between backward and zero_grad.",
        )
    return Explanation(
        name,
        "none yet",
        "no gradient: no backward pass has reached it, or it was cleared.",
        ((f"its module has another in its place, since {x._replaced}",) if x._replaced else ()),
        "dg.explain(x, loss) says whether the loss depends on it.",
    )


def _last_graph(x: Tensor) -> Graph | None:
    """The graph of the pass that last gave ``x`` a gradient, if it was watched and is there."""
    notes: TensorNotes | None = x._notes
    last = notes.reached if notes is not None else None
    if last is None and not x.is_leaf and state.passes:
        last = state.passes[-1]  # only leaves are told
    for root in last.roots if last is not None else ():
        edge = root()
        if edge is not None and (graph := Graph(edge)).reaches(x):
            return graph
    return None


def _not_yet(x: Tensor, name: str, graph: Graph) -> Explanation:
    counted = graph.zeros_at(x)
    if counted is not None and counted[0] == counted[1] and counted[1]:
        return Explanation(
            name,
            "not yet, and zero",
            "no gradient yet, for backward has not run; it will be zero.",
            tuple(blocked(graph, x) or ()),
        )
    number_of = len(graph.leading_to(x))
    return Explanation(
        name,
        "not yet",
        "no gradient yet, for backward has not run.",
        (f"the loss leads to it by {number_of} operations", *thinned(graph, x)),
        "loss.backward() gives it one.",
    )


def _made(x: Tensor) -> tuple[str, ...]:
    place = x.grad_fn.place if x.grad_fn is not None else None
    return () if place is None else (f"made at {place}",)
