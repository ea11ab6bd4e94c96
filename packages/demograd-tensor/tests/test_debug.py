"""``dg.debug``: each node knows its line and its modules, and off it leaves no trace."""

import gc
import os
import subprocess
import sys
import threading
import types
import weakref

import pytest

import demograd as dg
from demograd import Function, Tensor
from demograd._place import Place
from demograd.autograd import end_call, record_call, start_call
from demograd.autograd._mode import everywhere
from demograd.autograd._scope import open_calls
from demograd.autograd._watchers import watchers
from demograd.diagnostics import is_debugging
from demograd.errors import GradientError, NonFiniteOperationError


def leaf(*values):
    return Tensor(list(values), requires_grad=True)


def line_of(text):
    """The number of the line of this file that holds this text first."""
    with open(__file__, encoding="utf-8") as file:
        return next(i for i, line in enumerate(file, 1) if text in line)


# Off.


def test_off_nobody_watches_and_a_node_carries_nothing():
    with dg.debug():
        pass
    y = leaf(1.0, 2.0) * 3
    z = y.detach()
    y.sum().backward()
    assert (everywhere.on, everywhere.watched, watchers()) == (True, 0, ())
    assert "_notes" not in vars(y.grad_fn)
    assert "_notes" not in vars(y)
    assert "_notes" not in vars(z)
    assert (y.grad_fn.place, y.grad_fn.module_path) == (None, "")


def test_an_error_inside_leaves_nobody_watching():
    with pytest.raises(KeyError), dg.debug():
        raise KeyError
    assert (everywhere.watched, is_debugging()) == (0, False)


def test_importing_demograd_imports_no_diagnostics():
    code = "import sys, demograd; print([m for m in sys.modules if 'diagnostics' in m])"
    assert run(["-c", code]) == "[]\n"


# Lines.


def scaled(x):
    return x * 3  # the line of scaled


def test_a_node_knows_the_line_that_made_it():
    with dg.debug():
        y = scaled(leaf(1.0))
    place = y.grad_fn.place
    assert place == Place(__file__, line_of("# the line of scaled"), "scaled")
    assert str(place) == (f"{__file__}:{place.line}, in scaled: return x * 3  # the line of scaled")


@pytest.mark.parametrize(
    "make",
    [
        lambda x: x + x,
        lambda x: x.sum(),
        lambda x: x @ x,
        lambda x: x[0],
        lambda x: dg.where(x > 0, x, 0.0),
        lambda x: x.double(),
        lambda x: -x,
        lambda x: x.reshape(2, 1),
        lambda x: x.mean(),
        lambda x: x.clone(),
    ],
)
def test_every_kind_of_operation_is_seen(make):
    with dg.debug():
        y = make(leaf(1.0, 2.0))
    assert (y.grad_fn.place.file, y.grad_fn.place.function) == (__file__, "<lambda>")


def test_an_operator_of_the_users_own_has_the_users_line():
    class Double(Function):
        def forward(self, x):
            return 2 * x

        def backward(self, grad):
            return 2 * grad

    with dg.debug():
        y = Double.apply(leaf(1.0))  # the line of Double
    assert y.grad_fn.place.line == line_of("# the line of Double")


def test_a_change_in_place_has_its_line():
    with dg.debug():
        y = leaf(1.0, 2.0) * 2
        y += 1  # the line of the change
    assert y.grad_fn.place.line == line_of("# the line of the change")


def test_each_output_of_several_leads_to_the_line():
    class Halves(Function):
        def forward(self, x):
            return x[:1], x[1:]

        def backward(self, a, b):
            return self.xp.concat([a, b])

    with dg.debug():
        a, b = Halves.apply(leaf(1.0, 2.0))  # the line of Halves
    lines = {a.grad_fn.place.line, b.grad_fn.place.line}
    assert lines == {line_of("# the line of Halves")}


def test_a_recorded_derivative_has_the_line_at_which_it_was_asked_for():
    x = leaf(2.0)
    with dg.debug():
        (dx,) = dg.autograd.grad((x * x * x).sum(), x, create_graph=True)  # the line of grad
    assert dx.grad_fn.place.line == line_of("# the line of grad")


def test_what_was_made_before_has_no_line():
    y = leaf(1.0) * 2
    with dg.debug():
        z = y * 3
    assert (y.grad_fn.place, z.grad_fn.place is None) == (None, False)


# Modules.


def test_a_node_knows_the_calls_that_it_was_made_in():
    with dg.debug():
        x = leaf(1.0)
        model, block, layer = (start_call(s) for s in ("Net", "1: Block", "proj: Linear"))
        y = x * 2
        record_call(y, layer, "proj: Linear")
        z = y + 1
        record_call(z, block, "1: Block")
        record_call(z, model, "Net")
        last = z * 2
    paths = [each.grad_fn.module_path for each in (y, z, last)]
    assert paths == ["1.proj: Linear", "1: Block", ""]


def test_a_call_that_an_exception_left_is_over():
    with dg.debug():
        outer = start_call("Net")
        start_call("0: Never")
        end_call(outer)
        y = leaf(1.0) * 2
    assert (y.grad_fn.module_path, open_calls()) == ("", ())


def test_a_call_that_was_never_ended_is_forgotten_by_the_next_block():
    with dg.debug():
        start_call("Left")
    with dg.debug():
        y = leaf(1.0) * 2
    assert y.grad_fn.module_path == ""


# The switch.


@pytest.mark.parametrize("decorate", [dg.debug, dg.debug(), dg.debug(inf=False)])
def test_it_is_a_decorator(decorate):
    @decorate
    def run(x):
        return x * 2, is_debugging()

    y, on = run(leaf(1.0))
    assert (y.grad_fn.place is None, on, is_debugging()) == (False, True, False)


def test_a_generator_is_under_it_while_it_runs_and_its_consumer_is_not():
    @dg.debug
    def steps(x):
        for _ in range(2):
            x = x * 2
            yield x, is_debugging()

    seen = [(y.grad_fn.place is None, inside, is_debugging()) for y, inside in steps(leaf(1.0))]
    assert seen == [(False, True, False)] * 2


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_settings_of_the_inner_block_hold_and_then_the_outer_ones_again():
    x = leaf(0.0)
    with dg.debug():
        with dg.debug(inf=False):
            1 / x
        with pytest.raises(NonFiniteOperationError):
            1 / x
    assert everywhere.watched == 0


def test_one_block_may_be_entered_again_inside_itself():
    block = dg.debug()
    with block, block:
        assert is_debugging()
    assert (is_debugging(), everywhere.watched) == (False, 0)


def test_it_is_for_its_thread_alone():
    places = []

    def work():
        places.append((leaf(1.0) * 2).grad_fn.place)

    with dg.debug():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert places == [None]


def run(arguments, stdin="", **environment):
    done = subprocess.run(
        [sys.executable, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
    )
    return done.stdout


PROGRAM = """\
import threading
import demograd as dg
x = dg.ones(2, requires_grad=True)
print((x * 2).grad_fn.place)
def work():
    print((x * 2).grad_fn.place)
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("1", "<string>:4, in <module>\n<string>:6, in work\n"),
        ("0", "None\nNone\n"),
        ("", "None\nNone\n"),
    ],
)
def test_the_environment_variable_switches_it_on_in_every_thread(value, said):
    assert run(["-c", PROGRAM], DEMOGRAD_DEBUG=value) == said


def test_a_program_from_standard_input_has_lines():
    assert run(["-"], PROGRAM, DEMOGRAD_DEBUG="1").startswith("<stdin>:4, in <module>\n")


def test_a_script_has_lines_with_their_text(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(PROGRAM, encoding="utf-8")
    first = run([str(script)], DEMOGRAD_DEBUG="1").splitlines()[0]
    assert first == f"{script}:4, in <module>: print((x * 2).grad_fn.place)"


def test_a_cell_of_a_notebook_is_named_as_such(monkeypatch):
    shell = types.SimpleNamespace(
        compile=types.SimpleNamespace(
            format_code_name=lambda name: ("Cell", "In[3]") if name == "<cell>" else None
        )
    )
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    assert Place("<cell>", 2, "<module>").where == "Cell In[3]:2"
    assert Place("train.py", 2, "<module>").where == "train.py:2"


# Memory, and what is computed.


def test_it_keeps_nothing_alive():
    gc.disable()
    try:
        with dg.debug():
            x = leaf(1.0, 2.0)
            y = x * x
            cut = y.detach() * 2
            y.sum().backward()
            node, tensor = weakref.ref(y.grad_fn), weakref.ref(y)
            del y
            assert (node(), tensor()) == (None, None)
        assert cut._notes.cuts[0].leaves[id(x)]() is x
        parameter = weakref.ref(x)
        del x
        assert parameter() is None
    finally:
        gc.enable()


def test_gradients_are_the_same_under_it():
    def gradients():
        x, w = leaf(1.0, 2.0, -3.0), leaf(0.5, -1.0, 2.0)
        y = (x * w).sum() ** 2 + (x @ w) * x[1]
        (dx,) = dg.autograd.grad(y, x, create_graph=True)
        (dx * dx).sum().backward()
        return x.grad.tolist(), w.grad.tolist()

    plain = gradients()
    with dg.debug():
        assert gradients() == plain


def test_an_error_in_a_rule_is_told_the_line_that_made_the_node():
    class Broken(Function):
        def forward(self, x):
            return x * 2

        def backward(self, grad):
            raise KeyError("no")

    with dg.debug():
        y = Broken.apply(leaf(1.0))  # the line of Broken
        with pytest.raises(KeyError) as e:
            y.backward()
    assert e.value.__notes__ == [
        f"in the backward of Broken, made at {__file__}:{line_of('# the line of Broken')}, in "
        "test_an_error_in_a_rule_is_told_the_line_that_made_the_node: y = Broken.apply(leaf(1.0))"
        "  # the line of Broken"
    ]


def test_a_stale_value_names_the_line_that_saved_it_and_the_line_that_changed_it():
    with dg.debug():
        x = leaf(1.0, 2.0) * 1
        y = x * x  # the line that saved
        x += 1  # the line that changed
        with pytest.raises(GradientError) as e:
            y.sum().backward()
    facts = str(e.value).splitlines()
    saved = [fact for fact in facts if "saved at" in fact]
    changed = [fact for fact in facts if "changed at" in fact]
    assert [s.endswith("y = x * x  # the line that saved") for s in saved] == [True]
    assert [s.endswith("x += 1  # the line that changed") for s in changed] == [True]
