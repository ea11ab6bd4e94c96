"""The picture of a graph as a self-contained SVG document, placed by ``_layout.py``."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET
from collections.abc import Sequence

from demograd.viz._layout import LABEL, PAD, Box, lay_out
from demograd.viz._picture import Frame, Line, Picture, Shape
from demograd.viz._style import CLUSTER, FONT, FRAME, INK, MUTED, SHAPES

__all__ = ["write"]

_SIZES = {"strong": 11.0, "plain": 11.0, "faint": 9.0, "title": 14.0, "label": 10.0}
_LINE = 15.0  # the height of a line of text
_MARGIN = 16.0
_BLANK_KEEPING = "{http://www.w3.org/XML/1998/namespace}space"


def write(picture: Picture, direction: str) -> str:
    """The picture as an SVG document; ``direction`` is TB, LR, BT or RL."""
    sizes = {key: _size(shape) for key, shape in picture.shapes.items()}
    labels = {k: _text_width(((f.label, "label"),)) for k, f in picture.frames.items()}
    layout = lay_out(picture, sizes, labels, direction)
    head = 28.0 if picture.title else 0.0
    foot = 20.0 if picture.note else 0.0
    needed = [_text_width(((picture.title, "title"),)), _text_width(((picture.note, "faint"),))]
    width = max(layout.width, *needed) + 2 * _MARGIN
    height = layout.height + 2 * _MARGIN + head + foot
    svg = ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "width": _number(width),
            "height": _number(height),
            "viewBox": f"0 0 {_number(width)} {_number(height)}",
            "font-family": FONT,
            "fill": INK,
        },
    )
    ET.SubElement(svg, "title").text = picture.title or "computational graph"
    marker = ET.SubElement(
        ET.SubElement(svg, "defs"),
        "marker",
        {
            "id": "demograd-arrow",
            "viewBox": "0 0 8 8",
            "refX": "7",
            "refY": "4",
            "markerWidth": "7",
            "markerHeight": "7",
            "orient": "auto",
        },
    )
    ET.SubElement(marker, "path", {"d": "M0,1 L8,4 L0,7 z", "fill": MUTED})
    ET.SubElement(svg, "rect", {"width": "100%", "height": "100%", "fill": "white"})
    if picture.title:
        _write_text(svg, ((picture.title, "title"),), width / 2, _MARGIN + 10)
    if picture.note:
        _write_text(svg, ((picture.note, "faint"),), width / 2, height - _MARGIN)
    moved = f"translate({_number((width - layout.width) / 2)},{_number(_MARGIN + head)})"
    body = ET.SubElement(svg, "g", {"transform": moved})
    frames = sorted(picture.frames.items(), key=lambda f: f[1].depth)
    for number, frame in frames:
        _write_frame(body, frame, layout.boxes[number])
    for arrow, route in zip(picture.arrows, layout.routes, strict=True):
        _write_arrow(body, arrow, route, layout.sideways)
    for number, frame in frames:
        _write_label(body, frame, layout.boxes[number])
    for key, shape in picture.shapes.items():
        _write_shape(body, shape, layout.boxes[key])
    return ET.tostring(svg, encoding="unicode")


def _write_frame(parent: ET.Element, frame: Frame, box: Box) -> None:
    group = ET.SubElement(parent, "g", {"class": "frame"})
    ET.SubElement(group, "title").text = frame.label
    outline = {"rx": "9", "fill": _frame_fill(frame), "stroke": FRAME}
    ET.SubElement(group, "rect", {**_rectangle(box), **outline})


def _write_label(parent: ET.Element, frame: Frame, box: Box) -> None:
    left, top = box.x - box.width / 2, box.y - box.height / 2
    text = _write_text(parent, ((frame.label, "label"),), left + PAD, top + LABEL, anchor="start")
    # A rim in the frame's colour keeps it legible where an arrow passes behind.
    rim = {"stroke": _frame_fill(frame), "stroke-width": "4", "paint-order": "stroke"}
    text.attrib.update({"class": "label", "stroke-linejoin": "round", **rim})


def _frame_fill(frame: Frame) -> str:
    return CLUSTER[min(frame.depth, len(CLUSTER) - 1)]


def _write_arrow(
    parent: ET.Element, arrow: tuple[str, str], route: Sequence[tuple[float, float]], sideways: bool
) -> None:
    """A curve that leaves and arrives in the direction in which the data flow."""
    path = [f"M{_point(*route[0])}"]
    for (x, y), (to_x, to_y) in itertools.pairwise(route):
        if sideways:
            first, second = ((x + to_x) / 2, y), ((x + to_x) / 2, to_y)
        else:
            first, second = (x, (y + to_y) / 2), (to_x, (y + to_y) / 2)
        path.append(f"C{_point(*first)} {_point(*second)} {_point(to_x, to_y)}")
    ends = {"class": "arrow", "data-from": arrow[0], "data-to": arrow[1], "d": " ".join(path)}
    look = {"fill": "none", "stroke": MUTED, "marker-end": "url(#demograd-arrow)"}
    ET.SubElement(parent, "path", {**ends, **look})


def _write_shape(parent: ET.Element, shape: Shape, box: Box) -> None:
    look = SHAPES[shape.kind]
    group = ET.SubElement(parent, "g", {"class": shape.kind, "id": shape.key})
    ET.SubElement(group, "title").text = shape.hint or shape.kind
    outline = {"fill": look.fill, "stroke": look.line, "stroke-width": _number(look.width)}
    for inset in (0.0, 3.0) if look.double else (0.0,):
        inner = Box(box.width - 2 * inset, box.height - 2 * inset, box.x, box.y)
        if look.round:
            place = {"cx": box.x, "cy": box.y, "rx": inner.width / 2, "ry": inner.height / 2}
            numbers = {name: _number(value) for name, value in place.items()}
            ET.SubElement(group, "ellipse", {**numbers, **outline})
        else:
            ET.SubElement(group, "rect", {**_rectangle(inner), "rx": "6", **outline})
    y = box.y - _LINE * (len(shape.lines) - 1) / 2 + 4
    for line in shape.lines:
        _write_text(group, line, box.x, y)
        y += _LINE


def _write_text(
    parent: ET.Element, line: Line, x: float, y: float, anchor: str = "middle"
) -> ET.Element:
    text = ET.SubElement(parent, "text", {"x": _number(x), "y": _number(y), "text-anchor": anchor})
    text.set(_BLANK_KEEPING, "preserve")
    for part, weight in line:
        style = {"font-size": _number(_SIZES[weight])}
        if weight in ("strong", "label"):
            style["font-weight"] = "bold"
        if weight in ("faint", "label"):
            style["fill"] = MUTED
        ET.SubElement(text, "tspan", style).text = part
    return text


def _size(shape: Shape) -> tuple[float, float]:
    width = max(map(_text_width, shape.lines), default=0.0)
    height = _LINE * max(len(shape.lines), 1)
    look = SHAPES[shape.kind]
    if look.line == "none":
        return width, height
    if look.round:
        # An ellipse around a rectangle is wider, and with few lines not much higher.
        return 1.2 * width + 26, 1.3 * height + 9
    return width + 20, height + 9 + (4 if look.double else 0)


def _text_width(line: Line) -> float:
    """About how wide a line is in Helvetica; rather too wide than too narrow."""
    width = 0.0
    for text, weight in line:
        size = _SIZES[weight] * (1.08 if weight in ("strong", "label") else 1.0)
        for c in text:
            narrow, wide = c in " .,:;|!'()[]ijlt", c in "mwMW@%×…" or ord(c) > 0x2E80
            width += size * (0.34 if narrow else 0.95 if wide else 0.68 if c.isupper() else 0.58)
    return width


def _rectangle(box: Box) -> dict[str, str]:
    return {
        "x": _number(box.x - box.width / 2),
        "y": _number(box.y - box.height / 2),
        "width": _number(box.width),
        "height": _number(box.height),
    }


def _point(x: float, y: float) -> str:
    return f"{_number(x)},{_number(y)}"


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
