"""Under ``dg.debug`` nodes know their modules, and ``dg.explain`` knows a model's parameters."""

import numpy as np
import pytest

import demograd as dg
from demograd import nn
from demograd.autograd._scope import open_calls
from demograd.errors import NonFiniteOperationError

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.proj = nn.Linear(3, 3)

    def forward(self, x):
        return dg.softmax(self.proj(x), -1)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.Sequential(nn.ReLU(), Attention())
        self.unused = nn.Linear(3, 1)

    def forward(self, x):
        return self.blocks(x) * 2


def paths_of(y):
    found, queue = {}, [y.grad_fn]
    for node in queue:
        found.setdefault(node.name, node.module_path)
        queue += [n for n in node.next_functions if n is not None and not isinstance(n, dg.Tensor)]
    return found


def test_a_node_knows_the_path_of_modules_to_it():
    with dg.debug():
        y = Net()(dg.ones(2, 3, requires_grad=True))
    paths = paths_of(y)
    assert paths.pop("Mul") == "Net"
    assert paths.pop("Softmax") == "blocks.1: Attention"
    assert paths.pop("ReLU") == "blocks.0: ReLU"
    assert set(paths.values()) == {"blocks.1.proj: Linear"}


def test_without_debug_no_call_is_kept():
    y = Net()(dg.ones(2, 3, requires_grad=True))
    assert (y.grad_fn.module_path, open_calls()) == ("", ())


def test_after_an_exception_in_a_module_the_next_call_is_right():
    model = Net()
    with dg.debug():
        with pytest.raises(dg.errors.ShapeError):
            model(dg.ones(2, 4))
        y = model(dg.ones(2, 3))
        outside = y * 2
    assert paths_of(y)["Mul"] == "Net"
    assert outside.grad_fn.module_path == ""


def test_a_nan_in_the_middle_of_a_model_is_told_with_the_module_forward_and_backward():
    model = Net()
    with dg.no_grad():
        model.blocks[1].proj.weight.fill_(3e38)
    with dg.debug(), pytest.raises(NonFiniteOperationError) as e:
        model(dg.ones(2, 3))
    assert "\n  in blocks.1.proj: Linear\n" in str(e.value)
    assert e.value.__notes__ == [
        "in proj: Linear", "in 1: Attention", "in blocks: Sequential", "in Net",
    ]  # fmt: skip

    class Root(nn.Module):
        def forward(self, x):
            return dg.sqrt(x)

    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), Root())
    with dg.debug():
        loss = nn.MSELoss()(model(dg.ones(2, 3) * -100), dg.ones(2, 3))
        with pytest.raises(NonFiniteOperationError) as e:
            loss.backward()
    text = str(e.value)
    assert "\n  in 2: Root\n" in text
    assert ", in MSELoss\n" in text.split("from the loss to here:")[1]


def test_a_table_of_parameters_names_the_unused_and_the_frozen():
    model = Net()
    model.blocks[1].proj.bias.requires_grad_(False)
    loss = model(dg.ones(2, 3))[0, 0]
    explanation = dg.explain(model, loss)
    assert {each.name: each.verdict for each in explanation} == {
        "blocks.1.proj.weight": "not yet",
        "blocks.1.proj.bias": "frozen",
        "unused.weight": "not reached",
        "unused.bias": "not reached",
    }
    assert str(explanation).endswith("\nNever used: unused.weight, unused.bias.")
    loss.backward()
    assert dg.explain(model, loss)["blocks.1.proj.weight"].verdict == "ok"


def test_dead_units_behind_a_layer_are_told_by_module():
    model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1))
    with dg.no_grad():
        model[0].bias.copy_(dg.tensor(np.array([-1e3] * 8)))
    with dg.debug():
        loss = model(dg.ones(4, 3)).sum()
        loss.backward()
    explanation = dg.explain(model)
    assert [each.verdict for each in explanation] == ["zero", "zero", "zero", "ok"]
    (fact,) = explanation["0.weight"].facts
    assert fact.startswith(
        "ReLU in 1: ReLU: inactive: its inputs are not positive, at 100 % of its elements; made at"
    )


def test_zero_grad_of_a_model_is_told_with_its_line():
    model = nn.Linear(3, 1)
    with dg.debug():
        model(dg.ones(2, 3)).sum().backward()
        model.zero_grad()
    explanation = dg.explain(model)["weight"]
    assert explanation.verdict == "cleared"
    assert explanation.facts[1].endswith(
        "in test_zero_grad_of_a_model_is_told_with_its_line: model.zero_grad()"
    )


def test_a_parameter_that_was_replaced_is_told_where():
    model = nn.Linear(3, 1)
    old = model.weight
    model.weight = nn.Parameter(dg.ones(1, 3))
    explanation = dg.explain(old, model(dg.ones(2, 3)).sum())
    assert explanation.verdict == "not reached"
    assert explanation.facts[0].startswith("its module has another in its place, since ")
