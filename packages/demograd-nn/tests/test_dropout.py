"""Dropout."""

import numpy as np
import pytest

import demograd as dg
from demograd import nn
from demograd.errors import ArgumentError, DtypeError
from demograd.nn import functional as F
from demograd.nn.functional._dropout import Keep
from demograd.testing import check_function, check_model


def test_kept_elements_are_scaled_so_that_the_mean_stays():
    dg.manual_seed(0)
    out = F.dropout(dg.ones(200, 200), 0.2).numpy()
    assert sorted(set(out.ravel().tolist())) == [0.0, 1.25]
    assert abs((out == 0).mean() - 0.2) < 0.01
    assert abs(out.mean() - 1.0) < 0.01


def test_the_gradient_goes_where_elements_were_kept():
    x = dg.ones(100, requires_grad=True)
    out = F.dropout(x, 0.5)
    out.sum().backward()
    assert x.grad.tolist() == out.tolist()


def test_a_seed_repeats_the_choice():
    def drop():
        dg.manual_seed(3)
        return nn.Dropout()(dg.ones(50)).tolist()

    assert drop() == drop()
    assert drop() != nn.Dropout()(dg.ones(50)).tolist()


def test_evaluation_and_p_of_zero_give_the_input_itself():
    x = dg.ones(5)
    assert nn.Dropout(0.5).eval()(x) is x
    assert F.dropout(x, 0.0) is x
    assert F.dropout(x, 0.9, training=False) is x


def test_p_of_one_gives_zeros_with_zero_gradients_also_of_infinities():
    x = dg.tensor([1.0, float("inf")], requires_grad=True)
    out = F.dropout(x, 1.0)
    out.sum().backward()
    assert (out.tolist(), x.grad.tolist()) == ([0.0, 0.0], [0.0, 0.0])


def test_in_place_it_overwrites_its_input():
    x = dg.ones(100)
    out = nn.Dropout(0.5, inplace=True)(x)
    assert out is x
    assert sorted(set(x.tolist())) == [0.0, 2.0]


def test_the_type_stays():
    for dtype in (dg.float16, dg.float32, dg.float64):
        assert F.dropout(dg.ones(3, dtype=dtype)).dtype == dtype


def test_the_rule_and_the_layer_keep_their_promises():
    kept = np.array([[True, False, True]])
    check_function(Keep, dg.tensor(np.ones((2, 3))), kept=kept, scale=2.0)
    check_model(nn.Dropout(), dg.ones(3))
    assert repr(nn.Dropout(0.2)) == "Dropout(p=0.2, inplace=False)"


@pytest.mark.parametrize(
    ("make", "name"), [(nn.Dropout, "Dropout"), (lambda p: F.dropout(dg.ones(1), p), "dropout")]
)
def test_p_is_a_probability(make, name):
    with pytest.raises(ArgumentError) as error:
        make(1.5)
    assert str(error.value) == (
        f"{name}: p is 1.5, and a probability is from 0 to 1.\n"
        "p is the share of elements that are zeroed."
    )


def test_integers_are_refused():
    with pytest.raises(DtypeError) as error:
        F.dropout(dg.tensor([1, 2]))
    assert str(error.value) == (
        "dropout: input is not of floats.\n"
        "  input: shape (2,), dtype int64\n"
        "input.float() makes floats of it."
    )
