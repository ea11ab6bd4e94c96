"""What a transform differentiates by: tensors of its own, and what is given back of them.

Each transform puts tensors of its own in the place of those that it is given. Where the given one
is part of a graph, the new one is a node of that graph, with the same values; else it is a leaf.
Derivatives are taken by the new ones. So each transform knows its own variables from those of the
transforms around it, and the derivative by one never picks up what belongs to another.

Reference: Siskind and Pearlmutter, "Perturbation confusion and referential transparency", 2005.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from demograd._dtype import is_floating
from demograd._levels import innermost
from demograd._tensor import Tensor
from demograd.autograd._function import Function
from demograd.autograd._mode import enable_grad, is_grad_enabled
from demograd.errors import ArgumentError, ArgumentTypeError, DtypeError, GradientError
from demograd.func._applying import lifted, tracked
from demograd.func._tree import leaves_of, map_tree

__all__ = ["Variables", "as_argnums", "as_results", "mark_done", "replaced"]


_DONE = "_done"


class Variable(Function):
    """The same values at a place of their own in the graph."""

    returns_view = True

    def forward(self, x: Any) -> Any:
        return x

    def backward(self, grad: Any) -> Any:
        return grad


class Variables:
    """The variables of one transform.

    Args:
        operation: the transform, for messages.
        trees: the arguments to differentiate by; nested lists, tuples and dicts of Tensors.

    Attributes:
        trees: the same with the variables in their places.
        leaves: the variables.
    """

    def __init__(self, operation: str, trees: Sequence[Any]) -> None:
        self.operation = operation
        self.recording = is_grad_enabled()  # of what is around the transform
        self._own: set[int] = set()
        self.leaves: list[Tensor] = []
        self._nodes: list[Any] = []
        self.trees = [map_tree(self._watched, tree) for tree in trees]

    def _watched(self, x: Any) -> Tensor:
        if not isinstance(x, Tensor):
            raise ArgumentTypeError(
                f"{self.operation}: it differentiates by Tensors, not {type(x).__name__}.",
                mend="dg.tensor(x) makes one; argnums says by which arguments to differentiate.",
            )
        if not is_floating(x.dtype):
            raise DtypeError(
                f"{self.operation}: only floats can be differentiated by.",
                [x._describe()],
                "x.float() makes floats of it; argnums says by which arguments to differentiate.",
            )
        level = innermost()
        if level is not None:
            x = lifted(x, level)
        if self.recording and x.requires_grad:
            with enable_grad():
                variable: Tensor = Variable.apply(x)
        else:
            variable = Tensor.__new__(Tensor)
            variable._data = x._data
            variable._node = None
            variable._requires_grad = True
            self._own.add(id(variable))
        self.leaves.append(variable)
        self._nodes.append(variable._node)
        return variable

    def check_unchanged(self) -> None:
        """Refuse a variable that was changed in place: it is not what was differentiated by."""
        for variable, node in zip(self.leaves, self._nodes, strict=True):
            if variable._node is not node:
                raise GradientError(
                    f"{self.operation}: an argument was changed in place by the function.",
                    [variable._describe()],
                    "Change a copy (x = x.clone()), or make a new tensor (x = x + y).",
                )

    def reach_outside(self, tensors: Iterable[Tensor]) -> bool:
        """Whether tensors were computed from anything with a history but these variables.

        The variables of transforms around this one are outside; those of transforms that are done,
        of whose results the tensors may be made, are nowhere.
        """
        if not self.recording:
            return False
        nodes: list[Any] = []
        for x in tensors:
            if tracked(x._data):
                return True
            if x.requires_grad:
                if x._node is not None:
                    nodes.append(x._node)
                elif self._is_outside(x):
                    return True
        seen = set(nodes)
        # The list grows while it is walked.
        for node in nodes:
            for edge in node._edges:
                if edge is None:
                    continue
                if isinstance(edge, Tensor):
                    if self._is_outside(edge):
                        return True
                elif edge not in seen:
                    seen.add(edge)
                    nodes.append(edge)
        return False

    def _is_outside(self, leaf: Tensor) -> bool:
        return id(leaf) not in self._own and leaf._requires_grad and _DONE not in leaf.__dict__

    def given_back(self, tree: Any) -> Any:
        """Results as they are outside: without the history that ends at these variables."""

        def back(x: Any) -> Any:
            if not isinstance(x, Tensor) or (self.recording and not x.requires_grad):
                return x
            return x if self.reach_outside([x]) else x.detach()

        return map_tree(back, tree)

    def done(self) -> None:
        """The function has run: from here on, nobody else differentiates by the variables."""
        for variable in self.leaves:
            if id(variable) in self._own:
                mark_done(variable)

    def retire(self) -> None:
        """Let no later pass leave a gradient at the variables."""
        for variable in self.leaves:
            if id(variable) in self._own:
                variable._requires_grad = False


def mark_done(leaf: Tensor) -> Tensor:
    """Say of a transform's own leaf that no transform around it differentiates by it."""
    leaf.__dict__[_DONE] = True
    return leaf


def as_argnums(operation: str, argnums: Any, number: int) -> tuple[int, ...]:
    """Which positional arguments to differentiate by, counted from the front.

    Raises:
        ArgumentTypeError: they are not integers.
        ArgumentError: there is no such argument, or one is named twice.
    """
    named = argnums if isinstance(argnums, tuple) else (argnums,)
    if not named or any(not isinstance(i, int) for i in named):
        raise ArgumentTypeError(
            f"{operation}: argnums is {argnums!r}, not an integer or a tuple of them."
        )
    for i in named:
        if not -number <= i < number:
            raise ArgumentError(
                f"{operation}: argnums is {argnums!r}, for {number} positional arguments.",
                mend="Arguments to differentiate by are given by position.",
            )
    places = tuple([i % number for i in named])
    if len(set(places)) != len(places):
        raise ArgumentError(f"{operation}: argnums {argnums!r} names an argument twice.")
    return places


def replaced(args: tuple[Any, ...], places: tuple[int, ...], new: Sequence[Any]) -> list[Any]:
    """The arguments with others at some places."""
    out = list(args)
    for place, value in zip(places, new, strict=True):
        out[place] = value
    return out


def as_results(operation: str, tree: Any) -> list[Tensor]:
    """The Tensors that a function returned.

    Raises:
        ArgumentTypeError: something else is among them.
    """
    leaves = leaves_of(tree)
    for x in leaves:
        if not isinstance(x, Tensor):
            raise ArgumentTypeError(
                f"{operation}: the function returns {type(x).__name__}, not a Tensor.",
                mend="With has_aux=True, (result, aux) gives back other things as they are.",
            )
    return leaves
