"""Every distribution is built once a session; each test gets an environment with what it names."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from uv import find_uv_bin

ROOT = Path(__file__).parents[2]
PACKAGES = sorted(path.parent for path in ROOT.glob("packages/*/pyproject.toml"))
THIRD_PARTY = sorted(
    path.parent for path in ROOT.glob("tests-integration/third_party/*/pyproject.toml")
)


def command(*args: str | Path, cwd: Path | None = None, stdin: str = "") -> str:
    """Run a command outside the repository's own environment and return what it printed."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("PYTHON", "VIRTUAL_ENV", "HATCH_", "COVERAGE_"))
    }
    done = subprocess.run(
        [str(arg) for arg in args],
        cwd=cwd,
        env={**kept, "MPLBACKEND": "Agg"},
        input=stdin,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode:
        shown = " ".join(str(arg) for arg in args)
        pytest.fail(f"{shown}\nexited with {done.returncode}:\n{done.stdout}", pytrace=False)
    return done.stdout


@dataclass(frozen=True)
class Environment:
    """A virtual environment, and an empty folder to work in."""

    path: Path

    @property
    def scripts(self) -> Path:
        return self.path / "venv" / ("Scripts" if sys.platform == "win32" else "bin")

    @property
    def python(self) -> Path:
        return self.scripts / "python"

    @property
    def work(self) -> Path:
        return self.path / "work"

    def run(self, code: str) -> str:
        """Run a program as its user would, from a folder without the sources."""
        return command(self.python, "-", cwd=self.work, stdin=code)

    def demograd(self, *args: str) -> str:
        return command(self.scripts / "demograd", *args, cwd=self.work)

    def pytest(self, *args: str | Path) -> str:
        return command(
            *(self.python, "-m", "pytest", "-q", "--import-mode=importlib"), *args, cwd=self.work
        )

    def installed(self) -> set[str]:
        listed = command(
            *(find_uv_bin(), "pip", "list", "--quiet", "--format=json"), "--python", self.python
        )
        return {found["name"] for found in json.loads(listed)}


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheel of each distribution, built from its own source archive as an index would."""
    built = tmp_path_factory.mktemp("dist")
    for package in [*PACKAGES, *THIRD_PARTY]:
        command(find_uv_bin(), "build", "--quiet", "--out-dir", built, package)
    found = {path.name.split("-")[0].replace("_", "-"): path for path in built.glob("*.whl")}
    assert len(found) == len(PACKAGES) + len(THIRD_PARTY)
    return found


@pytest.fixture(scope="session")
def environment_with(
    wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Environment]:
    """Make an environment with what is named and all that it declares.

    Ours come from the built wheels and no index: a constraint ties each name to its file.
    """
    constraints = tmp_path_factory.mktemp("constraints") / "constraints.txt"
    lines = [f"{name} @ {path.as_uri()}" for name, path in sorted(wheels.items())]
    constraints.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def make(*names: str, without_dependencies: tuple[str, ...] = ()) -> Environment:
        made = Environment(tmp_path_factory.mktemp("environment"))
        made.work.mkdir()
        command(find_uv_bin(), "venv", "--quiet", "--python", sys.executable, made.path / "venv")
        install = (find_uv_bin(), "pip", "install", "--quiet", "--python", made.python)
        command(*install, "--constraint", constraints, *names)
        for name in without_dependencies:
            command(*install, "--no-deps", wheels[name])
        return made

    return make


@pytest.fixture
def type_check(tmp_path: Path) -> Callable[..., list[str]]:
    """Check a user's program against the installed packages; gives the types that it reveals.

    ``errors`` is how many errors it must hold: a package without ``py.typed`` would hold none.
    """

    def check(environment: Environment, code: str, errors: int = 0) -> list[str]:
        program = tmp_path / "program.py"
        program.write_text(code, encoding="utf-8")
        done = subprocess.run(
            [
                *(sys.executable, "-m", "mypy", "--strict", "--config-file="),
                *("--cache-dir", str(tmp_path / "cache")),
                *("--python-executable", str(environment.python), str(program)),
            ],
            cwd=tmp_path,
            text=True,
            capture_output=True,
            check=False,
        )
        found = [line for line in done.stdout.splitlines() if " error: " in line]
        assert len(found) == errors, done.stdout + done.stderr
        return re.findall(r'Revealed type is "(.*)"', done.stdout)

    return check
