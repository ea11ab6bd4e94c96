"""The reference describes every public module, and every distribution is spoken of."""

import ast
import importlib
import pkgutil
import re
import tomllib
from pathlib import Path

import demograd

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
# They re-export what is described elsewhere; docs/api/published.md says from where.
RE_EXPORTING = {
    "demograd.functions", "demograd.losses", "demograd.optimizers", "demograd.tensor_engine",
}  # fmt: skip
COMMAND = {"demograd.cli"}


def public_modules():
    walked = pkgutil.walk_packages(demograd.__path__, "demograd.")
    names = [module.name for module in walked]
    return {"demograd", *(name for name in names if "._" not in name)}


def described_modules():
    pages = "\n".join(page.read_text(encoding="utf-8") for page in DOCS.glob("api/*.md"))
    return re.findall(r"^\.\. public-module:: (\S+)$", pages, re.MULTILINE)


def test_each_public_module_is_described_once():
    described = described_modules()
    assert sorted(described) == sorted(public_modules() - RE_EXPORTING - COMMAND)


def test_the_reference_knows_the_same_modules():
    """Each name is described in one of these; a module that is left out would have no home."""
    text = (DOCS / "_extensions" / "reference.py").read_text(encoding="utf-8")
    (value,) = [
        node.value
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign) and node.targets[0].id == "PUBLIC_MODULES"
    ]
    assert sorted(ast.literal_eval(value)) == sorted(described_modules())


def test_the_re_exporting_modules_are_listed():
    page = (DOCS / "api" / "published.md").read_text(encoding="utf-8")
    assert {name for name in RE_EXPORTING if f"`{name}`" not in page} == set()


def test_public_names_have_docstrings():
    lacking = []
    for module_name in described_modules():
        module = importlib.import_module(module_name)
        for name in module.__all__:
            value = getattr(module, name)
            if callable(value) and not (value.__doc__ or "").strip():
                lacking.append(f"{module_name}.{name}")
    assert lacking == []


def test_the_distributions_are_those_of_the_repository():
    """In the README's table and in the one on the page about the architecture."""
    built = {
        tomllib.loads(path.read_text(encoding="utf-8"))["project"]["name"]
        for path in ROOT.glob("packages/*/pyproject.toml")
    }
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    architecture = (DOCS / "architecture.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| \[(demograd[a-z-]*)\]", readme, re.MULTILINE)) == built
    assert set(re.findall(r"^\| (demograd[a-z-]*) \|", architecture, re.MULTILINE)) == built


def test_the_errors_on_the_page_are_those_that_there_are():
    from demograd import errors

    root = errors.DemogradError
    page = (DOCS / "errors.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|", page, re.MULTILINE)
    listed = {name: sorted(re.findall(r"`(\w+)`", bases)) for name, bases in rows}
    expected = {
        name: sorted(base.__name__ for base in getattr(errors, name).__bases__ if base is not root)
        for name in errors.__all__
        if name not in ("DemogradError", "DemogradWarning", "warn")
    }
    assert listed == expected


def test_the_files_to_read_are_there():
    page = (DOCS / "architecture.md").read_text(encoding="utf-8")
    files = re.findall(r"`((?:autograd/)?\w+\.py)`", page.partition("## Reading the source")[2])
    source = ROOT / "packages" / "demograd-tensor" / "src" / "demograd"
    assert len(files) > 10
    assert [name for name in files if not (source / name).is_file()] == []
