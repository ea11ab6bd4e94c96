"""Making tensors, looking at them, and taking values out."""

import copy
import pickle

import numpy as np
import pytest

import demograd as dg
from demograd.errors import DemogradError


def message(call):
    with pytest.raises(DemogradError) as error:
        call()
    return str(error.value)


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (1, "int64"),
        (1.0, "float32"),
        (True, "bool"),
        ([1, 2.5], "float32"),
        ([[1], [2]], "int64"),
        (np.zeros(2), "float64"),
        (np.zeros(2, "float16"), "float16"),
        (np.float64(2.0), "float64"),
        ([np.float64(2.0)], "float64"),
        (1 + 2j, "complex128"),
        ([], "float32"),
    ],
)
def test_python_floats_are_float32_and_arrays_keep_their_type(data, dtype):
    assert dg.tensor(data).dtype == np.dtype(dtype)


def test_tensor_copies_and_from_numpy_shares():
    a = np.zeros(2)
    copied, shared = dg.tensor(a), dg.from_numpy(a)
    a[0] = 5.0
    assert (copied.tolist(), shared.tolist()) == ([0.0, 0.0], [5.0, 0.0])


def test_the_default_type_can_be_changed():
    dg.set_default_dtype(dg.float64)
    try:
        assert dg.tensor(1.5).dtype == dg.rand(2).dtype == np.float64
    finally:
        dg.set_default_dtype(dg.float32)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (dg.zeros(2, 3), np.zeros((2, 3))),
        (dg.zeros((2, 3)), np.zeros((2, 3))),
        (dg.ones(2, dtype=dg.int8), np.ones(2)),
        (dg.full((2,), 3.5), np.full(2, 3.5)),
        (dg.arange(3), np.arange(3)),
        (dg.arange(1, 2, 0.5), np.arange(1, 2, 0.5)),
        (dg.linspace(0, 1, 5), np.linspace(0, 1, 5)),
        (dg.eye(2, 3), np.eye(2, 3)),
        (dg.zeros_like(dg.ones(2, 2)), np.zeros((2, 2))),
        (dg.full_like(dg.ones(2), 7), np.full(2, 7.0)),
    ],
)
def test_a_factory_makes_what_it_says(made, expected):
    np.testing.assert_array_equal(made.numpy(), expected)


def test_the_same_seed_gives_the_same_numbers():
    def draw():
        dg.manual_seed(3)
        return [dg.rand(4), dg.randn(2, 2), dg.randint(0, 9, (5,)), dg.randperm(6)]

    for one, other in zip(draw(), draw(), strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_a_generator_goes_on_from_its_state():
    g = dg.Generator(7)
    dg.rand(3, generator=g)
    state = g.get_state()
    first = dg.randn(3, generator=g).tolist()
    other = dg.Generator(0)
    other.set_state(state)
    assert dg.randn(3, generator=other).tolist() == first
    assert other.initial_seed() == 7


def test_random_numbers_have_their_distribution():
    dg.manual_seed(0)
    uniform, normal = dg.rand(20_000).numpy(), dg.randn(20_000, dtype="float64").numpy()
    assert uniform.min() >= 0
    assert uniform.max() < 1
    assert abs(uniform.mean() - 0.5) < 0.01
    assert abs(normal.mean()) < 0.03
    assert abs(normal.std() - 1) < 0.02
    assert set(dg.randint(3, size=(1000,)).tolist()) == {0, 1, 2}


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (1.0, "tensor(1.)"),
        ([1.0, 2.5], "tensor([1.0000, 2.5000])"),
        ([[1, 2], [3, 4]], "tensor([[1, 2],\n        [3, 4]])"),
        ([True, False], "tensor([ True, False])"),
        ([1e-5, 1.0], "tensor([1.0000e-05, 1.0000e+00])"),
        ([100000.0, 2.0], "tensor([1.0000e+05, 2.0000e+00])"),
        ([], "tensor([])"),
        (np.zeros((0, 2), "float32"), "tensor([], size=(0, 2))"),
        (np.zeros(1), "tensor([0.], dtype=float64)"),
        (25000000.0, "tensor(25000000.)"),
    ],
)
def test_a_tensor_shows_as_in_pytorch(data, text):
    assert repr(dg.tensor(data)) == text


def test_the_text_says_how_a_tensor_was_computed():
    x = dg.tensor([1.0], requires_grad=True)
    assert repr(x) == "tensor([1.], requires_grad=True)"
    assert repr(x * 2) == "tensor([2.], grad_fn=<MulBackward>)"
    assert len(repr(dg.zeros(100, 100))) < 1000
    assert f"{dg.tensor(0.125):.2f}" == "0.12"


def test_values_come_out_as_python_numbers():
    x = dg.tensor([[1, 2], [3, 4]])
    assert x.tolist() == [[1, 2], [3, 4]]
    assert (x[1, 0].item(), float(x[0, 0]), int(x[0, 1]), bool(x[0, 0])) == (3, 1.0, 2, True)
    assert [row.tolist() for row in x] == [[1, 2], [3, 4]]
    assert (len(x), x.numel(), x.ndim, x.size(), x.size(-1)) == (2, 4, 2, (2, 2), 2)
    assert [10, 20, 30][dg.tensor(1)] == 20
    assert 3 in x
    assert 9 not in x


def test_item_of_several_elements_is_an_error():
    assert message(dg.zeros(2).item) == (
        "item: the tensor has not exactly one element.\n"
        "  tensor: shape (2,)\n"
        "x.tolist() gives all of them."
    )
    assert message(lambda: bool(dg.zeros(2))) == (
        "bool: the truth of a tensor with several elements, or none, is ambiguous.\n"
        "  tensor: shape (2,)\n"
        "(x != 0).any() or (x != 0).all() says which you mean."
    )


def test_an_integer_tensor_cannot_require_a_gradient():
    expected = (
        "requires_grad: only floating tensors can require gradients.\n"
        "  w: shape (2,), dtype int64\n"
        "x.float() makes floats of it."
    )
    assert message(lambda: dg.Tensor([1, 2], requires_grad=True, name="w")) == expected
    x = dg.Tensor([1, 2], name="w")
    assert message(x.requires_grad_) == expected
    assert x.requires_grad is False


def test_numpy_refuses_a_tensor_that_requires_a_gradient():
    x = dg.tensor([1.0], requires_grad=True)
    expected = (
        "numpy: the tensor requires a gradient, which a NumPy array cannot carry.\n"
        "  tensor of shape (1,), dtype float32\n"
        "x.detach().numpy() gives the values without it."
    )
    assert message(x.numpy) == message(lambda: np.asarray(x)) == expected
    assert x.detach().numpy().tolist() == x.numpy(force=True).tolist() == [1.0]


def test_detach_shares_memory_and_cuts_the_graph():
    x = dg.tensor([1.0, 2.0], requires_grad=True)
    d = (x * 1).detach()
    assert (d.requires_grad, d.is_leaf) == (False, True)
    shared = x.detach()
    shared.data[0] = 5.0
    assert x.tolist() == [5.0, 2.0]


def test_requires_grad_of_a_computed_tensor_cannot_be_switched_off():
    y = dg.tensor([1.0], requires_grad=True) * 2
    assert message(lambda: y.requires_grad_(False)) == (
        "requires_grad: it can be switched off on leaves only.\n"
        "  tensor of shape (1,), dtype float32, made by Mul\n"
        "x.detach() is a leaf with the same values."
    )


def test_a_list_of_tensors_that_require_gradients_is_refused():
    x = dg.tensor(1.0, requires_grad=True)
    assert message(lambda: dg.tensor([x, x])) == (
        "tensor: a list of tensors that require gradients would lose them.\n"
        "  tensor of shape (), dtype float32\n"
        "dg.stack([...]) keeps the graph; x.detach() says that it may be cut."
    )
    assert dg.tensor([dg.tensor(1.0), dg.tensor(2.0)]).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("data", ["text", [[1], [1, 2]], None, {"a": 1}, np.array(["a"])])
def test_what_is_no_rectangle_of_numbers_is_refused(data):
    with pytest.raises(TypeError):
        dg.tensor(data)


def test_an_assigned_gradient_must_fit():
    x = dg.tensor([1.0, 2.0], requires_grad=True)
    assert message(lambda: setattr(x, "grad", dg.zeros(3))) == (
        "grad: a gradient has the shape and dtype of its tensor.\n"
        "  tensor: shape (2,), dtype float32\n"
        "  gradient: shape (3,), dtype float32"
    )
    x.grad = dg.ones(2)
    assert x.grad.tolist() == [1.0, 1.0]


def test_deepcopy_and_pickle_keep_leaves_and_refuse_graphs():
    x = dg.tensor([1.0, 2.0], requires_grad=True, name="w")
    (x * x).sum().backward()
    for twin in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert (twin.tolist(), twin.requires_grad, twin.name) == ([1.0, 2.0], True, "w")
        assert twin.grad.tolist() == [2.0, 4.0]
        twin.data[0] = 9.0
        assert x.tolist() == [1.0, 2.0]
    assert message(lambda: copy.deepcopy(x * 2)).splitlines()[0] == (
        "deepcopy: only leaves can be copied with their graph."
    )
    assert message(lambda: pickle.dumps(x * 2)).splitlines()[0] == (
        "pickle: only leaves can be pickled; the graph is not."
    )


@pytest.mark.parametrize(
    ("x", "y", "dtype"),
    [
        (dg.ones(2), dg.ones(2, dtype="float64"), "float64"),
        (dg.ones(2), dg.ones((), dtype="float64"), "float32"),
        (dg.ones(2), 2.0, "float32"),
        (dg.ones(2, dtype="float16"), 2, "float16"),
        (dg.ones(2), np.float64(2.0), "float32"),
        (dg.arange(2), 0.5, "float32"),
        (dg.arange(2), dg.ones(2), "float32"),
        (dg.arange(2), dg.ones(2, dtype="float16"), "float16"),
        (dg.ones(2, dtype="int32"), dg.arange(2), "int64"),
        (dg.ones(2, dtype="uint8"), dg.ones(2, dtype="int8"), "int16"),
        (dg.ones(2, dtype="bool"), 1, "int64"),
        (dg.ones(2, dtype="int32"), dg.ones((), dtype="int64"), "int32"),
        (dg.ones(2), 1j, "complex64"),
    ],
)
def test_types_are_promoted_as_in_pytorch(x, y, dtype):
    assert (x * y).dtype == (y * x).dtype == np.dtype(dtype)


def test_integers_divide_to_the_default_type():
    assert (dg.tensor([3]) / dg.tensor([2])).tolist() == [1.5]
    assert (3 / dg.tensor([2])).dtype == np.float32


def test_a_mixed_product_gives_each_its_gradient():
    x = dg.ones(2, dtype="float16", requires_grad=True)
    y = dg.ones(2, dtype="float64", requires_grad=True)
    (x * y).sum().backward()
    assert (x.grad.dtype, y.grad.dtype) == (np.float16, np.float64)


def test_comparisons_and_logic_give_booleans_without_a_gradient():
    x = dg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    mask = (x > 1) & ~(x == 3) | (x != x)
    assert (mask.tolist(), mask.dtype, mask.requires_grad) == ([False, True, False], bool, False)
    assert bool((x >= 1).all())
    assert not bool((x < 1).any())
    assert (x == None) is False  # noqa: E711


SHAPE_ERRORS = [
    (
        lambda: dg.zeros(2, 3) + dg.zeros(2),
        "add: the shapes do not broadcast.\n"
        "  x: shape (2, 3)   dimension -1 has length 3\n"
        "  y: shape (2,)   dimension -1 has length 2\n"
        "y.reshape(-1, 1) would fit.",
    ),
    (
        lambda: dg.Tensor(np.zeros((4, 2)), name="a") * dg.zeros(3, 2),
        "mul: the shapes do not broadcast.\n"
        "  a: shape (4, 2)   dimension -2 has length 4\n"
        "  y: shape (3, 2)   dimension -2 has length 3\n"
        "Lengths must be equal, or one of them 1, counted from the last dimension.",
    ),
    (
        lambda: dg.zeros(32, 784) @ dg.zeros(256, 784),
        "matmul: the inner dimensions differ.\n"
        "  x: shape (32, 784)   last dimension 784\n"
        "  y: shape (256, 784)   second-to-last dimension 256\n"
        "x @ y.mT would fit: (32, 784) @ (784, 256).",
    ),
    (
        lambda: dg.zeros(3) @ dg.zeros(2),
        "matmul: the inner dimensions differ.\n"
        "  x: shape (3,)   last dimension 3\n"
        "  y: shape (2,)   only dimension 2\n"
        "The last dimension of the left one must be the second-to-last of the right one.",
    ),
    (
        lambda: dg.zeros(2, 3).reshape(4, -1),
        "reshape: the numbers of elements differ.\n"
        "  x: shape (2, 3)   6 elements\n"
        "  wanted: (4, -1)   4 elements times the length at -1\n"
        "One length may be -1: it is then computed from the others.",
    ),
    (
        lambda: dg.zeros(2, 3).sum(2),
        "sum: dimension 2 does not exist.\n  x: 2 dimensions, so dim from -2 to 1",
    ),
    (
        lambda: dg.arange(3).mean(),
        "mean: the mean of integers or booleans is not one of them.\n"
        "  x: shape (3,), dtype int64\n"
        "x.float().mean(), or x.mean(dtype=dg.float32).",
    ),
    (
        lambda: dg.zeros(2)[5],
        "index: the index does not fit the tensor.\n"
        "  x: shape (2,)\n"
        "  NumPy says: index 5 is out of bounds for axis 0 with size 2",
    ),
    (
        lambda: dg.zeros(2, 3).expand(2, 4),
        "expand: only dimensions of length one can be repeated.\n"
        "  x: shape (2, 3)\n"
        "  wanted: (2, 4)",
    ),
]


@pytest.mark.parametrize(("call", "text"), SHAPE_ERRORS, ids=lambda v: str(v)[:12])
def test_a_misfit_says_what_and_how_to_mend_it(call, text):
    assert message(call) == text


def test_what_is_no_number_is_in_no_tensor():
    assert 1.0 in dg.tensor([1.0])
    assert message(lambda: None in dg.tensor([1.0])) == (
        "in: an element of type NoneType is in no tensor.\nAsk for a number, an array or a Tensor."
    )


def test_lengths_are_integers():
    for call in (lambda: dg.zeros(2.5), lambda: dg.zeros(1).reshape(1.5)):
        assert "lengths are integers" in message(call)
    assert dg.full(np.int64(2), 1).tolist() == [1, 1]


def test_the_length_of_a_dimension_that_is_not_there():
    assert message(lambda: dg.zeros(1).size(5)) == (
        "size: dimension 5 does not exist.\n  x: 1 dimensions, so dim from -1 to 0"
    )


def test_only_one_element_is_an_index():
    assert [1, 2, 3][dg.tensor([2])] == 3
    with pytest.raises(TypeError):
        [1, 2, 3][dg.tensor([1, 2])]


def test_as_tensor_stays_in_the_graph():
    x = dg.tensor([1.0], requires_grad=True)
    assert dg.as_tensor(x, dtype=dg.float64).requires_grad


def test_the_data_of_a_tensor_that_requires_a_gradient_are_floats():
    x = dg.tensor([1.0], requires_grad=True)

    def rebind():
        x.data = np.array([1])

    assert message(rebind) == (
        "data: a tensor that requires a gradient holds floats.\n"
        "  tensor: dtype float32\n  new: dtype int64\n"
        "Cast the new array to floats, or make a new Tensor."
    )


def test_a_refused_state_leaves_the_generator_as_it_was():
    draw = dg.Generator(3)
    before = draw.get_state()
    with pytest.raises(DemogradError):
        draw.set_state({"seed": 4, "bit_generator": "none"})
    assert draw.get_state() == before
