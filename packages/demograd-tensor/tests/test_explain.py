"""``dg.explain``: why a gradient is None or zero, in words."""

import re
import types

import numpy as np
import pytest

import demograd as dg
from demograd import Function, Tensor
from demograd.autograd import checkpoint, note_replaced
from demograd.errors import ArgumentTypeError


class ReLU(Function):
    def forward(self, x):
        out = self.xp.maximum(x, 0)
        self.save_for_backward(out)
        return out

    def backward(self, grad):
        (out,) = self.saved_tensors
        return self.xp.where(out > 0, grad, self.xp.zeros_like(grad))


class Tanh(Function):
    def forward(self, x):
        out = self.xp.tanh(x)
        self.save_for_backward(out)
        return out

    def backward(self, grad):
        (out,) = self.saved_tensors
        return grad * (1 - out * out)


def leaf(*values, name=None):
    return Tensor(list(values), requires_grad=True, name=name)


def said(*arguments):
    return re.sub(re.escape(__file__) + r":\d+", "here", str(dg.explain(*arguments)))


def test_all_is_well():
    w = leaf(1.0, 2.0, name="w")
    loss = (w * w).sum()
    loss.backward()
    assert said(w, loss) == "w: it has a gradient.\n  mean size 3, largest 4"


def test_backward_has_not_run():
    w = leaf(1.0, 2.0, name="w")
    assert said(w, (w * 3).sum()) == (
        "w: no gradient yet, for backward has not run.\n"
        "  the loss leads to it by 2 operations\n"
        "loss.backward() gives it one."
    )


def test_nothing_is_known_of_a_leaf_alone():
    assert said(leaf(1.0, name="w")) == (
        "w: no gradient: no backward pass has reached it, or it was cleared.\n"
        "dg.explain(x, loss) says whether the loss depends on it."
    )


def test_a_computed_tensor_keeps_none():
    x = leaf(1.0)
    with dg.debug():
        h = x * 2
    loss = h.sum()
    loss.backward()
    assert said(h, loss) == (
        "tensor: no gradient is kept, because it is not a leaf: it was computed, by Mul.\n"
        "  made at here, in test_a_computed_tensor_keeps_none: h = x * 2\n"
        "x.retain_grad() before backward keeps it."
    )


def test_a_computed_tensor_that_retains_it_is_explained_as_a_leaf_is():
    h = leaf(1.0) * 2
    h.retain_grad()
    loss = h.sum()
    assert dg.explain(h, loss).verdict == "not yet"
    loss.backward()
    assert dg.explain(h, loss).verdict == "ok"


def test_what_requires_none():
    assert said(Tensor([1.0], name="x")) == (
        "x: no gradient, because it does not require one: it was made without requires_grad=True, "
        "or computed from nothing that requires one.\n"
        "x.requires_grad_() makes it require one. If it was cut off by detach, no_grad or a cast: "
        "Run it under dg.debug() to learn the line: with dg.debug(): ..."
    )


def test_integers():
    assert said(Tensor([1, 2], name="x")) == (
        "x: no gradient, because it is of type int64, and only floats have one.\n"
        "x.float() before requires_grad_(), if it is to be trained."
    )


def test_a_frozen_parameter():
    class Parameter(Tensor):
        pass

    assert said(Parameter([1.0], name="w")) == (
        "w: no gradient, because it is frozen.\n  requires_grad is False\n"
        "x.requires_grad_() makes it require one."
    )


def test_a_loss_that_is_not_computed_from_it_names_what_it_is_computed_from():
    w, v = leaf(1.0, name="w"), leaf(2.0, name="v")
    with dg.debug():
        loss = (v * leaf(1.0)).sum()
    assert said(w, loss) == (
        "w: no gradient, because the loss was not computed from it.\n"
        "  the loss depends on v, one of shape (1,)"
    )


def test_a_gradient_of_another_loss_is_not_taken_for_one_of_this():
    w, v = leaf(1.0, name="w"), leaf(2.0, name="v")
    (w * 2).sum().backward()
    with dg.debug():
        loss = (w.detach() * v).sum()
    explanation = dg.explain(w, loss)
    assert explanation.verdict == "cut"
    assert explanation.headline == (
        "its gradient is of another loss; of this none, because between it and the loss the "
        "gradient is cut off."
    )


def test_without_debug_it_is_told_how_to_learn_more():
    w, v = leaf(1.0, name="w"), leaf(2.0, name="v")
    assert said(w, (v * w.detach()).sum()) == (
        "w: no gradient, because the loss was not computed from it.\n"
        "  the loss depends on v\n"
        "If it was, the gradient is cut off on the way. Run it under dg.debug() to learn the line: "
        "with dg.debug(): ..."
    )


def test_a_parameter_that_was_replaced_in_its_module():
    w, v = leaf(1.0, name="w"), leaf(2.0, name="v")
    note_replaced([w], [v])
    assert (
        "  its module has another in its place, since here, in "
        "test_a_parameter_that_was_replaced_in_its_module: note_replaced([w], [v])\n"
        in said(w, v.sum())
    )


# Cuts.


def cut_by_detach(w):
    return (w * 2).detach() * 3


def cut_by_no_grad(w):
    with dg.no_grad():
        return w * 2


def cut_by_no_grad_on_the_function(w):
    @dg.no_grad()
    def inner(w):
        return w * 2

    return inner(w)


def cut_by_inference(w):
    with dg.autograd.inference_mode():
        y = w * 2
    return y.clone()


def cut_by_a_cast(w):
    return w.long().float()


def cut_by_a_comparison(w):
    return (w > 0).float()


def cut_by_a_copy(w):
    return dg.tensor(w)


def cut_by_a_constructor(w):
    return Tensor(w * 2)


def cut_by_floor_division(w):
    return w // 2


CUTS = {
    cut_by_detach: ("detach", "return (w * 2).detach() * 3", "made by Mul, "),
    cut_by_no_grad: ("no_grad (entered at here)", "return w * 2", ""),
    cut_by_no_grad_on_the_function: ("no_grad (entered at here)", "return w * 2", ""),
    cut_by_inference: ("inference_mode (entered at here)", "y = w * 2", ""),
    cut_by_a_cast: ("a cast to int64", "return w.long().float()", ""),
    cut_by_a_comparison: ("the comparison gt", "return (w > 0).float()", ""),
    cut_by_a_copy: ("dg.tensor(x)", "return dg.tensor(w)", ""),
    cut_by_a_constructor: ("Tensor(x)", "return Tensor(w * 2)", "made by Mul, "),
    cut_by_floor_division: ("floordiv, which gives no gradient", "return w // 2", ""),
}


@pytest.mark.filterwarnings("ignore:tensor. the copy is cut off:UserWarning")
@pytest.mark.parametrize("function", CUTS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("mixed", [False, True], ids=["alone", "in a loss with others"])
def test_a_cut_is_named_with_its_line(function, mixed):
    how, line, made = CUTS[function]
    w, v = leaf(1.0, -2.0, name="w"), leaf(3.0, 4.0, name="v")
    with dg.debug():
        y = function(w) * 5
        loss = (y * v if mixed else y).sum()
    first, fact, _ = said(w, loss).split("\n")
    assert first == (
        "w: no gradient, because between it and the loss the gradient is cut off."
        if mixed
        else "w: no gradient, because the loss requires none: it was cut off."
    )
    value = "tensor" if made else "w"
    inner = "inner" if "function" in function.__name__ else function.__name__
    assert fact == (
        f"  {value} of shape (2,), dtype float32, {made or ''}cut by {how} at here, in {inner}: "
        f"{line}".replace("float32, made by Mul, cut", "float32, made by Mul, cut")
    )
    assert dg.explain(w, loss).verdict == "cut"


def test_a_cut_of_another_leaf_is_no_reason():
    w, u, v = leaf(1.0, name="w"), leaf(1.0, name="u"), leaf(1.0, name="v")
    with dg.debug():
        loss = (u.detach() * v).sum()
    assert dg.explain(u, loss).verdict == "cut"
    assert dg.explain(w, loss).verdict == "not reached"


def test_the_result_itself_knows_its_cut():
    with dg.debug():
        h = leaf(1.0, name="w").detach() * 2
    assert said(h) == (
        "tensor: no gradient, because it was cut off from what requires one.\n"
        "  w of shape (1,), dtype float32, cut by detach at here, in "
        'test_the_result_itself_knows_its_cut: h = leaf(1.0, name="w").detach() * 2\n'
        "Leave the detach out, if the gradient is to go on."
    )


def test_a_computed_tensor_behind_a_cut_is_told_of_it():
    with dg.debug():
        h = leaf(1.0) * 2
        other = leaf(1.0) * 2
        loss = ((h + 1).detach() * leaf(1.0)).sum()
    assert dg.explain(h, loss).verdict == "cut"
    assert dg.explain(other, loss).verdict == "not reached"


def test_a_cut_inside_a_module_is_told_with_it():
    with dg.debug():
        w = leaf(1.0, name="w")
        start = dg.autograd.start_call("1: Net")
        y = w.detach()
        dg.autograd.record_call(y, start, "1: Net")
        loss = y * 1
    assert "cut by detach in 1: Net at here" in said(w, loss)


WAYS_OUT = {
    ".item()": lambda x: Tensor(x.sum().item()),
    ".data": lambda x: Tensor(x.data * 2),
    ".tolist()": lambda x: Tensor(x.tolist()),
    ".numpy()": lambda x: Tensor(x.detach().numpy() * 2),
    "float(x)": lambda x: Tensor(float(x.sum())),
    "np.asarray(x)": lambda x: Tensor(np.asarray(x.detach()) * 2),
}


@pytest.mark.parametrize("way", WAYS_OUT)
def test_a_detour_over_arrays_and_numbers_is_named(way):
    w, v = leaf(1.0, 2.0, name="w"), leaf(3.0, 4.0, name="v")
    with dg.debug():
        loss = (WAYS_OUT[way](w) * v).sum()
    explanation = dg.explain(w, loss)
    assert explanation.verdict == "not reached"
    assert explanation.facts[0] == "the loss depends on v"
    assert re.fullmatch(
        r"the values went into a plain array or number here: \w+ of shape .*, cut by "
        + re.escape(f"{way} at {__file__}:")
        + r"\d+, in <lambda>: .*",
        explanation.facts[1],
    )


def test_what_demograd_does_with_arrays_inside_is_no_detour():
    w, v = leaf(1.0, 2.0, name="w"), leaf(3.0, 4.0, name="v")
    with dg.debug():
        (w * v).sum().backward()
        repr(w), w[0], w.requires_grad_(), w.clone()
        inside = {"__name__": "demograd.somewhere"}
        exec("def item(x): return x.data, x.tolist()", inside)
        inside["item"](w)
        loss = (v * v).sum()
    w.grad = None
    assert dg.explain(w, loss).facts == ("the loss depends on v",)


# Cleared.


def test_what_was_cleared_after_backward_is_told_with_both_lines():
    w = leaf(1.0, name="w")
    with dg.debug():
        loss = (w * w).sum()
        loss.backward()
        w.grad = None
    expected = (
        "w: no gradient, because it was cleared after backward.\n"
        "  backward gave it at here, in "
        "test_what_was_cleared_after_backward_is_told_with_both_lines: loss.backward()\n"
        "  cleared at here, in "
        "test_what_was_cleared_after_backward_is_told_with_both_lines: w.grad = None\n"
        "Read it, or step, between backward and zero_grad."
    )
    assert said(w) == expected
    assert said(w, loss) == expected


def test_without_debug_a_pass_that_has_run_is_seen_by_what_it_freed():
    w = leaf(1.0, name="w")
    loss = (w * w).sum()
    loss.backward()
    w.grad = None
    assert dg.explain(w, loss).verdict == "cleared"
    assert dg.explain(w, loss).headline == (
        "no gradient, though a backward pass of this loss has run."
    )


def test_zeros_that_were_put_there_are_told_from_a_gradient_that_is_zero():
    w = leaf(1.0, name="w")
    loss = (w * w).sum()
    loss.backward(retain_graph=True)
    w.grad.zero_()
    assert dg.explain(w, loss).verdict == "cleared"


# Zero.

BLOCKED = {
    "multiplied by zero": lambda w: w * Tensor([0.0, 0.0]),
    "inactive: its inputs are not positive": lambda w: ReLU.apply(-w),
    "saturated: so far out that its slope is 0": lambda w: Tanh.apply(w * 1e3),
    "masked out": lambda w: dg.where(Tensor([False, False]), w, 1.0),
    "other elements are taken": lambda w: dg.where(Tensor([True]), w, w)[2:],
    "the slope of the power there is 0": lambda w: (w * 1e-30) ** 3,
}


def blocked_line(reason, name):
    return f"{name}: {reason}, at 100 % of its elements"


@pytest.mark.parametrize("reason", list(BLOCKED)[:4] + list(BLOCKED)[5:])
def test_before_backward_a_gradient_that_will_be_zero_is_told_and_why(reason):
    w = leaf(1.0, 2.0, name="w")
    loss = (BLOCKED[reason](w) * 3).sum()
    explanation = dg.explain(w, loss)
    assert explanation.verdict == "not yet, and zero"
    assert [fact.split(": ", 1)[1] for fact in explanation.facts] == [
        f"{reason}, at 100 % of its elements"
    ]


@pytest.mark.parametrize("reason", list(BLOCKED)[:4] + list(BLOCKED)[5:])
def test_after_backward_the_watched_pass_says_why_it_is_zero(reason):
    w = leaf(1.0, 2.0, name="w")
    with dg.debug():
        loss = (BLOCKED[reason](w) * 3).sum()
        loss.backward()
    for explanation in (dg.explain(w, loss), dg.explain(w)):
        assert explanation.verdict == "zero"
        (fact,) = explanation.facts
        assert f": {reason}, at 100 % of its elements; made at {__file__}:" in fact


def test_after_backward_without_debug_nobody_knows():
    w = leaf(1.0, 2.0, name="w")
    loss = (w * Tensor([0.0, 0.0])).sum()
    loss.backward()
    assert said(w, loss) == (
        "w: its gradient is zero.\n"
        "The saved values are gone. dg.explain(x, loss) before loss.backward(), or after one under "
        "dg.debug(), says where it became so."
    )
    assert dg.explain(w).verdict == "zero"


def test_of_several_ways_each_is_named_and_what_arrives_as_zero_is_not():
    w = leaf(1.0, 2.0, name="w")
    loss = ((w * 2) * 0.0 + ReLU.apply((w - 5) * 3)).sum()
    names = [fact.split(":")[0] for fact in dg.explain(w, loss).facts]
    assert names == ["ReLU", "Mul"]


def test_contributions_that_cancel_are_told_as_such():
    w = leaf(1.0, 2.0, name="w")
    assert dg.explain(w, (w - w).sum()).facts == (
        "the contributions that arrive by several ways cancel each other",
    )


def test_a_hook_that_may_have_made_it_zero_is_mentioned():
    w = leaf(1.0, 2.0, name="w")
    with dg.debug():
        loss = (w * 2).sum()
        w.register_hook(lambda grad: grad * 0)
        loss.backward()
    assert dg.explain(w, loss).facts == (
        "a hook is registered on the way, and may have made it zero",
    )


def test_the_share_of_dead_units_is_told():
    w = Tensor(np.array([[1.0, -1.0, -2.0, 3.0]]), requires_grad=True, name="w")
    loss = ReLU.apply(w).sum()
    assert dg.explain(w, loss).facts == (
        "the loss leads to it by 2 operations",
        "ReLU: inactive: its inputs are not positive, at 50 % of its elements",
    )
    loss.backward(retain_graph=True)
    assert dg.explain(w, loss).facts == (
        "mean size 0.5, largest 1",
        "50 % of its elements are zero",
        "ReLU: inactive: its inputs are not positive, at 50 % of its elements",
    )


def test_a_gradient_that_is_not_finite():
    w = leaf(1.0, 2.0, name="w")
    (w * Tensor([np.inf, 1.0])).sum().backward()
    assert said(w) == (
        "w: it has a gradient, which is not finite.\n"
        "  1 of 2 elements\n"
        "Under dg.debug() backward stops at the operation that made it so."
    )


# What a rule does.


def test_a_rule_that_gives_none():
    class Blind(Function):
        def forward(self, x):
            return x * 1

        def backward(self, grad):
            return None

    w = leaf(1.0, name="w")
    assert said(w, Blind.apply(w) * 2) == (
        "w: no gradient arrives at it.\n  Blind: its rule gives no gradient for this input"
    )
    loss = Blind.apply(w) + w
    assert dg.explain(w, loss).verdict == "not yet"


def test_a_rule_that_fails():
    class Broken(Function):
        def forward(self, x):
            return x * 1

        def backward(self, grad):
            raise KeyError("no")

    w = leaf(1.0, name="w")
    assert said(w, Broken.apply(w) * 2) == (
        "w: no gradient, and backward raises an error.\n  Broken: KeyError: 'no'"
    )


def test_a_value_that_was_overwritten_is_told_before_backward_finds_it():
    w = leaf(1.0, 2.0, name="w")
    y = w * 1
    loss = (y * y).sum()
    y += 1
    assert dg.explain(w, loss).verdict == "backward fails"


def test_explaining_runs_no_hook_frees_nothing_and_leaves_every_grad():
    seen = []
    w, v = leaf(1.0, 2.0, name="w"), leaf(3.0, 4.0)
    h = w * v
    h.retain_grad()
    w.register_hook(seen.append)
    loss = (h * h).sum()
    for x in (w, h, v):
        dg.explain(x, loss)
    assert (seen, w.grad, h.grad, v.grad) == ([], None, None, None)
    loss.backward()
    assert w.grad.tolist() == [18.0, 64.0]


def test_a_checkpointed_block_is_not_run_for_a_question():
    runs = []

    def block(x):
        runs.append(1)
        return x * x

    w = leaf(1.0, 2.0, name="w")
    loss = checkpoint(block, w).sum()
    assert dg.explain(w, loss).verdict == "not yet"
    assert runs == [1]


def test_operators_of_several_outputs():
    class Halves(Function):
        def forward(self, x):
            return x[:1] * 1, x[1:] * 1

        def backward(self, a, b):
            return self.xp.concat([a, b])

    w = leaf(1.0, 2.0, name="w")
    a, b = Halves.apply(w)
    assert dg.explain(w, (a * 0 + b * 0).sum()).verdict == "not yet, and zero"
    assert dg.explain(w, (a + b).sum()).verdict == "not yet"
    assert dg.explain(w, (a * 0 + b).sum()).verdict == "not yet"
    assert dg.explain(w, (a + b * 0).sum()).verdict == "not yet"
    assert dg.explain(a, (a + b).sum()).verdict == "not a leaf"


def test_a_loss_that_is_the_leaf_itself():
    w = Tensor(1.0, requires_grad=True, name="w")
    assert dg.explain(w, w).verdict == "not yet"


# Models.


def model_of(**parameters):
    return types.SimpleNamespace(named_parameters=lambda: parameters.items())


def test_a_model_is_explained_by_a_table_and_unused_parameters_are_named():
    class Frozen(Tensor):
        pass

    a, b, c, d, e = (leaf(1.0, 2.0) for _ in range(5))
    net = model_of(a=a, b=b, c=c, d=d, e=e, f=Frozen([1.0]))
    with dg.debug():
        loss = (a * 2 + ReLU.apply(-b) + c.detach() * e).sum()
        loss.backward()
    e.grad = None
    title, *rows, unused = str(dg.explain(net, loss)).splitlines()
    assert (title, unused) == ("SimpleNamespace:", "Never used: c, d.")
    expected = [
        "parameter  gradient     because",
        "a          ok           mean size 2, largest 2",
        "b          zero         ReLU: inactive: its inputs are not positive, at 100 % of its "
        "elements; made at",
        "c          cut          tensor of shape (2,), dtype float32, cut by detach at",
        "d          not reached  the loss depends on a, b, e",
        "e          cleared      it was cleared since, by zero_grad or x.grad = None, or the pass "
        "was that of autograd.grad, or ...",
        "f          frozen       requires_grad is False",
    ]
    # The lines of this file come after the reasons, as far as there is room.
    assert [row[: len(e)] for row, e in zip(rows, expected, strict=True)] == expected


def test_a_model_explanation_is_a_sequence_with_names():
    a, b = leaf(1.0), leaf(2.0)
    explanation = dg.explain(model_of(a=a, b=b), a.sum())
    assert [each.verdict for each in explanation] == ["not yet", "not reached"]
    assert (len(explanation), explanation["b"].name, explanation.unused) == (2, "b", ["b"])


def test_it_shows_in_a_notebook_with_markup_escaped():
    w = Tensor([1.0], requires_grad=True, name="<w>")
    html = dg.explain(w, (w * 2).sum())._repr_html_()
    assert html == (
        "<p><b>&lt;w&gt;</b>: no gradient yet, for backward has not run.</p>"
        "<ul><li>the loss leads to it by 2 operations</li></ul>"
        "<p>loss.backward() gives it one.</p>"
    )
    table = dg.explain(model_of(w=w), (w * 2).sum())._repr_html_()
    assert table.startswith("<table><tr><th>parameter</th>")
    assert "<td>w</td><td>not yet</td><td>the loss leads to it by 2 operations</td>" in table


def test_what_cannot_be_explained_is_refused():
    with pytest.raises(ArgumentTypeError) as e:
        dg.explain(3.0)
    assert str(e.value) == (
        "explain: float is neither a Tensor nor a model.\n"
        "A model has named_parameters(); see demograd.interfaces.Model."
    )
    with pytest.raises(ArgumentTypeError) as e:
        dg.explain(leaf(1.0), 3.0)
    assert str(e.value) == (
        "explain: the loss is of type float, not a Tensor.\n"
        "dg.explain(x, loss) takes what backward() is called on."
    )
