"""In-place changes within vmap: the values and gradients of a loop, or one clear error."""

import numpy as np
import pytest

import demograd as dg
from demograd import func
from demograd.errors import DemogradError

X = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


def message(call):
    with pytest.raises(DemogradError) as caught:
        call()
    return str(caught.value)


def filled(x):
    """An empty tensor that is filled element by element."""
    out = dg.zeros_like(x)
    for i in range(3):
        out[i] = x[i] * x[0]
    return out


def by_a_view(x):
    y = x * 1
    head = y[:2]
    head *= 10
    return y * x


def of_the_base(x):
    y = x * 1
    head = y[:2]
    y *= x
    return head * x[1:]


def of_a_view_of_a_view(x):
    y = (x * 1).reshape(3, 1)
    last = y.T[0, 1:]
    last += x[:2]
    last.mul_(2)
    return y * x.reshape(3, 1)


def chained(x):
    y = x.clone()
    y += 1
    y -= x.sum()
    y /= 2
    y **= 2
    y.add_(x, alpha=3)
    y[1:] = y[:-1].clone()
    y.copy_(y.clone() * x)
    y[0].zero_()
    return y


def zeroed(x):
    y = x * x
    y[dg.tensor([True, False, True])] = 0.0
    y[[1, 1]] += x[:2]
    return y


PROGRAMS = [filled, by_a_view, of_the_base, of_a_view_of_a_view, chained, zeroed]


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_change_in_place_is_that_of_a_loop(program):
    def number(x):
        return (program(x) ** 2).sum()

    def slope(x):
        return (func.grad(number)(x) ** 2).sum()

    x = dg.tensor(X)
    for function in (program, func.grad(number), func.grad(slope)):
        expected = [function(row).numpy() for row in x]
        np.testing.assert_allclose(func.vmap(function)(x).numpy(), expected)
    for function in (number, slope):
        expected = func.grad(lambda x, f=function: sum(f(row) for row in x))(x)
        found = func.grad(lambda x, f=function: func.vmap(f)(x).sum())(x)
        np.testing.assert_allclose(found.numpy(), expected.numpy())
    np.testing.assert_array_equal(x.numpy(), X)


def test_a_change_of_an_argument_is_a_change_of_what_was_given():
    x = dg.tensor(X)
    func.vmap(lambda x: x.add_(1))(x)
    assert x.tolist() == (X + 1).tolist()


REFUSED = {
    "a saved value that was overwritten, inside": (
        lambda: func.vmap(func.grad(overwritten))(dg.tensor(X)),
        """backward: a value that Mul saved was changed in place afterwards.""",
    ),
    "a saved value that was overwritten, outside": (
        lambda: func.grad(lambda x: func.vmap(overwritten)(x).sum())(dg.tensor(X)),
        """backward: a value that vmap(Mul) saved was changed in place afterwards.""",
    ),
    "an argument that is the variable of a gradient outside": (
        lambda: func.grad(lambda x: func.vmap(lambda x: x.add_(1))(x).sum())(dg.tensor(X)),
        """copy_: a leaf that requires a gradient cannot be changed in place.""",
    ),
    "a new history for an argument": (
        lambda: func.vmap(lambda x: x.add_(WEIGHT))(dg.tensor(X)),
        """add_: the new values have a gradient outside of vmap, and the tensor shares its memory \
with others.
  tensor of shape (3,), dtype float64
Make a new tensor (x = x + y), or change a copy (x = x.clone()).""",
    ),
    "a new history for a view": (
        lambda: func.grad(lambda x: func.vmap(through_a_view)(x).sum())(dg.tensor(X)),
        """+=: the new values have a gradient outside of vmap, and the tensor shares its memory \
with others.""",
    ),
    "a new history for a base with views": (
        lambda: func.grad(lambda x: func.vmap(seen_by_a_view)(x).sum())(dg.tensor(X)),
        """+=: the new values have a gradient outside of vmap, and the tensor shares its memory \
with others.""",
    ),
}
WEIGHT = dg.tensor([1.0, 1.0, 1.0], dtype="float64", requires_grad=True)


def overwritten(x):
    y = x * x
    z = y * y
    y += 1
    return z.sum()


def through_a_view(x):
    out = dg.zeros_like(x)
    head = out[:1]
    head += x[1]
    return out.sum()


def seen_by_a_view(x):
    out = dg.zeros_like(x)
    head = out[:1]
    out += x
    return head.sum()


@pytest.mark.parametrize("case", REFUSED)
def test_is_refused_in_words(case):
    call, expected = REFUSED[case]
    assert message(call).startswith(expected)


def test_another_librarys_arrays_are_replaced_unless_there_are_views():
    strict = pytest.importorskip("array_api_strict", reason="declared in hatch.toml")

    def replaced(x):
        y = x * 1
        y[0] = 7.0
        y += x
        return y

    def through_a_view(x):
        y = x * 1
        head = y[:1]
        head += 1
        return y

    x = dg.Tensor(strict.asarray(X))
    found = func.vmap(replaced)(x)
    np.testing.assert_array_equal(np.asarray(found.data), [[8.0, 4.0, 6.0], [11.0, 10.0, 12.0]])
    assert message(lambda: func.vmap(through_a_view)(x)) == (
        "+=: the array cannot be written to, and views would not see its replacement.\n"
        "  tensor of shape (1,), dtype float64\n"
        "Make a new tensor (x = x + y), or change a copy (x = x.clone())."
    )
