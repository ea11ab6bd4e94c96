"""``demograd graph``: a picture in the format that the file's ending names."""

import shutil

import pytest

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")


@pytest.fixture
def no_dot(tmp_path_factory, monkeypatch):
    """No program is found, as on a machine without Graphviz."""
    monkeypatch.setenv("PATH", str(tmp_path_factory.mktemp("empty")))


def text(folder, name="graph.svg"):
    return (folder / name).read_text(encoding="utf-8")


def test_it_draws_the_layers_with_their_parameters_and_the_loss(demograd):
    assert demograd("graph", "--hidden", "16,8") == "graph: graph.svg\n"
    drawn = text(demograd.folder)
    for word in ("<svg", "0.weight", "2.bias", "4.weight", "Linear", "ReLU", "loss"):
        assert word in drawn


def test_the_options_change_what_is_drawn(demograd):
    demograd(
        *("graph", "--hidden", "none", "--inputs", 7, "--classes", 3, "--batch-size", 5),
        *("--no-loss", "--direction", "LR", "--out", "g.dot"),
    )
    source = text(demograd.folder, "g.dot")
    assert "rankdir=LR" in source
    assert "0.weight" in source
    assert "2.weight" not in source
    assert "loss" not in source
    assert "scores" in source
    assert "(3, 7)" in source
    assert "(5, 3)" in source


@needs_dot
@pytest.mark.parametrize(("ending", "start"), [("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_other_formats_are_drawn_by_dot(ending, start, demograd):
    demograd("graph", "--hidden", 4, "--out", f"g.{ending}")
    assert (demograd.folder / f"g.{ending}").read_bytes().startswith(start)


def test_svg_and_html_need_no_dot(demograd, no_dot):
    for name in ("g.svg", "g.html"):
        demograd("graph", "--hidden", 4, "--out", name)
        assert "0.weight" in text(demograd.folder, name)


def test_training_needs_no_dot(demograd, no_dot):
    demograd.small("--pictures", "--out", "run")
    assert "0.weight" in text(demograd.folder / "run")


def test_a_format_that_needs_dot_names_what_is_missing(demograd, no_dot):
    printed = demograd("graph", "--out", "g.png", code=1)
    assert printed.startswith("Error: graph: the program `dot` of Graphviz is not installed")
    assert "apt-get install graphviz" in printed
    assert not (demograd.folder / "g.png").exists()


@pytest.mark.parametrize(
    ("out", "word"),
    [("graph.xyz", "names no format"), ("graph", "names no format"), ("none/g.svg", "none/g.svg")],
)
def test_a_place_that_cannot_be_drawn_to_is_refused(out, word, demograd):
    printed = demograd("graph", "--hidden", 4, "--out", out, code=1)
    assert printed.startswith("Error: ")
    assert word in printed
    assert list(demograd.folder.iterdir()) == []
