"""``Module``: a part of a model, with parameters, parts of its own, and a ``forward``."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Self

from demograd import Tensor
from demograd.autograd import RemovableHandle, end_call, record_call, start_call
from demograd.errors import ArgumentTypeError
from demograd.nn import _convert, _hooks, _repr, _state
from demograd.nn._registry import MODULE, Registry

__all__ = ["Module"]


class Module(Registry):
    """The base of layers and models.

    A subclass makes its parameters and parts in ``__init__``, after ``super().__init__()``, and
    computes in ``forward``. A :class:`Parameter` or a Module that is set as an attribute is
    registered: :meth:`parameters`, :meth:`state_dict`, :meth:`train` and printing find it.

    Attributes:
        training: whether the module is in training mode; see :meth:`train`.

    Reference: the semantics are those of ``torch.nn.Module``.

    >>> import demograd as dg
    >>> from demograd import nn
    >>> class Scale(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.factor = nn.Parameter([2.0])
    ...
    ...     def forward(self, x):
    ...         return self.factor * x
    >>> scale = Scale()
    >>> scale(dg.tensor([1.0, 2.0]))
    tensor([2., 4.], grad_fn=<MulBackward>)
    >>> [name for name, _ in scale.named_parameters()]
    ['factor']
    """

    training: bool
    _call_hooks: OrderedDict[int, _hooks.Hook]

    def __init__(self) -> None:
        super().__init__()
        self.training = True
        self._call_hooks = OrderedDict()

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output; a subclass writes this, and users call the module itself."""
        raise NotImplementedError(f"{type(self).__name__}.forward is not written")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        label = self._label
        start = start_call(label)
        try:
            if self._call_hooks:
                out = _hooks.call(self, args, kwargs)
            else:
                out = self.forward(*args, **kwargs)
        except BaseException as error:
            end_call(start)
            # The traceback then names the layers, from the innermost to the model.
            error.add_note(f"in {label}")
            raise
        record_call(out, start, label)
        return out

    # Changes to the whole tree.

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call ``fn`` with every part, parts of parts first, and with the module itself.

        >>> from demograd import nn
        >>> def fill(module):
        ...     if isinstance(module, nn.Linear):
        ...         nn.init.ones_(module.weight)
        >>> nn.Sequential(nn.Linear(2, 1)).apply(fill)[0].weight
        Parameter containing:
        tensor([[1., 1.]], requires_grad=True)
        """
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Self:
        """Switch the module and its parts to training mode, or out of it.

        Dropout and batch norm behave otherwise in evaluation.

        Raises:
            ArgumentTypeError: the mode is no boolean.
        """
        if not isinstance(mode, bool):
            raise ArgumentTypeError(
                f"train: the mode is True or False, not {type(mode).__name__}.",
                mend="model.train() switches to training, model.eval() to evaluation.",
            )
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Switch the module and its parts to evaluation mode."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Let all parameters require gradients, or none: ``False`` freezes the module."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters.

        Args:
            set_to_none: ``.grad`` becomes None; False fills it with zeros.
        """
        for parameter in self._each_parameter():
            if parameter.grad is not None:
                if set_to_none:
                    parameter.grad = None
                else:
                    parameter.grad = parameter.grad.detach().zero_()

    def to(
        self,
        target: Any = None,
        dtype: Any = None,
        non_blocking: bool = False,
        *,
        device: Any = None,
    ) -> Self:
        """Move all parameters and buffers, and cast the floating ones; they stay the same objects.

        Args:
            target: a device, a floating data type, or a Tensor of which both are taken.
            dtype: a floating data type, beside a device.
            non_blocking: taken for PyTorch's sake; a copy is always waited for.
            device: a device, by name.

        Raises:
            ArgumentTypeError: the type is not a floating one.
            DeviceError: there is no such device.
            MissingPackageError: its library is not installed.

        >>> from demograd import nn
        >>> nn.Linear(1, 1).to("float64").weight.dtype
        dtype('float64')
        """
        _convert.convert(self, target, device, dtype)
        return self

    def cpu(self) -> Self:
        """Move all parameters and buffers to NumPy."""
        return self.to(device="cpu")

    def cuda(self, device: int | None = None) -> Self:
        """Move all parameters and buffers to a GPU, by CuPy: the current one, or one by number."""
        return self.to(device="cuda" if device is None else f"cuda:{device}")

    def float(self) -> Self:
        """Cast all floating parameters and buffers to float32."""
        return self.to("float32")

    def double(self) -> Self:
        """Cast all floating parameters and buffers to float64."""
        return self.to("float64")

    def half(self) -> Self:
        """Cast all floating parameters and buffers to float16."""
        return self.to("float16")

    # State.

    def state_dict(self, *, prefix: str = "", keep_vars: bool = False) -> dict[str, Tensor]:
        """Parameters and persistent buffers by name, detached; they share the module's memory.

        Args:
            prefix: put before each name.
            keep_vars: the tensors themselves, not detached.

        >>> from demograd import nn
        >>> list(nn.Sequential(nn.Linear(2, 1)).state_dict())
        ['0.weight', '0.bias']
        """
        return _state.state_dict(self, prefix, keep_vars)

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True
    ) -> _state.IncompatibleKeys:
        """Copy values into parameters and buffers; all of them, or none if one does not fit.

        Args:
            state_dict: Tensors or arrays by name, as :meth:`state_dict` gives them, or PyTorch's
                of the same model.
            strict: names must agree. Otherwise what is missing or unexpected is left out and
                returned; shapes must agree in any case.

        Returns:
            The names that were missing and unexpected; both empty if ``strict``.

        Raises:
            StateError: names or shapes differ; all of them are listed.
        """
        return _state.load_state_dict(self, state_dict, strict)

    # Hooks.

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before each ``forward``; what it returns replaces args.

        Args:
            hook: returns None to leave the arguments, or new ones.
            prepend: before the hooks registered so far.
            with_kwargs: call ``hook(module, args, kwargs)``; it returns None or both.

        Returns:
            A handle whose ``remove()`` takes the hook away.
        """
        return _hooks.register(
            self._call_hooks, _hooks.Hook(_hooks.BEFORE, hook, with_kwargs), prepend
        )

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after each ``forward``; a result replaces output.

        Args:
            hook: returns None to leave the output, or another output.
            prepend: before the hooks registered so far.
            with_kwargs: call ``hook(module, args, kwargs, output)``.
            always_call: call it where ``forward`` or a hook has raised too, with None as output.

        Returns:
            A handle whose ``remove()`` takes the hook away.

        >>> import demograd as dg
        >>> from demograd import nn
        >>> layer, shapes = nn.Linear(2, 3), []
        >>> handle = layer.register_forward_hook(lambda module, args, out: shapes.append(out.shape))
        >>> _ = layer(dg.ones(5, 2))
        >>> handle.remove()
        >>> _ = layer(dg.ones(4, 2))
        >>> shapes
        [(5, 3)]
        """
        return _hooks.register(
            self._call_hooks, _hooks.Hook(_hooks.AFTER, hook, with_kwargs, always_call), prepend
        )

    def register_full_backward_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` when a pass reaches the outputs of a call.

        Args:
            hook: gets a tuple with the gradient of each output, None for those without one;
                returns None, or a tuple that replaces it.
            prepend: before the hooks registered so far.

        Returns:
            A handle whose ``remove()`` takes the hook away.
        """
        return _hooks.register(self._call_hooks, _hooks.Hook(_hooks.BEFORE_BACKWARD, hook), prepend)

    def register_full_backward_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` when a pass has left a call's inputs.

        With such hooks the module's inputs and outputs cannot be changed in place. Where no input
        requires a gradient the hook runs when those of the outputs are there.

        Args:
            hook: gets tuples with the gradient of each positional argument and of each output, None
                for those without one; returns None, or a tuple that replaces ``grad_input``.
            prepend: before the hooks registered so far.

        Returns:
            A handle whose ``remove()`` takes the hook away.

        >>> import demograd as dg
        >>> from demograd import nn
        >>> layer = nn.ReLU()
        >>> handle = layer.register_full_backward_hook(
        ...     lambda module, grad_input, grad_output: print(grad_input, grad_output)
        ... )
        >>> layer(dg.tensor([-1.0, 2.0], requires_grad=True)).sum().backward()
        (tensor([0., 1.]),) (tensor([1., 1.]),)
        """
        return _hooks.register(self._call_hooks, _hooks.Hook(_hooks.AFTER_BACKWARD, hook), prepend)

    # How it shows.

    def extra_repr(self) -> str:
        """The settings that printing shows; a subclass writes this."""
        return ""

    def __repr__(self) -> str:
        parts = [(name, self.__dict__[name]) for name, k in self._kinds.items() if k == MODULE]
        return _repr.tree(self._get_name(), self.extra_repr(), parts)


Registry._taken = frozenset(dir(Module))
