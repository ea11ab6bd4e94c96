"""Products with Jacobians and Hessians, and whole ones: against differences and one another."""

import numpy as np
import pytest

import demograd as dg
from demograd import func
from demograd.errors import DemogradError


def x64(values, requires_grad=False):
    return dg.tensor(np.asarray(values, dtype="float64"), requires_grad=requires_grad)


def draw(*shape, seed=0):
    return x64(np.random.default_rng(seed).standard_normal(shape))


def message(call):
    with pytest.raises(DemogradError) as caught:
        call()
    return str(caught.value)


def by_differences(function, x, eps=1e-6):
    """The Jacobian of a function of one tensor, by central differences."""
    base = np.array(x.numpy())
    columns = []
    for place in np.ndindex(base.shape):
        step = np.zeros_like(base)
        step[place] = eps
        up, down = function(x64(base + step)).numpy(), function(x64(base - step)).numpy()
        columns.append((up - down) / (2 * eps))
    jacobian = np.array(columns).reshape((*base.shape, *columns[0].shape))
    return np.moveaxis(jacobian, range(base.ndim), range(-base.ndim, 0))


def changed(x):
    y = x * 1
    y[0] = x[1] * x[2]
    y *= x
    return y


FUNCTIONS = {
    # name: (function, shape of the argument)
    "number of number": (lambda x: x**3, ()),
    "number": (lambda x: (x**3).sum(), (3,)),
    "elements": (lambda x: x**3 + x, (3,)),
    "matrix product": (lambda x: x @ x.T, (2, 3)),
    "mean": (lambda x: (x * x.mean(0)).mean(1), (2, 3)),
    "index": (lambda x: x[[0, 0, 2]] * x, (3,)),
    "quotient": (lambda x: x / (1 + (x * x).sum()), (3,)),
    "in place": (changed, (3,)),
    "one element": (lambda x: x.reshape(1) * 2, (1, 1)),
    "where": (lambda x: dg.where(x > 0, x * x, -x), (4,)),
    "no element": (lambda x: x * 2, (0,)),
    "log": (lambda x: (x * x + 1).sum(0) ** x.sum(), (2, 2)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_jacobians_by_rows_by_columns_and_by_differences_agree(name):
    function, shape = FUNCTIONS[name]
    x = draw(*shape)
    rows, columns = func.jacrev(function)(x), func.jacfwd(function)(x)
    assert rows.shape == columns.shape == function(x).shape + x.shape
    np.testing.assert_allclose(rows.numpy(), columns.numpy(), atol=1e-12)
    if x.numel():
        np.testing.assert_allclose(rows.numpy(), by_differences(function, x), atol=1e-7)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_products_are_products_with_the_jacobian(name):
    function, shape = FUNCTIONS[name]
    x, v = draw(*shape), draw(*shape, seed=1)
    rows = function(x).numel()
    jacobian = func.jacrev(function)(x).numpy().reshape(rows, x.numel())
    value, derivative = func.jvp(function, (x,), (v,))
    np.testing.assert_array_equal(value.numpy(), function(x).numpy())
    expected = (jacobian @ v.numpy().reshape(-1)).reshape(value.shape)
    np.testing.assert_allclose(derivative.numpy(), expected, atol=1e-12)
    u = draw(*value.shape, seed=2)
    value, vjp_fn = func.vjp(function, x)
    (gradient,) = vjp_fn(u)
    expected = (u.numpy().reshape(-1) @ jacobian).reshape(x.shape)
    np.testing.assert_allclose(gradient.numpy(), expected, atol=1e-12)
    (again,) = vjp_fn(2 * u)
    np.testing.assert_allclose(again.numpy(), 2 * expected, atol=1e-12)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_hessians_are_jacobians_of_gradients_in_every_order(name):
    function, shape = FUNCTIONS[name]

    def number(x):
        return (function(x) ** 2).sum()

    x, v = draw(*shape), draw(*shape, seed=1)
    hessian = func.hessian(number)(x)
    assert hessian.shape == x.shape * 2
    for outer in (func.jacrev, func.jacfwd):
        for inner in (func.jacrev, func.jacfwd, func.grad):
            found = outer(inner(number))(x)
            np.testing.assert_allclose(found.numpy(), hessian.numpy(), atol=1e-10)
    if x.numel():
        expected = by_differences(func.grad(number), x)
        np.testing.assert_allclose(hessian.numpy(), expected, rtol=1e-5, atol=1e-6)
    value, product = func.hvp(number, x, v)
    np.testing.assert_allclose(value.numpy(), number(x).numpy())
    flat = hessian.numpy().reshape(x.numel(), x.numel())
    expected = (flat @ v.numpy().reshape(-1)).reshape(x.shape)
    np.testing.assert_allclose(product.numpy(), expected, atol=1e-10)
    # The same by forward over reverse, and by reverse over forward.
    over = func.jvp(func.grad(number), (x,), (v,))[1]
    under = func.grad(lambda x: func.jvp(number, (x,), (v,))[1])(x)
    np.testing.assert_allclose(over.numpy(), expected, atol=1e-10)
    np.testing.assert_allclose(under.numpy(), expected, atol=1e-10)


def test_jacobians_are_built_like_results_and_arguments():
    def f(p, y):
        return {"sum": p["a"].sum() * y, "each": [p["a"] * p["b"]]}

    p, y = {"a": draw(2), "b": draw(2, seed=1)}, x64(2.0)
    for transform in (func.jacrev, func.jacfwd):
        found = transform(f, argnums=(0, 1))(p, y)
        by_p, by_y = found["sum"]
        np.testing.assert_allclose(by_p["a"].numpy(), [2.0, 2.0])
        np.testing.assert_allclose(by_p["b"].numpy(), [0.0, 0.0])
        np.testing.assert_allclose(by_y.numpy(), p["a"].numpy().sum())
        by_p, by_y = found["each"][0]
        np.testing.assert_allclose(by_p["a"].numpy(), np.diag(p["b"].numpy()))
        np.testing.assert_allclose(by_y.numpy(), [0.0, 0.0])
        alone = transform(lambda p: f(p, y)["sum"])(p)
        np.testing.assert_allclose(alone["a"].numpy(), [2.0, 2.0])


def test_a_hessian_over_nested_arguments_has_a_block_for_each_pair():
    def f(p):
        return (p["a"] ** 2).sum() * p["b"]

    p = {"a": x64([1.0, 2.0]), "b": x64(3.0)}
    blocks = func.hessian(f)(p)
    np.testing.assert_allclose(blocks["a"]["a"].numpy(), 6 * np.eye(2))
    np.testing.assert_allclose(blocks["a"]["b"].numpy(), [2.0, 4.0])
    np.testing.assert_allclose(blocks["b"]["a"].numpy(), [2.0, 4.0])
    assert blocks["b"]["b"].item() == 0.0


def test_other_things_come_back_with_a_jacobian():
    for transform in (func.jacrev, func.jacfwd):
        jacobian, aux = transform(lambda x: (x * 2, {"x": x, "n": 1}), has_aux=True)(draw(2))
        np.testing.assert_allclose(jacobian.numpy(), 2 * np.eye(2))
        assert aux["n"] == 1
        assert not aux["x"].requires_grad
    value, derivative, aux = func.jvp(
        lambda x: (x * 2, "aux"), (draw(2),), (draw(2, seed=1),), has_aux=True
    )
    assert aux == "aux"
    assert derivative.shape == value.shape
    assert func.vjp(lambda x: (x * 2, "aux"), draw(2), has_aux=True)[2] == "aux"


def test_the_same_tensor_may_be_several_results():
    x = draw(2)
    first, second = func.jacrev(lambda x: ((y := x * 2), y))(x)
    np.testing.assert_allclose(first.numpy(), 2 * np.eye(2))
    np.testing.assert_allclose(second.numpy(), 2 * np.eye(2))
    _, vjp_fn = func.vjp(lambda x: ((y := x * 2), y), x)
    (gradient,) = vjp_fn((x64([1.0, 0.0]), x64([0.0, 10.0])))
    assert gradient.tolist() == [2.0, 20.0]


def test_what_does_not_depend_on_the_argument_has_a_jacobian_of_zeros():
    x = draw(2)
    for transform in (func.jacrev, func.jacfwd):
        found = transform(lambda x: (x.sum(), x64([1.0, 2.0, 3.0])))(x)
        assert found[1].tolist() == [[0.0, 0.0]] * 3
    assert func.jvp(lambda x: x64([5.0]), (x,), (x,))[1].tolist() == [0.0]
    assert func.vjp(lambda x: x64([5.0]), x)[1](x64([1.0]))[0].tolist() == [0.0, 0.0]
    _value, product = func.hvp(lambda x: x.sum(), x, x)
    assert product.tolist() == [0.0, 0.0]


def test_a_vjp_is_mapped_over_many_vectors():
    x = draw(3)
    _, vjp_fn = func.vjp(lambda x: x * x.sum(), x)
    (jacobian,) = func.vmap(vjp_fn)(x64(np.eye(3)))
    np.testing.assert_allclose(jacobian.numpy(), func.jacrev(lambda x: x * x.sum())(x).numpy())


def test_products_are_part_of_the_graph_of_what_they_are_computed_from():
    w, x, v = x64(2.0, True), x64(3.0), x64(5.0, True)
    _, derivative = func.jvp(lambda x: w * x**2, (x,), (v,))  # 2 w x v
    derivative.backward()
    assert (w.grad.item(), v.grad.item()) == (30.0, 12.0)
    w.grad = v.grad = None
    (gradient,) = func.vjp(lambda x: w * x**2, x)[1](v)
    gradient.backward()
    assert (w.grad.item(), v.grad.item()) == (30.0, 12.0)
    w.grad = v.grad = None
    func.hvp(lambda x: w * x**3, x, v)[1].backward()  # 6 w x v
    assert (w.grad.item(), v.grad.item()) == (90.0, 36.0)
    w.grad = None
    func.jacrev(lambda x: w * x**2)(x64([3.0, 4.0])).sum().backward()
    assert w.grad.item() == 14.0
    w.grad = None
    func.hessian(lambda x: (w * x**3).sum())(x64([3.0, 4.0])).sum().backward()
    assert w.grad.item() == 42.0


def test_products_of_plain_numbers_have_no_history():
    x = draw(2)
    found = [
        *func.jvp(lambda x: x * x, (x,), (x,)),
        *func.vjp(lambda x: x * x, x)[1](x),
        func.vjp(lambda x: x * x, x)[0],
        func.jacrev(lambda x: x * x)(x),
        func.jacfwd(lambda x: x * x)(x),
        *func.hvp(lambda x: (x * x).sum(), x, x),
    ]
    assert not any(t.requires_grad for t in found)


REFUSED = {
    "a vector of another shape": (
        lambda: func.vjp(lambda x: x * 2, draw(2))[1](draw(3)),
        """vjp: a vector has another shape than its result.
  result 0: shape (2,)
  vector 0: shape (3,)""",
    ),
    "too few vectors": (
        lambda: func.vjp(lambda x: (x, x), draw(2))[1](draw(2)),
        """vjp: there are 1 vectors for 2 results.
Give a vector for each result, nested alike.""",
    ),
    "primals that are no tuple": (
        lambda: func.jvp(lambda x: x, draw(2), (draw(2),)),
        """jvp: primals are given as a tuple, not as Tensor.
jvp(func, (x,), (v,))""",
    ),
    "a tangent of another shape": (
        lambda: func.jvp(lambda x: x, (draw(2),), (draw(3),)),
        """jvp: a tangent has another shape than its primal.
  primal 0: shape (2,)
  tangent 0: shape (3,)""",
    ),
    "a tangent of integers": (
        lambda: func.jvp(lambda x: x, (draw(2),), (dg.tensor([1, 2]),)),
        """jvp: a tangent is of floats.
  tangent 0: dtype int64
x.float() makes floats of it.""",
    ),
    "a number for a tangent": (
        lambda: func.hvp(lambda x: x.sum(), draw(2), 1.0),
        "hvp: tangent 0 is of type float, not a Tensor.",
    ),
    "a Hessian of several numbers": (
        lambda: func.hvp(lambda x: x, draw(2), draw(2)),
        """hvp: the function returns a tensor with dimensions, and not one number.
  tensor of shape (2,), dtype float64
result.sum() has; dg.func.vjp and dg.func.jacrev differentiate tensors.""",
    ),
    "a result that is no tensor": (
        lambda: func.jacrev(lambda x: [x, 1.0])(draw(2)),
        """jacrev: the function returns float, not a Tensor.
With has_aux=True, (result, aux) gives back other things as they are.""",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_is_refused_in_words(case):
    call, expected = REFUSED[case]
    assert message(call) == expected


def test_transforms_that_are_done_leave_no_history_in_what_is_made_of_their_results():
    c, x = draw(2), draw(2, seed=1)
    inner = {
        "grad": lambda x: func.grad(lambda v: (v * v * x).sum())(c),
        "vjp": lambda x: func.vjp(lambda v: v * v * x, c)[1](x)[0],
        "vjp's result": lambda x: func.vjp(lambda v: v * v * x, c)[0],
        "jvp": lambda x: func.jvp(lambda v: v * v * x, (c,), (c,))[1],
        "hvp": lambda x: func.hvp(lambda v: (v * v * v * x).sum(), c, c)[1],
        "jacrev": lambda x: func.jacrev(lambda v: v * v * x)(c).sum(0),
        "jacfwd": lambda x: func.jacfwd(lambda v: v * v * x)(c).sum(0),
        "value": lambda x: func.value_and_grad(lambda v: (v * x).sum())(c)[0] * x,
    }
    for name, f in inner.items():
        value, slope = func.value_and_grad(lambda x, f=f: (f(x) * x).sum())(x)
        assert not value.requires_grad, name
        assert not slope.requires_grad, name
        np.testing.assert_allclose(
            slope.numpy(), by_differences(lambda x, f=f: (f(x) * x).sum(), x), rtol=1e-6
        )
