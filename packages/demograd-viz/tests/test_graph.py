"""What is in the picture of a graph."""

from __future__ import annotations

import re
import sys
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import demograd as dg
from demograd.errors import ArgumentError, ArgumentTypeError, GradientError
from demograd.viz import graph


def leaf(value=1.0, name=None):
    return dg.Tensor(value, requires_grad=True, name=name)


def test_tensors_have_name_shape_and_dtype_and_operations_their_names(read):
    x, y = leaf([[1.0, 2.0]], "x"), leaf([3.0, 4.0], "y")
    drawn = read(graph((x * y).sum()))
    assert drawn.of_kind("leaf") == [["x", "(1, 2)  float32"], ["y", "(2,)  float32"]]
    assert drawn.of_kind("operation") == [["Mul"], ["Sum"]]
    assert drawn.of_kind("tensor") == [["(1, 2)  float32"]]
    assert drawn.of_kind("output") == [["output", "()  float32"]]


def test_arrows_lead_from_operands_in_order_to_results(read):
    x, y = leaf(1.0, "x"), leaf(2.0, "y")
    drawn = read(graph(y - x))
    sub = drawn.named("Sub")
    assert drawn.sources(sub) == [drawn.named("y"), drawn.named("x")]
    assert drawn.sources(drawn.named("output")) == [sub]


def test_tensors_are_boxes_and_operations_ellipses_in_the_source():
    source = graph(leaf(1.0, "x") * leaf(2.0, "y")).source
    shapes = dict(re.findall(r"^\t(\w+) \[label=.* shape=(\w+)", source, flags=re.MULTILINE))
    assert shapes == {"leaf0": "box", "leaf1": "box", "tensor0": "box", "unit0": "ellipse"}


def test_a_tensor_used_twice_has_two_arrows(read):
    x = leaf(3.0, "x")
    drawn = read(graph(x * x))
    assert drawn.sources(drawn.named("Mul")) == [drawn.named("x")] * 2
    assert len(drawn.of_kind("leaf")) == 1


def test_a_shared_result_is_drawn_once(read):
    x = leaf(3.0)
    y = x * x
    drawn = read(graph(y + y * y))
    assert len(drawn.of_kind("tensor")) == 2
    assert len(drawn.of_kind("operation")) == 3


def test_several_outputs_of_an_operation_share_a_box_that_lists_them(read, toy):
    first, second = toy.Halves.apply(leaf([1.0, 2.0, 3.0]))
    drawn = read(graph(first.sum() + second.sum()))
    assert drawn.of_kind("tensor")[0] == ["()  float32"]
    box = drawn.named("(1,)  float32")
    assert drawn.texts[box] == ["(1,)  float32", "(2,)  float64"]
    assert len([arrow for arrow in drawn.arrows if arrow[0] == box]) == 2


def test_several_results_are_drawn_in_one_picture_with_their_names(read):
    x = leaf(2.0, "x")
    y = x * x
    drawn = read(graph({"square": y, "cube": y * x}))
    assert drawn.of_kind("output") == [["cube", "()  float32"], ["square", "()  float32"]]


@pytest.mark.parametrize("kind", [list, tuple, iter])
def test_results_in_a_sequence_are_numbered_where_they_have_no_name(read, kind):
    x = leaf(2.0, "x")
    y = x * 2
    y.name = "twice"
    drawn = read(graph(kind([y, x + 1])))
    assert [texts[0] for texts in drawn.of_kind("output")] == ["output 1", "twice"]


def test_one_tensor_under_two_names_has_both(read):
    y = leaf(2.0) * 2
    assert read(graph({"a": y, "b": y})).of_kind("output") == [["a, b", "()  float32"]]


def test_a_leaf_alone_is_a_picture(read):
    drawn = read(graph(leaf([1.0, 2.0], "x")))
    assert drawn.of_kind("leaf") == [["x", "(2,)  float32"]]
    assert drawn.arrows == []


@pytest.mark.parametrize(("constants", "count"), [(True, 1), (False, 0)])
def test_operands_without_a_gradient_are_shown_if_wanted(read, constants, count):
    drawn = read(graph(leaf(2.0) ** 2, constants=constants))
    assert drawn.of_kind("constant") == [["constant"]] * count


@pytest.mark.parametrize("kind", [dict, list])
def test_parameters_are_marked_and_named(read, kind):
    w, x = leaf([1.0], "x's own name"), leaf([2.0], "x")
    drawn = read(graph(w * x, params=kind({"weight": w}.items())))
    assert drawn.of_kind("parameter") == [["weight", "(1,)  float32"]]
    assert drawn.of_kind("leaf") == [["x", "(1,)  float32"]]


def test_parameters_of_a_model_have_its_names(read, toy):
    model = toy.Sequential(toy.Linear(2, 3), toy.Activation(), toy.Linear(3, 1))
    drawn = read(graph(model(dg.ones(4, 2)), model=model))
    assert drawn.of_kind("parameter") == [
        ["0.bias", "(3,)  float32"],
        ["0.weight", "(3, 2)  float32"],
        ["2.bias", "(1,)  float32"],
        ["2.weight", "(1, 3)  float32"],
    ]


def test_parameters_are_known_without_the_model(read, toy):
    drawn = read(graph(toy.Linear(2, 3)(dg.ones(4, 2))))
    assert drawn.of_kind("parameter") == [["(3, 2)  float32"], ["(3,)  float32"]]


def test_what_a_module_did_stands_in_its_frame(read, toy):
    model = toy.Sequential(toy.Linear(2, 2), toy.Residual(2))
    drawn = read(graph(model(dg.ones(4, 2)).sum(), model=model))
    inside = ["Sequential", "1: Residual", "inner: Sequential", "0: Linear"]
    assert drawn.frames_around(drawn.named("1.inner.0.weight")) == inside
    assert drawn.frames_around(drawn.named("Tanh")) == [*inside[:3], "1: Activation"]
    assert drawn.frames_around(drawn.named("0.weight")) == ["Sequential", "0: Linear"]
    assert drawn.frames_around(drawn.named("Sum")) == []
    assert len(drawn.frames) == 6


def test_frames_are_nested_in_the_source_as_calls_are(toy):
    model = toy.Sequential(toy.Residual(2))
    source = graph(model(dg.ones(4, 2))).source
    path, nested = [], {}
    for line in source.splitlines():
        if "subgraph cluster" in line:
            path.append("")
        elif path and line.strip().startswith("graph ["):
            path[-1] = re.search(r"<B>(.*?)</B>", line).group(1)
            nested[path[-1]] = path[:-1]
        elif line.strip() == "}" and path:
            path.pop()
    assert nested == {
        "Sequential": [],
        "0: Residual": ["Sequential"],
        "inner: Sequential": ["Sequential", "0: Residual"],
        "0: Linear": ["Sequential", "0: Residual", "inner: Sequential"],
        "1: Activation": ["Sequential", "0: Residual", "inner: Sequential"],
    }


def test_what_flows_between_modules_stands_between_their_frames(read, toy):
    model = toy.Sequential(toy.Linear(2, 5), toy.Activation())
    drawn = read(graph(model(dg.ones(4, 2))))
    (box,) = [tail for tail, head in drawn.arrows if head == drawn.named("Tanh")]
    assert drawn.frames_around(box) == ["Sequential"]
    assert drawn.frames_around(drawn.named("output")) == []


def test_a_parameter_of_two_modules_is_drawn_once_around_both(read, toy):
    model = toy.Sequential(toy.Linear(2, 2), toy.Linear(2, 2))
    parts = dict(model.named_modules())
    parts["1"].weight = parts["0"].weight
    drawn = read(graph(model(dg.ones(4, 2)), model=model))
    key = drawn.named("0.weight")
    assert drawn.frames_around(key) == ["Sequential"]
    assert [tail for tail, _ in drawn.arrows].count(key) == 2
    assert len(drawn.of_kind("parameter")) == 3


def test_a_module_called_twice_has_two_frames(read, toy):
    layer = toy.Linear(2, 2)
    drawn = read(graph(layer(layer(dg.ones(1, 2)))))
    assert [label for label, _ in drawn.frames] == ["Linear", "Linear"]
    assert len(drawn.of_kind("parameter")) == 2


def test_two_outputs_of_a_call_stand_in_one_frame(read, toy):
    class Both(toy.Module):
        def forward(self, x):
            return x * 2, {"more": x + 1}

    first, second = Both()(leaf(1.0, "x"))
    drawn = read(graph(first * second["more"]))
    assert [label for label, _ in drawn.frames] == ["Both"]
    assert drawn.frames_around(drawn.named("Add")) == ["Both"]


def test_what_a_module_did_beside_its_output_stands_in_its_frame(read, toy):
    """Such as a penalty that it leaves in an attribute."""

    class Penalized(toy.Module):
        def __init__(self):
            super().__init__()
            self.layer = toy.Linear(2, 2)

        def forward(self, x):
            out = self.layer(x)
            self.penalty = (-out).sum()
            return toy.Tanh.apply(out)

    module = Penalized()
    drawn = read(graph(module(dg.ones(1, 2)).mean() + module.penalty))
    assert drawn.frames_around(drawn.named("Tanh")) == ["Penalized"]
    assert drawn.frames_around(drawn.named("Neg")) == ["Penalized"]
    assert drawn.frames_around(drawn.named("Mean")) == []


def test_calls_in_several_threads_are_told_apart(read, toy):
    x, turns = leaf(1.0, "x"), [threading.Event() for _ in range(4)]
    results = {}

    class First(toy.Module):
        def forward(self, x):
            out = x * 2.0
            turns[0].set()
            turns[1].wait(10)
            return -out

    class Second(toy.Module):
        def forward(self, x):
            turns[0].wait(10)
            out = x + 1.0
            turns[1].set()
            turns[2].wait(10)
            return toy.Tanh.apply(out)

    def run(module, done):
        results[type(module)] = module(x)
        turns[done].set()

    threads = [
        threading.Thread(target=run, args=(First(), 2)),
        threading.Thread(target=run, args=(Second(), 3)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    drawn = read(graph(results[First] - results[Second]))
    frames = {name: drawn.frames_around(drawn.named(name))
              for name in ("Mul", "Neg", "Add", "Tanh", "Sub")}  # fmt: skip
    assert frames == {
        "Mul": ["First"], "Neg": ["First"], "Add": ["Second"], "Tanh": ["Second"], "Sub": [],
    }  # fmt: skip


def test_the_source_and_the_own_svg_hold_the_same(read, toy):
    model = toy.Sequential(toy.Linear(2, 2), toy.Residual(2))
    drawing = graph(model(dg.ones(4, 2)).sum(), model=model)
    source, drawn = drawing.source, read(drawing)
    nodes = re.findall(r"^\t+(\w+) \[label=", source, flags=re.MULTILINE)
    arrows = re.findall(r"^\t(\w+) -> (\w+) \[weight=", source, flags=re.MULTILINE)
    assert sorted(nodes) == sorted(drawn.kinds)
    assert arrows == drawn.arrows


def test_the_title_is_in_the_picture(read):
    drawing = graph(leaf(1.0) * 2, name="a <title> & more")
    assert read(drawing).captions == ["a <title> & more"]
    assert "a &lt;title&gt; &amp; more" in drawing.source
    assert drawing.filename == "a_title_more.gv"


NAMES = [
    "<b>", "a&b", 'say "x"', "it's", "two\nlines", r"\N \G \n", "\x00\x1b[0m", "\ud800", "ünï→δ",
    "", " ", "<<a>>", "--><!--", "%s{0}", "]]>",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_from_outside_are_text_and_nothing_else(read, toy, name):
    class Named(toy.Module):
        def forward(self, x):
            return x * 2

    module = Named()
    module.label = name
    drawing = graph({name: module(leaf(1.0, name))}, name=name)
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in name)
    drawn = read(drawing)
    assert drawn.texts["tensor0"] == [*([shown] if name else []), "()  float32"]
    assert drawn.frames[0][0] == shown
    assert drawn.captions == ([shown] if name else [])


@given(st.text(max_size=80))
@settings(max_examples=25, deadline=None)
def test_any_name_gives_valid_xml_and_a_source_of_one_line_a_shape(read, name):
    drawing = graph({name: leaf(1.0, name) * 2}, name=name)
    assert len(read(drawing).kinds) == 4
    assert len(re.findall(r"^\t\w+\d \[label=", drawing.source, flags=re.MULTILINE)) == 4


def test_a_long_name_loses_its_middle(read):
    drawn = read(graph(leaf(1.0, "a" * 40 + "b" * 40)))
    assert drawn.texts["leaf0"][0] == "a" * 24 + "…" + "b" * 23


def test_a_long_chain_needs_no_recursion(read):
    depth = 0
    frame = sys._getframe()
    while frame:
        depth, frame = depth + 1, frame.f_back
    y = leaf(1.0)
    for _ in range(5_000):
        y = y * 1.0
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(depth + 80)
    try:
        drawing = graph(y, max_nodes=5_000)
        svg = drawing.to_svg()
    finally:
        sys.setrecursionlimit(limit)
    assert svg.count('class="operation"') == 5_000
    assert drawing.source.count("->") == 15_000


NO_GRAPH = """\
graph: nothing was recorded for this tensor.
  output: shape (2,), dtype float32, requires_grad=False
Compute it from a tensor with requires_grad=True, outside no_grad."""
NO_TENSOR = """\
graph: expected a Tensor, not int.
graph(loss), or several: graph([a, b]), graph({'a': a, 'b': b})."""


@pytest.mark.parametrize(
    ("arguments", "settings_", "error", "text"),
    [
        (lambda: dg.ones(2), {}, GradientError, NO_GRAPH),
        (lambda: 7, {}, ArgumentTypeError, NO_TENSOR),
        (lambda: [leaf(), 7], {}, ArgumentTypeError, NO_TENSOR),
        (lambda: "x", {}, ArgumentTypeError, NO_TENSOR.replace("int", "str")),
        (list, {}, ArgumentError, "graph: there is no tensor to draw."),
        (
            leaf,
            {"direction": "up"},
            ArgumentError,
            "graph: direction is 'up'.\nUse one of TB, LR, BT, RL.",
        ),
        (leaf, {"max_nodes": 0}, ArgumentError, "graph: max_nodes is 0.\nUse at least 1."),
    ],
)
def test_wrong_arguments_are_refused_in_words(arguments, settings_, error, text):
    with pytest.raises(error) as e:
        graph(arguments(), **settings_)
    assert str(e.value) == text
