"""Losses under the name of the published design; the code is in ``demograd.nn``.

>>> from demograd.losses import MSELoss
>>> from demograd.tensor_engine import Tensor
>>> MSELoss()(Tensor([1.0, 3.0]), Tensor([0.0, 0.0]))
tensor(5.)
"""

from demograd.nn import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HuberLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
    SmoothL1Loss,
)

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
