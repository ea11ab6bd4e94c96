"""``demograd train --resume``: a run goes on as if it had not been interrupted."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest


def test_a_resumed_run_equals_an_unbroken_one(demograd, left):
    common = ("--dropout", 0.1, "--optimizer", "sgd", "--lr", 0.1, "--set", "momentum=0.9")
    demograd.small(*common, "--epochs", 4, "--out", "whole")
    demograd.small(*common, "--epochs", 2, "--out", "parts")
    demograd("train", "--epochs", 4, "--resume", "parts", "--no-pictures")
    whole, parts = (left(demograd.folder / name) for name in ("whole", "parts"))
    assert parts.weights == whole.weights
    assert parts.checkpoint == whole.checkpoint
    assert parts.epochs == whole.epochs
    assert parts.config == whole.config


def test_a_finished_run_is_finished_again_with_the_same_numbers(demograd, left):
    first = demograd.small("--out", "run")
    kept = left(demograd.folder / "run")
    again = demograd("train", "--resume", "run", "--no-pictures")
    assert left(demograd.folder / "run") == kept
    assert again.splitlines()[-2:] == first.splitlines()[-2:]


def test_it_goes_on_with_the_users_data(demograd, mine, left):
    demograd.small("--data", mine(), "--out", "run")
    demograd("train", "--resume", "run", "--epochs", 3, "--no-pictures")
    assert len(left(demograd.folder / "run").epochs) == 3


@pytest.mark.skipif(not hasattr(signal, "SIGINT"), reason="the system has no SIGINT")
@pytest.mark.parametrize("kill", ["SIGINT", "SIGKILL"])
def test_an_interrupted_run_can_be_gone_on_with(kill, demograd, left):
    epochs = 400
    process = subprocess.Popen(
        [sys.executable, "-m", "demograd.cli", "train", "--hidden", "8", "--out", "run",
         "--epochs", str(epochs)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    checkpoint = demograd.folder / "run" / "last.safetensors"
    deadline = time.monotonic() + 60
    while not checkpoint.exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(0.1)
    process.send_signal(getattr(signal, kill))
    printed, _ = process.communicate(timeout=60)
    if kill == "SIGINT":
        assert process.returncode == 130
        assert printed.endswith("\nInterrupted. Go on with: demograd train --resume run\n")
        assert "Traceback" not in printed
        assert not [name for name in os.listdir("run") if name.endswith(".partial")]
    else:
        assert process.returncode == -signal.SIGKILL
    assert not (demograd.folder / "run" / "model.safetensors").exists()
    done = len(json.loads((demograd.folder / "run" / "history.json").read_text())["epochs"])
    assert 0 < done < epochs
    demograd("train", "--resume", "run", "--epochs", done + 2, "--no-pictures")
    demograd.small("--epochs", done + 2, "--out", "whole")
    assert left(demograd.folder / "run").weights == left(demograd.folder / "whole").weights


def test_an_interrupt_before_the_first_epoch_leaves_nothing(demograd, monkeypatch):
    from demograd.cli import _run

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(_run.train, "fit", interrupt)
    printed = demograd.small(code=130)
    assert printed.endswith("\nInterrupted before the first epoch was complete; nothing is kept.\n")
    assert list(demograd.folder.iterdir()) == []


def error(demograd, *args, code=1):
    return demograd("train", "--resume", *args, code=code)


def test_the_choices_of_the_run_hold(demograd):
    printed = error(demograd, "run", "--hidden", "8", "--seed", "3", "--out", "other", code=2)
    assert " ".join(printed.split()).endswith(
        "Error: --resume keeps the choices that the run was started with: leave out --hidden, "
        "--seed, --out."
    )


def test_fewer_epochs_than_it_has_are_refused(demograd, left):
    demograd.small("--out", "run")
    kept = left(demograd.folder / "run")
    assert error(demograd, "run", "--epochs", 1).endswith(
        "Error: train: the run has 2 epochs already.\n"
        "  folder: run\n"
        "  epochs: 1\n"
        "--epochs 32 would train it further.\n"
    )
    assert left(demograd.folder / "run") == kept


def test_data_that_have_changed_are_refused(demograd, mine):
    file = mine()
    demograd.small("--data", file, "--out", "run")
    mine(y=np.repeat(np.arange(3), 20)[::-1])
    assert error(demograd, "run") == (
        "Error: train: the data are not those that the run was started with.\n"
        f"  data: {file}\n"
        "  run: run\n"
        "Put back the file as it was, or start anew.\n"
    )


def test_a_folder_that_is_no_run_is_refused(demograd):
    assert error(demograd, "none") == (
        "Error: train: this is not the folder of a run.\n"
        "  file: none/config.json\n"
        "  reason: No such file or directory\n"
        "--resume takes the folder that an earlier run has printed, such as runs/digits-1.\n"
    )


def test_a_run_whose_checkpoint_is_gone_is_refused_and_left_as_it_is(demograd):
    demograd.small("--out", "run")
    (demograd.folder / "run" / "last.safetensors").unlink()
    kept = sorted(entry.name for entry in (demograd.folder / "run").iterdir())
    printed = error(demograd, "run", "--epochs", 3)
    assert "Error: load: there is no such file.\n  file: run/last.safetensors\n" in printed
    assert sorted(entry.name for entry in (demograd.folder / "run").iterdir()) == kept


def test_a_checkpoint_that_was_cut_short_is_refused(demograd):
    demograd.small("--out", "run")
    file = demograd.folder / "run" / "last.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    printed = error(demograd, "run", "--epochs", 3)
    assert "Error: load: the file is damaged, or was cut short.\n" in printed
    assert "  file: run/last.safetensors\n" in printed
    assert (demograd.folder / "run" / "model.safetensors").exists()


def test_a_checkpoint_of_another_network_is_refused(demograd):
    demograd.small("--out", "run")
    path = demograd.folder / "run" / "config.json"
    path.write_text(path.read_text().replace('"hidden": [\n      8\n', '"hidden": [\n      9\n'))
    printed = error(demograd, "run", "--epochs", 3)
    assert "Error: fit: the checkpoint is of another model.\n" in printed
    assert (
        "  0.weight: float32 of shape (8, 64) in the checkpoint, float32 of shape (9, 64) here\n"
    ) in printed


GOOD = {
    "data": None, "hidden": [8], "dropout": 0.0, "optimizer": "adam", "settings": {},
    "label_smoothing": 0.1, "batch_size": 32, "epochs": 2, "seed": 0,
}  # fmt: skip
CONFIGS = {
    "no JSON": ("{", "it is no JSON (Expecting property name enclosed in double quotes: line 1 "
                "column 2 (char 1))"),
    "deep": ("[" * 100_000, None),
    "another file": ("[1, 2]", "it is not what a run has written"),
    "too little": (
        {"config": {"hidden": [8]}, "data": {}},
        "it must hold data, hidden, dropout, optimizer, settings, label_smoothing, batch_size, "
        "epochs, seed",
    ),
    "text for a number": (
        {"config": {**GOOD, "epochs": "two"}, "data": {}}, "epochs is 'two'",
    ),
    "a layer without units": (
        {"config": {**GOOD, "hidden": [8, 0]}, "data": {}}, "hidden is [8, 0]",
    ),
    "a batch without samples": (
        {"config": {**GOOD, "batch_size": 0}, "data": {}}, "a number is below its range",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CONFIGS)
def test_choices_that_somebody_has_edited_are_refused(name, demograd):
    content, reason = CONFIGS[name]
    folder = demograd.folder / "run"
    folder.mkdir()
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / "config.json").write_text(text)
    printed = error(demograd, "run")
    assert printed.startswith(
        "Error: train: the choices of the run cannot be read.\n  file: run/config.json\n"
    )
    if reason is not None:
        assert f"  reason: {reason}\n" in printed
    assert (folder / "config.json").read_text() == text
