"""Each program of the page on mistakes, as a user would run it, and the whole of what is said.

The page is the table: a mistake has a title, a program, the text and its source. The text begins
with the line of the program to which the warning or the end of the traceback points.
"""

import contextlib
import io
import linecache
import re
import traceback
import warnings
from pathlib import Path

import numpy as np
import pytest

import demograd as dg
from demograd import data, nn, optim, train
from demograd.errors import DemogradError, DemogradWarning
from demograd.nn import functional as F

PAGE = Path(__file__).parents[3] / "docs" / "mistakes.md"
MISTAKE = re.compile(
    r"^### (?P<title>.+)\n\n"
    r"```\{code-block\} python\n(?P<program>(?s:.+?))```\n\n"
    r"```text\n(?P<text>(?s:.+?))\n```\n\n"
    r"(?P<pytorch>PyTorch .+)\n\n"
    r"Source: \[(?P<source>.+)\]\((?P<url>https://.+)\)\n",
    re.MULTILINE,
)
TEXT = PAGE.read_text(encoding="utf-8")
MISTAKES = [found.groupdict() for found in MISTAKE.finditer(TEXT)]
# In a file of this name the programs are run; it is the name on the page.
FILE = "mistake.py"


def run(program, before=""):
    """What a program is warned of, and what it ends with: warnings, then an error or None."""
    Path(FILE).write_text(program, encoding="utf-8")
    linecache.clearcache()
    names = {"__name__": "__main__", "dg": dg, "np": np, "nn": nn, "F": F}
    names |= {"data": data, "optim": optim, "train": train}
    end = None
    with contextlib.ExitStack() as stack:
        stack.enter_context(np.errstate(all="ignore"))
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        caught = stack.enter_context(warnings.catch_warnings(record=True))
        warnings.simplefilter("default")
        exec(before, {"warnings": warnings})
        try:
            exec(compile(program, FILE, "exec"), names)
        except Exception as error:  # noqa: BLE001 - whatever a user sees is on the page
            end = error
    return caught, end


def shown(caught, end):
    """All of it as the page has it."""
    lines = [
        f"{warning.filename}:{warning.lineno}: {warning.category.__name__}: {warning.message}"
        for warning in caught
    ]
    if end is not None:
        frames = traceback.extract_tb(end.__traceback__)
        line = [frame.lineno for frame in frames if frame.filename == FILE][-1]
        lines.append(f"{FILE}:{line}: {type(end).__name__}: {end}")
        lines += getattr(end, "__notes__", [])
    return "\n".join(lines)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake["title"])
def test_a_mistake_is_told_with_the_line_and_the_way_out(mistake, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    caught, end = run(mistake["program"])
    assert shown(caught, end) == mistake["text"]
    assert {warning.category for warning in caught} <= {DemogradWarning}
    assert caught or isinstance(end, DemogradError)


@pytest.mark.parametrize(
    "mistake",
    [mistake for mistake in MISTAKES if DemogradWarning.__name__ in mistake["text"]],
    ids=lambda mistake: mistake["title"],
)
def test_the_line_under_a_warning_switches_it_off(mistake, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    off = "\n".join(re.findall(r"^If it is meant: (.+)$", mistake["text"], re.MULTILINE))
    caught, _ = run(mistake["program"], before=off)
    assert [str(warning.message) for warning in caught] == []


def test_at_least_fifty_mistakes_are_read_from_the_page():
    titles = re.findall(r"^### (.+)$", TEXT, re.MULTILINE)
    assert [mistake["title"] for mistake in MISTAKES] == titles
    assert len(set(titles)) == len(titles) >= 50
    assert len({mistake["program"] for mistake in MISTAKES}) == len(titles)


def test_each_subject_has_mistakes():
    subjects = re.findall(r"^## (.+)$", TEXT, re.MULTILINE)
    assert subjects == [
        "Errors and warnings", "Shapes", "The graph", "Losses", "Modules", "Optimizers",
        "Training", "Numbers",
    ]  # fmt: skip
