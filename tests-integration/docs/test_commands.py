"""The commands on the page about the three ways in are run as they stand there."""

import re
import shlex
import subprocess
import sysconfig
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
COMMAND = Path(sysconfig.get_path("scripts")) / "demograd"


def commands_in(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(r"^ *(demograd (?:train|graph|info)\b.*)$", text, re.MULTILINE)


@pytest.fixture
def folder(tmp_path):
    """An empty folder with the reader's own arrays in it."""
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(3), 60)
    x = (rng.normal(size=(180, 5)) + 4 * np.eye(3, 5)[y]).astype(np.float32)
    np.savez(tmp_path / "mine.npz", x=x, y=y)
    return tmp_path


def test_the_commands_run_in_their_order(folder):
    commands = commands_in("docs/three_ways.md")
    assert len(commands) >= 5
    for command in commands:
        done = subprocess.run(
            [str(COMMAND), *shlex.split(command)[1:]],
            cwd=folder,
            text=True,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    made = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    for name in ("model.safetensors", "history.csv", "curves.png", "graph.svg"):
        assert f"runs/digits/{name}" in made
        assert f"runs/mine/{name}" in made
    assert {"runs/digits/misclassified.png", "graph.svg"} <= made


def test_the_readme_shows_the_same_commands():
    page = {re.sub(r" --seed 0\b", "", command) for command in commands_in("docs/three_ways.md")}
    readme = {re.sub(r" --seed 0\b", "", command) for command in commands_in("README.md")}
    assert readme != set()
    assert readme <= page


def test_the_two_commands_are_the_same_everywhere():
    first = "python3 -m venv .venv && .venv/bin/pip install hatch && .venv/bin/hatch run train"
    for page in ("README.md", "docs/index.md"):
        lines = [line.strip() for line in (ROOT / page).read_text(encoding="utf-8").splitlines()]
        at = lines.index(first)
        assert lines[at + 1] == ".venv/bin/hatch run test"
