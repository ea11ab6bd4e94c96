"""Learning-rate schedules, with PyTorch's names and results.

Each works with any optimizer of the interface, for it touches ``param_groups`` alone. Call its
``step`` after the optimizer's: once an epoch, or once a batch for ``OneCycleLR``.
"""

from demograd.optim.lr_scheduler._cosine import CosineAnnealingLR, CosineAnnealingWarmRestarts
from demograd.optim.lr_scheduler._factors import (
    ConstantLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiStepLR,
    StepLR,
)
from demograd.optim.lr_scheduler._one_cycle import OneCycleLR
from demograd.optim.lr_scheduler._plateau import ReduceLROnPlateau
from demograd.optim.lr_scheduler._scheduler import LRScheduler
from demograd.optim.lr_scheduler._sequential import SequentialLR

__all__ = [
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "OneCycleLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]
