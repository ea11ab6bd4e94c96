"""Module: what is registered, how it is walked, switched, cast, copied and shown."""

import copy
import pickle

import numpy as np
import pytest

import demograd as dg
from demograd import Tensor, nn
from demograd.errors import (
    ArgumentError,
    ArgumentTypeError,
    GradientError,
    MissingNameError,
    ShapeError,
)


class Block(nn.Module):
    """Two layers, a parameter of its own, and a buffer."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter([2.0])
        self.first = nn.Linear(3, 4)
        self.second = nn.Linear(4, 2, bias=False)
        self.register_buffer("offset", dg.zeros(2))
        self.register_buffer("scratch", dg.ones(1), persistent=False)

    def forward(self, x):
        return self.second(self.first(x)) * self.scale + self.offset


def names(pairs):
    return [name for name, _ in pairs]


def message(error):
    return str(error.value)


# Registration.


def test_parameters_come_in_the_order_of_registration_own_before_those_of_parts():
    assert names(Block().named_parameters()) == [
        "scale",
        "first.weight",
        "first.bias",
        "second.weight",
    ]


def test_walks_have_pytorchs_names():
    model = nn.Sequential(Block(), nn.ReLU())
    assert names(model.named_modules()) == ["", "0", "0.first", "0.second", "1"]
    assert names(model.named_children()) == ["0", "1"]
    assert names(model.named_buffers()) == ["0.offset", "0.scratch"]
    assert names(model.named_parameters("net", recurse=False)) == []
    assert names(model[0].named_parameters("net", recurse=False)) == ["net.scale"]
    assert [type(m).__name__ for m in model.modules()] == [
        "Sequential",
        "Block",
        "Linear",
        "Linear",
        "ReLU",
    ]


def test_a_shared_parameter_or_part_is_given_once():
    layer = nn.Linear(2, 2)
    model = nn.Sequential(layer, nn.ReLU(), layer)
    model[1].weight = layer.weight
    assert names(model.named_parameters()) == ["0.weight", "0.bias"]
    assert names(model.named_parameters(remove_duplicate=False)) == [
        "0.weight",
        "0.bias",
        "1.weight",
        "2.weight",
        "2.bias",
    ]
    assert names(model.named_modules()) == ["", "0", "1"]
    assert names(model.named_children()) == ["0", "1"]
    assert list(model.state_dict()) == ["0.weight", "0.bias", "1.weight", "2.weight", "2.bias"]


def test_a_reassigned_part_keeps_its_place_and_a_deleted_one_is_gone():
    block = Block()
    block.first = nn.Linear(3, 4, bias=False)
    assert names(block.named_parameters()) == ["scale", "first.weight", "second.weight"]
    del block.first, block.scale
    assert names(block.named_parameters()) == ["second.weight"]
    assert not hasattr(block, "first")


def test_a_buffer_that_becomes_a_parameter_comes_after_those_that_are_there():
    block = Block()
    block.register_parameter("last", nn.Parameter([1.0]))
    block.offset = nn.Parameter([1.0, 2.0])
    assert names(block.named_parameters(recurse=False)) == ["scale", "last", "offset"]
    assert names(block.named_buffers()) == ["scratch"]


def test_none_keeps_the_place_of_a_parameter_a_buffer_and_a_part():
    block = Block()
    block.scale = block.offset = block.second = None
    assert (block.scale, block.offset, block.second) == (None, None, None)
    assert list(block.state_dict()) == ["first.weight", "first.bias"]
    block.scale = nn.Parameter([1.0])
    assert names(block.named_parameters())[0] == "scale"


def test_a_buffer_is_replaced_by_assigning_a_tensor():
    block = Block()
    block.offset = dg.ones(2)
    assert names(block.named_buffers()) == ["offset", "scratch"]
    assert block.state_dict()["offset"].tolist() == [1.0, 1.0]


def test_a_buffer_that_is_not_persistent_is_no_part_of_the_state():
    assert list(Block().state_dict()) == [
        "scale",
        "offset",
        "first.weight",
        "first.bias",
        "second.weight",
    ]


def test_a_parameter_is_told_its_name_and_keeps_one_that_it_has():
    layer = nn.Linear(2, 1)
    assert (layer.weight.name, layer.bias.name) == ("weight", "bias")
    layer.extra = nn.Parameter([1.0], name="gain")
    assert layer.extra.name == "gain"


class Forgetful(nn.Module):
    def __init__(self):
        self.layer = nn.Linear(1, 1)


class Idle(nn.Module):
    def __init__(self):
        self.depth = 3

    def forward(self, x):
        return x


def replace(name, value):
    return lambda: setattr(Block(), name, value)


BAD_REGISTRATIONS = [
    (
        Forgetful,
        MissingNameError,
        """\
Forgetful: 'layer' was assigned before super().__init__() ran.
Begin Forgetful.__init__ with super().__init__().""",
    ),
    (
        lambda: Idle()(dg.ones(1)),
        MissingNameError,
        """\
Idle: the module was used before super().__init__() ran.
Begin Idle.__init__ with super().__init__().""",
    ),
    (
        lambda: list(Idle().parameters()),
        MissingNameError,
        """\
Idle: the module was used before super().__init__() ran.
Begin Idle.__init__ with super().__init__().""",
    ),
    (
        replace("scale", dg.ones(1)),
        ArgumentTypeError,
        """\
Block.scale: a parameter is a Parameter or None, not Tensor.
nn.Parameter(value) makes one; scale.copy_(value) under dg.no_grad() changes the values of the \
one that is there.""",
    ),
    (
        replace("first", dg.relu),
        ArgumentTypeError,
        """\
Block.first: a module is a Module or None, not function.
nn.Lambda(function) makes one of a function.""",
    ),
    (
        replace("offset", np.ones(2)),
        ArgumentTypeError,
        """\
Block.offset: a buffer is a Tensor or None, not ndarray.
dg.tensor(value) makes one.""",
    ),
    (
        lambda: Block().register_parameter("extra", dg.ones(1)),
        ArgumentTypeError,
        """\
Block.extra: a parameter is a Parameter or None, not Tensor.
nn.Parameter(value) makes one; extra.copy_(value) under dg.no_grad() changes the values of the \
one that is there.""",
    ),
    (
        lambda: Block().register_buffer("extra", 1.0),
        ArgumentTypeError,
        """\
Block.extra: a buffer is a Tensor or None, not float.
dg.tensor(value) makes one.""",
    ),
    (
        lambda: Block().add_module("extra", nn.Linear),
        ArgumentTypeError,
        """\
Block.extra: a module is a Module or None, not type.
nn.Lambda(function) makes one of a function.""",
    ),
    (
        lambda: Block().register_buffer(1, dg.ones(1)),
        ArgumentTypeError,
        "Block: the name of a buffer is text, not int.",
    ),
    (
        lambda: Block().add_module("a.b", nn.ReLU()),
        ArgumentError,
        """\
Block: 'a.b' cannot be the name of a module.
A name is not empty and has no dot: dots join the names of nested modules.""",
    ),
    (
        lambda: Block().register_parameter("first", None),
        ArgumentError,
        """\
Block: there is an attribute 'first' already.
  first: module
Use another name.""",
    ),
    (
        lambda: Block().register_buffer("training", dg.ones(1)),
        ArgumentError,
        """\
Block: there is an attribute 'training' already.
  training: bool
Use another name.""",
    ),
    (
        replace("apply", nn.ReLU()),
        ArgumentError,
        """\
Block: 'apply' is a method of every module.
  apply: module
Use another name.""",
    ),
    (
        lambda: setattr(Block(), "twice", computed_parameter()),
        GradientError,
        """\
Block.twice: a parameter is a leaf, and this was computed.
  twice: made by Add
Keep the leaf as the parameter, and compute twice in forward.""",
    ),
]


def computed_parameter():
    """A Parameter that an in-place change has made the output of a node."""
    parameter = nn.Parameter([1.0], requires_grad=False)
    parameter += dg.ones(1, requires_grad=True)
    return parameter


@pytest.mark.parametrize(("act", "kind", "text"), BAD_REGISTRATIONS)
def test_a_wrong_registration_says_what_is_wrong(act, kind, text):
    with pytest.raises(kind) as error:
        act()
    assert message(error) == text


def test_a_refused_assignment_leaves_the_module_as_it_was():
    block = Block()
    before = dict(block.named_parameters())
    with pytest.raises(ArgumentTypeError):
        block.scale = dg.ones(1)
    assert dict(block.named_parameters()) == before


def test_a_missing_attribute_is_an_attribute_error_that_can_suggest_a_name():
    with pytest.raises(AttributeError) as error:
        _ = nn.Linear(1, 1).wieght
    assert message(error) == "Linear has no attribute 'wieght'."
    assert (error.value.name, type(error.value.obj)) == ("wieght", nn.Linear)
    assert not hasattr(nn.Linear(1, 1), "wieght")


def test_a_module_without_forward_says_so():
    class Empty(nn.Module):
        pass

    with pytest.raises(NotImplementedError) as error:
        Empty()(1)
    assert message(error) == "Empty.forward is not written"


# Looking up by path.


def test_parts_parameters_and_buffers_are_found_by_their_path():
    model = nn.Sequential(Block())
    assert model.get_submodule("") is model
    assert model.get_submodule("0.first") is model[0].first
    assert model.get_parameter("0.first.bias") is model[0].first.bias
    assert model.get_buffer("0.scratch") is model[0].scratch


@pytest.mark.parametrize(
    ("find", "text"),
    [
        (
            lambda m: m.get_submodule("0.third"),
            "Sequential: there is no module '0.third'.\n  it has: 0, 0.first, 0.second",
        ),
        (
            lambda m: m.get_parameter("0.offset"),
            "Sequential: there is no parameter '0.offset'.\n"
            "  it has: 0.scale, 0.first.weight, 0.first.bias, 0.second.weight",
        ),
        (
            lambda m: m.get_buffer("offset"),
            "Sequential: there is no buffer 'offset'.\n  it has: 0.offset, 0.scratch",
        ),
    ],
)
def test_a_path_that_leads_nowhere_is_an_error_that_lists_what_there_is(find, text):
    with pytest.raises(MissingNameError) as error:
        find(nn.Sequential(Block()))
    assert message(error) == text


# Modes, gradients, types.


def test_train_and_eval_switch_every_part_and_return_the_module():
    model = nn.Sequential(Block(), nn.Dropout())
    assert model.eval() is model
    assert [m.training for m in model.modules()] == [False] * 5
    assert model.train() is model
    assert [m.training for m in model.modules()] == [True] * 5


def test_a_mode_is_a_boolean():
    with pytest.raises(ArgumentTypeError) as error:
        nn.ReLU().train("yes")
    assert message(error) == (
        "train: the mode is True or False, not str.\n"
        "model.train() switches to training, model.eval() to evaluation."
    )


def test_apply_sees_parts_before_the_whole():
    seen = []
    nn.Sequential(Block()).apply(lambda module: seen.append(type(module).__name__))
    assert seen == ["Linear", "Linear", "Block", "Sequential"]


def test_requires_grad_freezes_all_parameters():
    block = Block().requires_grad_(False)
    assert [p.requires_grad for p in block.parameters()] == [False] * 4
    assert not block(dg.ones(1, 3)).requires_grad


def test_zero_grad_forgets_gradients_or_fills_them_with_zeros():
    block = Block()
    block(dg.ones(1, 3)).sum().backward()
    block.zero_grad(set_to_none=False)
    assert [float(abs(p.grad.data).max()) for p in block.parameters()] == [0.0] * 4
    block.zero_grad()
    assert [p.grad for p in block.parameters()] == [None] * 4


def test_a_cast_keeps_the_parameters_and_casts_their_gradients():
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    model(dg.randn(4, 2)).sum().backward()
    before = list(model.parameters())
    assert model.double() is model
    assert list(map(id, model.parameters())) == list(map(id, before))
    assert {p.dtype for p in model.parameters()} == {dg.float64}
    assert {p.grad.dtype for p in model.parameters()} == {dg.float64}
    assert {str(name): str(b.dtype) for name, b in model.named_buffers()} == {
        "1.running_mean": "float64",
        "1.running_var": "float64",
        "1.num_batches_tracked": "int64",
    }
    assert model.to(dg.ones(1, dtype=dg.float16))[0].weight.dtype == dg.float16
    assert model.to("cpu").float()[0].weight.dtype == dg.float32
    assert model.to(dtype="float64")[0].weight.dtype == dg.float64


def test_a_cast_to_integers_is_refused():
    with pytest.raises(ArgumentTypeError) as error:
        nn.Linear(1, 1).to(dg.int64)
    assert message(error) == (
        "to: a module is cast to a floating type, not to int64.\n"
        'Use dg.float32 or dg.float64, or a device such as "cpu".'
    )


# Copies.


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_gives_the_same_output_and_shares_nothing(copied):
    model = nn.Sequential(Block(), dg.relu, nn.BatchNorm1d(2)).eval()
    x = dg.randn(4, 3)
    twin = copied(model)
    assert twin(x).tolist() == model(x).tolist()
    assert repr(twin) == repr(model)
    assert list(twin.state_dict()) == list(model.state_dict())
    for p in twin.parameters():
        p.data[...] = 0.0
    assert all(bool(p.data.any()) for p in model[0].parameters())


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_parameter_survives_copying(copied):
    parameter = nn.Parameter([1.0, 2.0], requires_grad=False, name="gain")
    twin = copied(parameter)
    assert type(twin) is nn.Parameter
    assert (twin.tolist(), twin.requires_grad, twin.name) == ([1.0, 2.0], False, "gain")
    assert twin.data is not parameter.data


def test_a_shared_parameter_stays_shared_in_a_copy():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[1].weight = model[0].weight
    twin = copy.deepcopy(model)
    assert twin[0].weight is twin[1].weight


# Parameters.


def test_a_parameter_shows_as_in_pytorch():
    assert repr(nn.Parameter([1.0, 2.5])) == (
        "Parameter containing:\ntensor([1.0000, 2.5000], requires_grad=True)"
    )


def test_a_parameter_shares_the_memory_of_an_array_and_results_are_plain_tensors():
    values = np.ones(2, dtype=np.float32)
    parameter = nn.Parameter(values)
    assert parameter.data is values
    assert type(parameter * 2) is type(parameter.detach()) is Tensor


def test_a_parameter_of_integers_is_refused_unless_it_requires_no_gradient():
    with pytest.raises(TypeError):
        nn.Parameter([1, 2])
    assert nn.Parameter([1, 2], requires_grad=False).tolist() == [1, 2]


# How it shows, and where it stood.


def test_the_tree_is_printed_as_pytorch_prints_it():
    model = nn.Sequential(Block(), nn.Sequential(), nn.ReLU())
    assert (
        repr(model)
        == """\
Sequential(
  (0): Block(
    (first): Linear(in_features=3, out_features=4, bias=True)
    (second): Linear(in_features=4, out_features=2, bias=False)
  )
  (1): Sequential()
  (2): ReLU()
)"""
    )


def test_settings_and_parts_are_printed_together_settings_first():
    class Described(Block):
        def extra_repr(self):
            return "depth=2\n\nwidth=4"

    block = Described()
    block.second = None
    assert repr(block).split("\n") == [
        "Described(",
        "  depth=2",
        "  ",
        "  width=4",
        "  (first): Linear(in_features=3, out_features=4, bias=True)",
        "  (second): None",
        ")",
    ]


def test_an_error_names_the_path_of_modules_in_its_notes():
    model = nn.Sequential(nn.ModuleDict({"head": Block()})["head"])
    with pytest.raises(ShapeError) as error:
        model(dg.ones(2, 5))
    assert error.value.__notes__ == ["in first: Linear", "in 0: Block", "in Sequential"]


def test_recorded_nodes_know_the_call_of_the_module_that_made_them():
    out = nn.Sequential(nn.Linear(2, 2), nn.ReLU())(dg.ones(1, 2))
    relu = out.grad_fn
    assert [label for _, label in relu.scopes] == ["1: ReLU", "Sequential"]
    assert [label for _, label in relu.next_functions[0].scopes] == ["0: Linear"]


def test_parts_of_a_list_carry_its_name():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.blocks = nn.ModuleList([nn.Linear(1, 1)])
            self.heads = nn.ModuleDict({"a": nn.Linear(1, 1)})
            self.blocks.append(nn.Linear(1, 1))

        def forward(self, x):
            return self.heads["a"](self.blocks[1](self.blocks[0](x)))

    node = Net()(dg.ones(1, 1)).grad_fn
    labels = []
    while node is not None and hasattr(node, "scopes"):
        labels += [label for _, label in node.scopes]
        node = node.next_functions[0]
    assert labels == ["heads.a: Linear", "Net", "blocks.1: Linear", "blocks.0: Linear"]
