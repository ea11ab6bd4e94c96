"""Files are there whole or as they were: full disks, interrupts, kills."""

import errno
import os
import signal
import stat
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

import demograd as dg
from demograd import Tensor
from demograd.errors import FileError
from demograd.train import _files, write_atomically

# What these tests do to files and processes is done as on Unix.
resource = pytest.importorskip("resource")


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


@pytest.mark.parametrize("content", [b"\x00\xff", "text, also of other scripts: \u03b1", b""])
def test_the_content_is_written(content, tmp_path):
    path = tmp_path / "f"
    assert write_atomically(path, content) == path
    assert path.read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert names(tmp_path) == ["f"]


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "real").write_text("old")
    (tmp_path / "link").symlink_to("disk/real")
    write_atomically(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "disk" / "real").read_text() == "new"


def test_an_existing_files_mode_is_kept(tmp_path):
    path = tmp_path / "secret"
    path.write_text("old")
    path.chmod(0o600)
    write_atomically(path, "new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_new_file_has_the_mode_that_any_new_file_has(tmp_path):
    (tmp_path / "plain").touch()
    write_atomically(tmp_path / "new", "")
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "plain").stat().st_mode


REFUSED = {
    "a folder that is not there": (
        lambda tmp: tmp / "none" / "f", "No such file or directory",
        "Make the folder first: mkdir -p {parent}",
    ),
    "a folder": (lambda tmp: tmp, "it is a folder", "Give another path."),
    "a file as a folder": (
        lambda tmp: tmp / "file" / "f", "Not a directory", "Give another path.",
    ),
    "a device": (lambda tmp: Path(os.devnull), "it is no plain file", "Give another path."),
    "a name with a null byte": (
        lambda tmp: tmp / "a\0b", "embedded null byte", "Give another path.",
    ),
    "a name that is too long": (
        lambda tmp: tmp / ("x" * 300), "File name too long", "Give another path.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_place_that_cannot_be_written_is_refused_with_the_reason(name, tmp_path):
    (tmp_path / "file").write_text("kept")
    place, reason, mend = REFUSED[name]
    path = place(tmp_path)
    with pytest.raises(FileError) as e:
        dg.save({"x": Tensor(1.0)}, path)
    assert str(e.value) == (
        "save: the file cannot be written, and nothing was changed.\n"
        f"  file: {path}\n"
        f"  reason: {reason}\n" + mend.format(parent=path.parent)
    )
    assert names(tmp_path) == ["file"]
    assert (tmp_path / "file").read_text() == "kept"


@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_an_error_on_the_way_leaves_the_former_file(moment, tmp_path, monkeypatch):
    path = tmp_path / "f"
    path.write_text("former")

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(_files.os, moment, full)
    with pytest.raises(FileError) as e:
        write_atomically(path, "new")
    assert str(e.value) == (
        "write_atomically: the file cannot be written, and nothing was changed.\n"
        f"  file: {path}\n"
        "  reason: No space left on device\n"
        "Free some space, or write to another disk."
    )
    assert names(tmp_path) == ["f"]
    assert path.read_text() == "former"


@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_an_interrupt_on_the_way_leaves_the_former_file_and_no_other(moment, tmp_path, monkeypatch):
    path = tmp_path / "f"
    path.write_text("former")

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(_files.os, moment, interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, "new")
    assert names(tmp_path) == ["f"]
    assert path.read_text() == "former"


def test_the_bytes_are_on_the_disk_before_the_name_and_the_name_before_the_end(
    tmp_path, monkeypatch
):
    done = []
    real = {name: getattr(os, name) for name in ("fsync", "replace")}

    def note(name):
        def call(*args):
            kind = ""
            if name == "fsync":
                kind = " folder" if stat.S_ISDIR(os.fstat(args[0]).st_mode) else " file"
            done.append(name + kind)
            return real[name](*args)

        return call

    for name in real:
        monkeypatch.setattr(_files.os, name, note(name))
    write_atomically(tmp_path / "f", "new")
    assert done == ["fsync file", "replace", "fsync folder"]


def test_a_file_system_that_cannot_flush_folders_is_no_error(tmp_path, monkeypatch):
    real = os.fsync

    def fsync(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        real(descriptor)

    monkeypatch.setattr(_files.os, "fsync", fsync)
    assert write_atomically(tmp_path / "f", "new").read_text() == "new"


def run(code, *args, **settings):
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, args)],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **settings,
    )


def test_a_disk_that_is_full_leaves_the_former_file(tmp_path):
    """The size limit of a process is met in ``write``, as the end of a disk is."""
    path = tmp_path / "f.safetensors"
    dg.save({"x": Tensor([1.0])}, path)
    process = run(
        """
        import sys, demograd as dg
        try:
            dg.save({"x": dg.zeros(100_000)}, sys.argv[1])
        except dg.errors.FileError as error:
            print(error)
        """,
        path,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
    )
    out, err = process.communicate(timeout=60)
    assert err == ""
    assert out == (
        "save: the file cannot be written, and nothing was changed.\n"
        f"  file: {path}\n"
        "  reason: File too large\n"
        "Free some space, or write to another disk.\n"
    )
    assert names(tmp_path) == ["f.safetensors"]
    assert dg.load(path)["x"].tolist() == [1.0]


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 128 kB; only the superuser can mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no program to mount a file system")
    if done.returncode:
        pytest.skip(f"a file system cannot be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_without_space_leaves_the_former_file(small_disk):
    path = small_disk / "f.safetensors"
    dg.save({"x": Tensor([1.0])}, path)
    with pytest.raises(FileError) as e:
        dg.save({"x": dg.zeros(100_000)}, path)
    assert str(e.value) == (
        "save: the file cannot be written, and nothing was changed.\n"
        f"  file: {path}\n"
        "  reason: No space left on device\n"
        "Free some space, or write to another disk."
    )
    assert names(small_disk) == ["f.safetensors"]
    assert dg.load(path)["x"].tolist() == [1.0]


def test_a_process_killed_in_the_middle_of_a_save_leaves_the_former_file(tmp_path):
    path = tmp_path / "f.safetensors"
    dg.save({"x": Tensor([1.0])}, path)
    process = run(
        """
        import os, sys, time
        import demograd as dg
        from demograd.train import _files

        def stop(*_):  # the bytes are written, the name is not
            print("in the middle", flush=True)
            time.sleep(60)

        _files.os.replace = stop
        dg.save({"x": dg.zeros(1000)}, sys.argv[1])
        """,
        path,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "in the middle\n"
    process.send_signal(signal.SIGKILL)
    assert process.wait(timeout=60) == -signal.SIGKILL
    process.communicate()
    kept, partial = reversed(names(tmp_path))
    assert (kept, Path(partial).suffix) == ("f.safetensors", ".partial")
    assert dg.load(path)["x"].tolist() == [1.0]
    dg.save({"x": Tensor([2.0])}, path)
    assert dg.load(path)["x"].tolist() == [2.0]


def test_processes_killed_at_any_moment_leave_a_whole_file(tmp_path):
    path = tmp_path / "f.safetensors"
    code = """
        import sys, demograd as dg
        print("ready", flush=True)
        n = 0
        while True:
            n += 1
            dg.save({"x": dg.full((20_000,), float(n)), "n": n}, sys.argv[1])
        """
    for wait in (0.01, 0.02, 0.035):
        process = run(code, path)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        while not path.exists():
            time.sleep(0.001)
        time.sleep(wait)
        process.kill()
        process.communicate()
        state = dg.load(path)
        assert state["x"].shape == (20_000,)
        assert bool((state["x"] == float(state["n"])).all())
