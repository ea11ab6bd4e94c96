"""Nodes as a recorded pass sees them (``create_graph=True``).

The rule runs on a copy of its node whose saved values are Tensors, linked to where they came
from: an input to the node that computed it, an output to its own node. A copy, because another
thread may be running the same node on arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from demograd._dtype import DIFFERENTIABLE, native
from demograd._tensor import Tensor
from demograd._tensor_backend import tensor_backend
from demograd.autograd._function import Alias, Function, Output
from demograd.errors import GradientError

__all__ = ["recorded_twin", "twin"]


def twin(node: Function) -> Function:
    """A copy of a node that a pass may dress up without another thread seeing it."""
    copy = object.__new__(type(node))
    copy.__dict__.update(node.__dict__)
    return copy


def recorded_twin(node: Function) -> Function:
    """The node as a recorded pass sees it: its saved values are Tensors in the graph."""
    if node.once_differentiable:
        raise GradientError(
            f"backward: {node.name} can be differentiated once only.",
            mend="Its rule is marked once_differentiable; leave create_graph out.",
        )
    copy = twin(node)
    copy.xp = tensor_backend
    origins = _origins(node)
    if node._saves is not None:
        # By place: two inputs may hold one array, such as x and x.detach().
        edges = [node if i < 0 else node._edges[i] for i in node._saves]
        saved = [
            _as_saved_tensor(node, array, {id(array): edge})
            for array, edge in zip(node.saved_tensors, edges, strict=True)
        ]
    else:
        saved = [_as_saved_tensor(node, array, origins) for array in node.saved_tensors]
    copy.saved_tensors = tuple(saved)
    for key, value in node.__dict__.items():
        if (
            not key.startswith("_")
            and isinstance(value, np.ndarray)
            and origins.get(id(value)) is not None
        ):
            raise GradientError(
                f"backward: {node.name} keeps an input or output as self.{key}, where the "
                "recorded pass cannot see it.",
                mend="Keep it with self.save_for_backward(...).",
            )
    return copy


def _origins(node: Function) -> dict[int, Any]:
    """Where each input and output array of a node came from, by the array's id."""
    origins: dict[int, Any] = {node._output_id: node}
    saved = {id(array): array for array in node.saved_tensors if array is not None}
    for index, (_, _, identity) in enumerate(node._outputs or ()):
        if identity in saved:
            known = node._stands[index]
            stand = None if known is None else known()
            origins[identity] = stand or Output(node, index, saved[identity])
    inputs: dict[int, Any] = {}
    for identity, edge in zip(node._input_ids, node._edges, strict=False):
        if inputs.setdefault(identity, edge) is not edge and identity in saved:
            raise GradientError(
                f"backward: {node.name} saved an array that is two of its inputs, and only one of "
                "their histories can be meant.",
                [f"saved value: shape {saved[identity].shape}, dtype {saved[identity].dtype}"],
                "Give it a copy of one of them: x.detach().clone().",
            )
    # Inputs last: a rule that gives back an input as it is has saved the input.
    return origins | inputs


def _as_saved_tensor(node: Function, array: Any, origins: dict[int, Any]) -> Any:
    # By exact type: np.float64 is a float to isinstance, and its derivative would be lost.
    if array is None or type(array) in (bool, int, float, complex):
        return array
    identity = id(array)
    edge = origins.get(identity)
    if edge is None and identity not in origins and native(array.dtype) in DIFFERENTIABLE:
        raise GradientError(
            f"backward: {node.name} saved a value that is neither an input nor an output, so its "
            "own derivative is not known.",
            [f"saved value: shape {array.shape}, dtype {array.dtype}"],
            "Compute it again in backward from the inputs, or leave create_graph out.",
        )
    if isinstance(edge, Tensor):
        if edge._data is array:
            return edge
        edge = Alias(edge)  # the leaf holds another array by now
    tensor = Tensor.__new__(Tensor)
    tensor._data, tensor._node, tensor._requires_grad = array, edge, edge is not None
    return tensor
