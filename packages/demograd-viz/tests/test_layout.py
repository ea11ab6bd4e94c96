"""The simple layout: what it promises of any picture."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import demograd as dg
from demograd.viz import graph

DIRECTIONS = {"TB": (1, 1), "BT": (1, -1), "LR": (0, 1), "RL": (0, -1)}


@pytest.fixture(scope="module")
def loss(toy):
    model = toy.Sequential(toy.Linear(2, 2), toy.Residual(2), toy.Activation())
    return (model(dg.ones(4, 2)) ** 2).mean()


def overlap(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def inside(a, b):
    return b[0] <= a[0] and b[1] <= a[1] and a[2] <= b[2] and a[3] <= b[3]


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_shapes_do_not_overlap_and_frames_nest_or_stand_apart(read, loss, direction):
    drawn = read(graph(loss, direction=direction))
    for a, b in itertools.combinations(drawn.boxes.values(), 2):
        assert not overlap(a, b)
    frames = [box for _, box in drawn.frames]
    for a, b in itertools.combinations(frames, 2):
        assert not overlap(a, b) or inside(a, b) or inside(b, a)
    for box in drawn.boxes.values():
        assert all(inside(box, frame) or not overlap(box, frame) for frame in frames)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_arrows_lead_from_edge_to_edge_in_the_direction_of_the_data(read, loss, direction):
    axis, sign = DIRECTIONS[direction]
    drawn = read(graph(loss, direction=direction, constants=False))
    for (tail, head), start, end in zip(drawn.arrows, drawn.starts, drawn.ends, strict=True):
        # The far edge of the tail, and the near edge of the head.
        leaving = drawn.boxes[tail][axis + (2 if sign > 0 else 0)]
        arriving = drawn.boxes[head][axis + (0 if sign > 0 else 2)]
        assert start[axis] == pytest.approx(leaving, abs=0.02)
        assert end[axis] == pytest.approx(arriving, abs=0.02)
        assert sign * (end[axis] - start[axis]) > 0


def test_two_arrows_into_one_shape_end_apart(read):
    x = dg.tensor(1.0, requires_grad=True)
    drawn = read(graph(x * x))
    first, second = (
        end for arrow, end in zip(drawn.arrows, drawn.ends, strict=True) if arrow[0] == "leaf0"
    )
    assert abs(first[0] - second[0]) > 5


def test_operands_of_a_chain_stand_in_one_column(read):
    y = dg.tensor(1.0, requires_grad=True)
    for _ in range(5):
        y = y * 1.0
    drawn = read(graph(y, constants=False))
    centres = {round((box[0] + box[2]) / 2, 1) for box in drawn.boxes.values()}
    assert len(centres) == 1


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=1, max_size=40))
@settings(max_examples=25, deadline=None)
def test_any_graph_is_laid_out_without_overlap(read, pairs):
    values = [dg.tensor(1.0, requires_grad=True)]
    for i, j in pairs:
        values.append(values[max(0, len(values) - 1 - i)] + values[max(0, len(values) - 1 - j)])
    drawn = read(graph(values[-1]))
    for a, b in itertools.combinations(drawn.boxes.values(), 2):
        assert not overlap(a, b)
    for start, end in zip(drawn.starts, drawn.ends, strict=True):
        assert end[1] > start[1]


def test_hundreds_of_leaves_with_far_uses_are_laid_out_in_bounded_time(read):
    leaves = [dg.tensor(1.0, requires_grad=True) for _ in range(150)]
    y = leaves[0]
    for x in [*leaves, *leaves]:
        y = y * x
    drawn = read(graph(y, max_nodes=300))
    assert len(drawn.kinds) == 300 + 300 + 150


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_a_frame_has_room_for_its_label(read, loss, direction):
    drawn = read(graph(loss, direction=direction))
    for _, frame in drawn.frames:
        contents = [box for box in drawn.boxes.values() if inside(box, frame)]
        assert min(box[1] for box in contents) >= frame[1] + 16


def test_operands_stand_in_their_order_and_arrows_do_not_cross(read):
    x, y = (dg.Tensor(1.0, requires_grad=True, name=name) for name in "xy")
    u, v = -x, -y
    drawn = read(graph(v - u))
    middle = {key: (box[0] + box[2]) / 2 for key, box in drawn.boxes.items()}
    assert middle[drawn.named("y")] < middle[drawn.named("x")]
    for (a, b), (c, d) in itertools.combinations(drawn.arrows, 2):
        if drawn.boxes[a][1] == drawn.boxes[c][1]:
            assert (middle[a] - middle[c]) * (middle[b] - middle[d]) >= 0
