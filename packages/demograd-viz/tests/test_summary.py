"""The table of a model's layers."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import demograd as dg
from demograd.errors import ArgumentError, ArgumentTypeError
from demograd.viz import summary

MODEL = """\
layer         class        output shape   parameters   trainable
────────────────────────────────────────────────────────────────
model         Sequential   (5, 4)
├─ 0          Linear       (5, 16)               144         144
├─ 1          Residual     (5, 16)
│  └─ inner   Sequential   (5, 16)
│     ├─ 0    Linear       (5, 16)               272          16
│     └─ 1    Activation   (5, 16)
└─ 2          Linear       (5, 4)                 68          68

parameters  484 (trainable 228, frozen 256)
memory      inputs <0.001 MB, outputs 0.00104 MB, parameters 0.00194 MB, total 0.00314 MB"""

SHALLOW = """\
layer   class        output shape   parameters   trainable
──────────────────────────────────────────────────────────
model   Sequential
├─ 0    Linear                             144         144
├─ 1    Residual                           272          16
└─ 2    Linear                              68          68

parameters  484 (trainable 228, frozen 256)
memory      inputs 0 MB, outputs 0 MB, parameters 0.00194 MB, total 0.00194 MB"""


@pytest.fixture
def model(toy):
    model = toy.Sequential(toy.Linear(8, 16), toy.Residual(16), toy.Linear(16, 4))
    dict(model.named_modules())["1.inner.0"].weight.requires_grad = False
    return model


def test_it_lists_layers_shapes_parameters_and_memory(model):
    assert str(summary(model, dg.ones(5, 8))) == MODEL
    assert repr(summary(model, dg.ones(5, 8))) == MODEL


def test_without_inputs_nothing_is_run(model):
    model.forward = None
    assert str(summary(model, depth=1)) == SHALLOW


def test_the_numbers_are_attributes(model):
    found = summary(model, dg.ones(5, 8))
    assert (found.parameters, found.trainable, found.frozen) == (484, 228, 256)
    assert found.input_bytes == 5 * 8 * 4
    assert found.output_bytes == 5 * (16 + 16 + 16 + 4) * 4
    assert found.parameter_bytes == 484 * 4
    assert found.total_bytes == found.input_bytes + found.output_bytes + found.parameter_bytes
    assert [row.path for row in found.rows] == ["", "0", "1", "1.inner", "1.inner.0",
                                                "1.inner.1", "2"]  # fmt: skip
    assert found.rows[4].trainable == 16
    assert found.rows[4].frozen == 256
    assert found.rows[4].shapes == ((5, 16),)


@pytest.mark.parametrize(
    ("size", "dtype", "shapes", "result"),
    [
        ((5, 8), None, [(5, 8)], "float32"),
        ([5, 8], dg.float64, [(5, 8)], "float64"),
        ([(5, 8), (1, 8)], None, [(5, 8), (1, 8)], "float32"),
        ((2,), dg.int64, [(2,)], "int64"),
        ((), None, [()], "float32"),
    ],
)
def test_inputs_are_made_from_their_sizes(toy, size, dtype, shapes, result):
    class Watch(toy.Module):
        def forward(self, *inputs):
            self.inputs = inputs
            return inputs[0]

    watch = Watch()
    summary(watch, input_size=size, dtype=dtype)
    assert [x.shape for x in watch.inputs] == shapes
    assert {str(x.dtype) for x in watch.inputs} == {result}


def test_the_model_is_left_as_it_was(model, toy):
    parts = dict(model.named_modules())
    parts["1.inner"].training = False
    model(dg.ones(1, 8)).sum().backward()
    trained = [p for p in model.parameters() if p.requires_grad]
    before = [np.array(p.grad.data) for p in trained]
    seen = []
    handle = parts["0"].register_forward_hook(lambda *_: seen.append(parts["0"].training))
    state = dg.default_generator.get_state()
    modes = {path: part.training for path, part in parts.items()}
    summary(model, input_size=(5, 8))
    assert seen == [False]
    assert {path: part.training for path, part in parts.items()} == modes
    assert [len(part.hooks) for part in parts.values()] == [0, 1, 0, 0, 0, 0, 0]
    handle.remove()
    assert dg.default_generator.get_state() == state
    assert all(np.array_equal(p.grad.data, g) for p, g in zip(trained, before, strict=True))
    assert dg.is_grad_enabled()


def test_the_model_is_left_as_it_was_after_an_exception(model):
    parts = dict(model.named_modules())
    parts["1"].training = False
    state = dg.default_generator.get_state()

    def fail(x):
        dg.rand(3)
        raise KeyError("in the middle")

    parts["2"].forward = fail
    with pytest.raises(KeyError, match="in the middle"):
        summary(model, input_size=(5, 8))
    assert [part.training for part in parts.values()] == [True, True, False, True, True, True, True]
    assert all(part.hooks == {} for part in parts.values())
    assert dg.default_generator.get_state() == state
    assert dg.is_grad_enabled()


def test_a_layer_that_is_called_twice_says_so(toy):
    class Twice(toy.Module):
        def __init__(self):
            super().__init__()
            self.layer = toy.Linear(3, 3)

        def forward(self, x):
            return self.layer(self.layer(x))

    found = summary(Twice(), dg.ones(2, 3))
    assert found.rows[1].calls == 2
    assert found.output_bytes == 2 * (2 * 3 * 4)
    assert "(2, 3)  × 2" in str(found)


def test_a_shared_parameter_counts_once(toy):
    model = toy.Sequential(toy.Linear(3, 3), toy.Linear(3, 3))
    parts = dict(model.named_modules())
    parts["1"].weight = parts["0"].weight
    found = summary(model)
    assert found.parameters == 15
    assert [row.trainable for row in found.rows] == [0, 12, 3]


def test_several_outputs_are_all_listed(toy):
    class Many(toy.Module):
        def forward(self, x):
            return {"a": x, "b": (x[0], [x[0, 0], x, "text"])}

    found = summary(Many(), dg.ones(2, 3))
    assert found.rows[0].shapes == ((2, 3), (3,), (), (2, 3))
    assert "(2, 3), (3,), (), … (4)" in str(found)


def test_a_model_by_its_interface_alone_is_one_row(toy):
    class Plain:
        training = True
        weight = dg.ones(3, requires_grad=True)

        def __call__(self, x):
            assert not self.training
            return x * self.weight

        def parameters(self):
            return iter([self.weight])

        def named_parameters(self):
            return [("weight", self.weight)]

        def state_dict(self):
            return {"weight": self.weight}

        def load_state_dict(self, state):
            raise AssertionError

        def train(self, mode=True):
            self.training = mode

        def eval(self):
            self.train(False)

    model = Plain()
    found = summary(model, dg.ones(2, 3))
    (row,) = found.rows
    assert (row.path, row.kind, row.shapes, row.trainable) == ("", "Plain", ((2, 3),), 3)
    assert found.output_bytes == 24
    assert model.training


def test_names_of_layers_are_no_markup(toy):
    model = toy.Module()
    setattr(model, "[red]<b>&", toy.Linear(1, 1))
    found = summary(model)
    file = io.StringIO()
    found.print(file)
    assert "[red]<b>&" in str(found)
    assert "[red]<b>&" in file.getvalue()
    assert "[red]&lt;b&gt;&amp;" in found._repr_html_()


def test_a_notebook_gets_a_table_of_html(model):
    page = summary(model, dg.ones(5, 8))._repr_html_().replace("&nbsp;", " ")
    layers, totals = ET.fromstring(f"<div>{page}</div>").findall("table")
    cells = [["".join(cell.itertext()) for cell in row] for row in layers.iter("tr")]
    assert cells[0] == ["layer", "class", "output shape", "parameters", "trainable"]
    assert cells[5] == ["│     ├─ 0", "Linear", "(5, 16)", "272", "16"]
    assert len(cells) == 8
    assert "".join(totals.itertext()).startswith("parameters484 (trainable 228, frozen 256)memory")


def test_a_deep_model_needs_no_recursion(toy):
    model = inner = toy.Module()
    for _ in range(2_000):
        inner.part = toy.Module()
        inner = inner.part
    assert len(summary(model).rows) == 2_001


@pytest.mark.parametrize(
    ("wrong", "error", "text"),
    [
        (
            lambda model: summary(3),
            ArgumentTypeError,
            "summary: expected a model, not int.\n"
            "A model has what demograd.interfaces.Model names: its methods and training.",
        ),
        (
            lambda model: summary(model, dg.ones(5, 8), input_size=(5, 8)),
            ArgumentError,
            "summary: both inputs and input_size are given.\nLeave one of them out.",
        ),
        (
            lambda model: summary(model, depth=-1),
            ArgumentError,
            "summary: depth is -1.\nUse 0 for the model alone.",
        ),
    ],
)
def test_wrong_arguments_are_refused_in_words(model, wrong, error, text):
    with pytest.raises(error) as e:
        wrong(model)
    assert str(e.value) == text
