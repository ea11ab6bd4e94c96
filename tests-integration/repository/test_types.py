"""The strict type check reads every package: an error put into a copy of each is found.

``mypy -p demograd`` passes without reading the siblings of the core, so that a green check is proof
of nothing until each of them has been seen red.
"""

import re
import shutil
import subprocess
import sys

import pytest

# Wrong whatever is around it: `int` itself is another thing in a module that has `demograd.int`.
ERROR = "\n\ninjected_by_the_test: None = 1\n"


@pytest.fixture(scope="module")
def check_a_copy(root, tmp_path_factory):
    """Copy the sources, change each file that is given, and run mypy as the check does."""

    def check(changes):
        copy = tmp_path_factory.mktemp("copy")
        shutil.copy(root / "mypy.ini", copy)
        for package in root.glob("packages/*"):
            shutil.copytree(package / "src", copy / "packages" / package.name / "src")
        for path, text in changes.items():
            with (copy / path).open("a", encoding="utf-8") as file:
                file.write(text)
        return subprocess.run(
            [sys.executable, "-m", "mypy"], cwd=copy, text=True, capture_output=True, check=False
        )

    return check


@pytest.mark.tools
def test_an_error_in_any_subpackage_is_found(check_a_copy, distributions, root):
    changes = {}
    for distribution in distributions.values():
        base = distribution.source.relative_to(root)
        if distribution.name == "demograd-tensor":
            changes[(base / "__init__.py").as_posix()] = ERROR
        for name in distribution.subpackages:
            changes[(base / name / "__init__.py").as_posix()] = ERROR
    done = check_a_copy(changes)
    found = re.findall(r'^(\S+):\d+: error: .* variable has type "None"', done.stdout, re.MULTILINE)
    assert done.returncode == 1
    assert sorted(found) == sorted(changes), done.stdout


@pytest.mark.tools
def test_a_siblings_types_are_known_and_not_any(check_a_copy, distributions):
    """What the command line sees of each sub-package has a type: ``Any`` would fit everywhere."""
    names = [
        f"demograd.{name}"
        for distribution in distributions.values()
        for name in distribution.subpackages
        if distribution.name != "demograd"
    ]
    lines = [f"\n\nimport {name}" for name in names]
    lines += [f"wrong_{name.split('.')[1]}: None = {name}.__all__" for name in names]
    path = "packages/demograd/src/demograd/cli/__init__.py"
    done = check_a_copy({path: "\n".join(lines) + "\n"})
    assert done.returncode == 1
    assert done.stdout.count('variable has type "None"') == len(names), done.stdout
