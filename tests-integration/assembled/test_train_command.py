"""``demograd train`` as a program of its own: what the README promises of it.

The command's options and errors are tested in packages/demograd, inside one process. Here each run
has a process of its own: nothing may hang on the order of a set or on what ran before.
"""

import csv
import json
import re
import subprocess
import sysconfig
from pathlib import Path

import pytest

COMMAND = Path(sysconfig.get_path("scripts")) / "demograd"


def demograd(*args, cwd):
    """Run the command; gives what it printed."""
    done = subprocess.run(
        [str(COMMAND), *map(str, args)],
        cwd=cwd,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def weights(folder):
    return (folder / "model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def defaults(tmp_path_factory):
    """One run with nothing set, as ``hatch run train`` makes it, in an empty folder."""
    folder = tmp_path_factory.mktemp("defaults")
    return folder, demograd("train", cwd=folder)


def test_the_defaults_reach_97_percent(defaults):
    _, printed = defaults
    (accuracy,) = re.findall(r"^test accuracy: (\d+\.\d) %$", printed, flags=re.MULTILINE)
    assert float(accuracy) >= 97.0


def test_the_defaults_leave_their_results_under_runs_and_say_where(defaults):
    folder, printed = defaults
    (run,) = (folder / "runs").iterdir()
    assert [entry.name for entry in folder.iterdir()] == ["runs"]
    assert f"runs/{run.name}" in printed
    pictures = [path for path in run.iterdir() if path.suffix in {".png", ".svg"}]
    assert len(pictures) >= 3
    assert all(path.stat().st_size > 1000 for path in pictures)
    assert weights(run)


def test_the_history_says_the_same_in_json_and_csv(defaults):
    folder, _ = defaults
    (run,) = (folder / "runs").iterdir()
    with (run / "history.csv").open(newline="", encoding="utf-8") as file:
        rows = [
            {key: float(value) for key, value in row.items() if value}
            for row in csv.DictReader(file)
        ]
    epochs = json.loads((run / "history.json").read_text(encoding="utf-8"))["epochs"]
    assert rows == [
        {key: value for key, value in epoch.items() if value is not None} for epoch in epochs
    ]
    assert rows[-1]["loss"] < rows[0]["loss"] / 2


def test_the_same_seed_gives_the_same_weights(tmp_path):
    for name, seed in {"one": 0, "two": 0, "other": 1}.items():
        demograd(
            *("train", "--epochs", 2, "--seed", seed, "--no-pictures", "--out", name), cwd=tmp_path
        )
    assert weights(tmp_path / "one") == weights(tmp_path / "two")
    assert weights(tmp_path / "one") != weights(tmp_path / "other")


def test_a_resumed_run_equals_an_unbroken_one(tmp_path):
    demograd("train", "--epochs", 4, "--no-pictures", "--out", "unbroken", cwd=tmp_path)
    demograd("train", "--epochs", 2, "--no-pictures", "--out", "broken", cwd=tmp_path)
    demograd("train", "--epochs", 4, "--no-pictures", "--resume", "broken", cwd=tmp_path)
    assert weights(tmp_path / "broken") == weights(tmp_path / "unbroken")
