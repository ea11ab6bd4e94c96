"""Groups of parameters: how they are given, what is refused, and in which words."""

import numpy as np
import pytest

import demograd as dg
from demograd.errors import ArgumentError, ArgumentTypeError
from demograd.optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop


def leaf(*shape):
    return dg.zeros(*shape, requires_grad=True)


def test_tensors_are_one_group_with_the_defaults():
    x, y = leaf(2), leaf(3)
    (group,) = SGD((p for p in (x, y)), lr=0.5).param_groups
    assert [id(p) for p in group["params"]] == [id(x), id(y)]
    assert {key: value for key, value in group.items() if key != "params"} == {
        "lr": 0.5,
        "momentum": 0.0,
        "dampening": 0.0,
        "weight_decay": 0.0,
        "nesterov": False,
        "maximize": False,
    }


def test_groups_have_settings_of_their_own():
    x, y, z = leaf(1), leaf(1), leaf(1)
    given = [{"params": x, "lr": 0.1}, {"params": [y], "label": "head"}]
    optimizer = SGD(given, lr=0.5)
    optimizer.add_param_group({"params": iter([z]), "weight_decay": 0.3})
    settings = [(g["lr"], g["weight_decay"], g.get("label")) for g in optimizer.param_groups]
    assert settings == [(0.1, 0.0, None), (0.5, 0.0, "head"), (0.5, 0.3, None)]
    assert [len(group["params"]) for group in optimizer.param_groups] == [1, 1, 1]
    assert given == [{"params": x, "lr": 0.1}, {"params": [y], "label": "head"}]


def test_pairs_of_name_and_tensor_keep_the_names():
    x, y = leaf(2), leaf(3)
    optimizer = Adam([("weight", x), ("bias", y)])
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    assert optimizer.param_groups[0]["params"][1] is y
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["weight", "bias"]


def test_a_group_may_be_empty_if_it_is_a_list():
    optimizer = SGD([{"params": [leaf(1)]}, {"params": []}])
    assert [len(group["params"]) for group in optimizer.param_groups] == [1, 0]
    optimizer.step()


def test_a_parameter_that_requires_no_gradient_is_taken():
    SGD([dg.zeros(2)]).step()


def test_the_settings_are_shown_as_in_pytorch():
    assert (
        repr(RMSprop([{"params": [leaf(1)]}, {"params": [leaf(1)], "lr": 0.5}]))
        == """\
RMSprop (
Parameter Group 0
    alpha: 0.99
    centered: False
    eps: 1e-08
    lr: 0.01
    maximize: False
    momentum: 0.0
    weight_decay: 0.0
Parameter Group 1
    alpha: 0.99
    centered: False
    eps: 1e-08
    lr: 0.5
    maximize: False
    momentum: 0.0
    weight_decay: 0.0
)"""
    )


class Model:
    def parameters(self):
        return iter([leaf(1)])


def used_up():
    params = iter([leaf(1)])
    list(params)
    return params


shared = leaf(2)
shared.name = "embedding"
computed = leaf(2) * 2

REFUSED = {
    "no parameters": (
        lambda: Adam([]),
        ArgumentError,
        """\
Adam: there are no parameters.
Adam(model.parameters())""",
    ),
    "a generator that is used up": (
        lambda: Adam(used_up()),
        ArgumentError,
        """\
Adam: the iterator of parameters gave none.
It was used up before, or its source is empty: make a new one, or a list of it.""",
    ),
    "a generator that is used up in a group": (
        lambda: Adam([{"params": used_up()}]),
        ArgumentError,
        """\
Adam: the iterator of parameters gave none.
It was used up before, or its source is empty: make a new one, or a list of it.""",
    ),
    "a tensor": (
        lambda: Adam(shared),
        ArgumentTypeError,
        """\
Adam: the parameters are one tensor, not an iterable of tensors.
  params: embedding: Tensor of shape (2,), dtype float32
Adam([x])""",
    ),
    "a set": (
        lambda: Adam({shared}),
        ArgumentTypeError,
        """\
Adam: the parameters are a set, whose order changes from run to run.
Give a list: saved state belongs to parameters by their order.""",
    ),
    "a dict": (
        lambda: Adam({"w": shared}),
        ArgumentTypeError,
        """\
Adam: the parameters are a dict.
mapping.items() gives pairs of name and tensor; a group stands in a list.""",
    ),
    "a model": (
        lambda: Adam(Model()),
        ArgumentTypeError,
        """\
Adam: the parameters are a Model, which is not iterable.
Adam(model.parameters())""",
    ),
    "models": (
        lambda: Adam([shared, Model()]),
        ArgumentTypeError,
        """\
Adam: a parameter is not a Tensor.
  params[1]: Model
Adam(model.parameters())""",
    ),
    "an array": (
        lambda: Adam([np.zeros(2)]),
        ArgumentTypeError,
        """\
Adam: a parameter is not a Tensor.
  params[0]: ndarray of shape (2,)
dg.tensor(values, requires_grad=True) makes one.""",
    ),
    "what was computed": (
        lambda: Adam([shared, computed]),
        ArgumentError,
        """\
Adam: a parameter is the result of a computation, not a leaf.
  params[1]: Tensor of shape (2,), dtype float32, made by Mul
Give the tensor that it was computed from, or x.detach().requires_grad_().""",
    ),
    "one twice in a group": (
        lambda: Adam([shared, leaf(1), shared]),
        ArgumentError,
        """\
Adam: a parameter is there twice.
  first: group 0, params[0]
  again: group 0, params[2]
  it is a embedding: Tensor of shape (2,), dtype float32
Give each once: a shared weight is one parameter.""",
    ),
    "one in two groups": (
        lambda: Adam([{"params": [leaf(1), shared]}, {"params": [shared]}]),
        ArgumentError,
        """\
Adam: a parameter is there twice.
  first: group 0, params[1]
  again: group 1, params[0]
  it is a embedding: Tensor of shape (2,), dtype float32
Give each once: a shared weight is one parameter.""",
    ),
    "tensors among groups": (
        lambda: Adam([{"params": [leaf(1)]}, shared]),
        ArgumentTypeError,
        """\
Adam: a group of parameters is not a dict.
  group: embedding: Tensor of shape (2,), dtype float32
A group is {"params": [...], "lr": 0.1}; tensors and groups cannot be mixed.""",
    ),
    "a group without params": (
        lambda: Adam([{"parameters": [shared], "lr": 0.1}]),
        ArgumentError,
        """\
Adam: a group has no parameters.
  keys: 'parameters', 'lr'
A group is {"params": [...], "lr": 0.1}.""",
    ),
    "names for some": (
        lambda: Adam([("w", shared), leaf(1)]),
        ArgumentError,
        """\
Adam: some parameters have names and some have none.
  with a name: 1
  without: 1
Adam(model.named_parameters()) gives all their names.""",
    ),
    "names in some groups": (
        lambda: Adam([{"params": [("w", shared)]}, {"params": [leaf(1)]}]),
        ArgumentError,
        """\
Adam: some groups have parameters with names and some without.
  group 0: with names
  group 1: without
Give pairs of name and tensor in all groups, or in none.""",
    ),
    "a negative learning rate": (
        lambda: Adam([shared], lr=-0.1),
        ArgumentError,
        """\
Adam: lr is out of its range.
  lr: -0.1
It must be a number from 0 up.""",
    ),
    "a negative learning rate in a group": (
        lambda: SGD([{"params": [shared], "lr": -1.0}]),
        ArgumentError,
        """\
SGD: lr is out of its range.
  lr: -1.0
It must be a number from 0 up.""",
    ),
    "a learning rate that is not a number": (
        lambda: SGD([shared], lr=float("nan")),
        ArgumentError,
        """\
SGD: lr is out of its range.
  lr: nan
It must be a number from 0 up.""",
    ),
    "a learning rate of another type": (
        lambda: SGD([shared], lr="fast"),
        ArgumentTypeError,
        """\
SGD: lr is not a number.
  lr: 'fast'
It must be a number from 0 up.""",
    ),
    "the loss as a learning rate": (
        lambda: SGD([shared], lr=dg.zeros(2)),
        ArgumentError,
        """\
SGD: lr is a tensor that has not exactly one element.
  lr: shape (2,)
It must be a number from 0 up, or a tensor that holds one.""",
    ),
    "a beta of one": (
        lambda: AdamW([shared], betas=(0.9, 1.0)),
        ArgumentError,
        """\
AdamW: betas[1] is out of its range.
  betas[1]: 1.0
It must be a number from 0 up and below 1.""",
    ),
    "one beta": (
        lambda: Adam([shared], betas=0.9),
        ArgumentTypeError,
        """\
Adam: betas are not two numbers.
  betas: 0.9
betas=(0.9, 0.999)""",
    ),
    "nesterov without momentum": (
        lambda: SGD([shared], nesterov=True),
        ArgumentError,
        """\
SGD: nesterov needs a momentum, and no dampening.
  momentum: 0.0
  dampening: 0.0
SGD(params, momentum=0.9, nesterov=True)""",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused(case):
    make, error, text = REFUSED[case]
    with pytest.raises(error) as e:
        make()
    assert str(e.value) == text


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        *((SGD, name) for name in ("lr", "momentum", "weight_decay")),
        *((kind, name) for kind in (Adam, AdamW) for name in ("lr", "eps", "weight_decay")),
        *((RMSprop, name) for name in ("lr", "alpha", "eps", "weight_decay", "momentum")),
        *((Adagrad, name) for name in ("lr", "lr_decay", "weight_decay", "eps")),
        (Adagrad, "initial_accumulator_value"),
    ],
)
def test_no_number_may_be_negative(kind, name):
    with pytest.raises(ArgumentError) as e:
        kind([shared], **{name: -0.5})
    assert (
        str(e.value)
        == f"""\
{kind.__name__}: {name} is out of its range.
  {name}: -0.5
It must be a number from 0 up."""
    )


def test_a_group_that_is_refused_leaves_the_optimizer_as_it_was():
    optimizer = Adam([shared])
    for group in ({"params": [shared]}, {"params": [leaf(1)], "lr": -1.0}, {"params": []}, 3):
        before = repr(optimizer)
        if group != {"params": []}:
            with pytest.raises((ArgumentError, ArgumentTypeError)):
                optimizer.add_param_group(group)
            assert repr(optimizer) == before
            assert len(optimizer.param_groups) == 1


def test_every_optimizer_keeps_the_declared_interface():
    from demograd.interfaces import Optimizer as Interface

    for kind in (SGD, Adam, AdamW, RMSprop, Adagrad):
        assert issubclass(kind, Optimizer)
        assert isinstance(kind([leaf(1)]), Interface)
