"""Optimizers are found by the entry points of distributions, and never chosen in doubt."""

import importlib
import sys

import pytest

from demograd.errors import ArgumentError, ProviderError
from demograd.train import get_optimizer, optimizers


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install distributions that offer optimizers; nothing else seems to be installed."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *_without_optimizers()])

    def install(**distributions):
        for name, entries in distributions.items():
            folder = tmp_path / f"{name}-1.0.dist-info"
            folder.mkdir()
            dashed = name.replace("_", "-")
            (folder / "METADATA").write_text(
                f"Metadata-Version: 2.1\nName: {dashed}\nVersion: 1.0\n"
            )
            lines = [f"{key} = {value}\n" for key, value in entries.items()]
            (folder / "entry_points.txt").write_text("[demograd.optimizers]\n" + "".join(lines))
        importlib.invalidate_caches()

    return install


def _without_optimizers():
    """The paths on which no distribution offers an optimizer."""
    return [
        path
        for path in sys.path
        if not any(
            entry.group == "demograd.optimizers"
            for distribution in importlib.metadata.distributions(path=[path])
            for entry in distribution.entry_points
        )
    ]


def test_they_are_listed_by_name_and_not_imported(install):
    install(demograd_lion={"lion": "no_such_module:Lion"}, other={"adan": "other:Adan"})
    found = optimizers()
    assert list(found) == ["adan", "lion"]
    assert found["lion"].dist.name == "demograd-lion"
    assert "no_such_module" not in sys.modules


def test_one_is_loaded_by_its_name(install):
    install(any={"ordered": "collections:OrderedDict"})
    import collections

    assert get_optimizer("ordered") is collections.OrderedDict


def test_an_unknown_name_is_answered_with_those_found_and_their_distributions(install):
    install(demograd_lion={"lion": "a:A"}, demograd_optim={"adam": "a:A", "sgd": "a:A"})
    with pytest.raises(ArgumentError) as e:
        get_optimizer("adan")
    assert str(e.value) == (
        "optimizers: no installed package offers 'adan'.\n"
        "  adam: demograd-optim\n"
        "  lion: demograd-lion\n"
        "  sgd: demograd-optim\n"
        "Did you mean 'adam'?"
    )
    with pytest.raises(ArgumentError) as e:
        get_optimizer("shampoo")
    assert str(e.value).endswith("\nTake one of these, or install the package that offers it.")


def test_where_none_is_installed_the_distribution_is_named(install):
    install()
    with pytest.raises(ArgumentError) as e:
        get_optimizer("adam")
    assert str(e.value) == (
        "optimizers: no installed package offers 'adam'.\n  found: none\npip install demograd-optim"
    )


def test_two_packages_with_one_name_are_both_named(install):
    install(one={"adam": "one:Adam"}, two={"adam": "two.deep:Adam"})
    for use in (optimizers, lambda: get_optimizer("adam")):
        with pytest.raises(ProviderError) as e:
            use()
        lines = str(e.value).splitlines()
        assert lines[0] == "optimizers: two installed packages offer 'adam'."
        offers = {line.split(": ")[1] for line in lines[1:3]}
        assert offers == {"one, one:Adam", "two, two.deep:Adam"}
        assert lines[3] == "Uninstall one of them."


def test_a_package_that_does_not_load_is_named(install):
    install(demograd_lion={"lion": "no_such_module:Lion"})
    with pytest.raises(ProviderError) as e:
        get_optimizer("lion")
    assert str(e.value) == (
        "optimizers: 'lion' of demograd-lion fails to load.\n"
        "  entry point: no_such_module:Lion\n"
        "  ModuleNotFoundError: No module named 'no_such_module'\n"
        "Mend or uninstall that package."
    )


def test_what_is_no_class_is_refused(install):
    install(demograd_lion={"lion": "sys:path"})
    with pytest.raises(ProviderError) as e:
        get_optimizer("lion")
    assert str(e.value) == (
        "optimizers: 'lion' of demograd-lion is no optimizer.\n"
        "  entry point: sys:path\n"
        "  found: list\n"
        "It must lead to the class."
    )
