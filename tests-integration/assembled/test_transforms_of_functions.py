"""The transforms over the functions of all packages: ``vmap`` is a loop, gradients included."""

import numpy as np
import pytest

import demograd as dg
from demograd import func, ops
from demograd.nn import functional as F

SAMPLES = 3
RNG = np.random.default_rng(0)


def n(*shape):
    return RNG.standard_normal((SAMPLES, *shape))


def one(*shape):
    return RNG.standard_normal(shape)


def p(*shape):
    return RNG.random((SAMPLES, *shape)) * 0.5 + 0.3


def i(*shape, high=3):
    return RNG.integers(0, high, (SAMPLES, *shape))


def well(size):
    """Matrices far from singular ones."""
    return n(size, size) * 0.3 + 2 * np.eye(size)


ELEMENTS = """
abs asin acos atan asinh atanh ceil cos cosh erf exp exp2 expm1 floor log log10 log1p log2
reciprocal relu round rsqrt sigmoid sign sin sinh sqrt square tan tanh trunc
""".split()
SAME = None

# name: (function, arguments, in_dims); in_dims may be left out where all are mapped.
TABLE = {
    **{name: (getattr(dg, name), [p(2, 3)]) for name in ELEMENTS},
    "acosh": (dg.acosh, [p(2) + 1]),
    "atan2": (dg.atan2, [n(2), n(2)]),
    "hypot": (dg.hypot, [n(2), one(2)], (0, SAME)),
    "logaddexp": (dg.logaddexp, [n(2, 2), n(2)]),
    "maximum": (dg.maximum, [n(2, 2), one(2)], (0, SAME)),
    "minimum": (dg.minimum, [n(2, 2), n(2)]),
    "clamp": (lambda x: x.clamp(-0.5, 0.5), [n(4)]),
    "clamp by tensors": (lambda x, low: x.clamp(min=low), [n(4), one(4)], (0, SAME)),
    "amax": (lambda x: x.amax(1), [n(2, 4)]),
    "amin": (lambda x: x.amin(), [n(2, 4)]),
    "max": (lambda x: x.max(0).values, [n(3, 2)]),
    "min": (lambda x: x.min(1, keepdim=True).values, [n(3, 2)]),
    "argmax": (lambda x: x.argmax(1) * x.sum(), [n(3, 2)]),
    "argmin of all": (lambda x: x.argmin() * x.sum(), [n(3, 2)]),
    "sort": (lambda x: x.sort(0, descending=True).values, [n(4, 2)]),
    "argsort": (lambda x: x.argsort(1) * x, [n(4, 2)]),
    "topk": (lambda x: x.topk(2).values, [n(2, 4)]),
    "cumsum": (lambda x: x.cumsum(1), [n(2, 4)]),
    "cumprod": (lambda x: x.cumprod(0), [n(2, 4)]),
    "prod": (lambda x: x.prod(1), [n(2, 4)]),
    "prod of all": (lambda x: x.prod(), [n(2, 2)]),
    "std": (lambda x: x.std(0), [n(4, 2)]),
    "var": (lambda x: x.var(), [n(4, 2)]),
    "norm": (lambda x: x.norm(), [n(4, 2)]),
    "norm 1": (lambda x: x.norm(1, 1), [n(4, 2)]),
    "softmax": (lambda x: x.softmax(-1), [n(2, 4)]),
    "log_softmax": (lambda x: x.log_softmax(0), [n(2, 4)]),
    "logsumexp": (lambda x: x.logsumexp((0, 1)), [n(2, 4)]),
    "flatten": (lambda x: x.flatten() * 2, [n(2, 4)]),
    "unsqueeze, squeeze": (lambda x: x.unsqueeze(1).squeeze(), [n(2, 4)]),
    "movedim": (lambda x: x.movedim(0, -1), [n(2, 4, 1)]),
    "flip": (lambda x: x.flip((0, 1)), [n(2, 4)]),
    "roll": (lambda x: x.roll(1, 0), [n(2, 4)]),
    "roll all": (lambda x: x.roll(3), [n(2, 4)]),
    "tile": (lambda x: x.tile((2, 1)), [n(2, 4)]),
    "repeat": (lambda x: x.repeat(2, 1, 3), [n(2, 4)]),
    "repeat_interleave": (lambda x: x.repeat_interleave(2, 1), [n(2, 4)]),
    "cat": (lambda x, y: dg.cat([x, y], 1), [n(2, 4), one(2, 3)], (0, SAME)),
    "stack": (lambda x, y: dg.stack([x, y], 1), [n(2), n(2)]),
    "split": (lambda x: x.split(2, 1)[1], [n(2, 5)]),
    "unbind": (lambda x: x.unbind(1)[2], [n(2, 5)]),
    "tril": (lambda x: x.tril(), [n(3, 3)]),
    "triu": (lambda x: x.triu(1), [n(3, 3)]),
    "diag of a vector": (lambda x: x.diag(), [n(3)]),
    "diag of a matrix": (lambda x: x.diag(1), [n(3, 4)]),
    "diff": (lambda x: x.diff(), [n(3, 4)]),
    "pad": (lambda x: ops.pad(x, (1, 2)), [n(2, 3)]),
    "pad reflect": (lambda x: ops.pad(x, (1, 2), "reflect"), [n(2, 3)]),
    "masked_fill": (lambda x: x.masked_fill(x < 0, 2.0), [n(4)]),
    "dot": (dg.dot, [n(3), one(3)], (0, SAME)),
    "outer": (dg.outer, [n(3), n(2)]),
    "tensordot": (lambda x, y: dg.tensordot(x, y, 1), [n(2, 3), n(3, 2)]),
    "einsum": (lambda x, y: dg.einsum("ij,kj->ik", x, y), [n(2, 3), one(4, 3)], (0, SAME)),
    "gather": (lambda x, k: x.gather(1, k), [n(3, 4), i(3, 2)]),
    "gather of the same": (lambda x, k: x.gather(0, k), [one(3, 4), i(2, 4)], (SAME, 0)),
    "index_select": (lambda x, k: x.index_select(1, k), [n(2, 3), i(4)]),
    "take_along_dim": (lambda x, k: x.take_along_dim(k, 0), [n(3, 2), i(1, 2)]),
    "scatter": (lambda x, k, v: x.scatter(1, k, v), [n(2, 3), i(2, 2), n(2, 2)]),
    "scatter_add": (lambda x, k, v: x.scatter_add(0, k, v), [one(3, 2), i(4, 2), n(4, 2)],
                    (SAME, 0, 0)),
    "conv2d": (lambda x, w, b: ops.conv2d(x, w, b, padding=1),
               [n(2, 4, 4), one(3, 2, 3, 3), one(3)], (0, SAME, SAME)),
    "conv2d of each": (lambda x, w: ops.conv2d(x, w, stride=2), [n(1, 2, 5, 5), n(3, 2, 3, 3)]),
    "conv2d in groups": (lambda x, w: ops.conv2d(x, w, groups=2, dilation=2),
                         [one(1, 4, 5, 5), n(4, 2, 2, 2)], (SAME, 0)),
    "max_pool2d": (lambda x: ops.max_pool2d(x, 3, 1, 1), [n(1, 2, 4, 4)]),
    "avg_pool2d": (lambda x: ops.avg_pool2d(x, 2), [n(2, 4, 4)]),
    "linear": (F.linear, [n(2, 3), one(4, 3), one(4)], (0, SAME, SAME)),
    "linear of each": (F.linear, [n(3), n(4, 3), n(4)]),
    "layer_norm": (lambda x, w: F.layer_norm(x, (4,), w), [n(2, 4), one(4)], (0, SAME)),
    "batch_norm": (lambda x: F.batch_norm(x, None, None, training=True), [n(5, 3)]),
    "gelu": (F.gelu, [n(4)]),
    "silu": (F.silu, [n(4)]),
    "softplus": (F.softplus, [n(4)]),
    "elu": (F.elu, [n(4)]),
    "leaky_relu": (F.leaky_relu, [n(4)]),
    "cross_entropy": (F.cross_entropy, [n(4, 3), i(4)]),
    "cross_entropy of one": (F.cross_entropy, [n(3), i()]),
    "cross_entropy, passed over": (lambda x, t: F.cross_entropy(x, t, ignore_index=1),
                                   [n(9, 3), i(9)]),
    "cross_entropy of probabilities": (lambda x, t: F.cross_entropy(x, t.softmax(1)),
                                       [n(4, 3), n(4, 3)]),
    "nll_loss": (lambda x, t: F.nll_loss(x.log_softmax(1), t), [n(4, 3), i(4)]),
    "mse_loss": (F.mse_loss, [n(4, 3), one(4, 3)], (0, SAME)),
    "l1_loss": (F.l1_loss, [n(4, 3), n(4, 3)]),
    "smooth_l1_loss": (F.smooth_l1_loss, [n(4, 3), n(4, 3)]),
    "binary_cross_entropy": (lambda x, t: F.binary_cross_entropy(x.sigmoid(), t), [n(4), p(4)]),
    "binary_cross_entropy_with_logits": (F.binary_cross_entropy_with_logits, [n(4), p(4)]),
    "embedding": (lambda w, k: F.embedding(k, w), [one(3, 2), i(4)], (SAME, 0)),
    "embedding of each": (lambda w, k: F.embedding(k, w), [n(3, 2), i(4)]),
    "one_hot": (lambda x, k: F.one_hot(k, 3) * x.sum(), [n(2), i(4)]),
    "attention": (F.scaled_dot_product_attention, [n(2, 4, 3), n(2, 4, 3), n(2, 4, 3)]),
    "attention, causal": (lambda q, k: F.scaled_dot_product_attention(q, k, k, is_causal=True),
                          [n(4, 3), one(4, 3)], (0, SAME)),
    "np.sin": (np.sin, [n(4)]),
    "np.sum": (lambda x: np.sum(x, axis=0), [n(4, 2)]),
    "solve": (dg.linalg.solve, [well(3), n(3)]),
    "solve with the same matrix": (dg.linalg.solve, [well(2)[0], n(2, 2)], (SAME, 0)),
    "inv": (dg.linalg.inv, [well(3)]),
    "det": (dg.linalg.det, [well(3)]),
    "slogdet": (lambda x: dg.linalg.slogdet(x)[1], [well(3)]),
    "cholesky": (lambda x: dg.linalg.cholesky(x @ x.mT), [well(2)]),
    "linalg.norm": (dg.linalg.norm, [n(3, 2)]),
}  # fmt: skip


def case(name):
    function, args, *dims = TABLE[name]
    in_dims = dims[0] if dims else (0,) * len(args)
    return function, args, in_dims, tuple(k for k, a in enumerate(args) if a.dtype.kind == "f")


def looped(function, args, dims):
    outs = [
        function(*[dg.tensor(a if d is None else a[k]) for a, d in zip(args, dims, strict=True)])
        for k in range(SAMPLES)
    ]
    columns = zip(*outs, strict=True) if isinstance(outs[0], tuple) else [outs]
    return [np.stack([t.detach().numpy() for t in column]) for column in columns]


def assert_same(found, expected):
    for a, b in zip(found if isinstance(found, tuple) else (found,), expected, strict=True):
        a = a.detach().numpy()
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-10)


def number(function):
    def f(*xs):
        out = function(*xs)
        return (out * out * out).sum() + 2 * out.sum()

    return f


def steepness(function, floats):
    """A number that is made of the gradient: its gradient is a second derivative."""

    def f(*xs):
        return sum((g * g).sum() for g in func.grad(number(function), floats)(*xs))

    return f


@pytest.mark.parametrize("name", TABLE)
class TestVmapIsALoop:
    def test_for_values(self, name):
        function, args, dims, _ = case(name)
        assert_same(func.vmap(function, dims)(*map(dg.tensor, args)), looped(function, args, dims))

    def test_for_the_gradient_and_the_second_derivative_of_each_sample(self, name):
        function, args, dims, floats = case(name)
        for scalar in (number(function), steepness(function, floats)):
            gradient = func.grad(scalar, floats)
            found = func.vmap(gradient, dims)(*map(dg.tensor, args))
            assert_same(found, looped(gradient, args, dims))

    def test_for_the_gradient_and_the_second_derivative_over_all(self, name):
        function, args, dims, floats = case(name)
        for scalar in (number(function), steepness(function, floats)):

            def in_turn(*xs, scalar=scalar):
                return sum(
                    scalar(*[x if d is None else x[k] for x, d in zip(xs, dims, strict=True)])
                    for k in range(SAMPLES)
                )

            def at_once(*xs, scalar=scalar):
                return func.vmap(scalar, dims)(*xs).sum()

            tensors = [*map(dg.tensor, args)]
            expected = func.grad(in_turn, floats)(*tensors)
            found = func.grad(at_once, floats)(*tensors)
            assert_same(found, [t.numpy() for t in expected])

    def test_and_jacobians_by_rows_and_by_columns_agree(self, name):
        function, args, dims, floats = case(name)
        first = [dg.tensor(a if d is None else a[0]) for a, d in zip(args, dims, strict=True)]
        rows, columns = (f(function, floats)(*first) for f in (func.jacrev, func.jacfwd))
        assert_same(columns, [t.numpy() for t in rows])
        tangents = tuple(dg.ones_like(x) for x in first)

        def of_floats(*xs):
            given = dict(zip(floats, xs, strict=True))
            return function(*[given.get(k, x) for k, x in enumerate(first)])

        _, along = func.jvp(of_floats, tuple(first[k] for k in floats),
                            tuple(tangents[k] for k in floats))  # fmt: skip
        ndim = along.ndim
        expected = sum(t.numpy().sum(tuple(range(ndim, t.ndim))) for t in rows)
        np.testing.assert_allclose(along.numpy(), expected, rtol=1e-9, atol=1e-10)


def test_what_has_no_one_shape_for_all_samples_is_refused():
    x = dg.tensor([[1.0, -1.0], [1.0, 1.0]])
    with pytest.raises(dg.errors.MappingError, match="another number of elements"):
        func.vmap(lambda x: x.masked_select(x > 0))(x)


def test_dropout_draws_as_vmap_says():
    x = dg.ones(4, 50)
    with pytest.raises(dg.errors.MappingError, match="random numbers"):
        func.vmap(F.dropout)(x)
    for drop in (F.dropout, lambda _: F.dropout(dg.ones(50))):
        each = func.vmap(drop, randomness="different")(x).numpy()
        assert len({row.tobytes() for row in each}) == 4
        same = func.vmap(drop, randomness="same")(x).numpy()
        assert len({row.tobytes() for row in same}) == 1

    def attend(x):
        q = x.reshape(5, 10)
        return F.scaled_dot_product_attention(q, q, q, dropout_p=0.5)

    each = func.vmap(attend, randomness="different")(x).numpy()
    assert len({row.tobytes() for row in each}) == 4
