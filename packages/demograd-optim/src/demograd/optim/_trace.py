"""An update rule, written as a pure formula, turned into operations that reuse memory.

A formula such as ``x - rate * (m / (xp.sqrt(v) + eps))`` makes a new array at each operation. On
parameters of some hundred thousand numbers, getting that memory costs more than the arithmetic. So
the formula is run once on symbols, which note each operation (``trace``), and then each result is
given a place (``Program``): the memory of a value that is not needed any more if there is one,
scratch memory if not. The new parameter and the new state end where the old ones were. The numbers
are the same, to the bit: the operations are, and their order is.

A formula that is more than elementwise arithmetic (a sum, a norm, a branch on values) has no such
program, and is run as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from operator import itemgetter
from typing import Any

import numpy as np

__all__ = ["Program", "Trace", "trace"]

# NumPy wants the place of their result by keyword.
BY_KEYWORD = {np.maximum, np.minimum}

GRAD = 1  # where the gradient stands among the inputs; its memory belongs to somebody else


class Untraceable(TypeError):
    """The formula asks something of a symbol that only an array can answer."""


class Trace:
    """What a formula does, operation by operation; also the namespace ``xp`` that it is given.

    Values are numbered: the inputs, then the result of each operation. The numbers that occur in
    the formula are counted down from -1, so that one integer says what an operand is.

    Attributes:
        inputs: how many there are.
        last: the value noted last.
        operations: each function with its operands.
        numbers: the numbers that occur.
        results: the values that the formula returned.
    """

    def __init__(self, inputs: int) -> None:
        self.inputs = inputs
        self.last = inputs - 1
        self.operations: list[tuple[Any, ...]] = []
        self.numbers: list[float] = []
        self.results: list[int] = []

    def same_operations(self, other: Trace) -> bool:
        """Whether both are alike but for the numbers."""
        return (self.inputs, self.results, self.operations) == (
            other.inputs,
            other.results,
            other.operations,
        )

    def binary(self, ufunc: np.ufunc, x: Any, y: Any) -> Symbol:
        """Note an operation of two operands; done at every step, so as fast as can be."""
        self.operations.append(
            (
                ufunc,
                x.value if type(x) is Symbol else self._number(x),
                y.value if type(y) is Symbol else self._number(y),
            )
        )
        self.last += 1
        return Symbol(self, self.last)

    def function(self, ufunc: np.ufunc, *operands: Any) -> Symbol:
        """Note an operation of any operands."""
        read = [x.value if type(x) is Symbol else self._number(x) for x in operands]
        self.operations.append((ufunc, *read))
        self.last += 1
        return Symbol(self, self.last)

    def _number(self, x: Any) -> int:
        if isinstance(x, (int, float)):
            self.numbers.append(x)
            return -len(self.numbers)
        raise Untraceable(f"the formula uses a {type(x).__name__}")

    def __getattr__(self, name: str) -> Callable[..., Symbol]:
        return partial(self.function, _elementwise(name))


@cache
def _elementwise(name: str) -> np.ufunc:
    """NumPy's function of that name if it makes a float of the floats at each place."""
    ufunc = getattr(np, name, None)
    # One with a signature, such as matmul, is a function of whole rows.
    if (
        isinstance(ufunc, np.ufunc)
        and ufunc.signature is None
        and f"{'d' * ufunc.nin}->d" in ufunc.types
    ):
        return ufunc
    raise Untraceable(f"the formula uses xp.{name}")


class Symbol:
    """Stands for an array while a formula is traced; each operator makes the next symbol."""

    __slots__ = ("trace", "value")

    # NumPy's numbers and arrays hand over to the reflected operators here.
    __array_ufunc__ = None

    def __init__(self, trace: Trace, value: int) -> None:
        self.trace = trace
        self.value = value

    def __getattr__(self, name: str) -> Any:
        raise Untraceable(f"the formula uses .{name}")

    def __bool__(self) -> bool:
        raise Untraceable("the formula branches on values")

    def __add__(self, other: Any) -> Symbol:
        return self.trace.binary(np.add, self, other)

    def __radd__(self, other: Any) -> Symbol:
        return self.trace.binary(np.add, other, self)

    def __sub__(self, other: Any) -> Symbol:
        return self.trace.binary(np.subtract, self, other)

    def __rsub__(self, other: Any) -> Symbol:
        return self.trace.binary(np.subtract, other, self)

    def __mul__(self, other: Any) -> Symbol:
        return self.trace.binary(np.multiply, self, other)

    def __rmul__(self, other: Any) -> Symbol:
        return self.trace.binary(np.multiply, other, self)

    def __truediv__(self, other: Any) -> Symbol:
        return self.trace.binary(np.divide, self, other)

    def __rtruediv__(self, other: Any) -> Symbol:
        return self.trace.binary(np.divide, other, self)

    def __neg__(self) -> Symbol:
        return self.trace.function(np.negative, self)

    def __abs__(self) -> Symbol:
        return self.trace.function(np.absolute, self)


def trace(
    formula: Callable[..., Any],
    inputs: int,
    settings: dict[str, Any],
    absent: Sequence[int] = (),
) -> Trace | None:
    """Run ``formula(xp, x, grad, *state, **settings)`` on symbols; None if that cannot be.

    Args:
        formula: returns the new ``x`` and the new state, as a tuple.
        inputs: how many arrays it takes: parameter, gradient and state.
        settings: its numbers and switches.
        absent: inputs that have no value yet; the formula is given None for them.
    """
    found = Trace(inputs)
    symbols = [None if i in absent else Symbol(found, i) for i in range(inputs)]
    try:
        results = formula(found, *symbols, **settings)
        found.results = [result.value for result in results]
    except (TypeError, AttributeError):
        # Not symbols' business. A mistake in the formula shows again when arrays run it.
        return None
    return found


class Program:
    """The operations of a trace as calls on registers.

    The registers are the inputs (parameter, gradient, state, ...), then scratch arrays of their
    shape and type, then the numbers of the trace, then the functions, these two last first.

    Attributes:
        scratch: how many scratch arrays are needed.
        functions: the registers of the functions.

    >>> def momentum(xp, x, grad, m, *, rate):
    ...     m = 0.5 * m + grad
    ...     return x - rate * m, m
    >>> found = trace(momentum, 3, {"rate": 0.1})
    >>> found.numbers
    [0.5, 0.1]
    >>> program = Program(found)
    >>> x, grad, m, scratch = np.array([1.0]), np.array([2.0]), np.array([4.0]), np.empty(1)
    >>> for function, *operands in program.calls(
    ...     [x, grad, m, scratch, 0.1, 0.5, *program.functions]
    ... ):
    ...     _ = function(*operands)
    >>> x, m
    (array([0.6]), array([4.]))
    """

    def __init__(self, found: Trace) -> None:
        placed, registers = _place(found)
        self.scratch = registers - found.inputs
        self.functions = [ufunc for ufunc, *_ in reversed(placed)]
        self._by_keyword = [i for i, (ufunc, *_) in enumerate(placed) if ufunc in BY_KEYWORD]
        # One itemgetter fetches the function, what it reads, and where it writes. Numbers are
        # counted from the end, and there the functions stand.
        last = len(placed)
        self._calls = [
            itemgetter(-1 - i, *(x if x >= 0 else x - last for x in operands))
            for i, (_, *operands) in enumerate(placed)
        ]

    def calls(self, registers: list[Any]) -> list[tuple[Any, ...]]:
        """The calls that change the inputs in place, all but the gradient, in their order."""
        calls = [call(registers) for call in self._calls]
        for i in self._by_keyword:
            # Not a function in Python: what runs the calls is not to be interrupted.
            function, x, y, out = calls[i]
            calls[i] = (partial(function, out=out), x, y)
        return calls


def _place(found: Trace) -> tuple[list[tuple[Any, ...]], int]:
    """Give the result of each operation a register; return the operations and how many there are.

    Each operation is a function, the registers that it reads, and the one that it writes.
    """
    inputs, operations = found.inputs, found.operations
    # Where the results belong: the new parameter and the new state; nothing to the gradient.
    targets = [i if i == 0 else i + 1 for i in range(len(found.results))]
    home = dict(zip(found.results, targets, strict=True))
    last_use = {x: time for time, (_, *operands) in enumerate(operations) for x in operands}
    last_use |= dict.fromkeys(found.results, len(operations))

    register = {i: i for i in range(inputs)}
    free = [i for i in range(inputs) if i not in last_use and i != GRAD]
    count = inputs
    placed: list[tuple[Any, ...]] = []
    for time, (ufunc, *operands) in enumerate(operations):
        # An elementwise result may overwrite an operand that is read for the last time.
        ending = {register[x] for x in operands if x >= 0 and last_use[x] == time} - {GRAD}
        free += ending
        result = inputs + time
        place = home.get(result, -1)
        if place not in free:
            place = free[-1] if free else count
        if place == count:
            count += 1
        else:
            free.remove(place)
        register[result] = place
        placed.append((ufunc, *[x if x < 0 else register[x] for x in operands], place))
        if result not in last_use:
            free.append(place)

    # What did not end where it belongs is copied there, from a copy if it stands where another
    # result belongs.
    moves = [
        (register[value], target)
        for value, target in zip(found.results, targets, strict=True)
        if register[value] != target
    ]
    copies = {source: count + i for i, source in enumerate({s for s, _ in moves} & {*targets})}
    placed += [(np.positive, source, copy) for source, copy in copies.items()]
    placed += [(np.positive, copies.get(source, source), target) for source, target in moves]
    return placed, count + len(copies)
