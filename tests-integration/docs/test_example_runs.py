"""The notebook of the documentation, run cell by cell as a kernel would, with its own asserts.

``hatch run docs`` runs it in Jupyter's kernel as well, and shows what it gives.
"""

import ast
import json
from pathlib import Path

import matplotlib
import pytest

NOTEBOOK = Path(__file__).parents[2] / "docs" / "example.ipynb"


@pytest.fixture(scope="module")
def notebook():
    return json.loads(NOTEBOOK.read_text(encoding="utf-8"))


def run_cell(source, names, cell):
    """Run a cell; gives the value of its last line, None where that has none or ends in ``;``."""
    tree = ast.parse(source, filename=cell)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, cell, "exec"), names)
    if last is None:
        return None
    value = eval(compile(ast.Expression(last.value), cell, "eval"), names)
    return None if source.rstrip().endswith(";") else value


@pytest.fixture(scope="module")
def run(notebook, tmp_path_factory):
    """The names that the cells leave, and the value of each cell by its id."""
    names, values = {"__name__": "__main__"}, {}
    with pytest.MonkeyPatch.context() as patch, matplotlib.rc_context({"backend": "agg"}):
        patch.chdir(tmp_path_factory.mktemp("notebook"))
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                values[cell["id"]] = run_cell("".join(cell["source"]), names, cell["id"])
        matplotlib.pyplot.close("all")
    return names, values


def test_it_runs_and_learns_the_moons(run):
    names, _ = run
    assert names["right"] >= 0.95
    assert names["history"][-1]["loss"] < names["history"][0]["loss"] / 3


def test_it_shows_the_model_and_the_graph(run):
    _, values = run
    assert "354" in str(values["build"])  # 2*16 + 16 + 16*16 + 16 + 16*2 + 2 parameters
    source = values["graph"].source
    for name in ("0.weight", "4.bias", "CrossEntropyLoss"):
        assert name in source


def test_it_asserts_what_it_says(notebook):
    code = "\n".join(
        "".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"
    )
    assert code.count("\nassert ") >= 2


def test_no_outputs_are_kept_in_the_repository(notebook):
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None)
