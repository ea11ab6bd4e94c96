"""``Tensor``: an array that knows how it was computed.

A Tensor holds an array (``data``), whether it takes part in differentiation
(``requires_grad``), the node that computed it (``grad_fn``; none for a *leaf*, a tensor that the
user made) and, for leaves, the gradient that ``backward`` accumulated (``grad``).

Its operators stand in ``_arithmetic.py`` and ``_shaping.py``; the methods here call them. Methods
that other packages offer (``x.exp()``) are found in ``__getattr__``.
"""

from __future__ import annotations

import builtins
import math
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from demograd import _dtype, _format, _providers
from demograd._backend import NUMPY_TYPES, as_numpy, backend_of
from demograd._data import as_data
from demograd._dims import accepts_axis, as_dim
from demograd._dtype import DTypeLike, as_dtype, is_floating, native
from demograd._libraries import _device
from demograd.errors import (
    ArgumentTypeError,
    DtypeError,
    GradientError,
    ShapeError,
)

if TYPE_CHECKING:
    from demograd._place import Place
    from demograd.autograd._function import Function

__all__ = ["Tensor"]

ndarray = np.ndarray  # looked up at each ``.data``


class Tensor:
    """An n-dimensional array that records how it was computed, so that it can be differentiated.

    Args:
        data: numbers, nested lists of them, a NumPy array (shared, not copied), an array of
            another library that follows the array API standard, or a Tensor (detached).
        requires_grad: whether gradients with respect to it can be asked for. Floats only.
        name: shown in pictures and messages.
        dtype: a data type; by default that of an array, float32 for Python floats, int64 for
            integers, bool for booleans.

    Raises:
        DtypeError: a gradient is asked of a type that is not floating.
        ArgumentTypeError: ``data`` is not numeric.

    >>> x = Tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    # NumPy's own operators hand over to the reflected ones here.
    __array_priority__ = 1000

    _data: Any
    _node: Function | None
    _requires_grad: builtins.bool
    # Defaults stand on the class: an operation sets the three above and nothing else.
    _grad: Tensor | None = None
    _base: Tensor | None = None  # the tensor of whose memory this one is a view,
    _base_node: Function | None = None  # its node at the time,
    _taken: tuple[Any, ...] = ()  # and how the view was taken: (last step, those before it)
    _seen: Any = None  # the base's array and node then, where arrays are replaced, not written to
    _retained: Any = None  # the handle of retain_grad's hook
    _hooks: OrderedDict[builtins.int, Callable[..., Any]] | None = None
    _after_grad: OrderedDict[builtins.int, Callable[..., Any]] | None = None  # of a leaf
    _use: builtins.int = 0  # of a gradient: whether a step has used it,
    _replaced: Place | None = None  # and where a module put another in the tensor's place
    _notes: Any = None  # what demograd.diagnostics knows of it, while it watches
    name: str | None = None

    # An edge of the graph is a node or a leaf Tensor; the engine tells them by this.
    _kind: None = None

    def __init__(
        self,
        data: Any,
        requires_grad: builtins.bool = False,
        name: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        self._data = as_data(data, dtype)
        self._node = None
        self._requires_grad = False
        if everywhere.watched and isinstance(data, Tensor):
            cut(data, "Tensor(x)", self)
        if name is not None:
            self.name = name
        if everywhere.watched and grad_mode.inference:
            self._data = np.asarray(self._data) if np.isscalar(self._data) else self._data
            self._base = outside
        if requires_grad:
            self.requires_grad = True

    def _refresh(self) -> None:
        if self._base is not None:
            refresh(self)

    # What it is.

    @property
    def data(self) -> Any:
        """The raw array, shared; writing to it is seen by no gradient."""
        data = self._data
        if type(data) is ndarray and not everywhere.watched:
            return data
        if self._seen is not None:
            refresh(self)
        if isinstance(self._data, np.generic):
            # A scalar becomes an array when somebody looks at it, and stays one.
            self._data = np.asarray(self._data)
        if everywhere.watched:
            cut(self, ".data")
        if type(self._data) is not np.ndarray and backend_of(self._data).wraps:
            return backend_of(self._data).bare(self._data)  # without a history outside of vmap
        return self._data

    @data.setter
    def data(self, value: Any) -> None:
        new = as_data(value, None)
        if self.requires_grad and not is_floating(native(new.dtype)):
            raise DtypeError(
                "data: a tensor that requires a gradient holds floats.",
                [f"{self._label('tensor')}: dtype {self.dtype}", f"new: dtype {new.dtype}"],
                "Cast the new array to floats, or make a new Tensor.",
            )
        if new.shape != self.shape:
            raise ShapeError(
                "data: the new array has another shape.",
                [f"{self._label('tensor')}: shape {self.shape}", f"new: shape {new.shape}"],
                "Make a new Tensor instead.",
            )
        self._data = new
        self._base = None  # other memory: no view any more

    @property
    def shape(self) -> tuple[builtins.int, ...]:
        """The length of each dimension.

        >>> Tensor([[1, 2, 3]]).shape
        (1, 3)
        """
        shape: tuple[builtins.int, ...] = self._data.shape
        return shape

    @property
    def ndim(self) -> builtins.int:
        """The number of dimensions."""
        return len(self._data.shape)

    @property
    def dtype(self) -> Any:
        """The data type."""
        dtype = self._data.dtype
        return dtype if isinstance(dtype, np.dtype) else native(dtype)

    @property
    def device(self) -> _device.device:
        """Where the memory is, and so which library computes: ``cpu`` for NumPy."""
        data = self._data
        if type(data) in NUMPY_TYPES:
            return _device.CPU
        return _device.device._known(backend_of(data).device_of(data))

    @property
    def is_cuda(self) -> builtins.bool:
        """Whether the memory is a GPU's that CuPy computes on."""
        return self.device.type == "cuda"

    @property
    def is_leaf(self) -> builtins.bool:
        """Whether it was made by the user and not computed from tensors that require gradients."""
        return self.grad_fn is None

    @property
    def grad_fn(self) -> Function | None:
        """The node that computed it, None for a leaf."""
        self._refresh()
        node = self._node
        return getattr(node, "node", node)  # an Output stands for its node

    @property
    def output_nr(self) -> builtins.int:
        """Which output of ``grad_fn`` it is, counted from 0; 0 for a leaf."""
        self._refresh()
        return getattr(self._node, "index", 0) if self._node is not self.grad_fn else 0

    @property
    def requires_grad(self) -> builtins.bool:
        """Whether gradients with respect to it can be asked for; settable on leaves."""
        self._refresh()
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, value: builtins.bool) -> None:
        if value and not is_floating(self.dtype):
            raise DtypeError(
                "requires_grad: only floating tensors can require gradients.",
                [f"{self._label('tensor')}: shape {self.shape}, dtype {self.dtype}"],
                "x.float() makes floats of it.",
            )
        if self._base is not None and refresh(self) and value:
            raise GradientError(
                "requires_grad: a tensor from inference mode cannot require a gradient outside.",
                [self._describe()],
                "x.clone() is an ordinary tensor.",
            )
        if not value and self._node is not None:
            raise GradientError(
                "requires_grad: it can be switched off on leaves only.",
                [f"{self._describe()}, made by {self._node.name}"],
                "x.detach() is a leaf with the same values.",
            )
        self._requires_grad = bool(value)

    def is_inference(self) -> builtins.bool:
        """Whether it was made in :class:`demograd.inference_mode`."""
        return self._base is outside

    def requires_grad_(self, requires_grad: builtins.bool = True) -> Tensor:
        """Set ``requires_grad`` and return the tensor itself."""
        self.requires_grad = requires_grad
        return self

    @property
    def grad(self) -> Tensor | None:
        """The gradient that ``backward`` has accumulated, None before the first."""
        grad = self._grad
        if grad is None and self._node is not None and self._retained is None:
            warn_of_no_leaf(self)
        return grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                raise ArgumentTypeError(
                    f"grad: expected a Tensor or None, not {type(value).__name__}.",
                    mend="Wrap it: x.grad = dg.Tensor(array).",
                )
            if type(value._data) is not type(self._data) and value.device != self.device:
                from demograd._libraries._moving import mixed

                raise mixed("grad", [self, value])
            if value.shape != self.shape or value.dtype != self.dtype:
                raise ShapeError(
                    "grad: a gradient has the shape and dtype of its tensor.",
                    [
                        f"{self._label('tensor')}: shape {self.shape}, dtype {self.dtype}",
                        f"gradient: shape {value.shape}, dtype {value.dtype}",
                    ],
                )
        elif everywhere.watched:
            cleared(self)
        self._grad = value

    def retain_grad(self) -> None:
        """Keep the gradient of this computed tensor in ``.grad`` too.

        Raises:
            GradientError: it requires no gradient.
        """
        from demograd.autograd._hooks import retain_grad

        retain_grad(self)

    @property
    def retains_grad(self) -> builtins.bool:
        """Whether it is a computed tensor whose gradient :meth:`retain_grad` keeps."""
        return self._retained is not None

    def register_hook(self, hook: Callable[[Tensor], Any]) -> Any:
        """Call ``hook(gradient)`` when the whole gradient of this tensor is known.

        What the hook returns, if not None, replaces the gradient.

        Returns:
            A handle whose ``remove()`` takes the hook away.

        Raises:
            GradientError: it requires no gradient.
        """
        from demograd.autograd._hooks import register_hook

        return register_hook(self, hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], Any]) -> Any:
        """Call ``hook(self)`` when ``backward`` has added to the ``.grad`` of this leaf.

        It runs at the end of the pass, when all gradients have been added. An optimizer that
        steps in the hook and sets ``.grad`` to None needs no loop over its parameters.

        Returns:
            A handle whose ``remove()`` takes the hook away.

        Raises:
            GradientError: it is no leaf that requires a gradient.

        >>> x = Tensor([1.0, 2.0], requires_grad=True)
        >>> handle = x.register_post_accumulate_grad_hook(lambda leaf: print(leaf.grad))
        >>> (x * x).sum().backward()
        tensor([2., 4.])
        """
        from demograd.autograd._hooks import register_post_accumulate_grad_hook

        return register_post_accumulate_grad_hook(self, hook)

    def size(self, dim: builtins.int | None = None) -> Any:
        """The shape, or the length of one dimension."""
        return self.shape if dim is None else self.shape[as_dim("size", dim, self.ndim)]

    def dim(self) -> builtins.int:
        """The number of dimensions."""
        return self.ndim

    def numel(self) -> builtins.int:
        """The number of elements.

        >>> Tensor([[1, 2, 3]]).numel()
        3
        """
        return math.prod(self.shape)

    def element_size(self) -> builtins.int:
        """Bytes of one element."""
        return int(self.dtype.itemsize)

    @property
    def nbytes(self) -> builtins.int:
        """Bytes of all elements."""
        return self.numel() * self.element_size()

    # Out of the graph.

    def item(self) -> Any:
        """The only element, as a Python number.

        Raises:
            ShapeError: there is not exactly one.
        """
        if self.numel() != 1:
            raise ShapeError(
                "item: the tensor has not exactly one element.",
                [f"{self._label('tensor')}: shape {self.shape}"],
                "x.tolist() gives all of them.",
            )
        if everywhere.watched:
            cut(self, ".item()")
        if self._seen is not None:
            refresh(self)
        return self.tolist() if self.ndim == 0 else as_numpy(self._data).reshape(()).item()

    def tolist(self) -> Any:
        """The elements as nested lists of Python numbers."""
        if everywhere.watched:
            cut(self, ".tolist()")
        if self._seen is not None:
            refresh(self)
        return as_numpy(self._data).tolist()

    def detach(self) -> Tensor:
        """A leaf that shares the memory and requires no gradient."""
        out = Tensor.__new__(Tensor)
        out._data = self.data  # shared, also where it is one number
        out._node = None
        out._requires_grad = False
        if self._base is outside:
            out._base = outside
        if everywhere.watched:
            cut(self, "detach", out)
        return out

    def numpy(self, *, force: builtins.bool = False) -> np.ndarray[Any, Any]:
        """The values as a NumPy array that shares the memory.

        Args:
            force: detach first, where the tensor requires a gradient.

        Raises:
            GradientError: the tensor requires a gradient, which NumPy would lose.
            ArgumentTypeError: the memory is not the computer's own, where NumPy sees it.
        """
        if self.requires_grad and not force:
            raise GradientError(
                "numpy: the tensor requires a gradient, which a NumPy array cannot carry.",
                [self._describe()],
                "x.detach().numpy() gives the values without it.",
            )
        if everywhere.watched:
            cut(self, ".numpy()")
        data = self.data
        if type(data) is np.ndarray:
            return data
        library = backend_of(data)
        if not (library.on_host or force):
            raise ArgumentTypeError(
                f"numpy: the memory is not the computer's own, but on {self.device}.",
                [self._describe()],
                "x.cpu().numpy() copies it.",
            )
        return library.to_numpy(data)

    def cpu(self) -> Tensor:
        """The tensor itself if its array is NumPy's, else a copy as a NumPy array."""
        return self if type(self._data) in NUMPY_TYPES else self.to("cpu")

    def cuda(self, device: builtins.int | str | None = None) -> Tensor:
        """The tensor on a GPU, by CuPy; itself if it is there.

        Args:
            device: which one, by number or name; the current one by default.
        """
        return self.to(device if isinstance(device, str) else _device.device("cuda", device))

    def __array__(
        self, dtype: Any = None, copy: builtins.bool | None = None
    ) -> np.ndarray[Any, Any]:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        from demograd._numpy._dispatch import array_ufunc

        return array_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        from demograd._numpy._dispatch import array_function

        return array_function(func, types, args, kwargs)

    def __dlpack__(
        self,
        *,
        stream: Any = None,
        max_version: tuple[builtins.int, builtins.int] | None = None,
        dl_device: tuple[builtins.int, builtins.int] | None = None,
        copy: builtins.bool | None = None,
    ) -> Any:
        from demograd._dlpack import dlpack

        return dlpack(self, stream, max_version, dl_device, copy)

    def __dlpack_device__(self) -> tuple[builtins.int, builtins.int]:
        from demograd._dlpack import dlpack_device

        return dlpack_device(self)

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        from demograd._tensor_backend import tensor_backend_on

        return tensor_backend_on(backend_of(self._data))

    def __bool__(self) -> builtins.bool:
        if self.numel() != 1:
            raise ShapeError(
                "bool: the truth of a tensor with several elements, or none, is ambiguous.",
                [f"{self._label('tensor')}: shape {self.shape}"],
                "(x != 0).any() or (x != 0).all() says which you mean.",
            )
        return bool(self.item())

    def __float__(self) -> builtins.float:
        if self.requires_grad:
            from demograd._stored import warn_if_stored

            warn_if_stored(self)
        return float(self.item())

    def __int__(self) -> builtins.int:
        return int(self.item())

    def __complex__(self) -> complex:
        return complex(self.item())

    def __index__(self) -> builtins.int:
        if self.dtype.kind not in "iub":
            raise DtypeError(
                "index: only an integer tensor can be used as an index.",
                [f"{self._label('tensor')}: dtype {self.dtype}"],
                "x.long() makes integers of it.",
            )
        if self.numel() != 1:
            raise DtypeError(
                "index: only a tensor of one element can be used as an index here.",
                [f"{self._label('tensor')}: shape {self.shape}"],
                "x.tolist() gives a list of integers.",
            )
        return int(self.item())

    def __len__(self) -> builtins.int:
        if not self.shape:
            raise ArgumentTypeError("len: a zero-dimensional tensor has no length.")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if not self.shape:
            raise ArgumentTypeError("iteration over a zero-dimensional tensor.")
        return (self[i] for i in range(self.shape[0]))

    def __contains__(self, element: Any) -> builtins.bool:
        if _binary.as_operand(element) is None:
            raise DtypeError(
                f"in: an element of type {builtins.type(element).__name__} is in no tensor.",
                mend="Ask for a number, an array or a Tensor.",
            )
        return builtins.bool((self == element).any())

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec and self.numel() == 1 else format(str(self), spec)

    __hash__ = object.__hash__

    # Arithmetic.

    if TYPE_CHECKING:
        # These are set at the end of the file: as functions with no method in between.
        def __add__(self, other: Any) -> Tensor: ...
        def __radd__(self, other: Any) -> Tensor: ...
        def __sub__(self, other: Any) -> Tensor: ...
        def __mul__(self, other: Any) -> Tensor: ...
        def __rmul__(self, other: Any) -> Tensor: ...

    def __rsub__(self, other: Any) -> Tensor:
        return _binary.binary(_arithmetic.Sub, other, self)

    def __truediv__(self, other: Any) -> Tensor:
        return _arithmetic.divide(self, other)

    def __rtruediv__(self, other: Any) -> Tensor:
        return _arithmetic.divide(other, self)

    def __floordiv__(self, other: Any) -> Tensor:
        return _arithmetic.floor_divide(self, other)

    def __rfloordiv__(self, other: Any) -> Tensor:
        return _arithmetic.floor_divide(other, self)

    def __mod__(self, other: Any) -> Tensor:
        return _arithmetic.remainder(self, other)

    def __rmod__(self, other: Any) -> Tensor:
        return _arithmetic.remainder(other, self)

    def __pow__(self, other: Any) -> Tensor:
        return _binary.binary(_arithmetic.Pow, self, other)

    def __rpow__(self, other: Any) -> Tensor:
        return _binary.binary(_arithmetic.Pow, other, self)

    def __matmul__(self, other: Any) -> Tensor:
        return _matmul.product(self, other)

    def __rmatmul__(self, other: Any) -> Tensor:
        return _matmul.product(other, self)

    def __neg__(self) -> Tensor:
        return _arithmetic.neg(self)

    def __abs__(self) -> Tensor:
        out: Tensor = _providers.find_function("abs")(self)
        return out

    def __pos__(self) -> Tensor:
        return self

    def add(self, other: Any, *, alpha: Any = 1) -> Tensor:
        """Elementwise ``self + alpha * other``."""
        return _arithmetic.add(self, other, alpha=alpha)

    def sub(self, other: Any, *, alpha: Any = 1) -> Tensor:
        """Elementwise ``self - alpha * other``."""
        return _arithmetic.sub(self, other, alpha=alpha)

    def mul(self, other: Any) -> Tensor:
        """Elementwise ``self * other``."""
        return _arithmetic.mul(self, other)

    def div(self, other: Any, *, rounding_mode: str | None = None) -> Tensor:
        """Elementwise ``self / other``."""
        return _arithmetic.div(self, other, rounding_mode=rounding_mode)

    def neg(self) -> Tensor:
        """Elementwise ``-self``."""
        return _arithmetic.neg(self)

    def pow(self, exponent: Any) -> Tensor:
        """Elementwise ``self ** exponent``."""
        return _arithmetic.pow(self, exponent)

    def matmul(self, other: Any) -> Tensor:
        """The matrix product ``self @ other``."""
        return _matmul.matmul(self, other)

    # Comparison.

    def __eq__(self, other: object) -> Tensor:  # type: ignore[override]
        return _comparing.eq(self, other)

    def __ne__(self, other: object) -> Tensor:  # type: ignore[override]
        return _comparing.ne(self, other)

    def __lt__(self, other: Any) -> Tensor:
        return _comparing.lt(self, other)

    def __le__(self, other: Any) -> Tensor:
        return _comparing.le(self, other)

    def __gt__(self, other: Any) -> Tensor:
        return _comparing.gt(self, other)

    def __ge__(self, other: Any) -> Tensor:
        return _comparing.ge(self, other)

    def __and__(self, other: Any) -> Tensor:
        return _comparing.bitwise_and(self, other)

    def __rand__(self, other: Any) -> Tensor:
        return _comparing.bitwise_and(other, self)

    def __or__(self, other: Any) -> Tensor:
        return _comparing.bitwise_or(self, other)

    def __ror__(self, other: Any) -> Tensor:
        return _comparing.bitwise_or(other, self)

    def __xor__(self, other: Any) -> Tensor:
        return _comparing.bitwise_xor(self, other)

    def __rxor__(self, other: Any) -> Tensor:
        return _comparing.bitwise_xor(other, self)

    def __invert__(self) -> Tensor:
        return _comparing.bitwise_not(self)

    @accepts_axis
    def any(self, dim: Any = None, keepdim: builtins.bool = False) -> Tensor:
        """Whether any element is true."""
        return _comparing.any(self, dim, keepdim)

    @accepts_axis
    def all(self, dim: Any = None, keepdim: builtins.bool = False) -> Tensor:
        """Whether all elements are true."""
        return _comparing.all(self, dim, keepdim)

    # Sums and shapes.

    @accepts_axis
    def sum(
        self, dim: Any = None, keepdim: builtins.bool = False, *, dtype: DTypeLike | None = None
    ) -> Tensor:
        """The sum over one, several or all dimensions; see :func:`demograd.sum`."""
        return _shaping.sum_over(self, dim, keepdim, dtype)

    @accepts_axis
    def mean(
        self, dim: Any = None, keepdim: builtins.bool = False, *, dtype: DTypeLike | None = None
    ) -> Tensor:
        """The mean over one, several or all dimensions; see :func:`demograd.mean`."""
        return _shaping.mean_over(self, dim, keepdim, dtype)

    def reshape(self, *shape: Any) -> Tensor:
        """The same elements in another shape; one length may be -1."""
        return _shaping.reshape(self, *shape)

    def permute(self, *dims: Any) -> Tensor:
        """The dimensions in another order."""
        return _shaping.permute(self, *dims)

    def transpose(self, dim0: builtins.int, dim1: builtins.int) -> Tensor:
        """Two dimensions exchanged."""
        return _shaping.transpose(self, dim0, dim1)

    def t(self) -> Tensor:
        """A matrix transposed; vectors as they are."""
        if self.ndim > 2:
            raise ShapeError(
                "t: the tensor has more than two dimensions.",
                [f"{self._label('x')}: shape {self.shape}"],
                "x.mT transposes the last two, x.transpose(a, b) any two.",
            )
        return _shaping.transpose(self, 0, 1) if self.ndim == 2 else self

    @property
    def T(self) -> Tensor:
        """All dimensions in reverse order."""
        return _shaping.permute(self, tuple(reversed(range(self.ndim))))

    @property
    def mT(self) -> Tensor:
        """The last two dimensions exchanged."""
        return _shaping.matrix_transpose(self)

    def expand(self, *shape: Any) -> Tensor:
        """Dimensions of length one repeated, without a copy."""
        return _shaping.expand(self, *shape)

    def __getitem__(self, key: Any) -> Tensor:
        return _shaping.index(self, key)

    # In place.

    def __setitem__(self, key: Any, value: Any) -> None:
        _inplace.set_index(self, key, value)

    def __iadd__(self, other: Any) -> Tensor:
        return _inplace.augmented(self, "+=", _arithmetic.add, other)

    def __isub__(self, other: Any) -> Tensor:
        return _inplace.augmented(self, "-=", _arithmetic.sub, other)

    def __imul__(self, other: Any) -> Tensor:
        return _inplace.augmented(self, "*=", _arithmetic.mul, other)

    def __itruediv__(self, other: Any) -> Tensor:
        return _inplace.augmented(self, "/=", _arithmetic.div, other)

    def __ipow__(self, other: Any) -> Tensor:
        return _inplace.augmented(self, "**=", _arithmetic.pow, other)

    def __ifloordiv__(self, other: Any) -> Tensor:
        return _inplace.augmented(self, "//=", _arithmetic.floor_divide, other)

    def __imod__(self, other: Any) -> Tensor:
        return _inplace.augmented(self, "%=", _arithmetic.remainder, other)

    def __iand__(self, other: Any) -> Tensor:
        return _inplace.augmented(self, "&=", _comparing.bitwise_and, other)

    def __ior__(self, other: Any) -> Tensor:
        return _inplace.augmented(self, "|=", _comparing.bitwise_or, other)

    def __ixor__(self, other: Any) -> Tensor:
        return _inplace.augmented(self, "^=", _comparing.bitwise_xor, other)

    def add_(self, other: Any, *, alpha: Any = 1) -> Tensor:
        """``self += alpha * other``, in place."""
        return _inplace.change(self, "add_", lambda x, y: _arithmetic.add(x, y, alpha=alpha), other)

    def sub_(self, other: Any, *, alpha: Any = 1) -> Tensor:
        """``self -= alpha * other``, in place."""
        return _inplace.change(self, "sub_", lambda x, y: _arithmetic.sub(x, y, alpha=alpha), other)

    def mul_(self, other: Any) -> Tensor:
        """``self *= other``, in place."""
        return _inplace.change(self, "mul_", _arithmetic.mul, other)

    def div_(self, other: Any) -> Tensor:
        """``self /= other``, in place."""
        return _inplace.change(self, "div_", _arithmetic.div, other)

    def copy_(self, source: Any) -> Tensor:
        """Copy the values of ``source``, broadcast and cast, into this tensor."""
        return _inplace.copy_(self, source)

    def fill_(self, value: Any) -> Tensor:
        """Set every element to one value, in place."""
        return _inplace.fill_(self, value)

    def zero_(self) -> Tensor:
        """Set every element to zero, in place."""
        return _inplace.zero_(self)

    # Copies and casts.

    def clone(self) -> Tensor:
        """A copy that stays in the graph."""
        return _casting.clone(self)

    def contiguous(self) -> Tensor:
        """The tensor itself if its memory is in order, else a copy."""
        flags = getattr(self._data, "flags", None)
        return self if flags is None or flags.c_contiguous else self.clone()

    def to(
        self,
        target: Any = None,
        dtype: DTypeLike | None = None,
        non_blocking: builtins.bool = False,
        copy: builtins.bool = False,
        *,
        device: str | None = None,
    ) -> Tensor:
        """The tensor on another device, in another data type, or as another tensor is.

        The gradient comes back from there, in the tensor's own type.

        Args:
            target: a device, a data type, or a tensor of which both are taken.
            dtype: a data type, beside a device.
            non_blocking: taken for PyTorch's sake; a copy is always waited for.
            copy: make a copy where nothing changes, too.
            device: a device, by name.

        Raises:
            ArgumentTypeError: neither a data type, a tensor nor a device.
            DeviceError: there is no such device.
            MissingPackageError: its library is not installed.

        >>> Tensor([1.0]).to("cpu", "float64")
        tensor([1.], dtype=float64)
        """
        if isinstance(target, Tensor):
            device, dtype = target.device, target.dtype
        elif _names_device(target):
            device = target
        elif target is not None:
            dtype = target
        out = self
        if device is not None and not (device == "cpu" and type(self._data) in NUMPY_TYPES):
            from demograd._libraries._moving import move_to

            out = move_to(out, device)
        if dtype is not None:
            out = _casting.cast_to(out, as_dtype(dtype))
        return self.clone() if copy and out is self else out

    def type(self, dtype: DTypeLike) -> Tensor:
        """The tensor in another data type."""
        return self.to(dtype)

    def float(self) -> Tensor:
        """As float32."""
        return self.to(_dtype.float32)

    def double(self) -> Tensor:
        """As float64."""
        return self.to(_dtype.float64)

    def half(self) -> Tensor:
        """As float16."""
        return self.to(_dtype.float16)

    def long(self) -> Tensor:
        """As int64."""
        return self.to(_dtype.int64)

    def int(self) -> Tensor:
        """As int32."""
        return self.to(_dtype.int32)

    def bool(self) -> Tensor:
        """As bool: what is not zero is true."""
        return self.to(_dtype.bool_)

    # Backward.

    def backward(
        self,
        gradient: Tensor | None = None,
        retain_graph: builtins.bool | None = None,
        create_graph: builtins.bool = False,
        inputs: Any = None,
    ) -> None:
        """Accumulate the gradients of this tensor into ``.grad`` of the leaves.

        Args:
            gradient: dL/dself, of its shape; may be left out if the tensor has one element.
            retain_graph: keep the saved values for another pass; by default as create_graph.
            create_graph: record the pass itself, so that gradients can be differentiated.
            inputs: only these leaves are given gradients.

        Raises:
            GradientError: nothing requires a gradient, the tensor is no scalar and no gradient
                is given, the graph was freed by an earlier pass, or a saved value was overwritten.
        """
        backward(self, gradient, retain_graph, create_graph, inputs)

    # How it shows.

    def __repr__(self) -> str:
        self._refresh()
        return _format.tensor_text(self)

    def _repr_pretty_(self, printer: Any, cycle: builtins.bool) -> None:
        printer.text(repr(self))

    def _label(self, otherwise: str) -> str:
        return self.name or otherwise

    def _describe(self) -> str:
        return f"{self._label('tensor')} of shape {self.shape}, dtype {self.dtype}"

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *_providers.methods()})

    def __getattr__(self, name: str) -> Any:
        # Reached only for what the core lacks; a method found is kept on the class.
        method = _providers.find_method(name)
        setattr(Tensor, name, method)
        return method.__get__(self, type(self))

    def __deepcopy__(self, memo: dict[builtins.int, Any]) -> Tensor:
        self._refresh()
        if self._node is not None:
            raise GradientError(
                "deepcopy: only leaves can be copied with their graph.",
                [f"{self._describe()}, made by {self._node.name}"],
                "x.detach().clone() copies the values; x.clone() copies and stays in the graph.",
            )
        copy = type(self).__new__(type(self))
        memo[id(self)] = copy
        copy.__dict__.update({k: v for k, v in self.__dict__.items() if k not in _OF_THE_ORIGINAL})
        copy._data = self.data.copy() if hasattr(self.data, "copy") else self.data
        if self._grad is not None:
            copy._grad = self._grad.detach().clone()
        return copy

    def __reduce_ex__(self, protocol: Any) -> Any:
        self._refresh()
        if self._node is not None:
            raise GradientError(
                "pickle: only leaves can be pickled; the graph is not.",
                [f"{self._describe()}, made by {self._node.name}"],
                "x.detach() is a leaf with the same values.",
            )
        kept = _OF_THE_ORIGINAL | {"_data", "_node", "_requires_grad"}
        state = {k: v for k, v in self.__dict__.items() if k not in kept}
        state["_grad"] = self._grad
        return _rebuild, (type(self), self.data, self._requires_grad), state


# What a copy of a leaf does not take along.
_OF_THE_ORIGINAL = frozenset(
    [
        "_grad", "_base", "_base_node", "_taken", "_seen", "_hooks", "_after_grad", "_retained",
        "_use", "_replaced", "_notes",
    ]
)  # fmt: skip


def _names_device(target: Any) -> builtins.bool:
    """Whether an argument of ``to`` is a device, and no data type."""
    if not isinstance(target, str) or isinstance(target, _device.device):
        return isinstance(target, _device.device)
    try:
        as_dtype(target)
    except ArgumentTypeError:
        return True
    return False


def _rebuild(kind: builtins.type[Tensor], data: Any, requires_grad: builtins.bool) -> Tensor:
    tensor = kind.__new__(kind)
    tensor._data, tensor._node, tensor._requires_grad = data, None, requires_grad
    return tensor


# At the end, because the operators are Functions and their outputs are Tensors.
from demograd import _arithmetic, _binary, _casting, _comparing, _inplace, _matmul, _shaping  # noqa: E402
from demograd.autograd._engine import backward  # noqa: E402
from demograd.autograd._mode import everywhere, grad_mode  # noqa: E402
from demograd.autograd._no_graph import warn_of_no_leaf  # noqa: E402
from demograd.autograd._views import outside, refresh  # noqa: E402
from demograd.autograd._watchers import cleared, cut  # noqa: E402

Tensor.__add__ = Tensor.__radd__ = _binary.operation(_arithmetic.Add)  # type: ignore[method-assign]
Tensor.__mul__ = Tensor.__rmul__ = _binary.operation(_arithmetic.Mul)  # type: ignore[method-assign]
Tensor.__sub__ = _binary.operation(_arithmetic.Sub)  # type: ignore[method-assign]
