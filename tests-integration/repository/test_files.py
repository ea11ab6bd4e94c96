"""Each file under ``demograd`` has one owner, and each sub-package says that it is typed."""

import tomllib


def test_no_file_belongs_to_two_distributions(distributions):
    owners: dict[str, list[str]] = {}
    for name, distribution in distributions.items():
        for path in distribution.files():
            owners.setdefault(path, []).append(name)
    assert {path: names for path, names in owners.items() if len(names) > 1} == {}


def test_the_core_alone_has_the_packages_init(distributions):
    owners = [
        name for name, found in distributions.items() if (found.source / "__init__.py").exists()
    ]
    assert owners == ["demograd-tensor"]


def test_nothing_but_subpackages_stands_beside_the_core(distribution):
    """A loose module in ``demograd`` would be found only from the core's own directory."""
    if distribution.name == "demograd-tensor":
        return
    loose = [entry.name for entry in distribution.source.iterdir() if entry.is_file()]
    assert loose == []


def test_each_subpackage_is_a_package_with_py_typed(distribution):
    if distribution.name == "demograd-tensor":
        assert (distribution.source / "py.typed").exists()
        return
    lacking = [
        f"{name}/{needed}"
        for name in distribution.subpackages
        for needed in ("__init__.py", "py.typed")
        if not (distribution.source / name / needed).exists()
    ]
    assert distribution.subpackages != []
    assert lacking == []


def test_each_package_has_a_readme_and_tests(distribution):
    readme = (distribution.path / "README.md").read_text(encoding="utf-8")
    assert readme.startswith(f"# {distribution.name}\n")
    assert ">>> " in readme
    assert list((distribution.path / "tests").glob("test_*.py")) != []


def test_entry_points_lead_to_the_distributions_own_modules(distribution):
    project = distribution.pyproject["project"]
    targets = [*project.get("scripts", {}).values()]
    for group in project.get("entry-points", {}).values():
        targets += group.values()
    foreign = [
        target
        for target in targets
        if target.split(":")[0].split(".")[1] not in distribution.subpackages
    ]
    assert foreign == []


def test_hatch_reads_its_own_file_alone(root):
    assert not (root / "pyproject.toml").exists()
    assert "envs" in tomllib.loads((root / "hatch.toml").read_text(encoding="utf-8"))
