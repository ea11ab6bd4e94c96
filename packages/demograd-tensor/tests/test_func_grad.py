"""``func.grad`` and its kin: values, nesting, arguments, and what they are part of."""

from collections import OrderedDict, namedtuple

import numpy as np
import pytest

import demograd as dg
from demograd import func
from demograd.errors import DemogradError

Pair = namedtuple("Pair", ["a", "b"])


class Product(dg.Function):
    """Two outputs, both differentiable."""

    def forward(self, x, y):
        self.save_for_backward(x, y)
        return x * y, x + y

    def backward(self, product, total):
        x, y = self.saved_tensors
        return product * y + total, product * x + total


def x64(*values):
    return dg.tensor(values[0] if len(values) == 1 else list(values), dtype="float64")


def message(call):
    with pytest.raises(DemogradError) as caught:
        call()
    return str(caught.value)


def test_derivatives_of_any_order_are_grads_of_grads():
    derivative, found = lambda x: x**5, []
    for _ in range(5):
        derivative = func.grad(derivative)
        found.append(derivative(x64(2.0)).item())
    assert found == [80.0, 160.0, 240.0, 240.0, 120.0]


CONFUSIONS = {
    # Each would be another number if the inner derivative picked up the outer variable.
    "sum": (lambda x: x * func.grad(lambda y: x + y)(x64(1.0)), 3.0, 1.0),
    "product": (lambda x: x * func.grad(lambda y: x * y)(x64(1.0)), 3.0, 6.0),
    "same variable": (lambda x: func.grad(lambda y: x * y**2)(x), 3.0, 12.0),
    "by itself": (lambda x: func.grad(lambda y: y**3)(x) * x, 3.0, 81.0),
    "twice": (
        lambda x: func.grad(lambda y: func.grad(lambda z: x * y * z)(x64(1.0)) * y)(x64(2.0)),
        3.0,
        4.0,
    ),
    "jvp within": (
        lambda x: x * func.jvp(lambda y: x + y, (x64(1.0),), (x64(1.0),))[1],
        3.0,
        1.0,
    ),
    "curried": (lambda x: func.grad(lambda f: f)(x) * x, 3.0, 1.0),
}


@pytest.mark.parametrize("case", CONFUSIONS)
def test_an_inner_derivative_never_picks_up_an_outer_variable(case):
    function, at, expected = CONFUSIONS[case]
    assert func.grad(function)(x64(at)).item() == expected
    assert func.jvp(function, (x64(at),), (x64(1.0),))[1].item() == expected


def test_the_classic_perturbation_is_not_confused_by_a_jvp_of_a_jvp():
    def outer(x):
        return x * func.jvp(lambda y: x + y, (x64(1.0),), (x64(1.0),))[1]

    assert func.jvp(outer, (x64(1.0),), (x64(1.0),))[1].item() == 1.0


def test_arguments_may_be_nested_and_the_gradient_is_built_alike():
    params = {"w": x64(1.0, 2.0), "rest": [Pair(x64(3.0), x64(4.0)), (x64(5.0),)]}

    def loss(p, scale):
        pair, (last,) = p["rest"]
        return ((p["w"] * pair.a).sum() + pair.b * last) * scale

    found = func.grad(loss)(params, 2)
    assert list(found) == ["w", "rest"]
    assert type(found["rest"][0]) is Pair
    assert found["w"].tolist() == [6.0, 6.0]
    assert [found["rest"][0].a.item(), found["rest"][0].b.item()] == [6.0, 10.0]
    assert found["rest"][1][0].item() == 8.0


def test_ordered_dicts_stay_what_they_are():
    found = func.grad(lambda p: p["a"] * p["b"])(OrderedDict(a=x64(2.0), b=x64(3.0)))
    assert type(found) is OrderedDict
    assert {k: v.item() for k, v in found.items()} == {"a": 3.0, "b": 2.0}


@pytest.mark.parametrize(
    ("argnums", "expected"), [(0, 3.0), (1, 2.0), (-1, 2.0), ((0,), [3.0]), ((1, 0), [2.0, 3.0])]
)
def test_argnums_say_by_which_arguments(argnums, expected):
    found = func.grad(lambda x, y: x * y, argnums)(x64(2.0), x64(3.0))
    if isinstance(expected, list):
        assert type(found) is tuple
        assert [g.item() for g in found] == expected
    else:
        assert found.item() == expected


def test_value_and_grad_gives_both_and_the_other_things():
    def f(x):
        return x**2, {"twice": 2 * x, "text": "as it is"}

    (value, aux), gradient = func.value_and_grad(f, has_aux=True)(x64(3.0))
    assert (value.item(), gradient.item(), aux["twice"].item(), aux["text"]) == (
        9.0, 6.0, 6.0, "as it is",
    )  # fmt: skip
    assert not value.requires_grad
    assert not aux["twice"].requires_grad
    gradient, (value, aux) = func.grad_and_value(f, has_aux=True)(x64(3.0))
    assert (value.item(), gradient.item(), aux["text"]) == (9.0, 6.0, "as it is")
    gradient, aux = func.grad(f, has_aux=True)(x64(3.0))
    assert (gradient.item(), aux["twice"].item()) == (6.0, 6.0)
    value, gradient = func.value_and_grad(lambda x: x**2)(x64(3.0))
    assert (value.item(), gradient.item()) == (9.0, 6.0)


def test_keyword_arguments_are_passed_on():
    assert func.grad(lambda x, *, k: k * x)(x64(1.0), k=7.0).item() == 7.0


def test_what_is_not_used_has_the_gradient_zero():
    x, y = func.grad(lambda x, y: x * 2, (0, 1))(x64(1.0), x64(1.0, 2.0))
    assert (x.item(), y.tolist()) == (2.0, [0.0, 0.0])
    assert func.grad(lambda x: x64(5.0))(x64(1.0, 2.0)).tolist() == [0.0, 0.0]


def test_functions_of_several_outputs_are_differentiated():
    found = func.grad(lambda x: Product.apply(x, x * x)[0] + Product.apply(x, x)[1])(x64(2.0))
    assert found.item() == 14.0
    assert func.grad(func.grad(lambda x: Product.apply(x, x * x)[0]))(x64(2.0)).item() == 12.0


# What a gradient is part of.


def test_a_gradient_of_plain_numbers_has_no_history():
    gradient = func.grad(lambda x: x**2)(x64(3.0))
    assert not gradient.requires_grad
    assert gradient.is_leaf


def test_a_gradient_is_part_of_the_graph_of_what_the_function_uses():
    w = x64(2.0).requires_grad_()
    gradient = func.grad(lambda x: w * x**2)(x64(3.0))
    gradient.backward()
    assert (gradient.item(), w.grad.item()) == (12.0, 6.0)


def test_a_gradient_is_part_of_the_graph_of_its_argument():
    x = x64(3.0).requires_grad_()
    (func.grad(lambda y: y**3)(x) * x).backward()
    assert x.grad.item() == 81.0


def test_in_no_grad_a_gradient_is_had_and_not_recorded():
    w = x64(2.0).requires_grad_()
    with dg.no_grad():
        gradient = func.grad(lambda x: w * x**2)(x64(3.0))
    assert gradient.item() == 12.0
    assert not gradient.requires_grad


def test_no_grad_within_the_function_is_respected():
    def f(x):
        with dg.no_grad():
            constant = x * x
        return constant * x

    assert func.grad(f)(x64(3.0)).item() == 9.0


def test_a_constant_computed_by_a_gradient_in_no_grad_stays_one():
    def f(x):
        with dg.no_grad():
            slope = func.grad(lambda y: y**2)(x)
        return slope * x

    assert func.grad(f)(x64(3.0)).item() == 6.0


def test_gradients_are_not_left_at_the_arguments():
    x = x64(3.0).requires_grad_()
    func.grad(lambda y: y**2)(x)
    func.vjp(lambda y: y**2, x)[1](x64(1.0))
    func.hvp(lambda y: y**2, x, x64(1.0))
    assert x.grad is None


def test_only_what_the_values_depend_on_is_recorded_when_values_are_given_back():
    w = x64(2.0).requires_grad_()
    (value, aux), _ = func.value_and_grad(lambda x: (w * x, x * 2), has_aux=True)(x64(3.0))
    assert value.requires_grad
    assert not aux.requires_grad
    value.backward()
    assert w.grad.item() == 3.0


# What is refused.

REFUSED = {
    "a result with dimensions": (
        lambda: func.grad(lambda x: x)(x64(1.0, 2.0)),
        """grad: the function returns a tensor with dimensions, and not one number.
  tensor of shape (2,), dtype float64
result.sum() has; dg.func.vjp and dg.func.jacrev differentiate tensors.""",
    ),
    "a result that is no tensor": (
        lambda: func.grad(lambda x: 2.0)(x64(1.0)),
        """grad: the function returns float, not a Tensor.
With has_aux=True, (result, aux) gives back other things as they are.""",
    ),
    "no pair": (
        lambda: func.value_and_grad(lambda x: x, has_aux=True)(x64(1.0)),
        """value_and_grad: with has_aux=True the function returns a pair, not Tensor.
return result, other_things""",
    ),
    "a number to differentiate by": (
        lambda: func.grad(lambda x: x)(3.0),
        """grad: it differentiates by Tensors, not float.
dg.tensor(x) makes one; argnums says by which arguments to differentiate.""",
    ),
    "integers": (
        lambda: func.grad(lambda x: x.sum())(dg.tensor([1, 2])),
        """grad: only floats can be differentiated by.
  tensor of shape (2,), dtype int64
x.float() makes floats of it; argnums says by which arguments to differentiate.""",
    ),
    "no such argument": (
        lambda: func.grad(lambda x: x, 1)(x64(1.0)),
        """grad: argnums is 1, for 1 positional arguments.
Arguments to differentiate by are given by position.""",
    ),
    "an argument twice": (
        lambda: func.grad(lambda x, y: x, (0, -2))(x64(1.0), x64(1.0)),
        "grad: argnums (0, -2) names an argument twice.",
    ),
    "argnums of another type": (
        lambda: func.grad(lambda x: x, "x")(x64(1.0)),
        "grad: argnums is 'x', not an integer or a tuple of them.",
    ),
    "an argument changed in place": (
        lambda: func.grad(lambda x: (x.mul_(2) * x).sum())(x64(1.0).requires_grad_() * 1),
        """grad: an argument was changed in place by the function.
  tensor of shape (), dtype float64
Change a copy (x = x.clone()), or make a new tensor (x = x + y).""",
    ),
    "a leaf changed in place": (
        lambda: func.grad(lambda x: x.mul_(2).sum())(x64(1.0, 2.0)),
        """mul_: a leaf that requires a gradient cannot be changed in place.
  tensor of shape (2,), dtype float64
with dg.no_grad(): ... changes its values; x = x + y makes a new tensor.""",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_is_refused_in_words(case):
    call, expected = REFUSED[case]
    assert message(call) == expected


def test_an_error_in_the_function_is_the_users_own():
    def broken(x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        func.grad(broken)(x64(1.0))
    with pytest.raises(KeyError, match="mine"):
        func.vmap(broken)(x64(1.0, 2.0))
    assert dg.is_grad_enabled()
    assert func.vmap(lambda x: x + 1)(x64(1.0, 2.0)).tolist() == [2.0, 3.0]


def test_importing_demograd_does_not_load_the_transforms(in_new_process):
    assert in_new_process("import sys, demograd; print('demograd.func' in sys.modules)") == "False"
    assert in_new_process("import demograd as dg; print(dg.func.grad.__name__)") == "grad"


@pytest.fixture
def in_new_process():
    import subprocess
    import sys

    def run(code):
        done = subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    return run


def test_the_transforms_name_what_they_transform():
    def loss(x):
        """The loss."""

    assert func.grad(loss).__name__ == "grad(loss)"
    assert func.vmap(func.grad(loss)).__name__ == "vmap(grad(loss))"
    assert func.grad(loss).__doc__ == "The loss."


def test_gradients_keep_the_type():
    for dtype in ("float16", "float32", "float64"):
        x = dg.tensor([1.0, 2.0], dtype=dtype)
        for found in (
            func.grad(lambda x: (x * x).sum())(x),
            func.jacrev(lambda x: x * x)(x),
            func.jacfwd(lambda x: x * x)(x),
            func.hessian(lambda x: (x * x).sum())(x),
            func.jvp(lambda x: x * x, (x,), (x,))[1],
            func.vmap(func.grad(lambda x: x * x))(x),
        ):
            assert found.dtype == np.dtype(dtype)
