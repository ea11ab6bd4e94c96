"""Optimizers under the name of the published design; the code is in ``demograd.optim``.

>>> from demograd.optimizers import SGD
>>> from demograd.tensor_engine import Tensor
>>> x = Tensor([2.0], requires_grad=True)
>>> (x * x).backward()
>>> SGD([x], lr=0.25).step()
>>> x
tensor([1.], requires_grad=True)
"""

from demograd.optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop"]
