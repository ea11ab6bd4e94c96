"""``resume`` refuses what is not this run's checkpoint, and changes nothing."""

import numpy as np
import pytest

import demograd as dg
from demograd import Tensor
from demograd.errors import MissingFileError, StateError
from demograd.train import (
    fit,
)


def other_sizes(parts, c):
    c.model = parts.Net(n_hidden=5)
    c.optimizer = parts.Momentum(c.model.parameters())


def other_names(parts, c):
    names = dict(c.model.named_parameters())
    c.model.named_parameters = lambda: [
        (name.replace("first", "input"), p) for name, p in names.items()
    ]
    own = c.model.state_dict
    c.model.state_dict = lambda: {k.replace("first", "input"): v for k, v in own().items()}


def other_type(parts, c):
    last = c.model.parts["last"]
    last.weight = Tensor(last.weight.detach().numpy().astype(np.float32), requires_grad=True)
    c.optimizer = parts.Momentum(c.model.parameters())


def other_optimizer(parts, c):
    class Descent(parts.Momentum):
        pass

    c.optimizer = Descent(c.model.parameters())


def other_groups(parts, c):
    one, *rest = c.model.parameters()
    c.optimizer = parts.Momentum([{"params": [one]}, {"params": rest}])


def other_generator(parts, c):
    c.loader.generator = None


OTHERS = {
    "sizes": (
        other_sizes,
        "fit: the checkpoint is of another model.\n"
        "  file: {file}\n"
        "  first.weight: float64 of shape (3, 4) in the checkpoint, float64 of shape (3, 5) here\n"
        "  first.bias: float64 of shape (4,) in the checkpoint, float64 of shape (5,) here\n"
        "  last.weight: float64 of shape (4, 2) in the checkpoint, float64 of shape (5, 2) here\n"
        "Make the model as it was when the checkpoint was saved.",
    ),
    "names": (
        other_names,
        "fit: the checkpoint is of another model.\n"
        "  file: {file}\n"
        "  missing in the checkpoint: input.weight, float64 of shape (3, 4)\n"
        "  missing in the checkpoint: input.bias, float64 of shape (4,)\n"
        "  only in the checkpoint: first.weight, float64 of shape (3, 4)\n"
        "  only in the checkpoint: first.bias, float64 of shape (4,)\n"
        "Make the model as it was when the checkpoint was saved.",
    ),
    "type": (
        other_type,
        "fit: the checkpoint is of another model.\n"
        "  file: {file}\n"
        "  last.weight: float64 of shape (4, 2) in the checkpoint, float32 of shape (4, 2) here\n"
        "Make the model as it was when the checkpoint was saved.",
    ),
    "optimizer": (
        other_optimizer,
        "fit: the checkpoint is of another optimizer.\n"
        "  file: {file}\n"
        "  checkpoint: Momentum with groups of 4 parameters\n"
        "  here: Descent with groups of 4 parameters\n"
        "Make the optimizer as it was when the checkpoint was saved.",
    ),
    "groups": (
        other_groups,
        "fit: the checkpoint is of another optimizer.\n"
        "  file: {file}\n"
        "  checkpoint: Momentum with groups of 4 parameters\n"
        "  here: Momentum with groups of 1, 3 parameters\n"
        "Make the optimizer as it was when the checkpoint was saved.",
    ),
    "generator": (
        other_generator,
        "fit: the run has other random generators than the checkpoint.\n"
        "  checkpoint: default_generator, loader.generator, validation.generator\n"
        "  run: default_generator, validation.generator\n"
        "Make the loaders as they were, with a generator of their own or without.",
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_checkpoint_of_another_run_is_refused_and_changes_nothing(name, parts, tmp_path):
    change, text = OTHERS[name]
    _, _, checkpoint = parts.train(tmp_path, epochs=2)
    c = parts.case()
    change(parts, c)
    before = parts.left(c)[:2]
    with pytest.raises(StateError) as e:
        parts.train(tmp_path, epochs=4, resume=tmp_path, given=c)
    assert str(e.value) == text.format(file=checkpoint.last)
    if name != "generator":
        assert parts.left(c)[:2] == before


def test_a_checkpoint_with_callbacks_that_the_run_lacks_is_refused(parts, tmp_path):
    _, _, checkpoint = parts.train(tmp_path, epochs=1)
    c = parts.case()
    with pytest.raises(StateError) as e:
        fit(*(c.model, c.loss, c.optimizer, c.loader), epochs=2, resume=tmp_path)
    assert str(e.value) == (
        "fit: the checkpoint has the state of callbacks that this run lacks.\n"
        f"  file: {checkpoint.last}\n"
        "  lacking: Checkpoint, EarlyStopping, Schedule\n"
        "Give fit the same callbacks and the same schedule."
    )


NO_CHECKPOINT = {
    "weights": (
        {"first.weight": Tensor(1.0), "first.bias": Tensor(0.0)},
        "fit: the file to resume from is no checkpoint.\n"
        "  file: {file}\n"
        "  holds: first.weight, first.bias\n"
        "Weights alone are loaded so: model.load_state_dict(dg.load(file)).",
    ),
    "a tensor": (
        Tensor(1.0),
        "fit: the file to resume from is no checkpoint.\n"
        "  file: {file}\n"
        "  holds: Tensor\n"
        "Weights alone are loaded so: model.load_state_dict(dg.load(file)).",
    ),
    "a part": (
        {"checkpoint": 1, "model": {}, "epoch": "two"},
        "fit: the checkpoint is incomplete.\n"
        "  file: {file}\n"
        "  missing or of another kind: loss, optimizer, callbacks, random, history, epoch\n"
        "Resume from another one.",
    ),
    "an optimizer without groups": (
        {"checkpoint": 1, "model": {}, "loss": {}, "optimizer": {"class": "SGD"}, "callbacks": {},
         "random": {}, "history": [], "epoch": 1},
        "fit: the checkpoint is incomplete.\n"
        "  file: {file}\n"
        "  missing or of another kind: optimizer\n"
        "Resume from another one.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NO_CHECKPOINT)
def test_a_file_that_is_no_checkpoint_is_refused(name, parts, tmp_path):
    state, text = NO_CHECKPOINT[name]
    file = tmp_path / "file.safetensors"
    dg.save(state, file)
    c = parts.case()
    with pytest.raises(StateError) as e:
        fit(*(c.model, c.loss, c.optimizer, c.loader), epochs=2, resume=file)
    assert str(e.value) == text.format(file=file)


def test_a_folder_without_a_checkpoint_is_a_file_not_found_error(parts, tmp_path):
    c = parts.case()
    with pytest.raises(MissingFileError) as e:
        fit(*(c.model, c.loss, c.optimizer, c.loader), epochs=2, resume=tmp_path)
    assert f"file: {tmp_path / 'last.safetensors'}\n" in str(e.value)
