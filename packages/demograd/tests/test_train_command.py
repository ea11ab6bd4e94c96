"""``demograd train``: what it leaves, that it can be repeated, and the user's own data."""

import re
import struct
import zlib

import numpy as np
import pytest

import demograd as dg
from demograd import nn

FILES = [
    "config.json", "curves.png", "graph.svg", "history.csv", "history.json", "last.safetensors",
    "misclassified.png", "model.safetensors",
]  # fmt: skip


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def accuracy(printed):
    (found,) = re.findall(r"^test accuracy: (\d+\.\d) %$", printed, flags=re.MULTILINE)
    return float(found)


def width_of_png(path):
    """The width, after the checksum of each chunk has been checked."""
    content = path.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    place = 8
    while place < len(content):
        (length,) = struct.unpack(">I", content[place : place + 4])
        chunk = content[place + 4 : place + 8 + length]
        (checksum,) = struct.unpack(">I", content[place + 8 + length : place + 12 + length])
        assert zlib.crc32(chunk) == checksum
        place += 12 + length
    return struct.unpack(">I", content[16:20])[0]


def test_the_defaults_reach_97_percent_and_the_last_line_says_so(demograd):
    printed = demograd("train")
    assert accuracy(printed) >= 97.0
    assert printed.splitlines()[-1].startswith("test accuracy: ")


def test_it_leaves_everything_in_one_folder_and_says_where(demograd, left):
    printed = demograd("train", "--hidden", 8, "--epochs", 2)
    folder = demograd.folder / "runs" / "digits-1"
    assert names(demograd.folder) == ["runs"]
    assert names(folder) == FILES
    for name in FILES:
        assert f": runs/digits-1/{name}\n" in printed
    for picture in ("curves.png", "misclassified.png"):
        assert width_of_png(folder / picture) > 300
    graph = (folder / "graph.svg").read_text()
    assert all(word in graph for word in ("<svg", "Linear", "0.weight", "loss"))
    run = left(folder)
    assert [set(row) for row in run.epochs] == [
        {"epoch", "loss", "accuracy", "val_loss", "val_accuracy", "lr"}
    ] * 2
    assert [{k: float(v) for k, v in row.items()} for row in run.rows] == run.epochs
    assert run.config["config"] == {
        "data": None, "hidden": [8], "dropout": 0.0, "optimizer": "adam", "settings": {},
        "label_smoothing": 0.1, "batch_size": 16, "epochs": 2, "seed": 0,
    }  # fmt: skip


def test_the_weights_give_the_accuracy_that_was_printed(demograd):
    printed = demograd.small("--out", "run")
    model = nn.Sequential(nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 10))
    model.load_state_dict(dg.load(demograd.folder / "run" / "model.safetensors"))
    x, y = dg.data.load_digits("test").tensors
    share = np.mean(model(x).detach().numpy().argmax(axis=1) == y.numpy())
    assert accuracy(printed) == round(100 * share, 1)


def test_each_epoch_is_shown_with_loss_and_accuracy(demograd):
    lines = [line for line in demograd.small().splitlines() if line.startswith("epoch ")]
    number = r"\d+(\.\d+)?"
    for n, line in enumerate(lines, 1):
        assert re.fullmatch(
            f"epoch {n}/2  loss {number}  accuracy {number}  val_loss {number}  "
            f"val_accuracy {number}",
            line,
        )
    assert len(lines) == 2
    assert "epoch " not in demograd.small("--quiet")


def test_pictures_are_left_out_on_demand(demograd):
    printed = demograd.small("--no-pictures", "--out", "run")
    assert names(demograd.folder / "run") == [
        "config.json", "history.csv", "history.json", "last.safetensors", "model.safetensors"
    ]  # fmt: skip
    assert ".png" not in printed


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(demograd, left):
    for name, seed in (("one", 3), ("two", 3), ("other", 4)):
        demograd.small("--seed", seed, "--dropout", 0.2, "--out", name)
    one, two, other = (left(demograd.folder / name) for name in ("one", "two", "other"))
    assert (one.weights, one.checkpoint, one.epochs) == (two.weights, two.checkpoint, two.epochs)
    assert one.weights != other.weights


def test_runs_are_numbered_and_never_overwritten(demograd):
    (demograd.folder / "runs" / "digits-7").mkdir(parents=True)
    (demograd.folder / "runs" / "digits-x").mkdir()
    demograd.small("--epochs", 1)
    demograd.small("--epochs", 1)
    assert names(demograd.folder / "runs") == ["digits-7", "digits-8", "digits-9", "digits-x"]


@pytest.mark.parametrize("name", ["adagrad", "adam", "adamw", "rmsprop", "sgd"])
def test_each_optimizer_of_demograd_optim_trains(name, demograd, left):
    demograd(
        "train", "--hidden", 16, "--epochs", 3, "--optimizer", name, "--lr", 0.01, "--out", "r"
    )
    losses = [row["loss"] for row in left(demograd.folder / "r").epochs]
    assert losses[-1] < losses[0]


def test_settings_of_the_optimizer_are_passed_on_and_kept(demograd, left):
    demograd.small(
        *("--optimizer", "sgd", "--lr", "0.1", "--set", "momentum=0.9", "--set", "nesterov=true"),
        *("--out", "one"),
    )
    one = left(demograd.folder / "one")
    assert one.config["config"]["settings"] == {"momentum": 0.9, "nesterov": True, "lr": 0.1}
    assert [row["lr"] for row in one.epochs] == [0.1, 0.1]
    demograd.small("--optimizer", "sgd", "--lr", 0.1, "--out", "two")
    assert one.weights != left(demograd.folder / "two").weights


def test_no_hidden_layer_is_a_network_too(demograd):
    demograd.small("--hidden", "none", "--out", "run")
    state = dg.load(demograd.folder / "run" / "model.safetensors")
    assert {name: value.shape for name, value in state.items()} == {
        "0.weight": (10, 64), "0.bias": (10,)
    }  # fmt: skip


def test_the_users_own_arrays_are_learnt_with_their_own_labels(demograd, mine, left):
    y = np.array([-5, 3, 40])[np.repeat(np.arange(3), 20)]
    printed = demograd(
        *("train", "--data", mine(y=y), "--hidden", 16, "--epochs", 30, "--lr", 0.01)
    )
    assert accuracy(printed) > 90
    folder = demograd.folder / "runs" / "mine-1"
    assert names(folder) == [name for name in FILES if name != "misclassified.png"]
    about = left(folder).config["data"]
    assert (about["train"], about["test"], about["inputs"]) == (48, 12, 5)
    assert about["labels"] == [-5, 3, 40]


def test_arrays_of_images_get_a_picture_of_those_misclassified(demograd, mine):
    images = mine(x=np.random.default_rng(0).random((60, 4, 6)))
    demograd.small("--data", images, "--pictures", "--out", "run")
    assert width_of_png(demograd.folder / "run" / "misclassified.png") > 300


@pytest.mark.parametrize(
    ("stem", "folder"),
    [("..", "run-1"), ("a b;c", "a_b_c-1"), ("\u03b1", "run-1"), ("-rf", "rf-1"),
     ("x" * 200, "x" * 100 + "-1")],
)  # fmt: skip
def test_the_name_of_a_file_leads_nowhere_else(stem, folder, demograd, mine):
    demograd.small("--data", mine(name=f"{stem}.npz"))
    assert names(demograd.folder / "runs") == [folder]
