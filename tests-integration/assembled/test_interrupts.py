"""Ctrl-C at any moment leaves no half-updated parameter and no half-written file.

Python looks for signals between some of its instructions. So each operation is run again and again,
and a tracing function raises KeyboardInterrupt at the first such moment, the second, and so on,
whoever's code that is in, until the operation runs to its end. The last test sends true signals.
"""

import copy
import dis
import functools
import math
import random
import signal
import sys
import threading
import warnings
from itertools import pairwise

import numpy as np
import pytest

import demograd as dg
from demograd import nn, optim, train

# After these the interpreter looks whether a signal has come, and nowhere else: after a call, when
# a loop goes round, and where a function begins (which is a "call" event when it is traced).
LOOKING = ("CALL", "JUMP_BACKWARD", "RESUME")


@functools.cache
def places_after_a_look(code):
    """The offsets of the instructions before which the interpreter looks for signals."""
    found = list(dis.get_instructions(code))
    return frozenset(
        after.offset for before, after in pairwise(found) if before.opname.startswith(LOOKING)
    )


def run_with_interrupt(count, operation):
    """Run an operation, and interrupt it the ``count``-th time that signals are looked for.

    Returns:
        Whether it was interrupted, and how often signals were looked for.
    """
    looks = 0
    former = sys.gettrace()

    def trace(frame, event, _):
        nonlocal looks
        frame.f_trace_opcodes = True
        after_a_look = event == "opcode" and frame.f_lasti in places_after_a_look(frame.f_code)
        if event == "call" or after_a_look:
            looks += 1
            if looks > count:
                sys.settrace(former)
                raise KeyboardInterrupt
        return trace

    sys.settrace(trace)
    try:
        operation()
    except KeyboardInterrupt:
        return True, looks
    finally:
        sys.settrace(former)
    return False, looks


def interrupts(prepare, look):
    """Run an operation again and again, each time interrupted later, and last not at all.

    Every moment has its turn near the one at which ``look`` begins to see a change, and one in
    many elsewhere.

    Args:
        prepare: returns the operation, made ready anew, and what it works on.
        look: what is seen of that.

    Returns:
        After each run what it has worked on, and whether it was interrupted.
    """
    prepare()[0]()  # what is done once, such as imports, is done
    operation, subject = prepare()
    before = look(subject)
    _, total = run_with_interrupt(math.inf, operation)
    low, high = 0, total
    while high - low > 1:
        middle = (low + high) // 2
        operation, subject = prepare()
        run_with_interrupt(middle, operation)
        low, high = (low, middle) if look(subject) != before else (middle, high)
    counts = {*range(0, total, max(1, total // 40)), *range(max(0, high - 20), high + 10)}
    for count in [*sorted(counts), 2 * total]:
        operation, subject = prepare()
        stopped, _ = run_with_interrupt(count, operation)
        yield subject, stopped
    assert not stopped


def model_and_data():
    dg.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    draw = np.random.default_rng(0)
    x = dg.tensor(draw.standard_normal((5, 3)).astype(np.float32))
    y = dg.tensor(draw.integers(0, 2, 5))
    return model, x, y


def values(tree):
    """Everything in nested dictionaries and lists, tensors as lists of numbers."""
    if isinstance(tree, dict):
        return {key: values(value) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [values(value) for value in tree]
    return tree.tolist() if isinstance(tree, dg.Tensor) else tree


OPTIMIZERS = {
    "SGD": lambda groups: optim.SGD(groups, lr=0.1),
    "SGD with momentum": lambda groups: optim.SGD(groups, lr=0.1, momentum=0.9, nesterov=True),
    "Adam": lambda groups: optim.Adam(groups, lr=0.1, amsgrad=True),
    "AdamW": lambda groups: optim.AdamW(groups, lr=0.1),
    "RMSprop": lambda groups: optim.RMSprop(groups, lr=0.1, momentum=0.9, centered=True),
    "Adagrad": lambda groups: optim.Adagrad(groups, lr=0.1),
}


@pytest.mark.parametrize("steps_before", [0, 1])
@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_a_step_updates_all_parameters_and_their_state_or_none(make, steps_before):
    model, x, y = model_and_data()
    first, last = list(model[0].parameters()), list(model[2].parameters())
    optimizer = make([{"params": first}, {"params": last, "lr": 0.01}])
    nn.functional.cross_entropy(model(x), y).backward()
    for _ in range(steps_before):
        optimizer.step()

    def state(pair):
        model, optimizer = pair
        kept = {i: v for i, v in values(optimizer.state_dict()["state"]).items() if v}
        return values(model.state_dict()), kept

    def prepare():
        pair = copy.deepcopy((model, optimizer))
        for twin, p in zip(pair[0].parameters(), model.parameters(), strict=True):
            twin.grad = p.grad.clone()
        return pair[1].step, pair

    before = state((model, optimizer))
    operation, pair = prepare()
    operation()
    after = state(pair)
    assert before != after
    seen = set()
    for pair, _ in interrupts(prepare, state):
        found = state(pair)
        assert found in (before, after)
        seen.add(found == after)
        if found == before:  # the step can be made again, as if nothing had happened
            pair[1].step()
            assert state(pair) == after
    assert seen == {True, False}


def test_a_step_leaves_no_parameter_half_updated_where_warnings_are_errors():
    p, q = (dg.tensor(np.ones(2, np.float32), requires_grad=True) for _ in range(2))
    p.grad, q.grad = dg.tensor([1.0, 1.0]), dg.tensor([1e30, 1.0])  # its square overflows
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optim.Adam([p, q], lr=0.1).step()
    assert p.tolist() == pytest.approx([0.9, 0.9])
    assert q.tolist() == pytest.approx([1.0, 0.9])


def test_a_state_is_loaded_whole_or_not_at_all():
    model, x, y = model_and_data()
    optimizer = optim.Adam(
        [{"params": [p], "lr": dg.tensor(0.1)} for p in model.parameters()], lr=0.1
    )
    nn.functional.cross_entropy(model(x), y).backward()
    before = values((model.state_dict(), optimizer.state_dict()))
    saved = copy.deepcopy((model, optimizer))
    for twin, p in zip(saved[0].parameters(), model.parameters(), strict=True):
        twin.grad = p.grad.clone()
    saved[1].param_groups[0]["lr"] = 0.5
    saved[1].step()
    wanted = saved[0].state_dict(), saved[1].state_dict()

    for part in (0, 1):

        def prepare(part=part):
            twin = copy.deepcopy((model, optimizer))
            return lambda: twin[part].load_state_dict(wanted[part]), twin[part]

        for twin, _ in interrupts(prepare, lambda twin: values(twin.state_dict())):
            found = values(twin.state_dict())
            assert found in (before[part], values(wanted[part]))
        assert found == values(wanted[part])


@pytest.mark.parametrize("times_before", [0, 1])
def test_backward_adds_all_gradients_or_none(times_before):
    model, x, y = model_and_data()
    for _ in range(times_before):
        nn.functional.cross_entropy(model(x), y).backward()

    def gradients(found):
        return [None if p.grad is None else p.grad.tolist() for p in found.parameters()]

    def prepare():
        twin = copy.deepcopy(model)
        loss = nn.functional.cross_entropy(twin(x), y)
        return loss.backward, twin

    before = gradients(model)
    operation, twin = prepare()
    operation()
    after = gradients(twin)
    for twin, stopped in interrupts(prepare, gradients):
        assert gradients(twin) in (before, after)
        if stopped and gradients(twin) == before:
            nn.functional.cross_entropy(twin(x), y).backward()
            assert gradients(twin) == after


def test_a_module_is_cast_whole_or_not_at_all():
    model, _, _ = model_and_data()

    def prepare():
        twin = copy.deepcopy(model)
        return twin.double, twin

    for twin, _ in interrupts(prepare, lambda twin: next(twin.parameters()).dtype):
        assert len({p.dtype for p in twin.parameters()}) == 1
    assert {p.dtype for p in twin.parameters()} == {dg.float64}


def test_a_file_is_the_old_one_or_the_new_one(tmp_path):
    path = tmp_path / "model.safetensors"
    old, new = {"w": dg.tensor([1.0, 2.0])}, {"w": dg.tensor([3.0, 4.0]), "epoch": 2}

    def prepare():
        dg.save(old, path)
        return lambda: dg.save(new, path), None

    for _ in interrupts(prepare, lambda _: path.read_bytes()):
        assert values(dg.load(path)) in (values(old), values(new))
    assert values(dg.load(path)) == values(new)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_a_run_that_was_interrupted_goes_on_from_its_checkpoint(tmp_path):
    class Loader:
        def __iter__(self):
            _, x, y = model_and_data()
            return iter([(x, y)] * 2)

        def __len__(self):
            return 2

    def run(folder, resume=None):
        model, _, _ = model_and_data()
        optimizer = optim.Adam(model.parameters(), lr=0.1)
        checkpoint = train.Checkpoint(folder, monitor="loss")
        train.fit(
            model, nn.functional.cross_entropy, optimizer, Loader(),
            epochs=3, callbacks=[checkpoint], resume=resume, progress=False,
        )  # fmt: skip
        return values((model.state_dict(), optimizer.state_dict()))

    expected = run(tmp_path / "whole")
    draw = random.Random(0)
    _, total = run_with_interrupt(math.inf, lambda: run(tmp_path / "counted"))
    resumed = 0
    for number in range(25):
        folder = tmp_path / str(number)
        count = draw.randrange(total * 9 // 10)
        stopped, _ = run_with_interrupt(count, lambda f=folder: run(f))
        assert stopped
        for file in folder.glob("*.safetensors"):
            dg.load(file)  # it is whole
        there = (folder / "last.safetensors").exists()
        resumed += there
        assert run(folder, resume=folder if there else None) == expected
    assert resumed > 5


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system has no such timer")
def test_true_signals_leave_the_parameters_of_one_step_together():
    assert threading.current_thread() is threading.main_thread()
    start = np.zeros(50_000, np.float32)
    params = [dg.tensor(start.copy(), requires_grad=True) for _ in range(8)]
    optimizer = optim.Adam([{"params": params[:4]}, {"params": params[4:]}], lr=0.1)
    for p in params:
        p.grad = dg.ones(50_000)

    def interrupt(*_):
        raise KeyboardInterrupt

    draw = random.Random(0)
    former = signal.signal(signal.SIGALRM, interrupt)
    try:
        for _ in range(150):
            try:
                signal.setitimer(signal.ITIMER_REAL, draw.uniform(1e-5, 2e-3))
                while True:
                    optimizer.step()
            except KeyboardInterrupt:
                pass
            steps = {optimizer.state[p]["step"] for p in params if optimizer.state.get(p)}
            assert len(steps) <= 1
            assert len({p.data.tobytes() for p in params}) == 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, former)
    assert steps.pop() > 5
