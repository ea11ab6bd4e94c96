"""Each package, installed from its wheel with only what it declares, passes its own tests."""

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = sorted(path.parent for path in ROOT.glob("packages/*/pyproject.toml"))
TOOLS = ("array-api-strict", "hypothesis", "pytest")


@pytest.mark.parametrize("package", PACKAGES, ids=[package.name for package in PACKAGES])
def test_a_package_alone_passes_its_tests(package, environment_with, wheels):
    environment = environment_with(package.name, *TOOLS)
    # A copy, away from the sources: what the tests import can only be the installed wheel.
    shutil.copytree(package / "tests", environment.work / "tests")
    environment.pytest("--hypothesis-profile=ci", "tests")
