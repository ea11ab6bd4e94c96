"""The error function of single precision, and the normal law's distribution function."""

import math

import numpy as np
import pytest

from demograd._backend import numpy_backend
from demograd._erf import erf_single

X = np.concatenate([
    np.linspace(-8, 8, 20001), np.logspace(-38, 38, 2001), -np.logspace(-38, 38, 2001)
]).astype(np.float32)  # fmt: skip


def test_erf_is_within_five_roundings_of_single_precision_everywhere():
    exact = np.array([math.erf(x) for x in X])
    found = erf_single(X)
    assert found.dtype == np.float32
    known = exact != 0
    assert (abs(found - exact)[known] <= 5 * 2**-24 * abs(exact[known])).all()
    assert (found[~known] == 0).all()


def test_erf_stays_within_one_and_is_odd():
    found = erf_single(X)
    assert (abs(found) <= 1).all()
    np.testing.assert_array_equal(erf_single(-X), -found)
    np.testing.assert_array_equal(
        erf_single(np.float32([0.0, np.inf, -np.inf, np.nan])), np.float32([0.0, 1.0, -1.0, np.nan])
    )


def test_large_arguments_give_no_warning():
    with np.errstate(all="raise", under="ignore"):
        assert erf_single(np.float32([3e38, -3e38])).tolist() == [1.0, -1.0]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", ["erf", "normal_cdf"])
def test_every_type_is_kept_by_arrays_and_scalars(name, dtype):
    pytest.importorskip("scipy", reason="double precision is computed by SciPy")
    x = np.linspace(-3, 3, 7).astype(dtype)
    exact = [math.erf(float(v)) for v in x]
    if name == "normal_cdf":
        exact = [(1 + math.erf(float(v) / math.sqrt(2))) / 2 for v in x]
    function = getattr(numpy_backend, name)
    tolerance = {"float16": 1e-3, "float32": 3e-7, "float64": 1e-15}[dtype]
    found = function(x)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, exact, atol=tolerance)
    assert function(x[5]) == found[5]
    assert function(x[5]).dtype == dtype
