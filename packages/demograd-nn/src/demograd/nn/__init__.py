"""Neural networks: modules with parameters, layers, containers and losses.

Names, arguments, parameter shapes and defaults are PyTorch's, so that a checkpoint of the same
PyTorch model loads.

>>> import demograd as dg
>>> from demograd import nn
>>> model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
>>> loss = nn.CrossEntropyLoss()(model(dg.ones(2, 4)), dg.tensor([0, 2]))
>>> loss.backward()
>>> model[0].weight.grad.shape
(8, 4)
"""

from demograd.nn import functional, init, utils
from demograd.nn._activation import (
    ELU,
    GELU,
    LeakyReLU,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from demograd.nn._conv import Conv2d
from demograd.nn._dropout import Dropout
from demograd.nn._embedding import Embedding
from demograd.nn._lambda import Lambda
from demograd.nn._linear import Identity, Linear
from demograd.nn._lists import ModuleList, Sequential
from demograd.nn._loss import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HuberLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
    SmoothL1Loss,
)
from demograd.nn._module import Module
from demograd.nn._module_dict import ModuleDict
from demograd.nn._norm import BatchNorm1d, BatchNorm2d, LayerNorm
from demograd.nn._parameter import Parameter
from demograd.nn._parameter_list import ParameterList
from demograd.nn._pooling import AvgPool2d, MaxPool2d
from demograd.nn._recurrent import LSTMCell
from demograd.nn._reshape import Flatten, Unflatten

__all__ = [
    "ELU",
    "GELU",
    "AvgPool2d",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "Conv2d",
    "CrossEntropyLoss",
    "Dropout",
    "Embedding",
    "Flatten",
    "HuberLoss",
    "Identity",
    "L1Loss",
    "LSTMCell",
    "Lambda",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "MSELoss",
    "MaxPool2d",
    "Module",
    "ModuleDict",
    "ModuleList",
    "NLLLoss",
    "Parameter",
    "ParameterList",
    "ReLU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "SmoothL1Loss",
    "Softmax",
    "Softplus",
    "Tanh",
    "Unflatten",
    "functional",
    "init",
    "utils",
]
