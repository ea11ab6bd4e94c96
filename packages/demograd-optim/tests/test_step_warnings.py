"""What a step warns of, and the patterns beside it that it lets pass."""

import copy
import pickle
import warnings

import pytest

import demograd as dg
from demograd.errors import DemogradWarning
from demograd.optim import SGD, Adam

MIXED = "SGD.step: gradients still hold those of an earlier step."


def warned(run):
    """The headlines of what a program warns of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run()
    assert {warning.category for warning in caught} <= {DemogradWarning}
    return [str(warning.message).splitlines()[0] for warning in caught]


def leaf(*values):
    return dg.tensor(values or [1.0, 2.0], requires_grad=True)


def square(x):
    return (x * x).sum()


@pytest.mark.parametrize("x", [leaf(), dg.tensor(1.0, requires_grad=True)], ids=["array", "number"])
def test_a_gradient_with_that_of_an_earlier_step_in_it_is_warned_of(x):
    optimizer = SGD([x], lr=0.1)

    def run():
        for _ in range(3):
            square(x).backward()
            optimizer.step()

    assert warned(run) == [MIXED, MIXED]


def clear_by(optimizer, x, how):
    if how == "None":
        optimizer.zero_grad()
    elif how == "zeros":
        optimizer.zero_grad(set_to_none=False)
    elif how == "in place":
        x.grad.zero_()
    elif how == "array":
        x.grad.data[...] = 0.0
    else:
        x.grad = dg.zeros(2)


@pytest.mark.parametrize("how", ["None", "zeros", "in place", "array", "assigned"])
def test_gradients_that_were_cleared_are_not_warned_of(how):
    x = leaf()
    optimizer = SGD([x], lr=0.1)

    def run():
        for _ in range(3):
            square(x).backward()
            optimizer.step()
            clear_by(optimizer, x, how)

    assert warned(run) == []


def test_several_backward_passes_before_one_step_are_not_warned_of():
    x = leaf()
    optimizer = SGD([x], lr=0.1)

    def run():
        for step in range(6):
            (square(x) / 3).backward()
            if step % 3 == 2:
                optimizer.step()
                optimizer.zero_grad()

    assert warned(run) == []


def test_two_optimizers_that_clear_before_their_own_pass_are_not_warned_of():
    # The generator's loss adds to the gradients that the discriminator's step has used.
    made, judge = leaf(), leaf()
    first, second = SGD([judge], lr=0.1), SGD([made], lr=0.1)

    def run():
        for _ in range(3):
            first.zero_grad()
            (made.detach() * judge).sum().backward()
            first.step()
            second.zero_grad()
            (made * judge).sum().backward()
            second.step()

    assert warned(run) == []


def test_a_closure_that_clears_is_not_warned_of_and_one_that_does_not_is():
    x = leaf()
    optimizer = SGD([x], lr=0.1)

    def closure(clears):
        if clears:
            optimizer.zero_grad()
        loss = square(x)
        loss.backward()
        return loss

    assert warned(lambda: [optimizer.step(lambda: closure(True)) for _ in range(3)]) == []
    assert warned(lambda: optimizer.step(lambda: closure(False))) == [MIXED]


def test_steps_that_only_drive_a_schedule_are_not_warned_of():
    optimizer = SGD([leaf()], lr=0.1)
    schedule = dg.optim.lr_scheduler.StepLR(optimizer, 2)

    def run():
        for _ in range(4):
            optimizer.step()
            schedule.step()

    assert warned(run) == []


def test_a_step_without_gradients_after_something_was_recorded_is_warned_of():
    x = leaf()
    optimizer = Adam([x])
    loss = square(x)
    none = "Adam.step: no parameter has a gradient, so nothing is changed."
    assert warned(optimizer.step) == [none]
    assert warned(optimizer.step) == []  # nothing new was recorded
    loss.backward()
    assert warned(optimizer.step) == []


def test_some_parameters_without_a_gradient_are_not_warned_of():
    used, unused = leaf(), leaf()
    optimizer = SGD([{"params": [used]}, {"params": [unused]}], lr=0.1)
    square(used).backward()
    assert warned(optimizer.step) == []


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_gradient_that_is_not_finite_is_warned_of_before_the_parameter_is_spoiled(bad):
    x = leaf()
    optimizer = SGD([x], lr=0.1)
    x.grad = dg.tensor([bad, 1.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error", DemogradWarning)
        with pytest.raises(DemogradWarning) as e:
            optimizer.step()
    assert str(e.value).splitlines()[1] == (
        "  gradient of tensor of shape (2,), dtype float32: has "
        + ("NaN" if bad != bad else "an infinity")
    )
    assert x.tolist() == [1.0, 2.0]


def test_later_steps_are_looked_at_now_and_then():
    x = leaf()
    optimizer = SGD([x], lr=0.0)

    def run():
        for step in range(100):
            if step < 50:
                optimizer.zero_grad()
            square(x).backward()
            optimizer.step()

    # Of the steps without clearing, the 64th is seen to use the gradients, the 80th and 96th again.
    assert warned(run) == [MIXED] * 2


def test_empty_parameters_and_groups_are_stepped_over():
    empty = dg.zeros(0, requires_grad=True)
    optimizer = SGD([{"params": [empty]}, {"params": []}], lr=0.1)
    square(empty).backward()
    assert warned(optimizer.step) == []


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))])
def test_a_copy_of_an_optimizer_warns_for_itself(copied):
    x = leaf()
    optimizer = SGD([x], lr=0.1)
    square(x).backward()
    optimizer.step()
    other = copied(optimizer)
    (y,) = other.param_groups[0]["params"]
    square(y).backward()
    if y.grad is not None and copied is copy.deepcopy:
        assert warned(other.step) == []  # nothing has used the copied gradient
    square(x).backward()
    assert warned(optimizer.step) == [MIXED]


def test_a_warning_is_shown_once_a_line_and_by_its_own_words_never():
    def run():
        x = leaf()
        optimizer = SGD([x], lr=0.1)
        for _ in range(4):
            square(x).backward()
            optimizer.step()

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        run()
    (warning,) = caught
    assert warning.filename == __file__
    off = str(warning.message).splitlines()[-1].removeprefix("If it is meant: ")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        exec(off, {"warnings": warnings})
        run()
    assert caught == []
