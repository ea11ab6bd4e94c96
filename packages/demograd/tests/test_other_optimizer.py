"""``--optimizer`` takes any package's, also where demograd-optim is not installed."""

import re
import subprocess
import sys

import pytest

DESCENT = """
import demograd as dg


class Descent:
    def __init__(self, params, lr=0.1):
        self.param_groups = [{"params": list(params), "lr": lr}]

    @dg.no_grad()
    def step(self, closure=None):
        for p in self.param_groups[0]["params"]:
            p -= self.param_groups[0]["lr"] * p.grad

    def zero_grad(self, set_to_none=True):
        for p in self.param_groups[0]["params"]:
            p.grad = None

    def state_dict(self):
        numbers = list(range(len(self.param_groups[0]["params"])))
        return {"state": {}, "param_groups": [{**self.param_groups[0], "params": numbers}]}

    def load_state_dict(self, state_dict):
        self.param_groups[0]["lr"] = state_dict["param_groups"][0]["lr"]

    def add_param_group(self, param_group):
        self.param_groups.append(param_group)
"""

# An import of demograd.optim fails, and its distribution is not found.
WITHOUT_OPTIM = """
import importlib.metadata, sys

sys.path.insert(0, ".")
sys.modules["demograd.optim"] = None
whole = importlib.metadata.MetadataPathFinder.find_distributions

def others(*args, **kwargs):
    return (d for d in whole(*args, **kwargs) if d.metadata["Name"] != "demograd-optim")

importlib.metadata.MetadataPathFinder.find_distributions = others
from demograd.cli import main

main()
"""


@pytest.fixture
def train(tmp_path):
    """Train with an optimizer by name, where another package than demograd-optim is installed."""
    (tmp_path / "plain_descent.py").write_text(DESCENT)
    info = tmp_path / "plain_descent-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plain-descent\nVersion: 1.0\n")
    offer = "[demograd.optimizers]\ndescent = plain_descent:Descent\n"
    (info / "entry_points.txt").write_text(offer)

    def train(name, *more):
        command = ("train", "--optimizer", name, *more)
        return subprocess.run(
            [sys.executable, "-c", WITHOUT_OPTIM, *command],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip

    return train


def test_another_packages_optimizer_trains(train):
    first = train("descent", "--hidden", "16", "--epochs", "8", "--no-pictures")
    assert first.returncode == 0, first.stderr
    assert "; descent, learning rate 0.1\n" in first.stdout
    (accuracy,) = re.findall(r"^test accuracy: (.*) %$", first.stdout, flags=re.MULTILINE)
    assert float(accuracy) > 75


def test_what_is_not_installed_is_answered_with_what_is(train):
    done = train("adam")
    assert done.returncode == 1
    assert done.stderr == (
        "Error: optimizers: no installed package offers 'adam'.\n"
        "  descent: plain-descent\n"
        "Take one of these, or install the package that offers it.\n"
    )
