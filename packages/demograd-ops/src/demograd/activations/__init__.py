"""Activation functions: each a ``Function`` whose ``apply`` is usable as a layer, and a function.

>>> from demograd import Tensor
>>> ReLU.apply(Tensor([-1.0, 2.0]))
tensor([0., 2.])
>>> gelu(Tensor([-1.0, 2.0]), approximate="tanh")
tensor([-0.1588,  1.9546])
"""

from demograd.activations._elu import ELU, elu
from demograd.activations._gelu import GELU, gelu
from demograd.activations._leaky_relu import LeakyReLU, leaky_relu
from demograd.activations._silu import SiLU, silu
from demograd.activations._softplus import Softplus, softplus
from demograd.ops import (
    LogSoftmax,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
    log_softmax,
    relu,
    sigmoid,
    softmax,
    tanh,
)

__all__ = [
    "ELU", "GELU", "LeakyReLU", "LogSoftmax", "ReLU", "SiLU", "Sigmoid", "Softmax", "Softplus",
    "Tanh",
    "elu", "gelu", "leaky_relu", "log_softmax", "relu", "sigmoid", "silu", "softmax", "softplus",
    "tanh",
]  # fmt: skip
