"""``decision_boundary``: which class a model gives to each point of the plane."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from demograd import Tensor
from demograd.errors import ArgumentError, ShapeError
from demograd.viz._arrays import as_array, as_labels
from demograd.viz._inference import inference
from demograd.viz._style import INK, PALETTE, printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["decision_boundary"]

_BATCH = 4096
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")


def decision_boundary(
    model: Callable[[Tensor], Any],
    x: Any,
    y: Any = None,
    *,
    resolution: int = 200,
    threshold: float = 0.0,
    names: Sequence[str] | None = None,
    features: Sequence[str] = ("x1", "x2"),
    title: str | None = None,
) -> Figure:
    """The regions in which a model decides for each class, with the samples over them.

    A model with a score for each class, output ``(N, C)``, decides for the largest; one with a
    single score, output ``(N,)`` or ``(N, 1)``, for the second class above ``threshold``. The
    boundary is the dark line, and colours are stronger where the decision is clearer. The model
    is run in evaluation mode without recording, and is afterwards as it was.

    Args:
        model: a model, or any function of points ``(N, 2)``.
        x: the samples ``(N, 2)``; they set the part of the plane that is shown.
        y: the samples' classes ``(N,)``: ``0, 1, ...`` for several scores; for a single score
            any two values, such as -1 and 1, the larger for scores above the threshold.
        resolution: points along each side, at least 2.
        threshold: where a single score changes the class: 0 for a logit, 0.5 for a probability.
        names: of the classes.
        features: of the two axes.
        title: of the figure.

    Returns:
        A Matplotlib figure.

    Raises:
        ShapeError: the samples are not points of a plane, or the output is no score.
        ArgumentError: ``resolution`` is too small, or ``y`` has classes that the model lacks.

    >>> import demograd as dg
    >>> figure = decision_boundary(
    ...     lambda p: p[:, 0] - p[:, 1], dg.tensor([[0.0, 1.0], [1.0, 0.0]]), [0, 1], resolution=20
    ... )
    >>> figure.axes[0].get_xlabel()
    'x1'
    """
    points = as_array(x)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise ShapeError(
            "decision_boundary: the samples are not points of a plane.",
            [f"x: shape {points.shape}"],
            "x has two columns and a row a sample: x[:, :2] takes the first two features.",
        )
    if resolution < 2:
        raise ArgumentError(f"decision_boundary: resolution is {resolution}.", mend="Use 200.")
    labels = None if y is None else as_labels("decision_boundary", "y", y, len(points))
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.12 * np.where(high > low, high - low, 1.0)
    across, up = (np.linspace(low[i] - margin[i], high[i] + margin[i], resolution) for i in (0, 1))
    grid = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
    dtype = points.dtype if points.dtype.kind == "f" else np.float32
    scores, values = _scores(model, grid.astype(dtype), threshold), [0, 1]
    if labels is not None:
        labels, values = _class_numbers(labels, scores)
    scores = scores.reshape(resolution, resolution, -1)
    names = [printable(str(name)) for name in (values if names is None else names)]

    from demograd.viz._figure import axes, literal, new_figure, tidy

    figure = new_figure(5.6, 4.8, title)
    (ax,) = axes(figure)
    tidy(ax)
    ax.grid(False)
    _draw_regions(ax, across, up, scores)
    if labels is None:
        ax.plot(points[:, 0], points[:, 1], "o", color=INK, markersize=4)
    else:
        for k in np.unique(labels).tolist():
            chosen = points[labels == k]
            ax.plot(
                chosen[:, 0], chosen[:, 1], _MARKERS[k % len(_MARKERS)], markersize=5.5,
                color=PALETTE[k % len(PALETTE)], markeredgecolor="white", markeredgewidth=0.8,
                label=literal(names[k] if k < len(names) else str(k)),
            )  # fmt: skip
        ax.legend(title="class", fontsize=9, framealpha=0.9)
    ax.set_xlim(across[0], across[-1])
    ax.set_ylim(up[0], up[-1])
    ax.set_xlabel(literal(printable(features[0])), color=INK)
    ax.set_ylabel(literal(printable(features[1])), color=INK)
    return figure


def _scores(
    model: Callable[[Tensor], Any], points: NDArray[Any], threshold: float
) -> NDArray[np.float64]:
    """A score for each class at each point; a single score becomes those of two classes."""
    parts = []
    with inference(model):
        # In pieces, so that a fine grid does not need the memory of one huge batch.
        for start in range(0, len(points), _BATCH):
            batch = Tensor(points[start : start + _BATCH])
            out = as_array(model(batch)).astype(np.float64)
            if out.ndim not in (1, 2) or len(out) != len(batch):
                raise ShapeError(
                    "decision_boundary: the model's output is no score for each point.",
                    [f"points: shape {batch.shape}", f"output: shape {out.shape}"],
                    "It must be (N, C), (N, 1) or (N,).",
                )
            parts.append(out.reshape(len(out), -1))
    scores = np.concatenate(parts)
    if scores.shape[1] == 1:
        scores = np.concatenate([threshold - scores, scores - threshold], axis=1)
    return scores


def _class_numbers(
    labels: NDArray[Any], scores: NDArray[np.float64]
) -> tuple[NDArray[np.int64], list[Any]]:
    """The samples' classes as numbers from 0, and what the classes are called in ``y``."""
    count = scores.shape[1]
    found = np.unique(labels)
    numbers = labels.astype(np.int64)
    if not (np.all(numbers == labels) and numbers.min() >= 0 and numbers.max() < count):
        # Two classes may have any two names, such as -1 and 1.
        if count == 2 and len(found) == 2:
            return np.searchsorted(found, labels), found.tolist()
        raise ArgumentError(
            "decision_boundary: y has classes that the model does not score.",
            [f"y: {', '.join(map(str, found[:8].tolist()))}", f"the model's scores: {count}"],
            f"The classes are 0 to {count - 1}.",
        )
    return numbers, list(range(count))


def _draw_regions(
    ax: Axes, across: NDArray[Any], up: NDArray[Any], scores: NDArray[np.float64]
) -> None:
    """Colour the plane by the class with the largest score, and draw where it changes."""
    from matplotlib.colors import to_rgb

    count = scores.shape[2]
    decided = scores.argmax(axis=2)
    # The softmax's largest share, from 0 where all classes are equal to 1 where one is certain.
    share = 1.0 / np.exp(scores - scores.max(axis=2, keepdims=True)).sum(axis=2)
    certainty = (share - 1.0 / count) / (1.0 - 1.0 / count)
    palette = np.array([to_rgb(PALETTE[k % len(PALETTE)]) for k in range(count)])
    strength = (0.16 + 0.34 * np.nan_to_num(certainty))[..., None]
    picture = 1.0 - strength * (1.0 - palette[decided])
    ax.imshow(
        picture, origin="lower", aspect="auto", interpolation="bilinear",
        extent=(across[0], across[-1], up[0], up[-1]),
    )  # fmt: skip
    for k in range(1 if count == 2 else count):
        others = np.delete(scores, k, axis=2).max(axis=2)
        lead = scores[:, :, k] - others
        if np.nanmin(lead) < 0 < np.nanmax(lead):
            ax.contour(across, up, lead, levels=[0.0], colors=[INK], linewidths=1.4)
