"""``demograd train`` refuses in words, overwrites nothing, and leaves no folder behind."""

import numpy as np
import pytest

from demograd.errors import DemogradError


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def refused(demograd, *args):
    """The message of a run that is refused; nothing may be left of it."""
    before = names(demograd.folder)
    printed = demograd.small(*args, code=1)
    assert names(demograd.folder) == before
    assert printed.startswith("Error: ")
    return printed.removeprefix("Error: ").rstrip("\n")


def test_an_unknown_optimizer_is_answered_with_those_found(demograd):
    text = refused(demograd, "--optimizer", "adan")
    lines = text.splitlines()
    assert lines[0] == "optimizers: no installed package offers 'adan'."
    assert lines[-1] == "Did you mean 'adam'?"
    for name in ("adagrad", "adam", "adamw", "rmsprop", "sgd"):
        assert f"  {name}: demograd-optim" in lines


def test_a_setting_that_the_optimizer_lacks_is_answered_with_those_it_has(demograd):
    text = refused(demograd, "--optimizer", "rmsprop", "--set", "nesterov=true")
    assert text == (
        "train: the optimizer 'rmsprop' has no setting 'nesterov'.\n"
        "  settings: lr, alpha, eps, weight_decay, momentum, centered, maximize\n"
        "--set lr=VALUE"
    )


def test_a_setting_that_the_optimizer_refuses_is_told_in_its_words(demograd):
    text = refused(demograd, "--set", "betas=[1.5,0.9]")
    assert "betas" in text
    assert "1.5" in text
    text = refused(demograd, "--set", "weight_decay=much")
    assert "much" in text


DATA = {
    "numbers that are no classes": (
        {"y": np.linspace(0, 1, 60)},
        "train: y does not hold classes.\n"
        "  file: {file}\n"
        "  y: float32 of shape (60,)\n"
        "y holds the class of each sample as a whole number, with shape (N,). y.argmax(axis=1) "
        "makes it of one-hot rows.",
    ),
    "one-hot rows": (
        {"y": np.eye(3, dtype=int)[np.repeat(np.arange(3), 20)]},
        "train: y does not hold classes.\n"
        "  file: {file}\n"
        "  y: int64 of shape (60, 3)\n"
        "y holds the class of each sample as a whole number, with shape (N,). y.argmax(axis=1) "
        "makes it of one-hot rows.",
    ),
    "one class": (
        {"y": np.full(60, 7)},
        "train: there is only one class in y, so there is nothing to tell apart.\n"
        "  file: {file}\n"
        "  y: 60 times 7\n"
        "y holds the class of each sample as a whole number, with shape (N,).",
    ),
    "a class each": (
        {"y": np.arange(60)},
        "stratified_split: no class is large enough to give a sample to the test.\n"
        "  every: 5\n"
        "  dataset: 60 samples\n"
        "Lower every, or use random_split(dataset, [0.8, 0.2]).",
    ),
}


@pytest.mark.parametrize("name", DATA)
def test_arrays_that_are_no_classification_are_refused(name, demograd, mine):
    arrays, text = DATA[name]
    file = mine(**arrays)
    assert refused(demograd, "--data", file) == text.format(file=file)


@pytest.mark.parametrize(
    ("content", "word"),
    [(b"", "nothing"), (b"PK\x03\x04 broken", "not an .npz file"), (None, "no such file")],
)
def test_a_file_that_is_no_archive_is_refused(content, word, demograd):
    file = demograd.folder / "bad.npz"
    if content is not None:
        file.write_bytes(content)
    text = refused(demograd, "--data", file)
    assert word in text
    assert f"file: {file}" in text


@pytest.mark.parametrize("missing", ["x", "y"])
def test_an_archive_without_a_name_is_refused(missing, demograd):
    file = demograd.folder / "half.npz"
    np.savez(file, **{"x" if missing == "y" else "y": np.zeros((4, 2))})
    assert refused(demograd, "--data", file).startswith(f"load_npz: the file has no {missing}.")


def test_a_learning_rate_that_explodes_is_told_and_leaves_no_folder(demograd):
    text = demograd("train", "--optimizer", "sgd", "--lr", "1e30", code=1)
    assert "Error: fit: the loss is not finite.\n" in text
    assert "epoch 1, step " in text
    assert "learning rate 1e+30" in text
    assert "RuntimeWarning" not in text
    assert names(demograd.folder) == []


def test_a_network_that_no_memory_holds_is_refused(demograd):
    assert refused(demograd, "--hidden", "100000,100000") == (
        "network: it would be too large.\n"
        "  layers: 64-100000-100000-10\n"
        "  parameters: 10,007,600,010\n"
        "At most 100,000,000 fit: make the hidden layers smaller."
    )


USAGE = {
    ("--hidden", "12,x"): "'12,x' is not a list of whole numbers, such as 128,64.",
    ("--hidden", "0"): "'0': a layer has 1 to 100,000 units.",
    ("--hidden", "1,,2"): "'1,,2' is not a list of whole numbers, such as 128,64.",
    ("--lr", "-1"): "'-1': a learning rate is finite and at least 0.",
    ("--lr", "nan"): "'nan': a learning rate is finite and at least 0.",
    ("--lr", "fast"): "'fast' is not a number.",
    ("--set", "momentum"): "'momentum' is not of the form NAME=VALUE, such as momentum=0.9.",
    ("--lr", "0.1", "--set", "lr=0.2"): (
        "The learning rate is given twice, by --lr and by --set lr=..."
    ),
    ("--set", "eps=1", "--set", "eps=2"): "A setting is given twice by --set.",
    ("--epochs", "0"): "0 is not in the range x>=1.",
    ("--batch-size", "-4"): "-4 is not in the range x>=1.",
    ("--dropout", "1"): "1.0 is not in the range 0<=x<1.",
    ("--seed", "-1"): "-1 is not in the range x>=0.",
}


@pytest.mark.parametrize("args", USAGE)
def test_an_option_out_of_its_range_is_a_usage_error(args, demograd):
    printed = demograd("train", *args, code=2)
    assert " ".join(printed.split()).endswith(USAGE[args])
    assert names(demograd.folder) == []


def test_a_folder_with_a_finished_run_is_not_overwritten(demograd, left):
    demograd.small("--out", "run")
    kept = left(demograd.folder / "run").weights
    assert refused(demograd, "--out", "run") == (
        "train: the folder of the run is not empty, and nothing is overwritten.\n"
        "  folder: run\n"
        "  holds: a finished run\n"
        "Train it further: --resume run --epochs 60. Or give another folder."
    )
    assert left(demograd.folder / "run").weights == kept


def test_a_folder_with_an_interrupted_run_is_not_overwritten(demograd):
    demograd.small("--out", "run")
    (demograd.folder / "run" / "model.safetensors").unlink()
    assert "  holds: a run that was interrupted\nGo on with it: --resume run. " in refused(
        demograd, "--out", "run"
    )


def test_a_folder_with_other_files_is_left_alone(demograd):
    (demograd.folder / "notes").mkdir()
    (demograd.folder / "notes" / "thesis.tex").write_text("kept")
    assert "  holds: other files\nRemove them. " in refused(demograd, "--out", "notes")
    assert (demograd.folder / "notes" / "thesis.tex").read_text() == "kept"


@pytest.mark.parametrize(
    ("out", "reason"),
    [("file", "File exists"), ("file/run", "Not a directory"), ("x" * 300, "File name too long")],
)
def test_a_place_where_no_folder_can_be_is_refused(out, reason, demograd):
    (demograd.folder / "file").touch()
    assert refused(demograd, "--out", out) == (
        "train: the folder of the run cannot be made.\n"
        f"  folder: {out}\n"
        f"  reason: {reason}\n"
        "Give another one: --out DIR."
    )


def test_debug_shows_the_traceback(demograd):
    for args in (["--debug", "train"], ["train", "--debug"]):
        with pytest.raises(DemogradError):
            demograd(*args, "--optimizer", "adan", code=1)


def test_too_little_memory_is_told_as_text(demograd, monkeypatch):
    from demograd.cli import _run

    def fail(*_):
        raise MemoryError("Unable to allocate 40.0 GiB")

    monkeypatch.setattr(_run, "perceptron", fail)
    assert refused(demograd) == (
        "the memory does not suffice: Unable to allocate 40.0 GiB\n"
        "Make the network, the batches or the data smaller."
    )
