"""What a backend adds to the array API standard: NumPy's way and the general one agree."""

from typing import Any

import array_api_strict
import numpy as np
import pytest

from demograd import Tensor
from demograd._backend import numpy_backend
from demograd._tensor_backend import tensor_backend
from demograd.autograd import gradcheck
from demograd.interfaces import Backend
from demograd.operators import index as picked

SHAPE = (3, 4, 2)
INDICES: list[Any] = [
    1,
    (slice(None), slice(1, 3)),
    (..., 0),
    np.array([2, 0, 2, -1]),
    np.array([[0, 1], [1, 1]], dtype="uint8"),
    (slice(None), np.array([3, 3, -4])),
    (slice(None), slice(None), np.array([1, 1, 0])),
    (slice(0, 2), np.array([3, 3, 1])),
    (np.array([0, 0, 2]), np.array([1, 1, 3])),
    (np.array([0, 0]), slice(None), np.array([1, 1])),
    np.arange(24).reshape(SHAPE) % 3 == 0,
    np.zeros(0, int),
]


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_index_add_adds_up_what_repeats(index: Any) -> None:
    values = np.random.default_rng(0).standard_normal(np.zeros(SHAPE)[index].shape)
    expected = np.zeros(SHAPE)
    np.add.at(expected, index, values)
    x = Tensor(np.zeros(SHAPE), requires_grad=True)
    picked(x, index).backward(Tensor(values))
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), expected, rtol=1e-14)
    general = Backend(array_api_strict)
    found = general.index_add(SHAPE, index, array_api_strict.asarray(values))
    np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("axis", "length", "step", "spacing"),
    [(0, 2, 1, 1), (1, 2, 2, 2), (2, 1, 1, 1), (1, 4, 3, 1)],
)
def test_windows_hold_the_elements_that_they_say(
    axis: int, length: int, step: int, spacing: int
) -> None:
    x = np.random.default_rng(0).standard_normal((4, 5, 3)).transpose(2, 1, 0)[::-1]
    seen = Backend(array_api_strict).windows(
        array_api_strict.asarray(x), axis, length, step, spacing
    )
    view = numpy_backend.windows(x, axis, length, step, spacing)
    assert np.shares_memory(view, x)
    np.testing.assert_array_equal(np.asarray(seen), view)
    for k, j in np.ndindex(*view.shape[axis : axis + 2]):
        np.testing.assert_array_equal(
            view.take(k, axis).take(j, axis), x.take(k * step + j * spacing, axis)
        )


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(3, 5), (2, 40, 70), (2, 3, 2000), (4, 0), (0, 3)], ids=str)
def test_sums_and_products_of_rows_are_those_of_the_general_way(
    shape: tuple[int, ...], dtype: str
) -> None:
    draw = np.random.default_rng(0)
    x, y = (draw.standard_normal(shape).astype(dtype) for _ in range(2))
    tolerance = {"float16": 2e-2, "float32": 1e-5, "float64": 1e-12}[dtype]
    for strided in (x, np.asfortranarray(x)):
        sums, dots = numpy_backend.row_sums(strided), numpy_backend.row_dots(strided, y)
        assert sums.shape == dots.shape == (*shape[:-1], 1)
        assert sums.dtype == dots.dtype == x.dtype
        wide = x.astype("float64"), y.astype("float64")
        general = Backend(array_api_strict)
        a, b = map(array_api_strict.asarray, wide)
        scale = max(1, shape[-1]) ** 0.5
        np.testing.assert_allclose(sums, np.asarray(general.row_sums(a)), atol=tolerance * scale)
        np.testing.assert_allclose(dots, np.asarray(general.row_dots(a, b)), atol=tolerance * scale)
        products = numpy_backend.row_products(strided, y)
        assert products.dtype == x.dtype
        np.testing.assert_allclose(
            products, np.asarray(general.row_products(a, b)), atol=tolerance * scale
        )


def test_rows_have_their_derivatives_in_a_recorded_pass() -> None:
    x, y = (
        Tensor(np.random.default_rng(s).standard_normal((2, 3)), requires_grad=True) for s in (0, 1)
    )
    for name, operands in (("row_sums", (x,)), ("row_dots", (x, y)), ("row_products", (x, y))):
        arrays = [operand.detach().numpy() for operand in operands]
        found = getattr(tensor_backend, name)(*operands)
        np.testing.assert_allclose(
            found.detach().numpy(), getattr(numpy_backend, name)(*arrays), rtol=1e-14
        )
        gradcheck(getattr(tensor_backend, name), operands)
