"""What the core warns of, how a warning finds the user's line, and how it is switched off."""

import pickle
import re
import warnings

import pytest

import demograd as dg
from demograd.errors import ArgumentTypeError, DemogradWarning, warn


def leaf():
    return dg.tensor([1.0, 2.0], requires_grad=True)


def texts(run):
    """What a program is warned of, in this file."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run()
    assert {warning.filename for warning in caught} <= {__file__}
    assert {warning.category for warning in caught} <= {DemogradWarning}
    return [str(warning.message) for warning in caught]


def test_the_gradient_of_what_is_no_leaf_is_warned_of():
    x = leaf()
    y = x * 2
    y.sum().backward()
    assert texts(lambda: y.grad) == [
        """\
grad: the tensor is no leaf, and backward keeps gradients of leaves only.
  tensor of shape (2,), dtype float32, made by Mul
x.retain_grad() before backward keeps it; x = x.detach().requires_grad_() makes it a leaf. In an \
update, with dg.no_grad(): w -= lr * w.grad leaves w the leaf that it is.
If it is meant: warnings.filterwarnings("ignore", "grad: the tensor is no leaf, and backward keeps \
gradients of leaves only")"""
    ]


def kept():
    y = leaf() * 2
    y.retain_grad()
    return y


def assigned():
    y = leaf() * 2
    y.grad = dg.ones(2)
    return y


@pytest.mark.parametrize("make", [leaf, kept, assigned, lambda: leaf().detach() * 2])
def test_other_gradients_are_looked_at_in_silence(make):
    x = make()
    assert texts(lambda: x.grad) == []


def test_backward_of_a_leaf_is_warned_of():
    loss = dg.tensor(0.5, requires_grad=True)
    assert texts(loss.backward) == [
        """\
backward: the tensor was not computed from others, so no other gets a gradient.
  tensor of shape (), dtype float32, a leaf
Call it on the loss as the model gave it: dg.tensor(loss), loss.item() and requires_grad=True on \
the way make a new leaf of it.
If it is meant: warnings.filterwarnings("ignore", "backward: the tensor was not computed from \
others, so no other gets a gradient")"""
    ]
    assert loss.grad.item() == 1.0


def test_grad_with_respect_to_the_output_itself_is_not():
    x = dg.tensor(0.5, requires_grad=True)
    assert texts(lambda: dg.autograd.grad(x, x)) == []


def test_a_copy_out_of_the_graph_is_warned_of():
    y = leaf() * 2
    assert texts(lambda: dg.tensor(y)) == [
        """\
tensor: the copy is cut off from the graph, and no gradient goes through it.
  tensor of shape (2,), dtype float32, made by Mul
x.clone() copies it within the graph; x.detach().clone() says that it is to be cut.
If it is meant: warnings.filterwarnings("ignore", "tensor: the copy is cut off from the graph, and \
no gradient goes through it")"""
    ]
    assert texts(lambda: dg.tensor(y.detach())) == []
    assert texts(lambda: dg.Tensor(y)) == []  # which shares, and says so


def test_a_function_is_applied_and_not_called():
    class Double(dg.Function):
        def forward(self, x):
            return x + x

        def backward(self, grad):
            return grad + grad

    with pytest.raises(ArgumentTypeError) as error:
        Double()(leaf())
    assert str(error.value) == "Double: a Function is not called.\nDouble.apply(x)"


def test_a_warning_names_the_users_line_through_the_library():
    # The call goes through modules of demograd's name; the first other one is the user's.
    names = {"__name__": "demograd.somewhere", "warn": warn}
    exec(compile("def inner():\n    warn('a: b.')\n", "inner.py", "exec"), names)
    (text,) = texts(names["inner"])
    assert text == 'a: b.\nIf it is meant: warnings.filterwarnings("ignore", "a: b")'


def test_a_warning_is_shown_once_a_line():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            warn("a: b.", ["fact"])
        warn("a: b.", ["fact"])
    assert len(caught) == 2


@pytest.mark.parametrize(
    "headline", ["a: b.", "x[i] = v: c (d)?", "+=: a*b, $1 | {2}.", "f: back\\slash ^."]
)
def test_the_line_that_switches_it_off_does_whatever_the_headline_has(headline):
    text = str(DemogradWarning(headline, ["fact"], "mend"))
    (off,) = re.findall(r"^If it is meant: (.+)$", text, re.MULTILINE)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        exec(off, {"warnings": warnings})
        warn(headline, ["another fact"])
    assert caught == []


def test_a_warning_survives_pickling():
    warning = DemogradWarning("a: b.", ["fact"], "mend")
    assert str(pickle.loads(pickle.dumps(warning))) == str(warning)


def test_a_warning_as_an_error_leaves_the_state_as_it_was():
    x = leaf()
    with warnings.catch_warnings():
        warnings.simplefilter("error", DemogradWarning)
        with pytest.raises(DemogradWarning):
            x.sum().detach().requires_grad_().backward()
    assert x.grad is None
