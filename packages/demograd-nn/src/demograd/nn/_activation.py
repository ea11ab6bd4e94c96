"""Activation layers: the functions of ``demograd.activations`` as modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from demograd import Tensor, activations
from demograd.nn._module import Module
from demograd.operators import change

__all__ = [
    "ELU",
    "GELU",
    "LeakyReLU",
    "LogSoftmax",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
]


class _InPlace(Module):
    """An activation that may overwrite its input."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def _apply(self, function: Callable[..., Tensor], x: Tensor, *settings: Any) -> Tensor:
        if self.inplace:
            name = f"{function.__name__}_"
            return change(x, name, lambda old: function(old, *settings))
        return function(x, *settings)

    def extra_repr(self) -> str:
        """Whether it overwrites its input, if it does."""
        return "inplace=True" if self.inplace else ""


class ReLU(_InPlace):
    """``max(x, 0)``.

    Args:
        inplace: overwrite the input.

    >>> import demograd as dg
    >>> ReLU()(dg.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def forward(self, x: Tensor) -> Tensor:
        """The function of each element."""
        return self._apply(activations.relu, x) if self.inplace else activations.relu(x)


class SiLU(_InPlace):
    """``x sigmoid(x)``, also called swish.

    Args:
        inplace: overwrite the input.

    Reference: Elfwing, Uchibe and Doya, "Sigmoid-weighted linear units", Neural Networks 2018.

    >>> import demograd as dg
    >>> SiLU()(dg.tensor([-1.0, 2.0]))
    tensor([-0.2689,  1.7616])
    """

    def forward(self, x: Tensor) -> Tensor:
        """The function of each element."""
        return self._apply(activations.silu, x)


class LeakyReLU(_InPlace):
    """``x`` where positive, else ``negative_slope x``.

    Args:
        negative_slope: the slope below zero.
        inplace: overwrite the input.

    Reference: Maas, Hannun and Ng, "Rectifier nonlinearities improve neural network acoustic
    models", ICML 2013.

    >>> import demograd as dg
    >>> LeakyReLU(0.1)(dg.tensor([-1.0, 2.0]))
    tensor([-0.1000,  2.0000])
    """

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope

    def forward(self, x: Tensor) -> Tensor:
        """The function of each element."""
        return self._apply(activations.leaky_relu, x, self.negative_slope)

    def extra_repr(self) -> str:
        """The settings."""
        return f"negative_slope={self.negative_slope}" + (", inplace=True" if self.inplace else "")


class ELU(_InPlace):
    """``x`` where positive, else ``alpha (e**x - 1)``.

    Args:
        alpha: minus the limit at minus infinity.
        inplace: overwrite the input.

    Reference: Clevert, Unterthiner and Hochreiter, "Exponential linear units", ICLR 2016.

    >>> import demograd as dg
    >>> ELU()(dg.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        """The function of each element."""
        return self._apply(activations.elu, x, self.alpha)

    def extra_repr(self) -> str:
        """The settings."""
        return f"alpha={self.alpha}" + (", inplace=True" if self.inplace else "")


class Sigmoid(Module):
    """``1 / (1 + e**-x)``.

    >>> import demograd as dg
    >>> Sigmoid()(dg.tensor([0.0]))
    tensor([0.5000])
    """

    def forward(self, x: Tensor) -> Tensor:
        """The function of each element."""
        return activations.sigmoid(x)


class Tanh(Module):
    """The hyperbolic tangent.

    >>> import demograd as dg
    >>> Tanh()(dg.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """

    def forward(self, x: Tensor) -> Tensor:
        """The function of each element."""
        return activations.tanh(x)


class GELU(Module):
    """``x P(x)``, with P the distribution function of the normal law.

    Args:
        approximate: ``"none"``, or ``"tanh"`` for a faster formula in place of P.

    Reference: Hendrycks and Gimpel, "Gaussian Error Linear Units (GELUs)", arXiv:1606.08415.

    >>> import demograd as dg
    >>> GELU()(dg.tensor([-1.0, 2.0]))
    tensor([-0.1587,  1.9545])
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, x: Tensor) -> Tensor:
        """The function of each element."""
        return activations.gelu(x, self.approximate)

    def extra_repr(self) -> str:
        """The setting."""
        return f"approximate={self.approximate!r}"


class Softplus(Module):
    """``log(1 + e**(beta x)) / beta``, a smooth ``max(x, 0)``.

    Args:
        beta: how sharp the bend at zero is.
        threshold: above ``beta x = threshold`` the result is x itself.

    >>> import demograd as dg
    >>> Softplus()(dg.tensor([0.0]))
    tensor([0.6931])
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, x: Tensor) -> Tensor:
        """The function of each element."""
        return activations.softplus(x, self.beta, self.threshold)

    def extra_repr(self) -> str:
        """The settings."""
        return f"beta={self.beta}, threshold={self.threshold}"


class Softmax(Module):
    """``e**x / Σ e**x`` along a dimension: positive numbers that sum to one.

    ``nn.CrossEntropyLoss`` has a softmax of its own: give it the numbers before this layer.

    Args:
        dim: along which dimension; the last if left out.

    >>> import demograd as dg
    >>> Softmax(dim=1)(dg.tensor([[1.0, 2.0, 3.0]]))
    tensor([[0.0900, 0.2447, 0.6652]])
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        """Probabilities along the dimension."""
        return activations.softmax(x, -1 if self.dim is None else self.dim)

    def extra_repr(self) -> str:
        """The dimension."""
        return f"dim={self.dim}"


class LogSoftmax(Module):
    """``x - log Σ e**x`` along a dimension: the logarithms of the softmax.

    Args:
        dim: along which dimension; the last if left out.

    >>> import demograd as dg
    >>> LogSoftmax(dim=1)(dg.tensor([[1.0, 2.0, 3.0]]))
    tensor([[-2.4076, -1.4076, -0.4076]])
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        """Log-probabilities along the dimension."""
        return activations.log_softmax(x, -1 if self.dim is None else self.dim)

    def extra_repr(self) -> str:
        """The dimension."""
        return f"dim={self.dim}"
