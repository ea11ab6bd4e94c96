"""What a backend adds to the array API standard: NumPy's way and the general one agree."""

from typing import Any

import array_api_strict
import numpy as np
import pytest

from demograd import Tensor
from demograd._backend import numpy_backend
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
