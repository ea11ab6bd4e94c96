"""No page may load anything from elsewhere: the build fails if one does.

The pages are read after they are written, whatever part of the tool chain wrote them.
"""

from pathlib import Path
from typing import Any

from loads import loads_under
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError


def check(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        found = list(loads_under(Path(app.outdir)))
        if found:
            raise ExtensionError("pages load files from elsewhere:\n  " + "\n  ".join(found))


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("build-finished", check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
