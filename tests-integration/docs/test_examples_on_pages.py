"""Every Python example in the README and on the pages of the documentation is run.

Blocks with prompts are doctests, and what they show must be what is printed. Blocks without are
programs. The blocks of a page share their names, in order, as a reader would type them.
"""

import doctest
import io
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
BLOCK = re.compile(
    r"^(?P<fence>`{3,})(?:python|pycon|\{code-cell\}[^\n]*)\n(?P<code>.*?)^(?P=fence)`*$",
    re.MULTILINE | re.DOTALL,
)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.REPORT_NDIFF


def blocks_of(text: str) -> list[tuple[int, str]]:
    """The line at which each Python block begins, and the block."""
    return [
        (text.count("\n", 0, found.start("code")) + 1, found["code"])
        for found in BLOCK.finditer(text)
    ]


def run(page: str, text: str) -> int:
    """Run the blocks of a page; gives how many there are, and raises where one fails."""
    names: dict[str, object] = {"__name__": "__main__"}
    runner = doctest.DocTestRunner(optionflags=FLAGS, verbose=False)
    blocks = blocks_of(text)
    report = io.StringIO()
    for line, code in blocks:
        if re.search(r"^>>> ", code, re.MULTILINE):
            test = doctest.DocTestParser().get_doctest(code, names, page, page, line - 1)
            runner.run(test, out=report.write, clear_globs=False)
            names.update(test.globs)
        else:
            exec(compile("\n" * (line - 1) + code, page, "exec"), names)
    assert not report.getvalue(), report.getvalue()
    return len(blocks)


def with_examples(page: Path) -> bool:
    return bool(blocks_of(page.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if with_examples(page)],
    ids=lambda page: page.relative_to(ROOT).as_posix(),
)
def test_the_examples_run_and_print_what_is_shown(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(str(page), page.read_text(encoding="utf-8")) > 0


def test_the_readme_and_the_guides_have_examples():
    """A pattern that matches nothing would pass the test above in silence."""
    names = {page.name for page in PAGES if with_examples(page)}
    assert names >= {
        "README.md", "architecture.md", "arrays.md", "differences.md", "errors.md", "index.md",
        "operator.md", "optimizer.md", "three_ways.md",
    }  # fmt: skip


@pytest.mark.parametrize(
    "block",
    ["```python\n>>> 1 + 1\n3\n```\n", "```python\nassert 1 == 2\n```\n"],
    ids=["doctest", "program"],
)
def test_a_false_example_fails(block):
    with pytest.raises(AssertionError):
        run("a page", block)
