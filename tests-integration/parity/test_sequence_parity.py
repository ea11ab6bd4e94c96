"""Attention, the LSTM cell and a small GPT against PyTorch: values and derivatives."""

import numpy as np
import pytest
import torch

import demograd as dg

RNG = np.random.default_rng(0)


def draw(*shape):
    return RNG.standard_normal(shape).astype(np.float64)


def close(ours, theirs, tolerance=1e-10):
    theirs = theirs.detach().numpy()
    ours = np.asarray(ours.detach().data)
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


Q, K, V = draw(2, 4, 5, 3), draw(2, 4, 7, 3), draw(2, 4, 7, 2)
SEEN = RNG.random((2, 1, 5, 7)) < 0.6
SEEN[..., 0] = True
BLIND = SEEN.copy()
BLIND[0, 0, 2] = False  # a query that sees nothing
ATTENTION = {
    "plain": ([Q, K, V], {}),
    "causal": ([Q, K, V], {"is_causal": True}),
    "causal, more queries than keys": ([K, Q, Q], {"is_causal": True}),
    "scaled": ([Q, K, V], {"scale": 0.3}),
    "booleans": ([Q, K, V, SEEN], {}),
    "floats": ([Q, K, V, draw(5, 7)], {}),
    "floats for each head": ([Q, K, V, draw(1, 4, 5, 7)], {}),
    "a query that sees nothing": ([Q, K, V, BLIND], {}),
    "matrices": ([Q[0, 0], K[0, 0], V[0, 0]], {}),
    "one key and value for all heads": ([Q, K[:, :1], V[:, :1]], {}),
    "shared keys": ([Q, K[:, :2], V[:, :2]], {"enable_gqa": True}),
}


@pytest.mark.parametrize("name", ATTENTION)
def test_attention_has_pytorchs_value_and_first_and_second_derivative(name):
    arrays, settings = ATTENTION[name]
    seeds = [draw(*a.shape) for a in arrays]

    def run(lib):
        xs = [lib.tensor(a, requires_grad=a.dtype != bool) for a in arrays]
        floats = [x for x, a in zip(xs, arrays, strict=True) if a.dtype != bool]
        attend = lib.nn.functional.scaled_dot_product_attention
        # PyTorch's fused kernels have no second derivative; its plain one has.
        kernel = torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH)
        with kernel:
            out = attend(*xs, **settings)
            first = lib.autograd.grad((out**2).sum(), floats, create_graph=True)
            mixed = sum((g * lib.tensor(s)).sum() for g, s in zip(first, seeds, strict=False))
            return out, *first, *lib.autograd.grad(mixed, floats)

    for ours, theirs in zip(run(dg), run(torch), strict=True):
        close(ours, theirs)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_attention_in_lower_precision_is_as_near_as_pytorchs(dtype):
    def run(lib, kind):
        xs = [lib.tensor(a.astype(kind)) for a in (Q, K, V)]
        return np.asarray(lib.nn.functional.scaled_dot_product_attention(*xs).numpy())

    exact = run(torch, "float64")
    ours, theirs = (abs(run(lib, dtype) - exact).max() for lib in (dg, torch))
    assert ours <= 2 * theirs + {"float32": 1e-7, "float16": 1e-3}[dtype]


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize("rows", [(3,), ()], ids=["batch", "one sample"])
def test_the_lstm_cell_has_pytorchs_values_and_first_and_second_derivative(rows, bias):
    theirs = torch.nn.LSTMCell(4, 5, bias=bias, dtype=torch.float64)
    ours = dg.nn.LSTMCell(4, 5, bias=bias, dtype="float64")
    assert {k: tuple(v.shape) for k, v in theirs.state_dict().items()} == {
        k: v.shape for k, v in ours.state_dict().items()
    }
    ours.load_state_dict(theirs.state_dict())
    arrays = [draw(*rows, 4), draw(*rows, 5), draw(*rows, 5)]

    def run(lib, cell):
        x, h, c = (lib.tensor(a, requires_grad=True) for a in arrays)
        state = h, c
        for _ in range(3):
            state = cell(x, state)
        inputs = [x, h, c, *cell.parameters()]
        out = (state[0] ** 2).sum() + (state[1] ** 3).sum()
        first = lib.autograd.grad(out, inputs, create_graph=True)
        second = lib.autograd.grad(sum((g**2).sum() for g in first), inputs)
        return *state, *cell(x), *first, *second

    for a, b in zip(run(dg, ours), run(torch, theirs), strict=True):
        close(a, b)
    back = torch.nn.LSTMCell(4, 5, bias=bias, dtype=torch.float64)
    back.load_state_dict({k: torch.tensor(v.numpy()) for k, v in ours.state_dict().items()})
    for a, b in zip(back.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(a, b)
    assert repr(ours) == repr(theirs).replace(", dtype=torch.float64", "")


def gpt(lib):
    """A GPT of two blocks, in the names that both libraries have."""
    nn = lib.nn
    functional = nn.functional

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(16), nn.LayerNorm(16)
            self.qkv, self.project = nn.Linear(16, 48), nn.Linear(16, 16)
            self.up, self.down = nn.Linear(16, 64), nn.Linear(64, 16)

        def forward(self, x):
            rows, length, width = x.shape
            parts = self.qkv(self.norm1(x)).split(width, dim=2)
            q, k, v = (z.reshape(rows, length, 2, width // 2).transpose(1, 2) for z in parts)
            seen = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.project(seen.transpose(1, 2).reshape(rows, length, width))
            return x + self.down(functional.gelu(self.up(self.norm2(x))))

    class GPT(nn.Module):
        def __init__(self):
            super().__init__()
            self.tokens, self.places = nn.Embedding(11, 16), nn.Embedding(8, 16)
            self.blocks = nn.Sequential(Block(), Block())
            self.norm, self.head = nn.LayerNorm(16), nn.Linear(16, 11, bias=False)

        def forward(self, x):
            x = self.tokens(x) + self.places(lib.arange(x.shape[1]))
            return self.head(self.norm(self.blocks(x)))

    return GPT()


def test_a_gpt_trains_as_in_pytorch():
    # In double precision: the gradient of the keys' bias is zero but for rounding, and Adam scales
    # what there is.
    models = {dg: gpt(dg).double(), torch: gpt(torch).double()}
    models[dg].load_state_dict(models[torch].state_dict())
    x, y = RNG.integers(0, 11, (2, 4, 8))
    losses = {dg: [], torch: []}
    for lib, model in models.items():
        opt = lib.optim.AdamW(model.parameters(), lr=1e-3)
        for _ in range(10):
            opt.zero_grad()
            out = model(lib.tensor(x))
            loss = lib.nn.functional.cross_entropy(out.reshape(-1, 11), lib.tensor(y).reshape(-1))
            loss.backward()
            opt.step()
            losses[lib].append(loss.item())
    np.testing.assert_allclose(losses[dg], losses[torch], rtol=1e-10)
    for a, b in zip(models[dg].parameters(), models[torch].parameters(), strict=True):
        close(a, b, 1e-7)


def test_erf_and_gelu_in_single_precision_are_within_a_few_roundings():
    x = np.concatenate([np.linspace(-7, 7, 100001), np.logspace(-30, 30, 1001)]).astype(np.float32)
    for name, bound in (("erf", 3e-7), ("gelu", 1e-6)):

        def run(lib, kind, name=name):
            a = lib.tensor(x.astype(kind), requires_grad=True)
            out = lib.erf(a) if name == "erf" else lib.nn.functional.gelu(a)
            out.sum().backward()
            return out.detach().numpy(), a.grad.numpy()

        for ours, exact in zip(run(dg, "float32"), run(torch, "float64"), strict=True):
            assert (abs(ours - exact) <= bound * np.maximum(1, abs(exact))).all()
