"""Modules, layers, losses and initialisers against PyTorch."""

import copy
import inspect

import numpy as np
import pytest
import torch

import demograd as dg

RNG = np.random.default_rng(0)


def draw(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


def close(ours, theirs, tolerance=1e-6):
    theirs = theirs.detach().numpy()
    ours = np.asarray(ours.detach().data)
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    scale = max(1.0, float(np.abs(theirs).max())) if theirs.size else 1.0
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance * scale)


def pair(make):
    """The same model of both libraries, with PyTorch's parameters."""
    theirs, ours = make(torch.nn), make(dg.nn)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert [tuple(x.shape) for x in ours.state_dict().values()] == [
        tuple(x.shape) for x in theirs.state_dict().values()
    ]
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def compare(ours, theirs, x, tolerance=1e-6):
    """Output, gradients of input and parameters, and buffers."""
    floats = x.dtype.kind == "f"
    a = dg.tensor(x, requires_grad=floats)
    b = torch.tensor(x, requires_grad=floats)
    out_a, out_b = ours(a), theirs(b)
    close(out_a, out_b, tolerance)
    seed = draw(*out_b.shape)
    if out_b.requires_grad:
        out_a.backward(dg.tensor(seed))
        out_b.backward(torch.tensor(seed))
        if floats:
            close(a.grad, b.grad, 10 * tolerance)
    names = [name for name, _ in theirs.named_parameters()]
    assert [name for name, _ in ours.named_parameters()] == names
    for name in names:
        mine, other = ours.get_parameter(name).grad, theirs.get_parameter(name).grad
        assert (mine is None) == (other is None), name
        if other is not None:
            close(mine, other, 10 * tolerance)
    for name, buffer in theirs.named_buffers():
        close(ours.get_buffer(name), buffer, tolerance)


# A name, how to make it of either library, and an input.
LAYERS = {
    "Linear": (lambda nn: nn.Linear(5, 3), draw(4, 5)),
    "Linear, no bias": (lambda nn: nn.Linear(5, 3, bias=False), draw(4, 5)),
    "Linear of one sample": (lambda nn: nn.Linear(5, 3), draw(5)),
    "Linear of sequences": (lambda nn: nn.Linear(5, 3), draw(2, 3, 5)),
    "Identity": (lambda nn: nn.Identity(), draw(4)),
    "Flatten": (lambda nn: nn.Flatten(), draw(2, 3, 4)),
    "Flatten 0-1": (lambda nn: nn.Flatten(0, 1), draw(2, 3, 4)),
    "Unflatten": (lambda nn: nn.Unflatten(1, (3, 2)), draw(2, 6)),
    "BatchNorm1d": (lambda nn: nn.BatchNorm1d(3), draw(8, 3)),
    "BatchNorm1d of series": (lambda nn: nn.BatchNorm1d(3, momentum=0.3, eps=1e-3), draw(4, 3, 5)),
    "BatchNorm1d, plain": (lambda nn: nn.BatchNorm1d(3, affine=False), draw(8, 3)),
    "BatchNorm1d, no bias": (lambda nn: nn.BatchNorm1d(3, bias=False), draw(8, 3)),
    "BatchNorm1d, untracked": (
        lambda nn: nn.BatchNorm1d(3, track_running_stats=False),
        draw(8, 3),
    ),
    "BatchNorm1d, cumulative": (lambda nn: nn.BatchNorm1d(3, momentum=None), draw(8, 3)),
    "BatchNorm2d": (lambda nn: nn.BatchNorm2d(3), draw(4, 3, 5, 6)),
    "LayerNorm": (lambda nn: nn.LayerNorm(4), draw(2, 3, 4)),
    "LayerNorm of two": (lambda nn: nn.LayerNorm([3, 4], eps=1e-3), draw(2, 3, 4)),
    "LayerNorm, no bias": (lambda nn: nn.LayerNorm(4, bias=False), draw(2, 4)),
    "LayerNorm, plain": (lambda nn: nn.LayerNorm(4, elementwise_affine=False), draw(2, 4)),
    "Embedding": (lambda nn: nn.Embedding(7, 3), np.array([[1, 1], [0, 6]])),
    "Embedding, padded": (lambda nn: nn.Embedding(7, 3, padding_idx=1), np.array([[1, 1], [0, 6]])),
    "Conv2d": (lambda nn: nn.Conv2d(2, 4, 3), draw(2, 2, 7, 6)),
    "Conv2d, all": (
        lambda nn: nn.Conv2d(4, 6, (3, 2), (2, 1), (1, 2), (1, 2), 2, False),
        draw(2, 4, 7, 6),
    ),
    "Conv2d, same": (lambda nn: nn.Conv2d(2, 4, (3, 2), padding="same"), draw(2, 2, 7, 6)),
    "Conv2d, one image": (lambda nn: nn.Conv2d(2, 4, 3), draw(2, 7, 6)),
    **{
        f"Conv2d, {mode}": (
            lambda nn, mode=mode: nn.Conv2d(2, 3, (3, 2), padding=(1, 2), padding_mode=mode),
            draw(2, 2, 7, 6),
        )
        for mode in ("reflect", "replicate", "circular")
    },
    "Conv2d, circular same": (
        lambda nn: nn.Conv2d(2, 3, (3, 2), padding="same", padding_mode="circular"),
        draw(2, 2, 7, 6),
    ),
    "MaxPool2d": (lambda nn: nn.MaxPool2d(2), draw(2, 3, 7, 6)),
    "MaxPool2d, all": (
        lambda nn: nn.MaxPool2d((3, 2), (2, 1), 1, (1, 2), ceil_mode=True),
        draw(2, 3, 7, 6),
    ),
    "AvgPool2d": (lambda nn: nn.AvgPool2d(2), draw(2, 3, 7, 6)),
    "AvgPool2d, all": (
        lambda nn: nn.AvgPool2d((3, 2), (2, 1), 1, True, False),
        draw(2, 3, 7, 6),
    ),
    "Dropout of nothing": (lambda nn: nn.Dropout(0.0), draw(3)),
    "Dropout of all": (lambda nn: nn.Dropout(1.0), draw(3)),
    "ReLU": (lambda nn: nn.ReLU(), draw(3, 4)),
    "Sigmoid": (lambda nn: nn.Sigmoid(), 10 * draw(3, 4)),
    "Tanh": (lambda nn: nn.Tanh(), draw(3, 4)),
    "GELU": (lambda nn: nn.GELU(), draw(3, 4)),
    "GELU, tanh": (lambda nn: nn.GELU("tanh"), draw(3, 4)),
    "SiLU": (lambda nn: nn.SiLU(), draw(3, 4)),
    "LeakyReLU": (lambda nn: nn.LeakyReLU(0.2), draw(3, 4)),
    "ELU": (lambda nn: nn.ELU(0.5), draw(3, 4)),
    "Softplus": (lambda nn: nn.Softplus(2.0, 3.0), draw(3, 4)),
    "Softmax": (lambda nn: nn.Softmax(1), 10 * draw(3, 4)),
    "LogSoftmax": (lambda nn: nn.LogSoftmax(0), 10 * draw(3, 4)),
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_a_layer_gives_pytorchs_output_gradients_and_state(name, training):
    make, x = LAYERS[name]
    ours, theirs = pair(make)
    for _ in range(3 if "BatchNorm" in name else 1):  # the running values follow several batches
        ours.train(training)
        theirs.train(training)
        compare(ours, theirs, x)


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_shows_as_in_pytorch(name):
    make, _ = LAYERS[name]
    assert repr(make(dg.nn)) == repr(make(torch.nn))


def lenet(nn):
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 84),
        nn.BatchNorm1d(84),
        nn.GELU(),
        nn.Linear(84, 10),
    )


def language_model(lib):
    nn = lib.nn

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = nn.LayerNorm(16)
            self.layers = nn.ModuleDict({"up": nn.Linear(16, 32), "down": nn.Linear(32, 16)})
            self.act = nn.SiLU()
            self.register_buffer("scale", lib.full((16,), 0.5))

        def forward(self, x):
            return x + self.layers["down"](self.act(self.layers["up"](self.norm(x)))) * self.scale

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(11, 16, padding_idx=0)
            self.blocks = nn.ModuleList([Block() for _ in range(2)])
            self.head = nn.Linear(16, 11, bias=False)
            self.head.weight = self.embed.weight

        def forward(self, x):
            x = self.embed(x)
            for block in self.blocks:
                x = block(x)
            return self.head(x)

    return Model()


MODELS = {
    "multilayer perceptron": (
        lambda nn: nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 5)),
        draw(8, 20),
    ),
    "convolutional network": (lenet, draw(4, 1, 28, 28)),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_pytorch_checkpoint_gives_the_same_output_and_gradients(name):
    make, x = MODELS[name]
    ours, theirs = pair(make)
    compare(ours, theirs, x, tolerance=3e-6)
    ours.eval()
    theirs.eval()
    close(ours(dg.tensor(x)), theirs(torch.tensor(x)), 1e-6)
    assert repr(ours) == repr(theirs)


def test_a_model_with_shared_weights_buffers_and_containers_is_the_same():
    ours, theirs = language_model(dg), language_model(torch)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict())
    compare(ours, theirs, np.array([[1, 0, 4], [10, 1, 1]]), tolerance=3e-6)
    assert repr(ours) == repr(theirs)


# Losses.

X, Y = draw(6, 4) * 3, draw(6, 4)
P, Q = RNG.random((6, 4)).astype(np.float32), RNG.integers(0, 2, (6, 4)).astype(np.float32)
CLASSES, WEIGHT = np.array([0, 3, 1, 1, 2, 0]), RNG.random(4).astype(np.float32) + 0.5
SOFT = RNG.dirichlet(np.ones(4), 6).astype(np.float32)
IMAGES, LABELS = draw(2, 4, 3, 5), RNG.integers(0, 4, (2, 3, 5))
LOG_P = X - np.logaddexp.reduce(X, axis=1, keepdims=True)

# The function's name, its operands, and settings; arrays among them become tensors.
LOSSES = [
    ("mse_loss", X, Y, {}),
    ("l1_loss", X, Y, {}),
    ("huber_loss", X, Y, {"delta": 0.7}),
    ("smooth_l1_loss", X, Y, {"beta": 0.7}),
    ("smooth_l1_loss", X, Y, {"beta": 0.0}),
    ("binary_cross_entropy", P, Q, {}),
    ("binary_cross_entropy", np.float32([0, 1, 0, 1]), np.float32([0, 1, 1, 0]), {}),
    ("binary_cross_entropy", P, Q, {"weight": WEIGHT}),
    ("binary_cross_entropy_with_logits", X, Q, {}),
    ("binary_cross_entropy_with_logits", X * 1e4, Q, {}),
    ("binary_cross_entropy_with_logits", X, Q, {"weight": WEIGHT, "pos_weight": WEIGHT}),
    ("cross_entropy", X, CLASSES, {}),
    ("cross_entropy", X * 1e4, CLASSES, {}),
    ("cross_entropy", X[0], np.array(2), {}),
    ("cross_entropy", X, CLASSES, {"weight": WEIGHT}),
    ("cross_entropy", X, CLASSES, {"ignore_index": 1}),
    ("cross_entropy", X, CLASSES - 100 * (CLASSES == 1) - (CLASSES == 1), {}),
    ("cross_entropy", X, CLASSES, {"label_smoothing": 0.2}),
    (
        "cross_entropy",
        X,
        CLASSES,
        {"weight": WEIGHT, "ignore_index": 0, "label_smoothing": 0.2},
    ),
    ("cross_entropy", IMAGES, LABELS, {}),
    ("cross_entropy", IMAGES, LABELS, {"weight": WEIGHT, "label_smoothing": 0.1}),
    ("cross_entropy", X, SOFT, {}),
    ("cross_entropy", X, SOFT, {"weight": WEIGHT, "label_smoothing": 0.2}),
    ("nll_loss", LOG_P, CLASSES, {}),
    ("nll_loss", LOG_P, CLASSES, {"weight": WEIGHT, "ignore_index": 3}),
]


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("name", "x", "y", "given"), LOSSES)
def test_a_loss_has_pytorchs_value_and_gradient(name, x, y, given, reduction):
    def run(lib):
        a, b = lib.tensor(x, requires_grad=True), lib.tensor(y)
        settings = {k: lib.tensor(v) if isinstance(v, np.ndarray) else v for k, v in given.items()}
        out = getattr(lib.nn.functional, name)(a, b, reduction=reduction, **settings)
        (out.sum() if out.ndim else out).backward()
        return out, a.grad

    ours, theirs = run(dg), run(torch)
    close(ours[0], theirs[0], 3e-6)
    close(ours[1], theirs[1], 3e-6)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("MSELoss", {"reduction": "sum"}),
        ("L1Loss", {}),
        ("HuberLoss", {"delta": 0.5}),
        ("SmoothL1Loss", {"beta": 0.5}),
        ("BCELoss", {}),
        ("BCEWithLogitsLoss", {}),
        ("NLLLoss", {"ignore_index": 2}),
        ("CrossEntropyLoss", {"ignore_index": 2, "label_smoothing": 0.1}),
    ],
)
def test_a_loss_module_is_pytorchs(name, settings):
    def run(lib):
        loss = getattr(lib.nn, name)(**settings)
        x = P if name == "BCELoss" else X
        y = {"B": Q, "C": CLASSES, "N": CLASSES}.get(name[0], Y)
        return loss(lib.tensor(x), lib.tensor(y)), repr(loss)

    ours, theirs = run(dg), run(torch)
    close(ours[0], theirs[0], 3e-6)
    assert ours[1] == theirs[1]


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss"])
def test_shapes_that_broadcast_warn_in_both(name):
    values = []
    for lib in (dg, torch):
        with pytest.warns(UserWarning, match="broadcast|repeated"):
            out = getattr(lib.nn.functional, name)(lib.ones(3), lib.zeros(3, 1))
        values.append(out.item())
    assert values[0] == values[1]


# Functions.


@pytest.mark.parametrize(
    ("name", "arrays", "settings"),
    [
        ("linear", [X, draw(3, 4), draw(3)], {}),
        ("linear", [X, draw(4)], {}),
        ("layer_norm", [X, (4,)], {}),
        ("batch_norm", [X, draw(4), WEIGHT, draw(4), draw(4)], {}),
        ("batch_norm", [X, draw(4), WEIGHT], {"training": True, "momentum": 0.4}),
        ("embedding", [CLASSES, draw(4, 2)], {}),
        ("one_hot", [CLASSES], {}),
        ("one_hot", [LABELS], {"num_classes": 6}),
        ("normalize", [X], {}),
        ("normalize", [X], {"p": 1.0, "dim": 0}),
        ("pad", [X, (1, 2)], {"value": 3.0}),
        ("softmax", [X], {"dim": 1}),
        ("log_softmax", [X], {"dim": 1}),
        ("dropout", [X], {"training": False}),
    ],
)
def test_a_function_is_pytorchs(name, arrays, settings):
    def run(lib):
        operands = [lib.tensor(a) if isinstance(a, np.ndarray) else a for a in arrays]
        return getattr(lib.nn.functional, name)(*operands, **settings), operands

    ours, theirs = run(dg), run(torch)
    close(ours[0], theirs[0], 3e-6)
    for a, b in zip(ours[1], theirs[1], strict=True):  # the running values too
        if isinstance(b, torch.Tensor):
            close(a, b)


def public(module, other):
    return [n for n in module.__all__ if callable(getattr(module, n)) and hasattr(other, n)]


@pytest.mark.parametrize("name", public(dg.nn, torch.nn))
def test_a_constructor_takes_pytorchs_arguments_with_its_defaults(name):
    ours = inspect.signature(getattr(dg.nn, name)).parameters
    theirs = inspect.signature(getattr(torch.nn, name)).parameters
    for key, parameter in ours.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if key in theirs and (name, key) != ("Parameter", "data"):
            assert parameter.default == theirs[key].default, key
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [k for k, p in ours.items() if p.kind in positional]
    assert names == [k for k, p in theirs.items() if p.kind in positional][: len(names)] or (
        name in ("Sequential", "Parameter", "ParameterList")
    )


@pytest.mark.parametrize("name", public(dg.nn.init, torch.nn.init))
def test_an_initialiser_takes_pytorchs_arguments_with_its_defaults(name):
    ours = inspect.signature(getattr(dg.nn.init, name)).parameters
    theirs = inspect.signature(getattr(torch.nn.init, name)).parameters
    assert {k: p.default for k, p in ours.items()} == {k: p.default for k, p in theirs.items()}


# Initialisation.


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("uniform_", {"a": -1.0, "b": 3.0}),
        ("normal_", {"mean": 1.0, "std": 2.0}),
        ("trunc_normal_", {"a": -1.0, "b": 0.5}),
        ("trunc_normal_", {"a": 1.5, "b": 2.0}),
        ("xavier_uniform_", {"gain": 2.0}),
        ("xavier_normal_", {}),
        ("kaiming_uniform_", {"a": 5**0.5}),
        ("kaiming_uniform_", {"mode": "fan_out", "nonlinearity": "relu"}),
        ("kaiming_normal_", {"nonlinearity": "tanh"}),
        ("orthogonal_", {"gain": 3.0}),
        ("eye_", {}),
        ("constant_", {"val": 0.3}),
    ],
)
def test_an_initialiser_draws_from_pytorchs_distribution(name, settings):
    dg.manual_seed(0)
    torch.manual_seed(0)
    ours = getattr(dg.nn.init, name)(dg.empty(300, 200), **settings).numpy().ravel()
    theirs = getattr(torch.nn.init, name)(torch.empty(300, 200), **settings).numpy().ravel()
    scale = theirs.std() or 1.0
    quantiles = np.linspace(0.02, 0.98, 25)
    np.testing.assert_allclose(
        np.quantile(ours, quantiles) / scale, np.quantile(theirs, quantiles) / scale, atol=0.04
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda nn: nn.Linear(200, 300),
        lambda nn: nn.Conv2d(20, 300, (3, 4), groups=2),
        lambda nn: nn.Embedding(300, 50),
    ],
)
def test_layers_start_from_pytorchs_distributions(make):
    dg.manual_seed(0)
    torch.manual_seed(0)
    ours, theirs = make(dg.nn), make(torch.nn)
    for name, parameter in theirs.named_parameters():
        a = ours.get_parameter(name).detach().numpy().ravel()
        b = parameter.detach().numpy().ravel()
        middle = np.linspace(0.1, 0.9, 9)
        np.testing.assert_allclose(
            np.quantile(a, middle) / b.std(), np.quantile(b, middle) / b.std(), atol=0.25
        )
        assert abs(np.log(np.abs(a).max() / np.abs(b).max())) < 0.4


@pytest.mark.parametrize(
    ("nonlinearity", "param"),
    [("linear", None), ("sigmoid", None), ("tanh", None), ("relu", None), ("selu", None),
     ("leaky_relu", None), ("leaky_relu", 0.2), ("conv2d", None)],
)  # fmt: skip
def test_gains_are_pytorchs(nonlinearity, param):
    ours = dg.nn.init.calculate_gain(nonlinearity, param)
    assert ours == pytest.approx(torch.nn.init.calculate_gain(nonlinearity, param))


# Gradients.


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, float("inf")])
@pytest.mark.parametrize("limit", [0.1, 1e6])
def test_clipping_is_pytorchs(p, limit):
    arrays = [draw(3, 4), draw(5)]

    def run(lib):
        leaves = [lib.zeros(*a.shape, requires_grad=True) for a in arrays]
        for leaf, a in zip(leaves, arrays, strict=True):
            leaf.grad = lib.tensor(a.copy())
        norm = lib.nn.utils.clip_grad_norm_(leaves, limit, p)
        clipped = [leaf.grad for leaf in leaves]
        copies = [g.clone() for g in clipped]
        lib.nn.utils.clip_grad_value_(leaves, 0.05)
        return [norm, *copies, *clipped]

    for ours, theirs in zip(run(dg), run(torch), strict=True):
        close(ours, theirs)


# Modules.


def nested(lib):
    nn = lib.nn
    model = nn.Sequential(
        nn.Linear(2, 3),
        nn.ModuleDict({"a": nn.Linear(3, 3), "b": nn.ModuleList([nn.ReLU(), nn.Linear(3, 2)])}),
        nn.ParameterList([lib.ones(2), lib.zeros(3, 1)]),
    )
    model.register_buffer("kept", lib.ones(1))
    model.register_buffer("scratch", lib.ones(1), persistent=False)
    model.register_parameter("absent", None)
    model.again = model[0]
    return model


def test_walks_over_a_nested_model_are_pytorchs():
    ours, theirs = nested(dg), nested(torch)
    for method in ("named_parameters", "named_buffers", "named_modules"):
        for settings in ({}, {"prefix": "net"}, {"remove_duplicate": False}):
            a = [name for name, _ in getattr(ours, method)(**settings)]
            b = [name for name, _ in getattr(theirs, method)(**settings)]
            assert a == b, (method, settings)
    assert [n for n, _ in ours.named_children()] == [n for n, _ in theirs.named_children()]
    assert list(ours.state_dict()) == list(theirs.state_dict())


def edited(lib):
    nn = lib.nn
    model = nn.Sequential(*[nn.Linear(n + 1, n + 2) for n in range(5)])
    shown = [repr(model[1:3]), repr(model[-1]), str(len(model))]
    del model[1]
    model.insert(1, nn.ReLU())
    model.append(nn.Tanh())
    model.extend(nn.Sequential(nn.ELU(), nn.SiLU()))
    model[0] = nn.Identity()
    model.pop(2)
    shown.append(repr(model))
    layers = nn.ModuleList(nn.Linear(2, 2) for _ in range(3))
    layers.insert(1, nn.ReLU())
    layers += [nn.Tanh()]
    del layers[0]
    shown += [repr(layers), repr(layers[1:]), repr(copy.deepcopy(layers))]
    table = nn.ModuleDict({"a": nn.ReLU()})
    table.update({"b": nn.Tanh(), "a": nn.ELU()})
    shown += [repr(table), str(list(table.keys())), repr(table.pop("a")), str(len(table))]
    return shown


def test_containers_are_edited_as_in_pytorch():
    assert edited(dg) == edited(torch)


def test_hooks_are_called_as_in_pytorch():
    def run(lib):
        calls = []
        layer = lib.nn.Linear(2, 2)
        layer.register_forward_pre_hook(lambda m, a: calls.append(("pre", len(a))))
        layer.register_forward_pre_hook(
            lambda m, a, k: calls.append(("first", len(a), sorted(k))),
            prepend=True,
            with_kwargs=True,
        )
        layer.register_forward_hook(lambda m, a, out: out * 0)
        layer.register_forward_hook(lambda m, a, out: calls.append(out.detach().tolist()))
        layer(lib.ones(1, 2))
        return calls

    assert run(dg) == run(torch)


MISUSES = {
    "layer misfit": lambda lib: lib.nn.Linear(3, 2)(lib.ones(1, 4)),
    "layer of another type": lambda lib: lib.nn.Linear(3, 2)(lib.ones(1, 3, dtype=lib.float64)),
    "convolution of other channels": lambda lib: lib.nn.Conv2d(3, 2, 3)(lib.ones(1, 4, 5, 5)),
    "groups that do not divide": lambda lib: lib.nn.Conv2d(3, 2, 3, groups=2),
    "one value per channel": lambda lib: lib.nn.BatchNorm1d(3)(lib.ones(1, 3)),
    "other channels": lambda lib: lib.nn.BatchNorm1d(3)(lib.ones(2, 4)),
    "other dimensions": lambda lib: lib.nn.BatchNorm2d(3)(lib.ones(2, 3)),
    "other normalized shape": lambda lib: lib.nn.LayerNorm(3)(lib.ones(2, 4)),
    "row out of range": lambda lib: lib.nn.Embedding(3, 2)(lib.tensor([3])),
    "p out of range": lambda lib: lib.nn.Dropout(1.5),
    "class out of range": lambda lib: lib.nn.functional.cross_entropy(
        lib.ones(2, 3), lib.tensor([0, 3])
    ),
    "other number of targets": lambda lib: lib.nn.functional.cross_entropy(
        lib.ones(2, 3), lib.tensor([0, 1, 2])
    ),
    "classes as floats": lambda lib: lib.nn.functional.cross_entropy(
        lib.ones(2, 3), lib.tensor([0.0, 1.0])
    ),
    "one-hot integers": lambda lib: lib.nn.functional.cross_entropy(
        lib.ones(2, 3), lib.zeros(2, 3, dtype=lib.int64)
    ),
    "logits against a column": lambda lib: lib.nn.functional.binary_cross_entropy_with_logits(
        lib.ones(3), lib.ones(3, 1)
    ),
    "shapes that do not broadcast": lambda lib: lib.nn.functional.mse_loss(
        lib.ones(3), lib.ones(4)
    ),
    "no such reduction": lambda lib: lib.nn.functional.mse_loss(
        lib.ones(3), lib.ones(3), reduction="max"
    ),
    "a state that misses": lambda lib: lib.nn.Linear(2, 2).load_state_dict({}),
    "a misshaped state": lambda lib: lib.nn.Linear(2, 1, bias=False).load_state_dict(
        {"weight": lib.ones(1, 3)}
    ),
    "a tensor for a parameter": lambda lib: setattr(lib.nn.Linear(2, 2), "weight", lib.ones(2)),
    "no such attribute": lambda lib: lib.nn.Linear(2, 2).wieght,
    "no such part": lambda lib: lib.nn.Sequential().get_submodule("0"),
    "an index out of range": lambda lib: lib.nn.Sequential(lib.nn.ReLU())[1],
    "no fan": lambda lib: lib.nn.init.xavier_uniform_(lib.empty(3)),
    "integers as parameters": lambda lib: lib.nn.Parameter(lib.tensor([1])),
}


@pytest.mark.parametrize("name", MISUSES)
def test_a_misuse_raises_what_pytorch_raises(name):
    with pytest.raises(Exception) as theirs:
        MISUSES[name](torch)
    with pytest.raises(dg.errors.DemogradError) as ours:
        MISUSES[name](dg)
    assert isinstance(ours.value, theirs.type), (type(ours.value).__mro__, theirs.type)
