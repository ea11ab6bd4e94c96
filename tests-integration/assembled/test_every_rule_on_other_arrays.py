"""No rule is left out of the tables that the packages run on array-api-strict.

Each package's ``tests/test_other_arrays.py`` has a table ``USES``. Here all of them are run once
more while every rule notes whose arrays it was given, forward and backward.
"""

import importlib
import importlib.util
import pkgutil
from pathlib import Path

import pytest

import demograd
from demograd import Tensor
from demograd.autograd import Function
from demograd.testing import check_array_library

ROOT = Path(__file__).parents[2]
PACKAGES = ("demograd-tensor", "demograd-ops", "demograd-nn")

# They lead from one place of the graph to another and compute nothing, or refuse to.
NO_RULES = {"Alias", "Output", "Pass", "Refusal"}
# Its operands are detached, for it is flat between its steps.
UNREACHED = {("FloorDivide", "backward")}
# What stands for the rules of others inside of a transform, whose arrays are its own.
OF_TRANSFORMS = "demograd.func."


def uses(package):
    path = ROOT / "packages" / package / "tests" / "test_other_arrays.py"
    spec = importlib.util.spec_from_file_location(f"other_arrays_of_{package}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.USES


def every_rule():
    """The Functions of the three packages."""
    for name in ("activations", "linalg", "nn", "ops"):
        parent = importlib.import_module(f"demograd.{name}")
        for found in pkgutil.walk_packages(parent.__path__, f"{parent.__name__}."):
            importlib.import_module(found.name)
    todo, found = [Function], []
    while todo:
        for cls in todo.pop().__subclasses__():
            todo.append(cls)
            if (
                cls.__module__.startswith("demograd.")
                and not cls.__module__.startswith(OF_TRANSFORMS)
                and cls.__name__ not in NO_RULES
            ):
                found.append(cls)
    return found


def test_every_rule_is_run_on_array_api_strict_forward_and_backward(monkeypatch):
    library = pytest.importorskip("array_api_strict", reason="array-api-strict is not installed")
    kind = type(library.asarray(0.0))
    wanted, seen = set(), set()

    def watch(cls, rule):
        written = cls.__dict__.get(rule)
        if written is None:
            return
        wanted.add((cls.__name__, rule))

        def noting(self, *arrays, **settings):
            # In a recorded pass a rule is given Tensors that hold them.
            if any(type(getattr(array, "_data", array)) is kind for array in arrays):
                seen.add((cls.__name__, rule))
            return written(self, *arrays, **settings)

        monkeypatch.setattr(cls, rule, noting)

    for cls in every_rule():
        watch(cls, "forward")
        watch(cls, "backward")
    for package in PACKAGES:
        for function, *arrays in uses(package).values():
            # To the fourth order, for some rules are those of the derivatives of others.
            check_array_library(function, *map(Tensor, arrays), device=library, order=4)
    missing = sorted(f"{name}.{rule}" for name, rule in wanted - seen - UNREACHED)
    assert missing == [], "add a use of each to USES in its package's tests/test_other_arrays.py"
    assert len(wanted) > 190
    assert demograd.get_default_device() == "cpu"
