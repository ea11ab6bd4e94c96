"""Lion keeps the interface, follows the paper, and is found by its entry point."""

from importlib.metadata import entry_points

import numpy as np
import pytest
from demograd_lion import Lion

import demograd as dg
from demograd.errors import ArgumentError, ArgumentTypeError, StateError
from demograd.testing import check_optimizer


def parameter(*values):
    return dg.tensor(list(values), requires_grad=True, dtype=dg.float64)


@pytest.mark.parametrize(
    "settings", [{}, {"betas": (0.5, 0.8)}, {"weight_decay": 0.1}], ids=["plain", "betas", "decay"]
)
def test_the_interface_is_kept(settings):
    check_optimizer(lambda params, **own: Lion(params, **settings, **own), lr=0.02)


def test_it_is_found_by_its_entry_point():
    (entry,) = entry_points(group="demograd.optimizers", name="lion")
    assert entry.load() is Lion


def test_steps_follow_the_papers_algorithm():
    random = np.random.default_rng(0)
    start, gradients = random.standard_normal(5), random.standard_normal((20, 5))
    x = dg.Tensor(np.array(start), requires_grad=True)
    optimizer = Lion([x], lr=0.01, betas=(0.9, 0.99), weight_decay=0.1)
    theta, m = start, np.zeros(5)
    for g in gradients:
        x.grad = dg.Tensor(g)
        optimizer.step()
        c = 0.9 * m + 0.1 * g
        theta = theta - 0.01 * (np.sign(c) + 0.1 * theta)
        m = 0.99 * m + 0.01 * g
        np.testing.assert_allclose(x.detach().numpy(), theta, rtol=1e-12)


def test_float32_stays_float32():
    x = dg.tensor([1.0, 2.0], requires_grad=True)
    x.grad = dg.ones(2)
    optimizer = Lion([x])
    optimizer.step()
    assert x.dtype == dg.float32
    assert optimizer.state_dict()["state"][0]["exp_avg"].dtype == dg.float32


def test_a_state_of_other_groups_is_refused():
    two = Lion([parameter(1.0), parameter(2.0)])
    with pytest.raises(StateError) as e:
        Lion([parameter(1.0)]).load_state_dict(two.state_dict())
    assert (
        str(e.value)
        == """\
Lion.load_state_dict: the state belongs to other groups of parameters.
  parameters saved: [2]
  parameters present: [1]"""
    )


def test_a_state_of_another_shape_is_refused():
    x = parameter(1.0, 2.0)
    x.grad = dg.ones(2, dtype=dg.float64)
    optimizer = Lion([x])
    optimizer.step()
    with pytest.raises(StateError) as e:
        Lion([parameter(1.0)]).load_state_dict(optimizer.state_dict())
    assert (
        str(e.value)
        == """\
Lion.load_state_dict: the state does not fit its parameter.
  parameter 0: shape (1,)
  exp_avg: (2,)"""
    )


x = parameter(1.0)

REFUSED = {
    "nothing": (
        lambda: Lion([]),
        ArgumentError,
        "Lion: there are no parameters.\nLion(model.parameters())",
    ),
    "an array": (
        lambda: Lion([np.zeros(2)]),
        ArgumentTypeError,
        "Lion: a parameter is not a Tensor.\n  it is a ndarray",
    ),
    "one twice": (
        lambda: Lion([x, x]),
        ArgumentError,
        "Lion: a parameter is there twice.\n  its shape: (1,)",
    ),
    "a negative rate": (
        lambda: Lion([x], lr=-1.0),
        ArgumentError,
        "Lion: lr is out of its range.\n  lr: -1.0",
    ),
    "a beta of one": (
        lambda: Lion([x], betas=(0.9, 1.0)),
        ArgumentError,
        "Lion: betas[1] is out of its range.\n  betas[1]: 1.0",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused(case):
    make, error, text = REFUSED[case]
    with pytest.raises(error) as e:
        make()
    assert str(e.value) == text
