"""The picture of a graph as a ``graphviz.Digraph``, and what to do where ``dot`` is missing."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any

import graphviz  # type: ignore[import-untyped]

from demograd.errors import ArgumentError, FileError, MissingPackageError
from demograd.viz import _svg
from demograd.viz._picture import Frame, Picture, Shape
from demograd.viz._record import NO_CALL
from demograd.viz._style import CLUSTER, FONT, FRAME, INK, MUTED, SHAPES

__all__ = ["Drawing"]

_SVG_TYPE = "image/svg+xml"
_GRAPH = {
    "bgcolor": "white", "fontname": FONT, "fontcolor": INK, "pad": "0.2", "nodesep": "0.22",
    "ranksep": "0.33", "style": "rounded,filled", "labeljust": "l",
}  # fmt: skip
_NODE = {"fontname": FONT, "fontsize": "11", "fontcolor": INK, "height": "0.32"}
_EDGE = {"color": MUTED, "arrowsize": "0.6", "penwidth": "1.0"}


class Drawing(graphviz.Digraph):  # type: ignore[misc]
    """The picture of a graph: a ``graphviz.Digraph`` that can do without ``dot``.

    Everything that a Digraph does works: ``source``, ``render(filename, format="svg")``,
    ``pipe("png")``, and showing itself in a notebook. What it adds is :meth:`to_svg`,
    :meth:`to_html` and :meth:`export`, which need no other program. (What is added by hand, with
    ``node`` or ``edge``, is drawn by ``dot`` alone.)
    """

    _picture = Picture("")
    _direction = "TB"

    @classmethod
    def of(cls, picture: Picture, name: str, direction: str) -> Drawing:
        """Draw a picture whose data flow in a direction: TB, LR, BT or RL."""
        self = cls(
            graphviz.escape(name),
            filename=re.sub(r"[^\w.-]+", "_", name) + ".gv",
            graph_attr={**_GRAPH, "rankdir": direction},
            node_attr=_NODE,
            edge_attr=_EDGE,
        )
        self._picture, self._direction = picture, direction
        caption = [
            f'<FONT POINT-SIZE="{size}" COLOR="{colour}">{_html(text)}</FONT>'
            for text, size, colour in [(picture.title, 14, INK), (picture.note, 10, MUTED)]
            if text
        ]
        if caption:
            self.attr("graph", label=f"<{'<BR/>'.join(caption)}>", labelloc="t", labeljust="c")
        self._add_frames(picture)
        leaves = picture.shapes.keys() - {head for _, head in picture.arrows}
        for tail, head in picture.arrows:
            # The way of the data through the picture is kept straight; leaves make room.
            self.edge(tail, head, weight="1" if tail in leaves else "4")
        for tail, leaf in _entries(picture, leaves):
            self.edge(tail, leaf, style="invis")
        return self

    def _add_frames(self, picture: Picture) -> None:
        """Write the shapes, frame in frame: from the innermost outwards, so without recursion."""
        frames = sorted(picture.frames.items(), key=lambda f: -f[1].depth)
        parts: dict[int, Any] = {}
        for number, frame in frames:
            attributes = _frame_attributes(frame)
            parts[number] = graphviz.Digraph(f"cluster{number}", graph_attr=attributes)
        for shape in picture.shapes.values():
            parts.get(shape.frame, self).node(shape.key, **_shape_attributes(shape))
        for number, frame in frames:
            parts.get(frame.parent, self).subgraph(parts[number])

    @property
    def note(self) -> str:
        """What was folded, in words; empty if nothing was."""
        return self._picture.note

    def copy(self) -> Drawing:
        """A copy that can be changed by itself."""
        other: Drawing = super().copy()
        other._picture, other._direction = self._picture, self._direction
        return other

    def render(self, *args: Any, **kwargs: Any) -> str:
        """Write the source and the rendered picture; returns the latter's path.

        Arguments are those of ``graphviz.Digraph.render``: ``filename``, ``directory``, ``view``,
        ``cleanup``, ``format`` and so on.

        Raises:
            MissingPackageError: the program ``dot`` is not installed.
        """
        try:
            return str(super().render(*args, **kwargs))
        except graphviz.ExecutableNotFound as error:
            raise _missing_dot() from error

    def pipe(self, *args: Any, **kwargs: Any) -> Any:
        """The rendered picture as bytes, or as text where ``encoding`` is given.

        Raises:
            MissingPackageError: the program ``dot`` is not installed.
        """
        try:
            return super().pipe(*args, **kwargs)
        except graphviz.ExecutableNotFound as error:
            raise _missing_dot() from error

    def to_svg(self) -> str:
        """The picture as an SVG document, by demograd's own simple layout: it needs no ``dot``."""
        return _svg.write(self._picture, self._direction)

    def to_html(self) -> str:
        """A page of HTML that holds the picture and needs nothing else.

        The picture is drawn by ``dot`` where it is installed, else by :meth:`to_svg`.
        """
        svg = self._best_svg()
        title = escape(self._picture.title or "graph")
        return (
            '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8">'
            f"<title>{title}</title></head>\n<body>\n{svg[svg.index('<svg') :]}\n</body>\n</html>\n"
        )

    def export(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture to one file, in the format that its ending names.

        ``.svg`` and ``.html`` are drawn by ``dot`` where it is installed and by :meth:`to_svg`
        where it is not; ``.dot`` and ``.gv`` are the source; ``.png``, ``.pdf`` and what else
        Graphviz offers need ``dot``.

        Returns:
            The path.

        Raises:
            ArgumentError: the ending names no format.
            FileError: the file cannot be written.
            MissingPackageError: the format needs ``dot``, which is not installed.
        """
        path = Path(path)
        ending = path.suffix.lower().removeprefix(".")
        if ending in ("dot", "gv"):
            content = self.source.encode()
        elif ending == "svg":
            content = self._best_svg().encode()
        elif ending == "html":
            content = self.to_html().encode()
        elif ending in graphviz.FORMATS:
            content = self.pipe(ending)
        else:
            raise ArgumentError(
                f"export: the ending {path.suffix!r} names no format of a picture.",
                [f"path: {path}"],
                "Use .svg, .html, .png, .pdf or .dot.",
            )
        try:
            path.write_bytes(content)
        except OSError as error:
            raise FileError(
                "export: the picture cannot be written.",
                [f"path: {path}", f"{type(error).__name__}: {error.strerror}"],
            ) from error
        return path

    def _best_svg(self) -> str:
        try:
            return str(self.pipe("svg", encoding="utf-8"))
        except MissingPackageError:
            return self.to_svg()
        except (graphviz.CalledProcessError, BrokenPipeError) as error:
            # There are graphs with frames that some versions of dot give up on.
            warnings.warn(f"graph: dot failed, so the simple layout is used: {error}", stacklevel=4)
            return self.to_svg()

    # What a notebook asks for.

    def _repr_image_svg_xml(self) -> str:
        return self._best_svg()

    def _repr_mimebundle_(
        self, include: Iterable[str] | None = None, exclude: Iterable[str] | None = None, **_: Any
    ) -> dict[str, str]:
        wanted = {_SVG_TYPE} if include is None else set(include)
        return {_SVG_TYPE: self._best_svg()} if _SVG_TYPE in wanted - set(exclude or ()) else {}


def _entries(picture: Picture, leaves: set[str]) -> list[tuple[str, str]]:
    """From what enters a frame to the leaves in it.

    Leaves have nothing above them and would rise to the top, and their frames with them. An
    invisible arrow holds each below what enters its frame, so that modules follow one another.
    """
    depth = {NO_CALL: -1} | {number: frame.depth for number, frame in picture.frames.items()}
    inside: dict[int, list[str]] = {}
    for key in sorted(leaves):
        inside.setdefault(picture.shapes[key].frame, []).append(key)
    entries = []
    for tail, head in picture.arrows:
        frame = picture.shapes[head].frame
        if tail not in leaves and depth[frame] > depth[picture.shapes[tail].frame]:
            entries += [(tail, leaf) for leaf in inside.get(frame, ())]
    return list(dict.fromkeys(entries))


def _missing_dot() -> MissingPackageError:
    return MissingPackageError(
        "graph: the program `dot` of Graphviz is not installed, or is not on the PATH.",
        [
            "Debian, Ubuntu: apt-get install graphviz",
            "macOS: brew install graphviz",
            "conda: conda install graphviz",
        ],
        'Without it: graph(x).export("graph.svg"), or "graph.html", draws a simpler picture.',
    )


def _html(text: str) -> str:
    # A single backslash would begin an escape sequence of Graphviz, such as \N.
    return escape(text).replace("\\", "\\\\")


def _label(shape: Shape) -> str:
    """The lines of a shape as Graphviz's kind of HTML."""
    lines = []
    for line in shape.lines:
        parts = []
        for text, weight in line:
            part = _html(text)
            if weight == "strong":
                part = f"<B>{part}</B>"
            elif weight == "faint":
                part = f'<FONT POINT-SIZE="9" COLOR="{MUTED}">{part}</FONT>'
            parts.append(part)
        lines.append("".join(parts))
    return f"<{'<BR/>'.join(lines)}>"


def _shape_attributes(shape: Shape) -> dict[str, str]:
    look = SHAPES[shape.kind]
    attributes = {"label": _label(shape), "tooltip": graphviz.escape(shape.hint or shape.kind)}
    if look.line == "none":
        return {**attributes, "shape": "plaintext", "margin": "0.02", "height": "0.2"}
    return {
        **attributes,
        "shape": "ellipse" if look.round else "box",
        "style": "filled" if look.round else "filled,rounded",
        "fillcolor": look.fill,
        "color": look.line,
        "penwidth": str(look.width),
        "peripheries": "2" if look.double else "1",
        "margin": "0.08,0.02" if look.round else "0.1,0.05",
    }


def _frame_attributes(frame: Frame) -> dict[str, str]:
    # Blanks as long as the label keep it clear of an arrow that enters in the middle.
    blanks = "&#160;" * (5 * len(frame.label) // 2 + 6)
    return {
        "label": f"<<B>{_html(frame.label)}</B>{blanks}>",
        "fontsize": "10",
        "fontcolor": MUTED,
        "labeljust": "l",
        "labelloc": "t",
        "style": "rounded,filled",
        "fillcolor": CLUSTER[min(frame.depth, len(CLUSTER) - 1)],
        "color": FRAME,
        "margin": "10",
        "tooltip": graphviz.escape(frame.label),
    }
