"""Graphs that are too large to be drawn one by one."""

from __future__ import annotations

import tracemalloc
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import demograd as dg
from demograd.viz import graph
from demograd.viz._fold import fold
from demograd.viz._record import read as read_record


def leaf(value=1.0, name=None):
    return dg.Tensor(value, requires_grad=True, name=name)


def chain(length):
    y, start = leaf(0.5, "x"), leaf(0.25, "x0")
    for _ in range(length // 2):
        y = y * 0.5 + start
    return y


def folded(*args, **settings_):
    """The drawing, without its warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return graph(*args, **settings_)


def test_a_graph_within_the_limit_is_not_folded(read):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawing = graph(chain(40), max_nodes=40)
    assert drawing.note == ""
    assert len(read(drawing).of_kind("operation")) == 40


def test_a_chain_folds_into_one_shape_that_says_how_many(read):
    drawn = read(folded(chain(20_000)))
    assert drawn.of_kind("fold") == [["Mul, Add × 9,997", "19,994 operations"]]
    assert drawn.of_kind("operation") == [["Add"]] * 3 + [["Mul"]] * 3
    assert drawn.of_kind("leaf") == [["x", "()  float32"], ["x0", "()  float32"]]
    # The shared leaf leads into the folded part once.
    (key,) = [key for key, kind in drawn.kinds.items() if kind == "fold"]
    assert len(drawn.sources(key)) == 2


def test_folding_is_said_in_the_picture_and_in_a_warning_of_one_line(read):
    text = "19,994 of 20,000 operations folded (max_nodes=200)"
    with pytest.warns(UserWarning, match="^graph: ") as record:
        drawing = graph(chain(20_000))
    assert [str(warning.message) for warning in record] == [f"graph: {text}"]
    assert record[0].filename == __file__
    assert drawing.note == text
    assert read(drawing).captions == [text]
    assert text in drawing.source


def test_folding_takes_little_memory_for_an_operation():
    """A million take some 200 MB: integers, and no object of their own. This is a tenth."""
    length = 100_000

    class Node:
        __slots__ = ("time",)
        output_shapes = ((),)
        output_dtypes = (np.dtype("float32"),)
        nbytes_saved = 0
        scopes = ()

        def __init__(self, time):
            self.time = time

        @property
        def name(self):
            return ("Mul", "Add")[self.time % 2]

        @property
        def next_functions(self):
            return (nodes[self.time - 1], None) if self.time else (start,)

    start = leaf(1.0, "x")
    nodes = [Node(time) for time in range(length)]

    class Result(dg.Tensor):
        grad_fn = nodes[-1]
        requires_grad = True

    result = Result.__new__(Result)
    tracemalloc.start()
    try:
        record = read_record([("output", result)])
        units, unit_of = fold(record, 200)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(record.nodes) == len(unit_of) == length
    assert sorted(unit.size for unit in units)[-1] > length - 10
    assert len(units) < 10
    assert peak < 300 * length


def test_calls_of_one_module_fold_into_one_shape(read, toy):
    cell, state = toy.Cell(3), dg.zeros(2, 3)
    for _ in range(300):
        state = cell(dg.ones(2, 3), state)
    drawn = read(folded((state * state).sum(), model=cell, max_nodes=100))
    assert drawn.of_kind("fold") == [["Cell × 298", "1,490 operations"]]
    assert [label for label, _ in drawn.frames].count("Cell") == 2
    assert drawn.of_kind("parameter") == [
        ["step.bias", "(3,)  float32"],
        ["step.weight", "(3, 3)  float32"],
    ]


def test_inner_modules_close_before_outer_ones(read, toy):
    model = toy.Sequential(toy.Residual(2), toy.Linear(2, 2), toy.Residual(2))
    out = model(dg.ones(1, 2))
    assert len(read(graph(out)).of_kind("operation")) == 13
    drawn = read(folded(out, model=model, max_nodes=8))
    assert (
        drawn.of_kind("call")
        == [["inner: Sequential", "4 operations", "2 parameters (6 numbers)"]] * 2
    )
    assert sorted(label for label, _ in drawn.frames) == [
        "0: Residual", "1: Linear", "2: Residual", "Sequential",
    ]  # fmt: skip
    drawn = read(folded(out, model=model, max_nodes=6))
    assert drawn.of_kind("call") == [
        ["0: Residual", "5 operations", "2 parameters (6 numbers)"],
        ["1: Linear", "3 operations", "2 parameters (6 numbers)"],
        ["2: Residual", "5 operations", "2 parameters (6 numbers)"],
    ]
    drawn = read(folded(out, model=model, max_nodes=1))
    assert drawn.of_kind("call") == [["Sequential", "13 operations", "6 parameters (18 numbers)"]]


def test_what_does_not_repeat_is_cut_into_blocks(read):
    # The sequence of Thue and Morse has no part three times in a row.
    numbers = np.array([i.bit_count() % 2 for i in range(1000)])
    y = leaf(1.0, "x")
    for number in numbers:
        y = y * 1.0 if number else -y
    drawn = read(folded(y, max_nodes=4))
    blocks = drawn.of_kind("fold")
    assert [texts[0] for texts in blocks] == ["250 operations"] * 4
    negative = np.count_nonzero(numbers[:250] == 0)
    first = next(texts for texts in blocks if texts[1].count(f"Neg × {negative}"))
    assert set(first[1].split(", ")) == {f"Neg × {negative}", f"Mul × {250 - negative}"}


def test_leaves_of_a_folded_part_are_counted_in_it(read):
    total = leaf(0.0, "first")
    for _ in range(10_000):
        total = total + leaf()
    drawing = folded(total)
    drawn = read(drawing)
    assert drawn.of_kind("fold") == [["Add × 9,997", "9,997 leaf tensors"]]
    assert drawing.note == (
        "9,997 of 10,000 operations and 9,997 of 10,001 leaf tensors folded (max_nodes=200)"
    )


def test_ten_thousand_operands_of_one_operation_share_a_box(read, toy):
    drawn = read(folded(toy.SumOfAll.apply(*[leaf() for _ in range(10_000)])))
    assert drawn.of_kind("many") == [["10,000 leaf tensors"]]
    assert drawn.sources(drawn.named("SumOfAll")) == [drawn.named("10,000 leaf tensors")]


def test_what_leaves_a_folded_part_shares_a_box(read, toy):
    x = leaf([1.0, 2.0], "x")
    drawn = read(folded(toy.SumOfAll.apply(*[x * 2.0 for _ in range(500)])))
    assert drawn.of_kind("fold") == [["Mul × 498"]]
    assert drawn.of_kind("many") == [["498 tensors", "(2,)  float32"]]


def test_a_result_inside_a_folded_part_is_still_drawn(read):
    x = leaf(1.0, "x")
    y = middle = x
    for number in range(1_000):
        y = y * 0.5 + x
        if number == 500:
            middle = y
    drawn = read(folded({"middle": middle, "end": y}, max_nodes=10))
    assert drawn.of_kind("output") == [["end", "()  float32"], ["middle", "()  float32"]]
    end = drawn.named("end")
    assert drawn.sources(end) != []


@st.composite
def graphs(draw):
    """A random graph with random calls of modules around parts of it, and a limit."""
    from demograd.autograd import record_call, start_call

    values = [leaf() for _ in range(draw(st.integers(1, 5)))]
    open_calls = []
    for _ in range(draw(st.integers(1, 60))):
        action = draw(st.integers(0, 5))
        if action == 0:
            open_calls.append(start_call())
        elif action == 1 and open_calls:
            record_call(values[-1], open_calls.pop(), f"{len(open_calls)}: Part")
        else:
            i, j = (draw(st.integers(0, len(values) - 1)) for _ in range(2))
            values.append(values[i] * values[j] if draw(st.booleans()) else values[i] + values[j])
    results = draw(st.lists(st.sampled_from(values), min_size=1, max_size=3, unique_by=id))
    return {str(i): x for i, x in enumerate(results)}, draw(st.integers(1, 40))


@given(graphs())
@settings(max_examples=60, deadline=None)
def test_any_graph_folds_within_the_limit_and_without_a_cycle(read, drawn_graph):
    results, limit = drawn_graph
    record = read_record(list(results.items()))
    units, unit_of = fold(record, limit)
    assert len(units) <= limit
    assert sorted(set(unit_of.tolist())) == list(range(len(units)))
    assert sum(unit.size for unit in units) == len(record.nodes)
    assert all(
        unit.size == int(np.count_nonzero(unit_of == number)) for number, unit in enumerate(units)
    )
    drawn = read(folded(results, max_nodes=limit))
    known = set(drawn.kinds)
    assert all(tail in known and head in known for tail, head in drawn.arrows)
    assert len(drawn.of_kind("output")) + len(drawn.of_kind("leaf")) >= len(results)
    # Without a cycle, taking away what nothing leads to leaves nothing in the end.
    left, arrows = set(known), set(drawn.arrows)
    while left:
        ready = left - {head for _, head in arrows}
        assert ready
        left -= ready
        arrows = {(tail, head) for tail, head in arrows if tail in left}
