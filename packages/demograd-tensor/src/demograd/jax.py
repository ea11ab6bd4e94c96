"""A whole training step as one program: ``jax.jit`` over code that changes Tensors.

``jax.jit`` compiles pure functions of arrays, and a training step is none: it changes parameters,
buffers and the state of an optimizer. :func:`jit` hands these to the compiled program as arguments,
and puts what it returns in their place.

JAX is imported when a step is compiled, and not before.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from demograd._backend import NUMPY_TYPES, backend_of
from demograd._libraries._backends import chosen
from demograd._random import no_drawing
from demograd._tensor import Tensor
from demograd.autograd._mode import is_grad_enabled
from demograd.errors import ArgumentTypeError, DeviceError, StateError

__all__ = ["jit"]


def jit(step: Callable[..., Any], *holders: Any) -> Callable[..., Any]:
    """``step`` as one compiled program that changes the holders' Tensors as ``step`` does.

    The first call with optimizers runs ``step`` operation by operation, so that their state is
    there; the next one traces and compiles it; from then on the program runs. It is compiled anew
    when shapes or types of the arguments differ, when a module goes from training to evaluation,
    or when another setting of an optimizer than its ``lr`` is changed.

    What ``step`` does besides computing with Tensors is done while it is traced, and not again:
    printing, appending to a list, drawing random numbers (which is refused).

    ::

        model = nn.Linear(784, 10, device="jax")
        optimizer = dg.optim.SGD(model.parameters(), lr=0.1)


        def step(x, y):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            return loss


        fast = dg.jax.jit(step, model, optimizer)

    Args:
        step: a function of Tensors, arrays and settings, alone or in lists, tuples and dicts.
        holders: the models, optimizers and Tensors that it changes or computes with. Others that
            it uses are constants of the program.

    Returns:
        A function that takes Tensors or arrays where ``step`` takes Tensors, and returns what it
        returns, detached.

    Raises:
        MissingPackageError: JAX is not installed.
        DeviceError: a holder's tensors are not JAX's.
        StateError: the step made new state while it was traced.
        ArgumentTypeError: a holder is neither model, optimizer nor Tensor.

    Reference: Frostig, Johnson and Leary, "Compiling machine learning programs via high-level
    tracing", SysML 2018.
    """
    return _Compiled(step, holders)


class _Compiled:
    def __init__(self, step: Callable[..., Any], holders: tuple[Any, ...]) -> None:
        functools.update_wrapper(self, step)
        self._step = step
        self._holders = holders
        self._library, _ = chosen("jax")
        self._first = any(hasattr(holder, "param_groups") for holder in holders)
        self._program: Any = None
        _Places(holders)  # refuses what is no holder, now and not at the first call

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        import jax

        leaves, tree = jax.tree_util.tree_flatten(
            (args, kwargs), is_leaf=lambda leaf: isinstance(leaf, Tensor)
        )
        given = [self._array(leaf) for leaf in leaves]
        if self._first:
            self._first = False
            tensors = [Tensor(x) if hasattr(x, "shape") else x for x in given]
            args, kwargs = jax.tree_util.tree_unflatten(tree, tensors)
            return _map(lambda x: x.detach(), self._step(*args, **kwargs))
        if self._program is None:
            self._program = jax.jit(self._traced, static_argnums=0)
        places = _Places(self._holders)
        settings = tuple([None if hasattr(x, "shape") else x for x in given])
        arrays = [x if hasattr(x, "shape") else None for x in given]
        former = places.read()
        done = False
        try:
            static = _Static(places.settings(), settings, tree, is_grad_enabled())
            new, out = self._program(static, former, places.rates(), arrays)
            done = True
        finally:
            # While it is traced the tensors hold tracers, which are of no use afterwards.
            places.write(new if done else former)
        return _map(lambda x: Tensor(x), out)

    def _traced(
        self, static: _Static, state: list[Any], rates: list[Any], arrays: list[Any]
    ) -> Any:
        import jax

        leaves = [
            setting if array is None else Tensor(array)
            for setting, array in zip(static.leaves, arrays, strict=True)
        ]
        args, kwargs = jax.tree_util.tree_unflatten(static.tree, leaves)
        places = _Places(self._holders)
        places.write(state)
        with places.at_rates(rates), no_drawing("jit"):
            out = self._step(*args, **kwargs)
        after = _Places(self._holders)
        if len(after.state) != len(places.state):
            raise StateError(
                "jit: the step made new state while it was traced.",
                [f"before: {len(places.state)} entries", f"after: {len(after.state)}"],
                "Run the step once before: step(x, y).",
            )
        return after.read(), _map(lambda x: x.data, out)

    def _array(self, leaf: Any) -> Any:
        """An argument as JAX takes it: an array, or a setting as it is."""
        data = leaf.data if isinstance(leaf, Tensor) else leaf
        return self._library.from_numpy(np.asarray(data)) if type(data) in NUMPY_TYPES else data


class _Static:
    """What a program is compiled for: with other settings it is another program."""

    def __init__(self, settings: str, leaves: tuple[Any, ...], tree: Any, recording: bool) -> None:
        self.leaves, self.tree = leaves, tree
        self._key = settings, leaves, tree, recording

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Static) and self._key == other._key


class _Places:
    """Where the holders keep what changes: tensors, their gradients, and an optimizer's state."""

    def __init__(self, holders: tuple[Any, ...]) -> None:
        self._holders = holders
        self._tensors = list(dict.fromkeys(x for holder in holders for x in _tensors(holder)))
        self._groups = [g for holder in holders for g in getattr(holder, "param_groups", ())]
        self.state = [
            (state, name)
            for holder in holders
            for group in getattr(holder, "param_groups", ())
            for x in group["params"]
            for state in [holder.state.get(x, {})]
            for name in sorted(state)
        ]
        for x in self._tensors:
            if backend_of(x._data).name != "jax":
                raise DeviceError(
                    "jit: a tensor of the step is not an array of JAX.",
                    [f"{x._describe()}, on {x.device}"],
                    'model.to("jax"), before the optimizer is made.',
                )

    def read(self) -> list[Any]:
        """The arrays: of the tensors, of their gradients, and of the state."""
        return [
            [x.data for x in self._tensors],
            [None if x.grad is None else x.grad.data for x in self._tensors],
            [_array(place[name]) for place, name in self.state],
        ]

    def write(self, arrays: list[Any]) -> None:
        """Put arrays there."""
        values, gradients, state = arrays
        for x, value, gradient in zip(self._tensors, values, gradients, strict=True):
            x.grad = None
            x.data = value
            x.grad = None if gradient is None else Tensor(gradient)
        for (place, name), value in zip(self.state, state, strict=True):
            # A number, such as that of the step, is an array without dimensions from now on.
            place[name] = Tensor(value) if isinstance(place[name], Tensor) else value

    def rates(self) -> list[Any]:
        """The learning rate of each group."""
        return [_array(group["lr"]) for group in self._groups]

    @contextmanager
    def at_rates(self, rates: list[Any]) -> Iterator[None]:
        """With other learning rates, for a time."""
        former = [group["lr"] for group in self._groups]
        given = [Tensor(rate) for rate in rates]
        for group, rate in zip(self._groups, given, strict=True):
            group["lr"] = rate
        try:
            yield
            if any(
                group["lr"] is not rate or rate.data is not array
                for group, rate, array in zip(self._groups, given, rates, strict=True)
            ):
                raise StateError(
                    "jit: the step sets a learning rate, which would be done once, and not again.",
                    mend="scheduler.step() after the compiled step, not within.",
                )
        finally:
            for group, rate in zip(self._groups, former, strict=True):
                group["lr"] = rate

    def settings(self) -> str:
        """All that is no array and yet decides what the step computes."""
        found = [str([x.requires_grad for x in self._tensors])]
        for holder in self._holders:
            if hasattr(holder, "modules"):
                found.append(str([module.training for module in holder.modules()]))
        for group in self._groups:
            found.append(repr({k: v for k, v in group.items() if k not in ("params", "lr")}))
        return "\n".join(found)


def _array(value: Any) -> Any:
    return value.data if isinstance(value, Tensor) else value


def _tensors(holder: Any) -> Iterator[Tensor]:
    """The tensors of a model, an optimizer, or a Tensor."""
    if isinstance(holder, Tensor):
        yield holder
    elif hasattr(holder, "param_groups"):
        for group in holder.param_groups:
            yield from group["params"]
    elif hasattr(holder, "parameters"):
        yield from holder.parameters()
        yield from getattr(holder, "buffers", tuple)()
    else:
        raise ArgumentTypeError(
            f"jit: {type(holder).__name__} is neither a model, an optimizer nor a Tensor.",
            mend="fast = dg.jax.jit(step, model, optimizer)",
        )


def _map(change: Callable[[Tensor], Any], tree: Any) -> Any:
    """A nest of lists, tuples and dicts with each Tensor, or array, changed."""
    import jax

    return jax.tree_util.tree_map(
        lambda leaf: change(leaf) if hasattr(leaf, "shape") else leaf,
        tree,
        is_leaf=lambda leaf: isinstance(leaf, Tensor),
    )
