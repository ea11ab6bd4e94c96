"""The documentation's settings; ``hatch run docs`` builds it, and a warning is an error.

Nothing on a built page is fetched from elsewhere: formulas become MathML when the page is built,
pictures are drawn by then, and ``_extensions/offline.py`` fails the build if a page loads anything.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

from demograd import __version__

# Notebooks draw into the page, wherever the build was started.
os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"

project = "demograd"
author = "demograd contributors"
copyright = f"2026, {author}"
version = release = __version__

extensions = [
    "mathml",
    "myst_nb",
    "offline",
    "reference",
    "sphinx.ext.autodoc",
    "sphinx.ext.graphviz",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build", "benchmark-table.md"]

html_theme = "furo"
html_title = f"demograd {version}"
html_static_path = ["_static"]
html_css_files = ["demograd.css"]
html_copy_source = False
html_show_sphinx = False
pygments_style = "friendly"
pygments_dark_style = "github-dark"

# Formulas.
html_math_renderer = "mathml"
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

# Notebooks are run each time: what they show is what the code of the day does.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_in_temp = True
nb_execution_timeout = 120
nb_merge_streams = True
nb_ipywidgets_js = {}

# The reference.
autodoc_member_order = "groupwise"
autodoc_inherit_docstrings = False
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
napoleon_numpy_docstring = False
napoleon_use_rtype = False


# A reference that leads nowhere is an error. What other libraries have is not described here.
nitpicky = True
nitpick_ignore_regex = [
    (r"py:.*", r"(?!demograd\.).*"),
    (r"py:.*", r"demograd\.(.*\.)?_.*"),
]

# Colours that are seen on a light and on a dark page.
graphviz_output_format = "svg"
