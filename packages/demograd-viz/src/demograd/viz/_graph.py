"""``graph``: the picture of a recorded computation."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from demograd import Tensor
from demograd.errors import ArgumentError, ArgumentTypeError, GradientError
from demograd.interfaces import Model
from demograd.viz._style import printable

if TYPE_CHECKING:
    from demograd.viz._drawing import Drawing

__all__ = ["graph"]

DIRECTIONS = ("TB", "LR", "BT", "RL")


def graph(
    tensor: Tensor | Iterable[Tensor] | Mapping[str, Tensor],
    *,
    model: Model | None = None,
    params: Mapping[str, Tensor] | Iterable[tuple[str, Tensor]] | None = None,
    name: str | None = None,
    direction: str = "TB",
    max_nodes: int = 200,
    constants: bool = True,
) -> Drawing:
    """The picture of the graph that a tensor was computed by.

    Tensors are boxes with their name, shape and dtype, operations are ellipses, and what a
    module did stands in a frame with its name. Parameters are orange, other leaves that require a
    gradient green, the result is pink. The picture is a ``graphviz.Digraph``: it shows itself in
    a notebook, ``.render("graph", format="png")`` writes it with Graphviz's program ``dot``, and
    ``.export("graph.svg")`` does without that program where it is missing.

    A graph of more than ``max_nodes`` operations is folded: repetitions become one shape that
    says how often (``Mul, Add × 9,998``), and modules become closed boxes, the inner ones first.
    The picture and a warning say so.

    Args:
        tensor: the result; or several, in a list, or in a dictionary with their names.
        model: its parameters are marked, and named as in ``model.named_parameters()``.
        params: parameters by name, where there is no model.
        name: the title, and the name of the file that ``render`` writes.
        direction: where the data flow: ``TB`` downwards, ``LR`` to the right, ``BT`` or ``RL``.
        max_nodes: how many operations are drawn one by one, at least 1.
        constants: whether operands that require no gradient, of which the graph keeps no more
            than the place, are shown.

    Raises:
        GradientError: the tensor was computed without recording.
        ArgumentError, ArgumentTypeError: an argument is out of its range or no tensor.

    >>> import demograd as dg
    >>> w = dg.tensor([1.0, 2.0], requires_grad=True)
    >>> picture = graph((w * w).sum(), params={"weight": w})
    >>> picture.source.count("<B>weight</B>")
    1
    """
    outputs = _named_outputs(tensor)
    if direction not in DIRECTIONS:
        raise ArgumentError(
            f"graph: direction is {direction!r}.", mend=f"Use one of {', '.join(DIRECTIONS)}."
        )
    if max_nodes < 1:
        raise ArgumentError(f"graph: max_nodes is {max_nodes}.", mend="Use at least 1.")
    from demograd.viz import _picture
    from demograd.viz._drawing import Drawing
    from demograd.viz._record import read

    names = _parameter_names(model, params)
    title = printable(name or "", longest=120)
    picture = _picture.draw(read(outputs), names, max_nodes, title, constants)
    if picture.note:
        warnings.warn(f"graph: {picture.note}", stacklevel=2)
    return Drawing.of(picture, title or "graph", direction)


def _named_outputs(tensor: Any) -> list[tuple[str, Tensor]]:
    """The tensors to start from with their names, after checking that each can be drawn."""
    if isinstance(tensor, Mapping):
        outputs = [(str(name), x) for name, x in tensor.items()]
    else:
        tensors = [tensor] if isinstance(tensor, Tensor) else _as_list(tensor)
        outputs = [(getattr(x, "name", None) or "", x) for x in tensors]
        unnamed = "output" if len(outputs) == 1 else "output {}"
        outputs = [(name or unnamed.format(i), x) for i, (name, x) in enumerate(outputs)]
    if not outputs:
        raise ArgumentError("graph: there is no tensor to draw.")
    for name, x in outputs:
        if not isinstance(x, Tensor):
            raise _not_a_tensor(x)
        if not x.requires_grad:
            raise GradientError(
                "graph: nothing was recorded for this tensor.",
                [f"{name}: shape {x.shape}, dtype {x.dtype}, requires_grad=False"],
                "Compute it from a tensor with requires_grad=True, outside no_grad.",
            )
    return outputs


def _as_list(tensors: Any) -> list[Any]:
    if not isinstance(tensors, Iterable) or isinstance(tensors, (str, bytes)):
        raise _not_a_tensor(tensors)
    return list(tensors)


def _not_a_tensor(x: Any) -> ArgumentTypeError:
    return ArgumentTypeError(
        f"graph: expected a Tensor, not {type(x).__name__}.",
        mend="graph(loss), or several: graph([a, b]), graph({'a': a, 'b': b}).",
    )


def _parameter_names(
    model: Model | None, params: Mapping[str, Tensor] | Iterable[tuple[str, Tensor]] | None
) -> dict[int, str]:
    """The names of parameters by the tensors' ids; a shared one keeps its first name."""
    named: list[tuple[str, Tensor]] = []
    if params is not None:
        named += params.items() if isinstance(params, Mapping) else params
    if model is not None:
        named += model.named_parameters()
    names: dict[int, str] = {}
    for name, x in named:
        names.setdefault(id(x), name)
    return names
