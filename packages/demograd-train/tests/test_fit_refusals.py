"""``fit`` refuses what cannot be trained before it changes anything."""

import numpy as np
import pytest

from demograd import Tensor
from demograd.errors import (
    ArgumentError,
    ArgumentTypeError,
    DataError,
    DemogradError,
    DemogradWarning,
    ShapeError,
    StateError,
)
from demograd.train import Callback, fit


def values(model):
    return {name: np.array(p.detach().data) for name, p in model.named_parameters()}


def same(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


class NoModel:
    training = True

    def __call__(self, x):
        return x


REFUSED = {
    "no epochs": (
        {"epochs": 0}, ArgumentError,
        "fit: epochs must be a whole number of at least 1.\n  epochs: 0\nepochs=10",
    ),
    "half an epoch": (
        {"epochs": 1.5}, ArgumentError,
        "fit: epochs must be a whole number of at least 1.\n  epochs: 1.5\nepochs=10",
    ),
    "a function as the model": (
        {"model": NoModel()}, ArgumentTypeError,
        "fit: the model does not keep to demograd.interfaces.Model.\n"
        "  model: NoModel without eval, load_state_dict, named_parameters, parameters, state_dict, "
        "train\n"
        "model: a module of demograd.nn, for example.",
    ),
    "a class as the optimizer": (
        {"optimizer": object()}, ArgumentTypeError,
        "fit: the optimizer does not keep to demograd.interfaces.Optimizer.\n"
        "  optimizer: object without add_param_group, load_state_dict, param_groups, state_dict, "
        "step, zero_grad\n"
        "optimizer: optim.SGD(model.parameters(), lr=0.1).",
    ),
    "a generator": (
        {"loader": iter([])}, DataError,
        "fit: loader is a generator, which is used up after one epoch.\n"
        "  loader: list_iterator\n  epochs: 2\n"
        "Keep its batches, loader=list(batches), or give a DataLoader.",
    ),
    "a generator to validate with": (
        {"validation": iter([])}, DataError,
        "fit: validation is a generator, which is used up after one epoch.\n"
        "  validation: list_iterator\n  epochs: 2\n"
        "Keep its batches, validation=list(batches), or give a DataLoader.",
    ),
    "a loader that is none": (
        {"loader": 3}, ArgumentTypeError,
        "fit: loader must give batches.\n"
        "  loader: int, which cannot be iterated over\n"
        "loader=DataLoader(dataset, batch_size=32), or a list of batches.",
    ),
    "an empty loader": (
        {"loader": []}, DataError,
        "fit: loader gave no batch.\n"
        "  loader: list; it is empty\n"
        "Look at what filled or filtered the dataset, and at drop_last.",
    ),
    "a used generator": (
        {"loader": iter([]), "epochs": 1}, DataError,
        "fit: loader gave no batch.\n"
        "  loader: list_iterator; a generator that is used up, or was empty\n"
        "Look at what filled or filtered the dataset, and at drop_last.",
    ),
    "a batch that is a tensor": (
        {"loader": [Tensor(np.ones((2, 3)))]}, ArgumentTypeError,
        "fit: a batch must be a pair of inputs and target.\n"
        "  found: Tensor\n"
        "Let the loader give (x, target): DataLoader(TensorDataset(x, target)). A model that is to "
        "repeat its input takes (x, x).",
    ),
    "a loss that is a number": (
        {"loss": lambda output, target: 1.5}, ArgumentTypeError,
        "fit: the loss must be a Tensor.\n"
        "  loss: float\n"
        "Compute it with Tensors throughout; float(...) and .item() cut the graph.",
    ),
    "a loss for each sample": (
        {"loss": lambda output, target: ((output - target) ** 2).mean(dim=1)}, ShapeError,
        "fit: the loss is not a single number.\n"
        "  loss: shape (4,)\n"
        'Let it take the mean: CrossEntropyLoss(reduction="mean"), or .mean().',
    ),
    "a metric called loss": (
        {"metrics": {"loss": lambda output, target: 0}}, ArgumentError,
        "fit: a metric cannot be called 'loss'.\n"
        "  taken: epoch, loss, lr, and names that start with val_\n"
        'fit(..., metrics={"accuracy": train.accuracy})',
    ),
    "a function as a callback": (
        {"callbacks": [print]}, ArgumentTypeError,
        "fit: a callback must be a train.Callback.\n"
        "  found: builtin_function_or_method\n"
        "class Mine(train.Callback): ...",
    ),
    "a callback without a list": (
        {"callbacks": Callback()}, ArgumentTypeError,
        "fit: callbacks must be a list of callbacks.\n"
        "  callbacks: Callback\n"
        "callbacks=[Callback(...)]",
    ),
    "a schedule that is none": (
        {"schedule": 0.5}, ArgumentTypeError,
        "Schedule: this is no learning-rate schedule.\n"
        "  scheduler: float without step, state_dict, load_state_dict\n"
        "Schedule(demograd.optim.lr_scheduler.StepLR(optimizer, step_size=10))",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_trained_is_refused_and_left_alone(name, parts):
    change, error, text = REFUSED[name]
    c = parts.case()
    before = values(c.model)
    arguments = {
        "model": c.model, "loss": c.loss, "optimizer": c.optimizer, "loader": c.loader,
        "epochs": 2, **change,
    }  # fmt: skip
    with pytest.raises(error) as e:
        fit(**arguments)
    assert isinstance(e.value, DemogradError)
    assert str(e.value) == text
    assert same(values(c.model), before)


def test_an_optimizer_of_another_model_is_refused(parts):
    c = parts.case()
    other = parts.Momentum(parts.Net().parameters())
    with pytest.raises(StateError) as e:
        fit(c.model, c.loss, other, c.loader, epochs=1)
    assert str(e.value) == (
        "fit: the optimizer trains none of the model's parameters.\n"
        "  model: 4 parameters\n"
        "  optimizer: 4 others\n"
        "Make it of this model, and anew after parameters were replaced: "
        "SGD(model.parameters(), lr=0.1)."
    )


def test_a_part_that_was_replaced_after_the_optimizer_was_made_is_told(parts):
    c = parts.case()
    c.model.parts["last"] = parts.Affine(4, 2, seed=9)
    with pytest.warns(DemogradWarning) as w:
        fit(c.model, c.loss, c.optimizer, c.loader, epochs=1)
    assert str(w[0].message) == (
        "fit: the optimizer was made of another model, or before a part of this was replaced.\n"
        "  parameters of the model that are not trained: 2\n"
        "  parameters of the optimizer that are not the model's: 2\n"
        "Make the optimizer after the last change of the model: SGD(model.parameters()).\n"
        'If it is meant: warnings.filterwarnings("ignore", "fit: the optimizer was made of another '
        'model, or before a part of this was replaced")'
    )
    assert w[0].filename == __file__
