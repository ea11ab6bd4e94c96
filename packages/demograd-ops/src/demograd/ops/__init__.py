"""The named differentiable functions: elementwise, reductions, shapes, indexing, linear algebra.

Each is a ``Function`` with its derivative rule and a thin function that checks and calls it. What
is here is also found as ``dg.exp(x)`` and ``x.exp()``: ``_provider.py`` declares it to the core.
The operators that Python has signs for live in the core and are re-exported.
"""

from demograd.operators import (
    Add,
    Div,
    Log,
    MatMul,
    Mul,
    Neg,
    Pow,
    Sub,
    add,
    div,
    expand,
    log,
    matmul,
    mean,
    mul,
    neg,
    permute,
    pow,
    reshape,
    sub,
    sum,
    transpose,
    where,
)
from demograd.ops._clamping import Clamp, Maximum, Minimum, ReLU, clamp, maximum, minimum, relu
from demograd.ops._convolution import Conv2d, Conv2dInput, Conv2dWeight, conv2d
from demograd.ops._einsum import einsum
from demograd.ops._exponential import Exp, Expm1, Log1p, exp, expm1, log1p
from demograd.ops._extremes import (
    AMax,
    AMin,
    ArgMax,
    ArgMin,
    Extremes,
    Max,
    Min,
    amax,
    amin,
    argmax,
    argmin,
    max,
    min,
)
from demograd.ops._gathering import Gather, IndexSelect, gather, index_select, take_along_dim
from demograd.ops._hyperbolic import Cosh, Sinh, Tanh, cosh, sinh, tanh
from demograd.ops._joining import Cat, Stack, cat, concat, concatenate, stack
from demograd.ops._linear_algebra import bmm, dot, mm, mv, outer
from demograd.ops._norm import Norm, PNorm, norm
from demograd.ops._padding import Pad, pad
from demograd.ops._pooling import AvgPool2d, AvgPool2dInput, MaxPool2d, avg_pool2d, max_pool2d
from demograd.ops._powers import (
    Reciprocal,
    Rsqrt,
    Sqrt,
    Square,
    reciprocal,
    rsqrt,
    sqrt,
    square,
)
from demograd.ops._products import CumSum, Prod, cumsum, prod
from demograd.ops._rearranging import (
    Flip,
    Repeat,
    Roll,
    flip,
    repeat,
    repeat_interleave,
    roll,
    tile,
)  # fmt: skip
from demograd.ops._reshaping import (
    broadcast_to,
    flatten,
    moveaxis,
    movedim,
    ravel,
    squeeze,
    swapaxes,
    swapdims,
    unflatten,
    unsqueeze,
    view,
)  # fmt: skip
from demograd.ops._rounding import Ceil, Floor, Round, Trunc, ceil, floor, round, trunc
from demograd.ops._scattering import Scatter, ScatterAdd, scatter, scatter_add
from demograd.ops._selecting import masked_fill, masked_select
from demograd.ops._sigmoid import Erf, Sigmoid, erf, sigmoid
from demograd.ops._sign import Abs, Sign, abs, sign
from demograd.ops._softmax import (
    LogSoftmax,
    LogSumExp,
    Softmax,
    log_softmax,
    logsumexp,
    softmax,
)
from demograd.ops._sorting import ArgSort, Sorted, argsort, sort, topk
from demograd.ops._splitting import Split, Unbind, chunk, split, unbind
from demograd.ops._triangular import Diag, Diagonal, Tril, Triu, diag, diagonal, tril, triu
from demograd.ops._trigonometric import (
    Acos,
    Asin,
    Atan,
    Cos,
    Sin,
    Tan,
    acos,
    asin,
    atan,
    cos,
    sin,
    tan,
)
from demograd.ops._variance import Std, Var, std, var

__all__ = [
    "AMax", "AMin", "Abs", "Acos", "Add", "ArgMax", "ArgMin", "ArgSort", "Asin", "Atan",
    "AvgPool2d", "AvgPool2dInput", "Cat", "Ceil", "Clamp", "Conv2d", "Conv2dInput", "Conv2dWeight",
    "Cos", "Cosh", "CumSum", "Diag", "Diagonal", "Div", "Erf", "Exp", "Expm1", "Extremes", "Flip",
    "Floor", "Gather", "IndexSelect", "Log", "Log1p", "LogSoftmax", "LogSumExp", "MatMul", "Max",
    "MaxPool2d", "Maximum", "Min", "Minimum", "Mul", "Neg", "Norm", "PNorm", "Pad", "Pow", "Prod",
    "ReLU", "Reciprocal", "Repeat", "Roll", "Round", "Rsqrt", "Scatter", "ScatterAdd", "Sigmoid",
    "Sign", "Sin", "Sinh", "Softmax", "Sorted", "Split", "Sqrt", "Square", "Stack", "Std", "Sub",
    "Tan", "Tanh", "Tril", "Triu", "Trunc", "Unbind", "Var", "abs", "acos", "add", "amax", "amin",
    "argmax", "argmin", "argsort", "asin", "atan", "avg_pool2d", "bmm", "broadcast_to", "cat",
    "ceil", "chunk", "clamp", "concat", "concatenate", "conv2d", "cos", "cosh", "cumsum", "diag",
    "diagonal", "div", "dot", "einsum", "erf", "exp", "expand", "expm1", "flatten", "flip", "floor",
    "gather", "index_select", "log", "log1p", "log_softmax", "logsumexp", "masked_fill",
    "masked_select", "matmul", "max", "max_pool2d", "maximum", "mean", "min", "minimum", "mm",
    "moveaxis", "movedim", "mul", "mv", "neg", "norm", "outer", "pad", "permute", "pow", "prod",
    "ravel", "reciprocal", "relu", "repeat", "repeat_interleave", "reshape", "roll", "round",
    "rsqrt", "scatter", "scatter_add", "sigmoid", "sign", "sin", "sinh", "softmax", "sort", "split",
    "sqrt", "square", "squeeze", "stack", "std", "sub", "sum", "swapaxes", "swapdims",
    "take_along_dim", "tan", "tanh", "tile", "topk", "transpose", "tril", "triu", "trunc", "unbind",
    "unflatten", "unsqueeze", "var", "view", "where",
]  # fmt: skip
