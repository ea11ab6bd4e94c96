"""Sequential, ModuleList, ModuleDict, ParameterList and Lambda."""

import functools
from collections import OrderedDict

import pytest

import demograd as dg
from demograd import nn
from demograd.activations import ReLU
from demograd.errors import ArgumentError, ArgumentTypeError, OutOfRangeError


def layers(n=3):
    return [nn.Linear(1, 1) for _ in range(n)]


def numbers(module):
    return [name for name, _ in module.named_children()]


def test_sequential_passes_the_output_of_each_to_the_next():
    model = nn.Sequential(lambda x: x + 1, lambda x: x * 2)
    assert model(3) == 8
    assert nn.Sequential()(3) == 3


def test_sequential_takes_functions_between_modules_and_keeps_pytorchs_names():
    model = nn.Sequential(nn.Linear(2, 3), ReLU.apply, nn.Linear(3, 1))
    x = dg.randn(4, 2)
    assert model(x).tolist() == model[2](model[0](x).relu()).tolist()
    assert list(model.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert (
        repr(model)
        == """\
Sequential(
  (0): Linear(in_features=2, out_features=3, bias=True)
  (1): ReLU.apply
  (2): Linear(in_features=3, out_features=1, bias=True)
)"""
    )


def test_functions_show_by_their_name():
    shown = [repr(nn.Lambda(f)) for f in (dg.relu, ReLU.apply, lambda x: x)]
    assert shown == ["relu", "ReLU.apply", "<lambda>"]
    partial = functools.partial(dg.softmax, dim=1)
    assert repr(nn.Lambda(partial)) == repr(partial)
    out = nn.Sequential(ReLU.apply)(dg.ones(1, requires_grad=True))
    assert [label for _, label in out.grad_fn.scopes] == ["0: ReLU.apply", "Sequential"]


def test_sequential_takes_an_ordered_dictionary_of_names():
    model = nn.Sequential(OrderedDict(first=nn.Linear(1, 2), act=dg.relu))
    assert numbers(model) == ["first", "act"]
    assert model.first is model[0]
    assert list(model.state_dict()) == ["first.weight", "first.bias"]


@pytest.mark.parametrize("kind", [lambda ls: nn.Sequential(*ls), nn.ModuleList])
def test_numbered_containers_are_lists(kind):
    a, b, c, d, e = layers(5)
    held = kind([a, b])
    assert held.append(c) is held
    assert list(held) == [a, b, c]
    assert len(held) == 3
    assert (held[0], held[-1]) == (a, c)
    held.insert(1, d)
    assert list(held) == [a, d, b, c]
    held.insert(-1, e)
    assert list(held) == [a, d, b, e, c]
    held[1] = nn.ReLU()
    assert numbers(held) == ["0", "1", "2", "3", "4"]
    assert repr(held[1]) == "ReLU()"
    del held[1]
    assert list(held) == [a, b, e, c]
    del held[1:3]
    assert (list(held), numbers(held)) == ([a, c], ["0", "1"])
    assert held.pop() is c
    assert list(held.extend([b, d])) == [a, b, d]
    held += [e]
    assert list(held) == [a, b, d, e]


def test_a_slice_of_sequential_holds_the_same_modules_under_their_names():
    model = nn.Sequential(*layers(4))
    part = model[1:3]
    assert type(part) is nn.Sequential
    assert list(part) == [model[1], model[2]]
    assert list(part.state_dict()) == ["1.weight", "1.bias", "2.weight", "2.bias"]
    extra = nn.ReLU()
    assert list(part.append(extra)) == [model[1], model[2], extra]


def test_a_slice_of_a_list_is_numbered_anew():
    held = nn.ModuleList(layers(4))
    part = held[2:]
    assert (list(part), numbers(part)) == ([held[2], held[3]], ["0", "1"])


def test_containers_are_joined_by_plus():
    a, b = layers(2)
    joined = nn.Sequential(a) + nn.Sequential(b)
    assert (type(joined), list(joined)) == (nn.Sequential, [a, b])
    joined = nn.ModuleList([a]) + nn.ModuleList([b])
    assert (type(joined), list(joined)) == (nn.ModuleList, [a, b])


def test_a_list_of_equal_modules_is_printed_short():
    held = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2), nn.ReLU()])
    assert (
        repr(held)
        == """\
ModuleList(
  (0-1): 2 x Linear(in_features=2, out_features=2, bias=True)
  (2): ReLU()
)"""
    )
    assert repr(nn.ModuleList()) == "ModuleList()"


def test_module_dict_is_a_dictionary():
    a, b = layers(2)
    held = nn.ModuleDict({"a": a})
    held["b"] = b
    assert (held["b"], len(held), "a" in held, "c" in held) == (b, 2, True, False)
    assert (list(held), held.keys(), held.values()) == (["a", "b"], ["a", "b"], [a, b])
    assert held.items() == [("a", a), ("b", b)]
    assert list(held.state_dict()) == ["a.weight", "a.bias", "b.weight", "b.bias"]
    assert held.pop("a") is a
    held.update([("c", a)])
    held.update(nn.ModuleDict({"d": b}))
    assert list(held) == ["b", "c", "d"]
    del held["b"]
    held.clear()
    assert list(held) == []


def test_parameter_list_makes_parameters_of_tensors():
    own = nn.Parameter([1.0])
    held = nn.ParameterList([own, dg.zeros(2, 3)])
    held.append(dg.ones(1))
    assert held[0] is own
    assert [name for name, _ in held.named_parameters()] == ["0", "1", "2"]
    assert (len(held), len(held[1:]), len(list(held))) == (3, 2, 3)
    assert (
        repr(held)
        == """\
ParameterList(
    (0): Parameter containing: [float32 of size 1]
    (1): Parameter containing: [float32 of size 2x3]
    (2): Parameter containing: [float32 of size 1]
)"""
    )


@pytest.mark.parametrize(
    ("act", "kind", "text"),
    [
        (
            lambda: nn.Sequential(nn.Linear(1, 1), nn.ReLU),
            ArgumentTypeError,
            "Lambda: expected a function or a module, not the class ReLU.\n"
            "Make an instance: ReLU(...).",
        ),
        (
            lambda: nn.Sequential(3),
            ArgumentTypeError,
            "Lambda: expected a function or a module, not int.\n"
            "Give what can be called with a Tensor, such as ReLU.apply.",
        ),
        (
            lambda: nn.Sequential(*layers(2))[2],
            OutOfRangeError,
            "Sequential: index 2 is out of range.\n  it holds 2 modules",
        ),
        (
            lambda: nn.ModuleList(layers(2)).insert(4, nn.ReLU()),
            OutOfRangeError,
            "ModuleList: index 4 is out of range.\n  it holds 2 modules",
        ),
        (
            lambda: nn.ModuleList(layers(2))["a"],
            ArgumentTypeError,
            "ModuleList: an index is an integer or a slice, not str.",
        ),
        (
            lambda: nn.ModuleDict({"a": nn.ReLU()})["b"],
            OutOfRangeError,
            "ModuleDict: there is no module 'b'.\n  it has: a",
        ),
        (
            lambda: nn.ModuleDict({"keys": nn.ReLU()}),
            ArgumentError,
            "ModuleDict: there is an attribute 'keys' already.\n  keys: method\nUse another name.",
        ),
        (
            lambda: nn.ParameterList([dg.ones(1)])[1],
            OutOfRangeError,
            "ParameterList: index 1 is out of range.\n  it holds 1 parameters",
        ),
    ],
)
def test_a_wrong_use_of_a_container_says_what_is_wrong(act, kind, text):
    with pytest.raises(kind) as error:
        act()
    assert str(error.value) == text


def test_a_subclass_of_sequential_may_have_parameters_of_its_own():
    class Scaled(nn.Sequential):
        def __init__(self, *parts):
            super().__init__(*parts)
            self.scale = nn.Parameter([3.0])

        def forward(self, x):
            return super().forward(x) * self.scale

    model = Scaled(lambda x: x + 1)
    assert model(dg.ones(1)).tolist() == [6.0]
    assert (len(model), list(model.state_dict())) == (1, ["scale"])
