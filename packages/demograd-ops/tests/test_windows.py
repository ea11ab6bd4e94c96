"""Convolution and pooling: values against loops, derivatives against differences."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import demograd as dg
from demograd import Tensor, ops
from demograd.autograd import grad, gradcheck, gradgradcheck

Pair = tuple[int, int]


def windows_of(
    x: Any, size: Pair, stride: Pair, padding: Any, dilation: Pair, fill: float, counts: Any = None
) -> Any:
    """Each window of images, by loops: (N, C, rows, columns, kh, kw)."""
    x = np.pad(x, ((0, 0), (0, 0), *padding), constant_values=fill)
    spans = [d * (k - 1) + 1 for d, k in zip(dilation, size, strict=True)]
    if counts is None:
        counts = [(n - s) // t + 1 for n, s, t in zip(x.shape[2:], spans, stride, strict=True)]
    out = np.full((*x.shape[:2], *counts, *size), fill)
    for h, w, i, j in np.ndindex(*counts, *size):
        row, column = h * stride[0] + i * dilation[0], w * stride[1] + j * dilation[1]
        if row < x.shape[2] and column < x.shape[3]:
            out[:, :, h, w, i, j] = x[:, :, row, column]
    return out


def conv_by_loops(
    x: Any, w: Any, b: Any, stride: Pair, padding: Any, dilation: Pair, groups: int
) -> Any:
    seen = windows_of(x, w.shape[2:], stride, padding, dilation, 0.0)
    outs = []
    for o in range(w.shape[0]):
        own = o // (w.shape[0] // groups) * w.shape[1]
        channels = seen[:, own : own + w.shape[1]]
        outs.append((channels * w[o][:, None, None]).sum((1, 4, 5)) + b[o])
    return np.stack(outs, 1)


@st.composite
def convolutions(draw: Any, largest: int) -> dict[str, Any]:
    """Settings of a convolution, and the shapes of its operands."""
    few = st.integers(1, 3)
    groups = draw(st.integers(1, 2))
    size = (draw(few), draw(few))
    stride, dilation = (draw(few), draw(few)), (draw(st.integers(1, 2)), draw(st.integers(1, 2)))
    padding = (draw(st.integers(0, 2)), draw(st.integers(0, 2)))
    lengths = (draw(st.integers(1, largest)), draw(st.integers(1, largest)))
    for n, p, d, k in zip(lengths, padding, dilation, size, strict=True):
        assume(n + 2 * p >= d * (k - 1) + 1)
    channels, outputs = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    return {
        "x": (draw(st.integers(0, 2)), groups * channels, *lengths),
        "w": (groups * outputs, channels, *size),
        "b": (groups * outputs,),
        "settings": {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups},
    }


def operands(drawn: dict[str, Any], seed: int = 0) -> list[Any]:
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(drawn[name]) for name in "xwb"]


@given(drawn=convolutions(7), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_a_convolution_has_the_value_of_loops(drawn: Any, seed: int) -> None:
    x, w, b = operands(drawn, seed)
    how = drawn["settings"]
    around = tuple((p, p) for p in how["padding"])
    expected = conv_by_loops(x, w, b, how["stride"], around, how["dilation"], how["groups"])
    out = ops.conv2d(Tensor(x), Tensor(w), Tensor(b), **how)
    assert out.shape == expected.shape
    np.testing.assert_allclose(out.numpy(), expected, rtol=1e-10, atol=1e-10)


@given(drawn=convolutions(4))
@settings(max_examples=12, deadline=None)
def test_a_convolution_differentiates(drawn: Any) -> None:
    tensors = [Tensor(x, requires_grad=True) for x in operands(drawn)]
    gradcheck(lambda *xs: ops.conv2d(*xs, **drawn["settings"]), tensors)


CONVOLUTIONS: list[tuple[str, dict[str, Any], tuple[int, ...], tuple[int, ...]]] = [
    ("plain", {}, (2, 2, 3, 3), (2, 2, 2, 2)),
    ("padded", {"padding": 1}, (1, 1, 3, 2), (2, 1, 3, 2)),
    ("strided", {"stride": 2, "padding": (1, 0)}, (1, 2, 4, 3), (1, 2, 2, 2)),
    ("dilated", {"dilation": (2, 1)}, (1, 1, 4, 3), (1, 1, 2, 2)),
    ("dilated and strided", {"dilation": 2, "stride": 2}, (1, 1, 5, 5), (1, 1, 2, 2)),
    ("grouped", {"groups": 2}, (2, 2, 3, 2), (4, 1, 2, 2)),
    ("of size one", {}, (2, 2, 2, 2), (3, 2, 1, 1)),
    ("step beyond the window", {"stride": 3}, (1, 1, 5, 5), (1, 1, 2, 2)),
    ("same", {"padding": "same"}, (1, 1, 3, 3), (1, 1, 2, 3)),
]
POOLINGS: list[tuple[str, Any]] = [
    ("max", lambda x: ops.max_pool2d(x, 2)),
    ("max overlapping", lambda x: ops.max_pool2d(x, 3, 1, 1)),
    ("max dilated", lambda x: ops.max_pool2d(x, 2, 1, 0, (1, 2))),
    ("max rounded up", lambda x: ops.max_pool2d(x, 2, 3, 1, ceil_mode=True)),
    ("avg", lambda x: ops.avg_pool2d(x, 2)),
    ("avg overlapping", lambda x: ops.avg_pool2d(x, 3, 1, 1)),
    ("avg without padding", lambda x: ops.avg_pool2d(x, 2, 1, 1, count_include_pad=False)),
    ("avg rounded up", lambda x: ops.avg_pool2d(x, (2, 3), 2, 1, ceil_mode=True)),
    ("avg with a divisor", lambda x: ops.avg_pool2d(x, 2, divisor_override=3)),
]


def cases() -> list[Any]:
    """Every kind of convolution and pooling, with operands without ties."""
    rng = np.random.default_rng(0)
    found = []
    for name, how, x, w in CONVOLUTIONS:
        arrays = [rng.standard_normal(shape) for shape in (x, w, w[:1])]
        function: Any = lambda *xs, how=how: ops.conv2d(*xs, **how)  # noqa: E731
        found.append(pytest.param(function, arrays, id=f"conv {name}"))
    for name, function in POOLINGS:
        image = rng.permutation(32).reshape(1, 2, 4, 4) / 8 - 2.0
        found.append(pytest.param(function, [image], id=f"pool {name}"))
    return found


every_case = pytest.mark.parametrize(("function", "arrays"), cases())


@every_case
def test_first_and_second_derivative_agree_with_differences(function: Any, arrays: Any) -> None:
    tensors = [Tensor(x, requires_grad=True) for x in arrays]
    gradcheck(function, tensors)
    gradgradcheck(function, tensors)


def derivatives(function: Any, tensors: list[Tensor]) -> list[Any]:
    """The value, and the derivatives of the sum of its squares up to the third."""
    found = [function(*tensors)]
    total = (found[0] * found[0] * found[0]).sum()
    for _ in range(3):
        slopes = grad(total, tensors, create_graph=True, materialize_grads=True)
        found += slopes
        total = (slopes[0] * slopes[0]).sum()
        for x in slopes[1:]:
            assert x is not None
            total = total + (x * x).sum()
    return [np.asarray(x.detach().data) for x in found]


@every_case
def test_the_rules_run_on_another_array_library_to_third_order(function: Any, arrays: Any) -> None:
    library = pytest.importorskip("array_api_strict", reason="array-api-strict is not installed")
    expected = derivatives(function, [Tensor(x, requires_grad=True) for x in arrays])
    found = derivatives(function, [Tensor(library.asarray(x), requires_grad=True) for x in arrays])
    for ours, numpys in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, numpys, rtol=1e-9, atol=1e-9)


@every_case
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_value_and_gradient_keep_the_data_type(function: Any, arrays: Any, dtype: str) -> None:
    tensors = [Tensor(x.astype(dtype), requires_grad=True) for x in arrays]
    out = function(*tensors)
    out.sum().backward()
    assert out.dtype == dtype
    exact = function(*map(Tensor, arrays)).numpy()
    tolerance = {"float16": 2e-2, "float32": 1e-5, "float64": 1e-12}[dtype]
    np.testing.assert_allclose(out.detach().numpy(), exact, rtol=tolerance, atol=tolerance)
    for x in tensors:
        assert x.grad is not None
        assert (x.grad.dtype, x.grad.shape) == (np.dtype(dtype), x.shape)


@every_case
def test_images_may_lie_in_memory_in_any_order(function: Any, arrays: Any) -> None:
    expected = derivatives(function, [Tensor(x, requires_grad=True) for x in arrays])

    def strange(x: Any) -> list[Any]:
        read_only = x.copy()
        read_only.flags.writeable = False
        return [np.flip(np.flip(x).copy()), x.T.copy().T, read_only]

    for variants in zip(*map(strange, arrays), strict=True):
        found = derivatives(function, [Tensor(x, requires_grad=True) for x in variants])
        for ours, straight in zip(found, expected, strict=True):
            np.testing.assert_allclose(ours, straight, rtol=1e-10, atol=1e-10)


@every_case
def test_an_image_without_a_batch_is_one_image(function: Any, arrays: Any) -> None:
    image, *others = arrays
    tensors = [Tensor(x) for x in others]
    alone = function(Tensor(image[0]), *tensors)
    together = function(Tensor(image[:1]), *tensors)
    np.testing.assert_array_equal(alone.numpy(), together.numpy()[0])


@every_case
def test_an_empty_batch_gives_an_empty_batch(function: Any, arrays: Any) -> None:
    image, *others = arrays
    tensors = [Tensor(x, requires_grad=True) for x in (image[:0], *others)]
    out = function(*tensors)
    assert out.shape == (0, *function(*map(Tensor, arrays)).shape[1:])
    out.sum().backward()
    for x in tensors:
        assert x.grad is not None
        assert x.grad.shape == x.shape
        assert not x.grad.numpy().any()


@every_case
def test_nothing_is_computed_for_what_needs_no_gradient(function: Any, arrays: Any) -> None:
    for wanted in range(len(arrays)):
        tensors = [Tensor(x, requires_grad=i == wanted) for i, x in enumerate(arrays)]
        whole = [Tensor(x, requires_grad=True) for x in arrays]
        function(*tensors).sum().backward()
        function(*whole).sum().backward()
        for i, (x, y) in enumerate(zip(tensors, whole, strict=True)):
            assert (x.grad is not None) == (i == wanted)
            if x.grad is not None and y.grad is not None:
                np.testing.assert_array_equal(x.grad.numpy(), y.grad.numpy())


@st.composite
def poolings(draw: Any) -> dict[str, Any]:
    size = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    padding = tuple(draw(st.integers(0, k // 2)) for k in size)
    shape = (1, draw(st.integers(1, 2)), draw(st.integers(3, 7)), draw(st.integers(3, 7)))
    stride = (draw(st.integers(1, 4)), draw(st.integers(1, 4)))
    return {"size": size, "stride": stride, "padding": padding, "shape": shape}


def whole_windows(drawn: Any, ceil: bool) -> tuple[int, int]:
    """How many windows there are: with ``ceil`` also those that end beyond the padding."""
    counts = []
    for n, k, t, p in zip(
        drawn["shape"][2:], drawn["size"], drawn["stride"], drawn["padding"], strict=True
    ):
        starts = range(-p, n + p, t)
        ends_inside = [s for s in starts if s + k <= n + p]
        begins_inside = [s for s in starts if s < n and (s - t + k < n + p or s == -p)]
        counts.append(len(begins_inside if ceil else ends_inside))
    return counts[0], counts[1]


@given(drawn=poolings(), seed=st.integers(0, 99), ceil=st.booleans())
@settings(max_examples=60, deadline=None)
def test_max_pooling_has_the_value_of_loops(drawn: Any, seed: int, ceil: bool) -> None:
    x = np.random.default_rng(seed).standard_normal(drawn["shape"])
    around = [(p, p) for p in drawn["padding"]]
    counts = whole_windows(drawn, ceil)
    seen = windows_of(x, drawn["size"], drawn["stride"], around, (1, 1), -np.inf, counts)
    out = ops.max_pool2d(
        Tensor(x), drawn["size"], drawn["stride"], drawn["padding"], ceil_mode=ceil
    )
    np.testing.assert_array_equal(out.numpy(), seen.max((-1, -2)))


@given(drawn=poolings(), seed=st.integers(0, 99), ceil=st.booleans(), count=st.booleans())
@settings(max_examples=60, deadline=None)
def test_avg_pooling_has_the_value_of_loops(drawn: Any, seed: int, ceil: bool, count: bool) -> None:
    x = np.random.default_rng(seed).standard_normal(drawn["shape"])
    around = [(p, p) for p in drawn["padding"]]
    counts = whole_windows(drawn, ceil)
    how = drawn["size"], drawn["stride"]
    seen = windows_of(x, *how, around, (1, 1), 0.0, counts)
    # What counts as an element: the image, and the padding if it is asked for.
    ones = np.ones_like(x)
    if count:
        ones = np.pad(ones, ((0, 0), (0, 0), *around), constant_values=1.0)
        number = windows_of(ones, *how, [(0, 0)] * 2, (1, 1), 0.0, counts).sum((-1, -2))
    else:
        number = windows_of(ones, *how, around, (1, 1), 0.0, counts).sum((-1, -2))
    out = ops.avg_pool2d(Tensor(x), *how, drawn["padding"], ceil, count)
    np.testing.assert_allclose(out.numpy(), seen.sum((-1, -2)) / number, rtol=1e-12, atol=1e-12)


def test_the_first_of_equal_elements_takes_the_gradient() -> None:
    x = dg.ones(1, 1, 2, 4, requires_grad=True)
    ops.max_pool2d(x, 2).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[[[1.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0]]]]


def test_a_nan_is_the_largest_and_takes_the_gradient() -> None:
    x = Tensor([[[[1.0, 3.0], [np.nan, 2.0]]]], requires_grad=True)
    out = ops.max_pool2d(x, 2)
    assert np.isnan(out.item())
    out.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[[[0.0, 0.0], [1.0, 0.0]]]]


def test_many_elements_in_a_window_are_told_apart() -> None:
    x = Tensor(np.arange(400.0).reshape(1, 1, 20, 20), requires_grad=True)
    ops.max_pool2d(x, 20).sum().backward()
    assert x.grad is not None
    assert x.grad.numpy().reshape(-1).nonzero()[0].tolist() == [399]


def test_max_pooling_takes_integers() -> None:
    x = Tensor(-np.arange(1, 10).reshape(1, 1, 3, 3))
    assert ops.max_pool2d(x, 3, 2, 1).tolist() == [[[[-1, -2], [-4, -5]]]]


def test_an_odd_padding_adds_at_the_end() -> None:
    x, w = Tensor([[[[1.0, 2.0, 3.0]]]]), Tensor([[[[1.0, 10.0]]]])
    assert ops.conv2d(x, w, padding="same").tolist() == [[[[21.0, 32.0, 3.0]]]]
    assert ops.conv2d(x, w, padding="valid").tolist() == [[[[21.0, 32.0]]]]


def test_operands_of_a_convolution_are_promoted() -> None:
    x, w = Tensor(np.ones((1, 1, 2, 2), int)), Tensor(np.ones((1, 1, 2, 2), "float32"))
    assert ops.conv2d(x, w).dtype == dg.float32
    assert ops.conv2d(x, w).item() == 4.0


def test_what_follows_keeps_the_memory_in_order_for_the_next_layer() -> None:
    x = Tensor(np.random.default_rng(0).standard_normal((8, 2, 6, 6)))
    out = ops.max_pool2d(ops.relu(ops.conv2d(x, dg.ones(3, 2, 3, 3, dtype=dg.float64))), 2)
    assert out.data.transpose(2, 1, 3, 0).flags.c_contiguous


def test_a_window_in_the_padding_altogether_gives_no_gradient_to_the_image() -> None:
    x = dg.ones(1, 1, 3, 1, requires_grad=True)
    out = ops.max_pool2d(x, 2, stride=1, padding=1, dilation=2)
    assert out.tolist() == [[[[-np.inf], [-np.inf], [-np.inf]]]]
    out.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[[[0.0], [0.0], [0.0]]]]
