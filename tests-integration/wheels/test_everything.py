"""The second way in: ``pip install demograd`` brings every package and the command."""

import json

import pytest


@pytest.fixture(scope="module")
def everything(environment_with):
    return environment_with("demograd")


def test_every_package_comes_with_it(everything):
    ours = {name for name in everything.installed() if name.startswith("demograd")}
    assert ours == {
        "demograd",
        "demograd-data",
        "demograd-nn",
        "demograd-ops",
        "demograd-optim",
        "demograd-tensor",
        "demograd-train",
        "demograd-viz",
    }


def test_one_import_reaches_every_package(everything):
    everything.run("""
import demograd as dg

model = dg.nn.Sequential(dg.nn.Linear(2, 8), dg.nn.Tanh(), dg.nn.Linear(8, 1))
optimizer = dg.optim.Adam(model.parameters(), lr=0.05)
x = dg.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
y = dg.tensor([[0.0], [1.0], [1.0], [0.0]])
for _ in range(300):
    optimizer.zero_grad()
    loss = dg.nn.functional.mse_loss(model(x), y)
    loss.backward()
    optimizer.step()
assert loss.item() < 0.01, loss.item()
assert dg.exp(dg.tensor(0.0)).item() == 1.0
assert len(dg.data.load_digits()) > 0
assert callable(dg.train.fit) and callable(dg.viz.graph)
""")


def test_the_published_names_lead_to_the_packages(everything):
    everything.run("""
import demograd.functions
import demograd.losses
import demograd.nn
import demograd.optim
import demograd.ops
from demograd.activations import ReLU, Sigmoid, Softmax, Tanh
from demograd.nn import Linear, Sequential
from demograd.optimizers import SGD, Adam
from demograd.tensor_engine import Function, Tensor
from demograd.visualization import build_graphviz, visualize_graph

import demograd as dg

assert Tensor is dg.Tensor and SGD is demograd.optim.SGD
model = Sequential(Linear(64, 32), ReLU.apply, Linear(32, 10))
out = model(Tensor([[0.5] * 64]))
assert out.shape == (1, 10)
out.sum().backward()
assert all(parameter.grad is not None for parameter in model.parameters())
""")


def test_the_command_trains_the_digits(everything):
    printed = everything.demograd(
        *("train", "--hidden", "32", "--epochs", "3", "--seed", "0", "--out", "run")
    )
    assert "test accuracy:" in printed.splitlines()[-1] or "test accuracy:" in printed
    left = {path.suffix for path in (everything.work / "run").rglob("*") if path.is_file()}
    assert {".safetensors", ".json", ".csv"} <= left


def test_the_command_tells_what_is_installed(everything):
    printed = everything.demograd("info")
    for name in ("demograd-ops", "demograd-optim", "sgd", "adam"):
        assert name in printed


def test_the_command_explains_itself(everything):
    printed = everything.demograd("--help")
    for name in ("train", "graph", "info"):
        assert name in printed


def test_every_public_module_can_be_imported_first(everything):
    """In a process of its own: no module relies on another having been imported before it."""
    listed = everything.run("""
import json
import pkgutil
import demograd

names = [found.name for found in pkgutil.walk_packages(demograd.__path__, "demograd.")]
print(json.dumps([name for name in names if "._" not in name]))
""")
    names = json.loads(listed)
    assert len(names) > 12
    everything.run(f"""
import subprocess
import sys

for name in {names!r}:
    subprocess.run([sys.executable, "-c", f"import {{name}}"], check=True)
""")


def test_types_are_found_by_a_type_checker(everything, type_check):
    assert type_check(
        everything,
        """
import demograd as dg
from demograd.activations import ReLU
from demograd.data import load_digits
from demograd.nn import Linear
from demograd.ops import exp
from demograd.optim import SGD
from demograd.optimizers import Adam
from demograd.train import fit
from demograd.viz import summary

reveal_type(exp(dg.ones(2)))
reveal_type(Linear(2, 3).weight)
reveal_type(SGD)
wrong: list[int] = [ReLU, load_digits, Adam, fit, summary]
""",
        errors=5,
    )[:2] == ["demograd._tensor.Tensor", "demograd.nn._parameter.Parameter"]
