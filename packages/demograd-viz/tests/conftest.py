"""Little models that satisfy the interfaces, and a reader of the pictures that are written."""

from __future__ import annotations

import re
import shutil
import xml.etree.ElementTree as ET
from collections import OrderedDict
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

import demograd as dg
from demograd.autograd import Function, RemovableHandle, record_call, start_call

SVG = "{http://www.w3.org/2000/svg}"


class Parameter(dg.Tensor):
    """A trained tensor, as layer packages have it: a subclass of Tensor."""

    def __init__(self, data):
        super().__init__(np.asarray(data, dtype=np.float32), requires_grad=True)


class Module:
    """As much of a module as the pictures ask for."""

    def __init__(self):
        self.training = True
        self.hooks = OrderedDict()
        self.label = type(self).__name__

    def __setattr__(self, name, value):
        if isinstance(value, Module):
            value.label = f"{name}: {type(value).__name__}"
        object.__setattr__(self, name, value)

    def __call__(self, *inputs):
        start = start_call()
        out = self.forward(*inputs)
        for hook in list(self.hooks.values()):
            hook(self, inputs, out)
        record_call(out, start, self.label)
        return out

    def named_modules(self):
        found, seen, stack = {}, set(), [("", self)]
        while stack:
            path, module = stack.pop()
            if module in seen:
                continue
            seen.add(module)
            found[path] = module
            parts = [(k, v) for k, v in vars(module).items() if isinstance(v, Module)]
            stack += [(f"{path}.{k}" if path else k, v) for k, v in reversed(parts)]
        return found.items()

    def named_parameters(self):
        seen = []
        for path, module in self.named_modules():
            for name, value in vars(module).items():
                if isinstance(value, Parameter) and not any(value is p for p in seen):
                    seen.append(value)
                    yield (f"{path}.{name}" if path else name), value

    def parameters(self):
        return (p for _, p in self.named_parameters())

    def state_dict(self):
        return dict(self.named_parameters())

    def load_state_dict(self, state):
        for name, p in self.named_parameters():
            p.data = state[name].data

    def train(self, mode=True):
        for _, module in self.named_modules():
            module.training = mode

    def eval(self):
        self.train(False)

    def register_forward_hook(self, hook):
        handle = RemovableHandle(self.hooks)
        self.hooks[handle.number] = hook
        return handle


class Tanh(Function):
    def forward(self, x):
        out = self.xp.tanh(x)
        self.save_for_backward(out)
        return out

    def backward(self, grad):
        (out,) = self.saved_tensors
        return grad * (1 - out * out)


class Halves(Function):
    """Two outputs of different shapes and types."""

    def forward(self, x):
        return x[:1] * 1, self.xp.astype(x[1:], self.xp.float64)

    def backward(self, first, second):
        return self.xp.concat([first, self.xp.astype(second, self.xp.float32)])


class SumOfAll(Function):
    """One operation with as many operands as it is given."""

    def forward(self, *xs):
        return sum(xs[1:], xs[0])

    def backward(self, grad):
        return (grad,) * len(self.needs_input_grad)


class Linear(Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = Parameter(np.linspace(-1, 1, inputs * outputs).reshape(outputs, inputs))
        self.bias = Parameter(np.zeros(outputs))

    def forward(self, x):
        return x @ self.weight.mT + self.bias


class Activation(Module):
    def forward(self, x):
        return Tanh.apply(x)


class Sequential(Module):
    def __init__(self, *parts):
        super().__init__()
        for number, part in enumerate(parts):
            setattr(self, str(number), part)

    def forward(self, x):
        for part in [v for v in vars(self).values() if isinstance(v, Module)]:
            x = part(x)
        return x


class Residual(Module):
    def __init__(self, width):
        super().__init__()
        self.inner = Sequential(Linear(width, width), Activation())

    def forward(self, x):
        return x + self.inner(x)


class Cell(Module):
    def __init__(self, width):
        super().__init__()
        self.step = Linear(width, width)

    def forward(self, x, state):
        return Tanh.apply(x + self.step(state))


@pytest.fixture(scope="session")
def toy():
    """The classes of this file."""
    return SimpleNamespace(
        Activation=Activation, Cell=Cell, Halves=Halves, Linear=Linear, Module=Module,
        Parameter=Parameter, Residual=Residual, Sequential=Sequential, SumOfAll=SumOfAll, Tanh=Tanh,
    )  # fmt: skip


@dataclass
class Drawn:
    """What a written SVG holds: texts by shape and frame, arrows, and rectangles."""

    kinds: dict[str, str]
    texts: dict[str, list[str]]
    arrows: list[tuple[str, str]]
    frames: list[tuple[str, tuple[float, float, float, float]]]
    boxes: dict[str, tuple[float, float, float, float]]
    starts: list[tuple[float, float]]
    ends: list[tuple[float, float]]
    captions: list[str]

    def of_kind(self, kind):
        """The texts of all shapes of a kind, sorted."""
        return sorted(self.texts[key] for key, k in self.kinds.items() if k == kind)

    def named(self, text):
        """The key of the only shape that has this line of text."""
        (key,) = [key for key, lines in self.texts.items() if text in lines]
        return key

    def sources(self, key):
        """Where the arrows that end in a shape come from, in order."""
        return [tail for tail, head in self.arrows if head == key]

    def frames_around(self, key):
        """The labels of the frames that a shape stands in, the outermost first."""
        around = [(box, label) for label, box in self.frames if contains(box, self.boxes[key])]
        return [label for box, label in sorted(around, key=lambda f: -(f[0][2] - f[0][0]))]


def contains(outer, inner):
    return (
        outer[0] <= inner[0] and outer[1] <= inner[1]
        and outer[2] >= inner[2] and outer[3] >= inner[3]
    )  # fmt: skip


def rectangle(element):
    numbers = {k: float(v) for k, v in element.attrib.items() if re.fullmatch(r"-?[\d.]+", v)}
    if element.tag == f"{SVG}ellipse":
        x, y, rx, ry = (numbers[k] for k in ("cx", "cy", "rx", "ry"))
        return x - rx, y - ry, x + rx, y + ry
    x, y = numbers["x"], numbers["y"]
    return x, y, x + numbers["width"], y + numbers["height"]


def lines(element):
    return ["".join(text.itertext()) for text in element.findall(f"{SVG}text")]


def read_svg(drawing):
    root = ET.fromstring(drawing.to_svg())
    (body,) = root.findall(f"{SVG}g")
    drawn = Drawn({}, {}, [], [], {}, [], [], lines(root))
    labels = []
    for element in body:
        kind = element.get("class")
        if kind == "arrow":
            drawn.arrows.append((element.get("data-from"), element.get("data-to")))
            points = re.findall(r"(-?[\d.]+),(-?[\d.]+)", element.get("d"))
            drawn.starts.append(tuple(map(float, points[0])))
            drawn.ends.append(tuple(map(float, points[-1])))
        elif kind == "frame":
            label, outline = element.find(f"{SVG}title"), element.find(f"{SVG}rect")
            drawn.frames.append((label.text or "", rectangle(outline)))
        elif kind == "label":
            labels.append("".join(element.itertext()))
        else:
            key = element.get("id")
            drawn.kinds[key] = kind
            drawn.texts[key] = lines(element)
            for tag in ("rect", "ellipse"):
                if (outline := element.find(f"{SVG}{tag}")) is not None:
                    drawn.boxes[key] = rectangle(outline)
    assert labels == [label for label, _ in drawn.frames]
    return drawn


@pytest.fixture(scope="session")
def read():
    """Reads the shapes, arrows and frames of a drawing's own SVG."""
    return read_svg


@pytest.fixture
def no_dot(monkeypatch, tmp_path):
    """A machine without Graphviz's program."""
    monkeypatch.setenv("PATH", str(tmp_path / "nothing here"))


@pytest.fixture(scope="session")
def dot():
    """Skips where Graphviz's program is missing."""
    if shutil.which("dot") is None:
        pytest.skip("the program dot of Graphviz is not installed: apt-get install graphviz")
