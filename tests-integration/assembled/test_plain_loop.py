"""A training loop in PyTorch's spelling, over the packages and without ``demograd.train``."""

import demograd as dg
from demograd import nn, optim
from demograd.activations import ReLU
from demograd.data import DataLoader, load_digits
from demograd.nn import functional as F


def correct(model, x, y):
    with dg.no_grad():
        return float((model(x).argmax(dim=1) == y).double().mean())


def test_the_digits_are_learnt_by_a_loop_as_in_pytorch():
    dg.manual_seed(0)
    loader = DataLoader(load_digits("train"), batch_size=32, shuffle=True)
    model = nn.Sequential(nn.Linear(64, 64), ReLU.apply, nn.Dropout(0.1), nn.Linear(64, 10))
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.AdamW(model.parameters(), lr=3e-3)
    schedule = optim.lr_scheduler.StepLR(optimizer, step_size=5, gamma=0.5)
    for _ in range(15):
        model.train()
        for images, labels in loader:
            optimizer.zero_grad()
            loss = criterion(model(images), labels)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
        schedule.step()
    model.eval()
    assert correct(model, *load_digits("test").tensors) >= 0.95


def test_a_convolution_learns_the_digits():
    dg.manual_seed(0)
    x, y = load_digits("train", flatten=False).tensors
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(128, 10)
    )
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    before = correct(model, x, y)
    for start in [*range(0, len(y), 32)] * 3:
        optimizer.zero_grad()
        F.cross_entropy(model(x[start : start + 32]), y[start : start + 32]).backward()
        optimizer.step()
    assert before < 0.3
    assert correct(model, x, y) > 0.9
