"""Learning-rate schedules as callbacks: by epoch, by batch, by a number that is watched."""

import pytest

from demograd import Tensor
from demograd.errors import (
    ArgumentError,
)
from demograd.train import Schedule, fit


def test_a_schedule_by_batch_steps_after_each_batch(parts):
    c = parts.case()
    schedule = Schedule(parts.Halving(c.optimizer, 0.9), by="batch")
    history = fit(c.model, c.loss, c.optimizer, c.loader, epochs=2, schedule=schedule)
    assert schedule.scheduler.steps == 8
    assert history["lr"] == pytest.approx([0.01 * 0.9**4, 0.01 * 0.9**8])


@pytest.mark.parametrize(("validation", "monitor"), [(True, "val_loss"), (False, "loss")])
def test_a_schedule_that_asks_for_a_value_is_given_the_watched_one(validation, monitor, parts):
    c = parts.case()
    plateau = parts.Plateau(c.optimizer)
    history = fit(
        *(c.model, c.loss, c.optimizer, c.loader),
        epochs=3,
        validation=[(Tensor(c.x), Tensor(c.y))] if validation else None,
        schedule=plateau,
    )
    assert plateau.seen == history[monitor]


SCHEDULES = {
    "by something else": (
        lambda p, o: Schedule(p.Halving(o), by="step"),
        "Schedule: by must be 'epoch' or 'batch'.\n  by: 'step'\nby=\"batch\"",
    ),
    "a value a batch": (
        lambda p, o: Schedule(p.Plateau(o), by="batch"),
        "Schedule: a number can be watched by epochs only.\n"
        "  scheduler: Plateau, whose step() takes a value\n"
        'Schedule(scheduler, by="epoch")',
    ),
    "a value that is not taken": (
        lambda p, o: Schedule(p.Halving(o), monitor="loss"),
        "Schedule: this schedule watches no number.\n"
        "  scheduler: Halving\n  monitor: 'loss'\nLeave monitor out.",
    ),
    "another optimizer": (
        lambda p, o: Schedule(p.Halving(p.Momentum(p.Net().parameters()))),
        "Schedule: the schedule belongs to another optimizer than the one that trains.\n"
        "  scheduler: Halving of a Momentum\n"
        "Make it of this one: StepLR(optimizer, step_size=10).",
    ),
    "no such column": (
        lambda p, o: Schedule(p.Plateau(o), monitor="val_loss"),
        "Schedule: there is no 'val_loss' to watch, which needs validation=...\n"
        "  each epoch has: epoch, loss, lr\n"
        'Schedule(..., monitor="loss")',
    ),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_that_does_not_fit_is_refused(name, parts):
    make, text = SCHEDULES[name]
    c = parts.case()
    with pytest.raises(ArgumentError) as e:
        fit(*(c.model, c.loss, c.optimizer, c.loader), epochs=1, schedule=make(parts, c.optimizer))
    assert str(e.value) == text
