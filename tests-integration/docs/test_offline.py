"""The check that the documentation loads nothing from elsewhere sees what it is there for."""

import importlib.util
from pathlib import Path

import pytest

FILE = Path(__file__).parents[2] / "docs" / "_extensions" / "loads.py"

LOADS = {
    "a script": '<script src="https://cdn.example/a.js"></script>',
    "a script without a scheme": '<script src="//cdn.example/a.js"></script>',
    "an imported module": "<script>import 'https://cdn.example/a.js'</script>",
    "a style sheet": '<link rel="stylesheet" href="https://cdn.example/a.css">',
    "an icon": '<link rel="icon" href="https://cdn.example/a.png">',
    "a picture": '<img src="http://cdn.example/a.png">',
    "a picture in a picture": '<svg><image href="https://cdn.example/a.png"/></svg>',
    "a font in a style": "<style>@font-face {src: url(https://cdn.example/a.woff)}</style>",
    "a style sheet in a style": "<style>@import 'https://cdn.example/a.css';</style>",
    "a background": "<p style=\"background: url('https://cdn.example/a.png')\">",
    "a frame": '<iframe src="https://cdn.example/"></iframe>',
}
NO_LOADS = {
    "a link": '<a href="https://example.org">there</a>',
    "the canonical address": '<link rel="canonical" href="https://example.org/">',
    "a file beside the page": '<script src="_static/a.js"></script>',
    "data in the page": '<img src="data:image/png;base64,AAAA">',
    "a name space": '<svg xmlns="http://www.w3.org/2000/svg"></svg>',
    "an address in the text": "<p>https://example.org</p>",
}


@pytest.fixture(scope="module")
def loads():
    spec = importlib.util.spec_from_file_location("loads", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("case", LOADS)
def test_a_load_from_elsewhere_is_found(loads, case, tmp_path):
    (tmp_path / "page.html").write_text(f"<html><body>{LOADS[case]}</body></html>")
    (found,) = loads.loads_under(tmp_path)
    assert found.startswith("page.html: ")
    assert "cdn.example" in found


@pytest.mark.parametrize("case", NO_LOADS)
def test_what_is_not_loaded_from_elsewhere_passes(loads, case, tmp_path):
    (tmp_path / "page.html").write_text(f"<html><body>{NO_LOADS[case]}</body></html>")
    assert list(loads.loads_under(tmp_path)) == []


def test_style_sheets_are_read_too(loads, tmp_path):
    (tmp_path / "a.css").write_text("@import url('https://cdn.example/b.css');")
    assert list(loads.loads_under(tmp_path)) == ["a.css: https://cdn.example/b.css"]
