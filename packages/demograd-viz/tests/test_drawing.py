"""Writing the picture, with Graphviz's program and without it."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import graphviz
import pytest

import demograd as dg
from demograd.errors import ArgumentError, DemogradError, FileError, MissingPackageError
from demograd.viz import graph

NO_DOT = """\
graph: the program `dot` of Graphviz is not installed, or is not on the PATH.
  Debian, Ubuntu: apt-get install graphviz
  macOS: brew install graphviz
  conda: conda install graphviz
Without it: graph(x).export("graph.svg"), or "graph.html", draws a simpler picture."""

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def drawing(toy):
    model = toy.Sequential(toy.Linear(2, 3), toy.Activation())
    return graph(model(dg.ones(4, 2)).sum(), model=model, name="a small model")


def test_it_is_a_digraph(drawing):
    assert isinstance(drawing, graphviz.Digraph)
    assert drawing.source.startswith('digraph "a small model" {')


@pytest.mark.usefixtures("no_dot")
@pytest.mark.parametrize(
    "write",
    [
        lambda drawing, path: drawing.render(path / "graph", format="png"),
        lambda drawing, path: drawing.view(path / "graph"),
        lambda drawing, path: drawing.pipe("svg"),
        lambda drawing, path: drawing.export(path / "graph.png"),
        lambda drawing, path: drawing.export(path / "graph.pdf"),
    ],
)
def test_without_dot_the_error_names_the_package(drawing, tmp_path, write):
    with pytest.raises(MissingPackageError) as e:
        write(drawing, tmp_path)
    assert str(e.value) == NO_DOT
    assert isinstance(e.value, ImportError)
    assert isinstance(e.value, DemogradError)


@pytest.mark.usefixtures("no_dot")
def test_without_dot_svg_and_html_are_drawn_all_the_same(drawing, tmp_path):
    assert drawing.export(tmp_path / "graph.svg") == tmp_path / "graph.svg"
    assert (tmp_path / "graph.svg").read_text(encoding="utf-8") == drawing.to_svg()
    page = drawing.export(str(tmp_path / "graph.html")).read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "<title>a small model</title>" in page
    assert drawing.to_svg() in page


@pytest.mark.usefixtures("no_dot")
def test_without_dot_a_notebook_shows_the_simple_picture(drawing):
    assert drawing._repr_mimebundle_() == {"image/svg+xml": drawing.to_svg()}
    assert drawing._repr_mimebundle_(include=["text/plain"]) == {}
    assert drawing._repr_mimebundle_(exclude=["image/svg+xml"]) == {}
    assert drawing._repr_image_svg_xml() == drawing.to_svg()


def test_the_own_svg_needs_nothing_from_outside(drawing):
    svg = drawing.to_svg()
    ET.fromstring(svg)
    links = [line for line in svg.replace(">", ">\n").splitlines() if "http" in line]
    assert len(links) == 1
    assert 'xmlns="http://www.w3.org/2000/svg"' in links[0]
    assert "<script" not in svg
    assert "<image" not in svg


@pytest.mark.parametrize("ending", ["dot", "gv", "GV"])
def test_the_source_is_exported_as_it_is(drawing, tmp_path, ending):
    path = drawing.export(tmp_path / f"graph.{ending}")
    assert path.read_text(encoding="utf-8") == drawing.source


@pytest.mark.parametrize("name", ["graph.xyz", "graph"])
def test_an_unknown_ending_is_refused(drawing, tmp_path, name):
    with pytest.raises(ArgumentError) as e:
        drawing.export(tmp_path / name)
    assert str(e.value) == (
        f"export: the ending {(tmp_path / name).suffix!r} names no format of a picture.\n"
        f"  path: {tmp_path / name}\n"
        "Use .svg, .html, .png, .pdf or .dot."
    )


def test_a_folder_that_is_not_there_is_an_error_of_the_file(drawing, tmp_path):
    path = tmp_path / "nowhere" / "graph.dot"
    with pytest.raises(FileError) as e:
        drawing.export(path)
    assert str(e.value) == (
        "export: the picture cannot be written.\n"
        f"  path: {path}\n"
        "  FileNotFoundError: No such file or directory"
    )


def test_a_copy_can_be_changed_by_itself(drawing):
    before = drawing.source
    other = drawing.copy()
    other.node("more")
    with other.subgraph(name="cluster_more") as part:
        part.node("inside")
    assert other.to_svg() == drawing.to_svg()
    assert drawing.source == before
    assert "cluster_more" in other.source


def test_a_program_that_fails_is_replaced_by_the_simple_layout(drawing, monkeypatch, tmp_path):
    program = tmp_path / "dot"
    program.write_text("#!/bin/sh\ncat > /dev/null\nexit 1\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.warns(UserWarning, match="^graph: dot failed, so the simple layout is used: "):
        assert drawing._repr_image_svg_xml() == drawing.to_svg()


# With the program.


@pytest.mark.usefixtures("dot")
@pytest.mark.parametrize(
    ("format_", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")]
)
def test_dot_renders(drawing, tmp_path, format_, start):
    path = drawing.render(tmp_path / "graph", format=format_, cleanup=True)
    assert path == str(tmp_path / f"graph.{format_}")
    assert (tmp_path / f"graph.{format_}").read_bytes().startswith(start)
    exported = drawing.export(tmp_path / f"again.{format_}")
    assert exported.read_bytes().startswith(start)


@pytest.mark.usefixtures("dot")
@pytest.mark.parametrize("direction", ["TB", "LR", "BT", "RL"])
def test_dot_draws_the_same_shapes_and_arrows(read, drawing, direction):
    drawing.attr(rankdir=direction)
    groups = ET.fromstring(drawing.pipe("svg")).iter(f"{SVG}g")
    titles = {"node": [], "edge": [], "cluster": []}
    for group in groups:
        if group.get("class") in titles:
            titles[group.get("class")].append(group.find(f"{SVG}title").text)
    drawn = read(drawing)
    assert sorted(titles["node"]) == sorted(drawn.kinds)
    seen = {f"{tail}->{head}" for tail, head in drawn.arrows}
    assert seen <= set(titles["edge"])
    assert len(titles["cluster"]) == len(drawn.frames)


@pytest.mark.usefixtures("dot")
def test_dot_lets_the_data_flow_downwards(toy):
    """Shared parameters and frames must not turn an arrow around."""
    cell, state = toy.Cell(3), dg.zeros(2, 3)
    for _ in range(4):
        state = cell(dg.ones(2, 3), state)
    lines = graph(state.sum(), model=cell).pipe("plain", encoding="utf-8").splitlines()
    words = [line.split() for line in lines]
    y = {w[1]: float(w[3]) for w in words if w[0] == "node"}
    assert [(w[1], w[2]) for w in words if w[0] == "edge" and y[w[1]] <= y[w[2]]] == []


@pytest.mark.usefixtures("dot")
def test_dot_puts_a_module_below_what_enters_it(toy):
    """Its parameters have nothing above them, and would rise beside the modules before it."""
    model = toy.Sequential(toy.Linear(2, 3), toy.Activation(), toy.Linear(3, 1))
    drawing = graph(model(dg.ones(4, 2)), model=model)
    words = [line.split() for line in drawing.pipe("plain", encoding="utf-8").splitlines()]
    y = {w[1]: float(w[3]) for w in words if w[0] == "node"}
    keys = dict(re.findall(r"^\t+(leaf\d+) \[label=<<B>(.*?)</B>", drawing.source, flags=re.M))
    (tanh,) = re.findall(r"(unit\d+) \[label=<Tanh>", drawing.source)
    second = [y[key] for key, name in keys.items() if name.startswith("2.")]
    assert len(second) == 2
    assert max(second) < y[tanh]


@pytest.mark.usefixtures("dot")
@pytest.mark.parametrize(
    "name", ["<b>", "a&b", 'say "x"', "two\nlines", r"\N \G \n \\", "\x00\ud800", "]]>", "ünï→δ"]
)
def test_dot_shows_names_as_they_are(name):
    x = dg.Tensor(1.0, requires_grad=True, name=name)
    root = ET.fromstring(graph(x * 1.0, name=name).pipe("svg"))
    texts = [text.text.replace("\xa0", " ") for text in root.iter(f"{SVG}text")]
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in name)
    assert texts.count(shown) == 2


@pytest.mark.usefixtures("dot")
def test_with_dot_a_notebook_shows_its_picture(drawing):
    (svg,) = drawing._repr_mimebundle_().values()
    assert "Generated by graphviz" in svg
    assert svg[svg.index("<svg") :] in drawing.to_html()
