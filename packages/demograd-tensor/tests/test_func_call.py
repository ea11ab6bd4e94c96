"""``functional_call``: a module as a function of its parameters, by the interface alone."""

import pytest

import demograd as dg
from demograd import func
from demograd.errors import DemogradError


class Part:
    def __init__(self, weight):
        self.weight = dg.tensor(weight, dtype="float64", requires_grad=True)
        self.count = dg.tensor(0.0, dtype="float64")


class Model:
    """What the interface asks of a model, without a layer package."""

    def __init__(self):
        self.first, self.last = Part(2.0), Part(3.0)
        self.tied = self.first.weight

    def named_parameters(self, remove_duplicate=True):
        names = {"first.weight": self.first.weight, "last.weight": self.last.weight}
        return list((names if remove_duplicate else {**names, "tied": self.tied}).items())

    def named_buffers(self):
        return [("first.count", self.first.count), ("last.count", self.last.count)]

    def __call__(self, x, *, fail=False):
        self.first.count += 1
        if fail:
            raise KeyError("on purpose")
        return self.first.weight * x + self.last.weight + 10 * self.tied


def one(value):
    return dg.tensor(value, dtype="float64")


def message(call):
    with pytest.raises(DemogradError) as caught:
        call()
    return str(caught.value)


def test_the_given_tensors_take_the_place_of_the_parameters():
    model = Model()
    before = dict(model.named_parameters())
    out = func.functional_call(model, {"first.weight": one(5.0)}, (one(2.0),))
    assert out.item() == 5 * 2 + 3 + 50
    out = func.functional_call(model, {"first.weight": one(5.0)}, one(2.0), tie_weights=False)
    assert out.item() == 5 * 2 + 3 + 20
    out = func.functional_call(model, [{"first.weight": one(5.0)}, {"tied": one(1.0)}], one(2.0))
    assert out.item() == 5 * 2 + 3 + 10
    assert dict(model.named_parameters()) == before
    assert model(one(2.0)).item() == 27.0


def test_the_module_is_left_as_it_was_when_the_call_raises():
    model = Model()
    weight = model.first.weight
    with pytest.raises(KeyError, match="on purpose"):
        func.functional_call(model, {"first.weight": one(5.0)}, one(2.0), {"fail": True})
    assert model.first.weight is weight is model.tied


def test_what_a_call_does_to_buffers_it_does_to_those_given():
    model, count = Model(), one(7.0)
    func.functional_call(model, {"first.count": count}, one(2.0))
    assert (count.item(), model.first.count.item()) == (8.0, 0.0)


def test_parameters_are_differentiated_and_mapped():
    model = Model()
    params = {name: p.detach() for name, p in model.named_parameters()}

    def loss(params, x):
        return func.functional_call(model, params, (x,)) ** 2

    each = func.vmap(func.grad(loss), in_dims=(None, 0))(params, one([1.0, 2.0]))
    assert each["first.weight"].tolist() == [2 * 25 * 11.0, 2 * 27 * 12.0]
    assert each["last.weight"].tolist() == [50.0, 54.0]
    models = {name: dg.tensor([1.0, 2.0], dtype="float64") for name in params}
    both = func.vmap(lambda p: func.functional_call(model, p, (one(1.0),)))(models)
    assert both.tolist() == [12.0, 24.0]


REFUSED = {
    "another name": (
        lambda: func.functional_call(Model(), {"weight": one(1.0)}, one(1.0)),
        """functional_call: the names are not those of the module.
  weight: not in Model
dict(module.named_parameters()) has them.""",
    ),
    "a missing name": (
        lambda: func.functional_call(Model(), {"tied": one(1.0)}, one(1.0), strict=True),
        """functional_call: the names are not those of the module.
  first.count: not given
  first.weight: not given
  last.count: not given
  last.weight: not given
dict(module.named_parameters()) has them.""",
    ),
    "a name twice": (
        lambda: func.functional_call(Model(), [{"tied": one(1.0)}, {"tied": one(1.0)}], one(1.0)),
        """functional_call: 'tied' is given twice.
{**first, **second} lets the second prevail.""",
    ),
    "a number": (
        lambda: func.functional_call(Model(), {"tied": 1.0}, one(1.0)),
        "functional_call: 'tied' is of type float, not a Tensor.",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_is_refused_in_words(case):
    call, expected = REFUSED[case]
    assert message(call) == expected
