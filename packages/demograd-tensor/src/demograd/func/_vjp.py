"""Products of a Jacobian with vectors: from the left, from the right, and of a Hessian.

A product from the right, ``jvp``, is taken from the one from the left, ``vjp``. That one is linear
in its vector u: ``u -> u J``. Differentiated by u, along v, it gives ``J v``. So one derivative
rule for each operation is enough, in whatever direction.

Reference: Townsend, "A new trick for calculating Jacobian vector products", 2017.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from demograd._creation import zeros_like
from demograd._dtype import is_floating
from demograd._tensor import Tensor
from demograd.autograd import _engine
from demograd.autograd._mode import enable_grad, is_grad_enabled
from demograd.errors import ArgumentError, ArgumentTypeError, DtypeError, ShapeError
from demograd.func._grad import _check_scalar, _parted
from demograd.func._tree import flatten, leaves_of, unflatten
from demograd.func._variables import Variables, as_results, mark_done

__all__ = ["Linear", "hvp", "jvp", "vjp"]


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """The result of ``func(*primals)``, and the function ``u -> u J`` of its Jacobian there.

    Args:
        func: takes Tensors, or nested lists, tuples and dicts of them, and returns such.
        primals: the arguments, by all of which it is differentiated.
        has_aux: ``func`` returns a pair (result, other things).

    Returns:
        ``(result, vjp_fn)``, or ``(result, vjp_fn, other things)``. ``vjp_fn`` takes what the
        result is built like, and returns a tuple with a gradient for each of the primals. It may
        be called again, and mapped: ``vmap(vjp_fn)`` does so for many vectors at once.

    Raises:
        ArgumentTypeError: a primal or the result holds something else than Tensors.
        DtypeError: a primal is not of floats.
        ShapeError: ``vjp_fn`` is given another shape than the result's.

    Reference: ``torch.func.vjp``.

    >>> result, vjp_fn = vjp(lambda x, y: x * y, Tensor([1.0, 2.0]), Tensor([3.0, 4.0]))
    >>> result
    tensor([3., 8.])
    >>> vjp_fn(Tensor([1.0, 10.0]))
    (tensor([ 3., 40.]), tensor([ 1., 20.]))
    """
    linear = Linear("vjp", func, primals, has_aux)
    outside = linear.given_back(linear.result)
    if has_aux:
        return outside, linear.pull_back, linear.given_back(linear.aux)
    return outside, linear.pull_back


class Linear:
    """A function near one point: its result there, and products with its Jacobian.

    Args:
        operation: the transform, for messages.
        func, primals, has_aux: as of :func:`vjp`.

    Attributes:
        result: what the function returned.
        aux: the other things that it returned.
        outputs: the Tensors of the result.
        variables: what it is differentiated by.
    """

    def __init__(
        self, operation: str, func: Callable[..., Any], primals: tuple[Any, ...], has_aux: bool
    ) -> None:
        self.operation = operation
        self.variables = Variables(operation, primals)
        with enable_grad():
            returned = func(*self.variables.trees)
        self.variables.check_unchanged()
        self.variables.done()
        self.result: Any
        self.aux: Any
        self.result, self.aux = _parted(operation, returned) if has_aux else (returned, None)
        self.outputs = as_results(operation, self.result)
        self._reaches_outside = self.variables.reach_outside(self.outputs)
        self.given_back = self.variables.given_back

    def _recorded(self, vectors: Sequence[Tensor | None]) -> bool:
        """Whether a product has a history: that of the function's, or of the vectors'."""
        return is_grad_enabled() and (
            self._reaches_outside
            or self.variables.reach_outside([u for u in vectors if u is not None])
        )

    def pull_back(self, vector: Any) -> tuple[Any, ...]:
        """``u J`` for a vector built like the result: a gradient for each primal."""
        vectors = _fitting(self.operation, "vector", vector, "result", self.outputs)
        gradients = self.left_product(vectors, self._recorded(vectors))
        return tuple(self.given_back(unflatten(self.variables.trees, gradients)))

    def rows(self, vectors: Sequence[Tensor | None]) -> list[Any]:
        """``u J`` for a vector for each output, as :meth:`pull_back` but flat and unchecked."""
        return self.left_product(vectors, self._recorded(vectors))

    def left_product(self, vectors: Sequence[Tensor | None], recorded: bool) -> list[Any]:
        """``u J`` for a vector for each output: a gradient for each variable."""
        pairs = [
            (x, u)
            for x, u in zip(self.outputs, vectors, strict=True)
            if x.requires_grad and u is not None
        ]
        if not pairs:
            return [zeros_like(x) for x in self.variables.leaves]
        outputs, given = zip(*pairs, strict=True)
        return list(
            _engine.grad(
                outputs,
                self.variables.leaves,
                given,
                retain_graph=True,
                create_graph=recorded,
                materialize_grads=True,
            )
        )

    def transposed(self) -> Transposed:
        """The function ``v -> J v``, for any number of vectors."""
        return Transposed(self)


class Transposed:
    """``v -> J v`` of a :class:`Linear`: its ``u -> u J``, recorded once, differentiated by u."""

    def __init__(self, linear: Linear) -> None:
        self._linear = linear
        with enable_grad():
            self._u = [
                mark_done(zeros_like(x.detach()).requires_grad_()) if x.requires_grad else None
                for x in linear.outputs
            ]
            self._products = linear.left_product(self._u, True)

    def push_forward(self, tangents: Sequence[Tensor | None]) -> list[Tensor]:
        """``J v`` for a tangent for each variable: one for each output."""
        linear = self._linear
        wanted = [u for u in self._u if u is not None]
        pairs = [
            (p, v)
            for p, v in zip(self._products, tangents, strict=True)
            if p.requires_grad and v is not None
        ]
        if not wanted or not pairs:
            return [zeros_like(x) for x in linear.outputs]
        products, given = zip(*pairs, strict=True)
        found: Any = iter(
            _engine.grad(
                products,
                wanted,
                given,
                retain_graph=True,
                create_graph=linear._recorded(tangents),
                materialize_grads=True,
            )
        )
        return [
            zeros_like(x) if u is None else next(found)
            for x, u in zip(linear.outputs, self._u, strict=True)
        ]


def jvp(
    func: Callable[..., Any], primals: tuple[Any, ...], tangents: tuple[Any, ...], *,
    has_aux: bool = False,
) -> Any:  # fmt: skip
    """The result of ``func(*primals)``, and ``J v``: its derivative in the direction of tangents.

    Args:
        func: takes Tensors, or nested lists, tuples and dicts of them, and returns such.
        primals: the arguments, a tuple.
        tangents: built like the primals: by how much each changes.
        has_aux: ``func`` returns a pair (result, other things).

    Returns:
        ``(result, derivative)``, or ``(result, derivative, other things)``.

    Raises:
        ArgumentTypeError: primals or tangents are no tuple, or hold something else than Tensors.
        ShapeError: a tangent has another shape than its primal.
        DtypeError: a primal is not of floats, or a tangent of another type than its primal.

    Reference: ``torch.func.jvp``; Townsend, "A new trick for calculating Jacobian vector products",
    2017.

    >>> jvp(lambda x: x**3, (Tensor(2.0),), (Tensor(1.0),))
    (tensor(8.), tensor(12.))
    """
    _check_tuples("jvp", primals, tangents)
    linear = Linear("jvp", func, primals, has_aux)
    vectors = _tangents("jvp", primals, tangents)
    derivative = linear.transposed().push_forward(vectors)
    found = unflatten(linear.result, [linear.given_back(d) for d in derivative])
    outside, aux = linear.given_back((linear.result, linear.aux))
    linear.variables.retire()
    return (outside, found, aux) if has_aux else (outside, found)


def hvp(func: Callable[..., Any], inputs: Any, v: Any) -> tuple[Tensor, Any]:
    """The result of ``func``, and ``H v``: its Hessian times a vector, without the Hessian.

    It is the gradient of ``<gradient, v>``: as much work as a few gradients, for any number of
    inputs.

    Args:
        func: takes the inputs and returns a Tensor without dimensions.
        inputs: a Tensor, or a tuple of arguments.
        v: built like the inputs.

    Returns:
        ``(result, H v)``, the second built like the inputs.

    Raises:
        GradientError, ArgumentTypeError, DtypeError: as :func:`grad`.
        ShapeError: a vector has another shape than its input.

    Reference: ``torch.autograd.functional.hvp``; Pearlmutter, "Fast exact multiplication by the
    Hessian", Neural Computation 1994.

    >>> hvp(lambda x: (x**3).sum(), Tensor([1.0, 2.0]), Tensor([1.0, 1.0]))
    (tensor(9.), tensor([ 6., 12.]))
    """
    several = isinstance(inputs, tuple)
    primals, vectors = (inputs, v) if several else ((inputs,), (v,))
    _check_tuples("hvp", primals, vectors)
    given = _tangents("hvp", primals, vectors)
    linear = Linear("hvp", func, primals, False)
    _check_scalar("hvp", linear.result)
    with enable_grad():
        one = zeros_like(linear.result.detach()) + 1
        gradients = linear.left_product([one], True)
    pairs = [(g, u) for g, u in zip(gradients, given, strict=True) if g.requires_grad]
    if pairs:
        outputs, seeds = zip(*pairs, strict=True)
        products = list(
            _engine.grad(
                outputs,
                linear.variables.leaves,
                seeds,
                create_graph=linear._recorded(given),
                materialize_grads=True,
            )
        )
    else:
        products = [zeros_like(x) for x in linear.variables.leaves]
    found = tuple(linear.given_back(unflatten(linear.variables.trees, products)))
    result = linear.given_back(linear.result)
    linear.variables.retire()
    return result, found if several else found[0]


def _check_tuples(operation: str, primals: Any, tangents: Any) -> None:
    for name, given in (("primals", primals), ("tangents", tangents)):
        if not isinstance(given, (tuple, list)):
            raise ArgumentTypeError(
                f"{operation}: {name} are given as a tuple, not as {type(given).__name__}.",
                mend=f"{operation}(func, (x,), (v,))",
            )


def _tangents(operation: str, primals: Any, tangents: Any) -> list[Tensor]:
    return _fitting(operation, "tangent", tuple(tangents), "primal", leaves_of(tuple(primals)))


def _fitting(
    operation: str, name: str, tree: Any, other: str, tensors: Sequence[Tensor]
) -> list[Tensor]:
    """The Tensors of ``tree``, once they are as many and of such shapes as others."""
    leaves, _ = flatten(tree)
    if len(leaves) != len(tensors):
        raise ArgumentError(
            f"{operation}: there are {len(leaves)} {name}s for {len(tensors)} {other}s.",
            mend=f"Give a {name} for each {other}, nested alike.",
        )
    for number, (x, y) in enumerate(zip(leaves, tensors, strict=True)):
        if not isinstance(x, Tensor):
            raise ArgumentTypeError(
                f"{operation}: {name} {number} is of type {type(x).__name__}, not a Tensor."
            )
        if not isinstance(y, Tensor):
            raise ArgumentTypeError(
                f"{operation}: {other} {number} is of type {type(y).__name__}, not a Tensor."
            )
        if x.shape != y.shape:
            raise ShapeError(
                f"{operation}: a {name} has another shape than its {other}.",
                [f"{other} {number}: shape {y.shape}", f"{name} {number}: shape {x.shape}"],
            )
        if not is_floating(x.dtype):
            raise DtypeError(
                f"{operation}: a {name} is of floats.",
                [f"{name} {number}: dtype {x.dtype}"],
                "x.float() makes floats of it.",
            )
    return leaves
