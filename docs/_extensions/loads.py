"""What a written page loads from elsewhere. Links that a reader follows are no loads."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

# What a browser fetches without being asked, and the attributes that say from where.
LOADING = {
    "audio": ["src"],
    "embed": ["src"],
    "iframe": ["src"],
    "image": ["href", "xlink:href"],
    "img": ["src", "srcset"],
    "input": ["src"],
    "object": ["data"],
    "script": ["src"],
    "source": ["src", "srcset"],
    "track": ["src"],
    "use": ["href", "xlink:href"],
    "video": ["poster", "src"],
}
LOADING_RELATIONS = {"icon", "manifest", "modulepreload", "preload", "shortcut icon", "stylesheet"}
ELSEWHERE = re.compile(r"\s*(?:https?:)?//", re.IGNORECASE)
CSS_LOAD = re.compile(r"""(?:@import\s+|url\(\s*)["']?(?=(?:https?:)?//)([^"')\s;]+)""")


class Loads(HTMLParser):
    """The addresses elsewhere from which a page would load something."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        values = {name: value or "" for name, value in attrs}
        names = LOADING.get(tag, [])
        if tag == "link" and values.get("rel", "").lower() in LOADING_RELATIONS:
            names = ["href"]
        self.found += [values[n] for n in names if ELSEWHERE.match(values.get(n, ""))]
        self.found += CSS_LOAD.findall(values.get("style", ""))

    def handle_data(self, data: str) -> None:
        if self._inside == "style":
            self.found += CSS_LOAD.findall(data)
        elif self._inside == "script":
            self.found += re.findall(r"""import\s*\(?\s*["']((?:https?:)?//[^"']+)""", data)


def loads_of(text: str, suffix: str) -> list[str]:
    """The addresses elsewhere from which a page, a picture or a style sheet loads something."""
    if suffix == ".css":
        return CSS_LOAD.findall(text)
    parser = Loads()
    parser.feed(text)
    return parser.found


def loads_under(folder: Path) -> Iterator[str]:
    """One line for each load from elsewhere in the files that were written."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".css", ".html", ".svg"}:
            for address in loads_of(path.read_text(encoding="utf-8"), path.suffix):
                yield f"{path.relative_to(folder)}: {address}"
