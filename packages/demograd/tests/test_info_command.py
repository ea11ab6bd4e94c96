"""``demograd info``, ``--version`` and ``--help``, and what is imported for them."""

import json
import platform
import subprocess
import sys
import textwrap

import click
import numpy as np
import pytest

import demograd as dg
from demograd.cli import main

PACKAGES = ("", "-data", "-nn", "-ops", "-optim", "-tensor", "-train", "-viz")


def test_it_tells_versions_and_what_offers_what(demograd):
    lines = demograd("info").splitlines()
    for name in PACKAGES:
        assert f"  demograd{name} {dg.__version__}" in lines
    assert any(line.startswith(f"  Python {platform.python_version()} on ") for line in lines)
    assert any(line.startswith(f"  NumPy {np.__version__}, BLAS ") for line in lines)
    assert any(line.startswith("  dot ") for line in lines)
    assert "  demograd-train: load, save" in lines
    assert any(line.startswith("  demograd-ops: ") and " exp," in line for line in lines)
    assert "  adam: demograd-optim, demograd.optim:Adam" in lines


def test_it_tells_that_dot_is_missing(demograd, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert "  dot not found: pictures of graphs are drawn more simply\n" in demograd("info")


def test_it_tells_a_broken_package_and_a_name_that_two_offer(
    demograd, tmp_path_factory, monkeypatch
):
    folder = tmp_path_factory.mktemp("site")
    offers = {
        "broken-operators": "[demograd.functions]\nbroken = no_such_module:provider\n",
        "other-optimizers": "[demograd.optimizers]\nadam = other:Adam\n",
    }
    for name, entries in offers.items():
        info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(entries)
    monkeypatch.syspath_prepend(folder)
    printed = demograd("info")
    assert "  broken-operators 1.0\n" in printed
    assert "  other-optimizers 1.0\n" in printed
    assert (
        "  broken-operators: fails to load (ModuleNotFoundError: No module named 'no_such_module')"
        in printed
    )
    assert "  optimizers: two installed packages offer 'adam'.\n" in printed
    assert ": other-optimizers, other:Adam\n" in printed


def test_the_version_is_that_of_the_core(demograd):
    assert demograd("--version") == f"demograd {dg.__version__}\n"


def test_the_module_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "demograd.cli", "--version"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == f"demograd {dg.__version__}\n"


@pytest.mark.parametrize("name", sorted(main.commands))
def test_each_option_is_explained(name, demograd):
    assert f"  {name} " in demograd("--help")
    assert f"Usage: demograd {name} " in demograd(name, "--help")
    for option in main.commands[name].params:
        assert isinstance(option, click.Option)
        assert (option.help or "").endswith("."), option.name
        told = option.show_default or "Default:" in str(option.help)
        needs_none = option.is_flag or option.multiple or option.name in ("resume", "debug")
        assert told or needs_none, f"{option.name} does not tell its default"


def run(code):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


SLOW = ("click", "tqdm", "matplotlib", "graphviz", "scipy", "safetensors")


@pytest.mark.parametrize(
    "module", ["demograd", "demograd.train", "demograd.optim", "demograd.data"]
)
def test_importing_a_package_imports_nothing_slow(module):
    printed = run(f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))")
    assert [name for name in SLOW if name in json.loads(printed)] == []


def test_the_command_imports_the_packages_only_when_it_trains():
    printed = run("import json, sys, demograd.cli; print(json.dumps(sorted(sys.modules)))")
    loaded = json.loads(printed)
    assert "click" in loaded
    for name in ("demograd.nn", "demograd.optim", "demograd.viz", "matplotlib", "tqdm"):
        assert name not in loaded
