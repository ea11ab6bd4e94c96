"""The transforms over modules: gradients of each sample, of many models, and through optimizers."""

import numpy as np
import pytest

import demograd as dg
from demograd import func, nn
from demograd.errors import MappingError
from demograd.nn import functional as F


class Attentive(nn.Module):
    """A block of a transformer, in small."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(7, 8)
        self.project = nn.Linear(8, 24)
        self.norm = nn.LayerNorm(8)
        self.out = nn.Linear(8, 3)

    def forward(self, tokens):
        x = self.embed(tokens)
        q, k, v = self.project(x).split(8, -1)
        x = self.norm(x + F.scaled_dot_product_attention(q, k, v, is_causal=True))
        return self.out(x.mean(-2))


def perceptron():
    return nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.LayerNorm(5), nn.GELU(), nn.Linear(5, 3))


def convolutions():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 4, 2), nn.Flatten(),
        nn.Linear(36, 3),
    )  # fmt: skip


MODELS = {
    "perceptron": (perceptron, lambda n: dg.randn(n, 6)),
    "convolutions": (convolutions, lambda n: dg.randn(n, 1, 8, 8)),
    "attention": (Attentive, lambda n: dg.randint(0, 7, (n, 5))),
}


@pytest.fixture(params=MODELS)
def setting(request):
    dg.manual_seed(0)
    make, inputs = MODELS[request.param]
    model = make().double()
    x = inputs(4)
    x = x.double() if x.dtype.kind == "f" else x
    return model, x, dg.randint(0, 3, (4,))


def detached(model):
    return {name: p.detach() for name, p in model.named_parameters()}


def loss_of(model):
    def loss(params, x, y):
        out = func.functional_call(model, params, (x[None],))
        return F.cross_entropy(out, y[None])

    return loss


def test_gradients_of_each_sample_are_those_of_a_loop(setting):
    model, x, y = setting
    params = detached(model)
    each = func.vmap(func.grad(loss_of(model)), in_dims=(None, 0, 0))(params, x, y)
    assert list(each) == list(params)
    for number in range(4):
        model.zero_grad()
        F.cross_entropy(model(x[number : number + 1]), y[number : number + 1]).backward()
        for name, p in model.named_parameters():
            np.testing.assert_allclose(each[name][number].numpy(), p.grad.numpy(), atol=1e-12)


def test_the_mean_of_the_gradients_is_the_gradient_of_the_mean(setting):
    model, x, y = setting
    each = func.vmap(func.grad(loss_of(model)), in_dims=(None, 0, 0))(detached(model), x, y)
    mapped = func.vmap(loss_of(model), in_dims=(None, 0, 0))
    over = func.grad(lambda params: mapped(params, x, y).mean())(detached(model))
    F.cross_entropy(model(x), y).backward()
    for name, p in model.named_parameters():
        np.testing.assert_allclose(over[name].numpy(), p.grad.numpy(), atol=1e-12)
        np.testing.assert_allclose(each[name].mean(0).numpy(), p.grad.numpy(), atol=1e-12)


def test_backward_goes_through_a_mapped_model_to_its_parameters(setting):
    model, x, y = setting
    out = func.vmap(lambda x: model(x[None])[0])(x)
    F.cross_entropy(out, y).backward()
    mapped = [p.grad.numpy().copy() for p in model.parameters()]
    model.zero_grad()
    F.cross_entropy(model(x), y).backward()
    for a, p in zip(mapped, model.parameters(), strict=True):
        np.testing.assert_allclose(a, p.grad.numpy(), atol=1e-12)


def test_nothing_is_recorded_in_no_grad(setting):
    model, x, _ = setting
    with dg.no_grad():
        out = func.vmap(lambda x: model(x[None])[0])(x)
    assert not out.requires_grad
    np.testing.assert_allclose(out.numpy(), model(x).detach().numpy(), atol=1e-12)


def test_a_penalty_on_the_gradients_of_samples_is_differentiated(setting):
    model, x, y = setting
    gradients = func.vmap(func.grad(loss_of(model)), in_dims=(None, 0, 0))

    def penalty(params):
        return sum((g * g).sum() for g in gradients(params, x, y).values())

    def in_turn(params):
        of_one = func.grad(loss_of(model))
        return sum((g * g).sum() for k in range(4) for g in of_one(params, x[k], y[k]).values())

    found, expected = (func.grad(f)(detached(model)) for f in (penalty, in_turn))
    for name, g in expected.items():
        np.testing.assert_allclose(found[name].numpy(), g.numpy(), rtol=1e-9, atol=1e-12)


def test_many_models_run_and_are_differentiated_at_once():
    dg.manual_seed(0)
    models = [perceptron().double() for _ in range(3)]
    x = dg.randn(2, 6).double()
    stacked = {name: dg.stack([detached(m)[name] for m in models]) for name in detached(models[0])}

    def run(params, x):
        return func.functional_call(models[0], params, (x,))

    outs = func.vmap(run, in_dims=(0, None))(stacked, x)
    np.testing.assert_allclose(outs.numpy(), [m(x).detach().numpy() for m in models])
    gradients = func.vmap(func.grad(lambda p: (run(p, x) ** 2).sum()))(stacked)
    for number, model in enumerate(models):
        (model(x) ** 2).sum().backward()
        for name, p in model.named_parameters():
            np.testing.assert_allclose(gradients[name][number].numpy(), p.grad.numpy(), atol=1e-12)


def test_the_hessian_of_a_model_is_symmetric_and_agrees_with_its_products():
    dg.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Linear(2, 1)).double()
    x, params = dg.randn(5, 3).double(), detached(model)

    def loss(params):
        return (func.functional_call(model, params, (x,)) ** 2).mean()

    blocks = func.hessian(loss)(params)
    names = list(params)

    def flat(tree):
        return np.concatenate([tree[name].numpy().reshape(-1) for name in names])

    rows = [
        np.concatenate([blocks[a][b].numpy().reshape(params[a].numel(), -1) for b in names], axis=1)
        for a in names
    ]
    matrix = np.concatenate(rows)
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-12)
    v = {name: dg.randn(p.shape, dtype="float64") for name, p in params.items()}
    _, product = func.hvp(loss, (params,), (v,))
    np.testing.assert_allclose(flat(product[0]), matrix @ flat(v), atol=1e-12)


def test_a_loop_of_a_recurrent_cell_is_mapped():
    dg.manual_seed(0)
    cell = nn.LSTMCell(2, 3).double()
    steps = dg.randn(4, 5, 2).double()

    def run(x):
        h, c = dg.zeros(1, 3, dtype="float64"), dg.zeros(1, 3, dtype="float64")
        for step in x:
            h, c = cell(step[None], (h, c))
        return (h * h).sum()

    found = func.vmap(func.grad(run))(steps)
    expected = [func.grad(run)(x).detach().numpy() for x in steps]
    np.testing.assert_allclose(found.detach().numpy(), expected, atol=1e-12)


def test_batch_norm_in_training_keeps_statistics_that_all_samples_share():
    norm = nn.BatchNorm1d(3)
    with pytest.raises(MappingError) as caught:
        func.vmap(norm)(dg.randn(2, 5, 3))
    assert str(caught.value) == (
        "add_: a tensor that all samples share cannot hold what each has of its own.\n"
        "  x: shape (3,), the same for all\n"
        "  new values: shape (3,), one for each of 2\n"
        "Make a new tensor (x = x + y), or start from a mapped one, such as dg.zeros_like(y)."
    )
    norm.eval()
    x = dg.randn(2, 5, 3)
    np.testing.assert_allclose(
        func.vmap(norm)(x).detach().numpy(), [norm(row).detach().numpy() for row in x], atol=1e-6
    )


def test_what_a_call_does_to_buffers_stays_in_those_given():
    norm = nn.BatchNorm1d(3)
    buffers = {name: b.clone() for name, b in norm.named_buffers()}
    func.functional_call(norm, [detached(norm), buffers], (dg.randn(5, 3),))
    assert buffers["running_mean"].abs().sum().item() > 0
    assert norm.running_mean.abs().sum().item() == 0


def test_tied_weights_are_replaced_under_every_name():
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    model[1].weight = model[0].weight
    x = dg.ones(1, 2)
    weight = dg.tensor([[0.0, 1.0], [2.0, 0.0]])
    assert func.functional_call(model, {"0.weight": weight}, (x,)).tolist() == [[2.0, 2.0]]
    alone = func.functional_call(model, {"0.weight": weight}, (x,), tie_weights=False)
    assert alone.tolist() == (model[1](x @ weight.mT)).tolist()


def test_steps_of_an_inner_loop_are_differentiated_for_each_task():
    """Finn et al., "Model-agnostic meta-learning", 2017, as in torch.func's tutorial."""
    dg.manual_seed(0)
    model = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1)).double()
    params = detached(model)
    x = dg.rand(3, 10, 1, dtype="float64") * 4 - 2
    y = dg.tensor([1.0, 2.0, 3.0], dtype="float64").reshape(3, 1, 1) * dg.sin(x)

    def loss(params, x, y):
        return F.mse_loss(func.functional_call(model, params, (x,)), y)

    def after_steps(params, x, y):
        adapted = params
        for _ in range(2):
            slopes = func.grad(loss)(adapted, x, y)
            adapted = {name: p - 0.1 * slopes[name] for name, p in adapted.items()}
        return loss(adapted, x, y)

    found = func.grad(lambda p: func.vmap(after_steps, (None, 0, 0))(p, x, y).mean())(params)
    expected = func.grad(lambda p: sum(after_steps(p, x[k], y[k]) for k in range(3)) / 3)(params)
    for name, g in expected.items():
        np.testing.assert_allclose(found[name].numpy(), g.numpy(), rtol=1e-9, atol=1e-12)
