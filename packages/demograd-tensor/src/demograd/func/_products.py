"""Batching of matrix products, and of their inverse: both take stacks of matrices already."""

from __future__ import annotations

from typing import Any

from demograd._levels import Level
from demograd.func._batched import Batched, beneath, in_namespace, level_of
from demograd.func._shapes import reshape

__all__ = ["matmul", "solve"]


def matmul(x: Any, y: Any, /) -> Any:
    """``x @ y`` of vectors, matrices and stacks of them, for all samples."""
    level = level_of((x, y))
    if level is None:
        return x @ y
    if len(x.shape) == 1:
        out = matmul(reshape(x, (1, -1)), y)
        return reshape(out, (*out.shape[:-2], out.shape[-1]) if len(y.shape) > 1 else ())
    if len(y.shape) == 1:
        out = matmul(x, reshape(y, (-1, 1)))
        return reshape(out, out.shape[:-1])
    if x.shape[-1] != y.shape[-2]:
        raise ValueError(f"matmul: the inner lengths differ, {x.shape} @ {y.shape}")
    if x.shape[-1] == 1:
        # One column by one row, such as the gradient of a weight for one sample: a product of
        # elements, in one call and not in one for each sample.
        return x * y
    ndim = max(len(x.shape), len(y.shape))
    (left, x_mapped), (right, y_mapped) = _held(x, level, ndim), _held(y, level, ndim)
    xp = beneath([left, right])
    left, right = in_namespace(xp, left), in_namespace(xp, right)
    if x_mapped and not y_mapped and ndim == 2:
        # One tall matrix in place of a product for each sample.
        rows = xp.reshape(left, (-1, x.shape[1])) @ right
        out = xp.reshape(rows, (level.size, x.shape[0], y.shape[1]))
        return Batched(level, out, True)
    return Batched(level, left @ right, x_mapped or y_mapped)


def solve(x: Any, y: Any, /) -> Any:
    """``linalg.solve``: z with ``x @ z = y``, of a matrix x and vectors or matrices y."""
    level = level_of((x, y))
    if level is None:
        return beneath([x, y]).linalg.solve(x, y)
    if len(y.shape) == 1:
        out = solve(x, reshape(y, (-1, 1)))
        return reshape(out, out.shape[:-1])
    ndim = max(len(x.shape), len(y.shape))
    (left, x_mapped), (right, y_mapped) = _held(x, level, ndim), _held(y, level, ndim)
    xp = beneath([left, right])
    out = xp.linalg.solve(in_namespace(xp, left), in_namespace(xp, right))
    return Batched(level, out, x_mapped or y_mapped)


def _held(x: Any, level: Level, ndim: int) -> tuple[Any, bool]:
    """What an operand holds, with as many dimensions for each sample as the other, and if so."""
    if type(x) is not Batched or x.level is not level:
        return x, False
    missing = ndim - x.ndim
    if x.mapped and missing:
        x = reshape(x, (*(1,) * missing, *x.shape))
    return x.value, x.mapped
