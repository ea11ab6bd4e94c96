"""What a module holds and does not register: what is warned of, and what is let pass."""

import copy
import warnings

import pytest

import demograd as dg
from demograd import nn
from demograd.errors import ArgumentTypeError, DemogradWarning, StateError
from demograd.nn import utils

HEADLINE = "parameters: what an attribute holds is not registered, so it is not trained or saved."


def warned(run):
    """The lines under the headline of what a program is warned of, without the last."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run()
    texts = [str(warning.message).splitlines() for warning in caught]
    assert [text[0] for text in texts] == [HEADLINE] * len(texts)
    assert {warning.filename for warning in caught} <= {__file__}
    return [text[1:-1] for text in texts]


def module(**attributes):
    made = nn.Module()
    made.last = nn.Linear(2, 1)
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize(
    ("held", "lines"),
    [
        (
            [nn.Linear(2, 2), nn.ReLU()],
            [
                "  Module.held: a list of length 2, with a Linear",
                "  not among the parameters: 2 tensors",
                "self.held = nn.ModuleList(...) registers what is in it.",
            ],
        ),
        (
            (nn.Linear(2, 2, bias=False),),
            [
                "  Module.held: a tuple of length 1, with a Linear",
                "  not among the parameters: 1 tensor",
                "self.held = nn.ModuleList(...) registers what is in it.",
            ],
        ),
        (
            {"a": nn.Linear(2, 2)},
            [
                "  Module.held: a dict of length 1, with a Linear",
                "  not among the parameters: 2 tensors",
                "self.held = nn.ModuleDict(...) registers what is in it.",
            ],
        ),
        (
            [[nn.Linear(2, 2)], [nn.Linear(2, 2)]],
            [
                "  Module.held: a list of length 2, with a Linear",
                "  not among the parameters: 4 tensors",
                "self.held = nn.ModuleList(...) registers what is in it.",
            ],
        ),
        (
            [nn.Parameter([1.0])],
            [
                "  Module.held: a list of length 1, with a Parameter",
                "  not among the parameters: 1 tensor",
                "self.held = nn.ParameterList(...) registers what is in it.",
            ],
        ),
        (
            dg.ones(2, requires_grad=True),
            [
                "  Module.held: a Tensor, no Parameter",
                "  not among the parameters: 1 tensor",
                "self.held = nn.Parameter(x) registers it.",
            ],
        ),
        (
            nn.Parameter(dg.ones(2)).reshape(2, 1) * 2,
            [
                "  Module.held: a Tensor, made by Mul",
                "  not among the parameters: 1 tensor",
                "self.held = nn.Parameter(x) registers it. What is computed of a Parameter is "
                "none: compute first, or in forward.",
            ],
        ),
    ],
)
def test_what_is_held_and_not_registered_is_warned_of_where_parameters_are_asked_for(held, lines):
    assert warned(module(held=held).parameters) == [lines]
    made = module(held=held)
    assert warned(made.named_parameters) == [lines]
    # Some programs ask at each step, so it is looked for once.
    assert warned(made.parameters) == []


def test_the_path_of_a_part_is_named():
    model = nn.Sequential(nn.ReLU(), module(held=[nn.Linear(2, 2)]))
    ((line, *_),) = warned(model.parameters)
    assert line == "  1.held: a list of length 1, with a Linear"


def test_a_list_that_is_filled_later_is_seen():
    made = module(held=[])
    made.held.append(nn.Linear(2, 2))
    assert len(warned(made.parameters)) == 1


def registered_elsewhere():
    made = module()
    made.held = [made.last]
    return made


def frozen():
    return module(held=[nn.Linear(2, 2).requires_grad_(False)])


def with_its_owner():
    owner = module()
    owner.part = module(held=[owner])
    return owner


def with_an_activation():
    made = module()
    made.held = made.last(dg.ones(3, 2))
    made.seen = [made.held, dg.ones(2)]
    return made


def with_an_activation_of_another_module():
    made = module()
    made.held = nn.Linear(2, 2)(dg.ones(3, 2))
    return made


def with_plain_values():
    return module(held=[1, "a", None], sizes=(2, 3), names={"a": 1}, buffer=dg.ones(2))


@pytest.mark.parametrize(
    "make",
    [
        registered_elsewhere,
        frozen,
        with_its_owner,
        with_an_activation,
        with_an_activation_of_another_module,
        with_plain_values,
    ],
)
def test_what_is_meant_is_not_warned_of(make):
    made = make()
    assert warned(made.parameters) == []
    assert all(warned(part.parameters) == [] for part in made.modules())


def test_neither_is_the_walk_without_parts_nor_zero_grad():
    made = module(held=[nn.Linear(2, 2)])
    assert warned(lambda: made.parameters(recurse=False)) == []
    assert warned(made.zero_grad) == []


def step_warnings(optimizer):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        optimizer.step()
    return [str(warning.message) for warning in caught]


def trained(model):
    """A minimal optimizer: what the checks of a step look at."""
    checks = dg.autograd.StepChecks("Descent")
    groups = [{"params": list(model.parameters())}]

    class Descent:
        def step(self):
            checks.look(groups)

    return Descent()


def test_a_replaced_part_is_noted_with_its_line_and_a_part_that_is_put_back_is_not():
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 2))
    optimizer = trained(model)
    former = model[1]
    model[1] = nn.Linear(3, 4)
    model(dg.ones(1, 2)).sum().backward()
    (text,) = step_warnings(optimizer)
    assert "\n  parameters: weight of shape (2, 3), bias of shape (2,)\n" in text
    assert f"\n  replaced at {__file__}:" in text
    model.zero_grad()
    model[1] = former
    model[0](dg.ones(1, 2)).sum().backward()
    assert former.weight.grad is None
    assert step_warnings(optimizer) == []


def test_a_tied_weight_is_not_taken_for_a_replaced_one():
    model = module()
    model.other = nn.Linear(2, 1)
    model.other.weight = model.last.weight
    optimizer = trained(model)
    (model.last(dg.ones(1, 2)) + model.other(dg.ones(1, 2))).sum().backward()
    assert step_warnings(optimizer) == []


def test_a_copy_of_a_replaced_part_is_a_part_of_its_own():
    model = module()
    former = model.last
    model.last = nn.Linear(2, 1)
    again = module(last=copy.deepcopy(former))
    assert step_warnings(trained(again)) == []


def test_requires_grad_of_a_module_is_warned_of_and_a_subclass_may_have_it():
    class Own(nn.Module):
        requires_grad = True

    with pytest.warns(DemogradWarning) as caught:
        nn.Linear(1, 1).requires_grad = False
    assert str(caught[0].message) == (
        "Linear.requires_grad: a module has no such attribute, so nothing heeds it.\n"
        "  requires_grad: False\n"
        "module.requires_grad_(False) freezes all its parameters, requires_grad_(True) thaws "
        "them.\n"
        'If it is meant: warnings.filterwarnings("ignore", "Linear.requires_grad: a module has no '
        'such attribute, so nothing heeds it")'
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Own().requires_grad = False


@pytest.mark.parametrize("kind", [nn.MSELoss, nn.L1Loss, nn.CrossEntropyLoss, nn.NLLLoss])
def test_a_loss_is_not_made_with_the_tensors(kind):
    with pytest.raises(ArgumentTypeError) as error:
        kind(dg.zeros(2, 3), dg.zeros(2))
    assert str(error.value) == (
        f"{kind.__name__}: it is made with its settings, and called with the tensors.\n"
        "  first: shape (2, 3)\n"
        "  second: shape (2,)\n"
        f"{kind.__name__}()(input, target), or the function in nn.functional."
    )


@pytest.mark.parametrize("clip", [utils.clip_grad_norm_, utils.clip_grad_value_])
def test_clipping_nothing_is_warned_of_unless_nothing_was_given(clip):
    parameters = nn.Linear(2, 1).parameters()
    list(parameters)
    with pytest.warns(DemogradWarning) as used_up:
        clip(parameters, 1.0)
    with pytest.warns(DemogradWarning) as too_early:
        clip(nn.Linear(2, 1).parameters(), 1.0)
    assert [str(w.message).splitlines()[1:3] for w in (*used_up, *too_early)] == [
        [
            "  parameters: an iterator that gave none",
            "model.parameters() makes a new iterator each time.",
        ],
        ["  parameters: 2", "Clip between loss.backward() and optimizer.step()."],
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clip([], 1.0)


@pytest.mark.parametrize(
    ("rename", "mend"),
    [
        (
            lambda name: "module." + name,
            '{k.removeprefix("module."): v for k, v in state.items()} would fit.',
        ),
        (
            lambda name: name.removeprefix("last."),
            '{"last." + k: v for k, v in state.items()} would fit.',
        ),
        (lambda name: name[::-1], "strict=False passes over what is missing or unexpected."),
    ],
    ids=["longer", "shorter", "other"],
)
def test_a_state_whose_names_differ_by_a_prefix_is_told_apart(rename, mend):
    model = module()
    state = {rename(name): value for name, value in model.state_dict().items()}
    with pytest.raises(StateError) as error:
        model.load_state_dict(state)
    assert str(error.value).splitlines()[-1] == mend
