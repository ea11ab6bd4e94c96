"""Linear algebra: linear systems, inverses, determinants, Cholesky's factor and norms.

All take stacks of matrices, ``(..., n, n)``, and can be differentiated any number of times. Names
and arguments are those of ``torch.linalg``; ``np.linalg.solve(x, y)`` and its kin come here too.

>>> from demograd import Tensor
>>> solve(Tensor([[2.0, 0.0], [0.0, 4.0]]), Tensor([2.0, 2.0]))
tensor([1.0000, 0.5000])
"""

from demograd.linalg._cholesky import Cholesky, cholesky
from demograd.linalg._determinant import Det, SlogDet, SlogDetResult, det, slogdet
from demograd.linalg._errors import LinAlgError
from demograd.linalg._inverse import Inv, inv
from demograd.linalg._norm import norm
from demograd.linalg._solve import Solve, solve

__all__ = [
    "Cholesky", "Det", "Inv", "LinAlgError", "SlogDet", "SlogDetResult", "Solve",
    "cholesky", "det", "inv", "norm", "slogdet", "solve",
]  # fmt: skip
