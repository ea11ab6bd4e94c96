"""Decision boundaries, images and gradients as figures."""

from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pytest

import demograd as dg
from demograd.errors import ArgumentError, GradientError, ShapeError
from demograd.viz import curves, decision_boundary, gradient_flow, images

POINTS = np.array([[0.0, 0.0], [1.0, 1.0], [0.2, 0.9], [0.8, 0.1]])


def by_first(p):
    """One score: positive where the first coordinate is above a half."""
    return p[:, 0] - 0.5


def three(p):
    return dg.as_tensor(np.stack([p.data[:, 0], p.data[:, 1], 0.5 - p.data.sum(axis=1)], axis=1))


FIGURES = {
    "curves": lambda: curves([{"loss": 1.0}]),
    "decision_boundary": lambda: decision_boundary(by_first, POINTS, resolution=5),
    "images": lambda: images(np.zeros((2, 3, 3))),
    "gradient_flow": lambda: gradient_flow({"w": with_gradient([3.0, 4.0])}),
}


def with_gradient(values):
    w = dg.tensor(values, requires_grad=True)
    (w * w).sum().backward()
    return w


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_shows_itself_in_a_notebook_and_is_written(name):
    figure = FIGURES[name]()
    assert figure._repr_png_().startswith(b"\x89PNG")
    for format_ in ("png", "svg", "pdf"):
        file = io.BytesIO()
        figure.savefig(file, format=format_)
        assert file.tell() > 1000


@pytest.mark.parametrize("name", FIGURES)
def test_axes_are_labelled(name):
    labels = {
        "curves": ("epoch", "loss"),
        "decision_boundary": ("x1", "x2"),
        "images": ("", ""),
        "gradient_flow": ("norm of the gradient", "parameter"),
    }
    ax = FIGURES[name]().axes[0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == labels[name]


def test_importing_the_package_imports_no_library_of_pictures():
    program = """
import sys
import demograd.viz
heavy = {"matplotlib", "graphviz", "rich"} & set(sys.modules)
assert not heavy, heavy
demograd.viz.curves([{"loss": 1.0}])
assert "matplotlib" in sys.modules
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)


# Decision boundaries.


def colours(figure):
    """The picture's colour at the left and at the right border, in the middle."""
    picture = figure.axes[0].get_images()[0].get_array()
    middle = len(picture) // 2
    return picture[middle, 0], picture[middle, -1]


@pytest.mark.parametrize(
    ("model", "threshold"),
    [
        (by_first, 0.0),
        (lambda p: by_first(p).reshape(-1, 1), 0.0),
        (lambda p: by_first(p) + 0.5, 0.5),
        (lambda p: dg.as_tensor(np.stack([0 * p.data[:, 0], p.data[:, 0] - 0.5], axis=1)), 0.0),
    ],
)
def test_the_boundary_is_where_the_decision_changes(model, threshold):
    figure = decision_boundary(model, POINTS, [0, 1, 0, 1], threshold=threshold, resolution=60)
    left, right = colours(figure)
    assert left[2] > left[0]  # blue, the colour of class 0
    assert right[0] > right[2]  # vermilion, the colour of class 1
    (contour,) = figure.axes[0].collections
    (path,) = contour.get_paths()
    assert np.allclose(path.vertices[:, 0], 0.5, atol=1e-6)


def test_samples_are_drawn_by_class_with_marks_of_their_own():
    figure = decision_boundary(three, POINTS, [2, 0, 1, 0], names=["a", "b", "c$"], resolution=30)
    lines = figure.axes[0].get_lines()
    assert [line.get_label() for line in lines] == ["a", "b", r"c\$"]
    assert [len(line.get_xdata()) for line in lines] == [2, 1, 1]
    assert len({line.get_marker() for line in lines}) == 3
    assert len({line.get_color() for line in lines}) == 3
    assert figure.axes[0].get_legend().get_title().get_text() == "class"


def test_two_classes_may_have_any_two_values():
    figure = decision_boundary(by_first, POINTS, [-1, 1, -1, 1], resolution=20)
    assert [line.get_label() for line in figure.axes[0].get_lines()] == ["-1", "1"]
    low, high = figure.axes[0].get_lines()
    assert low.get_xdata().tolist() == [0.0, 0.2]
    assert high.get_xdata().tolist() == [1.0, 0.8]


def test_a_model_with_one_answer_has_no_boundary():
    figure = decision_boundary(lambda p: 0 * p[:, 0] + 1, POINTS, [1, 1, 1, 1], resolution=10)
    assert len(figure.axes[0].collections) == 0
    (line,) = figure.axes[0].get_lines()
    assert line.get_label() == "1"


def test_a_model_is_run_for_evaluation_and_left_as_it_was(toy):
    seen = []

    class Watch(toy.Module):
        def forward(self, p):
            seen.append((self.training, dg.is_grad_enabled(), str(p.dtype), p.shape[0]))
            return p[:, 0]

    model = Watch()
    decision_boundary(model, POINTS.astype(np.float32), resolution=70)
    assert seen == [(False, False, "float32", 4096), (False, False, "float32", 804)]
    assert model.training

    def fail(p):
        raise KeyError

    model.forward = fail
    with pytest.raises(KeyError):
        decision_boundary(model, POINTS)
    assert model.training
    assert dg.is_grad_enabled()


def test_samples_that_coincide_still_span_a_plane():
    figure = decision_boundary(by_first, np.ones((3, 2)), resolution=4)
    low, high = figure.axes[0].get_xlim()
    assert low < 1 < high


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        (
            (by_first, np.ones((4, 3))),
            ShapeError,
            "decision_boundary: the samples are not points of a plane.\n"
            "  x: shape (4, 3)\n"
            "x has two columns and a row a sample: x[:, :2] takes the first two features.",
        ),
        (
            (by_first, POINTS, [0, 1]),
            ShapeError,
            "decision_boundary: y does not belong to x.\n"
            "  x: 4 samples\n"
            "  y: shape (2,)\n"
            "y has one entry for each sample: shape (4,).",
        ),
        (
            (three, POINTS, [0, 1, 2, 3]),
            ArgumentError,
            "decision_boundary: y has classes that the model does not score.\n"
            "  y: 0, 1, 2, 3\n"
            "  the model's scores: 3\n"
            "The classes are 0 to 2.",
        ),
        (
            (lambda p: p.sum(), POINTS),
            ShapeError,
            "decision_boundary: the model's output is no score for each point.\n"
            "  points: shape (4096, 2)\n"
            "  output: shape ()\n"
            "It must be (N, C), (N, 1) or (N,).",
        ),
    ],
)
def test_a_plane_that_cannot_be_drawn_is_refused_in_words(arguments, error, text):
    with pytest.raises(error) as e:
        decision_boundary(*arguments)
    assert str(e.value) == text


def test_a_resolution_of_one_is_refused():
    with pytest.raises(ArgumentError) as e:
        decision_boundary(by_first, POINTS, resolution=1)
    assert str(e.value) == "decision_boundary: resolution is 1.\nUse 200."


# Images.


def titles(figure):
    return [ax.get_title() for ax in figure.axes]


@pytest.mark.parametrize(
    ("shape", "drawn"),
    [
        ((3, 4, 5), (4, 5)),
        ((3, 1, 4, 5), (4, 5)),
        ((3, 3, 4, 5), (4, 5, 3)),
        ((3, 4, 5, 3), (4, 5, 3)),
        ((3, 4, 5, 1), (4, 5)),
        ((3, 16), (4, 4)),
    ],
)
def test_every_usual_shape_of_images_is_taken(shape, drawn):
    figure = images(dg.rand(*shape))
    assert [ax.get_images()[0].get_array().shape for ax in figure.axes] == [drawn] * 3


def test_flat_images_may_have_any_shape():
    (ax,) = images(np.arange(6).reshape(1, 6), shape=(2, 3)).axes
    assert ax.get_images()[0].get_array().tolist() == [[0, 1, 2], [3, 4, 5]]


def test_titles_say_what_is_true_and_what_was_predicted():
    x = np.zeros((3, 2, 2))
    assert titles(images(x)) == [""] * 3
    assert titles(images(x, [2, 0, 1])) == ["true 2", "true 0", "true 1"]
    assert titles(images(x, predictions=[2, 0, 1]))[0] == "predicted 2"
    scores = dg.tensor([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]])
    assert titles(images(x, dg.tensor([1, 1, 1]), scores, names=["no", "yes"])) == [
        "true yes, predicted yes", "true yes, predicted no", "true yes, predicted yes",
    ]  # fmt: skip


def test_a_wrong_prediction_has_another_colour():
    figure = images(np.zeros((2, 2, 2)), [0, 1], [0, 0])
    right, wrong = (ax.title.get_color() for ax in figure.axes)
    assert right != wrong


def test_only_the_wrong_ones_are_shown_and_counted():
    x, labels = np.zeros((100, 2, 2)), np.zeros(100, dtype=int)
    predictions = np.arange(100) % 3
    figure = images(x, labels, predictions, wrong_only=True, count=4, columns=3)
    assert titles(figure) == ["true 0, predicted 1", "true 0, predicted 2"] * 2
    assert figure.get_suptitle() == "66 of 100 images misclassified; the first 4"


def test_a_model_without_a_mistake_gives_a_picture_that_says_so():
    figure = images(np.zeros((5, 2, 2)), [1] * 5, [1] * 5, wrong_only=True)
    assert figure.get_suptitle() == "0 of 5 images misclassified"
    assert figure.axes == []
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_normalized_colours_are_stretched_to_fit():
    x = np.linspace(-2, 2, 2 * 3 * 2 * 2).reshape(2, 3, 2, 2)
    for ax in images(x).axes:
        drawn = ax.get_images()[0].get_array()
        assert float(drawn.min()) == 0.0
        assert float(drawn.max()) == 1.0


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda: images(np.zeros((2, 7))),
            ShapeError,
            "images: this is no shape of images.\n"
            "  x: shape (2, 7)\n"
            "x is (N, H, W), (N, C, H, W), (N, H, W, C), or flat with shape=(H, W).",
        ),
        (
            lambda: images(np.zeros((2, 6)), shape=(2, 2)),
            ShapeError,
            "images: this is no shape of images.\n"
            "  x: shape (2, 6)\n"
            "  shape: (2, 2)\n"
            "x is (N, H, W), (N, C, H, W), (N, H, W, C), or flat with shape=(H, W).",
        ),
        (
            lambda: images(np.zeros((2, 2, 2)), [0]),
            ShapeError,
            "images: labels does not belong to x.\n"
            "  x: 2 samples\n"
            "  labels: shape (1,)\n"
            "labels has one entry for each sample: shape (2,).",
        ),
        (
            lambda: images(np.zeros((2, 2, 2)), [0, 1], wrong_only=True),
            ArgumentError,
            "images: wrong_only needs labels and predictions.\n"
            "  labels: given\n"
            "  predictions: missing\n"
            "images(x, labels, model(x), wrong_only=True)",
        ),
        (
            lambda: images(np.zeros((2, 2, 2)), count=0),
            ArgumentError,
            "images: count and columns are at least 1.\n  count: 0\n  columns: 5",
        ),
    ],
)
def test_images_that_cannot_be_drawn_are_refused_in_words(call, error, text):
    with pytest.raises(error) as e:
        call()
    assert str(e.value) == text


# Gradients.


def test_bars_are_the_norms_in_the_models_order(toy):
    model = toy.Sequential(toy.Linear(2, 3), toy.Activation(), toy.Linear(3, 1))
    (model(dg.ones(4, 2)) ** 2).mean().backward()
    (ax,) = gradient_flow(model, title="after a step").axes
    names = [name for name, _ in model.named_parameters()]
    assert [text.get_text() for text in ax.get_yticklabels()] == names
    norms = [float(np.sqrt((p.grad.data.astype(float) ** 2).sum())) for p in model.parameters()]
    assert [bar.get_width() for bar in ax.patches] == pytest.approx(norms)
    assert ax.get_xscale() == "log"


def test_a_parameter_without_a_bar_says_why():
    none, zero, bad = (dg.tensor([1.0], requires_grad=True) for _ in range(3))
    zero.grad = dg.tensor([0.0])
    bad.grad = dg.tensor([float("nan")])
    (ax,) = gradient_flow([("n", none), ("z", zero), ("b", bad), ("w", with_gradient([1.0]))]).axes
    assert [text.get_text() for text in ax.texts] == ["no gradient", "zero", "not finite", "2"]
    assert len(ax.patches) == 1


def test_large_gradients_do_not_overflow():
    w = dg.tensor([1.0], requires_grad=True)
    w.grad = dg.tensor([3e38])
    (ax,) = gradient_flow({"w": w}).axes
    assert ax.patches[0].get_width() == pytest.approx(3e38)


def test_a_model_before_backward_is_refused_in_words(toy):
    with pytest.raises(GradientError) as e:
        gradient_flow(toy.Linear(2, 3))
    assert str(e.value) == (
        "gradient_flow: no parameter has a gradient.\n"
        "  parameters: 2\n"
        "Call loss.backward() first, and gradient_flow before zero_grad()."
    )
