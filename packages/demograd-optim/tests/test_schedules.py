"""Schedules: the rates that their docstrings promise, their state, and what they refuse."""

import copy
import json
import math
import warnings

import pytest

import demograd as dg
from demograd.errors import ArgumentError, ArgumentTypeError, DemogradWarning, StateError
from demograd.optim import SGD, Adagrad, Adam
from demograd.optim.lr_scheduler import (
    ConstantLR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    MultiStepLR,
    OneCycleLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)

EPOCHS = 40


def optimizer(lr=0.8, **chosen):
    return SGD([dg.zeros(1, requires_grad=True)], lr=lr, **chosen)


def cosine(share):
    return (1 + math.cos(math.pi * share)) / 2


def restarted(t, first, longer):
    length = first
    while t >= length:
        t, length = t - length, length * longer
    return cosine(t / length)


def one_cycle(t, total):
    rise = 0.3 * total - 1
    if t <= rise:
        return 1 + (1 / 25 - 1) * cosine(t / rise)
    lowest = 1 / 25 / 1e4
    return lowest + (1 - lowest) * cosine((t - rise) / (total - 1 - rise))


# What the rate is at each epoch, as a multiple of 0.8.
CASES = {
    "StepLR": (lambda o: StepLR(o, 7, 0.5), lambda t: 0.5 ** (t // 7)),
    "MultiStepLR": (
        lambda o: MultiStepLR(o, [30, 4, 4, 9], 0.5),
        lambda t: 0.5 ** sum(t >= milestone for milestone in (30, 4, 4, 9)),
    ),
    "ExponentialLR": (lambda o: ExponentialLR(o, 0.9), lambda t: 0.9**t),
    "ConstantLR": (lambda o: ConstantLR(o, 0.25, 6), lambda t: 0.25 if t < 6 else 1.0),
    "ConstantLR from nothing": (lambda o: ConstantLR(o, 0.0, 3), lambda t: float(t >= 3)),
    "LinearLR": (
        lambda o: LinearLR(o, 0.25, 0.75, 10),
        lambda t: 0.25 + 0.5 * min(t / 10, 1.0),
    ),
    "LambdaLR": (lambda o: LambdaLR(o, lambda t: 0.95**t), lambda t: 0.95**t),
    "CosineAnnealingLR": (
        lambda o: CosineAnnealingLR(o, 15, eta_min=0.08),
        lambda t: 0.1 + 0.9 * cosine(t / 15),
    ),
    "CosineAnnealingWarmRestarts": (
        lambda o: CosineAnnealingWarmRestarts(o, 5, 2),
        lambda t: restarted(t, 5, 2),
    ),
    "OneCycleLR": (lambda o: OneCycleLR(o, 0.8, 40), lambda t: one_cycle(t, 40)),
    "SequentialLR": (
        lambda o: SequentialLR(
            o,
            [LinearLR(o, 0.5, 1.0, 10), CosineAnnealingLR(o, 20), ConstantLR(o, 0.1, 99)],
            [10, 30],
        ),
        lambda t: 0.5 + t / 20 if t < 10 else cosine((t - 10) / 20) if t < 30 else 0.1,
    ),
}
SCHEDULES = pytest.mark.parametrize("name", CASES)


def go_on(o, schedule, epochs):
    rates = []
    for _ in range(epochs):
        rates += schedule.get_last_lr()
        assert rates[-1] == o.param_groups[0]["lr"]
        o.step()
        schedule.step()
    return rates


@SCHEDULES
def test_rates_follow_the_formula(name):
    make, expected = CASES[name]
    o = optimizer(momentum=0.9)
    rates = go_on(o, make(o), EPOCHS)
    assert rates == pytest.approx([0.8 * expected(t) for t in range(EPOCHS)], rel=1e-9, abs=1e-12)


@SCHEDULES
def test_a_resumed_schedule_equals_an_unbroken_one(name):
    make, _ = CASES[name]
    whole = optimizer(momentum=0.9)
    expected = go_on(whole, make(whole), EPOCHS)

    begun = optimizer(momentum=0.9)
    schedule = make(begun)
    go_on(begun, schedule, 13)
    kept = json.loads(json.dumps([begun.state_dict(), schedule.state_dict()]))
    go_on(begun, schedule, 5)
    resumed = optimizer(momentum=0.9)
    following = make(resumed)
    resumed.load_state_dict(kept[0])
    following.load_state_dict(kept[1])
    assert go_on(resumed, following, EPOCHS - 13) == expected[13:]
    assert resumed.state_dict()["param_groups"] == whole.state_dict()["param_groups"]


@SCHEDULES
def test_another_schedules_state_is_refused_and_nothing_changed(name):
    make, _ = CASES[name]
    o = optimizer(momentum=0.9)
    schedule = make(o)
    before = copy.deepcopy(schedule.state_dict())
    with pytest.raises(StateError, match=f"^{type(schedule).__name__}.load_state_dict: the state"):
        schedule.load_state_dict({"last_epoch": 3})
    assert schedule.state_dict() == before


def test_the_refusal_names_what_lacks_and_what_is_unknown():
    o = optimizer()
    with pytest.raises(StateError) as e:
        ExponentialLR(o, 0.5).load_state_dict(ReduceLROnPlateau(o).state_dict())
    assert (
        str(e.value)
        == """\
ExponentialLR.load_state_dict: the state belongs to something else.
  missing: _step_count, base_lrs, gamma
  unknown: best, cooldown, cooldown_counter, eps, factor, min_lrs, mode, num_bad_epochs, patience, threshold, threshold_mode
Give what ExponentialLR.state_dict() returned."""  # noqa: E501
    )


def test_each_group_follows_from_its_own_rate():
    o = SGD([{"params": [dg.zeros(1)]}, {"params": [dg.zeros(1)], "lr": 0.2}], lr=0.8)
    schedule = LambdaLR(o, [lambda t: 0.5**t, lambda t: 1 + t])
    o.step()
    schedule.step()
    assert schedule.get_last_lr() == [0.4, 0.4]


def test_a_rate_in_a_tensor_stays_in_it():
    rate = dg.tensor(0.5, dtype=dg.float64)
    o = optimizer(lr=rate)
    schedule = ExponentialLR(o, 0.5)
    o.step()
    schedule.step()
    assert o.param_groups[0]["lr"] is rate
    assert rate.item() == 0.25
    assert schedule.base_lrs == [0.5]
    assert schedule.get_last_lr() == [0.25]


def test_attributes_of_callable_objects_are_saved():
    class Warmth:
        def __init__(self, warmth):
            self.warmth = warmth

        def __call__(self, epoch):
            return self.warmth

    o = optimizer()
    state = LambdaLR(o, Warmth(0.25)).state_dict()
    assert state["lr_lambdas"] == [{"warmth": 0.25}]
    schedule = LambdaLR(o, Warmth(0.5))
    schedule.load_state_dict(state)
    schedule.optimizer.step()
    schedule.step()
    assert schedule.get_last_lr() == [0.2]


@pytest.mark.parametrize(("kind", "setting"), [(SGD, "momentum"), (Adam, "betas")])
def test_the_momentum_goes_against_the_rate(kind, setting):
    o = kind([dg.zeros(1)], lr=0.1, **({"momentum": 0.9} if kind is SGD else {}))
    schedule = OneCycleLR(o, max_lr=1.0, total_steps=10, base_momentum=0.8, max_momentum=0.9)
    momenta = []
    for _ in range(10):
        value = o.param_groups[0][setting]
        momenta.append(value if kind is SGD else value[0])
        o.step()
        schedule.step()
    assert momenta[0] == 0.9
    assert momenta[2] == pytest.approx(0.8)
    assert momenta[9] == pytest.approx(0.9)
    assert momenta[2:] == sorted(momenta[2:])
    assert momenta[:3] == sorted(momenta[:3], reverse=True)


def test_the_plateau_waits_and_rests():
    o = optimizer()
    schedule = ReduceLROnPlateau(o, factor=0.5, patience=1, cooldown=2, min_lr=0.15)
    rates = []
    for loss in [dg.tensor(3.0), 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0]:
        schedule.step(loss)
        rates += schedule.get_last_lr()
    # Two bad epochs are one too many; then two do not count, and two are bad again.
    assert rates == [0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.4, 0.2, 0.2, 0.2, 0.2, 0.15, 0.15, 0.15]
    resumed = ReduceLROnPlateau(optimizer(), factor=0.9)
    resumed.load_state_dict(json.loads(json.dumps(schedule.state_dict())))
    assert resumed.state_dict() == schedule.state_dict()


class Foreign:
    """An optimizer of the interface and nothing more."""

    def __init__(self):
        self.param_groups = [{"params": [], "lr": 0.8}]

    def step(self, closure=None):
        pass

    def zero_grad(self, set_to_none=True):
        pass

    def state_dict(self):
        return {}

    def load_state_dict(self, state_dict):
        pass

    def add_param_group(self, param_group):
        pass


class FrozenForeign(Foreign):
    __slots__ = ()

    def __setattr__(self, name, value):
        if name == "step":
            raise AttributeError(name)
        super().__setattr__(name, value)


@pytest.mark.parametrize("kind", [Foreign, FrozenForeign])
def test_any_optimizer_of_the_interface_is_taken(kind):
    o = kind()
    assert go_on(o, ExponentialLR(o, 0.5), 3) == [0.8, 0.4, 0.2]


@pytest.mark.parametrize("make", [optimizer, Foreign])
def test_a_schedule_that_goes_first_is_warned_of_once(make):
    o = make()
    schedule = StepLR(o, 2)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        schedule.step()
        assert len(caught) == 1
        schedule.step()
        o.step()
        schedule.step()
    (warning,) = caught
    assert warning.category is DemogradWarning
    assert str(warning.message) == (
        "StepLR.step: the optimizer has not stepped yet, so the first learning rate is skipped.\n"
        f"  skipped: {o.param_groups[0]['initial_lr']:g}\n"
        "optimizer.step() comes first, then the schedule's.\n"
        'If it is meant: warnings.filterwarnings("ignore", "StepLR.step: the optimizer has not '
        'stepped yet, so the first learning rate is skipped")'
    )
    assert warning.filename == __file__


@pytest.mark.parametrize("make", [optimizer, Foreign])
def test_the_right_order_is_not_warned_of(make):
    o = make()
    first, second = StepLR(o, 2), ExponentialLR(o, 0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(3):
            o.step()
            first.step()
            second.step()


def test_the_step_that_is_watched_is_the_optimizers_own():
    o = optimizer()
    StepLR(o, 2)
    StepLR(o, 2)
    assert o.step.__wrapped__ is SGD.step
    assert o.step(lambda: 7) == 7
    assert "step" not in vars(copy.deepcopy(o))


def test_a_run_may_go_on_by_the_number_of_its_last_epoch():
    o = optimizer()
    o.param_groups[0].update(initial_lr=0.8, lr=0.4)
    schedule = ExponentialLR(o, 0.5, last_epoch=1)
    assert schedule.get_last_lr() == [0.2]
    assert schedule.last_epoch == 2


other = optimizer()
plain = optimizer()

REFUSED = {
    "no optimizer": (
        lambda: StepLR([0.1], 3),
        ArgumentTypeError,
        """\
StepLR: the first argument is no optimizer.
  optimizer: list
StepLR(optimizer, ...)""",
    ),
    "a run that has not begun": (
        lambda: StepLR(optimizer(), 3, last_epoch=5),
        ArgumentError,
        """\
StepLR: a run is to go on, and a group has no initial_lr.
  group 0: dampening, lr, maximize, momentum, nesterov, params, weight_decay
  last_epoch: 5
Load the optimizer's state first, or begin with last_epoch=-1.""",
    ),
    "steps of no length": (
        lambda: StepLR(optimizer(), 0),
        ArgumentError,
        """\
StepLR: step_size is not a whole number from 1 up.
  step_size: 0""",
    ),
    "a period of a fraction": (
        lambda: CosineAnnealingLR(optimizer(), 2.5),
        ArgumentError,
        """\
CosineAnnealingLR: T_max is not a whole number from 1 up.
  T_max: 2.5""",
    ),
    "a factor above one": (
        lambda: ConstantLR(optimizer(), 1.5),
        ArgumentError,
        """\
ConstantLR: factor is out of its range.
  factor: 1.5
It must be from 0 up to 1.""",
    ),
    "a start from nothing": (
        lambda: LinearLR(optimizer(), 0.0),
        ArgumentError,
        """\
LinearLR: start_factor is out of its range.
  start_factor: 0.0
It must be above 0, up to 1.""",
    ),
    "too many functions": (
        lambda: LambdaLR(optimizer(), [abs, abs]),
        ArgumentError,
        """\
LambdaLR: lr_lambda needs one value for each group.
  lr_lambda: 2
  groups: 1
Give one value for all, or a list of that length.""",
    ),
    "an epoch before the first": (
        lambda: CosineAnnealingWarmRestarts(optimizer(), 3).step(-1),
        ArgumentError,
        """\
CosineAnnealingWarmRestarts.step: the epoch is negative.
  epoch: -1""",
    ),
    "no number of steps": (
        lambda: OneCycleLR(optimizer(), 0.1, epochs=3),
        ArgumentError,
        """\
OneCycleLR: the number of steps is not given.
Give total_steps, or both epochs and steps_per_epoch.""",
    ),
    "a part above one": (
        lambda: OneCycleLR(optimizer(), 0.1, 10, pct_start=30),
        ArgumentError,
        """\
OneCycleLR: pct_start is out of its range.
  pct_start: 30
It must be from 0 up to 1.""",
    ),
    "a curve that is not known": (
        lambda: OneCycleLR(optimizer(), 0.1, 10, anneal_strategy="exp"),
        ArgumentError,
        """\
OneCycleLR: the anneal_strategy is not known.
  anneal_strategy: 'exp'
It must be "cos" or "linear".""",
    ),
    "no momentum": (
        lambda: OneCycleLR(Adagrad([dg.zeros(1)]), 0.1, 10),
        ArgumentError,
        """\
OneCycleLR: the optimizer has no momentum that could be cycled.
  group 0: eps, initial_accumulator_value, initial_lr, lr, lr_decay, max_lr, maximize, min_lr, params, weight_decay
OneCycleLR(optimizer, ..., cycle_momentum=False)""",  # noqa: E501
    ),
    "a factor that does not reduce": (
        lambda: ReduceLROnPlateau(optimizer(), factor=1.0),
        ArgumentError,
        """\
ReduceLROnPlateau: factor is not below 1.
  factor: 1.0
The rate is multiplied by it, and is to fall.""",
    ),
    "a mode that is not known": (
        lambda: ReduceLROnPlateau(optimizer(), mode="lowest"),
        ArgumentError,
        """\
ReduceLROnPlateau: the mode is not known.
  mode: 'lowest'
It must be "min" or "max".""",
    ),
    "a sequence of nothing": (
        lambda: SequentialLR(plain, [], []),
        ArgumentError,
        """\
SequentialLR: there must be one milestone fewer than schedules.
  schedules: 0
  milestones: 0
Each milestone is the epoch at which the next schedule begins.""",
    ),
    "a sequence over two optimizers": (
        lambda: SequentialLR(plain, [StepLR(plain, 2), StepLR(other, 2)], [3]),
        ArgumentError,
        """\
SequentialLR: one of the schedules belongs to another optimizer.
  schedulers[1]: StepLR
Make all of them with the same optimizer.""",
    ),
    "a plateau in a sequence": (
        lambda: SequentialLR(plain, [ReduceLROnPlateau(plain)], []),
        ArgumentTypeError,
        """\
SequentialLR: one of the schedules is none that step() moves on.
  schedulers[0]: ReduceLROnPlateau
Give schedules whose step() takes no argument.""",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused(case):
    make, error, text = REFUSED[case]
    with pytest.raises(error) as e:
        make()
    assert str(e.value) == text


def test_more_steps_than_announced_are_refused():
    o = optimizer(momentum=0.9)
    schedule = OneCycleLR(o, 0.1, total_steps=2)
    go_on(o, schedule, 2)
    with pytest.raises(ArgumentError) as e:
        schedule.step()
    assert (
        str(e.value)
        == """\
OneCycleLR.step: all steps are done.
  total_steps: 2
  this step: 3
Give the schedule as many steps as the training has."""
    )


def test_a_schedule_without_rates_says_so():
    class Nothing(LRScheduler):
        pass

    with pytest.raises(NotImplementedError, match=r"Nothing\.get_lr is not written"):
        Nothing(optimizer())
