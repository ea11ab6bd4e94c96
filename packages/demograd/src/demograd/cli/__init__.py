"""The command ``demograd``: train a network, draw its graph, tell what is installed.

``demograd --help`` says what it can do, ``demograd train --help`` how.
"""

from demograd.cli._main import main

__all__ = ["main"]
