"""Early stopping and gradient clipping."""

import math

import numpy as np
import pytest

from demograd.errors import ArgumentError
from demograd.train import Callback, EarlyStopping, GradientClip, Run, fit


class Play(Callback):
    """Puts given values into the history, as if they had been measured."""

    def __init__(self, values):
        self.values = values

    def on_epoch_end(self, run):
        run.history[-1]["loss"] = self.values[run.epoch - 1]


def train(parts, values, stopping):
    c = parts.case()
    return fit(
        *(c.model, c.loss, c.optimizer, c.loader),
        epochs=len(values),
        callbacks=[Play(values), stopping],
    )


@pytest.mark.parametrize(
    ("values", "settings", "epochs"),
    [
        ([5, 4, 3, 2, 1], {"patience": 1}, 5),
        ([5, 4, 4, 3, 2], {"patience": 1}, 3),
        ([5, 6, 4, 5, 5, 3, 3], {"patience": 2}, 5),
        ([5, 4.95, 4.9, 4.8, 1], {"patience": 2, "min_delta": 0.1}, 3),
        ([5, 4.95, 4.8, 4.8, 4.79, 0], {"patience": 2, "min_delta": 0.1}, 5),
        ([1, 2, 3, 3, 4], {"patience": 1, "mode": "max"}, 4),
        ([math.nan, math.nan, 1, 1], {"patience": 2}, 2),
        ([3, math.nan, 2, math.nan, 1], {"patience": 2}, 5),
    ],
)
def test_it_stops_after_so_many_epochs_without_a_better_value(values, settings, epochs, parts):
    stopping = EarlyStopping("loss", **settings)
    history = train(parts, values, stopping)
    assert history["loss"] == pytest.approx(values[:epochs], nan_ok=True)


def test_it_says_why(parts):
    c = parts.case()
    run = Run(c.model, c.loss, c.optimizer, c.loader, epochs=9)
    stopping = EarlyStopping("loss", patience=2)
    for value in (1.0, 2.0, 3.0):
        run.history.append({"loss": value})
        stopping.on_epoch_end(run)
    assert run.stop_reason == "loss has not become better for 2 epochs"
    assert (stopping.best, stopping.waited) == (1.0, 2)


WRONG = {
    "patience": (
        {"patience": 0},
        "EarlyStopping: patience must be at least 1.\n  patience: 0\npatience=5 waits five epochs.",
    ),
    "mode": (
        {"mode": "lowest"},
        "EarlyStopping: mode must be 'min' or 'max'.\n  mode: 'lowest'\n"
        'mode="min" for a loss, mode="max" for an accuracy.',
    ),
    "min_delta": (
        {"min_delta": -1.0},
        "EarlyStopping: min_delta must be at least 0.\n  min_delta: -1.0\n"
        "min_delta=1e-4, for example.",
    ),
    "min_delta that is not a number": (
        {"min_delta": math.nan},
        "EarlyStopping: min_delta must be at least 0.\n  min_delta: nan\n"
        "min_delta=1e-4, for example.",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_setting_out_of_its_range_is_refused(name):
    settings, text = WRONG[name]
    with pytest.raises(ArgumentError) as e:
        EarlyStopping(**settings)
    assert str(e.value) == text


def test_a_column_that_will_not_be_there_is_refused_before_training(parts):
    with pytest.raises(ArgumentError) as e:
        train(parts, [1], EarlyStopping("accuracy"))
    assert str(e.value) == (
        "EarlyStopping: there is no 'accuracy' to watch.\n"
        "  each epoch has: epoch, loss, lr\n"
        'EarlyStopping(..., monitor="loss")'
    )


def test_gradients_are_clipped_between_backward_and_step(parts):
    c = parts.case()

    def clip(parameters, limit):
        for p in parameters:
            p.grad.data[...] = np.clip(p.grad.data, -limit, limit)
        return limit

    class Look(Callback):
        def on_gradients(self, run):
            assert all(abs(p.grad.data).max() <= 1e-3 for p in run.model.parameters())

    clipping = GradientClip(clip, limit=1e-3)
    before = [p.detach().numpy().copy() for p in c.model.parameters()]
    c.optimizer.param_groups[0]["momentum"] = 0.0
    fit(*(c.model, c.loss, c.optimizer, c.loader), epochs=1, callbacks=[clipping, Look()])
    moved = [
        abs(p.detach().numpy() - old).max()
        for p, old in zip(c.model.parameters(), before, strict=True)
    ]
    assert 0 < max(moved) <= 4 * 0.01 * 1e-3 * (1 + 1e-9)
    assert clipping.last == 1e-3
