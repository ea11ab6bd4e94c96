"""One step of a long short-term memory, as two rules."""

from __future__ import annotations

from typing import Any, cast

from demograd import Function, Tensor

__all__ = ["AffinePair", "LSTMStep", "lstm_cell"]


class AffinePair(Function):
    """``x Wᵀ + b + h Uᵀ + a`` of rows x and h: the sum of two affine maps.

    With ``g`` the incoming gradient, ``dx = g W``, ``dW = gᵀ x``, ``db = Σ g`` over the rows, and
    likewise for the other.
    """

    def forward(self, x: Any, h: Any, w: Any, u: Any, b: Any, a: Any) -> Any:
        x_needed, h_needed, w_needed, u_needed, *_ = self.needs_input_grad
        self.save_for_backward(
            x if w_needed else None,
            h if u_needed else None,
            w if x_needed else None,
            u if h_needed else None,
        )
        # With the weights on the left each gate's numbers lie together in memory, and so do those
        # of the state that is made of them; in a small batch that halves the time of the products.
        out = w @ x.mT
        out += u @ h.mT
        if b is not None:
            out += (b + a)[:, None]
        return out.mT

    def backward(self, grad: Any) -> Any:
        x, h, w, u = self.saved_tensors
        x_needed, h_needed, w_needed, u_needed, b_needed, a_needed = self.needs_input_grad
        columns = grad.mT if w_needed or u_needed else None
        sums = self.xp.sum(grad, axis=0) if b_needed or a_needed else None
        return (
            grad @ w if x_needed else None,
            grad @ u if h_needed else None,
            columns @ x if w_needed else None,
            columns @ h if u_needed else None,
            sums if b_needed else None,
            sums if a_needed else None,
        )


class LSTMStep(Function):
    """The new state h', c' from ``y = (y_i, y_f, y_g, y_o)``, side by side, and the old c.

    With ``i, f, o = σ(y)`` and ``g = tanh(y_g)``::

        c' = f c + i g        h' = o tanh(c')

    and with ``t = tanh(c')``, and D the gradient that reaches c', its own and through h'::

        D = dc' + dh' o (1 - t²)        dc = D f
        dy = (D g i (1 - i), D c f (1 - f), D i (1 - g²), dh' t o (1 - o))

    Reference: Hochreiter and Schmidhuber, "Long short-term memory", Neural Computation 1997; Gers,
    Schmidhuber and Cummins, "Learning to forget", 2000.
    """

    def forward(self, y: Any, c: Any) -> Any:
        self.save_for_backward(y, c)
        i, f, g, o = self._gates(y)
        new_c = f * c
        new_c += i * g
        return o * self.xp.tanh(new_c), new_c

    def backward(self, h_grad: Any, c_grad: Any) -> Any:
        y, c = self.saved_tensors
        xp = self.xp
        i, f, g, o = self._gates(y)
        # Computed again and not kept: c' may be changed in place afterwards, as in PyTorch.
        t = xp.tanh(f * c + i * g)
        through = c_grad + h_grad * o * (1 - t * t)
        y_grad = None
        if self.needs_input_grad[0]:
            parts = [
                through * g * (i - i * i),
                through * c * (f - f * f),
                through * i * (1 - g * g),
                h_grad * t * (o - o * o),
            ]
            y_grad = xp.concat(parts, axis=-1)
        return y_grad, through * f if self.needs_input_grad[1] else None

    def _gates(self, y: Any) -> tuple[Any, Any, Any, Any]:
        xp = self.xp
        n = y.shape[-1] // 4
        # σ(y) is (1 + tanh(y / 2)) / 2, which has no exponential that overflows.
        first = xp.tanh(y[..., : 2 * n] * 0.5) * 0.5 + 0.5
        last = xp.tanh(y[..., 3 * n :] * 0.5) * 0.5 + 0.5
        return first[..., :n], first[..., n:], xp.tanh(y[..., 2 * n : 3 * n]), last


def lstm_cell(
    input: Tensor,
    hx: tuple[Tensor, Tensor],
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None = None,
    bias_hh: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """What :class:`demograd.nn.LSTMCell` computes of rows, after its checks."""
    h, c = hx
    y = AffinePair.apply(input, h, weight_ih, weight_hh, bias_ih, bias_hh)
    return cast(tuple[Tensor, Tensor], LSTMStep.apply(y, c))
