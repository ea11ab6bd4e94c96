"""``build_graphviz`` and ``visualize_graph``, as the published design calls them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from demograd import viz
from demograd.errors import ArgumentError

if TYPE_CHECKING:
    import graphviz  # type: ignore[import-untyped]

    from demograd import Tensor

__all__ = ["build_graphviz", "visualize_graph"]


def build_graphviz(tensor: Tensor) -> graphviz.Digraph:
    """The graph that a tensor was computed by, as a ``graphviz.Digraph``.

    Tensors are boxes, operations ellipses; see :func:`demograd.viz.graph`, which can do more.

    Args:
        tensor: the result of a recorded computation.

    Raises:
        GradientError: nothing was recorded for it.

    >>> from demograd import Tensor
    >>> build_graphviz(Tensor([2.0], requires_grad=True) * 3).source.startswith("digraph")
    True
    """
    return viz.graph(tensor)


def visualize_graph(
    tensor: Tensor,
    filename: str | os.PathLike[str] = "computation_graph",
    format: str = "pdf",
    view: bool = False,
) -> Path:
    """Draw the graph that a tensor was computed by, into ``filename.format``.

    The published code opened a viewer as well, which a server has not; ``view=True`` does so.

    Args:
        tensor: the result of a recorded computation.
        filename: the file, without its ending.
        format: ``pdf``, ``png``, ``svg``, or another of Graphviz; ``svg`` and ``html`` need no
            Graphviz.
        view: whether to open the picture in the system's viewer.

    Returns:
        The path of the picture.

    Raises:
        GradientError: nothing was recorded for the tensor.
        ArgumentError: there is no such format.
        FileError: the file cannot be written.
        MissingPackageError: the format needs Graphviz's program ``dot``, which is not installed.

    >>> import pathlib, tempfile
    >>> from demograd import Tensor
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     x = Tensor([2.0], requires_grad=True)
    ...     visualize_graph(x * x, pathlib.Path(folder, "square"), format="svg").name
    'square.svg'
    """
    if not format.isalnum():
        raise ArgumentError(
            "visualize_graph: there is no such format.",
            [f"format: {format!r}"],
            'format="png", without a dot.',
        )
    path = viz.graph(tensor).export(f"{os.fspath(filename)}.{format}")
    if view:
        import webbrowser

        webbrowser.open(path.absolute().as_uri())
    return path
