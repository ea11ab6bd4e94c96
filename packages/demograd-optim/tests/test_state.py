"""What is saved, and that a run goes on from it as if it had never stopped."""

import copy
import gc
import json
import pickle
import weakref

import numpy as np
import pytest

import demograd as dg
from demograd.errors import ArgumentError, StateError
from demograd.optim import SGD, Adagrad, Adam, AdamW, RMSprop
from demograd.optim.lr_scheduler import StepLR

CASES = [
    (SGD, {}),
    (SGD, {"momentum": 0.9, "dampening": 0.2}),
    (Adam, {"amsgrad": True, "weight_decay": 0.1}),
    (AdamW, {}),
    (RMSprop, {"momentum": 0.9, "centered": True}),
    (Adagrad, {"lr_decay": 0.1}),
]
SETTINGS = pytest.mark.parametrize(("kind", "chosen"), CASES)


def parameters(values=None):
    random = np.random.default_rng(0)
    values = values or [random.standard_normal(shape) for shape in [(3, 2), (2,), ()]]
    return [dg.Tensor(np.array(value, dtype=np.float32), requires_grad=True) for value in values]


def train(optimizer, steps, first=0):
    """Steps with gradients that depend on the parameters; the last one has none at first."""
    params = [x for group in optimizer.param_groups for x in group["params"]]
    for step in range(first, first + steps):
        for place, x in enumerate(params):
            wave = np.sin(5 * x.detach().numpy() + step).astype(np.float32)
            x.grad = None if place == 2 and step < 3 else dg.Tensor(np.asarray(wave))
        optimizer.step()
    return [x.detach().numpy() for x in params]


def through_a_file(state):
    """Tensors apart, all else as JSON: strings for numbers, lists for tuples."""
    tensors, rest = {}, {}
    for place, kept in state["state"].items():
        for name, value in kept.items():
            if isinstance(value, dg.Tensor):
                tensors[place, name] = value.numpy().tobytes(), value.shape, value.dtype.name
            else:
                rest.setdefault(place, {})[name] = value
    read = json.loads(json.dumps({"state": rest, "param_groups": state["param_groups"]}))
    for (place, name), (memory, shape, dtype) in tensors.items():
        array = np.frombuffer(memory, dtype).reshape(shape)
        read["state"].setdefault(str(place), {})[name] = array
    return read


@SETTINGS
@pytest.mark.parametrize("way", ["at once", "through a file", "by pickle"])
def test_a_resumed_run_equals_an_unbroken_one_bit_for_bit(kind, chosen, way):
    def groups(params):
        return [{"params": params[:1], "lr": 0.2}, {"params": params[1:]}]

    whole = kind(groups(parameters()), lr=0.1, **chosen)
    expected = train(whole, 12)

    begun = kind(groups(parameters()), lr=0.1, **chosen)
    values = [np.array(value) for value in train(begun, 5)]
    state = begun.state_dict()
    train(begun, 2, first=5)  # what goes on changes nothing that was saved
    if way == "by pickle":
        state = pickle.loads(pickle.dumps(state))
    elif way == "through a file":
        state = through_a_file(state)
    resumed = kind(groups(parameters(values)), **chosen)
    resumed.load_state_dict(state)
    assert resumed.param_groups[0].keys() == begun.param_groups[0].keys()
    assert resumed.state_dict()["param_groups"] == begun.state_dict()["param_groups"]
    for found, wanted in zip(train(resumed, 7, first=5), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)


@SETTINGS
def test_a_copy_goes_on_alone(kind, chosen):
    optimizer = kind(parameters(), lr=0.1, **chosen)
    train(optimizer, 4)
    for copied in (copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
        before = [np.array(x.detach().numpy()) for x in optimizer.param_groups[0]["params"]]
        expected = train(copy.deepcopy(optimizer), 3, first=4)
        np.testing.assert_equal(train(copied, 3, first=4), expected)
        after = [x.detach().numpy() for x in optimizer.param_groups[0]["params"]]
        np.testing.assert_equal(after, before)


def test_the_layout_is_pytorchs():
    optimizer = Adam([("w", parameters()[0]), ("b", parameters()[1])], lr=dg.tensor(0.5))
    optimizer.add_param_group({"params": [("h", parameters()[2])], "lr": 0.25})
    train(optimizer, 1)
    state = optimizer.state_dict()
    assert list(state) == ["state", "param_groups"]
    assert list(state["state"]) == [0, 1]
    assert list(state["state"][0]) == ["exp_avg", "exp_avg_sq", "step"]
    assert state["state"][0]["step"] == 1
    assert type(state["state"][0]["exp_avg"]) is dg.Tensor
    assert state["state"][0]["exp_avg"].shape == (3, 2)
    assert state["param_groups"][1] == {
        "lr": 0.25,
        "betas": (0.9, 0.999),
        "eps": 1e-8,
        "weight_decay": 0.0,
        "amsgrad": False,
        "maximize": False,
        "decoupled_weight_decay": False,
        "param_names": ["h"],
        "params": [2],
    }
    assert state["param_groups"][0]["lr"] == 0.5


def test_a_learning_rate_in_a_tensor_stays_in_it():
    rate = dg.tensor(0.5)
    optimizer = SGD(parameters(), lr=rate)
    optimizer.load_state_dict(SGD(parameters(), lr=0.25).state_dict())
    assert optimizer.param_groups[0]["lr"] is rate
    assert rate.item() == 0.25


def test_state_takes_the_type_of_its_parameter():
    optimizer = Adam(parameters())
    train(optimizer, 1)
    wide = [dg.Tensor(x.data.astype(np.float64), requires_grad=True) for x in parameters()]
    resumed = Adam(wide)
    resumed.load_state_dict(optimizer.state_dict())
    assert resumed.state[wide[0]]["exp_avg"].dtype == dg.float64


def test_adamw_that_loads_a_state_of_adam_stays_adamw():
    begun = Adam(parameters(), weight_decay=0.5)
    train(begun, 1)
    resumed = AdamW(parameters())
    resumed.load_state_dict(begun.state_dict())
    assert resumed.param_groups[0]["decoupled_weight_decay"] is True
    assert resumed.param_groups[0]["weight_decay"] == 0.5


def test_settings_that_are_loaded_are_checked():
    state = Adam(parameters()).state_dict()
    state["param_groups"][0]["betas"] = [0.9, 1.5]
    optimizer = Adam(parameters())
    with pytest.raises(ArgumentError) as e:
        optimizer.load_state_dict(state)
    assert (
        str(e.value)
        == """\
Adam: betas[1] is out of its range.
  betas[1]: 1.5
It must be a number from 0 up and below 1."""
    )
    assert optimizer.param_groups[0]["betas"] == (0.9, 0.999)


def test_two_optimizers_that_load_one_state_do_not_share_it():
    begun = Adam(parameters())
    train(begun, 2)
    state = begun.state_dict()
    one, other = Adam(parameters()), Adam(parameters())
    one.load_state_dict(state)
    other.load_state_dict(state)
    expected = copy.deepcopy(other.state_dict())
    train(one, 2)
    np.testing.assert_equal(
        [kept["exp_avg"].numpy() for kept in other.state_dict()["state"].values()],
        [kept["exp_avg"].numpy() for kept in expected["state"].values()],
    )


def test_groups_that_schedules_have_written_to_are_taken_over():
    optimizer = SGD(parameters(), lr=0.5)
    StepLR(optimizer, 3)
    optimizer.param_groups[0]["lr"] = 0.1
    resumed = SGD(parameters(), lr=0.5)
    resumed.load_state_dict(optimizer.state_dict())
    assert resumed.param_groups[0]["initial_lr"] == 0.5
    assert resumed.param_groups[0]["lr"] == 0.1


def saved(kind=Adam, shapes=((3, 2), (2,)), groups=1, **chosen):
    params = [dg.zeros(*shape, requires_grad=True) for shape in shapes]
    if groups == 2:
        params = [{"params": params[:1]}, {"params": params[1:]}]
    optimizer = kind(params, **chosen)
    for group in optimizer.param_groups:
        for x in group["params"]:
            x.grad = dg.ones(*x.shape)
    optimizer.step()
    return optimizer.state_dict()


def changed(state, change):
    change(state)
    return state


REFUSED = {
    "no state": (
        lambda: {"exp_avg": 1},
        """\
Adam.load_state_dict: this is not the state of an optimizer.
  given: dict, keys 'exp_avg'
Give what optimizer.state_dict() returned.""",
    ),
    "something else": (
        lambda: [1, 2],
        """\
Adam.load_state_dict: this is not the state of an optimizer.
  given: list
Give what optimizer.state_dict() returned.""",
    ),
    "more groups": (
        lambda: saved(groups=2),
        """\
Adam.load_state_dict: the state belongs to other groups of parameters.
  saved: 2 with 1, 1 parameters
  present: 1 with 2 parameters
Make the optimizer with the same groups of parameters as the saved one.""",
    ),
    "more parameters": (
        lambda: saved(shapes=[(3, 2), (2,), (1,)]),
        """\
Adam.load_state_dict: the state belongs to other groups of parameters.
  saved: 1 with 3 parameters
  present: 1 with 2 parameters
Make the optimizer with the same groups of parameters as the saved one.""",
    ),
    "another optimizer": (
        lambda: saved(SGD, momentum=0.9),
        """\
Adam.load_state_dict: the state belongs to another optimizer.
  group 0 has no setting amsgrad, betas, decoupled_weight_decay, eps
  it has dampening, lr, maximize, momentum, nesterov, weight_decay
Load it into the class that saved it.""",
    ),
    "state of another optimizer": (
        lambda: changed(
            saved(), lambda s: s.update(state={0: {"momentum_buffer": dg.zeros(3, 2), "step": 1}})
        ),
        """\
Adam.load_state_dict: the state belongs to another optimizer.
  saved of parameter 0: momentum_buffer, step
  wanted: exp_avg, exp_avg_sq, step
Load it into the class that saved it.""",
    ),
    "another model": (
        lambda: saved(shapes=[(3, 2), (5,)]),
        """\
Adam.load_state_dict: the state has another shape than its parameter.
  parameter 1: shape (2,)
  its exp_avg: shape (5,)
It belongs to another model, or its parameters are in another order.""",
    ),
    "state that no group has": (
        lambda: changed(saved(), lambda s: s["state"].update({7: s["state"][0]})),
        """\
Adam.load_state_dict: there is state of parameters that are in no group.
  parameters: 7
Give what optimizer.state_dict() returned, unchanged.""",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_and_nothing_is_changed(case):
    make, text = REFUSED[case]
    optimizer = Adam([dg.zeros(3, 2, requires_grad=True), dg.zeros(2, requires_grad=True)], lr=0.5)
    for x in optimizer.param_groups[0]["params"]:
        x.grad = dg.ones(*x.shape)
    optimizer.step()
    before = copy.deepcopy(optimizer.state_dict())
    with pytest.raises(StateError) as e:
        optimizer.load_state_dict(make())
    assert str(e.value) == text
    after = optimizer.state_dict()
    assert after["param_groups"] == before["param_groups"]
    for place, kept in before["state"].items():
        assert {name: str(value) for name, value in kept.items()} == {
            name: str(value) for name, value in after["state"][place].items()
        }


@SETTINGS
def test_memory_goes_with_the_optimizer_without_the_garbage_collector(kind, chosen):
    gc.collect()
    gc.disable()
    try:
        optimizer = kind(parameters(), **chosen)
        StepLR(optimizer, 3)
        train(optimizer, 2)
        x, gone = optimizer.param_groups[0]["params"][0], weakref.ref(optimizer)
        parameter = weakref.ref(x)
        del optimizer, x
        assert gone() is None
        assert parameter() is None
    finally:
        gc.enable()
