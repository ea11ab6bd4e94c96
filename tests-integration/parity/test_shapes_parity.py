"""Functions that move elements, einsum, norms, convolution and pooling against PyTorch.

The same function runs in both libraries: only the namespace differs. What PyTorch refuses, demograd
refuses too.
"""

import numpy as np
import pytest
import torch
import torch.nn.functional
from hypothesis import given, settings
from hypothesis import strategies as st

import demograd as dg
from demograd import ops

OURS, THEIRS = dg, torch
INDEX = np.array([[[0, 3, 1, 1, 2]], [[2, 2, 0, 3, 3]], [[1, 0, 0, 0, 2]]])
MASK = np.random.default_rng(3).random((4, 5)) < 0.5
ORDER = np.argsort(np.random.default_rng(4).random((3, 4, 5)), 1)[:, :2]

MOVING = [
    ("cat", lambda F, x: F.cat([x, x * 2], 1)),
    ("cat of types", lambda F, x: F.cat([x, F.ones(1, 4, 5, dtype=F.float32)])),
    ("stack", lambda F, x: F.stack([x, x * x], -2)),
    ("split", lambda F, x: F.split(x, 2, 2)[1:]),
    ("split in lengths", lambda F, x: F.split(x, [1, 0, 3], 1)),
    ("chunk", lambda F, x: F.chunk(x, 3, 1)),
    ("chunk too often", lambda F, x: F.chunk(x, 4, 2)),
    ("unbind", lambda F, x: F.unbind(x, 1)[::2]),
    ("view", lambda F, x: x.view(-1, 10)),
    ("flatten", lambda F, x: F.flatten(x, 1)),
    ("unflatten", lambda F, x: F.unflatten(x, 1, (2, -1))),
    ("squeeze", lambda F, x: F.squeeze(x[:1, :, :1], (0, 1))),
    ("unsqueeze", lambda F, x: F.unsqueeze(x, -2)),
    ("movedim", lambda F, x: F.movedim(x, (0, 1), (2, 0))),
    ("swapdims", lambda F, x: F.swapdims(x, 0, -1)),
    ("broadcast_to", lambda F, x: F.broadcast_to(x, (2, -1, 4, 5))),
    ("flip", lambda F, x: F.flip(x, (0, 2))),
    ("roll", lambda F, x: F.roll(x, (1, -2), (0, 2))),
    ("roll of all", lambda F, x: F.roll(x, 7)),
    ("roll twice", lambda F, x: F.roll(x, (1, 1), (0, 0))),
    ("repeat", lambda F, x: x.repeat(2, 1, 3, 2)),
    ("tile", lambda F, x: F.tile(x, (3, 2))),
    ("repeat_interleave", lambda F, x: F.repeat_interleave(x, F.tensor([1, 0, 3, 2]), 1)),
    ("repeat_interleave of all", lambda F, x: F.repeat_interleave(x, 2)),
    ("diagonal", lambda F, x: F.diagonal(x, -1, 2, 0)),
    ("diag", lambda F, x: F.diag(x[0, 0], -2)),
    ("diag of a matrix", lambda F, x: F.diag(x[0], 1)),
    ("tril", lambda F, x: F.tril(x, -1)),
    ("triu", lambda F, x: F.triu(x, 2)),
    ("gather", lambda F, x: F.gather(x, 1, F.tensor(INDEX))),
    ("index_select", lambda F, x: F.index_select(x, 1, F.tensor(INDEX[0, 0]))),
    ("take_along_dim", lambda F, x: F.take_along_dim(x, F.tensor(INDEX - 2), 1)),
    ("take_along_dim of all", lambda F, x: F.take_along_dim(x, F.tensor(INDEX))),
    ("scatter", lambda F, x: F.scatter(x, 1, F.tensor(ORDER), x[:, :2] * 2)),
    ("scatter of a number", lambda F, x: F.scatter(x, 1, F.tensor(INDEX), 2.5)),
    ("scatter_add", lambda F, x: F.scatter_add(x, 1, F.tensor(INDEX), (x * x)[:, :1])),
    ("scatter_add_", lambda F, x: (x * 1).scatter_add_(1, F.tensor(INDEX), x[:, :1])),
    ("masked_fill", lambda F, x: F.masked_fill(x, F.tensor(MASK), -1.5)),
    ("masked_select", lambda F, x: F.masked_select(x, F.tensor(MASK))),
    ("sort", lambda F, x: tuple(F.sort(x, 1))),
    ("sort downwards", lambda F, x: tuple(F.sort(x, 1, True))),
    ("topk", lambda F, x: tuple(F.topk(x, 2, 1))),
    ("topk of the smallest", lambda F, x: tuple(F.topk(x, 2, 1, False))),
    ("argsort", lambda F, x: F.argsort(x, 0, descending=True)),
    ("bmm", lambda F, x: F.bmm(x, x.mT)),
    ("dot", lambda F, x: F.dot(x[0, 0], x[1, 1])),
    ("mv", lambda F, x: F.mv(x[0], x[1, 1])),
    ("mm", lambda F, x: F.mm(x[0], x[1].T)),
    ("outer", lambda F, x: F.outer(x[0, 0], x[1, :, 1])),
    ("einsum of two", lambda F, x: F.einsum("abc,abd->cd", x, x)),
    ("einsum of three", lambda F, x: F.einsum("abc,dbc,ade->eb", x, x, x[:, :3])),
    ("einsum with dots", lambda F, x: F.einsum("...c,bc->...b", x, x[0])),
    ("einsum summing dots", lambda F, x: F.einsum("...c->c", x)),
    ("einsum implicit", lambda F, x: F.einsum("bac", x)),
    ("einsum of a diagonal", lambda F, x: F.einsum("aba->b", x[:, :, :3])),
]
for power in (2, 1, 3, 1.5, 0.5, -1, float("inf"), -float("inf")):
    for along in (None, 1, (0, 2)):
        MOVING.append(
            (f"norm {power} {along}", lambda F, x, p=power, d=along: F.norm(x, p, d, True))
        )


def compare(function, ours, theirs, arrays):
    """Values, types and gradients of one function, made of each library's own functions."""
    xs = [dg.Tensor(a.copy(), requires_grad=True) for a in arrays]
    ys = [torch.tensor(a, requires_grad=True) for a in arrays]
    found, expected = function(ours, *xs), function(theirs, *ys)
    pairs = (
        [(found, expected)]
        if isinstance(found, dg.Tensor)
        else list(zip(found, expected, strict=True))
    )
    rng = np.random.default_rng(7)
    ours_total, theirs_total = 0, 0
    for x, y in pairs:
        assert x.shape == tuple(y.shape)
        assert str(x.dtype) == str(y.dtype).split(".")[1]
        np.testing.assert_allclose(x.detach().numpy(), y.detach().numpy(), rtol=1e-9, atol=1e-9)
        assert x.requires_grad == y.requires_grad
        if y.requires_grad:
            weights = rng.standard_normal(x.shape)
            ours_total = ours_total + (x * dg.Tensor(weights)).sum()
            theirs_total = theirs_total + (y * torch.tensor(weights)).sum()
    if pairs[0][1].requires_grad:
        ours_total.backward()
        theirs_total.backward()
        for x, y in zip(xs, ys, strict=True):
            np.testing.assert_allclose(x.grad.numpy(), y.grad.numpy(), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("function", [f for _, f in MOVING], ids=[name for name, _ in MOVING])
def test_a_function_has_the_values_and_gradients_of_pytorch(function):
    x = np.random.default_rng(0).standard_normal((3, 4, 5))
    compare(function, OURS, THEIRS, [x])


@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("widths", [(1, 2), (-1, 1), (1, 0, 2, 1), (-1, -1, 1, 0)])
def test_padding_is_pytorchs(mode, widths):
    shape = (2, 3, 4) if len(widths) == 2 else (1, 2, 4, 5)
    x = np.random.default_rng(0).standard_normal(shape)
    compare(lambda F, x: F.pad(x, widths, mode), ops, torch.nn.functional, [x])


def both(function, arrays):
    """Compare, unless PyTorch refuses: then demograd must refuse as well."""
    try:
        function(torch.nn.functional, *map(torch.tensor, arrays))
    except RuntimeError:
        with pytest.raises((ValueError, RuntimeError)):
            function(ops, *map(dg.Tensor, arrays))
        return
    compare(function, ops, torch.nn.functional, arrays)


few = st.integers(1, 3)


@given(
    groups=st.integers(1, 2), channels=few, outputs=few, batch=st.integers(0, 2),
    size=st.tuples(few, few), lengths=st.tuples(st.integers(1, 7), st.integers(1, 7)),
    stride=st.tuples(few, few), dilation=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    padding=st.one_of(st.tuples(st.integers(0, 2), st.integers(0, 2)), st.just("same")),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_a_convolution_is_pytorchs(
    groups, channels, outputs, batch, size, lengths, stride, dilation, padding
):
    rng = np.random.default_rng(0)
    arrays = [
        rng.standard_normal((batch, groups * channels, *lengths)),
        rng.standard_normal((groups * outputs, channels, *size)),
        rng.standard_normal(groups * outputs),
    ]
    both(lambda F, x, w, b: F.conv2d(x, w, b, stride, padding, dilation, groups), arrays)


@given(
    shape=st.tuples(st.integers(0, 2), few, st.integers(1, 8), st.integers(1, 8)),
    size=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.one_of(st.none(), st.tuples(few, few)),
    padding=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    dilation=st.integers(1, 2), ceil=st.booleans(), count=st.booleans(),
    divisor=st.sampled_from([None, 3]), seed=st.integers(0, 9),
)  # fmt: skip
@settings(max_examples=80, deadline=None)
def test_pooling_is_pytorchs(shape, size, stride, padding, dilation, ceil, count, divisor, seed):
    # Whole numbers, so that there are ties.
    x = np.random.default_rng(seed).integers(-3, 4, shape).astype(float)
    # A dilated window may lie in the padding altogether. PyTorch then gives the gradient to a place
    # that it has not looked at, even outside the image.
    apart = 1 if any(padding) else dilation
    both(lambda F, x: F.max_pool2d(x, size, stride, padding, apart, ceil), [x])
    both(lambda F, x: F.avg_pool2d(x, size, stride, padding, ceil, count, divisor), [x])
