"""One version, one set of ranges: every pyproject.toml is read and held to it."""

import ast
import configparser
import tomllib

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

VERSION_FILE = "src/demograd/_version.py"


def test_the_folder_has_the_distributions_name(distribution):
    assert distribution.path.name == distribution.name


def test_the_version_is_read_from_the_core(distribution):
    own = distribution.name == "demograd-tensor"
    expected = VERSION_FILE if own else f"../demograd-tensor/{VERSION_FILE}"
    assert distribution.pyproject["project"]["dynamic"] == ["version"]
    assert "version" not in distribution.pyproject["project"]
    assert distribution.pyproject["tool"]["hatch"]["version"] == {"path": expected}


def test_the_version_is_a_release_number(version):
    parsed = Version(version)
    assert str(parsed) == version
    assert len(parsed.release) == 3


def test_the_changelog_begins_with_the_version(root, version):
    lines = (root / "CHANGELOG.md").read_text(encoding="utf-8").splitlines()
    headings = [line for line in lines if line.startswith("## ")]
    assert headings[0].split()[1] == version


def test_siblings_are_required_within_the_minor_version(distribution, version):
    if distribution.name == "demograd":
        expected = SpecifierSet(f"=={version}")
    else:
        major, minor, _ = Version(version).release
        expected = SpecifierSet(f">={major}.{minor},<{major}.{minor + 1}")
    actual = {name: requirement.specifier for name, requirement in distribution.siblings.items()}
    assert actual == dict.fromkeys(actual, expected)


def test_the_range_holds_the_version(distribution, version):
    for requirement in distribution.siblings.values():
        assert version in requirement.specifier


def test_the_meta_package_requires_every_other(distributions):
    others = set(distributions) - {"demograd"}
    assert set(distributions["demograd"].siblings) == others


def test_the_core_requires_numpy_alone(distributions):
    assert list(distributions["demograd-tensor"].requirements) == ["numpy"]


def test_each_library_is_required_in_one_range(distributions):
    ranges: dict[str, set[SpecifierSet]] = {}
    for distribution in distributions.values():
        for name, requirement in distribution.requirements.items():
            if name not in distributions:
                ranges.setdefault(name, set()).add(requirement.specifier)
    assert {name: found for name, found in ranges.items() if len(found) > 1} == {}


def test_every_requirement_has_a_lower_bound(distribution):
    unbounded = [
        name
        for name, requirement in distribution.requirements.items()
        if not any(bound.operator in {">=", "=="} for bound in requirement.specifier)
    ]
    assert unbounded == []


def test_the_metadata_are_the_same_everywhere(distribution, distributions):
    shared = ("requires-python", "license", "license-files", "authors", "classifiers", "readme")
    core = distributions["demograd-tensor"].pyproject
    project = distribution.pyproject["project"]
    assert {key: project[key] for key in shared} == {key: core["project"][key] for key in shared}
    assert distribution.pyproject["build-system"] == core["build-system"]


def test_the_oldest_python_is_the_one_that_the_tools_check(root, distributions):
    core = distributions["demograd-tensor"].pyproject["project"]
    ruff = tomllib.loads((root / "ruff.toml").read_text(encoding="utf-8"))
    mypy = configparser.ConfigParser()
    mypy.read(root / "mypy.ini")
    assert core["requires-python"] == ">=3.11"
    assert ruff["target-version"] == "py311"
    assert mypy["mypy"]["python_version"] == "3.11"


def test_the_licence_is_the_repositorys(distribution, root):
    assert (distribution.path / "LICENSE").read_bytes() == (root / "LICENSE").read_bytes()


def test_no_source_states_a_version_of_its_own(distribution):
    """A second ``__version__ = "..."`` would be forgotten at the next release."""
    found = []
    for path in distribution.source.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Assign):
                names = [target.id for target in node.targets if isinstance(target, ast.Name)]
                if "__version__" in names:
                    found.append(path.relative_to(distribution.path).as_posix())
    assert found == ([VERSION_FILE] if distribution.name == "demograd-tensor" else [])


def closure(distributions, name):
    """A distribution with all the siblings that it needs, directly or not."""
    needed = {name}
    for sibling in distributions[name].siblings:
        needed |= closure(distributions, sibling)
    return needed


def inherited(environments, name):
    """An environment with what it takes over from its template, by default ``default``."""
    own = environments[name]
    if name == "default":
        return own
    return {**inherited(environments, own.get("template", "default")), **own}


def test_each_package_has_an_environment_of_its_own(distribution, distributions, root):
    """It holds what the package declares, and the tools for its tests, and nothing else."""
    environments = tomllib.loads((root / "hatch.toml").read_text(encoding="utf-8"))["envs"]
    name = distribution.name.removeprefix("demograd-")
    environment = inherited(environments, name)
    members = {path.removeprefix("packages/") for path in environment["workspace"]["members"]}
    tools = {Requirement(tool).name for tool in environment["dependencies"]}
    assert members == closure(distributions, distribution.name)
    assert tools == {"array-api-strict", "hypothesis", "pytest"}


def test_the_default_environment_lists_every_package_by_name(distributions, root):
    environments = tomllib.loads((root / "hatch.toml").read_text(encoding="utf-8"))["envs"]
    expected = {f"packages/{name}" for name in distributions}
    assert set(environments["default"]["workspace"]["members"]) == expected


def test_the_type_checker_is_told_of_every_package(distributions, root):
    mypy = configparser.ConfigParser()
    mypy.read(root / "mypy.ini")
    listed = [path.strip() for path in mypy["mypy"]["mypy_path"].split(",")]
    expected = [f"$MYPY_CONFIG_FILE_DIR/packages/{name}/src" for name in distributions]
    assert sorted(listed) == sorted(expected)
