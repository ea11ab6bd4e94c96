"""Initialisers: they fill a tensor in place, outside the graph, and return it.

*fan_in* is the number of inputs that one output sees, *fan_out* the number of outputs that one
input reaches: weights have shapes ``(out, in)`` and ``(out, in, height, width)``. Random numbers
come from ``generator``, or from the default one that ``dg.manual_seed`` starts.

Reference: names, defaults and distributions are those of ``torch.nn.init``.
"""

from __future__ import annotations

import math
import warnings

import numpy as np

import demograd as dg
from demograd import Generator, Tensor, no_grad
from demograd.errors import ArgumentError, ArgumentTypeError, DtypeError, ShapeError

__all__ = [
    "calculate_gain", "constant_", "eye_", "kaiming_normal_", "kaiming_uniform_", "normal_",
    "ones_", "orthogonal_", "trunc_normal_", "uniform_", "xavier_normal_", "xavier_uniform_",
    "zeros_",
]  # fmt: skip

_GAINS = {
    **dict.fromkeys(["linear", "conv1d", "conv2d", "conv3d", "identity", "sigmoid"], 1.0),
    "tanh": 5.0 / 3.0,
    "relu": math.sqrt(2.0),
    "selu": 0.75,
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor by which a weight's deviation makes up for the nonlinearity that follows.

    =====================  ==============================
    nonlinearity           gain
    =====================  ==============================
    linear, conv, sigmoid  1
    tanh                   5 / 3
    relu                   sqrt(2)
    leaky_relu             sqrt(2 / (1 + slope**2))
    selu                   3 / 4
    =====================  ==============================

    Args:
        nonlinearity: its name in ``nn.functional``.
        param: the negative slope of leaky_relu, 0.01 by default.

    Raises:
        ArgumentError: there is no such nonlinearity here.

    >>> calculate_gain("leaky_relu", 1.0)
    1.0
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ArgumentTypeError(
                f"calculate_gain: the negative slope is a number, not {type(slope).__name__}."
            )
        return math.sqrt(2.0 / (1.0 + slope**2))
    if nonlinearity not in _GAINS:
        raise ArgumentError(
            f"calculate_gain: no gain is known for {nonlinearity!r}.",
            mend="Use one of: " + ", ".join(["leaky_relu", *_GAINS]) + ".",
        )
    return _GAINS[nonlinearity]


def uniform_(
    tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Fill with uniform random numbers from ``a`` to ``b``.

    Raises:
        ArgumentError: ``b`` is less than ``a``.
        DtypeError: the tensor is not of floats.

    >>> import demograd as dg
    >>> w = uniform_(dg.empty(100), -1.0, 1.0)
    >>> bool((abs(w.data) <= 1.0).all())
    True
    """
    _check_floats("uniform_", tensor)
    if b < a:
        raise ArgumentError("uniform_: the bounds are in the wrong order.", [f"a: {a}", f"b: {b}"])
    with no_grad():
        drawn = dg.rand(tensor.shape, generator=generator, dtype=tensor.dtype, device="cpu")
        return tensor.copy_(drawn * (b - a) + a)


def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Fill with normal random numbers.

    Raises:
        ArgumentError: the deviation is negative.
        DtypeError: the tensor is not of floats.
    """
    _check_floats("normal_", tensor)
    if std < 0:
        raise ArgumentError(f"normal_: the standard deviation is {std}.", mend="Use std >= 0.")
    with no_grad():
        drawn = dg.randn(tensor.shape, generator=generator, dtype=tensor.dtype, device="cpu")
        return tensor.copy_(drawn * std + mean)


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Fill with normal random numbers; what falls outside ``[a, b]`` is drawn again.

    Args:
        tensor: what to fill.
        mean, std: of the normal distribution before it is cut.
        a, b: the bounds, as values (not as multiples of ``std``).
        generator: where the numbers come from.

    Raises:
        ArgumentError: the bounds are in the wrong order, or the deviation is not positive.
        DtypeError: the tensor is not of floats.

    >>> import demograd as dg
    >>> w = trunc_normal_(dg.empty(1000))
    >>> bool((abs(w.data) <= 2.0).all())
    True
    """
    _check_floats("trunc_normal_", tensor)
    if not a < b or std <= 0:
        raise ArgumentError(
            "trunc_normal_: there is no such distribution.",
            [f"std: {std}", f"a: {a}", f"b: {b}"],
            "Use std > 0 and a < b.",
        )
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "trunc_normal_: the mean is more than two deviations outside [a, b], so nearly all "
            "that is drawn is drawn again.",
            stacklevel=2,
        )
    draw = generator or dg.default_generator
    values = np.empty(tensor.numel(), dtype=np.float64)
    todo = np.arange(values.size)
    # Far in a tail the normal density hardly ever falls between the bounds: draw uniformly there,
    # and keep a value with the probability that its density has.
    share = _below((b - mean) / std) - _below((a - mean) / std)
    peak = (min(max(mean, a), b) - mean) / std
    while todo.size:
        if share > 0.3:
            drawn = dg.randn(todo.size, generator=draw, dtype=dg.float64, device="cpu").data
            drawn = drawn * std + mean
            kept = (drawn >= a) & (drawn <= b)
        else:
            drawn = dg.rand(todo.size, generator=draw, dtype=dg.float64, device="cpu").data
            drawn = drawn * (b - a) + a
            height = np.exp(0.5 * (peak**2 - ((drawn - mean) / std) ** 2))
            kept = dg.rand(todo.size, generator=draw, dtype=dg.float64, device="cpu").data <= height
        values[todo[kept]] = drawn[kept]
        todo = todo[~kept]
    with no_grad():
        return tensor.copy_(Tensor(values.reshape(tensor.shape)))


def _below(x: float) -> float:
    """The normal distribution function."""
    return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one value.

    >>> import demograd as dg
    >>> constant_(dg.empty(2), 0.5)
    tensor([0.5000, 0.5000])
    """
    with no_grad():
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with ones."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with zeros."""
    return constant_(tensor, 0.0)


def eye_(tensor: Tensor) -> Tensor:
    """Fill a matrix with ones on the diagonal and zeros elsewhere.

    Raises:
        ShapeError: the tensor is no matrix.
    """
    if tensor.ndim != 2:
        raise ShapeError("eye_: only a matrix has a diagonal.", [f"tensor: shape {tensor.shape}"])
    with no_grad():
        return tensor.copy_(dg.eye(*tensor.shape, device="cpu"))


def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Fill uniformly within ``±gain sqrt(6 / (fan_in + fan_out))``.

    Raises:
        ShapeError: fewer than two dimensions.

    Reference: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", AISTATS 2010.
    """
    fan_in, fan_out = _fans("xavier_uniform_", tensor)
    bound = gain * math.sqrt(6.0 / (fan_in + fan_out)) if fan_in + fan_out else 0.0
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill normally with deviation ``gain sqrt(2 / (fan_in + fan_out))``.

    Raises:
        ShapeError: fewer than two dimensions.

    Reference: as :func:`xavier_uniform_`.
    """
    fan_in, fan_out = _fans("xavier_normal_", tensor)
    std = gain * math.sqrt(2.0 / (fan_in + fan_out)) if fan_in + fan_out else 0.0
    return normal_(tensor, 0.0, std, generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Fill uniformly within ``±gain sqrt(3 / fan)``.

    Args:
        tensor: a weight.
        a: the negative slope of the leaky_relu that follows.
        mode: ``"fan_in"`` keeps the size of values in the forward pass, ``"fan_out"`` that of
            gradients in the backward pass.
        nonlinearity: what follows; see :func:`calculate_gain`.
        generator: where the numbers come from.

    Raises:
        ShapeError: fewer than two dimensions.
        ArgumentError: there is no such mode or nonlinearity.

    Reference: He et al., "Delving deep into rectifiers", ICCV 2015.
    """
    bound = math.sqrt(3.0) * _kaiming("kaiming_uniform_", tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Fill normally with deviation ``gain / sqrt(fan)``; arguments as :func:`kaiming_uniform_`."""
    std = _kaiming("kaiming_normal_", tensor, a, mode, nonlinearity)
    return normal_(tensor, 0.0, std, generator)


def _kaiming(operation: str, tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    """The deviation ``gain / sqrt(fan)``."""
    if mode not in ("fan_in", "fan_out"):
        raise ArgumentError(f"{operation}: mode is {mode!r}.", mend='Use "fan_in" or "fan_out".')
    fan = _fans(operation, tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan) if fan else 0.0


def orthogonal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with a random orthogonal matrix times ``gain``; dimensions after the first are joined.

    Rows are orthonormal where there are at most as many as columns, columns otherwise.

    Raises:
        ShapeError: fewer than two dimensions.
        DtypeError: the tensor is not of floats.

    Reference: Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear
    neural networks", ICLR 2014.

    >>> import demograd as dg
    >>> w = orthogonal_(dg.empty(3, 5))
    >>> bool(abs((w @ w.T - dg.eye(3)).data).max() < 1e-5)
    True
    """
    _check_floats("orthogonal_", tensor)
    _fans("orthogonal_", tensor)
    if not tensor.numel():
        return tensor
    rows = tensor.shape[0]
    columns = tensor.numel() // rows
    tall = (max(rows, columns), min(rows, columns))
    q, r = np.linalg.qr(dg.randn(tall, generator=generator, dtype=dg.float64, device="cpu").data)
    # With the signs of the diagonal of R taken into Q, Q is uniform over orthogonal matrices:
    # Mezzadri, "How to generate random matrices from the classical compact groups", 2007.
    q *= np.sign(np.diag(r))
    q = q if rows >= columns else q.T
    with no_grad():
        return tensor.copy_(Tensor(gain * q.reshape(tensor.shape)))


def _fans(operation: str, tensor: Tensor) -> tuple[int, int]:
    """Inputs that an output sees, and outputs that an input reaches."""
    if tensor.ndim < 2:
        raise ShapeError(
            f"{operation}: a tensor with fewer than two dimensions has no fan in and fan out.",
            [f"tensor: shape {tensor.shape}"],
            "nn.init.uniform_ and nn.init.normal_ fill any shape.",
        )
    places = math.prod(tensor.shape[2:])
    return tensor.shape[1] * places, tensor.shape[0] * places


def _check_floats(operation: str, tensor: Tensor) -> None:
    if tensor.dtype.kind != "f":
        raise DtypeError(
            f"{operation}: random numbers fill floats.",
            [f"tensor: shape {tensor.shape}, dtype {tensor.dtype}"],
        )
