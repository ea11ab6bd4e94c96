"""Array libraries by name: demograd's own backends, those of packages, and the one in use.

A backend is found when the first array of its library is met, or when its name is asked for, and
its library is imported no earlier. A package offers one by an entry point of the group
``demograd.backends``, named as the top-level module of its arrays' type::

    [project.entry-points."demograd.backends"]
    my_arrays = "demograd_my_arrays:MyBackend"

that leads to a :class:`demograd.interfaces.Backend`'s class, which is called without arguments.
"""

from __future__ import annotations

import functools
import importlib
import threading
from types import TracebackType
from typing import Any

from demograd._backend import Backend, numpy_backend
from demograd._libraries._device import CPU, device
from demograd.errors import ArgumentTypeError, DeviceError, ProviderError

__all__ = ["backend", "backend_for", "check_name", "chosen", "default", "get_default_device"]

GROUP = "demograd.backends"
# The name of a backend is that of its devices.
_OWN = {
    "cuda": "demograd._libraries._cupy:CupyBackend",
    "jax": "demograd._libraries._jax:JaxBackend",
}
# How else it may be called, or the top-level module of its arrays' type.
_ALSO = {"numpy": "cpu", "cupy": "cuda", "jaxlib": "jax"}
# Libraries without a backend of their own whose arrays have been met.
_met: dict[str, Backend] = {}


class Default(threading.local):
    """Where the factories make arrays in this thread: NumPy's unless something else was chosen."""

    library: Backend = numpy_backend
    index: int | None = None


default = Default()


@functools.cache
def _declared() -> dict[str, Any]:
    """The entry points of packages, by name."""
    import importlib.metadata

    found: dict[str, Any] = {}
    for entry in importlib.metadata.entry_points(group=GROUP):
        known = found.setdefault(entry.name, entry)
        if known.value != entry.value or entry.name in ("cpu", *_OWN, *_ALSO):
            raise ProviderError(
                f"backends: the name {entry.name!r} is taken twice.",
                [f"first: {known.value}", f"second: {entry.value}"]
                if known is not entry
                else ["first: demograd itself", f"second: {entry.value}"],
                "Uninstall one of the packages.",
            )
    return found


def _names() -> list[str]:
    return sorted({"cpu", *_OWN, *_declared(), *_met})


def check_name(text: str) -> None:
    """Refuse a device that nothing offers.

    Raises:
        DeviceError: no backend has this name, or the part after the colon is no number.
    """
    kind, colon, number = text.partition(":")
    kind = _ALSO.get(kind, kind)
    if (colon and not number.isdecimal()) or (
        kind != "cpu" and kind not in _OWN and kind not in _met and kind not in _declared()
    ):
        raise DeviceError(
            f"device: there is no device {text!r}.",
            [f"devices: {', '.join(_names())}"],
            'dg.device("cpu") is NumPy, dg.device("cuda", 0) the first GPU.',
        )


@functools.cache
def _load(name: str) -> Backend:
    """The backend of this name, which exists; its library is imported now."""
    if name == "cpu":
        return numpy_backend
    if name in _OWN:
        module, _, attribute = _OWN[name].partition(":")
        own: Backend = getattr(importlib.import_module(module), attribute)()
        return own
    entry = _declared()[name]
    try:
        made = entry.load()()
    except Exception as error:
        raise ProviderError(
            f"backends: the backend {name!r} fails to load.",
            [f"entry point: {entry.value}", f"{type(error).__name__}: {error}"],
            "Mend or uninstall that package.",
        ) from error
    if not isinstance(made, Backend):
        raise ProviderError(
            f"backends: {name!r} is a {type(made).__name__}, not a demograd.interfaces.Backend.",
            [f"entry point: {entry.value}"],
            "Derive its class from Backend.",
        )
    made.name = name
    return made


def backend_for(array: Any) -> Backend:
    """The backend of an array whose type is met for the first time."""
    top = type(array).__module__.partition(".")[0]
    name = _ALSO.get(top, top)
    if name in _OWN or name in _declared():
        return _load(name)
    namespace = array.__array_namespace__()
    return namespace if isinstance(namespace, Backend) else _generic(namespace)


def _generic(namespace: Any) -> Backend:
    made = Backend(namespace)
    return _met.setdefault(made.name, made)


def chosen(target: Any) -> tuple[Backend, int | None]:
    """The backend, and which of its devices, that a name, a namespace or a Backend means.

    Raises:
        DeviceError: there is no such device.
        MissingPackageError: its library is not installed.
        ArgumentTypeError: it is none of these.
    """
    if isinstance(target, Backend):
        return target, None
    if isinstance(target, str):
        check_name(target)
        kind, _, number = target.partition(":")
        kind = _ALSO.get(kind, kind)
        library = _met[kind] if kind in _met else _load(kind)
        return library, int(number) if number else None
    if hasattr(target, "asarray") and hasattr(target, "__name__"):
        top = target.__name__.partition(".")[0]
        name = _ALSO.get(top, top)
        if name == "cpu" or name in _OWN or name in _declared():
            return _load(name), None
        return _generic(target), None
    raise ArgumentTypeError(
        f"device: {target!r} is no device and no array library.",
        [f"devices: {', '.join(_names())}"],
        'Give a name such as "cpu", or the library\'s namespace: dg.backend(jax.numpy).',
    )


class backend:
    """Make the factories' arrays with another library, at once; as a context, until its end.

    ``dg.tensor``, ``dg.zeros``, ``dg.randn`` and the other functions that make tensors from
    nothing, and the layers that use them, then make arrays of that library. It holds for this
    thread. What a tensor computes is always done by the library of its own arrays.

    Args:
        library: a device's name (``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"jax"``, or what a package
            declares), ``"numpy"`` or ``"cupy"``, the library's namespace, or a Backend.

    Raises:
        DeviceError: there is no such device.
        MissingPackageError: its library is not installed.

    >>> import demograd as dg
    >>> with dg.backend("numpy"):
    ...     dg.zeros(2).device
    device(type='cpu')
    """

    def __init__(self, library: Any) -> None:
        self._chosen = chosen(library)
        # A stack, so that one object may be entered again inside itself.
        self._former = [(default.library, default.index)]
        default.library, default.index = self._chosen
        self._fresh = True

    def __enter__(self) -> Backend:
        if self._fresh:
            self._fresh = False  # the constructor has switched already
        else:
            self._former.append((default.library, default.index))
            default.library, default.index = self._chosen
        return self._chosen[0]

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        default.library, default.index = self._former.pop()

    def __repr__(self) -> str:
        return f"<backend {self._chosen[0].name}>"


def get_default_device() -> device:
    """Where the factories make tensors in this thread.

    >>> get_default_device()
    device(type='cpu')
    """
    if default.library is numpy_backend:
        return CPU
    number = "" if default.index is None else f":{default.index}"
    return device._known(f"{default.library.name}{number}")
