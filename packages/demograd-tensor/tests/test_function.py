"""Function: operators that a user writes, in both spellings, and what is refused."""

import numpy as np
import pytest

import demograd as dg
from demograd.autograd import grad, gradcheck, gradgradcheck
from demograd.errors import DemogradError


class Exp(dg.Function):
    def forward(self, x):
        out = self.xp.exp(x)
        self.save_for_backward(out)
        return out

    def backward(self, grad):
        (out,) = self.saved_tensors
        return grad * out


class TorchCube(dg.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        return grad_output * 3 * x**2


class DivMod(dg.Function):
    """Two outputs, of which the second has no gradient."""

    def forward(self, x, y):
        whole = self.xp.floor(x / y)
        self.mark_non_differentiable(whole)
        self.save_for_backward(y)
        return x - whole * y, whole

    def backward(self, grad, _):
        return grad, None


class Both(dg.Function):
    """Two outputs, both differentiable."""

    def forward(self, x, y):
        self.save_for_backward(x, y)
        return x * y, x + y

    def backward(self, product, total):
        x, y = self.saved_tensors
        return product * y + total, product * x + total


def x64(*values):
    return dg.tensor(list(values), dtype="float64", requires_grad=True)


@pytest.mark.parametrize("function", [Exp, TorchCube])
def test_a_function_in_either_spelling_differentiates_twice(function):
    assert gradcheck(function.apply, x64(0.3, -1.2))
    assert gradgradcheck(function.apply, x64(0.3, -1.2))


def test_third_derivatives_come_from_the_one_rule():
    x = x64(0.3, -1.2)
    current = Exp.apply(x)
    for _ in range(3):
        (current,) = grad(current.sum(), x, create_graph=True)
    np.testing.assert_allclose(current.detach().numpy(), np.exp(x.detach().numpy()))


def test_a_number_of_float64_keeps_its_second_derivative():
    # It is kept as np.float64, which isinstance takes for a Python float, a constant.
    x = dg.tensor(0.7, dtype="float64", requires_grad=True)
    (first,) = grad(Exp.apply(x), x, create_graph=True)
    (second,) = grad(first, x)
    np.testing.assert_allclose(second.item(), np.exp(0.7))


def test_several_outputs_are_differentiated_together_and_alone():
    x, y = x64(1.0, 2.0), x64(3.0, 4.0)
    assert gradcheck(Both.apply, (x, y))
    assert gradgradcheck(Both.apply, (x, y))
    product, _ = Both.apply(x, y)
    product.sum().backward()
    assert (x.grad.tolist(), y.grad.tolist()) == ([3.0, 4.0], [1.0, 2.0])


def test_an_output_marked_non_differentiable_requires_no_gradient():
    x, y = x64(7.5), x64(2.0)
    rest, whole = DivMod.apply(x, y)
    assert (rest.requires_grad, whole.requires_grad) == (True, False)
    rest.sum().backward()
    assert (x.grad.tolist(), y.grad) == ([1.0], None)


def test_nothing_is_recorded_when_nothing_requires_a_gradient():
    assert Exp.apply(dg.ones(2)).grad_fn is None
    with dg.no_grad():
        assert Exp.apply(x64(1.0)).requires_grad is False


def test_constants_and_settings_pass_through():
    class Scale(dg.Function):
        def forward(self, x, factor, *, shift):
            self.factor = factor
            return x * factor + shift

        def backward(self, grad):
            return grad * self.factor, None

    x = x64(1.0, 2.0)
    out = Scale.apply(x, 3.0, shift=1.0)
    out.sum().backward()
    assert (out.tolist(), x.grad.tolist()) == ([4.0, 7.0], [3.0, 3.0])


def message(call):
    with pytest.raises(DemogradError) as error:
        call()
    return str(error.value)


def test_forward_must_return_an_array():
    class Wrong(dg.Function):
        def forward(self, x):
            return dg.Tensor(x)

    assert message(lambda: Wrong.apply(x64(1.0))) == (
        "Wrong.forward returned Tensor, not an array.\n"
        "forward computes with raw arrays: use self.xp and Python's operators."
    )


def test_a_rule_must_return_a_gradient_for_each_input():
    class Wrong(dg.Function):
        def forward(self, x, y):
            return x + y

        def backward(self, grad):
            return grad

    x = x64(1.0)
    assert message(Wrong.apply(x, x).sum().backward) == (
        "backward: Wrong has 2 inputs, but its rule returned 1 gradients.\n"
        "Return one for each positional argument of forward, None where there is none."
    )


def test_a_gradient_that_does_not_fit_is_refused():
    class Wrong(dg.Function):
        def forward(self, x):
            return x * 1

        def backward(self, grad):
            return self.xp.ones((3,))

    x = dg.tensor([1.0, 2.0], requires_grad=True)
    assert message(Wrong.apply(x).sum().backward) == (
        "backward: a rule returned a gradient that does not fit its input.\n"
        "  input: shape (2,), tensor([1., 2.], requires_grad=True)\n"
        "  gradient: shape (3,)\n"
        "The gradient must have the input's shape, or one that broadcasting leads to or from."
    )


def test_a_saved_intermediate_is_refused_the_second_time():
    class Sneaky(dg.Function):
        def forward(self, x):
            e = self.xp.exp(x)
            self.save_for_backward(e * 2)
            return e * e

        def backward(self, grad):
            (twice,) = self.saved_tensors
            return grad * twice * twice / 2

    x = x64(0.5)
    Sneaky.apply(x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * np.exp(1.0))
    assert message(lambda: Sneaky.apply(x).sum().backward(create_graph=True)) == (
        "backward: Sneaky saved a value that is neither an input nor an output, so its own "
        "derivative is not known.\n"
        "  saved value: shape (1,), dtype float64\n"
        "Compute it again in backward from the inputs, or leave create_graph out."
    )


def test_an_input_kept_on_an_attribute_is_refused_the_second_time():
    class Sneaky(dg.Function):
        def forward(self, x):
            self.x = x
            self.save_for_backward(x)
            return x * x

        def backward(self, grad):
            return grad * 2 * self.x

    assert message(lambda: Sneaky.apply(x64(0.5)).sum().backward(create_graph=True)) == (
        "backward: Sneaky keeps an input or output as self.x, where the recorded pass cannot see "
        "it.\nKeep it with self.save_for_backward(...)."
    )


class ByMark(Exp):
    once_differentiable = True


class ByDecorator(dg.Function):
    @staticmethod
    def forward(ctx, x):
        out = ctx.xp.exp(x)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    @dg.autograd.once_differentiable
    def backward(ctx, grad):
        (out,) = ctx.saved_tensors
        assert isinstance(out, (np.ndarray, np.generic))
        return grad * out


@pytest.mark.parametrize("once", [ByMark, ByDecorator])
def test_once_differentiable_gives_the_first_derivative_and_refuses_the_second(once):
    x = x64(0.5)
    (plain,) = dg.autograd.grad(once.apply(x).sum(), x)
    (recorded,) = dg.autograd.grad(once.apply(x).sum(), x, create_graph=True)
    assert plain.item() == recorded.item() == pytest.approx(np.exp(0.5))
    assert recorded.requires_grad
    assert message(lambda: (recorded * x).sum().backward()) == (
        f"backward: {once.__name__} can be differentiated once only.\n"
        "Its rule is marked once_differentiable: write it with self.xp and operators, and take the "
        "mark away."
    )


def test_gradcheck_finds_a_wrong_second_derivative():
    class Wrong(dg.Function):
        def forward(self, x):
            self.factor = float(x[0])
            return x**2

        def backward(self, grad):
            return grad * 2 * self.factor

    assert gradcheck(Wrong.apply, x64(1.5))
    assert not gradgradcheck(Wrong.apply, x64(1.5), raise_exception=False)


def test_a_node_can_be_read_by_those_who_draw_it():
    from demograd.testing import check_graph_node

    x, y = x64(1.0, 2.0), dg.ones(2, dtype="float64")
    product, total = Both.apply(x, y)
    node = total.grad_fn
    check_graph_node(node)
    assert (node.name, node.output_shapes, node.nbytes_saved) == ("Both", ((2,), (2,)), 32)
    assert node.next_functions == (x, None)
    assert (product + total).grad_fn.next_functions == (node, node)
    assert repr(node) == "<BothBackward>"


def second(function, x):
    (first,) = grad(function(x).sum(), x, create_graph=True)
    return grad(first.sum(), x)[0].tolist()


def test_saved_inputs_that_are_one_array_are_told_apart():
    x = dg.tensor([2.0], requires_grad=True)
    assert second(lambda x: x ** x.detach(), x) == [2.0]
    assert second(lambda x: x.detach() / x, x) == [0.5]
    array = np.array([2.0, 3.0])
    a, b = dg.Tensor(array, requires_grad=True), dg.Tensor(array, requires_grad=True)
    (by_b,) = grad((a * b).sum(), b, create_graph=True)
    assert grad(by_b.sum(), [a, b], allow_unused=True)[1] is None


def test_saved_inputs_that_cannot_be_told_apart_are_refused():
    class Product(dg.Function):
        def forward(self, x, y):
            self.save_for_backward(x, y)
            return x * y

        def backward(self, grad):
            x, y = self.saved_tensors
            return grad * y, grad * x

    x = dg.tensor([3.0], requires_grad=True)
    assert grad(Product.apply(x, x.detach()), x)[0].tolist() == [3.0]
    assert message(lambda: grad(Product.apply(x, x.detach()), x, create_graph=True)) == (
        "backward: Product saved an array that is two of its inputs, and only one of their "
        "histories can be meant.\n"
        "  saved value: shape (1,), dtype float32\n"
        "Give it a copy of one of them: x.detach().clone()."
    )


def test_a_saved_output_of_several_leads_to_the_tensor_that_was_given():
    class SquareAndSame(dg.Function):
        def forward(self, x):
            square, same = x * x, x * 1
            self.save_for_backward(same)
            return square, same

        def backward(self, by_square, by_same):
            (same,) = self.saved_tensors
            return by_square * 2 * same + by_same

    x = dg.tensor([3.0], requires_grad=True)
    square, same = SquareAndSame.apply(x)
    (first,) = grad(square, x, create_graph=True)
    by_same, by_x = grad(first, [same, x])
    assert (by_same.tolist(), by_x.tolist()) == ([2.0], [2.0])


class ScaledIdentity(dg.Function):
    """The identity, with a gradient of its own."""

    def forward(self, *arrays):
        self.save_for_backward(arrays[-1])
        self.count = len(arrays)
        return arrays[-1]

    def backward(self, grad):
        (x,) = self.saved_tensors
        return (*[None] * (self.count - 1), grad * x * 5)


def test_an_input_that_is_returned_and_saved_is_the_input():
    x = dg.tensor([3.0], requires_grad=True)
    assert second(ScaledIdentity.apply, x) == [5.0]


def test_an_input_that_is_returned_is_a_view_which_cannot_be_changed():
    x = dg.tensor([3.0], requires_grad=True)
    y = x * 1
    out = ScaledIdentity.apply(dg.ones(1), y)
    # The rule would run once more on what it has made.
    assert message(lambda: out.mul_(2)) == (
        "mul_: the tensor shows memory that ScaledIdentity has taken from another one, and its "
        "rule is not known to be that of a view.\n"
        "  tensor of shape (1,), dtype float32\n"
        "x = x.clone() has memory of its own; a class whose output shows elements of its input "
        "says returns_view = True."
    )
    y.mul_(2)
    assert out.tolist() == [6.0]
    with dg.no_grad():
        out.mul_(2)
    assert y.tolist() == [12.0]


def test_none_may_be_returned_for_arguments_left_out():
    class Scaled(dg.Function):
        @staticmethod
        def forward(ctx, x, factor=2):
            return x * factor

        @staticmethod
        def backward(ctx, grad):
            return grad * 2, None

    x = dg.tensor([1.0], requires_grad=True)
    Scaled.apply(x).backward()
    assert x.grad.tolist() == [2.0]


def test_a_complex_result_is_no_silent_end_of_the_gradient():
    x = dg.tensor([1.0], requires_grad=True)
    assert message(lambda: x * 1j) == (
        "Cast: the result is complex, and complex numbers carry no gradient.\n"
        "  tensor of shape (1,), dtype float32\n"
        "x.detach() says that the gradient may end here."
    )
    assert (x.detach() * 1j).tolist() == [1j]
