"""Losses as modules: each keeps its settings and calls its function in ``nn.functional``."""

from __future__ import annotations

from typing import Any, Self

from demograd import Tensor
from demograd.errors import ArgumentTypeError
from demograd.nn import functional
from demograd.nn._module import Module
from demograd.nn.functional._reduction import check_reduction

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "HuberLoss",
    "L1Loss",
    "MSELoss",
    "NLLLoss",
    "SmoothL1Loss",
]


class _Refusing(Module):
    """Refuses input and target where the settings go. A class of its own, because a ``__new__``
    beside ``__init__`` would hide the signature from ``help``."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        if len(args) > 1 and isinstance(args[0], Tensor) and isinstance(args[1], Tensor):
            raise ArgumentTypeError(
                f"{cls.__name__}: it is made with its settings, and called with the tensors.",
                [f"first: shape {args[0].shape}", f"second: shape {args[1].shape}"],
                f"{cls.__name__}()(input, target), or the function in nn.functional.",
            )
        return super().__new__(cls)


class _Loss(_Refusing):
    """What all losses have: how they become one number.

    It is given by its name, because PyTorch's old arguments come before it.
    """

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__()
        check_reduction(type(self).__name__, reduction)
        self.reduction = reduction


class _WeightedLoss(_Loss):
    """A loss with a factor for each class or element, kept as a buffer."""

    weight: Tensor | None

    def __init__(self, weight: Tensor | None = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.register_buffer("weight", weight)


class MSELoss(_Loss):
    """The squared error ``(x - y)²``, its mean by default; see :func:`.functional.mse_loss`.

    Args:
        reduction: ``"mean"`` over all elements, ``"sum"`` or ``"none"``.

    >>> import demograd as dg
    >>> MSELoss()(dg.tensor([1.0, 2.0]), dg.tensor([0.0, 4.0]))
    tensor(2.5000)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss."""
        return functional.mse_loss(input, target, reduction=self.reduction)


class L1Loss(_Loss):
    """The absolute error ``|x - y|``, its mean by default; see :func:`.functional.l1_loss`.

    Args:
        reduction: ``"mean"`` over all elements, ``"sum"`` or ``"none"``.

    >>> import demograd as dg
    >>> L1Loss()(dg.tensor([1.0, 2.0]), dg.tensor([0.0, 4.0]))
    tensor(1.5000)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss."""
        return functional.l1_loss(input, target, reduction=self.reduction)


class HuberLoss(_Loss):
    """Squared for small errors, linear for large ones; see :func:`.functional.huber_loss`.

    Args:
        reduction: ``"mean"`` over all elements, ``"sum"`` or ``"none"``.
        delta: where the two meet; positive.

    >>> import demograd as dg
    >>> HuberLoss()(dg.tensor([4.0]), dg.tensor([0.0]))
    tensor(3.5000)
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss."""
        return functional.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class SmoothL1Loss(_Loss):
    """The Huber loss over ``beta``; see :func:`.functional.smooth_l1_loss`.

    Args:
        reduction: ``"mean"`` over all elements, ``"sum"`` or ``"none"``.
        beta: where the squared and the linear part meet; not negative.

    >>> import demograd as dg
    >>> SmoothL1Loss()(dg.tensor([4.0]), dg.tensor([0.0]))
    tensor(3.5000)
    """

    def __init__(self, *, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss."""
        return functional.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class CrossEntropyLoss(_WeightedLoss):
    """``-log softmax(x)[target]``, its mean by default; see :func:`.functional.cross_entropy`.

    The input is of logits: the softmax is part of the loss.

    Args:
        weight: one factor for each class.
        ignore_index: a class number that is passed over.
        reduction: ``"mean"`` over what is not ignored, ``"sum"`` or ``"none"``.
        label_smoothing: the share of the uniform distribution in the target, from 0 to 1.

    >>> import demograd as dg
    >>> CrossEntropyLoss()(dg.tensor([[0.0, 0.0]]), dg.tensor([1]))
    tensor(0.6931)
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, reduction=reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss."""
        return functional.cross_entropy(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class NLLLoss(_WeightedLoss):
    """``-x[target]`` of log-probabilities, its mean by default; see :func:`.functional.nll_loss`.

    Args:
        weight: one factor for each class.
        ignore_index: a class number that is passed over.
        reduction: ``"mean"`` over what is not ignored, ``"sum"`` or ``"none"``.

    >>> import demograd as dg
    >>> NLLLoss()(dg.tensor([[-0.5, -1.5]]), dg.tensor([1]))
    tensor(1.5000)
    """

    def __init__(
        self, weight: Tensor | None = None, *, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        super().__init__(weight, reduction=reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss."""
        return functional.nll_loss(
            input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction
        )


class BCELoss(_WeightedLoss):
    """The cross-entropy of probabilities; see :func:`.functional.binary_cross_entropy`.

    Args:
        weight: multiplies each loss, broadcast.
        reduction: ``"mean"`` over all elements, ``"sum"`` or ``"none"``.

    >>> import demograd as dg
    >>> BCELoss()(dg.tensor([0.5]), dg.tensor([1.0]))
    tensor(0.6931)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss."""
        return functional.binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_WeightedLoss):
    """The cross-entropy of ``sigmoid(x)``, finite and exact for any x.

    See :func:`.functional.binary_cross_entropy_with_logits`.

    Args:
        weight: multiplies each loss, broadcast.
        reduction: ``"mean"`` over all elements, ``"sum"`` or ``"none"``.
        pos_weight: multiplies the losses of positive targets, broadcast.

    >>> import demograd as dg
    >>> BCEWithLogitsLoss()(dg.tensor([0.0]), dg.tensor([1.0]))
    tensor(0.6931)
    """

    pos_weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        *,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(weight, reduction=reduction)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss."""
        return functional.binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )
