"""``fit``: the numbers of a loop written out."""

import numpy as np
import pytest

import demograd as dg
from demograd import Tensor
from demograd.train import Callback, History, evaluate, fit


def values(model):
    return {name: np.array(p.detach().data) for name, p in model.named_parameters()}


def same(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def test_it_does_what_the_loop_written_out_does(parts):
    ours, theirs = parts.case(), parts.case()
    dg.manual_seed(1)
    history = fit(ours.model, ours.loss, ours.optimizer, ours.loader, epochs=3)
    dg.manual_seed(1)
    losses = []
    for _ in range(3):
        theirs.model.train()
        total = 0.0
        for x, y in theirs.loader:
            theirs.optimizer.zero_grad()
            loss = theirs.loss(theirs.model(x), y)
            loss.backward()
            theirs.optimizer.step()
            total += loss.item() * len(x)
        losses.append(total / 14)
    assert same(values(ours.model), values(theirs.model))
    assert history["loss"] == pytest.approx(losses, rel=1e-12)
    assert history["epoch"] == [1, 2, 3]


def test_it_learns(parts):
    c = parts.case(n=40)
    history = fit(c.model, c.loss, c.optimizer, c.loader, epochs=30)
    assert history[-1]["loss"] < 0.5 * history[0]["loss"]


def test_the_mean_is_over_samples_and_not_over_batches(parts):
    x = np.zeros((5, 3))
    batches = [(Tensor(x[:4]), Tensor(np.ones((4, 2)))), (Tensor(x[:1]), Tensor(np.zeros((1, 2))))]
    model = parts.Net()
    history = fit(
        model,
        lambda output, target: ((output * 0 - target) ** 2).mean(),
        parts.Momentum(model.parameters()),
        batches,
        epochs=1,
        metrics={"target": lambda output, target: target.mean()},
    )
    assert history[0] == {"epoch": 1, "loss": 0.8, "target": 0.8, "lr": 0.01}


def test_validation_and_metrics_stand_in_the_history(parts):
    c = parts.case()
    history = fit(
        c.model,
        c.loss,
        c.optimizer,
        c.loader,
        epochs=2,
        validation=[(Tensor(c.x), Tensor(c.y))],
        metrics={"bias": lambda output, target: (output - target).mean()},
        schedule=parts.Halving(c.optimizer),
    )
    assert history.names == ["epoch", "loss", "bias", "val_loss", "val_bias", "lr"]
    checked = evaluate(c.model, c.loss, [(Tensor(c.x), Tensor(c.y))])
    assert history[-1]["val_loss"] == checked["loss"]
    assert history["lr"] == [0.01, 0.005]


def test_a_batch_may_have_several_inputs(parts):
    class Both(parts.Net):
        def forward(self, a, b):
            return super().forward(a + b)

    model = Both()
    x, y = Tensor(np.ones((4, 3))), Tensor(np.ones((4, 2)))
    history = fit(model, parts.squares, parts.Momentum(model.parameters()), [(x, x, y)], epochs=2)
    assert history[1]["loss"] < history[0]["loss"]


def test_an_iterator_serves_one_epoch(parts):
    c = parts.case()
    assert len(fit(c.model, c.loss, c.optimizer, iter(c.loader), epochs=1)) == 1


def test_each_moment_comes_in_its_order(parts):
    seen = []

    class Note(Callback):
        def __init__(self, name):
            for moment in vars(Callback):
                if moment.startswith("on_"):
                    setattr(self, moment, lambda run, m=moment: seen.append((name, m)))

    c = parts.case(n=4)
    fit(c.model, c.loss, c.optimizer, c.loader, epochs=1, callbacks=[Note("a"), Note("b")])
    moments = [
        "on_fit_begin", "on_epoch_begin", "on_gradients", "on_batch_end", "on_epoch_end",
        "on_save", "on_fit_end",
    ]  # fmt: skip
    assert seen == [(name, moment) for moment in moments for name in "ab"]


def test_a_callback_sees_the_run(parts):
    c = parts.case()

    class Look(Callback):
        def on_gradients(self, run):
            assert run.step < run.steps == 4
            assert all(p.grad is not None for p in run.model.parameters())

        def on_batch_end(self, run):
            assert set(run.means) == {"loss"}

        def on_epoch_end(self, run):
            assert run.step == 4
            assert run.history[-1]["epoch"] == run.epoch
            run.stop("seen enough")

    assert len(fit(c.model, c.loss, c.optimizer, c.loader, epochs=5, callbacks=[Look()])) == 1


def test_the_end_is_told_also_after_an_interrupt(parts):
    ended = []

    class Interrupt(Callback):
        def on_batch_end(self, run):
            raise KeyboardInterrupt

        def on_fit_end(self, run):
            ended.append(run.epoch)

    c = parts.case()
    with pytest.raises(KeyboardInterrupt):
        fit(c.model, c.loss, c.optimizer, c.loader, epochs=5, callbacks=[Interrupt()])
    assert ended == [1]


def test_a_mode_that_a_callback_sets_holds_for_the_epoch(parts):
    c = parts.case()
    part = c.model.parts["noise"]

    class Freeze(Callback):
        def on_epoch_begin(self, run):
            assert part.training
            part.training = False

    before = part.calls.item()
    batch = [(Tensor(c.x), Tensor(c.y))]
    fit(
        *(c.model, c.loss, c.optimizer, c.loader),
        epochs=2, validation=batch, callbacks=[Freeze()],
    )  # fmt: skip
    assert part.calls.item() == before
    assert not part.training
    assert c.model.training


def test_a_part_of_the_parameters_may_be_trained(parts, recwarn):
    c = parts.case()
    before = values(c.model)
    optimizer = parts.Momentum([c.model.parts["last"].weight, c.model.parts["last"].bias])
    fit(c.model, c.loss, optimizer, c.loader, epochs=1)
    after = values(c.model)
    changed = [name for name in before if not np.array_equal(before[name], after[name])]
    assert changed == ["last.weight", "last.bias"]
    assert len(recwarn) == 0


def test_the_result_is_a_history(parts):
    c = parts.case()
    assert isinstance(fit(c.model, c.loss, c.optimizer, c.loader, epochs=1), History)
