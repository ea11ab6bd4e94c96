"""``evaluate`` and the metrics."""

import numpy as np
import pytest

import demograd as dg
from demograd import Tensor
from demograd.errors import ArgumentError, ArgumentTypeError, DataError, ShapeError
from demograd.train import accuracy, evaluate


def test_it_gives_means_over_samples(parts):
    c = parts.case()
    c.model.eval()
    whole = parts.squares(c.model(Tensor(c.x)), Tensor(c.y)).item()
    found = evaluate(
        c.model, c.loss, c.loader, {"first": lambda output, target: target[:, 0].mean()}
    )
    assert found == {
        "loss": pytest.approx(whole, rel=1e-12), "first": pytest.approx(c.y[:, 0].mean())
    }  # fmt: skip


def test_it_records_nothing_and_draws_nothing(parts):
    c = parts.case()
    before = dg.default_generator.get_state()

    def loss(output, target):
        assert not output.requires_grad
        return parts.squares(output, target)

    evaluate(c.model, loss, c.loader)
    assert dg.default_generator.get_state() == before
    assert c.model.parts["noise"].calls.item() == 0


@pytest.mark.parametrize("fails", [False, True])
def test_each_module_has_its_mode_again(fails, parts):
    c = parts.case()
    c.model.parts["first"].training = False

    def loss(output, target):
        assert not any(part.training for part in c.model.modules())
        if fails:
            raise KeyboardInterrupt
        return parts.squares(output, target)

    if fails:
        with pytest.raises(KeyboardInterrupt):
            evaluate(c.model, loss, c.loader)
    else:
        evaluate(c.model, loss, c.loader)
    modes = {name: part.training for name, part in c.model.parts.items()}
    assert modes == {"first": False, "square": True, "noise": True, "last": True}
    assert c.model.training


def test_it_names_itself_in_errors(parts):
    c = parts.case()
    with pytest.raises(DataError) as e:
        evaluate(c.model, c.loss, [])
    assert str(e.value) == (
        "evaluate: loader gave no batch.\n"
        "  loader: list; it is empty\n"
        "Look at what filled or filtered the dataset, and at drop_last."
    )
    with pytest.raises(ArgumentTypeError, match=r"^evaluate: the loss must be a Tensor"):
        evaluate(c.model, lambda output, target: 1.0, c.loader)
    with pytest.raises(ArgumentError, match=r"^evaluate: a metric cannot be called 'val_x'"):
        evaluate(c.model, c.loss, c.loader, {"val_x": accuracy})


SCORES = np.array([[0.1, 0.7, 0.2], [0.5, 0.2, 0.3], [0.0, 0.1, 0.9], [0.3, 0.4, 0.3]])


@pytest.mark.parametrize(
    ("output", "target", "share"),
    [
        (SCORES, [1, 0, 2, 1], 1.0),
        (SCORES, [1, 0, 2, 0], 0.75),
        (SCORES, [0, 1, 1, 0], 0.0),
        (SCORES.astype(np.float16), [1, 1, 2, 1], 0.75),
        (SCORES.T[None], [[1, 0, 2, 2]], 0.75),
    ],
)
def test_accuracy_is_the_share_of_the_largest_at_the_target(output, target, share):
    assert accuracy(Tensor(output), Tensor(target)) == share


def test_accuracy_of_no_samples_is_not_a_number():
    assert np.isnan(accuracy(Tensor(np.ones((0, 3))), Tensor(np.ones(0, np.int64))))


@pytest.mark.parametrize(
    ("output", "target"), [((4, 3), (4, 3)), ((4, 1), (4, 1)), ((4,), (4,)), ((4, 3), (5,))]
)
def test_accuracy_of_shapes_that_do_not_belong_together_is_refused(output, target):
    with pytest.raises(ShapeError) as e:
        accuracy(Tensor(np.ones(output)), Tensor(np.ones(target, np.int64)))
    assert str(e.value) == (
        "accuracy: output and target do not belong together.\n"
        f"  output: shape {output}\n"
        f"  target: shape {target}\n"
        "output has a score for each class, (N, C), and target the class numbers, (N,)."
    )
