"""The command in this process, and arrays for it to learn."""

import csv
import json
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

from demograd.cli import main

# Enough to run the command, and little to wait for: the pictures take most of the time.
SMALL = ("--hidden", "8", "--epochs", "2", "--no-pictures")


@pytest.fixture
def demograd(tmp_path, monkeypatch):
    """Run the command in an empty folder: ``demograd("train", ...)`` gives what it printed."""
    monkeypatch.chdir(tmp_path)

    def run(*args, code=0):
        result = CliRunner().invoke(main, [str(arg) for arg in args], prog_name="demograd")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result.output

    run.folder = tmp_path
    run.small = lambda *args, **settings: run("train", *SMALL, *args, **settings)
    return run


@pytest.fixture
def mine(tmp_path):
    """A file of three classes that are easily told apart; ``mine(x=..., y=...)`` changes them."""

    def write(name="mine.npz", **arrays):
        draw = np.random.default_rng(0)
        y = np.repeat(np.arange(3), 20)
        x = draw.normal(size=(60, 5)) + 4 * np.eye(3, 5)[y]
        np.savez(tmp_path / name, **{"x": x, "y": y, **arrays})
        return tmp_path / name

    return write


@pytest.fixture
def left():
    """What a run left: its numbers, and the bytes of its weights."""

    def read(folder):
        with (folder / "history.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        return SimpleNamespace(
            epochs=json.loads((folder / "history.json").read_text())["epochs"],
            rows=rows,
            weights=(folder / "model.safetensors").read_bytes(),
            checkpoint=(folder / "last.safetensors").read_bytes(),
            config=json.loads((folder / "config.json").read_text()),
        )

    return read
