"""Reading histories in every form, and drawing them."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from demograd.errors import ArgumentError, ArgumentTypeError, DataError, FileError
from demograd.viz import curves
from demograd.viz._history import read_history

ROWS = [
    {"epoch": 1, "loss": 0.9, "accuracy": 0.5, "val_loss": 1.0, "val_accuracy": 0.4, "lr": 0.1},
    {"epoch": 2, "loss": 0.5, "accuracy": 0.7, "val_loss": 0.6, "val_accuracy": 0.7, "lr": 0.1},
    {"epoch": 3, "loss": 0.3, "accuracy": 0.9, "val_loss": 0.7, "val_accuracy": 0.6, "lr": 0.05},
]
COLUMNS = {name: [row[name] for row in ROWS] for name in ROWS[0]}


def write_csv(path):
    lines = [",".join(ROWS[0]), *(",".join(map(str, row.values())) for row in ROWS)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_json(value):
    def write(path):
        path.write_text(json.dumps(value), encoding="utf-8")
        return str(path)

    return write


FORMS = {
    "rows": lambda path: ROWS,
    "generated rows": lambda path: (row for row in ROWS),
    "columns": lambda path: COLUMNS,
    "columns of arrays": lambda path: {k: np.array(v) for k, v in COLUMNS.items()},
    "epochs": lambda path: {"epochs": ROWS},
    "history.json": lambda path: write_json({"epochs": ROWS})(path / "history.json"),
    "rows.json": lambda path: write_json(ROWS)(path / "rows.json"),
    "columns.json": lambda path: write_json(COLUMNS)(path / "columns.json"),
    "history.csv": lambda path: write_csv(path / "history.csv"),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_columns(tmp_path, form):
    assert read_history(FORMS[form](tmp_path)) == COLUMNS


def test_what_a_row_lacks_is_not_a_number(tmp_path):
    path = tmp_path / "history.csv"
    path.write_text("epoch,loss,val_loss\n1,0.5,\n2,0.25,0.3\n", encoding="utf-8")
    for history in (path, [{"epoch": 1, "loss": 0.5, "val_loss": None},
                           {"epoch": 2, "loss": 0.25, "val_loss": 0.3}]):  # fmt: skip
        columns = read_history(history)
        assert columns["loss"] == [0.5, 0.25]
        assert math.isnan(columns["val_loss"][0])
        assert columns["val_loss"][1] == 0.3


NONE = """\
history: this is not the history of a training run.
  from: {source}
  {fact}
A history has a row for each epoch, such as {{'epoch': 1, 'loss': 0.5, 'val_loss': 0.6}}."""


@pytest.mark.parametrize(
    ("history", "error", "text"),
    [
        (
            7,
            ArgumentTypeError,
            "history: expected rows, columns or a path, not int.\n"
            "For example [{'epoch': 1, 'loss': 0.5}], {'loss': [0.5]}, or 'history.json'.",
        ),
        (
            {"loss": [1.0, 2.0], "accuracy": [0.5]},
            DataError,
            "history: the columns differ in length.\n  loss: 2\n  accuracy: 1",
        ),
        (
            [{"loss": 1.0}, 3],
            DataError,
            NONE.format(source="history", fact="row 1: int, not a dictionary"),
        ),
        (
            [{"loss": "low"}],
            DataError,
            NONE.format(source="history", fact="not a number: 'low'"),
        ),
        (
            {"loss": "0.5"},
            DataError,
            NONE.format(source="history", fact="a column is str, not a list"),
        ),
        (
            [],
            DataError,
            "curves: there is nothing to draw.\n  columns: none\n"
            "A history has a row for each epoch, such as {'epoch': 1, 'loss': 0.5}.",
        ),
        (
            {"epoch": [], "loss": []},
            DataError,
            "curves: there is nothing to draw.\n  columns: epoch, loss\n"
            "A history has a row for each epoch, such as {'epoch': 1, 'loss': 0.5}.",
        ),
    ],
)
def test_what_is_no_history_is_refused_in_words(history, error, text):
    with pytest.raises(error) as e:
        curves(history)
    assert str(e.value) == text


def test_a_file_that_is_not_there_is_an_error_of_the_file(tmp_path):
    with pytest.raises(FileError) as e:
        curves(tmp_path / "history.json")
    assert str(e.value) == (
        "history: the file cannot be read.\n"
        f"  path: {tmp_path / 'history.json'}\n"
        "  FileNotFoundError: No such file or directory"
    )
    assert isinstance(e.value, OSError)


@pytest.mark.parametrize(
    ("name", "content", "fact"),
    [
        ("history.json", b"{", "Expecting property name enclosed in double quotes: "
                               "line 1 column 2 (char 1)"),
        ("history.json", b"\xff\xfe", "it is not text"),
        ("history.json", b'{"loss": 3}', "a column is int, not a list"),
        ("history.csv", b"loss\nhigh\n", "not a number: 'high'"),
    ],
)  # fmt: skip
def test_a_foreign_file_is_refused_in_words(tmp_path, name, content, fact):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError) as e:
        curves(path)
    assert str(e.value) == NONE.format(source=path, fact=fact)


# The figure.


def test_each_metric_has_a_panel_with_training_and_validation():
    figure = curves(ROWS, title="a run")
    assert [ax.get_ylabel() for ax in figure.axes] == ["loss", "accuracy"]
    assert [ax.get_xlabel() for ax in figure.axes] == ["epoch", "epoch"]
    for ax, names in zip(figure.axes, [("loss", "val_loss"), ("accuracy", "val_accuracy")],
                         strict=True):  # fmt: skip
        training, validation, best = ax.get_lines()
        assert [line.get_label() for line in (training, validation)] == ["training", "validation"]
        assert training.get_xdata().tolist() == [1, 2, 3]
        assert training.get_ydata().tolist() == COLUMNS[names[0]]
        assert validation.get_ydata().tolist() == COLUMNS[names[1]]
        assert best.get_xdata() == [2]
    assert figure.axes[0].get_title() == "best validation loss: 0.6 at epoch 2"
    assert figure.axes[1].get_title() == "best validation accuracy: 0.7 at epoch 2"
    assert figure.get_suptitle() == "a run"


def test_curves_differ_in_more_than_colour():
    training, validation, _ = curves(ROWS).axes[0].get_lines()
    assert training.get_linestyle() != validation.get_linestyle()
    assert training.get_marker() != validation.get_marker()


def test_metrics_can_be_chosen_and_ordered():
    figure = curves(ROWS, metrics=["lr", "accuracy"])
    assert [ax.get_ylabel() for ax in figure.axes] == ["lr", "accuracy"]


@pytest.mark.parametrize(
    ("metrics", "text"),
    [
        (["f1"], "curves: the history has no metric 'f1'.\n  metrics: loss, accuracy, lr"),
        ([], "curves: metrics names none.\n  metrics: loss, accuracy, lr"),
    ],
)
def test_an_unknown_metric_is_refused_in_words(metrics, text):
    with pytest.raises(ArgumentError) as e:
        curves(ROWS, metrics=metrics)
    assert str(e.value) == text


def test_a_logarithmic_scale_is_for_losses():
    figure = curves(ROWS, log=True)
    assert [ax.get_yscale() for ax in figure.axes] == ["log", "linear"]
    # Zero has no place on it.
    assert [ax.get_yscale() for ax in curves([{"loss": 0.0}], log=True).axes] == ["linear"]


def test_a_run_without_validation_marks_the_best_training_value():
    (ax,) = curves({"train_loss": [3.0, 1.0, 2.0]}).axes
    assert ax.get_title() == "best training loss: 1 at epoch 2"
    assert ax.get_ylabel() == "loss"


def test_gaps_and_infinities_do_no_harm():
    (ax,) = curves([{"loss": math.nan}, {"loss": math.inf}, {"loss": 2.0}]).axes
    assert ax.get_title() == "best training loss: 2 at epoch 3"
    (ax,) = curves([{"loss": math.nan}]).axes
    assert ax.get_title() == ""


def test_many_metrics_stand_in_rows_of_three():
    figure = curves([dict.fromkeys("abcde", 1.0)])
    assert len(figure.axes) == 5
    width, height = figure.get_size_inches()
    assert width > height


def test_a_dollar_in_a_name_is_no_mathematics(tmp_path):
    figure = curves([{"$\\frac": 1.0}], title="$")
    figure.savefig(tmp_path / "curves.png")
    assert figure.axes[0].get_ylabel() == r"\$\frac"
