"""When ``Checkpoint`` writes, and what."""

import pytest

import demograd as dg
from demograd.errors import ArgumentError, FileError
from demograd.train import (
    Callback,
    Checkpoint,
    fit,
)


def test_the_best_is_kept_beside_the_last(parts, tmp_path):
    class Play(Callback):
        def on_epoch_end(self, run):
            run.history[-1]["loss"] = [3.0, 1.0, 2.0, 1.5][run.epoch - 1]

    c = parts.case()
    checkpoint = Checkpoint(tmp_path, monitor="loss")
    fit(*(c.model, c.loss, c.optimizer, c.loader), epochs=4, callbacks=[checkpoint, Play()])
    assert dg.load(checkpoint.best)["epoch"] == 2
    assert dg.load(checkpoint.last)["epoch"] == 4


@pytest.mark.parametrize(("every", "epochs"), [(1, [1, 2, 3, 4, 5]), (2, [2, 4, 5]), (9, [5])])
def test_it_saves_every_so_many_epochs_and_at_the_end(every, epochs, parts, tmp_path):
    saved = []

    class Look(Callback):
        def on_save(self, run):
            if checkpoint.last.exists():
                saved.append(dg.load(checkpoint.last)["epoch"])

    c = parts.case()
    checkpoint = Checkpoint(tmp_path, every=every)
    fit(*(c.model, c.loss, c.optimizer, c.loader), epochs=5, callbacks=[checkpoint, Look()])
    assert sorted(set(saved)) == epochs
    assert not checkpoint.best.exists()


def test_a_save_that_fails_leaves_the_former_checkpoint(parts, tmp_path, monkeypatch):
    from demograd.train import _files

    _c, _, checkpoint = parts.train(tmp_path, epochs=2)
    kept = checkpoint.last.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_files.os, "fsync", full)
    with pytest.raises(FileError) as e:
        parts.train(tmp_path, epochs=4, resume=tmp_path)
    assert str(e.value) == (
        "save: the file cannot be written, and nothing was changed.\n"
        f"  file: {checkpoint.best}\n"
        "  reason: No space left on device\n"
        "Free some space, or write to another disk."
    )
    assert checkpoint.last.read_bytes() == kept


def test_a_checkpoint_refuses_what_it_cannot_watch(parts, tmp_path):
    c = parts.case()
    with pytest.raises(ArgumentError) as e:
        fit(
            *(c.model, c.loss, c.optimizer, c.loader),
            epochs=2, callbacks=[Checkpoint(tmp_path, monitor="val_loss")],
        )  # fmt: skip
    assert str(e.value) == (
        "Checkpoint: there is no 'val_loss' to watch, which needs validation=...\n"
        "  each epoch has: epoch, loss, lr\n"
        'Checkpoint(..., monitor="loss")'
    )
    with pytest.raises(ArgumentError, match=r"^Checkpoint: mode must be 'min' or 'max'"):
        Checkpoint(tmp_path, mode="best")
    with pytest.raises(ArgumentError) as e:
        Checkpoint(tmp_path, every=0)
    assert str(e.value) == (
        "Checkpoint: every must be at least 1.\n"
        "  every: 0\n"
        "every=5 saves each fifth epoch, and the last."
    )
