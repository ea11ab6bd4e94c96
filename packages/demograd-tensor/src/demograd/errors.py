"""Every error that demograd raises.

::

    DemogradError
    ├── ShapeError            (ValueError, RuntimeError)  shapes that do not fit
    ├── DtypeError            (TypeError, RuntimeError)   a data type that cannot do this
    ├── GradientError         (RuntimeError)              a gradient that is not to be had
    ├── DeviceError           (RuntimeError)              arrays in the wrong place
    ├── MappingError          (RuntimeError)              what vmap cannot map
    ├── ArgumentError         (ValueError)                a value out of its range
    ├── ArgumentTypeError     (TypeError)                 an argument of the wrong kind
    ├── OutOfRangeError       (IndexError)                an index outside its dimension
    ├── MissingNameError      (AttributeError)            a name that nothing installed offers
    ├── MissingPackageError   (ImportError)               a package or program that is not installed
    ├── ProviderError         (RuntimeError)              packages that contradict one another
    ├── StateError            (RuntimeError)              a state that belongs to something else
    ├── DataError             (ValueError)                data that cannot be used
    ├── FileError             (OSError)                   a file that cannot be read or written
    │   └── MissingFileError  (FileNotFoundError)         a file that is not there
    ├── SharingError          (BufferError)               memory another library cannot be given
    └── NonFiniteError        (FloatingPointError)        a NaN or an infinity where none may be
        └── NonFiniteOperationError  (RuntimeError)       the operation that made it

    DemogradWarning           (UserWarning)               what runs and is nearly certainly wrong

Each is also the builtin that PyTorch or NumPy would raise there, so that code written for
them catches it. The text has three parts: a headline that names the operation, the facts
(an operand a line), and the way out. A warning has a fourth: the line that switches it off.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable

from demograd._place import user_frame

__all__ = [
    "ArgumentError",
    "ArgumentTypeError",
    "DataError",
    "DemogradError",
    "DemogradWarning",
    "DeviceError",
    "DtypeError",
    "FileError",
    "GradientError",
    "MappingError",
    "MissingFileError",
    "MissingNameError",
    "MissingPackageError",
    "NonFiniteError",
    "NonFiniteOperationError",
    "OutOfRangeError",
    "ProviderError",
    "ShapeError",
    "SharingError",
    "StateError",
    "warn",
]


class DemogradError(Exception):
    """What went wrong, the facts, and the way out.

    Args:
        headline: one sentence that starts with the name of the operation.
        facts: what was found, an operand a line.
        mend: the way out, as code where that is possible.

    >>> print(DemogradError("add: no.", ["x: shape (2,)", "y: shape (3,)"], "Reshape one."))
    add: no.
      x: shape (2,)
      y: shape (3,)
    Reshape one.
    """

    def __init__(self, headline: str, facts: Iterable[str] = (), mend: str = "") -> None:
        self.text = _text(headline, facts, mend)
        super().__init__(self.text)

    def __str__(self) -> str:
        return self.text

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions pickle by their arguments; the text is already whole.
        return type(self), (self.text,)


def _text(headline: str, facts: Iterable[str], mend: str) -> str:
    return "\n".join([headline, *(f"  {fact}" for fact in facts), *([mend] if mend else [])])


class ShapeError(DemogradError, ValueError, RuntimeError):
    """Shapes that do not fit together."""


class DtypeError(DemogradError, TypeError, RuntimeError):
    """A data type that cannot do what is asked of it."""


class GradientError(DemogradError, RuntimeError):
    """A gradient that cannot be had, or that would be wrong."""


class DeviceError(DemogradError, RuntimeError):
    """Arrays on several devices, or a device that is not there."""


class MappingError(DemogradError, RuntimeError):
    """What ``demograd.func.vmap`` cannot do for many samples at once."""


class ArgumentError(DemogradError, ValueError):
    """A value out of its range."""


class ArgumentTypeError(DemogradError, TypeError):
    """An argument of the wrong kind."""


class OutOfRangeError(DemogradError, IndexError):
    """An index outside its dimension."""


class MissingNameError(DemogradError, AttributeError):
    """A name that nothing installed offers."""


class MissingPackageError(DemogradError, ImportError):
    """A package or program that is not installed."""


class ProviderError(DemogradError, RuntimeError):
    """Installed packages that contradict one another."""


class StateError(DemogradError, RuntimeError):
    """A state that belongs to something else."""


class DataError(DemogradError, ValueError):
    """Data that cannot be used."""


class FileError(DemogradError, OSError):
    """A file that cannot be read or written."""


class MissingFileError(FileError, FileNotFoundError):
    """A file that is not there."""


class SharingError(DemogradError, BufferError):
    """Memory that cannot be shared with another library."""


class NonFiniteError(DemogradError, FloatingPointError):
    """A NaN or an infinity where none may be."""


class NonFiniteOperationError(NonFiniteError, RuntimeError):
    """The operation that made a NaN or an infinity, forward or backward; see ``dg.debug``."""


def _pattern(headline: str) -> str:
    """The expression by which a filter knows a headline, as code; plain words where they will do.

    >>> print(_pattern("add: too little."), _pattern("x[i] = v: too much."))
    "add: too little" r"x\\[i\\] = v: too much"
    """
    words = headline.removesuffix(".")
    escaped = re.sub(r"[][(){}*+?^$|\\]", r"\\\g<0>", words)
    return f'"{words}"' if escaped == words else f'r"{escaped}"'


class DemogradWarning(UserWarning):
    """What runs and is nearly certainly a mistake: the facts, the way out, and how to silence it.

    Python shows it once for each line of the user's code. ``warnings.simplefilter("ignore",
    DemogradWarning)`` switches all of them off, and ``"error"`` makes errors of them.

    Args:
        headline: one sentence that starts with the name of the operation, and is the same
            whenever this mistake is made: filters know the warning by it.
        facts: what was found, an operand a line.
        mend: the way out, as code where that is possible.

    >>> print(DemogradWarning("add: too little.", ["x: shape (2,)"], "Add more."))
    add: too little.
      x: shape (2,)
    Add more.
    If it is meant: warnings.filterwarnings("ignore", "add: too little")
    """

    def __init__(self, headline: str, facts: Iterable[str] = (), mend: str = "") -> None:
        facts = tuple(facts)
        off = f'If it is meant: warnings.filterwarnings("ignore", {_pattern(headline)})'
        self.text = _text(headline, facts, f"{mend}\n{off}" if mend else off)
        super().__init__(headline, facts, mend)

    def __str__(self) -> str:
        return self.text


def warn(headline: str, facts: Iterable[str] = (), mend: str = "") -> None:
    """Show a :class:`DemogradWarning` at the line of the user's code that led here.

    Args:
        headline, facts, mend: as of :class:`DemogradWarning`.
    """
    frame = user_frame()
    warnings.warn_explicit(
        DemogradWarning(headline, facts, mend),
        DemogradWarning,
        frame.f_code.co_filename,
        frame.f_lineno,
        frame.f_globals.get("__name__"),
        # Python notes there what it has shown.
        frame.f_globals.setdefault("__warningregistry__", {}),
    )
