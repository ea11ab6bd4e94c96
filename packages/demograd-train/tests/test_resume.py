"""A run that was interrupted, killed or stopped goes on as if it had not been, bit for bit."""

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import demograd as dg
from demograd import Tensor
from demograd.train import (
    Checkpoint,
    EarlyStopping,
    fit,
)


@pytest.mark.parametrize("own", [True, False], ids=["own generator", "default generator"])
@pytest.mark.parametrize("until", [2, 4, 6])
def test_a_resumed_run_equals_an_unbroken_one_bit_for_bit(until, own, parts, tmp_path):
    whole, history, unbroken = parts.train(tmp_path / "unbroken", own=own)
    parts.train(tmp_path / "broken", own=own, until=until)
    resumed, continued, broken = parts.train(
        tmp_path / "broken", own=own, resume=tmp_path / "broken"
    )
    assert parts.left(resumed) == parts.left(whole)
    assert list(continued) == list(history)
    assert broken.last.read_bytes() == unbroken.last.read_bytes()
    assert broken.best.read_bytes() == unbroken.best.read_bytes()


def test_a_run_may_be_made_longer(parts, tmp_path):
    whole, history, _ = parts.train(tmp_path / "one", epochs=5)
    parts.train(tmp_path / "two", epochs=2)
    resumed, continued, _ = parts.train(tmp_path / "two", epochs=5, resume=tmp_path / "two")
    assert parts.left(resumed) == parts.left(whole)
    assert list(continued) == list(history)


def test_a_finished_run_is_left_as_it_is(parts, tmp_path):
    whole, history, checkpoint = parts.train(tmp_path, epochs=2)
    kept = checkpoint.last.read_bytes()
    resumed, continued, _ = parts.train(tmp_path, epochs=2, resume=checkpoint.last)
    assert parts.left(resumed) == parts.left(whole)
    assert list(continued) == list(history)
    assert checkpoint.last.read_bytes() == kept


def test_a_run_that_stopped_early_stays_stopped(parts, tmp_path):
    def run(resume=None):
        c = parts.case()
        c.optimizer.param_groups[0]["lr"] = 0.0
        return fit(
            *(c.model, lambda output, target: (output * 0).mean() + 1.0, c.optimizer, c.loader),
            epochs=9, callbacks=[Checkpoint(tmp_path), EarlyStopping("loss", patience=2)],
            resume=resume,
        )  # fmt: skip

    first = run()
    assert len(first) == 3
    assert list(run(resume=tmp_path)) == list(first)


def test_a_loss_with_a_state_is_saved_with_the_rest(parts, tmp_path):
    class Scaled:
        def __init__(self):
            self.scale = Tensor(np.ones(1), requires_grad=True)

        def __call__(self, output, target):
            return parts.squares(output, target) + ((self.scale - 3.0) ** 2).mean()

        def state_dict(self):
            return {"scale": self.scale.detach()}

        def load_state_dict(self, state):
            self.scale.data = np.array(state["scale"].data)

    def run(epochs, folder, resume=None):
        c = parts.case()
        c.loss = Scaled()
        c.optimizer = parts.Momentum([*c.model.parameters(), c.loss.scale])
        fit(
            *(c.model, c.loss, c.optimizer, c.loader),
            epochs=epochs, callbacks=[Checkpoint(folder)], resume=resume,
        )  # fmt: skip
        return c.loss.scale.item()

    whole = run(4, tmp_path / "one")
    run(2, tmp_path / "two")
    assert run(4, tmp_path / "two", resume=tmp_path / "two") == whole != 1.0


SCRIPT = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
import conftest
from demograd.train import Checkpoint, _files, fit

c = conftest.case()
replace, saves = os.replace, [0]

def kill_at(*args):
    saves[0] += 1
    if saves[0] == int(sys.argv[3]):  # the bytes are written, the name is not
        os.kill(os.getpid(), signal.SIGKILL)
    replace(*args)

_files.os.replace = kill_at
resume = sys.argv[2] if len(sys.argv) > 4 else None
fit(c.model, c.loss, c.optimizer, c.loader, epochs=5, callbacks=[Checkpoint(sys.argv[2])],
    schedule=conftest.Halving(c.optimizer, 0.9), resume=resume)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system has no SIGKILL")
def test_a_run_killed_in_the_middle_of_a_save_goes_on_from_the_one_before(tmp_path):
    def run(folder, kill, *resume):
        return subprocess.run(
            [sys.executable, "-c", textwrap.dedent(SCRIPT), Path(__file__).parent,
             tmp_path / folder, str(kill), *resume],
            check=False,
        ).returncode  # fmt: skip

    assert run("unbroken", 0) == 0
    assert run("broken", 3) == -signal.SIGKILL
    assert dg.load(tmp_path / "broken" / "last.safetensors")["epoch"] == 2
    assert len(list((tmp_path / "broken").iterdir())) == 2
    assert run("broken", 3, "resume") == -signal.SIGKILL
    assert dg.load(tmp_path / "broken" / "last.safetensors")["epoch"] == 4
    assert run("broken", 0, "resume") == 0
    assert [entry.name for entry in (tmp_path / "broken").iterdir()] == ["last.safetensors"]
    one, two = (
        (tmp_path / name / "last.safetensors").read_bytes() for name in ("unbroken", "broken")
    )
    assert one == two


def test_two_callbacks_of_one_class_keep_their_own_states(parts, tmp_path):
    def run(epochs, resume=None):
        c = parts.case()
        stops = [EarlyStopping("loss", patience=30), EarlyStopping("loss", patience=40, mode="max")]
        fit(
            *(c.model, c.loss, c.optimizer, c.loader),
            epochs=epochs, callbacks=[*stops, Checkpoint(tmp_path)], resume=resume,
        )  # fmt: skip
        return [(stop.best, stop.waited) for stop in stops]

    states = run(3)
    assert run(3, resume=tmp_path) == states
    assert states[0] != states[1]
