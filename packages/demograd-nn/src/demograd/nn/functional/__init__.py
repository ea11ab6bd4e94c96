"""Layers and losses as functions: what the modules of ``demograd.nn`` call.

Activations, convolutions and pooling are those of ``demograd.activations`` and ``demograd.ops``.

>>> import demograd as dg
>>> from demograd.nn import functional as F
>>> F.cross_entropy(F.linear(dg.ones(2, 3), dg.zeros(4, 3)), dg.tensor([0, 3]))
tensor(1.3863)
"""

from demograd.activations import (
    elu,
    gelu,
    leaky_relu,
    log_softmax,
    relu,
    sigmoid,
    silu,
    softmax,
    softplus,
    tanh,
)
from demograd.nn.functional._attention import scaled_dot_product_attention
from demograd.nn.functional._binary import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
)
from demograd.nn.functional._cross_entropy import cross_entropy, nll_loss
from demograd.nn.functional._dropout import dropout
from demograd.nn.functional._embedding import embedding, one_hot
from demograd.nn.functional._layer_norm import layer_norm
from demograd.nn.functional._linear import linear
from demograd.nn.functional._normalization import batch_norm, normalize
from demograd.nn.functional._regression import huber_loss, l1_loss, mse_loss, smooth_l1_loss
from demograd.ops import avg_pool2d, conv2d, max_pool2d, pad

__all__ = [
    "avg_pool2d",
    "batch_norm",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "conv2d",
    "cross_entropy",
    "dropout",
    "elu",
    "embedding",
    "gelu",
    "huber_loss",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "max_pool2d",
    "mse_loss",
    "nll_loss",
    "normalize",
    "one_hot",
    "pad",
    "relu",
    "scaled_dot_product_attention",
    "sigmoid",
    "silu",
    "smooth_l1_loss",
    "softmax",
    "softplus",
    "tanh",
]
