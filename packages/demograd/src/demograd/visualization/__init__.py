"""Pictures of graphs under the names of the published design; the code is in ``demograd.viz``.

>>> from demograd.tensor_engine import Tensor
>>> from demograd.visualization import build_graphviz
>>> x = Tensor([2.0], requires_grad=True, name="x")
>>> "digraph" in build_graphviz(x * x).source
True
"""

from demograd.visualization._graph import build_graphviz, visualize_graph

__all__ = ["build_graphviz", "visualize_graph"]
