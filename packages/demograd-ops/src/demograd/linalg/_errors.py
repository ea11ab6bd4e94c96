"""The error of a matrix that has no such thing."""

from __future__ import annotations

import numpy as np

from demograd.errors import DemogradError

__all__ = ["LinAlgError"]


class LinAlgError(DemogradError, np.linalg.LinAlgError, RuntimeError):
    """A matrix that is singular, or not positive definite; also ``np.linalg.LinAlgError``."""
