"""Errors of this package whose builtin the core's errors do not have."""

from __future__ import annotations

from demograd.errors import DataError

__all__ = ["MissingKeyError"]


class MissingKeyError(DataError, KeyError):
    """A sample that lacks a key that another one has."""
