"""Changes in place: the same gradients as the functional twin, or one clear error."""

import copy

import numpy as np
import pytest

import demograd as dg
from demograd.autograd import gradcheck, gradgradcheck
from demograd.errors import DemogradError, GradientError


def message(call):
    with pytest.raises(DemogradError) as error:
        call()
    return str(error.value)


def changed(operation):
    """A function that changes a copy of x in place."""

    def function(x, w):
        y = x * 1
        operation(y, w)
        return y

    return function


def set_row(y, w):
    y[0] = w


def set_mask(y, w):
    y[np.array([[True, False], [False, True]])] = w


CASES = [
    (lambda y, w: y.__iadd__(w), lambda x, w: x + w),
    (lambda y, w: y.__isub__(w), lambda x, w: x - w),
    (lambda y, w: y.__imul__(w), lambda x, w: x * w),
    (lambda y, w: y.__itruediv__(w), lambda x, w: x / w),
    (lambda y, w: y.__ipow__(w), lambda x, w: x**w),
    (lambda y, w: y.add_(w, alpha=2.0), lambda x, w: x + 2 * w),
    (lambda y, w: y.mul_(w).mul_(w), lambda x, w: x * w * w),
    (lambda y, w: y.__imul__(y), lambda x, w: x * x),
    (lambda y, w: y.__imul__(y[0]), lambda x, w: x * x[0]),
    (lambda y, w: y.copy_(w), lambda x, w: w.expand(2, 2)),
    (set_row, lambda x, w: dg.where(np.array([[True], [False]]), w, x)),
    (set_mask, lambda x, w: dg.where(np.eye(2, dtype=bool), w.reshape(2, 1), x)),
]


@pytest.mark.parametrize(("operation", "twin"), CASES)
def test_a_change_in_place_has_the_values_and_derivatives_of_its_twin(operation, twin):
    x = dg.tensor([[1.5, 0.7], [2.0, 1.1]], dtype="float64", requires_grad=True)
    w = dg.tensor([1.3, 0.6], dtype="float64", requires_grad=True)
    function = changed(operation)
    np.testing.assert_allclose(function(x, w).tolist(), twin(x, w).tolist())
    assert gradcheck(function, (x, w))
    assert gradgradcheck(function, (x, w))


def test_a_change_in_place_keeps_the_memory():
    x = dg.tensor([1.0, 2.0])
    before = x.data
    x += 1
    x[0] = 7.0
    x.fill_(3.0)
    assert x.data is before
    assert x.tolist() == [3.0, 3.0]


def test_a_number_without_dimensions_changes_too():
    x = dg.tensor(2.0)
    x *= 3
    x.data[...] += 1
    assert x.item() == 7.0
    w = dg.tensor(5.0, requires_grad=True)
    y = w * 1
    y *= w
    y.backward()
    assert w.grad.item() == 10.0


def test_a_leaf_that_requires_a_gradient_cannot_be_changed():
    x = dg.Tensor([1.0, 2.0], requires_grad=True, name="weight")
    text = (
        "{}: a leaf that requires a gradient cannot be changed in place.\n"
        "  weight of shape (2,), dtype float32\n"
        "with dg.no_grad(): ... changes its values; x = x + y makes a new tensor."
    )
    assert message(lambda: x.__iadd__(1)) == text.format("+=")
    assert message(lambda: x.__setitem__(0, 1.0)) == text.format("x[i] = v")
    assert x.tolist() == [1.0, 2.0]
    with dg.no_grad():
        x += 1
    assert x.tolist() == [2.0, 3.0]
    assert x.requires_grad


def change_view(y, w):
    y[0].mul_(w)


def change_view_of_view(y, w):
    y.T[1:].reshape(-1).add_(w)


def change_base_under_view(y, w):
    row = y[0]
    y *= w
    row += w


def change_two_views(y, w):
    row, column = y[1], y[:, 0]
    row *= w
    column += w
    row *= column


def change_view_by_itself(y, w):
    y[0].mul_(y[1]).add_(w)


def change_constant_base(y, w):
    z = dg.zeros(2, 2, dtype="float64")
    row = z[0]
    z += w
    z[1] = row * 3
    y.mul_(z).add_(row)


VIEWS = [
    (change_view, lambda x, w: np.stack([x[0] * w, x[1]])),
    (change_view_of_view, lambda x, w: np.stack([x[:, 0], x[:, 1] + w], 1)),
    (
        change_base_under_view,
        lambda x, w: np.stack([x[0] * w + w, x[1] * w]),
    ),
    (
        change_two_views,
        lambda x, w: np.array(
            [
                [x[0, 0] + w[0], x[0, 1]],
                [
                    (x[1, 0] * w[0] + w[1]) * (x[0, 0] + w[0]),
                    x[1, 1] * w[1] * (x[1, 0] * w[0] + w[1]),
                ],
            ]
        ),
    ),
    (change_view_by_itself, lambda x, w: np.stack([x[0] * x[1] + w, x[1]])),
    (change_constant_base, lambda x, w: x * np.stack([w, 3 * w]) + w),
]


@pytest.mark.parametrize(("operation", "twin"), VIEWS, ids=lambda f: f.__name__)
def test_a_change_through_views_and_bases_has_the_derivatives_of_the_values(operation, twin):
    x = dg.tensor([[1.5, 0.7], [2.0, 1.1]], dtype="float64", requires_grad=True)
    w = dg.tensor([1.3, 0.6], dtype="float64", requires_grad=True)
    function = changed(operation)
    np.testing.assert_allclose(
        function(x, w).tolist(), twin(x.detach().numpy(), w.detach().numpy())
    )
    assert gradcheck(function, (x, w))
    assert gradgradcheck(function, (x, w))


def test_a_view_shows_the_node_of_the_changed_base():
    x = dg.tensor([1.0, 2.0], requires_grad=True) * 1
    view = x[:1]
    first = view.grad_fn
    x *= 3
    assert view.grad_fn is not first
    assert view.tolist() == [3.0]


def test_a_view_of_a_constant_that_became_differentiable_is_differentiable():
    x, w = dg.zeros(2), dg.ones(2, requires_grad=True)
    view = x[:1]
    assert not view.requires_grad
    x += w * 2
    assert view.requires_grad
    (view * 5).sum().backward()
    assert w.grad.tolist() == [10.0, 0.0]


def test_a_change_of_a_view_of_a_leaf_is_refused():
    w = dg.Tensor([1.0, 2.0], requires_grad=True, name="w")
    assert message(lambda: w[:1].mul_(2)) == (
        "mul_: a view of a leaf that requires a gradient cannot be changed in place.\n"
        "  w of shape (2,), dtype float32\n"
        "with dg.no_grad(): ... changes its values; x = x + y makes a new tensor."
    )


def test_a_view_of_a_parameter_stays_good_after_an_optimizer_step():
    w = dg.tensor([1.0, 2.0], requires_grad=True)
    view = w[:1]
    with dg.no_grad():
        w -= 0.5
    (view * 3).sum().backward()
    assert w.grad.tolist() == [3.0, 0.0]


def test_a_result_that_does_not_fit_is_refused_and_nothing_changes():
    x = dg.tensor([1.0])
    assert message(lambda: x.__iadd__(dg.ones(3))) == (
        "+=: the result does not fit into the tensor.\n"
        "  x: shape (1,)\n"
        "  result: shape (3,)\n"
        "x = x + y makes a new tensor of the larger shape."
    )
    n = dg.tensor([1])
    assert message(lambda: n.__iadd__(0.5)) == (
        "+=: the result has a type that the tensor cannot hold.\n"
        "  x: dtype int64\n"
        "  result: dtype float32\n"
        "x = x.to(dg.float32) first."
    )
    assert message(lambda: x.__setitem__(slice(None), dg.ones(3))) == (
        "x[i] = v: the values do not fit the place.\n  place: shape (1,)\n  v: shape (3,)"
    )
    assert (x.tolist(), n.tolist()) == ([1.0], [1])


def test_memory_shared_by_repetition_cannot_be_written_to():
    x = dg.ones(1).expand(3)
    with pytest.raises(GradientError):
        x += 1


def test_an_item_assignment_carries_the_gradient():
    x, v = dg.zeros(3, requires_grad=True), dg.tensor(5.0, requires_grad=True)
    y = x * 2
    y[1] = v * 3
    y.sum().backward()
    assert (x.grad.tolist(), v.grad.item()) == ([2.0, 0.0, 2.0], 3.0)


def test_a_view_of_one_element_shows_the_memory():
    x = dg.tensor([1.0, 2.0], requires_grad=True)
    y = x * 1
    y[0].mul_(5)
    y[1].fill_(7.0)
    (y * y).sum().backward()
    assert y.tolist() == [5.0, 7.0]
    assert x.grad.tolist() == [50.0, 0.0]


def test_views_of_a_number_show_its_memory():
    x = dg.tensor(1.0)
    expanded = x.expand(2)
    x.detach().add_(5)
    x.reshape(1).mul_(2)
    x[None].add_(1)
    assert (x.item(), expanded.tolist()) == (13.0, [13.0, 13.0])


def test_a_view_made_a_leaf_cannot_be_changed():
    view = dg.zeros(3)[:2]
    view.requires_grad_()
    assert message(lambda: view.add_(1)) == (
        "add_: a leaf that requires a gradient cannot be changed in place.\n"
        "  tensor of shape (2,), dtype float32\n"
        "with dg.no_grad(): ... changes its values; x = x + y makes a new tensor."
    )


def test_a_view_whose_base_has_changed_counts_as_changed_at_once():
    w = dg.tensor(2.0, requires_grad=True)
    base = dg.ones(3)
    view = base[:2]
    base.mul_(w)
    with pytest.raises(GradientError):
        view.numpy()
    with pytest.raises(GradientError):
        dg.tensor([view])
    with pytest.raises(GradientError):
        copy.deepcopy(view)


@pytest.mark.parametrize("make", [dg.tensor, np.array])
def test_an_index_that_is_changed_afterwards_leads_back_where_it_led(make):
    x = dg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    places = make([0, 1])
    taken, changed = x[places], x * 1
    changed[places] = 0.0
    places += 1
    (taken.sum() + changed.sum()).backward()
    assert x.grad.tolist() == [1.0, 1.0, 1.0]


def test_of_values_for_one_place_the_last_has_the_gradient():
    values = dg.tensor([3.0, 4.0], requires_grad=True)
    number = dg.tensor(5.0, requires_grad=True)
    y = dg.zeros(2)
    y[[0, 0]] = values
    z = dg.zeros(2)
    z[[1, 1]] = number
    (y * y + z * z).sum().backward()
    assert values.grad.tolist() == [0.0, 8.0]
    assert number.grad.item() == 10.0


def test_the_other_augmented_assignments_act_in_place():
    numbers, mask = dg.tensor([7, 8]), dg.tensor([True, False])
    same, same_mask = numbers, mask
    numbers //= 2
    numbers %= 3
    mask &= True
    mask |= False
    mask ^= True
    assert same.tolist() == [0, 1]
    assert same_mask.tolist() == [False, True]


def test_a_retained_gradient_is_that_of_the_changed_value():
    x = dg.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    y.retain_grad()
    y.mul_(3)
    (y * y).sum().backward()
    assert (y.grad.tolist(), x.grad.tolist()) == ([12.0, 24.0], [72.0, 144.0])


def test_a_long_chain_of_views_is_changed_without_recursion():
    x = dg.tensor([[1.0, 2.0]], requires_grad=True)
    view = base = x * 1
    for _ in range(20_000):
        view = view.T
    view.mul_(2)
    base.sum().backward()
    assert x.grad.tolist() == [[2.0, 2.0]]


def test_an_empty_view_follows_its_base():
    x = dg.ones(2, 3, requires_grad=True)
    y = x * 1
    empty = y[2:]
    y.mul_(2)
    (empty.sum() + y.sum()).backward()
    assert x.grad.tolist() == [[2.0] * 3] * 2


def test_a_view_that_is_added_to_its_own_changed_base_is_taken_again():
    x = dg.tensor([[1.5, 0.7], [2.0, 1.1]], dtype="float64", requires_grad=True)

    def function(x):
        y = x * 1
        row = y[0]
        y += y
        y += row
        return y * row

    assert gradcheck(function, x)
    assert gradgradcheck(function, x)


def test_a_leaf_whose_memory_is_written_through_a_detached_tensor_has_its_gradient():
    x = dg.tensor([1.0, 2.0], requires_grad=True)
    first, second = x.detach(), x.detach()
    first[...] = x
    second += x  # both change the memory of x
    (first.sum() + second.sum() * 2).backward()
    assert x.grad.tolist() == [3.0, 3.0]


@pytest.mark.parametrize(
    "change", [lambda y: y.zero_(), lambda y: y.fill_(2.0), lambda y: y.copy_(1.0)]
)
def test_a_tensor_that_is_overwritten_still_requires_a_gradient(change):
    x = dg.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    change(y)
    assert y.requires_grad
    (y.sum() + x.sum()).backward()
    assert x.grad.tolist() == [1.0, 1.0]


def test_a_part_of_a_repeated_tensor_that_repeats_nothing_is_written_to():
    x = dg.tensor([1.0, 2.0], requires_grad=True)
    y = x * 1
    repeated = y.expand(3, 2)
    repeated[1].mul_(5)
    repeated[2][1:].fill_(7.0)
    with pytest.raises(GradientError):
        repeated[:2].mul_(2)
    (y * y).sum().backward()
    assert repeated.tolist() == [[5.0, 7.0]] * 3
    assert x.grad.tolist() == [50.0, 0.0]


def test_memory_that_is_read_only_itself_is_not_written_to():
    array = np.ones(3)
    array.flags.writeable = False
    x = dg.Tensor(array)
    for tensor in (x, x[1:], x.reshape(3, 1)):
        assert message(lambda tensor=tensor: tensor.mul_(2)) == (
            "mul_: the memory of the tensor is read-only, or shared by repetition.\n"
            f"  tensor of shape {tensor.shape}, dtype float64\n"
            "x = x.clone() has memory of its own."
        )


def test_a_view_taken_in_no_grad_is_not_changed_while_recording() -> None:
    x, factor = dg.ones(2, requires_grad=True), dg.tensor(3.0, requires_grad=True)
    y = x * 1
    with dg.no_grad():
        of_leaf, view = x[:1], y[:1]
        view *= 2  # both in no_grad
    with pytest.raises(GradientError):
        of_leaf *= factor
    with pytest.raises(GradientError) as error:
        view *= factor
    assert (
        str(error.value)
        == """\
*=: a view that was taken in no_grad cannot be changed in place while recording.
  view: tensor of shape (1,), dtype float32
  base: tensor of shape (2,), dtype float32
Take the view and change it both in no_grad, or neither."""
    )
    with pytest.raises(GradientError):
        view[0] = 5.0
    assert (x.tolist(), y.tolist()) == ([1.0, 1.0], [2.0, 1.0])
