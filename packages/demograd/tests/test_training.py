"""``train.fit`` with the modules, optimizers, schedules and loaders of the other packages."""

import numpy as np
import pytest

import demograd as dg
from demograd import nn, optim, train
from demograd.data import DataLoader, TensorDataset
from demograd.errors import NonFiniteError, StateError
from demograd.optim import lr_scheduler


def moons(n=96):
    draw = np.random.default_rng(0)
    angle, upper = draw.uniform(0, np.pi, n), np.arange(n) % 2 == 0
    x = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    x = np.where(upper[:, None], x, [1.0, 0.5] - x) + draw.normal(scale=0.1, size=(n, 2))
    return TensorDataset(x.astype(np.float32), upper.astype(np.int64))


def network():
    return nn.Sequential(
        nn.Linear(2, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 2)
    )


SCHEDULES = {
    "none": lambda optimizer: None,
    "StepLR": lambda optimizer: lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5),
    "CosineAnnealingLR": lambda optimizer: lr_scheduler.CosineAnnealingLR(optimizer, T_max=6),
    "ReduceLROnPlateau": lambda optimizer: lr_scheduler.ReduceLROnPlateau(optimizer, patience=0),
    "OneCycleLR by batch": lambda optimizer: train.Schedule(
        lr_scheduler.OneCycleLR(optimizer, max_lr=0.05, total_steps=6 * 6), by="batch"
    ),
}
OPTIMIZERS = {
    "SGD": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "Adam": lambda p: optim.Adam(p, lr=0.01, amsgrad=True),
    "AdamW": lambda p: optim.AdamW(p, lr=0.01),
    "RMSprop": lambda p: optim.RMSprop(p, lr=0.01, momentum=0.5, centered=True),
    "Adagrad": lambda p: optim.Adagrad(p, lr=0.05),
}


def run(folder, epochs, optimizer="AdamW", schedule="none", resume=None):
    """Train; everything that is left, as bytes and numbers."""
    dg.manual_seed(0)
    data, model = moons(), network()
    opt = OPTIMIZERS[optimizer](model.parameters())
    history = train.fit(
        model,
        nn.CrossEntropyLoss(),
        opt,
        DataLoader(data, batch_size=16, shuffle=True, generator=dg.Generator(1)),
        epochs=epochs,
        validation=DataLoader(data, batch_size=64),
        metrics={"accuracy": train.accuracy},
        callbacks=[
            train.GradientClip(nn.utils.clip_grad_norm_, max_norm=1.0),
            train.Checkpoint(folder, monitor="val_accuracy", mode="max"),
            train.EarlyStopping("val_loss", patience=20),
        ],
        schedule=SCHEDULES[schedule](opt),
        resume=resume,
    )
    weights = {name: value.numpy().tobytes() for name, value in model.state_dict().items()}
    return list(history), weights, (folder / "last.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("optimizer", "schedule"),
    [*((name, "none") for name in OPTIMIZERS), *(("SGD", name) for name in SCHEDULES)],
)
def test_a_resumed_run_equals_an_unbroken_one(optimizer, schedule, tmp_path):
    whole = run(tmp_path / "whole", 6, optimizer, schedule)
    run(tmp_path / "parts", 3, optimizer, schedule)
    assert run(tmp_path / "parts", 6, optimizer, schedule, resume=tmp_path / "parts") == whole


def test_it_learns(tmp_path):
    history, _, _ = run(tmp_path, 40, "SGD")
    assert history[-1]["val_accuracy"] > 0.9


def test_gradients_are_clipped_by_their_norm(tmp_path):
    class Look(train.Callback):
        def on_gradients(self, run):
            norm = sum(float((p.grad.data**2).sum()) for p in run.model.parameters()) ** 0.5
            assert norm <= 1e-3 * (1 + 1e-5)

    model = network()
    clip = train.GradientClip(nn.utils.clip_grad_norm_, max_norm=1e-3)
    train.fit(
        model,
        nn.CrossEntropyLoss(),
        optim.SGD(model.parameters(), lr=0.1),
        DataLoader(moons(), batch_size=32),
        epochs=1,
        callbacks=[clip, Look()],
    )
    assert clip.last.item() > 1e-3


def test_the_first_module_that_is_not_finite_is_named():
    class Reciprocal(nn.Module):
        def forward(self, x):
            return 1 / (x * 0)

    model = nn.Sequential(nn.Linear(2, 4), nn.Sequential(nn.ReLU(), Reciprocal()), nn.Linear(4, 2))
    before = {name: value.numpy().copy() for name, value in model.state_dict().items()}
    with pytest.raises(NonFiniteError) as e, np.errstate(all="ignore"):
        train.fit(
            model,
            nn.CrossEntropyLoss(),
            optim.SGD(model.parameters(), lr=0.1),
            DataLoader(moons(), batch_size=16),
            epochs=1,
        )
    assert (
        "  epoch 1, step 1 of 6, learning rate 0.1\n"
        "  first module with such an output: '1.1' (Reciprocal), shape (16, 4), 64 infinite of 64\n"
    ) in str(e.value)
    after = model.state_dict()
    assert all(np.array_equal(value, after[name].numpy()) for name, value in before.items())
    assert not any(part._call_hooks for part in model.modules())


def test_weights_of_another_model_are_refused_with_what_differs(tmp_path):
    file = tmp_path / "weights.safetensors"
    dg.save(nn.Linear(3, 2).state_dict(), file)
    model = nn.Linear(4, 2, bias=False)
    kept = model.weight.detach().numpy().copy()
    with pytest.raises(StateError) as e:
        model.load_state_dict(dg.load(file))
    for fact in ("bias", "(2, 4)", "(2, 3)"):
        assert fact in str(e.value)
    assert np.array_equal(model.weight.detach().numpy(), kept)


def test_a_state_dict_comes_back_bit_for_bit(tmp_path):
    dg.manual_seed(0)
    model = network()
    model(dg.randn(8, 2))
    dg.save(model.state_dict(), tmp_path / "w")
    back = dg.load(tmp_path / "w")
    assert list(back) == list(model.state_dict())
    for name, value in model.state_dict().items():
        assert back[name].dtype == value.dtype
        assert np.array_equal(back[name].numpy(), value.numpy())
