"""What this package adds to ``dg.``: ``dg.save`` and ``dg.load``."""

from __future__ import annotations

from demograd.interfaces import FunctionProvider
from demograd.train._saving import load, save

__all__ = ["provider"]

provider = FunctionProvider("demograd-train", functions={"load": load, "save": save})
