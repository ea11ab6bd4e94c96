"""What PyTorch does with each program of the page on mistakes is what the page says of it."""

import contextlib
import io
import re
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.utils.data
from torch.nn import functional

PAGE = Path(__file__).parents[2] / "docs" / "mistakes.md"
MISTAKE = re.compile(
    r"^### (?P<title>.+)\n\n"
    r"```\{code-block\} python\n(?P<program>(?s:.+?))```\n\n"
    r"```text\n(?s:.+?)\n```\n\n"
    r"PyTorch (?P<pytorch>.+)\.\n\n",
    re.MULTILINE,
)
TEXT = PAGE.read_text(encoding="utf-8")
MISTAKES = [found.groupdict() for found in MISTAKE.finditer(TEXT)]
WITHOUT_A_LOOP = "has no such loop"


def first_words(program):
    """The type and the first line of the first warning, or of the exception; empty for neither."""
    names = {"__name__": "__main__", "dg": torch, "np": np, "nn": torch.nn, "F": functional}
    names |= {"data": torch.utils.data, "optim": torch.optim}
    with (
        warnings.catch_warnings(record=True) as caught,
        contextlib.redirect_stdout(io.StringIO()),
    ):
        warnings.simplefilter("always")
        try:
            exec(program, names)
        except Exception as error:  # noqa: BLE001 - whatever a user sees is on the page
            if not caught:
                return "raises", f"{type(error).__name__}: {error}".splitlines()[0]
    if caught:
        return "warns", f"{caught[0].category.__name__}: {caught[0].message}".splitlines()[0]
    return "says", "nothing"


@pytest.fixture(autouse=True)
def every_warning():
    """Some of PyTorch's own are shown once in a process; not here."""
    torch.set_warn_always(True)
    yield
    torch.set_warn_always(False)


@pytest.mark.parametrize(
    "mistake",
    [mistake for mistake in MISTAKES if mistake["pytorch"] != WITHOUT_A_LOOP],
    ids=lambda mistake: mistake["title"],
)
def test_pytorch_does_what_the_page_says(mistake):
    version, verb, words = mistake["pytorch"].split(" ", 2)
    assert torch.__version__.startswith(version)
    does, says = first_words(mistake["program"])
    assert does == verb
    expected = words.strip("`").strip()
    if expected.endswith("..."):
        assert says.startswith(expected.removesuffix("...").rstrip())
    else:
        assert says.rstrip(".") == expected


def test_every_mistake_of_the_page_is_read():
    assert [m["title"] for m in MISTAKES] == re.findall(r"^### (.+)$", TEXT, re.MULTILINE)
    loops = [m for m in MISTAKES if m["pytorch"] == WITHOUT_A_LOOP]
    assert len(MISTAKES) - len(loops) >= 50
    assert all("train." in mistake["program"] for mistake in loops)
