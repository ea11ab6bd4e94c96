"""The third way in: packages as outsiders write them, on demograd-tensor alone."""

import re
import tomllib
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "third_party"
PROJECTS = {
    path.parent.name: tomllib.loads(path.read_text(encoding="utf-8"))["project"]
    for path in sorted(FOLDER.glob("*/pyproject.toml"))
}
OPERATORS = [
    name
    for name, project in PROJECTS.items()
    if "demograd.functions" in project.get("entry-points", {})
]
# All that `demograd train` imports but the optimizers.
WITHOUT_OPTIM = ("click", "demograd-data", "demograd-nn", "demograd-train", "demograd-viz")


def test_an_optimizer_and_an_operator_are_there():
    assert "demograd-lion" in PROJECTS
    assert OPERATORS != []


@pytest.mark.parametrize("name", PROJECTS)
def test_the_core_is_all_that_an_outsider_needs(name, environment_with):
    """Its own tests run the conformance checks, where neither ops nor optim is installed."""
    environment = environment_with(name, "pytest")
    ours = {found for found in environment.installed() if found.startswith("demograd")}
    assert ours == {name, "demograd-tensor"}
    environment.pytest(FOLDER / name / "tests")


@pytest.fixture(scope="module")
def with_lion(environment_with):
    """The command with Lion and without demograd-optim, which it would otherwise bring."""
    return environment_with("demograd-lion", *WITHOUT_OPTIM, without_dependencies=("demograd",))


def test_demograd_optim_is_not_installed(with_lion):
    installed = with_lion.installed()
    assert {"demograd", "demograd-lion"} <= installed
    assert "demograd-optim" not in installed


def test_lion_trains_the_digits_through_the_command(with_lion):
    printed = with_lion.demograd(
        *("train", "--optimizer", "lion", "--lr", "3e-4", "--epochs", "15", "--out", "run")
    )
    (accuracy,) = re.findall(r"^test accuracy: (\d+\.\d) %$", printed, flags=re.MULTILINE)
    assert float(accuracy) >= 93.0


def test_lion_trains_through_fit(with_lion):
    with_lion.run("""
import demograd as dg
from demograd import nn
from demograd.data import DataLoader, TensorDataset
from demograd.train import fit
from demograd_lion import Lion

dg.manual_seed(0)
x = dg.randn(256, 4)
y = (x.sum(dim=1) > 0).to(dg.int64)
model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
optimizer = Lion(model.parameters(), lr=3e-3)
loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True)
criterion = nn.CrossEntropyLoss()
before = criterion(model(x), y).item()
fit(model, criterion, optimizer, loader, epochs=10)
after = criterion(model(x), y).item()
assert after < before / 3, (before, after)
""")


def test_the_command_lists_lion_among_the_optimizers(with_lion):
    assert "lion" in with_lion.demograd("info")


@pytest.mark.parametrize("name", OPERATORS)
def test_an_outsiders_operator_stands_beside_demograds_own(name, environment_with):
    environment = environment_with(name, "demograd")
    environment.run(f"""
from importlib.metadata import entry_points

import demograd as dg

found = entry_points(group="demograd.functions")
(entry,) = [entry for entry in found if entry.dist.name == {name!r}]
offered = entry.load().functions
assert offered
for function in offered:
    assert getattr(dg, function) is offered[function]
assert dg.exp(dg.tensor(0.0)).item() == 1.0
""")
    assert name in environment.demograd("info")
