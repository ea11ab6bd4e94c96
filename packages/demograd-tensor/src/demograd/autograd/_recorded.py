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
from demograd._tensor_backend import tensor_backend_on
from demograd.autograd._function import Alias, Function, Output
from demograd.autograd._once import OnceTwin
from demograd.autograd._saved import unpacked
from demograd.errors import GradientError

__all__ = ["recorded_twin", "twin"]


def twin(node: Function) -> Function:
    """A copy of a node that a pass may dress up without another thread seeing it."""
    copy = object.__new__(type(node))
    copy.__dict__.update(node.__dict__)
    if node._packed:
        copy.saved_tensors = unpacked(node)
    return copy


def recorded_twin(node: Function) -> Any:
    """The node as a recorded pass sees it: its saved values are Tensors in the graph."""
    if node.once_differentiable or getattr(node.backward, "once_differentiable", False):
        return OnceTwin(twin(node), [_source(edge) for edge in node._edges if edge is not None])
    copy = twin(node)
    copy.xp = tensor_backend_on(node.xp)
    origins = {} if node._packed or node._saves is not None else _origins(node)
    if node._saves is not None:
        # By place: two inputs may hold one array, such as x and x.detach().
        saved = [
            _as_saved_tensor(
                node, array, {} if place is None else {id(array): _at(node, place, array)}
            )
            for array, place in zip(copy.saved_tensors, node._saves, strict=True)
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


def _source(edge: Any) -> Tensor:
    """A tensor at an edge of the graph, whose values nobody asks for."""
    if isinstance(edge, Tensor):
        return edge
    tensor = Tensor.__new__(Tensor)
    tensor._data, tensor._node, tensor._requires_grad = np.zeros(()), edge, True
    return tensor


def _at(node: Function, place: int, array: Any) -> Any:
    """Where an input, counted from 0, or an output, counted from -1 down, came from."""
    if place >= 0:
        return node._edges[place]
    return node if node._outputs is None else _stand(node, -1 - place, array)


def _stand(node: Function, index: int, array: Any) -> Output:
    """What stands for one of several outputs."""
    known = node._stands[index]
    return (None if known is None else known()) or Output(node, index, array)


def _origins(node: Function) -> dict[int, Any]:
    """Where each input and output array of a node came from, by the array's id."""
    origins: dict[int, Any] = {node._output_id: node}
    saved = {id(array): array for array in node.saved_tensors if array is not None}
    for index, (_, _, identity) in enumerate(node._outputs or ()):
        if identity in saved:
            origins[identity] = _stand(node, index, saved[identity])
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
