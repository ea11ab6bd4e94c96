"""``images``: a grid of images with their true and predicted labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from demograd.errors import ArgumentError, ShapeError
from demograd.viz._arrays import as_array, as_labels
from demograd.viz._style import INK, MUTED, PALETTE, plural, printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["images"]


def images(
    x: Any,
    labels: Any = None,
    predictions: Any = None,
    *,
    wrong_only: bool = False,
    count: int = 25,
    columns: int = 5,
    shape: Sequence[int] | None = None,
    names: Sequence[str] | None = None,
    title: str | None = None,
) -> Figure:
    """Images in a grid, with what they are and what a model took them for.

    Args:
        x: the images: grey ``(N, H, W)`` or ``(N, 1, H, W)``, coloured ``(N, 3, H, W)`` or
            ``(N, H, W, 3)``, or flat ``(N, H * W)``. Grey ones are drawn from the smallest value,
            white, to the largest, black.
        labels: the true classes ``(N,)``.
        predictions: the predicted classes ``(N,)``, or scores ``(N, C)`` whose largest counts.
        wrong_only: show those alone whose prediction is wrong.
        count: how many are shown at most, at least 1.
        columns: how many stand side by side, at least 1.
        shape: height and width of flat images that are not square.
        names: of the classes.
        title: of the figure; for wrong ones it says how many there are if left out.

    Returns:
        A Matplotlib figure. A wrong prediction is in vermilion and says what is true.

    Raises:
        ShapeError: the images have no such shape, or labels and images differ in number.
        ArgumentError: ``wrong_only`` without labels and predictions, or a number below 1.

    >>> figure = images(np.zeros((3, 4, 4)), [0, 1, 2], [0, 2, 2], wrong_only=True)
    >>> [ax.get_title() for ax in figure.axes]
    ['true 1, predicted 2']
    """
    pictures = _as_images(as_array(x), shape)
    if count < 1 or columns < 1:
        raise ArgumentError(
            "images: count and columns are at least 1.",
            [f"count: {count}", f"columns: {columns}"],
        )
    total = len(pictures)
    true = None if labels is None else as_labels("images", "labels", labels, total)
    guessed = (
        None if predictions is None else as_labels("images", "predictions", predictions, total)
    )
    chosen = np.arange(total)
    if wrong_only:
        if true is None or guessed is None:
            raise ArgumentError(
                "images: wrong_only needs labels and predictions.",
                [f"labels: {_given(labels)}", f"predictions: {_given(predictions)}"],
                "images(x, labels, model(x), wrong_only=True)",
            )
        chosen = np.flatnonzero(true != guessed)
        if title is None:
            title = f"{len(chosen):,} of {plural(total, 'image')} misclassified"
            if len(chosen) > count:
                title += f"; the first {count:,}"
    chosen = chosen[:count]

    from demograd.viz._figure import axes, literal, new_figure

    across = min(columns, max(len(chosen), 1))
    down = math.ceil(len(chosen) / across)
    figure = new_figure(max(1.75 * across, 4.0), 1.85 * down + 0.6, title)
    grid = axes(figure, max(down, 1), across)
    for ax in grid[len(chosen) :]:
        ax.remove()
    for ax, i in zip(grid, chosen.tolist(), strict=False):
        _draw_image(ax, pictures[i])
        right = true is None or guessed is None or true[i] == guessed[i]
        texts = []
        if true is not None:
            texts.append(f"true {_name(true[i], names)}")
        if guessed is not None:
            texts.append(f"predicted {_name(guessed[i], names)}")
        ax.set_title(literal(", ".join(texts)), fontsize=9, color=INK if right else PALETTE[1])
    return figure


def _given(value: Any) -> str:
    return "missing" if value is None else "given"


def _as_images(x: NDArray[Any], shape: Sequence[int] | None) -> NDArray[Any]:
    """The images as ``(N, H, W)`` or ``(N, H, W, C)``."""
    given = x.shape
    if x.ndim == 2:
        side = math.isqrt(x.shape[1])
        height, width = shape if shape is not None else (side, side)
        if height * width == x.shape[1]:
            return x.reshape(len(x), height, width)
    elif x.ndim == 3:
        return x
    elif x.ndim == 4 and x.shape[1] == 1:
        return x[:, 0]
    elif x.ndim == 4 and x.shape[1] == 3:
        return x.transpose(0, 2, 3, 1)
    elif x.ndim == 4 and x.shape[3] in (1, 3):
        return x[..., 0] if x.shape[3] == 1 else x
    raise ShapeError(
        "images: this is no shape of images.",
        [f"x: shape {given}", *([] if shape is None else [f"shape: {tuple(shape)}"])],
        "x is (N, H, W), (N, C, H, W), (N, H, W, C), or flat with shape=(H, W).",
    )


def _draw_image(ax: Axes, image: NDArray[Any]) -> None:
    if image.ndim == 3 and image.dtype.kind == "f":
        low, high = float(image.min()), float(image.max())
        # Colours are between 0 and 1; what was normalized is stretched to fit.
        image = image if low >= 0 and high <= 1 else (image - low) / max(high - low, 1e-12)
    ax.imshow(image, cmap="gray_r" if image.ndim == 2 else None, interpolation="nearest")
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_color(MUTED)
        spine.set_linewidth(0.6)


def _name(label: Any, names: Sequence[str] | None) -> str:
    known = names is not None and label == int(label) and 0 <= label < len(names)
    return printable(str(names[int(label)] if known and names is not None else label))
