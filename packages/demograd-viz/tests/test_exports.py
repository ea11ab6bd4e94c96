"""What the package offers."""

from __future__ import annotations

from importlib.resources import files

import demograd as dg
import demograd.viz


def test_all_names_what_is_there_and_each_says_what_it_does():
    names = demograd.viz.__all__
    assert sorted(set(names)) == sorted(names)
    assert [name for name in names if not getattr(demograd.viz, name).__doc__] == []


def test_nothing_else_leaks_out():
    public = {name for name in vars(demograd.viz) if not name.startswith("_")}
    assert public == set(demograd.viz.__all__)


def test_it_is_found_without_an_import_of_its_own():
    assert dg.viz.graph is demograd.viz.graph


def test_types_are_announced():
    assert files("demograd.viz").joinpath("py.typed").is_file()
