"""``gradient_flow``: how large the gradients are, parameter by parameter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from demograd import Tensor
from demograd.errors import GradientError
from demograd.interfaces import Model
from demograd.viz._style import INK, PALETTE, printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["gradient_flow"]


def gradient_flow(
    model: Model | Mapping[str, Tensor] | Iterable[tuple[str, Tensor]],
    *,
    title: str | None = None,
) -> Figure:
    """The norm of each parameter's gradient, as bars in the model's order on a logarithmic scale.

    ``||p.grad|| = sqrt(sum(p.grad**2))``. Gradients that vanish or explode from one layer to the
    next show as a slope; a parameter that has none, whose gradient is zero or not finite, says
    so instead of a bar.

    Args:
        model: after ``backward``; or its parameters by name.
        title: of the figure.

    Returns:
        A Matplotlib figure.

    Raises:
        GradientError: no parameter has a gradient.

    >>> import demograd as dg
    >>> w = dg.tensor([3.0, 4.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> figure = gradient_flow({"weight": w})
    >>> float(figure.axes[0].patches[0].get_width())
    10.0
    """
    named = model.named_parameters() if hasattr(model, "named_parameters") else model
    parameters = list(named.items() if isinstance(named, Mapping) else named)
    norms = {name: _norm(p) for name, p in parameters}
    if all(norm is None for norm in norms.values()):
        raise GradientError(
            "gradient_flow: no parameter has a gradient.",
            [f"parameters: {len(norms)}"],
            "Call loss.backward() first, and gradient_flow before zero_grad().",
        )
    from demograd.viz._figure import axes, literal, new_figure, plain_log, tidy

    figure = new_figure(6.4, min(1.3 + 0.26 * len(norms), 60.0), title)
    (ax,) = axes(figure)
    tidy(ax)
    ax.grid(False, axis="y")
    drawn = [norm for norm in norms.values() if norm and np.isfinite(norm)]
    # Room for the numbers beside the bars, whatever the range.
    left, right = min(drawn, default=1.0) / 3, max(drawn, default=1.0)
    right *= max((right / left) ** 0.15, 1.5)
    for place, norm in enumerate(norms.values()):
        if norm and np.isfinite(norm):
            ax.barh(place, norm, color=PALETTE[0], height=0.7)
            ax.text(norm * 1.03, place, f"{norm:.3g}", va="center", fontsize=8, color=INK)
            continue
        words = "no gradient" if norm is None else "zero" if norm == 0 else "not finite"
        ax.text(left * 1.1, place, words, va="center", fontsize=8, color=PALETTE[1])
    ax.set_xscale("log")
    ax.set_xlim(left, right)
    plain_log(ax.xaxis)
    ax.set_ylim(len(norms) - 0.4, -0.6)
    ax.set_yticks(range(len(norms)), [literal(printable(name)) for name in norms], fontsize=8)
    ax.set_xlabel("norm of the gradient", color=INK)
    ax.set_ylabel("parameter", color=INK)
    return figure


def _norm(p: Tensor) -> float | None:
    """The norm, in double precision, so that no square overflows; None without a gradient."""
    if p.grad is None:
        return None
    values = np.abs(p.grad.detach().cpu().numpy()).astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.sqrt(np.sum(values * values)))
