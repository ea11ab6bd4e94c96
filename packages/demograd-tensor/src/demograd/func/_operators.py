"""Python's operators of :class:`Batched`: each for all samples at once."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from demograd._tensor import Tensor

__all__ = ["Operators"]

_NUMBERS = (bool, int, float, complex)


class Operators:
    """The operators, in terms of one method."""

    # NumPy's arrays leave their operators to the reflected ones here.
    __array_ufunc__ = None
    # Equality is elementwise, as that of NumPy's arrays.
    __hash__ = None  # type: ignore[assignment]

    def over_all(self, function: Callable[..., Any], *arrays: Any) -> Any:
        """An elementwise function of arrays and numbers, for all samples at once."""
        raise NotImplementedError

    def _binary(self, function: Callable[..., Any], x: Any, y: Any) -> Any:
        for operand in (x, y):
            # What is recorded above this vmap is a Tensor's own matter.
            if isinstance(operand, Tensor) or not (
                isinstance(operand, _NUMBERS) or hasattr(operand, "shape")
            ):
                return NotImplemented
        return self.over_all(function, x, y)

    def __pos__(self) -> Any:
        return self

    def __neg__(self) -> Any:
        return self.over_all(operator.neg, self)

    def __abs__(self) -> Any:
        return self.over_all(operator.abs, self)

    def __invert__(self) -> Any:
        return self.over_all(operator.invert, self)

    def __add__(self, other: Any) -> Any:
        return self._binary(operator.add, self, other)

    def __radd__(self, other: Any) -> Any:
        return self._binary(operator.add, other, self)

    def __sub__(self, other: Any) -> Any:
        return self._binary(operator.sub, self, other)

    def __rsub__(self, other: Any) -> Any:
        return self._binary(operator.sub, other, self)

    def __mul__(self, other: Any) -> Any:
        return self._binary(operator.mul, self, other)

    def __rmul__(self, other: Any) -> Any:
        return self._binary(operator.mul, other, self)

    def __truediv__(self, other: Any) -> Any:
        return self._binary(operator.truediv, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return self._binary(operator.truediv, other, self)

    def __floordiv__(self, other: Any) -> Any:
        return self._binary(operator.floordiv, self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return self._binary(operator.floordiv, other, self)

    def __mod__(self, other: Any) -> Any:
        return self._binary(operator.mod, self, other)

    def __rmod__(self, other: Any) -> Any:
        return self._binary(operator.mod, other, self)

    def __pow__(self, other: Any) -> Any:
        return self._binary(operator.pow, self, other)

    def __rpow__(self, other: Any) -> Any:
        return self._binary(operator.pow, other, self)

    def __and__(self, other: Any) -> Any:
        return self._binary(operator.and_, self, other)

    def __rand__(self, other: Any) -> Any:
        return self._binary(operator.and_, other, self)

    def __or__(self, other: Any) -> Any:
        return self._binary(operator.or_, self, other)

    def __ror__(self, other: Any) -> Any:
        return self._binary(operator.or_, other, self)

    def __xor__(self, other: Any) -> Any:
        return self._binary(operator.xor, self, other)

    def __rxor__(self, other: Any) -> Any:
        return self._binary(operator.xor, other, self)

    def __lshift__(self, other: Any) -> Any:
        return self._binary(operator.lshift, self, other)

    def __rshift__(self, other: Any) -> Any:
        return self._binary(operator.rshift, self, other)

    def __eq__(self, other: object) -> Any:
        return self._binary(operator.eq, self, other)

    def __ne__(self, other: object) -> Any:
        return self._binary(operator.ne, self, other)

    def __lt__(self, other: Any) -> Any:
        return self._binary(operator.lt, self, other)

    def __le__(self, other: Any) -> Any:
        return self._binary(operator.le, self, other)

    def __gt__(self, other: Any) -> Any:
        return self._binary(operator.gt, self, other)

    def __ge__(self, other: Any) -> Any:
        return self._binary(operator.ge, self, other)

    def __matmul__(self, other: Any) -> Any:
        from demograd.func._products import matmul

        return NotImplemented if isinstance(other, Tensor) else matmul(self, other)

    def __rmatmul__(self, other: Any) -> Any:
        from demograd.func._products import matmul

        return matmul(other, self)
