"""Imports point down only: a package imports what it declares, and nothing else.

The sources are parsed, not run: an import inside a function or under ``TYPE_CHECKING`` counts too.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

DECLARED = {
    "demograd-tensor": set(),
    "demograd-ops": {"demograd-tensor"},
    "demograd-nn": {"demograd-tensor", "demograd-ops"},
    "demograd-optim": {"demograd-tensor"},
    "demograd-data": {"demograd-tensor"},
    "demograd-train": {"demograd-tensor"},
    "demograd-viz": {"demograd-tensor"},
    "demograd": {
        "demograd-tensor",
        "demograd-ops",
        "demograd-nn",
        "demograd-optim",
        "demograd-data",
        "demograd-train",
        "demograd-viz",
    },
}

# Libraries that a package may import inside a function though it doesn't declare them, because only
# a package that declares them calls that function.
BORROWED = {
    ("demograd-tensor", "scipy"),  # Backend.erf, for demograd-ops
    # Array libraries: imported when the first array is met, or when asked for by name.
    ("demograd-tensor", "jax"),
    ("demograd-tensor", "cupy"),
    ("demograd-tensor", "cupyx"),
}


def dotted(node: ast.expr) -> str | None:
    """``dg.nn.Linear`` as text, and None for an expression that is more than names and dots."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        prefix = dotted(node.value)
        return None if prefix is None else f"{prefix}.{node.attr}"
    return None


def imported_modules(tree: ast.Module, package: str) -> Iterator[tuple[int, str]]:
    """Line and dotted name of what a module imports or reaches through ``demograd``.

    ``from demograd import nn`` gives ``demograd.nn``, and so does ``dg.nn`` after
    ``import demograd as dg``: the sub-package is found without an import of its own.
    """
    aliases: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
                local = alias.asname or alias.name.partition(".")[0]
                aliases[local] = alias.name if alias.asname else local
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")
            start = parents[: len(parents) - node.level + 1] if node.level else []
            module = ".".join([*start, *([node.module] if node.module else [])])
            for alias in node.names:
                yield node.lineno, f"{module}.{alias.name}"
                aliases[alias.asname or alias.name] = f"{module}.{alias.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (name := dotted(node)):
            first, _, rest = name.partition(".")
            if aliases.get(first) == "demograd":
                yield node.lineno, f"demograd.{rest}"


def package_of(path: Path, source: Path) -> str:
    """The package that a relative import in ``path`` starts from."""
    return ".".join(path.parent.relative_to(source.parent).parts)


def violations(distribution, distributions, standard_library) -> list[str]:
    owners = {sub: name for name, other in distributions.items() for sub in other.subpackages}
    found = []
    for path in sorted(distribution.source.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        at_import = {node.lineno for node in tree.body}
        for line, module in imported_modules(tree, package_of(path, distribution.source)):
            first, *rest = module.split(".")
            if first == "demograd":
                owner = owners.get(rest[0], "demograd-tensor") if rest else "demograd-tensor"
                allowed = {distribution.name, *distribution.siblings}
            elif first in standard_library:
                continue
            else:
                owner, allowed = first, set(distribution.requirements)
            borrowed = (distribution.name, owner) in BORROWED and line not in at_import
            if owner not in allowed and not borrowed:
                where = path.relative_to(distribution.path).as_posix()
                found.append(f"{distribution.name}/{where}:{line} imports {module} of {owner}")
    return sorted(set(found))


def test_the_declared_dependencies_are_the_designs(distributions):
    declared = {name: set(found.siblings) for name, found in distributions.items()}
    assert declared == DECLARED


def test_a_package_imports_only_what_it_declares(distribution, distributions, standard_library):
    assert violations(distribution, distributions, standard_library) == []


def test_no_test_imports_more_than_its_package_declares(
    distribution, distributions, standard_library
):
    """Tests run where the package's dependencies and the tools for tests are, and no more."""
    owners = {sub: name for name, other in distributions.items() for sub in other.subpackages}
    libraries = {*distribution.requirements, "array_api_strict", "hypothesis", "numpy", "pytest"}
    siblings = {distribution.name}
    for name in distribution.siblings:
        siblings |= {name, *distributions[name].siblings}
        libraries |= set(distributions[name].requirements)
    found = []
    for path in sorted((distribution.path / "tests").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for line, module in imported_modules(tree, ""):
            first, *rest = module.split(".")
            if first == "demograd":
                owner = owners.get(rest[0], "demograd-tensor") if rest else "demograd-tensor"
                allowed = siblings
            else:
                owner, allowed = first, libraries | standard_library
            if owner not in allowed:
                found.append(f"{path.name}:{line} imports {module}")
    assert sorted(set(found)) == []


@pytest.mark.parametrize(
    ("text", "module"),
    [
        ("import demograd.nn", "demograd.nn"),
        ("import demograd.nn as layers", "demograd.nn"),
        ("from demograd import nn", "demograd.nn"),
        ("from demograd.nn import Linear", "demograd.nn.Linear"),
        ("import demograd as dg\nmodel = dg.nn.Linear(1, 1)", "demograd.nn.Linear"),
        ("def late():\n    from demograd.nn import Linear", "demograd.nn.Linear"),
        ("from ..nn import Linear", "demograd.nn.Linear"),
        ("from .. import nn", "demograd.nn"),
        ("import scipy.special", "scipy.special"),
    ],
)
def test_every_spelling_of_an_import_is_seen(text, module):
    found = {name for _, name in imported_modules(ast.parse(text), "demograd.optim")}
    assert module in found
