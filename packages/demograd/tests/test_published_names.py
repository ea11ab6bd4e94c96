"""Code that was written for the published design runs."""

import inspect
import shutil

import numpy as np
import pytest

import demograd as dg
import demograd.activations
import demograd.functions
import demograd.losses
import demograd.nn
import demograd.operators
import demograd.ops
import demograd.optim
import demograd.optimizers
import demograd.tensor_engine
import demograd.visualization
from demograd.errors import ArgumentError


def test_a_script_in_the_published_style_trains():
    from demograd.activations import ReLU
    from demograd.losses import CrossEntropyLoss
    from demograd.nn import Linear, Sequential
    from demograd.optimizers import SGD, Adam
    from demograd.tensor_engine import Tensor

    draw = np.random.default_rng(0)
    angle = draw.uniform(0, np.pi, 200)
    upper = np.arange(200) < 100
    x = np.stack(
        [np.where(upper, np.cos(angle), 1 - np.cos(angle)),
         np.where(upper, np.sin(angle), 0.5 - np.sin(angle))], axis=1,
    ) + draw.normal(scale=0.1, size=(200, 2))  # fmt: skip
    inputs, targets = Tensor(x.astype(np.float32)), Tensor(upper.astype(np.int64))
    dg.manual_seed(0)
    criterion = CrossEntropyLoss()
    for optimizer_class, lr in ((SGD, 0.5), (Adam, 0.01)):
        model = Sequential(Linear(2, 32), ReLU.apply, Linear(32, 2))
        optimizer = optimizer_class(model.parameters(), lr=lr)
        for _ in range(200):
            loss = criterion(model(inputs), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        predictions = model(inputs).data.argmax(axis=1)
        assert np.mean(predictions == targets.data) > 0.95


def test_operations_are_applied_as_classes():
    from demograd.activations import Sigmoid, Softmax, Tanh
    from demograd.functions import Add, Div, Exp, Log, MatMul, Mul, Neg, Sub
    from demograd.tensor_engine import Tensor

    a = Tensor(np.array([[1.0, 2.0], [3.0, 4.0]]), requires_grad=True, name="a")
    b = Tensor(np.array([[0.5, 1.5], [2.5, 3.5]]), requires_grad=True, name="b")
    out = Add.apply(
        MatMul.apply(Mul.apply(a, b), Exp.apply(Neg.apply(b))),
        Div.apply(Log.apply(a), Sub.apply(a, Tensor(10.0))),
    )
    out = Tanh.apply(Sigmoid.apply(out))
    out.sum().backward()
    x, y = a.detach().numpy(), b.detach().numpy()

    def value(x, y):
        inner = (x * y) @ np.exp(-y) + np.log(x) / (x - 10.0)
        return np.tanh(1 / (1 + np.exp(-inner))).sum()

    for tensor, array in ((a, x), (b, y)):
        slopes = np.empty_like(array)
        for place in np.ndindex(array.shape):
            kept = array[place]
            array[place] = kept + 1e-6
            up = value(x, y)
            array[place] = kept - 1e-6
            slopes[place] = (up - value(x, y)) / 2e-6
            array[place] = kept
        assert np.allclose(tensor.grad.numpy(), slopes, atol=1e-7)
    assert np.allclose(Softmax.apply(a).detach().numpy().sum(axis=-1), 1.0)


def test_the_gradient_accumulates_in_grad_and_zero_grad_forgets_it():
    from demograd.optimizers import SGD
    from demograd.tensor_engine import Tensor

    x = Tensor([3.0], requires_grad=True)
    for _ in range(2):
        (x * x).backward()
    assert x.grad.data == 12.0
    SGD([x], lr=0.1).zero_grad()
    assert x.grad is None


REAL = {
    demograd.tensor_engine: (dg, demograd.autograd),
    demograd.optimizers: (demograd.optim,),
    demograd.losses: (demograd.nn,),
    demograd.functions: (demograd.ops, demograd.operators, demograd.activations, dg),
}


@pytest.mark.parametrize("module", REAL, ids=lambda module: module.__name__)
def test_each_name_is_the_real_one(module):
    for name in module.__all__:
        assert any(getattr(real, name, None) is getattr(module, name) for real in REAL[module])
    assert sorted(set(module.__all__)) == sorted(module.__all__)


def missing(module, real, kind):
    offered = {name for name in real.__all__ if kind(getattr(real, name))}
    return sorted(offered - set(module.__all__))


def is_function(value):
    return inspect.isclass(value) and issubclass(value, dg.Function)


@pytest.mark.parametrize("real", [demograd.ops, demograd.operators, demograd.activations])
def test_every_function_class_is_among_the_functions(real):
    assert missing(demograd.functions, real, is_function) == []


def test_every_loss_and_every_optimizer_is_there():
    assert missing(demograd.optimizers, demograd.optim, inspect.isclass) == []
    losses = [name for name in demograd.nn.__all__ if name.endswith("Loss")]
    assert sorted(demograd.losses.__all__) == sorted(losses)


@pytest.fixture
def tensor():
    x = dg.Tensor([1.0, 2.0], requires_grad=True, name="x")
    return (x * x).sum()


def test_build_graphviz_gives_a_digraph(tensor):
    import graphviz

    picture = demograd.visualization.build_graphviz(tensor)
    assert isinstance(picture, graphviz.Digraph)
    for word in ("x", "Mul", "Sum"):
        assert word in picture.source


@pytest.mark.parametrize("settings", [{}, {"format": "png"}, {"format": "svg"}])
def test_visualize_graph_writes_the_file_that_it_names(settings, tensor, tmp_path, monkeypatch):
    ending = settings.get("format", "pdf")
    if ending != "svg" and shutil.which("dot") is None:
        pytest.skip("Graphviz is not installed")
    monkeypatch.chdir(tmp_path)
    path = demograd.visualization.visualize_graph(tensor, **settings)
    assert str(path) == f"computation_graph.{ending}"
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_visualize_graph_opens_no_viewer_unless_asked(tensor, tmp_path, monkeypatch):
    import webbrowser

    opened = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    file = tmp_path / "g"
    demograd.visualization.visualize_graph(tensor, file, format="svg")
    assert opened == []
    demograd.visualization.visualize_graph(tensor, file, format="svg", view=True)
    assert opened == [(tmp_path / "g.svg").as_uri()]


@pytest.mark.parametrize("format", [".png", "", "a/b"])
def test_visualize_graph_refuses_what_is_no_format(format, tensor):
    with pytest.raises(ArgumentError) as e:
        demograd.visualization.visualize_graph(tensor, format=format)
    assert str(e.value) == (
        f"visualize_graph: there is no such format.\n  format: {format!r}\n"
        'format="png", without a dot.'
    )
