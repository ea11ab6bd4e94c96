"""``Function``: a differentiable operator, whose instances are the nodes of the graph.

An operator is a class with two rules, ``forward`` and ``backward``, written against an array
namespace ``self.xp``. Calling ``apply`` makes an instance, runs ``forward`` on the raw arrays of
the inputs, and, if a gradient can be asked for later, keeps the instance as the node from which
the engine (``_engine.py``) runs ``backward``.

Where an input came from is an *edge*: the node that computed it, or the Tensor itself if it is a
leaf. A node knows its edges and never its own output Tensors, so tensors and nodes form no
cycles, and memory is freed without the garbage collector.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np

from demograd._backend import FLOAT_SCALARS, NUMPY_TYPES, backend_of, is_array, numpy_backend
from demograd._dtype import DIFFERENTIABLE, native
from demograd._storage import owner
from demograd._tensor import Tensor
from demograd.autograd._clock import tick
from demograd.autograd._inference import apart
from demograd.autograd._mode import everywhere, grad_mode
from demograd.autograd._rebinding import note
from demograd.autograd._views import note_view, refresh
from demograd.autograd._watchers import ran
from demograd.errors import ArgumentTypeError, GradientError

if TYPE_CHECKING:
    from demograd._place import Place
    from demograd.autograd._hooks import RemovableHandle

__all__ = ["Alias", "Function", "Output"]

# Looked up once and not at each operation.
new = object.__new__
ndarray = np.ndarray


class Function:
    """A differentiable operator; an instance is one use of it, a node of the graph.

    Subclasses write two methods::

        class Exp(Function):
            def forward(self, x):
                out = self.xp.exp(x)
                self.save_for_backward(out)
                return out

            def backward(self, grad):
                (out,) = self.saved_tensors
                return grad * out

    ``forward(self, *arrays, **settings)`` gets the raw array of each Tensor (other positional
    arguments as they are) and returns an array, or a tuple of arrays for several outputs.
    ``backward(self, *grads)`` gets the gradient of each output and returns the gradient of each
    positional argument, ``None`` where there is none. It uses Python's operators and ``self.xp``
    only, never writes to an argument, and never branches on values; then it is differentiable
    itself. A gradient may have the shape that broadcasting gave: the engine sums it back.

    PyTorch's spelling, ``@staticmethod def forward(ctx, x)``, works as it stands: ``ctx`` is the
    node.

    Attributes:
        xp: the namespace of the arrays at hand: the array API standard's names, and the few
            others that :class:`demograd.interfaces.Backend` lists.
        saved_tensors: what ``save_for_backward`` kept: arrays in the ordinary backward pass,
            Tensors when that pass is recorded itself (``create_graph=True``).
        needs_input_grad: for each positional argument, whether its gradient is wanted.
        once_differentiable: True for a class whose ``backward`` must not be recorded.
        returns_view: True for a class whose output shows elements of its first input, each where
            its rule puts the gradient. What another class returns of an input's memory cannot be
            changed in place while recording.

    Reference: the vocabulary is that of ``torch.autograd.Function``.

    >>> class Double(Function):
    ...     def forward(self, x):
    ...         return 2 * x
    ...
    ...     def backward(self, grad):
    ...         return 2 * grad
    >>> x = Tensor([1.0, 2.0], requires_grad=True)
    >>> Double.apply(x)
    tensor([2., 4.], grad_fn=<DoubleBackward>)
    """

    xp: Any = numpy_backend
    saved_tensors: Any = ()
    needs_input_grad: tuple[bool, ...] = ()
    once_differentiable: bool = False
    returns_view: bool = False

    # The engine's own; rules leave these alone.
    _edges: Sequence[Any] = ()  # a node, a leaf Tensor or None for each positional argument
    _time: int = 0  # when the node was made
    _kind: type = np.ndarray  # of the output array; a NumPy scalar's type says all about it
    _shape: Any = ()  # of the output array; for several outputs see Output
    _dtype: Any = None
    _input_ids: Sequence[int] = ()  # ids of the input arrays, to recognise the saved ones,
    _output_id: int = 0  # and of the output's
    # Which of them the saved ones are, where that is known: -1 is the output, None neither.
    _saves: Sequence[int | None] | None = None
    _special: bool = False  # it has hooks or several outputs, or is one of several
    _outputs: tuple[tuple[Any, Any, int], ...] | None = None  # shape, dtype, id of several outputs
    _stands: Sequence[weakref.ref[Output] | None] = ()  # what stands for each of several outputs
    _non_differentiable: tuple[Any, ...] = ()
    _dirty: tuple[Any, ...] = ()  # inputs that forward has written to
    _marked: bool = False  # one of the two above is not empty
    _hooks: OrderedDict[int, Callable[..., Any]] | None = None  # of the output,
    _prehooks: OrderedDict[int, Callable[..., Any]] | None = None  # of the node, before its rule
    _posthooks: OrderedDict[int, Callable[..., Any]] | None = None  # and after
    _packed: bool = False  # its saved values are in the form that a pack hook gave them
    _materialize: bool = True  # zeros for the gradients of outputs that nobody used
    _scopes: list[tuple[int, str]] | None = None
    _notes: Any = None  # what demograd.diagnostics knows of it, while it watches

    def __init_subclass__(cls, **settings: Any) -> None:
        # PyTorch's spelling, ``@staticmethod def forward(ctx, x)``: the node is the context.
        super().__init_subclass__(**settings)
        for rule in ("forward", "backward"):
            written = cls.__dict__.get(rule)
            if isinstance(written, staticmethod):
                setattr(cls, rule, written.__func__)
        inherited = cls.apply.__func__  # type: ignore[attr-defined]
        if inherited.__code__.co_qualname == "Function.apply":
            # Code of its own, in which CPython notes the types of this class; see ``operation``.
            code = inherited.__code__.replace()
            cls.apply = classmethod(FunctionType(code, inherited.__globals__))  # type: ignore[assignment]

    def forward(self, *arrays: Any, **settings: Any) -> Any:
        """Compute the output arrays from the input arrays."""
        raise NotImplementedError(f"{type(self).__name__}.forward is not written")

    def backward(self, *grads: Any) -> Any:
        """Compute the inputs' gradients from the outputs' gradients."""
        raise NotImplementedError(f"{type(self).__name__}.backward is not written")

    def save_for_backward(self, *arrays: Any) -> None:
        """Keep inputs, outputs, or integer and boolean arrays for the backward pass.

        A float array that is neither an input nor an output has a derivative that nobody knows,
        so a rule that saves one can be differentiated once, and refuses the second time.
        """
        self.saved_tensors = arrays

    def mark_non_differentiable(self, *arrays: Any) -> None:
        """Say that these outputs carry no gradient."""
        self._non_differentiable = arrays
        self._marked = True

    def mark_dirty(self, *arrays: Any) -> None:
        """Say that ``forward`` writes to these inputs; it must return each of them.

        ``apply`` then returns the input itself, which continues from this node.

        Raises:
            ArgumentTypeError: one is a number, which cannot be written to.

        >>> class DoubleInPlace(Function):
        ...     def forward(self, x):
        ...         x *= 2
        ...         self.mark_dirty(x)
        ...         return x
        ...
        ...     def backward(self, grad):
        ...         return 2 * grad
        >>> x = Tensor([1.0, 2.0], requires_grad=True)
        >>> y = x * 3
        >>> DoubleInPlace.apply(y) is y
        True
        >>> y.sum().backward()
        >>> x.grad
        tensor([6., 6.])
        """
        from demograd.autograd._dirty import stamp

        stamp(self.name, arrays)
        self._dirty = arrays
        self._marked = True

    def set_materialize_grads(self, value: bool) -> None:
        """Whether ``backward`` gets zeros for outputs that nobody used, or else None."""
        self._materialize = value

    def __call__(self, *inputs: Any, **settings: Any) -> Any:
        """Refuse: a Function is applied, and its instance is the node that this makes."""
        name = type(self).__name__
        raise ArgumentTypeError(f"{name}: a Function is not called.", mend=f"{name}.apply(x)")

    @classmethod
    def apply(cls, *inputs: Any, **settings: Any) -> Any:
        """Run ``forward`` on the inputs' arrays, and record the node if a gradient is wanted.

        Args:
            inputs: Tensors, or constants such as Python numbers.
            settings: passed on to ``forward``.

        Returns:
            A Tensor, or a tuple of them if ``forward`` returned a tuple.
        """
        node = cls()
        arrays: list[Any] = []
        edges: list[Any] = []
        needs: list[bool] = []
        ordinary = everywhere.on
        enabled = ordinary or grad_mode.enabled
        for x in inputs:
            if isinstance(x, Tensor):
                data = x._data
                arrays.append(data)
                if type(data) not in NUMPY_TYPES:
                    if backend_of(data).wraps:
                        return backend_of(data).apply(cls, inputs, settings)
                    if node.xp is numpy_backend:
                        together = brought_together(cls.__name__.lower(), inputs)
                        if together is not None:
                            return cls.apply(*together, **settings)
                    node.xp = backend_of(data)
                    if x._seen is not None:
                        refresh(x)
                        arrays[-1] = x._data
                if x._base is not None and refresh(x):
                    return apart(cls, inputs, settings)
                if enabled and x._requires_grad:
                    edges.append(x._node or x)
                    needs.append(True)
                    continue
            else:
                arrays.append(x)
            edges.append(None)
            needs.append(False)
        node.needs_input_grad = tuple(needs)
        out = node.forward(*arrays, **settings)
        kind = type(out)
        if kind is tuple:
            for part in out:
                if type(part) not in NUMPY_TYPES and backend_of(_as_array(cls, part)).wraps:
                    return backend_of(part).apply(cls, inputs, settings)
            tensors = _wrap_outputs(node, inputs, settings, arrays, edges, out)
            if everywhere.watched:
                ran(node, inputs, tensors)
            return tensors
        if kind not in NUMPY_TYPES:
            out = _as_array(cls, out)
            kind = type(out)
            if backend_of(out).wraps:  # a setting is mapped, and the inputs are not
                return backend_of(out).apply(cls, inputs, settings)
        tensor = new(Tensor)
        tensor._data = out
        needed = True in needs
        if (
            needed
            and not node._marked
            and (kind in FLOAT_SCALARS or native(out.dtype) in DIFFERENTIABLE)
        ):
            node._kind = kind
            node._edges = edges
            node._time = tick()
            if kind not in FLOAT_SCALARS:
                node._shape = out.shape
                node._dtype = out.dtype
            if node.saved_tensors and cls._saves is None:
                # Whoever records the backward pass must know which saved value is which.
                node._input_ids = [*map(id, arrays)]
                node._output_id = id(out)
            tensor._node = node
            tensor._requires_grad = True
        else:
            if needed:
                if node._dirty:
                    return _written_to(node, inputs, settings, arrays, edges, out)
                if native(out.dtype).kind == "c" and not node._non_differentiable:
                    raise _complex(cls, inputs)
            tensor._node = None
            tensor._requires_grad = False
        if kind is ndarray:
            shared = out.base is not None
            for array in arrays:
                if out is array:
                    shared = True
            if shared:
                if node._dirty:
                    return _written_to(node, inputs, settings, arrays, edges, out)
                note_view(tensor, cls, inputs, settings)
        elif cls.returns_view and kind not in NUMPY_TYPES:
            note(tensor, cls, inputs, settings)
        if not ordinary and everywhere.watched:
            ran(node, inputs, tensor)
        return tensor

    def register_prehook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(grad_outputs)`` when a pass reaches this node, before its rule runs.

        Args:
            hook: gets a tuple with the gradient of each output, None for those without one, and
                returns None or a tuple that replaces it.

        Returns:
            A handle whose ``remove()`` takes the hook away.
        """
        from demograd.autograd._hooks import register_prehook

        return register_prehook(self, hook)

    def register_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(grad_inputs, grad_outputs)`` when the rule of this node has run.

        Args:
            hook: gets a tuple with the gradient of each input, None for those that want none, and
                the tuple that the rule was given; returns None or a tuple that replaces the first.

        Returns:
            A handle whose ``remove()`` takes the hook away.

        >>> x = Tensor([1.0, 2.0], requires_grad=True)
        >>> y = x * 3
        >>> handle = y.grad_fn.register_hook(lambda grad_inputs, grad_outputs: print(grad_inputs))
        >>> y.sum().backward()
        (tensor([3., 3.]), None)
        """
        from demograd.autograd._hooks import register_node_hook

        return register_node_hook(self, hook)

    # The read-only view that demograd.interfaces.GraphNode describes.

    @property
    def name(self) -> str:
        """The operator's name, such as ``Mul``."""
        return type(self).__name__

    @property
    def next_functions(self) -> tuple[Any, ...]:
        """For each input the node that computed it, the leaf Tensor, or None for a constant."""
        return tuple(edge.node if type(edge) is Output else edge for edge in self._edges)

    @property
    def output_shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shape of each output."""
        return (self._shape,) if self._outputs is None else tuple(o[0] for o in self._outputs)

    @property
    def output_dtypes(self) -> tuple[Any, ...]:
        """The data type of each output."""
        return (
            (self._output_dtype,) if self._outputs is None else tuple(o[1] for o in self._outputs)
        )

    @property
    def _output_dtype(self) -> Any:
        return np.dtype(self._kind) if self._dtype is None else self._dtype

    @property
    def nbytes_saved(self) -> int:
        """Bytes held for the backward pass, zero once they have been freed."""
        return sum(getattr(a, "nbytes", 0) for a in self.saved_tensors or ())

    @property
    def time(self) -> int:
        """The node's number; later nodes have larger ones."""
        return self._time

    @property
    def scopes(self) -> tuple[tuple[int, str], ...]:
        """Calls that this node ended, as (time of the call's start, label), innermost first."""
        return tuple(self._scopes or ())

    @property
    def place(self) -> Place | None:
        """The line of the user's code that made it, if that was under ``dg.debug()``."""
        place: Place | None = None if self._notes is None else self._notes.place
        return place

    @property
    def module_path(self) -> str:
        """The modules in whose calls it was made, such as ``1.proj: Linear``, under the same."""
        return "" if self._notes is None else str(self._notes.module_path)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}Backward>"


class Alias(Function):
    """The same values: it leads from an array that was saved back to the leaf that held it."""

    def __init__(self, leaf: Tensor) -> None:
        self._edges = (leaf,)
        self._kind = type(leaf._data)
        self._shape, self._dtype, self._time = leaf.shape, leaf.dtype, tick()

    def backward(self, grad: Any) -> Any:
        return grad


class Output(Function):
    """One output of a node that has several: it stands between the node and its consumers."""

    def __init__(self, node: Function, index: int, array: Any) -> None:
        self.node = node
        self._special = True
        self.index = index
        self._edges = (node,)
        self._kind = type(array)
        self._shape = array.shape
        self._dtype = array.dtype
        self._time = tick()

    def __repr__(self) -> str:
        return repr(self.node)


def _wrap_outputs(
    node: Function,
    inputs: tuple[Any, ...],
    settings: dict[str, Any],
    arrays: list[Any],
    edges: list[Any],
    outs: tuple[Any, ...],
) -> tuple[Tensor, ...]:
    """Make a Tensor of each of several outputs."""
    cls = type(node)
    outs = _separate(
        arrays, [out if type(out) in NUMPY_TYPES else _as_array(cls, out) for out in outs]
    )
    if node._dirty:
        check_returned(node, outs)
    recording = True in node.needs_input_grad
    if recording:
        node._edges = edges
        # What forward wrote to is an output by now, also where it has saved it.
        node._input_ids = [0 if _among(array, node._dirty) else id(array) for array in arrays]
        node._special = True
        node._outputs = tuple([(out.shape, out.dtype, id(out)) for out in outs])
        node._time = tick()
    marked = {id(array) for array in node._non_differentiable}
    tensors = []
    stands: list[weakref.ref[Output] | None] = []
    for index, out in enumerate(outs):
        tensor = new(Tensor)
        tensor._data = out
        tensor._requires_grad = (
            recording and native(out.dtype) in DIFFERENTIABLE and id(out) not in marked
        )
        if recording and native(out.dtype).kind == "c" and id(out) not in marked:
            raise _complex(cls, inputs)
        tensor._node = stand = Output(node, index, out) if tensor._requires_grad else None
        # Weakly, for an Output holds its node: a recorded pass finds the tensor's own again.
        stands.append(None if stand is None else weakref.ref(stand))
        if _among(out, node._dirty):
            tensor = written_to(node, inputs, out, tensor)
        elif type(out) is np.ndarray and (out.base is not None or _among(out, arrays)):
            note_view(tensor, cls, inputs, settings, index)
        elif cls.returns_view and type(out) not in NUMPY_TYPES:
            note(tensor, cls, inputs, settings, index)
        tensors.append(tensor)
    node._stands = stands
    return tuple(tensors)


def _written_to(
    node: Function,
    inputs: tuple[Any, ...],
    settings: dict[str, Any],
    arrays: list[Any],
    edges: list[Any],
    out: Any,
) -> Tensor:
    """The input that is the only output of a node, as one of several outputs would be."""
    tensors = _wrap_outputs(node, inputs, settings, arrays, edges, (out,))
    if everywhere.watched:
        ran(node, inputs, tensors)
    return tensors[0]


def _among(array: Any, arrays: Sequence[Any]) -> bool:
    return any(array is other for other in arrays)


def _separate(arrays: Sequence[Any], outs: list[Any]) -> tuple[Any, ...]:
    """Outputs that share no elements that forward has made: a change of one changes no other."""
    whole_inputs = {id(owner(array)) for array in arrays if type(array) is ndarray}
    seen: dict[int, list[Any]] = {}
    for index, out in enumerate(outs):
        if type(out) is not ndarray:
            continue
        whole = id(owner(out))
        if whole in whole_inputs:
            continue  # views of an input know of each other
        others = seen.setdefault(whole, [])
        if any(np.may_share_memory(out, other) for other in others):
            outs[index] = out.copy()
        others.append(outs[index])
    return tuple(outs)


def _complex(cls: type[Function], inputs: tuple[Any, ...]) -> GradientError:
    return GradientError(
        f"{cls.__name__}: the result is complex, and complex numbers carry no gradient.",
        [x._describe() for x in inputs if isinstance(x, Tensor) and x._requires_grad],
        "x.detach() says that the gradient may end here.",
    )


def _as_array(cls: type[Function], out: Any) -> Any:
    """What forward returned, as an array; refuse what is none."""
    if isinstance(out, (bool, int, float, complex)):
        return np.asarray(out)
    if isinstance(out, np.ndarray):
        return np.asarray(out)  # a subclass, such as a matrix: as a plain array
    if isinstance(out, Tensor) or not is_array(out):
        raise ArgumentTypeError(
            f"{cls.__name__}.forward returned {type(out).__name__}, not an array.",
            mend="forward computes with raw arrays: use self.xp and Python's operators.",
        )
    return out


# At the end, because moving is an operation itself.
from demograd._libraries._moving import brought_together  # noqa: E402
from demograd.autograd._dirty import check_returned, written_to  # noqa: E402
