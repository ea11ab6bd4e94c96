"""All parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable

from demograd import Tensor, no_grad, ops
from demograd.errors import ArgumentError, ShapeError

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """The elements of all parameters in one vector, differentiable.

    Raises:
        ArgumentError: there are no parameters.

    >>> import demograd as dg
    >>> parameters_to_vector([dg.tensor([[1.0, 2.0]]), dg.tensor([3.0])])
    tensor([1., 2., 3.])
    """
    parts = [x.reshape(-1) for x in parameters]
    if not parts:
        raise ArgumentError("parameters_to_vector: there are no parameters.")
    return ops.cat(parts)


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Copy the elements of a vector into the parameters, in order.

    Raises:
        ShapeError: the vector has not exactly the parameters' elements.

    >>> import demograd as dg
    >>> x = dg.zeros(1, 2)
    >>> vector_to_parameters(dg.tensor([1.0, 2.0]), [x])
    >>> x
    tensor([[1., 2.]])
    """
    targets = list(parameters)
    needed = sum(x.numel() for x in targets)
    if vec.shape != (needed,):
        raise ShapeError(
            "vector_to_parameters: the vector has not the parameters' elements.",
            [f"vec: shape {vec.shape}", f"parameters: {needed} elements"],
        )
    start = 0
    with no_grad():
        for x in targets:
            x.copy_(vec[start : start + x.numel()].reshape(x.shape))
            start += x.numel()
