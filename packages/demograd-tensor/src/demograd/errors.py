"""Every error that demograd raises.

::

    DemogradError
    ├── ShapeError            (ValueError, RuntimeError)  shapes that do not fit
    ├── DtypeError            (TypeError, RuntimeError)   a data type that cannot do this
    ├── GradientError         (RuntimeError)              a gradient that is not to be had
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
    └── NonFiniteError        (FloatingPointError)        a NaN or an infinity where none may be

Each is also the builtin that PyTorch or NumPy would raise there, so that code written for
them catches it. The text has three parts: a headline that names the operation, the facts
(an operand a line), and the way out.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = [
    "ArgumentError",
    "ArgumentTypeError",
    "DataError",
    "DemogradError",
    "DtypeError",
    "FileError",
    "GradientError",
    "MissingFileError",
    "MissingNameError",
    "MissingPackageError",
    "NonFiniteError",
    "OutOfRangeError",
    "ProviderError",
    "ShapeError",
    "StateError",
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
        lines = [headline, *(f"  {fact}" for fact in facts)]
        if mend:
            lines.append(mend)
        self.text = "\n".join(lines)
        super().__init__(self.text)

    def __str__(self) -> str:
        return self.text

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions pickle by their arguments; the text is already whole.
        return type(self), (self.text,)


class ShapeError(DemogradError, ValueError, RuntimeError):
    """Shapes that do not fit together."""


class DtypeError(DemogradError, TypeError, RuntimeError):
    """A data type that cannot do what is asked of it."""


class GradientError(DemogradError, RuntimeError):
    """A gradient that cannot be had, or that would be wrong."""


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


class NonFiniteError(DemogradError, FloatingPointError):
    """A NaN or an infinity where none may be."""
