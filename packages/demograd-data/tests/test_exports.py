"""What the package offers."""

from __future__ import annotations

from importlib.resources import files

import pytest

import demograd.data
from demograd.data import transforms


@pytest.mark.parametrize("module", [demograd.data, transforms], ids=lambda module: module.__name__)
def test_all_is_sorted_and_names_what_is_there(module):
    names = module.__all__
    assert sorted(set(names)) == sorted(names)
    assert all(hasattr(module, name) for name in names)


@pytest.mark.parametrize("module", [demograd.data, transforms], ids=lambda module: module.__name__)
def test_everything_offered_says_what_it_does(module):
    undocumented = [name for name in module.__all__ if not getattr(module, name).__doc__]
    assert undocumented == []


def test_nothing_else_leaks_out():
    public = {name for name in vars(demograd.data) if not name.startswith("_")}
    assert public == set(demograd.data.__all__)


def test_types_are_announced():
    assert files("demograd.data").joinpath("py.typed").is_file()
