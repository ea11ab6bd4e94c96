"""Optimizers and learning-rate schedules, with PyTorch's names, settings and results.

>>> import demograd as dg
>>> x = dg.tensor([3.0, -2.0], requires_grad=True)
>>> optimizer = SGD([x], lr=0.1, momentum=0.9)
>>> for _ in range(100):
...     optimizer.zero_grad()
...     loss = (x * x).sum()
...     loss.backward()
...     optimizer.step()
>>> loss.item() < 1e-3
True
"""

from demograd.optim import lr_scheduler
from demograd.optim._adagrad import Adagrad
from demograd.optim._adam import Adam, AdamW
from demograd.optim._optimizer import Optimizer
from demograd.optim._rmsprop import RMSprop
from demograd.optim._sgd import SGD

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "lr_scheduler"]
