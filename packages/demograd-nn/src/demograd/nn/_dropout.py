"""Dropout layers."""

from __future__ import annotations

from demograd import Tensor
from demograd.nn import functional
from demograd.nn._module import Module
from demograd.nn.functional._dropout import check_probability
from demograd.operators import change

__all__ = ["Dropout"]


class Dropout(Module):
    """Zeroes elements at random in training, each with probability p; nothing in evaluation.

    Those that are kept are scaled by ``1 / (1 - p)``, so that the expected value stays. The random
    numbers are the default generator's, which ``dg.manual_seed`` starts.

    Args:
        p: the share that is zeroed, from 0 to 1.
        inplace: overwrite the input.

    Raises:
        ArgumentError: p is outside 0 to 1.

    Reference: Srivastava et al., "Dropout: a simple way to prevent neural networks from
    overfitting", JMLR 2014.

    >>> import demograd as dg
    >>> layer, x = Dropout(0.5), dg.ones(100)
    >>> sorted(set(layer(x).tolist()))
    [0.0, 2.0]
    >>> layer.eval()(x) is x
    True
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        check_probability("Dropout", p)
        self.p = p
        self.inplace = inplace

    def forward(self, x: Tensor) -> Tensor:
        """The input with elements zeroed, in training."""
        if self.inplace and self.training:
            return change(x, "dropout_", lambda old: functional.dropout(old, self.p))
        return functional.dropout(x, self.p, self.training)

    def extra_repr(self) -> str:
        """The settings."""
        return f"p={self.p}, inplace={self.inplace}"
