"""The training loop: progress, metrics, callbacks, checkpoints that survive, and ``resume``.

It knows models, losses, optimizers and loaders by their interfaces only
(:mod:`demograd.interfaces`), so those of any package will do.

>>> import demograd.train
>>> sorted(demograd.train.optimizers()) == list(demograd.train.optimizers())
True
"""

from demograd.train._callback import Callback, Run
from demograd.train._checkpoint import Checkpoint
from demograd.train._evaluate import evaluate
from demograd.train._files import write_atomically
from demograd.train._fit import fit
from demograd.train._gradient_clip import GradientClip
from demograd.train._history import History
from demograd.train._history_writer import HistoryWriter
from demograd.train._metrics import accuracy
from demograd.train._optimizers import get_optimizer, optimizers
from demograd.train._saving import load, save
from demograd.train._schedule import Schedule
from demograd.train._stopping import EarlyStopping

__all__ = [
    "Callback",
    "Checkpoint",
    "EarlyStopping",
    "GradientClip",
    "History",
    "HistoryWriter",
    "Run",
    "Schedule",
    "accuracy",
    "evaluate",
    "fit",
    "get_optimizer",
    "load",
    "optimizers",
    "save",
    "write_atomically",
]
