"""Pictures of graphs, models and training.

``graph`` draws the recorded graph of a tensor, ``summary`` tabulates the layers of a model,
``curves``, ``decision_boundary``, ``images`` and ``gradient_flow`` are Matplotlib figures.
Graphviz, Matplotlib and rich are imported by the first function that needs them.
"""

from demograd.viz._curves import curves
from demograd.viz._decision_boundary import decision_boundary
from demograd.viz._gradient_flow import gradient_flow
from demograd.viz._graph import graph
from demograd.viz._images import images
from demograd.viz._summary import Row, Summary, summary

__all__ = [
    "Row",
    "Summary",
    "curves",
    "decision_boundary",
    "gradient_flow",
    "graph",
    "images",
    "summary",
]
