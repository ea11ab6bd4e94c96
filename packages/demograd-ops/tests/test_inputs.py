"""Every rule on every kind of input: data types, memory, emptiness, numbers, and to third order."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import demograd as dg
from demograd import Tensor, activations, linalg, operators, ops
from demograd.autograd import Function, grad
from demograd.ops._arguments import as_index
from demograd.ops._gathering import places_of
from demograd.ops._numpy import _ufuncs

rng = np.random.default_rng(11)


def spread(*shape: int, low: float = 0.1, high: float = 0.9) -> Any:
    """Values without ties, away from the kinks at whole numbers and halves."""
    size = int(np.prod(shape))
    values = low + (high - low) * (rng.permutation(size) + 0.3) / max(size, 1)
    return np.where(
        np.abs(values - np.round(values * 2) / 2) < 1e-3, values + 2e-3, values
    ).reshape(shape)


X, Y = spread(2, 3), spread(2, 3, low=0.15, high=0.97)
WIDE = spread(2, 3, low=-2.4, high=2.4)
MATRICES = spread(2, 3, 3, low=-0.5, high=0.5) + 1.5 * np.eye(3)
IMAGES = spread(2, 2, 4, 4, low=-1.0, high=1.0)
FILTERS = spread(3, 2, 2, 2, low=-1.0, high=1.0)
PLACES = Tensor(np.array([[2, 0, 2], [1, 1, 0]]))


@dataclass(frozen=True)
class Rule:
    """A use of a rule.

    Attributes:
        name: of the use.
        call: of tensors.
        arrays: its operands.
        kinds: ``n`` where it takes zero-dimensional operands, ``e`` where the first dimension of
            each operand may be empty.
        tolerances: by which values and gradients in half and in single precision may be off.
    """

    name: str
    call: Callable[..., Any]
    arrays: tuple[Any, ...]
    kinds: str = "e"
    tolerances: dict[str, float] = field(
        default_factory=lambda: {"float16": 1e-2, "float32": 1e-5, "float64": 1e-12}
    )


def elementwise(names: str, x: Any, owner: Any = ops) -> list[Rule]:
    return [Rule(name, getattr(owner, name), (x,), "ne") for name in names.split()]


def pairs(names: str, *arrays: Any, owner: Any = ops) -> list[Rule]:
    return [Rule(name, getattr(owner, name), arrays, "ne") for name in names.split()]


def put(x: Tensor, values: Tensor) -> Tensor:
    out = x * 1
    out[..., [0, 2]] = values[..., :2]
    return out


def symmetric(x: Tensor) -> Tensor:
    return x @ x.mT + dg.eye(3, dtype=x.dtype)


RULES = [
    *elementwise("""
        abs ceil cos cosh erf exp exp2 expm1 floor neg relu round sigmoid sign sin sinh square tan
        tanh trunc asinh atan
    """, WIDE),
    *elementwise("acos asin atanh log log10 log1p log2 reciprocal rsqrt sqrt", X),
    *elementwise("elu gelu leaky_relu silu softplus", WIDE, activations),
    Rule("acosh", lambda x: ops.acosh(x + 1), (X,), "ne"),
    Rule("gelu by tanh", lambda x: activations.gelu(x, "tanh"), (WIDE,), "ne"),
    Rule("cbrt", _ufuncs.cbrt, (X,), "ne"),
    *pairs("add sub mul div pow atan2 hypot logaddexp copysign maximum minimum", X, Y),
    Rule("fmod", _ufuncs.fmod, (WIDE, Y), "ne"),
    Rule("remainder", operators.remainder, (WIDE, Y), "ne"),
    Rule("pow of a number", lambda x: 2.0**x, (X,), "ne"),
    Rule("clamp", lambda x, low, high: ops.clamp(x, low, high), (WIDE, -Y, Y), "ne"),
    Rule("where", lambda x, y: ops.where(Tensor(WIDE > 0)[: len(x)], x, y), (X, Y)),
    Rule("cast", lambda x: x.to("float32" if x.dtype == "float64" else "float64").to(x.dtype),
         (X.astype("float32").astype("float64"),), "ne"),
    Rule("clone", lambda x: x.clone(), (X,), "ne"),
    *[Rule(name, lambda x, n=name: getattr(ops, n)(x, 1), (WIDE,)) for name in
        "sum mean amax amin prod var std logsumexp softmax log_softmax cumsum cumprod".split()],
    Rule("sum of all", ops.sum, (WIDE,), "ne"),
    Rule("mean of all", ops.mean, (WIDE,), "n"),
    Rule("max", lambda x: ops.max(x, 1).values, (WIDE,)),
    Rule("min", lambda x: ops.min(x, 1).values, (WIDE,)),
    Rule("norm", lambda x: ops.norm(x, 2, 1), (WIDE,)),
    Rule("norm 3", lambda x: ops.norm(x, 3, 1), (WIDE,)),
    Rule("matmul", ops.matmul, (MATRICES, MATRICES[:, :, :2])),
    Rule("einsum", lambda x, y: ops.einsum("bij,bik->bjk", x, y), (MATRICES, MATRICES)),
    Rule("cat", lambda x, y: ops.cat([x, y], 1), (X, Y)),
    Rule("stack", lambda x, y: ops.stack([x, y], 1), (X, Y)),
    Rule("split", lambda x: ops.split(x, [1, 2], 1), (X,)),
    Rule("unbind", lambda x: ops.unbind(x, 1), (X,)),
    Rule("reshape", lambda x: x.reshape(x.shape[0], 1, -1), (X,), ""),
    Rule("permute", lambda x: x.permute(1, 0), (X,)),
    Rule("expand", lambda x: x[..., None].expand(-1, -1, 4), (X,)),
    Rule("pad", lambda x: ops.pad(x, (1, 2)), (X,)),
    Rule("pad reflect", lambda x: ops.pad(x[None], (1, 2), "reflect"), (X,), ""),
    Rule("flip", lambda x: ops.flip(x, (1,)), (X,)),
    Rule("roll", lambda x: ops.roll(x, 1, 1), (X,)),
    Rule("repeat", lambda x: x.repeat(2, 3), (X,)),
    Rule("index", lambda x: x[:, [0, 2, 0]], (X,)),
    Rule("index of slices", lambda x: x[..., ::-2], (X,)),
    Rule("index by a mask", lambda x: x[Tensor(WIDE > 0)], (X,), ""),
    Rule("index_add", lambda x: ops.index_select(x, 1, Tensor([1, 1, 0])), (X,)),
    Rule("gather", lambda x: ops.gather(x, 1, PLACES[: len(x)]), (X,)),
    Rule("scatter", lambda x, y: ops.scatter(x, 1, PLACES[: len(x), :2], y), (X, Y)),
    Rule("scatter_add", lambda x, y: ops.scatter_add(x, 1, PLACES[: len(x)], y), (X, Y)),
    Rule("put", put, (X, Y)),
    Rule("sort", lambda x: ops.sort(x, 1).values, (X,)),
    Rule("topk", lambda x: ops.topk(x, 2, 1).values, (X,)),
    Rule("tril", ops.tril, (MATRICES,)),
    Rule("triu", ops.triu, (MATRICES,)),
    Rule("diagonal", lambda x: ops.diagonal(x, 1, 1, 2), (MATRICES,)),
    Rule("diag", lambda x: ops.diag(x.reshape(-1)), (X,)),
    Rule("conv2d", lambda x, w: ops.conv2d(x, w, stride=2, padding=1), (IMAGES, FILTERS), ""),
    Rule("max_pool2d", lambda x: ops.max_pool2d(x, 2), (IMAGES,), ""),
    Rule("avg_pool2d", lambda x: ops.avg_pool2d(x, 2, 1, 1), (IMAGES,), ""),
    Rule("cholesky", lambda x: linalg.cholesky(symmetric(x)), (MATRICES,)),
    Rule("det", linalg.det, (MATRICES,)),
    Rule("inv", linalg.inv, (MATRICES,)),
    Rule("slogdet", lambda x: linalg.slogdet(x).logabsdet, (MATRICES,)),
    Rule("solve", linalg.solve, (MATRICES, MATRICES[:, :, :2])),
]  # fmt: skip
every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)


def outputs(rule: Rule, xs: list[Tensor]) -> list[Tensor]:
    out = rule.call(*xs)
    return [y for y in (out if isinstance(out, (tuple, list)) else (out,)) if y.requires_grad]


def leaves(arrays: Any) -> list[Tensor]:
    return [Tensor(a, requires_grad=True) for a in arrays]


def weighted(outs: list[Tensor]) -> Any:
    """A number that depends on each element in a way of its own."""
    total: Any = 0.0
    for y in outs:
        weights = np.linspace(0.5, 1.5, y.numel()).reshape(y.shape).astype(y.dtype)
        total = total + (y * Tensor(weights)).sum()
    return total


def value_and_gradients(rule: Rule, arrays: Any) -> tuple[list[Any], list[Any]]:
    xs = leaves(arrays)
    outs = outputs(rule, xs)
    weighted(outs).backward()
    for x in xs:
        assert x.grad is not None
        assert (x.grad.shape, x.grad.dtype) == (x.shape, x.dtype)
    return [y.detach().numpy() for y in outs], [x.grad.numpy() for x in xs if x.grad is not None]


@every_rule
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_value_and_gradients_keep_the_data_type_and_are_those_of_double_precision(
    rule: Rule, dtype: str
) -> None:
    arrays = [a.astype(dtype) for a in rule.arrays]
    values, slopes = value_and_gradients(rule, arrays)
    exact_values, exact_slopes = value_and_gradients(rule, [a.astype("float64") for a in arrays])
    tolerance = rule.tolerances[dtype]
    for found, exact in zip(values + slopes, exact_values + exact_slopes, strict=True):
        assert found.dtype == dtype
        np.testing.assert_allclose(found, exact, rtol=tolerance, atol=tolerance)


def every_other(a: Any) -> Any:
    return np.repeat(a, 2, axis=-1)[..., ::2]


def backwards(a: Any) -> Any:
    return np.ascontiguousarray(a[::-1, ..., ::-1])[::-1, ..., ::-1]


def read_only(a: Any) -> Any:
    copy = a.copy()
    copy.flags.writeable = False
    return copy


LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "every other element": every_other,
    "backwards": backwards,
    "columns first": np.asfortranarray,
    "repeated": lambda a: np.broadcast_to(a[:1], a.shape),
    "read-only": read_only,
    "big-endian": lambda a: a.astype(">f8"),
}


@every_rule
@pytest.mark.parametrize("layout", LAYOUTS)
def test_value_and_gradients_do_not_depend_on_memory(rule: Rule, layout: str) -> None:
    arrays = [LAYOUTS[layout](a) for a in rule.arrays]
    before = [a.copy() for a in arrays]
    found = value_and_gradients(rule, arrays)
    expected = value_and_gradients(rule, [a.astype("float64").copy(order="C") for a in before])
    for ours, plain in zip(found[0] + found[1], expected[0] + expected[1], strict=True):
        assert ours.dtype.isnative
        np.testing.assert_allclose(ours, plain, rtol=1e-13, atol=1e-14)
    for array, old in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, old)


@pytest.mark.parametrize("rule", [r for r in RULES if "e" in r.kinds], ids=lambda rule: rule.name)
def test_no_elements_give_no_elements_and_no_gradients(rule: Rule) -> None:
    values, slopes = value_and_gradients(rule, [a[:0] for a in rule.arrays])
    for slope in slopes:
        assert slope.size == 0
    # A sum over nothing is zero; all else is as empty as what it is made of.
    assert all(v.size == 0 for v in values) or rule.name == "sum of all"


@pytest.mark.parametrize("rule", [r for r in RULES if "n" in r.kinds], ids=lambda rule: rule.name)
def test_a_number_has_value_and_gradient_of_one_element(rule: Rule) -> None:
    for take in (lambda a: a[0, 1], lambda a: np.asarray(a[0, 1])):
        values, slopes = value_and_gradients(rule, [take(a) for a in rule.arrays])
        plain, plain_slopes = value_and_gradients(rule, [a[:1, 1:2] for a in rule.arrays])
        assert all(v.shape == () for v in values + slopes)
        # With one element the weights are the first ones, in both.
        np.testing.assert_allclose(values, [v.reshape(()) for v in plain], rtol=1e-14)
        np.testing.assert_allclose(slopes, [s.reshape(()) for s in plain_slopes], rtol=1e-14)


def second_slope(rule: Rule, xs: list[Tensor], directions: list[Any]) -> Any:
    """The second derivative of a weighted sum along two directions, as a number."""
    outs = outputs(rule, xs)
    total = weighted([y * y for y in outs])
    for direction in directions:
        if not total.requires_grad:
            return Tensor(0.0)  # flat between its steps
        slopes = grad(total, xs, create_graph=True, materialize_grads=True)
        total = sum(
            (g * Tensor(d)).sum() for g, d in zip(slopes, direction, strict=True) if g is not None
        )
    return total


@every_rule
def test_the_third_derivative_agrees_with_differences(rule: Rule) -> None:
    u, v, w = ([rng.uniform(-1, 1, a.shape) for a in rule.arrays] for _ in range(3))
    step = 1e-5
    ends = [
        second_slope(
            rule, leaves([a + sign * step * d for a, d in zip(rule.arrays, w, strict=True)]), [u, v]
        )
        for sign in (1, -1)
    ]
    expected = (ends[0].item() - ends[1].item()) / (2 * step)
    xs = leaves(rule.arrays)
    second = second_slope(rule, xs, [u, v])
    if not second.requires_grad:
        assert abs(expected) < 1e-6
        return
    found = grad(second, xs, materialize_grads=True)
    along = sum((g.numpy() * d).sum() for g, d in zip(found, w, strict=True) if g is not None)
    assert along == pytest.approx(expected, rel=1e-4, abs=1e-4 * max(1.0, abs(second.item())))


# Rules of integers have no derivative.
WITHOUT = {"ArgMax", "ArgMin", "ArgSort"}


def nodes(tensors: list[Tensor]) -> set[str]:
    seen: set[Any] = set()
    waiting = [x.grad_fn for x in tensors]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Function) and node not in seen:
            seen.add(node)
            waiting += node.next_functions
    return {node.name for node in seen}


def test_each_rule_is_in_the_table() -> None:
    used: set[str] = set()
    for rule in RULES:
        xs = leaves(rule.arrays)
        outs = outputs(rule, xs)
        total = weighted([y * y for y in outs])
        slopes = grad(total, xs, create_graph=True, materialize_grads=True)
        used |= nodes([total, *[g for g in slopes if g is not None]])
    rules = {
        value.__name__
        for module in (operators, ops, activations, linalg, _ufuncs)
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Function) and value is not Function
    }
    assert sorted(rules - used - WITHOUT) == []


# Sizes beyond 2**31: places are computed in 64 bits, and nothing of that size is allocated.

HUGE = 2**33


def huge(*shape: int) -> Tensor:
    """A tensor of as many elements, which are all one."""
    return Tensor(np.broadcast_to(np.float32(1.5), shape))


@pytest.mark.parametrize(("call", "shape"), [
    (lambda x: x[-1], ()),
    (lambda x: x[HUGE - 3 : HUGE - 1], (2,)),
    (lambda x: x[[0, HUGE - 1, -1]], (3,)),
    (lambda x: x[Tensor([HUGE - 1])], (1,)),
    (lambda x: ops.gather(x, 0, Tensor([HUGE - 1, 0])), (2,)),
    (lambda x: x[HUGE - 2 :], (2,)),
    (lambda x: x.reshape(2**16, 2**17)[2**16 - 1, 2**17 - 1], ()),
    (lambda x: x.reshape(2**16, 2**17).permute(1, 0)[5], (2**16,)),
    (lambda x: ops.split(x, HUGE // 2)[1][-1], ()),
    (lambda x: ops.unflatten(x, 0, (2**11, -1, 2**11)).shape, None),
    (lambda x: np.take(x, [HUGE - 1]), (1,)),
    (lambda x: ops.take_along_dim(x, Tensor([HUGE - 1]), 0), (1,)),
])  # fmt: skip
def test_places_beyond_32_bits_are_reached(call: Any, shape: Any) -> None:
    x = huge(HUGE)
    assert x.numel() == HUGE
    assert x.nbytes == 4 * HUGE
    out = call(x)
    if shape is None:
        assert out == (2**11, 2**11, 2**11)
    else:
        assert out.shape == shape
        assert set(np.unique(out.numpy())) == {1.5}


@pytest.mark.parametrize("dtype", ["int8", "int32", "uint8", "int64"])
def test_small_index_types_are_widened_before_places_are_computed(dtype: str) -> None:
    x = dg.arange(300 * 3.0).reshape(300, 3).requires_grad_()
    index = Tensor(np.array([[1, 2, 0]] * 100, dtype=dtype))
    out = ops.gather(x, 1, index)
    assert out.grad_fn is not None
    kept = [
        a for a in vars(out.grad_fn).values() if isinstance(a, np.ndarray) and a.dtype.kind == "i"
    ]
    kept += [
        a for a in out.grad_fn.saved_tensors if isinstance(a, np.ndarray) and a.dtype.kind == "i"
    ]
    assert kept
    assert all(a.dtype == np.int64 for a in kept)
    out.sum().backward()
    assert x.grad is not None
    assert x.grad.numpy()[:100].min() == 1.0
    rows = Tensor(np.array([100, 127, 0], dtype=dtype))
    y = (x * 1)[rows]
    (y * y).sum().backward()
    assert x.grad.numpy()[127].tolist() == [762.0, 764.0, 766.0]


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_a_place_in_the_flat_array_is_computed_in_64_bits(dtype: str) -> None:
    # Of 2**16 rows of 2**17 numbers each: as gather and scatter compute it.
    index = as_index("gather", Tensor(np.array([[2**16 - 1, 0, 1]], dtype=dtype)))
    places = places_of(Function.xp, (2**16, 2**17), index.data, 0)
    assert places.tolist() == [[(2**16 - 1) * 2**17, 1, 2**17 + 2]]
    columns = as_index("gather", Tensor(np.zeros((2**16, 1), dtype=dtype)))
    assert places_of(Function.xp, (2**16, 2**17), columns.data, 1)[-1].tolist() == [2**33 - 2**17]
