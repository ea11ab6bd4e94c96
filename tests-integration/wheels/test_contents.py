"""What each wheel holds: its own files, all of them, and nothing of another distribution."""

import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = sorted(path.parent for path in ROOT.glob("packages/*/pyproject.toml"))
CACHES = {"__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache"}
NAMES = [package.name for package in PACKAGES]


def contents(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def metadata(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return message_from_bytes(archive.read(name))


def test_no_file_is_in_two_wheels(wheels):
    owners: dict[str, list[str]] = {}
    for name, wheel in wheels.items():
        for path in contents(wheel):
            owners.setdefault(path, []).append(name)
    assert {path: names for path, names in owners.items() if len(names) > 1} == {}


@pytest.mark.parametrize("package", PACKAGES, ids=NAMES)
def test_a_wheel_holds_the_files_of_its_source_tree(package, wheels):
    source = package / "src"
    files = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*")
        if path.is_file() and not CACHES & set(path.parts)
    }
    assert contents(wheels[package.name]) == files


@pytest.mark.parametrize("name", NAMES)
def test_each_subpackage_in_a_wheel_is_typed(name, wheels):
    held = contents(wheels[name])
    if name == "demograd-tensor":
        expected = {"demograd/py.typed"}
    else:
        expected = {f"demograd/{path.split('/')[1]}/py.typed" for path in held}
    assert expected <= held


@pytest.mark.parametrize("name", NAMES)
def test_a_wheel_says_who_may_use_it_and_how(name, wheels):
    described = metadata(wheels[name])
    assert described["Name"] == name
    assert described["License-Expression"] == "MIT"
    assert described["License-File"] == "LICENSE"
    assert described["Requires-Python"] == ">=3.11"
    assert described["Description-Content-Type"] == "text/markdown"
    assert described["Summary"]
    assert described.get_payload().startswith(f"# {name}\n")


def test_all_wheels_have_one_version(wheels):
    assert len({metadata(wheels[name])["Version"] for name in NAMES}) == 1
