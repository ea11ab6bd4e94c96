"""Finding out what went wrong: where a NaN was made, and why a gradient is not there.

``dg.debug`` and ``dg.explain`` are from here. Nothing of this is imported before it is used, and
nothing is paid for it before it is switched on.
"""

from demograd.diagnostics._debug import debug, is_debugging
from demograd.diagnostics._explain import explain
from demograd.diagnostics._explanation import Explanation, ModelExplanation

__all__ = ["Explanation", "ModelExplanation", "debug", "explain", "is_debugging"]
