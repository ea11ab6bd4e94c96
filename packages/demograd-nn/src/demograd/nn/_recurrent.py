"""Recurrent layers: one step at a time."""

from __future__ import annotations

import math
from typing import Any

import demograd as dg
from demograd import Tensor
from demograd.errors import ArgumentError, ArgumentTypeError, ShapeError
from demograd.nn import init
from demograd.nn._module import Module
from demograd.nn._parameter import Parameter
from demograd.nn.functional._lstm_cell import lstm_cell
from demograd.nn.functional._operands import check_one_dtype, check_tensors

__all__ = ["LSTMCell"]


class LSTMCell(Module):
    """One step of a long short-term memory.

    ::

        i = σ(W_ii x + b_ii + W_hi h + b_hi)        f, o: likewise
        g = tanh(W_ig x + b_ig + W_hg h + b_hg)
        c' = f c + i g        h' = o tanh(c')

    Parameters start uniform in ``±1 / sqrt(hidden_size)``.

    Shapes: input ``(N, input_size)`` or ``(input_size,)``; h, c and the results ``(N,
    hidden_size)`` or ``(hidden_size,)``.

    Args:
        input_size: numbers in each row of the input.
        hidden_size: numbers in each row of the state.
        bias: whether ``b`` is added.
        device: where the parameters are; the default device if left out.
        dtype: of the parameters; the default type if left out.

    Attributes:
        weight_ih, weight_hh: shapes ``(4 * hidden_size, input_size)`` and ``(4 * hidden_size,
            hidden_size)``: the rows of i, f, g and o below one another.
        bias_ih, bias_hh: shape ``(4 * hidden_size,)``, or None.

    Raises:
        ArgumentError: a size is negative, or there is no hidden number.
        ShapeError: when called, the input or the state does not fit.
        DtypeError: when called, the operands have different types.
        ArgumentTypeError: when called, the state is no pair of tensors.

    Reference: Hochreiter and Schmidhuber, "Long short-term memory", Neural Computation 1997; Gers,
    Schmidhuber and Cummins, "Learning to forget: continual prediction with LSTM", 2000.

    >>> import demograd as dg
    >>> cell = LSTMCell(3, 4)
    >>> cell
    LSTMCell(3, 4)
    >>> h, c = cell(dg.ones(2, 3))
    >>> h, c = cell(dg.ones(2, 3), (h, c))
    >>> h.shape
    (2, 4)
    """

    weight_ih: Parameter
    weight_hh: Parameter
    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if input_size < 0 or hidden_size < 1:
            raise ArgumentError(
                "LSTMCell: a size is out of its range.",
                [f"input_size: {input_size}", f"hidden_size: {hidden_size}"],
                "input_size is at least 0, hidden_size at least 1.",
            )
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = 4 * hidden_size
        self.weight_ih = Parameter(dg.empty(rows, input_size, device=device, dtype=dtype))
        self.weight_hh = Parameter(dg.empty(rows, hidden_size, device=device, dtype=dtype))
        for name in ("bias_ih", "bias_hh"):
            shift = Parameter(dg.empty(rows, device=device, dtype=dtype)) if bias else None
            self.register_parameter(name, shift)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        bound = 1.0 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def forward(
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        """The state after ``input``, from the state ``hx = (h, c)``, which is zero if left out."""
        weights = self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh
        rows = self._wanted(input)
        if hx is None:
            shape = (*rows, self.hidden_size)
            zeros = dg.zeros(shape, device=input.device, dtype=self.weight_hh.dtype)
            hx = (zeros, zeros)
        h, c = self._state(hx, rows)
        check_one_dtype("LSTMCell", {"input": input, "h": h, "c": c, "weight_ih": self.weight_ih})
        if rows:
            return lstm_cell(input, (h, c), *weights)
        input, h, c = [x.reshape(1, -1) for x in (input, h, c)]
        h, c = lstm_cell(input, (h, c), *weights)
        return h.reshape(-1), c.reshape(-1)

    def _wanted(self, input: Tensor) -> tuple[int, ...]:
        """The dimension of rows, if there is one."""
        check_tensors("LSTMCell", {"input": input})
        if input.ndim not in (1, 2):
            raise ShapeError(
                f"LSTMCell: the input has {input.ndim} dimensions.",
                [f"input: shape {input.shape}, expected (N, input_size) or (input_size,)"],
                "for x in sequence: h, c = cell(x, (h, c)) takes the steps of a sequence.",
            )
        if input.shape[-1] != self.input_size:
            raise ShapeError(
                "LSTMCell: the input's last dimension is not input_size.",
                [f"input: shape {input.shape}", f"input_size: {self.input_size}"],
            )
        return input.shape[:-1]

    def _state(self, hx: Any, rows: tuple[int, ...]) -> tuple[Tensor, Tensor]:
        if not isinstance(hx, (tuple, list)) or len(hx) != 2:
            raise ArgumentTypeError(
                "LSTMCell: the state is no pair of tensors.",
                [f"hx: {type(hx).__name__}"],
                "h, c = cell(x, (h, c))",
            )
        h, c = hx
        check_tensors("LSTMCell", {"h": h, "c": c})
        wanted = (*rows, self.hidden_size)
        if h.shape != wanted or c.shape != wanted:
            raise ShapeError(
                "LSTMCell: the state does not fit the input and hidden_size.",
                [
                    f"h: shape {h.shape}, expected {wanted}",
                    f"c: shape {c.shape}, expected {wanted}",
                ],
            )
        return h, c

    def extra_repr(self) -> str:
        """The sizes."""
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else ", bias=False")
