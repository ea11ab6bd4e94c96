"""A model, an optimizer, a schedule and a loader as outsiders write them: on the core alone."""

import contextlib
import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest

import demograd as dg
from demograd import Generator, Tensor
from demograd.train import Callback, Checkpoint, EarlyStopping, Schedule, fit


class Handle:
    def __init__(self, hooks, hook):
        self.hooks, self.hook = hooks, hook
        hooks.append(hook)

    def remove(self):
        self.hooks.remove(self.hook)


class Part:
    """A callable with hooks, a mode, and parts of its own."""

    def __init__(self, **parts):
        self.training = True
        self.hooks = []
        self.parts = parts

    def __call__(self, *inputs):
        output = self.forward(*inputs)
        for hook in list(self.hooks):
            hook(self, inputs, output)
        return output

    def register_forward_hook(self, hook):
        return Handle(self.hooks, hook)

    def named_modules(self, prefix=""):
        yield prefix, self
        for name, part in self.parts.items():
            yield from part.named_modules(f"{prefix}.{name}" if prefix else name)

    def modules(self):
        return (part for _, part in self.named_modules())

    def train(self, mode=True):
        for part in self.modules():
            part.training = mode

    def eval(self):
        self.train(False)


class Affine(Part):
    def __init__(self, n_in, n_out, seed):
        super().__init__()
        draw = np.random.default_rng(seed)
        self.weight = Tensor(draw.normal(size=(n_in, n_out)) / np.sqrt(n_in), requires_grad=True)
        self.bias = Tensor(np.zeros(n_out), requires_grad=True)

    def forward(self, x):
        return x @ self.weight + self.bias


class Square(Part):
    def forward(self, x):
        return x * x


class Noise(Part):
    """Draws from the default generator in training, and counts how often in a buffer."""

    def __init__(self):
        super().__init__()
        self.calls = Tensor(np.zeros(1))

    def forward(self, x):
        if not self.training:
            return x
        self.calls.data += 1
        return x * (dg.rand(x.shape, dtype=dg.float64) > 0.1)


class Net(Part):
    """``Affine -> Square -> Noise -> Affine``, in float64."""

    def __init__(self, n_in=3, n_hidden=4, n_out=2, seed=0):
        super().__init__(
            first=Affine(n_in, n_hidden, seed),
            square=Square(),
            noise=Noise(),
            last=Affine(n_hidden, n_out, seed + 1),
        )

    def forward(self, x):
        for part in self.parts.values():
            x = part(x)
        return x

    def named_parameters(self):
        for name, part in self.parts.items():
            for key in ("weight", "bias"):
                if hasattr(part, key):
                    yield f"{name}.{key}", getattr(part, key)

    def parameters(self):
        return (p for _, p in self.named_parameters())

    def state_dict(self):
        state = {name: p.detach() for name, p in self.named_parameters()}
        return {**state, "noise.calls": self.parts["noise"].calls.detach()}

    def load_state_dict(self, state):
        for name, p in self.named_parameters():
            p.data = np.array(state[name].data)
        self.parts["noise"].calls.data = np.array(state["noise.calls"].data)


class Momentum:
    """Stochastic gradient descent with momentum."""

    def __init__(self, params, lr=0.01, momentum=0.5):
        self.defaults = {"lr": lr, "momentum": momentum}
        self.param_groups = []
        self.state = {}
        params = list(params)
        if not params:
            raise ValueError("no parameters")
        groups = params if isinstance(params[0], dict) else [{"params": params}]
        for group in groups:
            self.add_param_group(group)

    def add_param_group(self, param_group):
        self.param_groups.append({**self.defaults, **param_group})

    def parameters(self):
        return itertools.chain.from_iterable(group["params"] for group in self.param_groups)

    def step(self, closure=None):
        loss = closure() if closure is not None else None
        with dg.no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    velocity = self.state.get(id(p), 0.0) * group["momentum"] + p.grad.data
                    self.state[id(p)] = velocity
                    p -= group["lr"] * Tensor(velocity)
        return loss

    def zero_grad(self, set_to_none=True):
        for p in self.parameters():
            p.grad = None

    def state_dict(self):
        numbers = {id(p): i for i, p in enumerate(self.parameters())}
        groups = [
            {**group, "params": [numbers[id(p)] for p in group["params"]]}
            for group in self.param_groups
        ]
        state = {numbers[key]: {"velocity": Tensor(v)} for key, v in self.state.items()}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict):
        params = list(self.parameters())
        for group, saved in zip(self.param_groups, state_dict["param_groups"], strict=True):
            group.update({k: v for k, v in saved.items() if k != "params"})
        self.state = {
            id(params[i]): np.array(entry["velocity"].data)
            for i, entry in state_dict["state"].items()
        }


class Halving:
    """Halves the learning rate at each step, and counts the steps."""

    def __init__(self, optimizer, factor=0.5):
        self.optimizer, self.factor, self.steps = optimizer, factor, 0

    def step(self):
        self.steps += 1
        for group in self.optimizer.param_groups:
            group["lr"] *= self.factor

    def state_dict(self):
        return {"steps": self.steps}

    def load_state_dict(self, state_dict):
        self.steps = state_dict["steps"]


class Plateau(Halving):
    """As ReduceLROnPlateau, its step asks for a value."""

    def __init__(self, optimizer):
        super().__init__(optimizer)
        self.seen = []

    def step(self, metrics):
        self.seen.append(metrics)


class Loader:
    """Batches of 4 in an order that is drawn from a generator, the default one if ``None``."""

    def __init__(self, x, y, generator=None, batch=4):
        self.x, self.y, self.generator, self.batch = x, y, generator, batch

    def __len__(self):
        return math.ceil(len(self.x) / self.batch)

    def __iter__(self):
        order = (self.generator or dg.default_generator).numpy.permutation(len(self.x))
        for start in range(0, len(order), self.batch):
            rows = order[start : start + self.batch]
            yield Tensor(self.x[rows]), Tensor(self.y[rows])


def squares(output, target):
    return ((output - target) ** 2).mean()


def case(seed=0, own_generator=True, n=14):
    """A model, its optimizer, and a loader of a small regression."""
    dg.manual_seed(seed)
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(n, 3))
    y = np.stack([x[:, 0] * x[:, 1], x[:, 2]], axis=1)
    model = Net(seed=seed)
    generator = Generator().manual_seed(seed) if own_generator else None
    return SimpleNamespace(
        model=model,
        loss=squares,
        optimizer=Momentum(model.parameters()),
        loader=Loader(x, y, generator),
        x=x,
        y=y,
    )


def train(folder, *, epochs=6, until=None, own=True, resume=None, given=None):
    """Train with callbacks of all kinds, and give what is left; ``until``: an epoch to stop in."""

    class Interrupt(Callback):
        def on_batch_end(self, run):
            if (run.epoch, run.step) == (until, 2):
                raise KeyboardInterrupt

    c = given or case(own_generator=own)
    checkpoint = Checkpoint(folder, monitor="val_loss")
    history = None
    with contextlib.suppress(KeyboardInterrupt):
        history = fit(
            *(c.model, c.loss, c.optimizer, c.loader),
            epochs=epochs,
            validation=Loader(c.x, c.y, Generator().manual_seed(5)),
            callbacks=[checkpoint, EarlyStopping(patience=50), Interrupt()],
            schedule=Schedule(Halving(c.optimizer, 0.97), by="batch"),
            resume=resume,
        )
    return c, history, checkpoint


def left(c):
    """Everything that a run leaves, as bytes."""
    state = {name: value.numpy().tobytes() for name, value in c.model.state_dict().items()}
    velocity = c.optimizer.state_dict()["state"]
    state |= {f"velocity {n}": entry["velocity"].numpy().tobytes() for n, entry in velocity.items()}
    return state, c.optimizer.param_groups[0]["lr"], dg.default_generator.get_state()


@pytest.fixture
def parts():
    """The classes and functions of this file."""
    return SimpleNamespace(
        Part=Part, Affine=Affine, Net=Net, Momentum=Momentum, Halving=Halving, Plateau=Plateau,
        Loader=Loader, squares=squares, case=case, train=train, left=left,
    )  # fmt: skip
