"""Where did the NaN come from: the first operation that makes one raises, and says why."""

import math
import re

import numpy as np
import pytest

import demograd as dg
from demograd import Function, Tensor
from demograd.autograd import detect_anomaly, set_detect_anomaly
from demograd.autograd._mode import everywhere
from demograd.errors import NonFiniteError, NonFiniteOperationError
from demograd.operators import log

INF, NAN = math.inf, math.nan
# NumPy's own warnings are its own, and come as they would without debug.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


class Sqrt(Function):
    """As that of demograd-ops, which is not installed here."""

    def forward(self, x):
        out = self.xp.sqrt(x)
        self.save_for_backward(out)
        return out

    def backward(self, grad):
        (out,) = self.saved_tensors
        return grad / (out * 2)


class Exp(Function):
    def forward(self, x):
        out = self.xp.exp(x)
        self.save_for_backward(out)
        return out

    def backward(self, grad):
        return grad * self.saved_tensors[0]


def leaf(*values, name=None, dtype="float32"):
    return Tensor(list(values), requires_grad=True, name=name, dtype=dtype)


def text_of(error):
    """The message, without the path of this file and the numbers of its lines."""
    return re.sub(re.escape(__file__) + r":\d+", "here", str(error))


def raised(function, **settings):
    with dg.debug(**settings), pytest.raises(NonFiniteOperationError) as e:
        function()
    return text_of(e.value)


# Forward.


def test_the_whole_message_of_an_operation():
    def step():
        p = leaf(0.5, 0.0, 0.25, name="p")
        return log(p).mean()

    assert raised(step) == (
        "Log: made -inf out of finite inputs.\n"
        "  at here, in step: return log(p).mean()\n"
        "  p: shape (3,), float32, from 0 to 0.5, 1 zero\n"
        "  output: shape (3,), 1 infinite of 3, the first at [1]\n"
        "  there: log(0) = -inf\n"
        "Keep it away from there, for example with x.clamp(min=1e-6). Where it is meant, "
        "dg.debug(inf=False) lets infinities pass."
    )


def test_it_is_what_pytorch_and_numpy_raise_and_what_fit_catches():
    for kind in (NonFiniteError, FloatingPointError, RuntimeError):
        assert issubclass(NonFiniteOperationError, kind)


FORWARD = {
    "log of a negative": (lambda: log(leaf(-2.0)), "Log", "nan", "log(-2) = nan"),
    "x / 0": (lambda: leaf(3.0) / leaf(0.0), "Div", "inf", "3 / 0 = inf"),
    "-x / 0": (lambda: -3.0 / leaf(0.0), "Div", "-inf", "-3 / 0 = -inf"),
    "0 / 0": (lambda: leaf(0.0) / leaf(0.0), "Div", "nan", "0 / 0 = nan"),
    "x % 0": (lambda: leaf(1.0) % 0.0, "Remainder", "nan", "1 modulo 0 is not defined"),
    "0 ** -1": (lambda: leaf(0.0) ** -1, "Pow", "inf", "0 ** -1 = inf"),
    "-1 ** 0.5": (lambda: leaf(-1.0) ** 0.5, "Pow", "nan", "(-1) ** 0.5 = nan"),
    "power overflows": (lambda: leaf(1e20) ** 2, "Pow", "inf", "1e+20 ** 2 = inf here"),
    "product overflows": (lambda: leaf(1e20) * 1e20, "Mul", "inf", "1e+20 * 1e+20 = inf here"),
    "inf * 0": (lambda: leaf(INF) * leaf(0.0), "Mul", "nan", "inf * 0 = nan here"),
    "inf - inf": (lambda: leaf(INF) - leaf(INF), "Sub", "nan", "Sub computes inf - inf"),
    "exp overflows": (lambda: Exp.apply(leaf(100.0)), "Exp", "inf", "exp(100) = inf here"),
    "half": (lambda: leaf(1e5).half(), "Cast", "inf", "1e+05 is more than the new type can hold"),
    "sum overflows": (
        lambda: leaf(3e38, 3e38).sum(),
        "Sum",
        "inf",
        "Sum gives more than the largest float32, 3.403e+38",
    ),
    "matmul": (
        lambda: leaf(1e30, 1e30) @ leaf(1e30, 1e30),
        "MatMul",
        "inf",
        "MatMul gives more than the largest float32, 3.403e+38",
    ),
    "double": (
        lambda: leaf(1e200, dtype="float64") * leaf(1e200, dtype="float64"),
        "Mul",
        "inf",
        "1e+200 * 1e+200 = inf here",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FORWARD)
def test_an_operation_that_makes_it_is_named_with_the_reason(case):
    function, name, kind, reason = FORWARD[case]
    text = raised(function)
    assert text.startswith(f"{name}: made {kind} out of ")
    assert f"\n  there: {reason}" in text


def test_the_place_in_a_large_array_is_named_and_its_inputs_are_counted():
    x = np.ones((4, 5), np.float32)
    x[2, 3], x[3, 4], x[0, 0] = 0, -1, -2
    text = raised(lambda: log(Tensor(x, name="x")), inf=False)
    assert "  x: shape (4, 5), float32, from -2 to 1, 1 zero, 2 negative\n" in text
    assert "  output: shape (4, 5), 2 nan and 1 infinite of 20, the first at [0, 0]\n" in text


def test_of_several_outputs_the_bad_one_is_named():
    class Two(Function):
        def forward(self, x):
            return x * 1, x / 0

        def backward(self, a, b):
            return a

    assert "  output 1: shape (1,), 1 infinite of 1, the first at [0]\n" in raised(
        lambda: Two.apply(leaf(1.0))
    )


def test_a_constant_operation_is_looked_at_as_well():
    assert raised(lambda: Tensor([1.0]) / 0.0).startswith("Div: made inf out of finite inputs.")
    with dg.no_grad():
        assert raised(lambda: leaf(1.0) / 0.0).startswith("Div: made inf")


def test_an_operation_that_raises_changes_nothing_in_place():
    x = Tensor([1.0, 2.0])
    with dg.debug(), pytest.raises(NonFiniteOperationError):
        x /= 0
    assert x.tolist() == [1.0, 2.0]


# What passes.


def masked(x, mask):
    return dg.where(mask, Tensor(-INF), x)


PASSES = {
    "a constant infinity": lambda: Tensor([INF, -INF]) * 2,
    "an infinite number": lambda: leaf(1.0) + INF,
    "a NaN among the data": lambda: leaf(NAN, 1.0) * 2,
    "full": lambda: dg.full((2,), -INF) + leaf(1.0, 2.0),
    "an additive mask": lambda: leaf(1.0, 2.0) + Tensor([0.0, -INF]),
    "where": lambda: masked(leaf(1.0, 2.0), Tensor([True, False])),
    "an item": lambda: dg.zeros(2).__setitem__(0, -INF),
    "the exponential of a mask": lambda: Exp.apply(leaf(-INF, 1.0)),
    "what is masked and then used": lambda: (
        Exp.apply(masked(leaf(1.0, 2.0), Tensor([True, False]))).sum().backward()
    ),
    "comparisons": lambda: leaf(INF) > 1,
    "integers": lambda: Tensor([1, 2]) * 3,
    "empty": lambda: dg.zeros(0) * 2,
}


@pytest.mark.parametrize("case", PASSES)
def test_an_infinity_that_somebody_chose_passes(case):
    with dg.debug():
        PASSES[case]()


def test_inf_false_lets_infinities_pass_and_nan_false_nans():
    x = leaf(0.0, 1.0)
    with dg.debug(inf=False):
        y = 1 / x
        with pytest.raises(NonFiniteOperationError):
            y - y
    with dg.debug(nan=False):
        x / x
        with pytest.raises(NonFiniteOperationError):
            1 / x
    with dg.debug(nan=False, inf=False):
        (log(x) - log(x)).sum().backward()


# Backward.


def test_the_whole_message_of_a_rule():
    def step():
        x = leaf(4.0, 0.0, name="x")
        root = Sqrt.apply(x * 1)
        loss = (root * 3).sum()
        loss.backward()

    assert raised(step) == (
        "backward of Sqrt: made inf out of a finite gradient.\n"
        "  made at here, in step: root = Sqrt.apply(x * 1)\n"
        "  gradient that arrived: shape (2,), float32, all 3\n"
        "  output: shape (2,), float32, from 0 to 2, 1 zero\n"
        "  gradient of input 0: shape (2,), 1 infinite of 2, the first at [1]\n"
        "  there: the slope of sqrt at 0 is infinite\n"
        "  from the loss to here:\n"
        "    Sum <- Mul, here\n"
        "    Sqrt, here\n"
        "Keep it away from there, for example with x.clamp(min=1e-6). Where it is meant, "
        "dg.debug(inf=False) lets infinities pass."
    )


def test_zero_times_infinity_behind_where_is_told_with_the_mend():
    def step():
        x = leaf(4.0, 0.0)
        dg.where(x > 0, Sqrt.apply(x), 0.0).sum().backward()

    text = raised(step)
    assert text.startswith("backward of Sqrt: made nan out of a gradient without nan.\n")
    assert (
        "  there: the slope of sqrt at 0 is infinite, the gradient that arrives is 0, and 0 * inf "
        "= nan\n" in text
    )
    assert text.endswith(
        "If where() is to leave that element out, make the input safe before: "
        "where(mask, f(where(mask, x, 1)), 0)."
    )


BACKWARD = {
    "log": (lambda x: log(x), "Log", "the slope of log at 0 is infinite"),
    "1 / x": (lambda x: 1 / x, "Div", "the slope of x / y at y = 0 is infinite"),
    "x ** 0.5": (lambda x: x**0.5, "Pow", "the slope of x ** 0.5 at 0 is infinite"),
    "x ** y": (lambda x: x ** leaf(0.5), "Pow", "the slope of x ** 0.5 at 0 is infinite"),
}


@pytest.mark.parametrize("case", BACKWARD)
def test_a_rule_that_makes_it_is_named_with_the_reason(case):
    function, name, reason = BACKWARD[case]
    x = leaf(0.0)
    y = function(x).sum()
    with dg.debug(), pytest.raises(NonFiniteOperationError) as e:
        y.backward()
    assert str(e.value).startswith(f"backward of {name}: made ")
    assert f"\n  there: {reason}\n" in str(e.value)
    assert "\n  made before dg.debug() was entered, so its line is not known\n" in str(e.value)


def test_a_rule_that_raises_leaves_every_grad_as_it_was_and_the_next_pass_right():
    x, w = leaf(0.0, 1.0), leaf(2.0, 3.0)
    with dg.debug(), pytest.raises(NonFiniteOperationError):
        (w * 2 + Sqrt.apply(x)).sum().backward()
    assert (x.grad, w.grad) == (None, None)
    with dg.debug():
        (w * x).sum().backward()
    assert (x.grad.tolist(), w.grad.tolist()) == ([2.0, 3.0], [0.0, 1.0])


def test_a_long_way_from_the_loss_is_shortened_in_the_middle():
    x = leaf(0.0)
    with dg.debug():
        y = Sqrt.apply(x)
        for _ in range(4):
            y = y + 1
            y = y * 2
            y = y - 3
            y = -y
            y = y.reshape(1)
        with pytest.raises(NonFiniteOperationError) as e:
            y.sum().backward()
    chain = text_of(e.value).split("  from the loss to here:\n")[1].splitlines()[:-1]
    assert chain == [
        "    Sum, here",
        "    Reshape, here",
        "    Neg, here",
        "    ... 16 more ...",
        "    Mul, here",
        "    Add, here",
        "    Sqrt, here",
    ]


def test_many_operations_of_one_line_are_shortened():
    with dg.debug():
        y = Sqrt.apply(leaf(0.0))
        for _ in range(50):
            y = y * 1
        with pytest.raises(NonFiniteOperationError) as e:
            y.backward()
    assert "    Mul <- Mul <- Mul <- 44 more <- Mul <- Mul <- Mul, here\n" in text_of(e.value)


def test_the_second_derivative_leads_back_to_the_operation_of_the_first():
    def step():
        x = leaf(1e-40, name="x")
        (dx,) = dg.autograd.grad(Sqrt.apply(x).sum(), x, create_graph=True)
        dx.sum().backward()

    text = raised(step)
    assert text.startswith("backward of Div: made ")
    assert (
        "  in the derivative of Sqrt, which was made at here, in step: "
        "(dx,) = dg.autograd.grad(Sqrt.apply(x).sum(), x, create_graph=True)\n" in text
    )


def test_an_infinity_that_was_saved_and_one_that_arrives_pass():
    with dg.debug():
        x = leaf(1.0, 2.0)
        (x * Tensor([INF, 1.0])).sum().backward()
        assert x.grad.tolist() == [INF, 1.0]
        (leaf(1.0) * 1).backward(Tensor([INF]))


def test_in_the_backward_pass_infinities_pass_where_that_is_asked_for():
    x = leaf(0.0)
    with dg.debug(inf=False):
        Sqrt.apply(x).sum().backward()
    assert x.grad.tolist() == [INF]


# PyTorch's names.


def test_detect_anomaly_stops_at_a_nan_of_a_gradient_and_at_nothing_else():
    x = leaf(0.0)
    with detect_anomaly():
        log(x)  # -inf passes, as in PyTorch
        Sqrt.apply(x).sum().backward()  # and so does an infinite gradient
        y = (x * 0) / x
        with pytest.raises(RuntimeError) as e:
            y.sum().backward()
    assert text_of(e.value).startswith(
        "backward of Div: made nan out of a gradient without nan.\n"
        "  made at here, in test_detect_anomaly_stops_at_a_nan_of_a_gradient_and_at_nothing_else: "
        "y = (x * 0) / x\n"
    )
    assert everywhere.watched == 0


def test_detect_anomaly_without_check_nan_only_notes_lines():
    x = leaf(0.0)
    with detect_anomaly(check_nan=False):
        y = (x * 0) / x
        y.sum().backward()
    assert y.grad_fn.place.file == __file__


def test_detect_anomaly_inside_debug_takes_nothing_away():
    with dg.debug(), detect_anomaly(), pytest.raises(NonFiniteOperationError):
        leaf(1.0) / 0.0
    with dg.debug(nan=False), detect_anomaly(), pytest.raises(NonFiniteOperationError):
        leaf(0.0) / 0.0


def test_set_detect_anomaly_switches_at_once_and_as_a_context_puts_it_back():
    def is_on():
        return everywhere.watched == 1

    set_detect_anomaly(True)
    assert is_on()
    with set_detect_anomaly(False):
        assert not is_on()
    assert is_on()
    set_detect_anomaly(False)
    assert not is_on()
    with set_detect_anomaly(True), dg.debug():
        set_detect_anomaly(False)
        with pytest.raises(NonFiniteOperationError):
            leaf(1.0) / 0.0
    assert not is_on()


def test_detect_anomaly_is_a_decorator():
    @detect_anomaly()
    def step(x):
        ((x * 0) / x).sum().backward()

    with pytest.raises(NonFiniteOperationError):
        step(leaf(0.0))


def test_of_an_operator_that_nobody_knows_no_more_is_said_than_is_known():
    class Pole(Function):
        def forward(self, x):
            self.save_for_backward(x)
            return 1 / (x - 1)

        def backward(self, grad):
            (x,) = self.saved_tensors
            return -grad / ((x - 1) * (x - 1))

    text = raised(lambda: Pole.apply(leaf(1.0)))
    assert "\n  there: Pole is inf: it overflows there, or divides by zero\n" in text
    with dg.debug(inf=False):
        y = Pole.apply(leaf(1.0))
    with dg.debug(), pytest.raises(NonFiniteOperationError) as e:
        y.backward()
    assert (
        "\n  there: the gradient of Pole is -inf: it overflows there, or divides by zero\n"
        in str(e.value)
    )


def test_after_an_error_in_a_rule_the_same_block_goes_on_to_look():
    class Broken(Function):
        def forward(self, x):
            return x * 2

        def backward(self, grad):
            raise KeyError("no")

    x = leaf(1.0)
    with dg.debug():
        with pytest.raises(KeyError):
            Broken.apply(x).backward()
        with pytest.raises(NonFiniteOperationError):
            x / 0.0


def test_what_a_recorded_rule_makes_on_the_way_and_masks_is_its_own_matter():
    class Safe(Function):
        def forward(self, x):
            self.save_for_backward(x)
            return x * 1

        def backward(self, grad):
            (x,) = self.saved_tensors
            return self.xp.where(x == 0, self.xp.zeros_like(x), grad / x)

    x = leaf(0.0, 2.0)
    with dg.debug():
        (dx,) = dg.autograd.grad(Safe.apply(x).sum(), x, create_graph=True)
        with pytest.raises(NonFiniteOperationError) as e:
            dx.sum().backward()  # here it is none: the slope of the quotient is infinite
    assert dx.tolist() == [0.0, 0.5]
    assert "  in the derivative of Safe, which was made at here, in " in text_of(e.value)
