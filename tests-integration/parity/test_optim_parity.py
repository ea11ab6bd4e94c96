"""Optimizers and schedules do what PyTorch's do, setting by setting and step by step."""

import itertools
import warnings

import numpy as np
import pytest
import torch

import demograd as dg
from demograd import optim

SHAPES = [(3, 4), (4,), (), (2, 1, 3)]
STEPS = 100


def settings(**choices):
    """Every combination of the given values."""
    return [
        dict(zip(choices, values, strict=True)) for values in itertools.product(*choices.values())
    ]


CASES = [
    *(
        ("SGD", {"lr": 0.05, **chosen})
        for chosen in settings(
            momentum=[0.0, 0.9],
            dampening=[0.0, 0.3],
            weight_decay=[0.0, 0.1],
            nesterov=[False, True],
            maximize=[False, True],
        )
        if not chosen["nesterov"] or (chosen["momentum"] and not chosen["dampening"])
    ),
    *(
        (name, {"lr": 0.05, **chosen})
        for name in ("Adam", "AdamW")
        for chosen in settings(
            betas=[(0.9, 0.999), (0.5, 0.8)],
            eps=[1e-8, 1e-3],
            weight_decay=[0.0, 0.1],
            amsgrad=[False, True],
            maximize=[False, True],
        )
    ),
    ("Adam", {"decoupled_weight_decay": True, "weight_decay": 0.1}),
    *(
        ("RMSprop", {"lr": 0.05, **chosen})
        for chosen in settings(
            alpha=[0.99, 0.6],
            eps=[1e-8, 1e-3],
            weight_decay=[0.0, 0.1],
            momentum=[0.0, 0.9],
            centered=[False, True],
            maximize=[False, True],
        )
    ),
    *(
        ("Adagrad", {"lr": 0.05, **chosen})
        for chosen in settings(
            lr_decay=[0.0, 0.1],
            weight_decay=[0.0, 0.1],
            initial_accumulator_value=[0.0, 0.5],
            eps=[1e-10, 1e-3],
            maximize=[False, True],
        )
    ),
    *((name, {}) for name in ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad")),
]


def label(case):
    name, chosen = case
    return f"{name}-" + "-".join(f"{key}={value}" for key, value in chosen.items() if value)


class Pair:
    """The same problem in both libraries: parameters, and gradients that depend on them."""

    def __init__(self):
        random = np.random.default_rng(0)
        starts = [random.standard_normal(shape) for shape in SHAPES]
        self.targets = [random.standard_normal(shape) for shape in SHAPES]
        self.noise = np.random.default_rng(1)
        self.ours = [dg.Tensor(np.array(x), requires_grad=True) for x in starts]
        self.theirs = [torch.tensor(x, requires_grad=True) for x in starts]
        self.time = 0

    def set_gradients(self):
        """Of a bowl with a ripple, and noise; the second parameter has none at every third step."""
        self.time += 1
        rows = zip(self.ours, self.theirs, self.targets, strict=True)
        for place, (ours, theirs, target) in enumerate(rows):
            noise = 0.1 * self.noise.standard_normal(target.shape)

            def slope(x, target=target, noise=noise):
                return np.asarray(0.3 * (x - target) + 0.2 * np.sin(3 * x) + noise)

            if place == 1 and self.time % 3 == 0:
                ours.grad = theirs.grad = None
            else:
                ours.grad = dg.Tensor(slope(ours.detach().numpy()))
                theirs.grad = torch.tensor(slope(theirs.detach().numpy()))

    def step(self, ours, theirs):
        self.set_gradients()
        ours.step()
        theirs.step()

    def assert_same(self, tolerance=1e-9):
        for ours, theirs in zip(self.ours, self.theirs, strict=True):
            np.testing.assert_allclose(
                ours.detach().numpy(), theirs.detach().numpy(), rtol=tolerance, atol=tolerance
            )


@pytest.mark.parametrize("case", CASES, ids=label)
def test_a_hundred_steps_are_the_same(case):
    name, chosen = case
    pair = Pair()
    ours = getattr(optim, name)(pair.ours, **chosen)
    theirs = getattr(torch.optim, name)(pair.theirs, **chosen)
    for step in range(STEPS):
        pair.step(ours, theirs)
        if step < 5 or step % 10 == 9:
            pair.assert_same()


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"])
def test_groups_and_changes_of_the_learning_rate_are_the_same(name):
    pair = Pair()

    def made(library, params):
        groups = [{"params": params[:2]}, {"params": params[2:3], "lr": 0.2, "weight_decay": 0.1}]
        made = getattr(library, name)(groups, lr=0.1)
        made.add_param_group({"params": params[3], "lr": 0.01})
        return made

    ours, theirs = made(optim, pair.ours), made(torch.optim, pair.theirs)
    for step in range(20):
        for group in (*ours.param_groups, *theirs.param_groups):
            group["lr"] *= 0.9 if step % 2 else 1.05
        pair.step(ours, theirs)
        pair.assert_same()


STATEFUL = [
    ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.1}),
    ("Adam", {"lr": 0.05, "amsgrad": True}),
    ("AdamW", {"lr": 0.05}),
    ("RMSprop", {"lr": 0.05, "momentum": 0.9, "centered": True}),
    ("Adagrad", {"lr": 0.05, "lr_decay": 0.1}),
]


def plain(state_dict):
    """PyTorch's state without its tensors, as a file would give it."""
    state = {
        place: {
            name: value.numpy() if isinstance(value, torch.Tensor) else value
            for name, value in kept.items()
        }
        for place, kept in state_dict["state"].items()
    }
    return {**state_dict, "state": state}


@pytest.mark.parametrize(("name", "chosen"), STATEFUL)
def test_a_state_of_pytorch_is_taken_over(name, chosen):
    pair = Pair()
    make_ours, make_theirs = getattr(optim, name), getattr(torch.optim, name)
    ours, theirs = make_ours(pair.ours, **chosen), make_theirs(pair.theirs, **chosen)
    for _ in range(10):
        pair.step(ours, theirs)
    resumed = make_ours(pair.ours)
    resumed.load_state_dict(plain(theirs.state_dict()))
    for _ in range(20):
        pair.step(resumed, theirs)
        pair.assert_same()


@pytest.mark.parametrize(("name", "chosen"), STATEFUL)
def test_the_state_has_pytorchs_names_and_shapes(name, chosen):
    pair = Pair()
    ours = getattr(optim, name)(pair.ours, **chosen)
    theirs = getattr(torch.optim, name)(pair.theirs, **chosen)
    for _ in range(4):
        pair.step(ours, theirs)
    mine, reference = ours.state_dict(), theirs.state_dict()
    assert list(mine["state"]) == list(reference["state"])
    for place, kept in reference["state"].items():
        assert set(mine["state"][place]) == set(kept)
        for key, value in kept.items():
            found = mine["state"][place][key]
            if key == "step":
                assert found == value.item()
            else:
                np.testing.assert_allclose(found.numpy(), value.numpy(), rtol=1e-9, atol=1e-12)
    for group, expected in zip(mine["param_groups"], reference["param_groups"], strict=True):
        assert {key: expected[key] for key in group} == group


def halving(epoch):
    return 1 / (1 + epoch)


SCHEDULES = [
    ("StepLR", {"step_size": 7, "gamma": 0.3}),
    ("StepLR", {"step_size": 1}),
    ("MultiStepLR", {"milestones": [30, 5, 5, 8], "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [0, 3]}),
    ("ExponentialLR", {"gamma": 0.95}),
    ("ConstantLR", {"factor": 0.25, "total_iters": 6}),
    ("ConstantLR", {}),
    ("LinearLR", {"start_factor": 0.1, "end_factor": 0.7, "total_iters": 9}),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.0, "total_iters": 20}),
    ("LinearLR", {}),
    ("LambdaLR", {"lr_lambda": halving}),
    ("CosineAnnealingLR", {"T_max": 12, "eta_min": 0.01}),
    ("CosineAnnealingLR", {"T_max": 1}),
    ("CosineAnnealingLR", {"T_max": 60}),
    ("CosineAnnealingWarmRestarts", {"T_0": 4, "T_mult": 2, "eta_min": 0.01}),
    ("CosineAnnealingWarmRestarts", {"T_0": 7}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 50}),
    ("OneCycleLR", {"max_lr": [0.5, 0.2], "total_steps": 50, "anneal_strategy": "linear"}),
    ("OneCycleLR", {"max_lr": 0.5, "epochs": 5, "steps_per_epoch": 10, "three_phase": True}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 50, "cycle_momentum": False}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 60, "pct_start": 0.0, "div_factor": 5.0}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 60, "base_momentum": [0.7, 0.6]}),
]


def optimizers(name="SGD"):
    chosen = {"lr": 0.1, **({"momentum": 0.9} if name == "SGD" else {})}
    ours = getattr(optim, name)(
        [{"params": [dg.zeros(1)]}, {"params": [dg.zeros(1)], "lr": 0.3}], **chosen
    )
    theirs = getattr(torch.optim, name)(
        [{"params": [torch.zeros(1)]}, {"params": [torch.zeros(1)], "lr": 0.3}], **chosen
    )
    return ours, theirs


def numbers(optimizer):
    """What schedules change in each group."""
    return [
        [group["lr"], *group.get("betas", [group.get("momentum", 0.0)])]
        for group in optimizer.param_groups
    ]


@pytest.mark.parametrize("optimizer", ["SGD", "AdamW"])
@pytest.mark.parametrize(("name", "chosen"), SCHEDULES)
def test_fifty_epochs_of_a_schedule_are_the_same(name, chosen, optimizer):
    ours, theirs = optimizers(optimizer)
    schedule = getattr(optim.lr_scheduler, name)(ours, **chosen)
    reference = getattr(torch.optim.lr_scheduler, name)(theirs, **chosen)
    for _ in range(50):
        np.testing.assert_allclose(numbers(ours), numbers(theirs), rtol=1e-12, atol=1e-15)
        assert schedule.last_epoch == reference.last_epoch
        np.testing.assert_allclose(
            schedule.get_last_lr(), reference.get_last_lr(), rtol=1e-12, atol=1e-15
        )
        ours.step()
        theirs.step()
        schedule.step()
        reference.step()
    np.testing.assert_allclose(numbers(ours), numbers(theirs), rtol=1e-12, atol=1e-15)


def test_schedules_side_by_side_are_the_same():
    ours, theirs = optimizers()

    def two(library, optimizer):
        schedules = library.optim.lr_scheduler
        return [schedules.ExponentialLR(optimizer, 0.9), schedules.StepLR(optimizer, 4, 0.5)]

    pairs = list(zip(two(dg, ours), two(torch, theirs), strict=True))
    for _ in range(50):
        ours.step()
        theirs.step()
        for schedule, reference in pairs:
            schedule.step()
            reference.step()
        np.testing.assert_allclose(numbers(ours), numbers(theirs), rtol=1e-12)


def test_schedules_in_sequence_are_the_same():
    ours, theirs = optimizers()

    def sequence(library, optimizer):
        schedules = library.optim.lr_scheduler
        parts = [
            schedules.LinearLR(optimizer, 0.1, total_iters=5),
            schedules.CosineAnnealingLR(optimizer, T_max=20, eta_min=0.001),
            schedules.ConstantLR(optimizer, 0.5, total_iters=3),
            schedules.ExponentialLR(optimizer, 0.8),
        ]
        return schedules.SequentialLR(optimizer, parts, milestones=[5, 25, 35])

    schedule, reference = sequence(dg, ours), sequence(torch, theirs)
    for _ in range(50):
        np.testing.assert_allclose(numbers(ours), numbers(theirs), rtol=1e-12)
        np.testing.assert_allclose(schedule.get_last_lr(), reference.get_last_lr(), rtol=1e-12)
        ours.step()
        theirs.step()
        schedule.step()
        reference.step()


@pytest.mark.parametrize("epochs", [[0.0, 0.25, 3.5, 4.0, 11.75, 12.0, 28.5], [9, None, 2, None]])
@pytest.mark.parametrize("longer", [1, 2, 3])
def test_warm_restarts_go_to_the_epoch_that_is_named(epochs, longer):
    ours, theirs = optimizers()
    schedule = optim.lr_scheduler.CosineAnnealingWarmRestarts(ours, T_0=4, T_mult=longer)
    reference = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(theirs, T_0=4, T_mult=longer)
    ours.step()
    theirs.step()
    for epoch in epochs:
        schedule.step(epoch)
        reference.step(epoch)
        assert schedule.last_epoch == reference.last_epoch
        np.testing.assert_allclose(numbers(ours), numbers(theirs), rtol=1e-9)


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
@pytest.mark.parametrize("cooldown", [0, 3])
def test_a_plateau_is_seen_at_the_same_epochs(mode, threshold_mode, cooldown):
    ours, theirs = optimizers()
    chosen = {
        "mode": mode,
        "threshold_mode": threshold_mode,
        "cooldown": cooldown,
        "factor": 0.4,
        "patience": 2,
        "threshold": 0.05,
        "min_lr": [1e-4, 1e-2],
    }
    schedule = optim.lr_scheduler.ReduceLROnPlateau(ours, **chosen)
    reference = torch.optim.lr_scheduler.ReduceLROnPlateau(theirs, **chosen)
    metrics = 2 + np.cumsum(np.random.default_rng(3).standard_normal(50) * 0.2)
    for metric in metrics:
        schedule.step(metric)
        reference.step(metric)
        np.testing.assert_allclose(numbers(ours), numbers(theirs), rtol=1e-12)
        assert schedule.num_bad_epochs == reference.num_bad_epochs
    assert numbers(ours)[0][0] < 0.1


@pytest.mark.parametrize("library", [dg, torch], ids=["demograd", "torch"])
@pytest.mark.parametrize("first", ["optimizer", "schedule"])
def test_both_warn_when_the_schedule_goes_first(library, first):
    optimizer = library.optim.SGD([library.zeros(1)], lr=0.1)
    schedule = library.optim.lr_scheduler.StepLR(optimizer, 3)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for turn in (optimizer, schedule) if first == "optimizer" else (schedule, optimizer):
            turn.step()
        schedule.step()
    assert [issubclass(warning.category, UserWarning) for warning in caught] == (
        [] if first == "optimizer" else [True]
    )
