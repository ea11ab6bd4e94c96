"""What the checks of this folder read: each distribution with its pyproject.toml.

A test that takes ``distribution`` runs once for each of them.
"""

import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
CACHES = {"__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache"}


@dataclass(frozen=True)
class Distribution:
    name: str
    path: Path
    pyproject: dict[str, Any] = field(repr=False)

    @property
    def requirements(self) -> dict[str, Requirement]:
        """What it declares, by name."""
        listed = map(Requirement, self.pyproject["project"]["dependencies"])
        return {requirement.name: requirement for requirement in listed}

    @property
    def siblings(self) -> dict[str, Requirement]:
        """What it declares of this repository's own distributions."""
        return {
            name: requirement
            for name, requirement in self.requirements.items()
            if name.startswith("demograd")
        }

    @property
    def source(self) -> Path:
        return self.path / "src" / "demograd"

    @property
    def subpackages(self) -> list[str]:
        """The directories directly under ``demograd`` that it ships, without the private ones."""
        return sorted(
            entry.name
            for entry in self.source.iterdir()
            if entry.is_dir() and entry.name not in CACHES and not entry.name.startswith("_")
        )

    def files(self) -> list[str]:
        """The files that it ships, as paths under ``src``."""
        return sorted(
            path.relative_to(self.source.parent).as_posix()
            for path in self.source.rglob("*")
            if path.is_file() and not CACHES & set(path.parts)
        )


def read_distributions() -> list[Distribution]:
    found = []
    for path in sorted(ROOT.glob("packages/*/pyproject.toml")):
        pyproject = tomllib.loads(path.read_text(encoding="utf-8"))
        found.append(Distribution(pyproject["project"]["name"], path.parent, pyproject))
    return found


DISTRIBUTIONS = read_distributions()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "distribution" in metafunc.fixturenames:
        metafunc.parametrize("distribution", DISTRIBUTIONS, ids=lambda found: found.name)


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def distributions() -> dict[str, Distribution]:
    return {distribution.name: distribution for distribution in DISTRIBUTIONS}


@pytest.fixture(scope="session")
def version(root: Path) -> str:
    """The one version, read as text: nothing is imported for it."""
    text = (root / "packages/demograd-tensor/src/demograd/_version.py").read_text(encoding="utf-8")
    namespace: dict[str, str] = {}
    exec(text, namespace)
    return namespace["__version__"]


@pytest.fixture(scope="session")
def standard_library() -> frozenset[str]:
    return sys.stdlib_module_names
