"""The history: rows, columns, and the same numbers as JSON and as CSV."""

import csv
import io
import json
import math

import pytest

from demograd.errors import ArgumentError, FileError
from demograd.train import History, HistoryWriter, fit

ROWS = [
    {"epoch": 1, "loss": 0.1 + 0.2, "lr": 1e-3},
    {"epoch": 2, "loss": math.nan, "val_loss": math.inf, "lr": 5e-4},
]


def test_it_is_a_sequence_of_rows_with_columns():
    history = History(ROWS[:1])
    history.append(ROWS[1])
    assert len(history) == 2
    assert next(iter(history)) == history[0] == ROWS[0]
    assert history[-1]["epoch"] == 2
    assert history[:1] == ROWS[:1]
    assert history.names == ["epoch", "loss", "lr", "val_loss"]
    assert history["lr"] == [1e-3, 5e-4]
    assert math.isnan(history["val_loss"][0])
    assert repr(history) == "<History of 2 epochs: epoch, loss, lr, val_loss>"


def test_a_column_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(ArgumentError) as e:
        History(ROWS)["accuracy"]
    assert str(e.value) == (
        "history: there is no column 'accuracy'.\n"
        "  columns: epoch, loss, lr, val_loss\n"
        'history["loss"]'
    )


def test_json_is_strict_json():
    def refuse(name):
        raise AssertionError(name)

    found = json.loads(History(ROWS).to_json(), parse_constant=refuse)
    assert found == {
        "epochs": [
            ROWS[0],
            {"epoch": 2, "loss": None, "val_loss": None, "lr": 5e-4},
        ]
    }


def test_csv_has_all_digits_and_a_gap_for_what_is_lacking():
    rows = list(csv.DictReader(io.StringIO(History(ROWS).to_csv())))
    assert rows == [
        {"epoch": "1", "loss": "0.30000000000000004", "lr": "0.001", "val_loss": ""},
        {"epoch": "2", "loss": "", "lr": "0.0005", "val_loss": ""},
    ]
    assert float(rows[0]["loss"]) == ROWS[0]["loss"]


def test_the_writer_keeps_both_files_complete_after_each_epoch(parts, tmp_path):
    c = parts.case()
    writer = HistoryWriter(tmp_path / "new" / "run")
    for epochs in (1, 3):
        history = fit(c.model, c.loss, c.optimizer, c.loader, epochs=epochs, callbacks=[writer])
        assert writer.json.read_text() == history.to_json()
        assert writer.csv.read_text() == history.to_csv()
    assert {entry.name for entry in writer.folder.iterdir()} == {"history.json", "history.csv"}


def test_a_folder_that_cannot_be_made_stops_before_training(parts, tmp_path):
    c = parts.case()
    (tmp_path / "file").touch()
    before = c.model.parts["last"].weight.tolist()
    with pytest.raises(FileError) as e:
        fit(
            *(c.model, c.loss, c.optimizer, c.loader),
            epochs=1,
            callbacks=[HistoryWriter(tmp_path / "file" / "run")],
        )
    assert str(e.value) == (
        "HistoryWriter: the folder cannot be made.\n"
        f"  folder: {tmp_path / 'file' / 'run'}\n"
        "  reason: Not a directory\n"
        "Give another path."
    )
    assert c.model.parts["last"].weight.tolist() == before
