"""``demograd info``."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator
from importlib.metadata import EntryPoint, distributions, entry_points
from typing import Any

import click

from demograd.cli._options import debug_option
from demograd.errors import DemogradError

__all__ = ["info"]

FUNCTIONS, OPTIMIZERS = "demograd.functions", "demograd.optimizers"


@click.command(short_help="Tell what is installed and found.")
@debug_option
def info() -> None:
    """Tell what is installed: versions, and the packages that offer functions and optimizers.

    Put this into a report of a bug.
    """
    for title, lines in (
        ("packages", _packages()),
        ("system", _system()),
        ("functions", _functions()),
        ("optimizers", _optimizers()),
    ):
        click.echo(title)
        for line in lines:
            click.echo(f"  {line}")


def _packages() -> Iterator[str]:
    """demograd's distributions, and whatever else offers something to it."""
    found: dict[str, str] = {}
    for distribution in distributions():
        name = distribution.metadata["Name"] or ""
        groups = {entry.group for entry in distribution.entry_points}
        if name.lower().startswith("demograd") or groups & {FUNCTIONS, OPTIMIZERS}:
            found.setdefault(name, distribution.version)
    return (f"{name} {found[name]}" for name in sorted(found))


def _system() -> Iterator[str]:
    import numpy as np

    yield f"Python {platform.python_version()} on {platform.platform()}"
    yield f"NumPy {np.__version__}, BLAS {_blas(np.show_config(mode='dicts'))}"
    yield f"dot {shutil.which('dot') or 'not found: pictures of graphs are drawn more simply'}"


def _blas(config: Any) -> str:
    found = (config or {}).get("Build Dependencies", {}).get("blas", {})
    return f"{found.get('name', 'unknown')} {found.get('version', '')}".strip()


def _functions() -> Iterator[str]:
    """What each package adds to ``dg.``; one that does not load is told and not hidden."""
    entries = sorted(entry_points(group=FUNCTIONS), key=_owner)
    for entry in entries:
        try:
            names = sorted(entry.load().functions)
        except Exception as error:  # noqa: BLE001 - a report must not fail by what it reports
            yield f"{_owner(entry)}: fails to load ({type(error).__name__}: {error})"
            continue
        yield f"{_owner(entry)}: {', '.join(names) or 'none'}"
    if not entries:
        yield "none"


def _optimizers() -> Iterator[str]:
    from demograd.train import optimizers

    try:
        found = optimizers()
    except DemogradError as error:
        yield from str(error).splitlines()
        return
    for name, entry in found.items():
        yield f"{name}: {_owner(entry)}, {entry.value}"
    if not found:
        yield "none: pip install demograd-optim"


def _owner(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else "an unknown package"
