"""The classes that these tests train with keep to the interfaces that ``fit`` knows."""

import numpy as np

import demograd as dg
from demograd.testing import check_model, check_optimizer


def test_the_model_is_a_model(parts):
    check_model(parts.Net(), dg.Tensor(np.ones((2, 3))))


def test_the_optimizer_trains_and_resumes(parts):
    check_optimizer(parts.Momentum)
