"""Under ``dg.debug`` the named functions say what made a NaN; ``dg.explain`` what made a zero."""

import math

import numpy as np
import pytest

import demograd as dg
from demograd.errors import NonFiniteOperationError

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def leaf(*values):
    return dg.tensor(list(values), requires_grad=True)


FORWARD = {
    "log": (lambda: dg.log(leaf(0.0)), "Log: made -inf", "log(0) = -inf"),
    "log2": (lambda: dg.log2(leaf(-1.0)), "Log2: made nan", "log2(-1) = nan"),
    "log10": (lambda: dg.log10(leaf(0.0)), "Log10: made -inf", "log10(0) = -inf"),
    "log1p": (lambda: dg.log1p(leaf(-1.0)), "Log1p: made -inf", "log1p(-1) = -inf"),
    "sqrt": (lambda: dg.sqrt(leaf(-4.0)), "Sqrt: made nan", "sqrt(-4) = nan"),
    "rsqrt": (lambda: dg.rsqrt(leaf(0.0)), "Rsqrt: made inf", "rsqrt(0) = inf"),
    "reciprocal": (lambda: dg.reciprocal(leaf(0.0)), "Reciprocal: made inf", "1 / 0 = inf"),
    "exp": (lambda: dg.exp(leaf(89.0)), "Exp: made inf", "exp(89) = inf here: it overflows"),
    "exp2": (lambda: dg.exp2(leaf(129.0)), "Exp2: made inf", "exp2(129) = inf here: it overflows"),
    "expm1": (lambda: dg.expm1(leaf(89.0)), "Expm1: made inf", "expm1(89) = inf here"),
    "cosh": (lambda: dg.cosh(leaf(-90.0)), "Cosh: made inf", "cosh(-90) = inf here"),
    "sinh": (lambda: dg.sinh(leaf(-90.0)), "Sinh: made -inf", "sinh(-90) = -inf here"),
    "square": (lambda: dg.square(leaf(1e20)), "Square: made inf", "1e+20 * 1e+20 = inf here"),
    "asin": (lambda: dg.asin(leaf(1.5)), "Asin: made nan", "asin(1.5) = nan: it is defined from"),
    "acos": (lambda: dg.acos(leaf(-2.0)), "Acos: made nan", "acos(-2) = nan: it is defined from"),
    "atanh": (lambda: dg.atanh(leaf(1.0)), "Atanh: made inf", "atanh(1) = inf"),
    "acosh": (
        lambda: dg.acosh(leaf(0.5)),
        "Acosh: made nan",
        "acosh(0.5) = nan: it is not defined",
    ),
    "softmax of a masked row": (
        lambda: dg.softmax(leaf(-math.inf, -math.inf), 0),
        "Softmax: made nan",
        "softmax of nothing but -inf: every element along the dimension is masked",
    ),
    "log_softmax of a masked row": (
        lambda: dg.log_softmax(leaf(-math.inf, -math.inf), 0),
        "LogSoftmax: made nan",
        "log_softmax of nothing but -inf",
    ),
    "variance of one": (lambda: leaf(3.0).var(), "Var: made nan", "the variance of one element"),
    "deviation of one": (lambda: leaf(3.0).std(), "Std: made nan", "the variance of one element"),
    "logsumexp of nothing": (
        lambda: dg.logsumexp(dg.zeros(0, 2), 0),
        "LogSumExp: made -inf",
        "the logarithm of a sum of no elements is -inf",
    ),
    "a window of padding": (
        lambda: dg.max_pool2d(dg.ones(1, 1, 3, 1), 2, stride=1, padding=1, dilation=2),
        "MaxPool2d: made -inf",
        "a window lies in the padding altogether",
    ),
    "prod": (lambda: leaf(1e30, 1e30).prod(), "Prod: made inf", "Prod gives more than the largest"),
}


@pytest.mark.parametrize("case", FORWARD)
def test_a_function_that_makes_it_is_named_with_the_reason(case):
    function, headline, reason = FORWARD[case]
    with dg.debug(), pytest.raises(NonFiniteOperationError) as e:
        function()
    assert str(e.value).startswith(headline)
    assert f"\n  there: {reason}" in str(e.value)


BACKWARD = {
    "sqrt": (dg.sqrt, 0.0, "the slope of sqrt at 0 is infinite"),
    "asin": (dg.asin, 1.0, "the slope of asin at 1 is infinite"),
    "acos": (dg.acos, -1.0, "the slope of acos at -1 is infinite"),
    "acosh": (dg.acosh, 1.0, "the slope of acosh at 1 is infinite"),
}


@pytest.mark.parametrize("case", BACKWARD)
def test_a_slope_that_is_infinite_is_named(case):
    function, at, reason = BACKWARD[case]
    with dg.debug():
        y = function(leaf(at, 1.25 if case == "acosh" else 0.25)).sum()
        with pytest.raises(NonFiniteOperationError) as e:
            y.backward()
    assert f"\n  there: {reason}\n" in str(e.value)


def attention(scores, mask):
    return dg.softmax(scores.masked_fill(mask, -math.inf), -1)


def test_attention_with_a_mask_of_minus_infinity_passes_forward_and_backward():
    scores = dg.tensor(np.ones((2, 3, 3)), requires_grad=True)
    with dg.debug():
        out = attention(scores, dg.tensor(np.triu(np.ones((3, 3), bool), 1)))
        (out * out).sum().backward()
        added = dg.softmax(scores + dg.triu(dg.full((3, 3), -math.inf), 1), -1)
        (added * added).sum().backward()
    assert np.isfinite(scores.grad.data).all()


def test_a_row_that_is_masked_whole_is_found():
    with dg.debug(), pytest.raises(NonFiniteOperationError) as e:
        attention(dg.zeros(2, 2), dg.tensor([[True, True], [False, False]]))
    assert str(e.value).splitlines()[0] == "Softmax: made nan out of inputs without nan."
    assert str(e.value).splitlines()[-1] == (
        "Leave one element of each row unmasked, or mask with -1e9."
    )


CHOSEN = {
    "pad": lambda: dg.pad(leaf(1.0), (1, 1), value=-math.inf),
    "pad with nan": lambda: dg.pad(leaf(1.0), (1, 1), value=math.nan),
    "clamp": lambda: dg.clamp(leaf(1.0), -math.inf, math.inf),
    "maximum": lambda: dg.maximum(leaf(1.0), -math.inf),
    "masked_fill": lambda: leaf(1.0).masked_fill(dg.tensor([True]), math.nan),
    "cat": lambda: dg.cat([leaf(1.0), dg.tensor([math.inf])]),
    "max_pool2d": lambda: dg.max_pool2d(dg.ones(1, 1, 4, 4), 3, padding=1),
    "sigmoid": lambda: dg.sigmoid(leaf(-1e4, 1e4)).sum().backward(),
    "logsumexp": lambda: dg.logsumexp(leaf(1e4, 1e4), 0).backward(),
    "sqrt of infinity": lambda: dg.sqrt(leaf(math.inf)),
}


@pytest.mark.parametrize("case", CHOSEN)
def test_what_somebody_chose_and_what_is_only_met_inside_passes(case):
    with dg.debug():
        CHOSEN[case]()


BLOCKED = {
    "ReLU: inactive: its inputs are not positive": lambda w: dg.relu(-w),
    "Sigmoid: saturated: so far out that its slope is 0": lambda w: dg.sigmoid(w * 1e3),
    "Tanh: saturated: so far out that its slope is 0": lambda w: dg.tanh(w * 1e3),
    "Clamp: outside the bounds, where it is flat": lambda w: dg.clamp(w, 5.0, 6.0),
    "Sign: a step function, whose slope is 0 everywhere": dg.sign,
    "Floor: a step function, whose slope is 0 everywhere": dg.floor,
    "Round: a step function, whose slope is 0 everywhere": dg.round,
    "Maximum: another is taken": lambda w: dg.maximum(w, 9.0),
    "Where: masked out": lambda w: w.masked_fill(dg.tensor([True, True]), 0.0),
    "Exp: e**x is so small that it is 0": lambda w: dg.exp(w * -1e3),
}


@pytest.mark.parametrize("reason", BLOCKED)
def test_what_lets_no_gradient_through_is_named(reason):
    w = leaf(1.0, 2.0)
    explanation = dg.explain(w, (BLOCKED[reason](w) * 3).sum())
    assert explanation.verdict == "not yet, and zero"
    assert f"{reason}, at 100 % of its elements" in explanation.facts


def test_the_share_of_dead_and_saturated_units_is_told():
    w = dg.tensor(np.linspace(-20.0, 20.0, 40, dtype="float32"), requires_grad=True)
    loss = (dg.relu(w) + dg.tanh(w)).sum()
    loss.backward(retain_graph=True)
    facts = dg.explain(w, loss).facts
    assert "ReLU: inactive: its inputs are not positive, at 50 % of its elements" in facts
    (tanh,) = [fact for fact in facts if fact.startswith("Tanh")]
    assert tanh.startswith("Tanh: saturated: so far out that its slope is 0, at ")


def test_an_index_that_was_computed_by_argmax_is_a_detour():
    w, table = leaf(1.0, 3.0), leaf(4.0, 5.0)
    with dg.debug():
        loss = table[dg.argmax(w)] * 2
    explanation = dg.explain(w, loss)
    assert explanation.verdict == "not reached"
    assert explanation.facts[1].startswith(
        "the values went into a plain array or number here: tensor of shape (), dtype int64, cut "
        "by use as an index at "
    )


def test_what_is_computed_from_argmax_is_cut():
    w, table = leaf(1.0, 3.0), leaf(4.0, 5.0)
    with dg.debug():
        loss = (dg.argmax(w) * table).sum()
    explanation = dg.explain(w, loss)
    assert explanation.verdict == "cut"
    assert "cut by ArgMax, whose result is of type int64 at " in explanation.facts[0]
