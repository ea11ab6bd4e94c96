"""The operators of the core as Functions and functions, for packages that build on them.

A package of operators composes these, re-exports them, or follows their shape.
"""

from demograd._arithmetic import (
    Add,
    Div,
    Log,
    Mul,
    Neg,
    Pow,
    Sub,
    Where,
    add,
    div,
    floor_divide,
    log,
    mul,
    neg,
    pow,
    remainder,
    sub,
    where,
)  # fmt: skip
from demograd._at_once import Call, at_once, overwriting, replacing
from demograd._backend import backend_of, known_values
from demograd._binary import as_operand, binary, promote
from demograd._casting import Cast, Clone, cast_to, clone
from demograd._comparing import (
    all,
    allclose,
    any,
    bitwise_and,
    bitwise_not,
    bitwise_or,
    bitwise_xor,
    eq,
    ge,
    gt,
    isfinite,
    isinf,
    isnan,
    le,
    lt,
    ne,
)  # fmt: skip
from demograd._dims import accepts_axis, as_dim, as_dims, as_shape
from demograd._inplace import SetIndex, change
from demograd._libraries._moving import refuse_traced
from demograd._matmul import MatMul, matmul
from demograd._shaping import (
    Expand,
    Index,
    IndexAdd,
    Mean,
    Permute,
    Reshape,
    Sum,
    expand,
    index,
    index_add,
    mapped_alike,
    matrix_transpose,
    mean,
    permute,
    reshape,
    sum,
    transpose,
)  # fmt: skip

__all__ = [
    "Add", "Call", "Cast", "Clone", "Div", "Expand", "Index", "IndexAdd", "Log", "MatMul", "Mean",
    "Mul", "Neg", "Permute", "Pow", "Reshape", "SetIndex", "Sub", "Sum", "Where",
    "accepts_axis", "add", "all", "allclose", "any", "as_dim", "as_dims", "as_operand", "as_shape",
    "at_once", "backend_of", "binary", "bitwise_and", "bitwise_not", "bitwise_or", "bitwise_xor",
    "cast_to", "change", "clone", "div", "eq", "expand", "floor_divide", "ge", "gt", "index",
    "index_add", "isfinite", "isinf", "isnan", "known_values", "le", "log", "lt", "mapped_alike",
    "matmul", "matrix_transpose", "mean", "mul", "ne", "neg", "overwriting", "permute", "pow",
    "promote", "refuse_traced", "remainder", "replacing", "reshape", "sub", "sum", "transpose",
    "where",
]  # fmt: skip
