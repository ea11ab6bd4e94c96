"""Every rule of this package on the arrays of another library.

``USES`` names a use of every rule; the tests that assemble all packages check that none is missing,
and run the table on JAX and CuPy as well.
"""

from typing import Any

import numpy as np
import pytest

from demograd import Tensor, activations, linalg, ops
from demograd.testing import check_array_library

A = np.random.default_rng(0).uniform(0.2, 0.9, (2, 3))
B = np.random.default_rng(1).uniform(0.2, 0.9, (2, 3))
SIGNED = np.random.default_rng(2).uniform(-2.0, 2.0, (2, 3))
S = np.random.default_rng(3).uniform(-1.0, 1.0, (3, 3))
POSITIVE = S @ S.T + 3 * np.eye(3)
IMAGES = np.random.default_rng(4).uniform(-1.0, 1.0, (2, 2, 5, 6))
KERNELS = np.random.default_rng(5).uniform(-1.0, 1.0, (4, 2, 3, 2))
PLACES = np.array([[2, 0, 1], [1, 1, 0]])

USES: dict[str, tuple[Any, ...]] = {
    **{
        name: (getattr(ops, name), A)
        for name in (
            "acos asin atan asinh atanh cos cosh erf exp exp2 expm1 log log10 log1p log2 "
            "reciprocal rsqrt sigmoid sin sinh sqrt square tan tanh"
        ).split()
    },
    **{name: (getattr(ops, name), SIGNED) for name in ("abs", "ceil", "floor", "round", "sign")},
    "trunc": (ops.trunc, SIGNED),
    "relu": (ops.relu, SIGNED),
    "acosh": (lambda x: ops.acosh(x + 1.5), A),
    "elu": (activations.elu, SIGNED),
    "gelu": (activations.gelu, SIGNED),
    "gelu by tanh": (lambda x: activations.gelu(x, approximate="tanh"), SIGNED),
    "leaky_relu": (activations.leaky_relu, SIGNED),
    "silu": (activations.silu, SIGNED),
    "softplus": (activations.softplus, SIGNED),
    "atan2": (ops.atan2, A, SIGNED),
    "copysign": (ops.copysign, A, SIGNED),
    "hypot": (ops.hypot, A, SIGNED),
    "logaddexp": (ops.logaddexp, A, SIGNED),
    "maximum": (ops.maximum, A, B),
    "minimum": (ops.minimum, A, B),
    "clamp": (lambda x: ops.clamp(x, -0.5, 0.5), SIGNED),
    "clamp by tensors": (lambda x, y: ops.clamp(x, min=y), SIGNED, A),
    "amax": (lambda x: ops.amax(x, 1), A),
    "amin": (lambda x: ops.amin(x, 0), A),
    "max": (lambda x: ops.max(x, 1), A),
    "min": (lambda x: ops.min(x, 1), A),
    "argmax": (lambda x: ops.argmax(x, 1), A),
    "argmin": (lambda x: ops.argmin(x), A),
    "argsort": (lambda x: ops.argsort(x, 1), A),
    "sort": (lambda x: ops.sort(x, 1)[0], A),
    "topk": (lambda x: ops.topk(x, 2)[0], A),
    "prod": (lambda x: ops.prod(x, 1), A),
    "cumsum": (lambda x: ops.cumsum(x, 1), A),
    "cumprod": (lambda x: ops.cumprod(x, 1), A),
    "var": (lambda x: ops.var(x, 1), A),
    "std": (lambda x: ops.std(x), A),
    "norm": (ops.norm, A),
    "norm of order 3": (lambda x: ops.norm(x, 3, 1), A),
    "softmax": (lambda x: ops.softmax(x, 1), A),
    "log_softmax": (lambda x: ops.log_softmax(x, 1), A),
    "logsumexp": (lambda x: ops.logsumexp(x, 1), A),
    "einsum": (lambda x, y: ops.einsum("ij,kj->ik", x, y), A, B),
    "dot": (lambda x, y: ops.dot(x[0], y[1]), A, B),
    "outer": (lambda x, y: ops.outer(x[0], y[1]), A, B),
    "cat": (lambda x, y: ops.cat([x, y], 1), A, B),
    "stack": (lambda x, y: ops.stack([x, y], 1), A, B),
    "split": (lambda x: ops.split(x, 2, 1), A),
    "chunk": (lambda x: ops.chunk(x, 2, 1), A),
    "unbind": (lambda x: ops.unbind(x, 1), A),
    "flip": (lambda x: ops.flip(x, (0, 1)), A),
    "roll": (lambda x: ops.roll(x, 1, 1), A),
    "repeat": (lambda x: ops.repeat(x, (2, 2)), A),
    "repeat_interleave": (lambda x: ops.repeat_interleave(x, 2, 1), A),
    "squeeze and unsqueeze": (lambda x: ops.squeeze(ops.unsqueeze(x, 1), 1), A),
    "pad": (lambda x: ops.pad(x, (1, 2)), A),
    "pad by reflection": (lambda x: ops.pad(x, (1, 1), mode="reflect"), A),
    "gather": (lambda x, i: ops.gather(x, 1, i), A, PLACES),
    "index_select": (lambda x, i: ops.index_select(x, 1, i[0]), A, PLACES),
    "take_along_dim": (lambda x, i: ops.take_along_dim(x, i, 1), A, PLACES),
    "scatter": (lambda x, i, y: ops.scatter(x, 1, i[:, :2], y[:, :2]), A, PLACES, B),
    "scatter_add": (lambda x, i, y: ops.scatter_add(x, 1, i, y), A, PLACES, B),
    "masked_fill": (lambda x, m: ops.masked_fill(x, m, 0.5), A, A > 0.5),
    "diag of a vector": (lambda x: ops.diag(x[0]), A),
    "diagonal": (ops.diagonal, S),
    "tril": (ops.tril, S),
    "triu": (ops.triu, S),
    "conv2d": (lambda x, w: ops.conv2d(x, w, stride=(1, 2), padding=1), IMAGES, KERNELS),
    "conv2d in groups": (
        lambda x, w: ops.conv2d(x, w[:, :1], groups=2, dilation=2),
        IMAGES,
        KERNELS[..., :2, :],
    ),
    "max_pool2d": (lambda x: ops.max_pool2d(x, 2), IMAGES),
    "max_pool2d of windows that overlap": (lambda x: ops.max_pool2d(x, 3, 1, 1), IMAGES),
    "avg_pool2d": (lambda x: ops.avg_pool2d(x, 2), IMAGES),
    "avg_pool2d of windows that overlap": (
        lambda x: ops.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
        IMAGES,
    ),
    "np.cbrt": (np.cbrt, SIGNED),
    "np.fmod": (np.fmod, SIGNED, A),
    "linalg.cholesky": (lambda x: linalg.cholesky((x + x.mT) / 2), POSITIVE),
    "linalg.det": (linalg.det, POSITIVE),
    "linalg.inv": (linalg.inv, POSITIVE),
    "linalg.slogdet": (lambda x: linalg.slogdet(x)[1], POSITIVE),
    "linalg.solve": (linalg.solve, POSITIVE, S),
}


@pytest.mark.parametrize("name", USES)
def test_the_rule_runs_on_another_array_library(name: str) -> None:
    library = pytest.importorskip("array_api_strict", reason="array-api-strict is not installed")
    function, *arrays = USES[name]
    check_array_library(function, *map(Tensor, arrays), device=library, order=3)
