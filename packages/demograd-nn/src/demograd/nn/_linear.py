"""Linear layers."""

from __future__ import annotations

import math
from typing import Any

import demograd as dg
from demograd import Tensor
from demograd.errors import ArgumentError
from demograd.nn import functional, init
from demograd.nn._module import Module
from demograd.nn._parameter import Parameter

__all__ = ["Identity", "Linear"]


class Identity(Module):
    """Its input: a place that another module may take.

    Args:
        args, kwargs: of the module in whose place it stands; they are not used.

    >>> import demograd as dg
    >>> Identity(54, unused=True)(dg.ones(2))
    tensor([1., 1.])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, x: Any) -> Any:
        """The input itself."""
        return x


class Linear(Module):
    """The affine map ``y = x Wᵀ + b``.

    Weight and bias start uniform in ``±1 / sqrt(in_features)``.

    Shapes: input ``(..., in_features)``, result ``(..., out_features)``.

    Args:
        in_features: numbers in each row of the input.
        out_features: numbers in each row of the result.
        bias: whether ``b`` is added.
        device: where the parameters are; the default device if left out.
        dtype: of the parameters; the default type if left out.

    Attributes:
        weight: shape ``(out_features, in_features)``.
        bias: shape ``(out_features,)``, or None.

    Raises:
        ArgumentError: a number of features is negative.
        ShapeError: when called, the input's last dimension is not ``in_features``.
        DtypeError: when called, the input has another type than the weight.

    >>> import demograd as dg
    >>> layer = Linear(3, 2)
    >>> layer
    Linear(in_features=3, out_features=2, bias=True)
    >>> layer(dg.ones(5, 3)).shape
    (5, 2)
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if min(in_features, out_features) < 0:
            raise ArgumentError(
                "Linear: a number of features is negative.",
                [f"in_features: {in_features}", f"out_features: {out_features}"],
            )
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(dg.empty(out_features, in_features, device=device, dtype=dtype))
        shift = Parameter(dg.empty(out_features, device=device, dtype=dtype)) if bias else None
        self.register_parameter("bias", shift)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        # kaiming_uniform with a = sqrt(5) is uniform in ±1 / sqrt(in_features).
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1.0 / math.sqrt(self.in_features) if self.in_features else 0.0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        """The affine map of the rows of ``x``."""
        return functional.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The sizes."""
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )
