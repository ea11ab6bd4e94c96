"""``vmap``: the same as a loop over the samples, for values and gradients, inside and outside."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import demograd as dg
from demograd import func
from demograd.errors import DemogradError

SAMPLES = 3
RNG = np.random.default_rng(0)


def x64(values):
    return dg.tensor(np.asarray(values, dtype="float64"))


def draw(*shape):
    return RNG.random(shape) + 0.5


def whole(*shape, high):
    return RNG.integers(0, high, shape)


def message(call):
    with pytest.raises(DemogradError) as caught:
        call()
    return str(caught.value)


# name: (function, arguments, in_dims); samples stand along dimension 0.
EACH, SAME = 0, None
TABLE = {
    "+": (lambda x, y: x + y, (draw(3, 2), draw(3, 4, 2)), (0, 0)),
    "+ the same": (lambda x, y: x + y, (draw(3, 2), draw(4, 1)), (0, None)),
    "+ number": (lambda x: 1 + x + 2, (draw(3, 2),), (0,)),
    "-": (lambda x, y: x - y, (draw(3, 2), draw(3)), (0, 0)),
    "- from number": (lambda x: 1 - x, (draw(3, 2),), (0,)),
    "*": (lambda x, y: x * y, (draw(3, 2, 2), draw(3, 2)), (0, 0)),
    "* itself": (lambda x: x * x, (draw(3),), (0,)),
    "/": (lambda x, y: x / y, (draw(3, 2), draw(2)), (0, None)),
    "1 /": (lambda x: 1 / x, (draw(3, 2),), (0,)),
    "**": (lambda x, y: x**y, (draw(3, 2), draw(3, 2)), (0, 0)),
    "** 3": (lambda x: x**3, (draw(3, 2),), (0,)),
    "2 **": (lambda x: 2**x, (draw(3, 2),), (0,)),
    "%": (lambda x, y: x % y, (draw(3, 2), draw(3, 2)), (0, 0)),
    "//": (lambda x, y: x // y + x, (draw(3, 2), draw(3, 2)), (0, 0)),
    "-x": (lambda x: -x, (draw(3),), (0,)),
    "array *": (lambda x: np.arange(2.0) * x, (draw(3, 2),), (0,)),
    "log": (dg.operators.log, (draw(3, 2),), (0,)),
    "sum": (lambda x: x.sum(), (draw(3, 2, 2),), (0,)),
    "sum of one number": (lambda x: x.sum(), (draw(3),), (0,)),
    "sum 0": (lambda x: x.sum(0), (draw(3, 2, 4),), (0,)),
    "sum -1 kept": (lambda x: x.sum(-1, keepdim=True), (draw(3, 2, 4),), (0,)),
    "mean": (lambda x: x.mean(), (draw(3, 2, 4),), (0,)),
    "mean (0, 1)": (lambda x: x.mean((0, 1)), (draw(3, 2, 4),), (0,)),
    "@": (lambda x, y: x @ y, (draw(3, 2, 4), draw(3, 4, 5)), (0, 0)),
    "@ the same": (lambda x, y: x @ y, (draw(3, 2, 4), draw(4, 5)), (0, None)),
    "the same @": (lambda x, y: x @ y, (draw(2, 4), draw(3, 4, 5)), (None, 0)),
    "vector @ matrix": (lambda x, y: x @ y, (draw(3, 4), draw(4, 5)), (0, None)),
    "matrix @ vector": (lambda x, y: x @ y, (draw(3, 2, 4), draw(3, 4)), (0, 0)),
    "vector @ vector": (lambda x, y: x @ y, (draw(3, 4), draw(4)), (0, None)),
    "stack @ matrix": (lambda x, y: x @ y, (draw(3, 2, 2, 4), draw(3, 4, 2)), (0, 0)),
    "matrix @ stack": (lambda x, y: x @ y, (draw(3, 2, 4), draw(2, 4, 3)), (0, None)),
    "column @ row": (lambda x, y: x @ y, (draw(3, 2, 1), draw(3, 1, 4)), (0, 0)),
    "reshape": (lambda x: x.reshape(-1, 2), (draw(3, 2, 4),), (0,)),
    "permute": (lambda x: x.permute(2, 0, 1), (draw(3, 2, 4, 1),), (0,)),
    "transpose": (lambda x: x.transpose(0, 1) @ x, (draw(3, 2, 4),), (0,)),
    "T": (lambda x: x.T, (draw(3, 2, 4),), (0,)),
    "mT": (lambda x: x.mT @ x, (draw(3, 2, 4),), (0,)),
    "expand": (lambda x: x.expand(5, 2, -1), (draw(3, 1, 4),), (0,)),
    "where": (lambda x, y: dg.where(x > y, x, 2 * y), (draw(3, 4), draw(4)), (0, None)),
    "where number": (lambda x: dg.where(x > 1, x, 0.0), (draw(3, 4),), (0,)),
    "any and all": (
        lambda x: dg.where((x > 1).any(0, keepdim=True) & (x < 2).all(), x, -x),
        (draw(3, 4, 2),),
        (0,),
    ),
    "clone": (lambda x: x.clone() * 2, (draw(3, 4),), (0,)),
    "zeros": (lambda x: dg.zeros(4, dtype="float64") + x, (draw(3, 4),), (0,)),
    "ones_like": (lambda x: dg.ones_like(x) * x, (draw(3, 4),), (0,)),
    "iteration": (lambda x: sum(row * i for i, row in enumerate(x)), (draw(3, 4, 2),), (0,)),
    "x[i]": (lambda x, i: x[i], (draw(3, 4), whole(3, high=4)), (0, 0)),
    "x[i] of the same": (lambda x, i: x[i], (draw(4, 2), whole(3, 5, high=4)), (None, 0)),
    "x[-i]": (lambda x, i: x[-i], (draw(3, 4), whole(3, 2, high=4)), (0, 0)),
    "x[:, i]": (lambda x, i: x[:, i], (draw(3, 2, 4), whole(3, 5, high=4)), (0, 0)),
    "x[i, j]": (
        lambda x, i, j: x[i, j],
        (draw(3, 4, 4), whole(3, 5, high=4), whole(5, high=4)),
        (0, 0, None),
    ),
    "x[i, :, j]": (
        lambda x, i, j: x[i, :, j],
        (draw(3, 4, 2, 4), whole(3, 5, high=4), whole(3, 5, high=4)),
        (0, 0, 0),
    ),
    "x[1:, None, i]": (lambda x, i: x[1:, None, i], (draw(3, 3, 4), whole(3, 5, high=4)), (0, 0)),
    "x[..., i]": (lambda x, i: x[..., i], (draw(3, 3, 4), whole(3, 2, 2, high=4)), (0, 0)),
    "x[[0, 2], :, [1, 0]]": (lambda x: x[[0, 2], :, [1, 0]], (draw(3, 3, 2, 2),), (0,)),
    "x[0, :, [1, 0]]": (lambda x: x[0, :, [1, 0]], (draw(3, 3, 2, 2),), (0,)),
    "x[mask of all]": (lambda x: x[dg.tensor([True, False, True])], (draw(3, 3, 2),), (0,)),
    "x[i] = v": (
        lambda x, i, v: _with(x, i, v),
        (draw(3, 4), whole(3, 3, high=4), draw(3, 3)),
        (0, 0, 0),
    ),
    "x[0] = v": (lambda x, v: _with(x, 0, v), (draw(3, 4, 2), draw(2)), (0, None)),
    "x[0] = v of each": (lambda x, v: _with(x, 0, v), (draw(4, 2), draw(3, 2)), (None, 0)),
    "x[i] = 0": (lambda x, i: _with(x, i, 0.0), (draw(4, 2), whole(3, 2, high=4)), (None, 0)),
    "+= and views": (lambda x: _changed(x), (draw(3, 4),), (0,)),
    "a Function": (lambda x, y: Scaled.apply(x, y), (draw(3, 4), draw(3)), (0, 0)),
    "a Function of two outputs": (lambda x, y: _both(x, y), (draw(3, 4), draw(4)), (0, None)),
}


def _with(x, index, values):
    # A tensor that all samples share can't hold what each has of its own: begin with a mapped one.
    mapped = values if isinstance(values, dg.Tensor) else index
    y = x + 0 * mapped.sum()
    y[index] = values
    return y * x


def _changed(x):
    y = x * 1
    head = y[:2]
    head *= x[2]
    y += x
    return y * head.sum()


class Scaled(dg.Function):
    """``x * y``, whose backward is another function's: it must be the one that is used."""

    def forward(self, x, y):
        self.save_for_backward(x, y)
        return x * y

    def backward(self, grad):
        x, y = self.saved_tensors
        return 10 * grad * y, 10 * grad * x


class Both(dg.Function):
    def forward(self, x, y):
        self.save_for_backward(x, y)
        return x * y, x + y

    def backward(self, product, total):
        x, y = self.saved_tensors
        return product * y + total, product * x + total


def _both(x, y):
    product, total = Both.apply(x, y)
    return product * total


def pick(value, dim, number):
    return dg.tensor(value if dim is None else value[number])


def looped(function, args, dims):
    """The results for each sample in turn, stacked."""
    outs = [function(*[pick(a, d, i) for a, d in zip(args, dims, strict=True)])
            for i in range(SAMPLES)]  # fmt: skip
    several = isinstance(outs[0], tuple)
    columns = zip(*outs, strict=True) if several else [outs]
    return [np.stack([t.detach().numpy() for t in column]) for column in columns]


def assert_same(found, expected):
    found = found if isinstance(found, tuple) else (found,)
    for a, b in zip(found, expected, strict=True):
        a = a.detach().numpy()
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", TABLE)
class TestVmapIsALoop:
    def parts(self, name):
        function, args, dims = TABLE[name]
        floats = tuple(i for i, a in enumerate(args) if a.dtype.kind == "f")

        def number(*xs):
            out = function(*xs)
            return (out * out * out).sum() + out.sum()

        return function, args, dims, floats, number

    def test_for_values(self, name):
        function, args, dims, _, _ = self.parts(name)
        found = func.vmap(function, in_dims=dims)(*map(dg.tensor, args))
        assert_same(found, looped(function, args, dims))

    def test_for_gradients_of_each_sample(self, name):
        _, args, dims, floats, number = self.parts(name)
        gradient = func.grad(number, argnums=floats)
        found = func.vmap(gradient, in_dims=dims)(*map(dg.tensor, args))
        assert_same(found, looped(gradient, args, dims))

    def test_for_second_derivatives_of_each_sample(self, name):
        _, args, dims, floats, number = self.parts(name)

        def slope(*xs):
            return sum((g * g).sum() for g in func.grad(number, argnums=floats)(*xs))

        second = func.grad(slope, argnums=floats)
        found = func.vmap(second, in_dims=dims)(*map(dg.tensor, args))
        assert_same(found, looped(second, args, dims))

    @pytest.mark.parametrize("inner", ["value", "gradient"])
    def test_for_the_gradient_over_all_samples(self, name, inner):
        _, args, dims, floats, number = self.parts(name)

        def one(*xs):
            if inner == "value":
                return number(*xs)
            return sum((g * g).sum() for g in func.grad(number, argnums=floats)(*xs))

        def at_once(*xs):
            return func.vmap(one, in_dims=dims)(*xs).sum()

        def in_turn(*xs):
            return sum(
                one(*[x if d is None else x[i] for x, d in zip(xs, dims, strict=True)])
                for i in range(SAMPLES)
            )

        tensors = [*map(dg.tensor, args)]
        found = func.grad(at_once, argnums=floats)(*tensors)
        expected = func.grad(in_turn, argnums=floats)(*tensors)
        assert_same(found, [t.numpy() for t in expected])


@settings(max_examples=25, deadline=None)
@given(data=st.data(), shape=hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4))
def test_any_index_of_each_sample_is_that_of_a_loop(data, shape):
    x = RNG.random((SAMPLES, *shape))
    key = data.draw(
        st.one_of(
            hnp.basic_indices(shape, allow_newaxis=True),
            hnp.integer_array_indices(shape, result_shape=hnp.array_shapes(max_dims=2, max_side=3)),
        )
    )
    picked = func.vmap(lambda x: x[key])(x64(x))
    np.testing.assert_array_equal(picked.numpy(), np.stack([a[key] for a in x]))
    # Added back where it came from, as the gradient does, for all samples and for each.
    found = func.vmap(func.grad(lambda x: (x[key] * x[key]).sum()))(x64(x))
    expected = [func.grad(lambda x: (x[key] * x[key]).sum())(x64(a)).numpy() for a in x]
    np.testing.assert_allclose(found.numpy(), np.stack(expected))


@settings(max_examples=25, deadline=None)
@given(
    data=st.data(),
    shape=hnp.array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=4),
    own=st.booleans(),
)
def test_an_index_of_its_own_is_that_of_a_loop(data, shape, own):
    """Arrays of integers, some of each sample's own, among slices and None."""
    result = data.draw(hnp.array_shapes(max_dims=2, max_side=3))
    parts = []
    for n in shape:
        kind = data.draw(st.sampled_from(["own", "all", "slice", "integer"]))
        parts.append({
            "own": RNG.integers(-n, n, (SAMPLES, *result)),
            "all": RNG.integers(-n, n, result),
            "slice": slice(data.draw(st.integers(0, n - 1)), None),
            "integer": n - 1,
        }[kind])  # fmt: skip
    if not any(isinstance(p, np.ndarray) and p.shape == (SAMPLES, *result) for p in parts):
        parts[0] = RNG.integers(0, shape[0], (SAMPLES, *result))
    arrays = [p for p in parts if isinstance(p, np.ndarray)]
    dims = tuple(0 if p.shape == (SAMPLES, *result) else None for p in arrays)
    x = RNG.random((SAMPLES, *shape) if own else shape)

    def picked(x, *given):
        given = iter(given)
        return x[tuple(next(given) if isinstance(p, np.ndarray) else p for p in parts)]

    in_dims = (0 if own else None, *dims)
    args = (x, *arrays)
    found = func.vmap(picked, in_dims=in_dims)(*map(dg.tensor, args))
    assert_same(found, looped(picked, args, in_dims))
    slope = func.grad(lambda x, *given: (picked(x, *given) ** 2).sum())
    found = func.vmap(slope, in_dims=in_dims)(*map(dg.tensor, args))
    assert_same(found, looped(slope, args, in_dims))


# Where the samples are.


@pytest.mark.parametrize(("in_dim", "out_dim"), [*itertools.product(range(-3, 3), range(-3, 3))])
def test_samples_may_stand_anywhere_in_arguments_and_results(in_dim, out_dim):
    x = RNG.random((2, 3, 4))
    found = func.vmap(lambda x: x * x.sum(), in_dim, out_dim)(x64(x))
    each = np.moveaxis(x, in_dim, 0)
    expected = np.moveaxis(each * each.sum((1, 2), keepdims=True), 0, out_dim)
    np.testing.assert_allclose(found.numpy(), expected)


def test_dims_may_be_nested_as_the_arguments_are():
    p = {"w": x64(RNG.random((2, 3))), "b": x64(RNG.random(3))}
    x = x64(RNG.random((4, 3)))

    def f(p, pair):
        x, factor = pair
        return {"y": [p["w"] @ x + p["b"].sum(), factor * x], "same": factor}

    found = func.vmap(
        f, in_dims=({"w": None, "b": None}, (0, None)), out_dims={"y": [1, -1], "same": None}
    )(p, (x, x64(2.0)))
    expected = (x.numpy() @ p["w"].numpy().T + p["b"].numpy().sum()).T
    np.testing.assert_allclose(found["y"][0].numpy(), expected)
    np.testing.assert_allclose(found["y"][1].numpy(), 2 * x.numpy().T)
    assert found["same"].item() == 2.0


def test_one_number_stands_for_all_leaves():
    p = {"a": x64([1.0, 2.0]), "b": [x64([[1.0], [2.0]])]}
    found = func.vmap(lambda p, c: p["a"] * p["b"][0].sum() * c, in_dims=(0, None))(p, x64(3.0))
    assert found.tolist() == [3.0, 12.0]


def test_vmaps_nest():
    x, y = RNG.random((2, 3)), RNG.random((4, 3))
    product = func.vmap(func.vmap(lambda a, b: a @ b, (None, 0)), (0, None))(x64(x), x64(y))
    np.testing.assert_allclose(product.numpy(), x @ y.T)
    square = func.vmap(func.vmap(func.vmap(lambda x: x * x)), in_dims=2, out_dims=1)
    z = RNG.random((2, 3, 4))
    np.testing.assert_allclose(square(x64(z)).numpy(), np.moveaxis(z**2, 2, 1))


def test_vmaps_nest_over_and_under_grad():
    x, w = x64(RNG.random((2, 3, 4))), x64(RNG.random(4))

    def loss(w, x):
        return ((w * x).sum() - 1) ** 3

    def expected(i, j):
        return func.grad(loss)(w, x[i, j]).numpy()

    each = func.vmap(func.vmap(func.grad(loss), (None, 0)), (None, 0))(w, x)
    np.testing.assert_allclose(each.numpy(), [[expected(i, j) for j in range(3)] for i in range(2)])
    between = func.vmap(
        func.grad(lambda w, rows: func.vmap(loss, (None, 0))(w, rows).sum()), (None, 0)
    )(w, x)
    np.testing.assert_allclose(between.numpy(), each.numpy().sum(1))
    over = func.grad(lambda w: func.vmap(func.vmap(loss, (None, 0)), (None, 0))(w, x).sum())(w)
    np.testing.assert_allclose(over.numpy(), each.numpy().sum((0, 1)))
    curvature = func.grad(
        lambda w: (func.vmap(func.vmap(func.grad(loss), (None, 0)), (None, 0))(w, x) ** 2).sum()
    )(w)
    in_turn = func.grad(
        lambda w: sum((func.grad(loss)(w, x[i, j]) ** 2).sum() for i in range(2) for j in range(3))
    )(w)
    np.testing.assert_allclose(curvature.numpy(), in_turn.numpy())


def test_an_index_of_an_outer_vmap_is_used_within_an_inner_one():
    x, i = RNG.random((2, 3, 4)), RNG.integers(0, 4, (2, 2))

    def outer(x, i):
        return func.vmap(lambda row: (row[i] * row[i]).sum())(x)

    found = func.vmap(func.grad(lambda x, i: outer(x, i).sum()))(x64(x), dg.tensor(i))
    expected = [
        func.grad(lambda x, k=k: sum((row[k] ** 2).sum() for row in x))(x64(a)).numpy()
        for a, k in zip(x, i, strict=True)
    ]
    np.testing.assert_allclose(found.numpy(), expected)


def test_hessians_and_jacobians_are_mapped():
    x = x64(RNG.random((3, 2)))

    def f(x):
        return (x**3).sum() * x[0]

    for transform in (func.hessian, lambda f: func.jacfwd(func.grad(f))):
        found = func.vmap(transform(f))(x)
        expected = [transform(f)(row).numpy() for row in x]
        np.testing.assert_allclose(found.numpy(), expected, atol=1e-12)
    found = func.vmap(lambda x, v: func.jvp(lambda x: x**3, (x,), (v,))[1])(x, x)
    np.testing.assert_allclose(found.numpy(), 3 * x.numpy() ** 3)
    found = func.vmap(lambda x, v: func.hvp(f, x, v)[1])(x, x)
    expected = [func.hvp(f, row, row)[1].numpy() for row in x]
    np.testing.assert_allclose(found.numpy(), expected)


def test_backward_reaches_what_a_mapped_function_uses():
    w = x64([1.0, 2.0]).requires_grad_()
    x = x64([[1.0, 2.0], [3.0, 4.0]]).requires_grad_()
    func.vmap(lambda x: ((w * x).sum()) ** 2)(x).sum().backward()
    np.testing.assert_allclose(w.grad.numpy(), 2 * (5 * np.array([1, 2]) + 11 * np.array([3, 4])))
    np.testing.assert_allclose(x.grad.numpy(), 2 * np.outer([5, 11], [1, 2]))


def test_what_is_cut_inside_is_cut_outside_too():
    x = x64([[1.0, 2.0], [3.0, 4.0]])

    def slope(f):
        return func.grad(lambda x: func.vmap(f)(x).sum())(x).tolist()

    def in_no_grad(x):
        with dg.no_grad():
            constant = x * x
        return (constant * x).sum()

    def of_a_gradient_in_no_grad(x):
        with dg.no_grad():
            value, gradient = func.value_and_grad(lambda y: (y**3).sum())(x)
        return (value * x + gradient * x).sum()

    assert slope(lambda x: (x.detach() * x).sum()) == [[1.0, 2.0], [3.0, 4.0]]
    assert slope(lambda x: (dg.Tensor(x) * x).sum()) == [[1.0, 2.0], [3.0, 4.0]]
    assert slope(in_no_grad) == [[1.0, 4.0], [9.0, 16.0]]
    assert slope(of_a_gradient_in_no_grad) == [[12.0, 21.0], [118.0, 139.0]]


def test_transforms_within_vmap_differentiate_what_is_the_same_for_all_samples():
    w, x = x64([2.0, 3.0]), x64([[1.0, 2.0], [3.0, 4.0]])
    square = lambda w: w**2  # noqa: E731
    for within in (
        lambda x: func.grad(lambda w: square(w).sum())(w) * x,
        lambda x: func.vjp(square, w)[1](x)[0],
        lambda x: func.jvp(square, (w,), (x,))[1],
        lambda x: func.jacrev(square)(w) @ x,
        lambda x: func.jacfwd(square)(w) @ x,
        lambda x: func.hvp(lambda w: (w**3).sum() / 3, w, x)[1],
    ):
        assert func.vmap(within)(x).tolist() == [[4.0, 12.0], [12.0, 24.0]]


def test_backward_and_autograd_grad_work_within_a_mapped_function():
    def slope(x):
        x = x.detach().requires_grad_()
        (x * x * x).sum().backward()
        (again,) = dg.autograd.grad((x * x).sum(), x)
        return x.grad + again

    x = RNG.random((3, 2))
    np.testing.assert_allclose(func.vmap(slope)(x64(x)).numpy(), 3 * x**2 + 2 * x)


def test_no_sample_at_all_gives_no_result():
    found = func.vmap(lambda x: (x * 2).sum(0))(x64(np.zeros((0, 3, 2))))
    assert found.shape == (0, 2)
    assert func.vmap(func.grad(lambda x: (x * x).sum()))(x64(np.zeros((0, 3)))).shape == (0, 3)


def test_what_is_the_same_for_all_samples_is_repeated_or_given_as_it_is():
    assert func.vmap(lambda x: dg.ones(2))(x64([1.0, 2.0])).tolist() == [[1.0, 1.0]] * 2
    assert func.vmap(lambda x: dg.ones(2), out_dims=None)(x64([1.0, 2.0])).tolist() == [1.0, 1.0]
    assert func.vmap(lambda x: "text", out_dims=None)(x64([1.0])) == "text"


def test_keyword_arguments_are_the_same_for_all_samples():
    found = func.vmap(lambda x, *, k: x * k.sum())(x64([1.0, 2.0]), k=x64([1.0, 2.0]))
    assert found.tolist() == [3.0, 6.0]


def test_a_mapped_tensor_shows_what_it_is():
    shown = []
    func.vmap(lambda x: shown.append(repr(x)) or x)(x64([[1.0, 2.0]]))
    assert shown == ["tensor(shape=(2,), dtype=float64, mapped over 1 samples)"]


def test_what_has_no_batching_runs_sample_by_sample():
    class Square(dg.Function):
        """By a function of NumPy's that takes one matrix at a time."""

        def forward(self, x):
            self.save_for_backward(x)
            return self.xp.linalg.multi_dot([x, x])

        def backward(self, grad):
            (x,) = self.saved_tensors
            return self.xp.linalg.multi_dot([grad, x.mT]) + self.xp.linalg.multi_dot([x.mT, grad])

    x = RNG.random((3, 2, 2))
    found = func.vmap(Square.apply)(x64(x))
    np.testing.assert_allclose(found.numpy(), x @ x)
    found = func.vmap(func.grad(lambda x: (Square.apply(x) ** 2).sum()))(x64(x))
    expected = [func.grad(lambda x: (Square.apply(x) ** 2).sum())(x64(a)).numpy() for a in x]
    np.testing.assert_allclose(found.numpy(), expected)
    assert message(lambda: func.vmap(Square.apply)(x64(np.zeros((0, 2, 2))))) == (
        "vmap: a function that runs sample by sample has no sample to run on."
    )


# Random numbers.


def test_random_numbers_are_drawn_for_each_sample_or_once_for_all():
    x = dg.zeros(3)
    drawings = {
        "rand": lambda x: dg.rand(4),
        "randn": lambda x: dg.randn(4),
        "randint": lambda x: dg.randint(0, 10**9, (4,)),
        "randperm": lambda x: dg.randperm(20),
        "rand_like": lambda x: dg.rand_like(x),
        "randn_like": lambda x: dg.randn_like(x),
    }
    for name, drawing in drawings.items():
        each = func.vmap(drawing, randomness="different")(x).numpy()
        assert len({row.tobytes() for row in each}) == 3, name
        same = func.vmap(drawing, randomness="same")(x).numpy()
        assert len({row.tobytes() for row in same}) == 1, name
    assert sorted(func.vmap(drawings["randperm"], randomness="different")(x).numpy()[1]) == [
        *range(20)
    ]


def test_nested_vmaps_draw_as_each_says():
    x = dg.zeros(2, 3)

    def drawn(outer, inner):
        one = func.vmap(lambda x: dg.rand(()) + x, randomness=inner)
        return func.vmap(one, randomness=outer)(x).numpy()

    assert len(set(drawn("different", "different").flat)) == 6
    assert len(set(drawn("same", "same").flat)) == 1
    rows = drawn("different", "same")
    assert len(set(rows.flat)) == 2
    assert (rows == rows[:, :1]).all()
    columns = drawn("same", "different")
    assert len(set(columns.flat)) == 3
    assert (columns == columns[:1]).all()


# What is refused.

FACTS = "  tensor: shape (3,), dtype float64, one for each of 2"
NUMBER = "  tensor: shape (), dtype {}, one for each of 2"
VALUES = """vmap: the values of a mapped tensor are asked for, and each sample has its own.
{}
x.item(), x.numpy(), bool(x) and `if x:` work outside of vmap only; dg.where(condition, a, b) \
chooses within."""
ASKING = {
    "item": (lambda x: x[0].item(), "float64"),
    "if": (lambda x: x if x[0] > 0 else -x, "bool"),
    "bool of all": (lambda x: x * bool((x > 0).all()), "bool"),
    "float": (lambda x: x * float(x.sum()), "float64"),
    "slice": (lambda x: x[: x[0].long()], "int64"),
    "range": (lambda x: range(x[0].long()), "int64"),
    "length": (lambda x: dg.zeros(x[0].long()), "int64"),
    "tensor of a list": (lambda x: dg.tensor([x[0], x[1]]), "float64"),
    "tolist": (lambda x: x.tolist(), None),
    "numpy": (lambda x: x.numpy(), None),
    "asarray": (lambda x: np.asarray(x), None),
    "allclose": (lambda x: dg.allclose(x, x), None),
}


@pytest.mark.parametrize("case", ASKING)
def test_values_that_differ_between_samples_are_not_given_away(case):
    function, dtype = ASKING[case]
    x = x64([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    facts = FACTS if dtype is None else NUMBER.format(dtype)
    assert message(lambda: func.vmap(function)(x)) == VALUES.format(facts)


def test_a_tensor_that_is_kept_for_later_says_so():
    kept = []
    func.vmap(lambda x: kept.append(x) or x)(x64([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    assert message(lambda: kept[0].numpy()) == (
        "vmap: a tensor of a mapped function is used after that function is done.\n"
        f"{FACTS}\n"
        "Return it: what is kept in a variable from outside stays as it is within."
    )


def pair(*shapes):
    return [x64(np.ones(shape)) for shape in shapes]


REFUSED = {
    "a mask": (
        lambda: func.vmap(lambda x: x[x > 0])(*pair((2, 3))),
        """vmap: x[mask] would have another number of elements for each sample.
  mask: shape (3,), one for each of 2
dg.where(mask, x, 0) keeps the shape.""",
    ),
    "random numbers": (
        lambda: func.vmap(lambda x: dg.rand(3) * x)(*pair((2, 3))),
        """vmap: random numbers are drawn, and it is not said whether for each sample.
  drawn: shape (3,), within a vmap over 2 samples
vmap(..., randomness="different") draws for each, "same" once for all; or draw them outside, and \
give them as an argument.""",
    ),
    "+= to what is the same": (
        lambda: func.vmap(lambda x: dg.zeros(3, dtype="float64").add_(x))(*pair((2, 3))),
        """add_: a tensor that all samples share cannot hold what each has of its own.
  x: shape (3,), the same for all
  new values: shape (3,), one for each of 2
Make a new tensor (x = x + y), or start from a mapped one, such as dg.zeros_like(y).""",
    ),
    "a write to an input": (
        lambda: func.vmap(lambda x: Doubled.apply(x * 1))(*pair((2, 3))),
        """vmap: Doubled.forward writes to an input, which cannot be done for all samples.
A Function that gives a new array can be mapped.""",
    ),
    "a number": (
        lambda: func.vmap(lambda x, y: x * y)(*pair((2, 3)), 2.0),
        """vmap: argument 1 is of type float, and cannot be mapped over.
  in_dims: 0 for it
in_dims=(..., None) gives it to all samples; dg.tensor(...) makes a Tensor.""",
    ),
    "no such dimension": (
        lambda: func.vmap(lambda x: x, in_dims=2)(*pair((2, 3))),
        """vmap: argument 0 has no dimension 2.
  argument 0: shape (2, 3)
in_dims=(..., None) gives an argument to all samples as it is.""",
    ),
    "samples of different number": (
        lambda: func.vmap(lambda x, y: x, in_dims=(0, 1))(*pair((2, 3), (2, 3))),
        """vmap: the arguments hold different numbers of samples.
  argument 0: shape (2, 3)   2 along dimension 0
  argument 1: shape (2, 3)   3 along dimension 1""",
    ),
    "nothing to map over": (
        lambda: func.vmap(lambda x: x, in_dims=(None,))(*pair((2, 3))),
        """vmap: there is nothing to map over.
  in_dims: (None,)
  positional arguments: 1
At least one argument needs a dimension of samples.""",
    ),
    "in_dims of another form": (
        lambda: func.vmap(lambda x, y: x, in_dims=(0, 0, 0))(*pair((2, 3), (2, 3))),
        """vmap: in_dims is not built like the arguments.
  in_dims: (0, 0, 0)
  (0, 0, 0) stands for a tuple of 2
A tuple with a number or None for each positional argument.""",
    ),
    "in_dims of other names": (
        lambda: func.vmap(lambda p: p["a"], in_dims=({"b": 0},))({"a": x64([1.0])}),
        """vmap: in_dims is not built like the arguments.
  in_dims: ({'b': 0},)
  {'b': 0} stands for a dict of 'a'
A tuple with a number or None for each positional argument.""",
    ),
    "in_dims of another kind": (
        lambda: func.vmap(lambda x: x, in_dims="all")(*pair((2, 3))),
        """vmap: in_dims is 'all', not a number or a tuple.
in_dims=(0, None) maps over the first argument alone.""",
    ),
    "out_dims of another form": (
        lambda: func.vmap(lambda x: x, out_dims=(0, 1))(*pair((2, 3))),
        """vmap: out_dims is not built like the results.
  out_dims: (0, 1)
  (0, 1) stands for one tensor
A number for all results, or a structure like theirs.""",
    ),
    "no such dimension of a result": (
        lambda: func.vmap(lambda x: x, out_dims=2)(*pair((2, 3))),
        """vmap: out_dims is 2 for a result of 1 dimensions.
  result: shape (3,) for each sample, so from -2 to 1""",
    ),
    "None for a mapped result": (
        lambda: func.vmap(lambda x: x, out_dims=None)(*pair((2, 3))),
        """vmap: out_dims is None for a result that each sample has of its own.
  result: shape (3,) for each of 2 samples
out_dims=0 stacks them.""",
    ),
    "a result that is no tensor": (
        lambda: func.vmap(lambda x: 1.0)(*pair((2, 3))),
        """vmap: the function returns float, not a Tensor.
out_dims=None gives what is the same for all samples as it is.""",
    ),
    "another randomness": (
        lambda: func.vmap(lambda x: x, randomness="some"),
        """vmap: randomness is 'some'.
Use "error", "different" or "same".""",
    ),
    "shapes of one sample": (
        lambda: func.vmap(lambda x, y: x + y)(*pair((2, 3), (2, 2))),
        """add: the shapes do not broadcast.
  x: shape (3,)   dimension -1 has length 3
  y: shape (2,)   dimension -1 has length 2
Lengths must be equal, or one of them 1, counted from the last dimension.""",
    ),
    "an index outside": (
        lambda: func.vmap(lambda x, i: x[i])(*pair((2, 3)), dg.tensor([0, 3])),
        """index: the index does not fit the tensor.
  x: shape (3,)
  NumPy says: index 3 is out of bounds for axis 1 with size 3""",
    ),
}


class Doubled(dg.Function):
    def forward(self, x):
        x *= 2
        self.mark_dirty(x)
        return x

    def backward(self, grad):
        return 2 * grad


@pytest.mark.parametrize("case", REFUSED)
def test_is_refused_in_words(case):
    call, expected = REFUSED[case]
    assert message(call) == expected


# They make NumPy's arrays, or change views, which those of the library are not.
ON_NUMPY_ONLY = {"array *", "zeros", "x[mask of all]", "+= and views"}


@pytest.mark.parametrize("name", [name for name in TABLE if name not in ON_NUMPY_ONLY])
def test_vmap_works_on_another_librarys_arrays(name):
    strict = pytest.importorskip("array_api_strict", reason="declared in hatch.toml")
    function, args, dims = TABLE[name]
    floats = tuple(i for i, a in enumerate(args) if a.dtype.kind == "f")

    def number(*xs):
        return (function(*xs) ** 2).sum()

    each = func.vmap(func.grad(number, argnums=floats), in_dims=dims)
    over = func.grad(lambda *xs: func.vmap(number, in_dims=dims)(*xs).sum(), argnums=floats)
    for transform in (each, over):
        expected = transform(*map(dg.tensor, args))
        found = transform(*[dg.Tensor(strict.asarray(a)) for a in args])
        for a, b in zip(found, expected, strict=True):
            assert type(a.data).__module__.startswith("array_api_strict")
            np.testing.assert_allclose(np.asarray(a.data), b.numpy())


class Masked(dg.Function):
    """Its mask is a setting, which each sample may have of its own."""

    def forward(self, x, *, mask):
        self.mask = mask
        return x * mask

    def backward(self, grad):
        return grad * self.mask


class MaskedAndNot(dg.Function):
    def forward(self, x, *, mask):
        self.mask = mask
        return x * mask, x * 2

    def backward(self, masked, twice):
        return masked * self.mask + 2 * twice


def test_a_setting_of_each_sample_makes_the_result_one_of_each_sample():
    x, masks = x64([1.0, 2.0]), dg.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]).double()
    operators = [
        lambda x, mask: (Masked.apply(x, mask=mask.data) ** 2).sum(),
        lambda x, mask: (MaskedAndNot.apply(x, mask=mask.data)[0] ** 2).sum(),
    ]
    for f in operators:
        assert func.vmap(f, (None, 0))(x, masks).tolist() == [1.0, 4.0, 5.0]
        each = func.vmap(func.grad(f), (None, 0))(x, masks)
        assert each.tolist() == [[2.0, 0.0], [0.0, 4.0], [2.0, 4.0]]
        over = func.grad(lambda x, f=f: func.vmap(f, (None, 0))(x, masks).sum())(x)
        assert over.tolist() == [4.0, 8.0]
