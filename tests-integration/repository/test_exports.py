"""``__all__`` is what a public module exports, no more and no less."""

import importlib
import inspect
import pkgutil
from types import ModuleType

import pytest

import demograd
from demograd import _providers


def public_modules() -> list[str]:
    """Every module whose path has no leading underscore, over all installed distributions."""
    walked = pkgutil.walk_packages(demograd.__path__, "demograd.")
    names = [found.name for found in walked]
    return ["demograd", *(name for name in names if "._" not in name)]


def test_the_walk_sees_every_distribution(distributions):
    walked = public_modules()
    missing = [
        f"demograd.{name}"
        for distribution in distributions.values()
        for name in distribution.subpackages
        if not name.startswith("_") and f"demograd.{name}" not in walked
    ]
    assert missing == []


@pytest.mark.parametrize("name", public_modules())
class TestAPublicModule:
    def test_has_an_export_for_each_name_in_all(self, name):
        module = importlib.import_module(name)
        assert [export for export in module.__all__ if not hasattr(module, export)] == []

    def test_names_each_export_once(self, name):
        exports = list(importlib.import_module(name).__all__)
        assert sorted(exports) == sorted(set(exports))

    def test_leaks_no_other_public_name(self, name):
        module = importlib.import_module(name)
        leaked = {
            key
            for key, value in vars(module).items()
            if not key.startswith("_") and defined_in(name, value)
        }
        # What `dg.exp` found in another distribution is kept in the module for the next time.
        found_elsewhere = set(_providers.functions()) if name == "demograd" else set()
        assert sorted(leaked - set(module.__all__) - found_elsewhere) == []

    def test_documents_each_export(self, name):
        module = importlib.import_module(name)
        exported = {key: getattr(module, key) for key in module.__all__}
        bare = [
            key
            for key, value in exported.items()
            if (inspect.isclass(value) or inspect.isroutine(value)) and not inspect.getdoc(value)
        ]
        assert bare == []

    def test_has_a_docstring(self, name):
        assert inspect.getdoc(importlib.import_module(name))


def defined_in(name: str, value: object) -> bool:
    """Whether a module, or a private one under it, defines this.

    What it imports from elsewhere for its own use is no export.
    """
    home = "" if isinstance(value, ModuleType) else str(getattr(value, "__module__", ""))
    return home == name or home.startswith(f"{name}._")
