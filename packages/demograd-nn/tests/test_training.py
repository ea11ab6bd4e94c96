"""Whole models: they learn, and what a step leaves behind is nothing."""

import gc
import tracemalloc

import numpy as np
import pytest

import demograd as dg
from demograd import nn
from demograd.activations import ReLU


def data():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((64, 8)).astype(np.float32)
    return dg.tensor(x), dg.tensor((x[:, 0] * x[:, 1] > 0).astype(np.int64))


def network():
    dg.manual_seed(0)
    return nn.Sequential(
        nn.Linear(8, 32),
        ReLU.apply,
        nn.LayerNorm(32),
        nn.Dropout(0.1),
        nn.Linear(32, 2),
    )


def step(model, x, y, lr=0.5):
    model.zero_grad()
    loss = nn.CrossEntropyLoss()(model(x), y)
    loss.backward()
    with dg.no_grad():
        for parameter in model.parameters():
            parameter -= lr * parameter.grad
    return loss.item()


def test_a_network_learns_and_the_same_seed_gives_the_same_losses():
    x, y = data()

    def run():
        model = network()
        return [step(model, x, y) for _ in range(100)]

    losses = run()
    assert losses[-1] < 0.1 < losses[0]
    assert run() == losses


def test_a_step_leaves_no_memory_behind_with_the_collector_off():
    x, y = data()
    model = network()
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        for _ in range(100):  # the interpreter fills its free lists first
            step(model, x, y)
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(100):
            step(model, x, y)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        gc.enable()
    # One array of activations is 8 kB, and one a step would be 800.
    assert after - before < 20_000


def test_a_failed_forward_leaves_the_next_step_as_it_was():
    x, y = data()
    model, twin = network().eval(), network().eval()

    def fail(module, args, out):
        raise RuntimeError("stop")

    with model[4].register_forward_hook(fail), pytest.raises(RuntimeError, match="stop"):
        model(x)
    for one in (model, twin):
        nn.CrossEntropyLoss()(one(x), y).backward()
    assert model[0].weight.grad.tolist() == twin[0].weight.grad.tolist()


def test_a_gradient_penalty_goes_through_layers_and_loss():
    x, y = data()
    model = network().double().eval()
    x = x.double().requires_grad_()
    loss = nn.CrossEntropyLoss()(model(x), y)
    (slope,) = dg.autograd.grad(loss, x, create_graph=True)
    (slope * slope).sum().backward()
    weight = model[4].weight
    i, eps = (1, 3), 1e-5
    values = []
    for sign in (1, -1):
        weight.data[i] += sign * eps
        shifted = nn.CrossEntropyLoss()(model(x), y)
        (s,) = dg.autograd.grad(shifted, x)
        values.append(float((s * s).sum().item()))
        weight.data[i] -= sign * eps
    expected = (values[0] - values[1]) / (2 * eps)
    assert weight.grad.numpy()[i] == pytest.approx(expected, rel=1e-4)
