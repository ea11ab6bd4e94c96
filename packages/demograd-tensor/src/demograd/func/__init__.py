"""Transforms of functions: derivatives of functions, and functions of many samples at once.

Each takes a function and gives a function, so they compose: ``vmap(grad(f))`` is the gradient for
each sample, ``grad(grad(f))`` the second derivative. Arguments and results are Tensors, or nested
lists, tuples and dicts of them. Names, arguments and results are those of ``torch.func``.

>>> import demograd as dg
>>> per_sample = dg.func.vmap(dg.func.grad(lambda w, x: (w * x).sum() ** 2), in_dims=(None, 0))
>>> per_sample(dg.tensor([1.0, 2.0]), dg.tensor([[1.0, 0.0], [0.0, 1.0]]))
tensor([[2., 0.],
        [0., 4.]])
"""

from demograd.func._functional_call import functional_call
from demograd.func._grad import grad, grad_and_value, value_and_grad
from demograd.func._jacobian import hessian, jacfwd, jacrev
from demograd.func._vjp import hvp, jvp, vjp
from demograd.func._vmap import vmap

__all__ = [
    "functional_call",
    "grad",
    "grad_and_value",
    "hessian",
    "hvp",
    "jacfwd",
    "jacrev",
    "jvp",
    "value_and_grad",
    "vjp",
    "vmap",
]
