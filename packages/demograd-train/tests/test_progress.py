"""Progress: a bar an epoch on a terminal, a line an epoch where one is asked for, else nothing."""

import contextlib
import io
import os
import re
import struct
import subprocess
import sys

import pytest

from demograd import Tensor
from demograd.train import fit


class Terminal(io.StringIO):
    def isatty(self):
        return True


def show(parts, monkeypatch, screen, progress, epochs=2, loader=None):
    c = parts.case()
    monkeypatch.setattr(sys, "stderr", screen)
    history = fit(
        *(c.model, c.loss, c.optimizer, loader(c) if loader else c.loader),
        epochs=epochs,
        validation=[(Tensor(c.x), Tensor(c.y))],
        metrics={"half": lambda output, target: 0.5},
        progress=progress,
    )
    return screen.getvalue(), history


@pytest.mark.parametrize("progress", [None, True])
def test_a_terminal_shows_a_bar_an_epoch_with_its_numbers(progress, parts, monkeypatch):
    monkeypatch.setenv("COLUMNS", "140")
    text, history = show(parts, monkeypatch, Terminal(), progress)
    epochs = [line.rsplit("\r", 1)[-1] for line in text.split("\n") if line]
    assert len(epochs) == 2
    for line, row in zip(epochs, history, strict=True):
        numbers = "  ".join(f"{name} {row[name]:.4g}" for name in list(row)[1:-1])
        assert re.fullmatch(rf"epoch {row['epoch']}/2  {re.escape(numbers)} \|[█#]+\| 100%", line)


@pytest.mark.parametrize("width", [0, 60, 120])
def test_a_terminal_of_any_width_shows_the_bar_on_one_line(width, parts, monkeypatch):
    pty = pytest.importorskip("pty")
    termios, fcntl = pytest.importorskip("termios"), pytest.importorskip("fcntl")
    inner, outer = pty.openpty()
    fcntl.ioctl(outer, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    monkeypatch.delenv("COLUMNS", raising=False)
    with open(outer, "w", closefd=False) as screen:
        monkeypatch.setattr(sys, "stderr", screen)
        c = parts.case()
        fit(c.model, c.loss, c.optimizer, c.loader, epochs=1)
    os.close(outer)
    shown = b""
    with contextlib.suppress(OSError):  # how Linux says that no more will come
        while part := os.read(inner, 4096):
            shown += part
    os.close(inner)
    last = shown.decode().replace("\n", "").rsplit("epoch", 1)[-1].strip()
    assert "loss " in last
    assert len("epoch " + last) <= (width or 80)


def test_a_loader_of_unknown_length_shows_a_bar_too(parts, monkeypatch):
    text, _ = show(parts, monkeypatch, Terminal(), None, 1, lambda c: (b for b in c.loader))
    assert "epoch 1/1" in text
    assert "loss " in text


def test_elsewhere_there_is_nothing_unless_it_is_asked_for(parts, monkeypatch):
    assert show(parts, monkeypatch, io.StringIO(), None)[0] == ""
    assert show(parts, monkeypatch, Terminal(), False)[0] == ""


def test_lines_are_plain(parts, monkeypatch):
    text, history = show(parts, monkeypatch, io.StringIO(), True, epochs=10)
    assert text == "".join(
        f"epoch {row['epoch']:2}/10  loss {row['loss']:.4g}  half 0.5"
        f"  val_loss {row['val_loss']:.4g}  val_half 0.5\n"
        for row in history
    )


def test_a_bar_that_is_interrupted_is_closed(parts, monkeypatch):
    def loader(c):
        yield next(iter(c.loader))
        raise KeyboardInterrupt

    screen = Terminal()
    with pytest.raises(KeyboardInterrupt):
        show(parts, monkeypatch, screen, None, 1, loader)
    assert screen.getvalue().endswith("\n")


def test_importing_the_package_does_not_import_tqdm():
    code = "import sys, demograd.train; print({'tqdm', 'safetensors'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "set()\n"
