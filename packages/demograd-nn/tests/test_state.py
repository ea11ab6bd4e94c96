"""state_dict and load_state_dict."""

import numpy as np
import pytest

import demograd as dg
from demograd import nn
from demograd.errors import ArgumentTypeError, StateError


def model():
    return nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))


def values(module):
    return {name: np.array(x.data) for name, x in module.state_dict().items()}


def test_the_state_has_pytorchs_names_in_its_order():
    assert list(model().state_dict()) == [
        "0.weight",
        "0.bias",
        "1.weight",
        "1.bias",
        "1.running_mean",
        "1.running_var",
        "1.num_batches_tracked",
    ]
    assert list(model()[0].state_dict(prefix="net.")) == ["net.weight", "net.bias"]


def test_the_state_is_detached_and_shares_memory():
    layer = nn.Linear(3, 2)
    state = layer.state_dict()
    assert not state["weight"].requires_grad
    assert state["weight"].data is layer.weight.data
    assert layer.state_dict(keep_vars=True)["weight"] is layer.weight


def test_loading_copies_into_the_same_parameters():
    source, target = model(), model()
    source(dg.randn(5, 3))
    weight, memory = target[0].weight, target[0].weight.data
    result = target.load_state_dict(source.state_dict())
    assert result == ([], [])
    assert repr(result) == "<All keys matched successfully>"
    assert target[0].weight is weight
    assert target[0].weight.data is memory
    assert target[0].weight.requires_grad
    assert target[1].num_batches_tracked.item() == 1
    x = dg.randn(4, 3)
    assert target.eval()(x).tolist() == source.eval()(x).tolist()


def test_arrays_are_loaded_as_well_and_cast_to_the_parameters_type():
    layer = nn.Linear(2, 1)
    layer.load_state_dict({"weight": np.array([[1.0, 2.0]]), "bias": [3]})
    assert (layer.weight.tolist(), layer.bias.tolist()) == ([[1.0, 2.0]], [3.0])
    assert layer.weight.dtype == dg.float32


def test_one_error_lists_all_that_does_not_fit_and_nothing_changes():
    target = model()
    before = values(target)
    state = {name: x + 1 for name, x in before.items()}
    del state["0.bias"], state["1.running_var"]
    state["2.weight"] = state["head"] = dg.ones(1)
    state["0.weight"] = dg.ones(2, 4)
    state["1.weight"] = dg.ones(3)
    with pytest.raises(StateError) as error:
        target.load_state_dict(state)
    assert (
        str(error.value)
        == """\
load_state_dict: the state does not fit this Sequential, which is left as it was.
  missing: 0.bias
  missing: 1.running_var
  unexpected: 2.weight
  unexpected: head
  misshaped: 0.weight, (2, 3) here, (2, 4) in the state
  misshaped: 1.weight, (2,) here, (3,) in the state
Build the model with the sizes that the state was saved from."""
    )
    for name, value in values(target).items():
        np.testing.assert_array_equal(value, before[name])


def test_missing_and_unexpected_names_alone_point_to_strict():
    with pytest.raises(RuntimeError) as error:
        nn.Linear(2, 1).load_state_dict({"weight": dg.ones(1, 2), "scale": dg.ones(1)})
    assert (
        str(error.value)
        == """\
load_state_dict: the state does not fit this Linear, which is left as it was.
  missing: bias
  unexpected: scale
strict=False passes over what is missing or unexpected."""
    )


def test_not_strict_loads_what_fits_and_returns_the_other_names():
    layer = nn.Linear(2, 1)
    state = {"weight": dg.ones(1, 2), "scale": dg.ones(1)}
    result = layer.load_state_dict(state, strict=False)
    assert result.missing_keys == ["bias"]
    assert result.unexpected_keys == ["scale"]
    assert repr(result) == "IncompatibleKeys(missing_keys=['bias'], unexpected_keys=['scale'])"
    assert layer.weight.tolist() == [[1.0, 1.0]]


def test_not_strict_still_refuses_another_shape():
    layer = nn.Linear(2, 1)
    before = layer.bias.tolist()
    with pytest.raises(StateError) as error:
        layer.load_state_dict({"weight": dg.ones(1, 3), "bias": dg.ones(1)}, strict=False)
    assert (
        str(error.value)
        == """\
load_state_dict: the state does not fit this Linear, which is left as it was.
  misshaped: weight, (1, 2) here, (1, 3) in the state
Build the model with the sizes that the state was saved from."""
    )
    assert layer.bias.tolist() == before


class Unreadable:
    """What a tensor of a library on another device does when NumPy asks for its values."""

    def __array__(self, dtype=None, copy=None):
        raise TypeError("the tensor is on another device")


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (
            [("weight", 1)],
            "load_state_dict: the state is a dictionary, not list.\n"
            "model.state_dict() and dg.load(file) give one.",
        ),
        (
            {"weight": "text"},
            "load_state_dict: the value of weight is no array of numbers.\n"
            "  weight: str, dtype <U4\n"
            "Give Tensors or arrays, as model.state_dict() does.",
        ),
        (
            {"weight": Unreadable()},
            "load_state_dict: the value of weight is no array of numbers.\n"
            "  weight: Unreadable, the tensor is on another device\n"
            "Give Tensors or arrays, as model.state_dict() does.",
        ),
    ],
)
def test_what_is_no_state_is_refused(state, text):
    with pytest.raises(ArgumentTypeError) as error:
        nn.Linear(2, 1, bias=False).load_state_dict(state)
    assert str(error.value) == text


def test_a_value_loaded_under_a_recorded_graph_makes_its_backward_refuse():
    layer = nn.Linear(2, 1)
    out = layer(dg.ones(1, 2, requires_grad=True))
    layer.load_state_dict(nn.Linear(2, 1).state_dict())
    with pytest.raises(RuntimeError, match="changed in place"):
        out.sum().backward()
