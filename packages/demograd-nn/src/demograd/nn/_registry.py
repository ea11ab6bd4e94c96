"""What belongs to a module: its parameters, buffers and parts, and the walks over them.

They are attributes of the module and nothing else. ``_kinds`` remembers, in the order of
registration, which attributes they are, and every walk reads it. Looking one up costs what any
attribute costs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, cast

from demograd import Tensor
from demograd.autograd import note_replaced
from demograd.errors import ArgumentError, ArgumentTypeError, GradientError, MissingNameError, warn
from demograd.nn._parameter import Parameter

if TYPE_CHECKING:
    from demograd.nn._module import Module

__all__ = ["BUFFER", "MODULE", "OWN", "PARAMETER", "TRANSIENT", "Registry"]

# What a registered attribute is; a transient buffer is left out of state_dict.
PARAMETER, BUFFER, TRANSIENT, MODULE = "parameter", "buffer", "transient buffer", "module"

# What __init__ makes: one of these is missing only if __init__ has not run.
OWN = frozenset(["training", "_kinds", "_name", "_label", "_looked", "_call_hooks"])


class Registry:
    """The part of :class:`Module` that keeps what belongs to it.

    Attributes:
        _kinds: which attributes are registered, and as what.
        _name: the name under which this module itself was registered.
        _label: name and class, for pictures and messages.
        _looked: whether the parameters were asked for before; see ``_forgotten.py``.
        _taken: names that would hide a method of every module.
    """

    _looked: bool
    _taken: ClassVar[frozenset[str]] = frozenset()
    _kinds: dict[str, str]
    _name: str
    _label: str

    def __init__(self) -> None:
        own = self.__dict__
        own["_kinds"] = {}
        own["_name"] = ""
        own["_label"] = self._get_name()
        own["_looked"] = False

    def _get_name(self) -> str:
        return type(self).__name__

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Parameter):
            self._register(name, value, PARAMETER)
        elif isinstance(value, Registry):
            self._register(name, value, MODULE)
        elif (kind := self.__dict__.get("_kinds", {}).get(name)) is not None:
            self._replace(name, value, kind)
        else:
            if name == "requires_grad" and not hasattr(type(self), name):
                _warn_of_requires_grad(self, value)
            object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        if self._kinds.pop(name, None) is not None:
            del self.__dict__[name]
        else:
            object.__delattr__(self, name)

    def __getattr__(self, name: str) -> NoReturn:
        # Reached only for what is not there.
        if name in OWN:
            raise _not_initialised(self, "the module was used")
        error = MissingNameError(f"{type(self).__name__} has no attribute {name!r}.")
        # With these two Python itself suggests a name that is close.
        error.name, error.obj = name, self
        try:
            raise error
        finally:
            del error  # its traceback holds this frame: no cycle is to be left to the collector

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.isdigit()]

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Make ``param`` the parameter ``name``; None keeps the place for one that is not used.

        Raises:
            ArgumentTypeError: it is neither a Parameter nor None.
            ArgumentError: the name is empty, has a dot, or is taken by another attribute.
        """
        if param is not None and not isinstance(param, Parameter):
            raise _wrong_kind(self, name, param, PARAMETER)
        self._check_name(name, PARAMETER)
        self._register(name, param, PARAMETER)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Make ``tensor`` the buffer ``name``: state that is kept and not trained.

        Args:
            name: the attribute's name.
            tensor: the value, or None to keep the place.
            persistent: whether ``state_dict`` has it.

        Raises:
            ArgumentTypeError: it is neither a Tensor nor None.
            ArgumentError: the name is empty, has a dot, or is taken by another attribute.

        >>> from demograd import nn
        >>> module = nn.Module()
        >>> module.register_buffer("steps", Tensor(0))
        >>> module.state_dict()
        {'steps': tensor(0)}
        """
        if tensor is not None and not isinstance(tensor, Tensor):
            raise _wrong_kind(self, name, tensor, BUFFER)
        self._check_name(name, BUFFER)
        self._register(name, tensor, BUFFER if persistent else TRANSIENT)

    def register_module(self, name: str, module: Module | None) -> None:
        """Make ``module`` the part ``name``; as :meth:`add_module`."""
        self.add_module(name, module)

    def add_module(self, name: str, module: Module | None) -> None:
        """Make ``module`` the part ``name``; None keeps the place.

        Raises:
            ArgumentTypeError: it is neither a Module nor None.
            ArgumentError: the name is empty, has a dot, or is taken by another attribute.
        """
        if module is not None and not isinstance(module, Registry):
            raise _wrong_kind(self, name, module, MODULE)
        self._check_name(name, MODULE)
        self._register(name, module, MODULE)

    def _check_name(self, name: str, kind: str) -> None:
        if not isinstance(name, str):
            raise ArgumentTypeError(
                f"{type(self).__name__}: the name of a {kind} is text, not {type(name).__name__}."
            )
        if not name or "." in name:
            raise ArgumentError(
                f"{type(self).__name__}: {name!r} cannot be the name of a {kind}.",
                mend="A name is not empty and has no dot: dots join the names of nested modules.",
            )
        former = self._kinds.get(name)
        same = former == kind or (former == TRANSIENT and kind == BUFFER)
        if hasattr(self, name) and not same and name not in self._taken:
            raise ArgumentError(
                f"{type(self).__name__}: there is an attribute {name!r} already.",
                [f"{name}: {former or type(getattr(self, name)).__name__}"],
                "Use another name.",
            )

    def _register(self, name: str, value: Any, kind: str) -> None:
        if "_kinds" not in self.__dict__:
            raise _not_initialised(self, f"{name!r} was assigned")
        if name in self._taken:
            raise ArgumentError(
                f"{type(self).__name__}: {name!r} is a method of every module.",
                [f"{name}: {kind}"],
                "Use another name.",
            )
        if isinstance(value, Parameter):
            if value.grad_fn is not None:
                raise GradientError(
                    f"{type(self).__name__}.{name}: a parameter is a leaf, and this was computed.",
                    [f"{name}: made by {value.grad_fn.name}"],
                    f"Keep the leaf as the parameter, and compute {name} in forward.",
                )
            if value.name is None:
                value.name = name
        elif isinstance(value, Registry):
            value._set_name(self._name_of(name))
        if self._kinds.get(name) != kind:
            self._kinds.pop(name, None)  # another kind is another place in the order
            self._kinds[name] = kind
        former = self.__dict__.get(name)
        # For the optimizer that has the former ones.
        if former is not None and former is not value:
            note_replaced(_parameters_of(former), _parameters_of(value))
        self.__dict__[name] = value

    def _replace(self, name: str, value: Any, kind: str) -> None:
        fits = value is None or (kind in (BUFFER, TRANSIENT) and isinstance(value, Tensor))
        if not fits:
            raise _wrong_kind(self, name, value, kind)
        self.__dict__[name] = value

    def _set_name(self, name: str) -> None:
        """Hear the name under which this module was registered."""
        self.__dict__["_name"] = name
        self.__dict__["_label"] = f"{name}: {self._get_name()}"

    def _name_of(self, child: str) -> str:
        """The name by which a part is told apart in pictures and messages."""
        return child

    # Walks.

    def _registered(self, *kinds: str) -> list[tuple[str, Any]]:
        """Name and value of the registered attributes of some kinds, without the empty places."""
        own = self.__dict__
        return [
            (name, value)
            for name, kind in self._kinds.items()
            if kind in kinds and (value := own[name]) is not None
        ]

    def _named_members(
        self, kinds: tuple[str, ...], prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        modules: Iterable[tuple[str, Registry]] = [(prefix, self)]
        if recurse:
            modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
        for path, module in modules:
            for name, value in module._registered(*kinds):
                if not remove_duplicate or id(value) not in seen:
                    seen.add(id(value))
                    yield f"{path}.{name}" if path else name, value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Name and value of each parameter; a shared one once, under its first name.

        Args:
            prefix: put before each name.
            recurse: those of the parts too.
            remove_duplicate: False gives a shared parameter under each of its names.

        >>> from demograd import nn
        >>> [(name, p.shape) for name, p in nn.Linear(3, 2).named_parameters()]
        [('weight', (2, 3)), ('bias', (2,))]
        """
        if recurse and not self._looked:
            self._look_for_forgotten()
        return self._named_members((PARAMETER,), prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, each once: what an optimizer is given."""
        if recurse and not self._looked:
            self._look_for_forgotten()
        return self._each_parameter(recurse)

    def _each_parameter(self, recurse: bool = True) -> Iterator[Parameter]:
        """The same, without a look at what was forgotten."""
        # Some people ask at every step, so without the names.
        found: dict[int, Parameter] = {}
        seen: set[Registry] = set()
        modules: list[Registry] = [self]
        while modules:
            module = modules.pop()
            if not module._kinds or module in seen:
                continue
            seen.add(module)
            parts = []
            own = module.__dict__
            for name, kind in module._kinds.items():
                value = own[name]
                if value is None:
                    continue
                if kind == PARAMETER:
                    found[id(value)] = value
                elif kind == MODULE:
                    parts.append(value)
            if recurse:
                parts.reverse()
                modules += parts
        return iter(found.values())

    def _look_for_forgotten(self) -> None:
        from demograd.nn._forgotten import warn_of_forgotten

        self.__dict__["_looked"] = True
        warn_of_forgotten(self)

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Name and value of each buffer; the arguments are those of :meth:`named_parameters`."""
        return self._named_members((BUFFER, TRANSIENT), prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers, each once."""
        return (b for _, b in self.named_buffers(recurse=recurse))

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Name and value of each part, without the parts of parts; a repeated one once."""
        seen: set[Module] = set()
        for name, module in self._registered(MODULE):
            if module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """The parts, without the parts of parts."""
        return (module for _, module in self.named_children())

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """Path and value of the module itself, its parts, and theirs; a repeated one once.

        >>> from demograd import nn
        >>> [path for path, _ in nn.Sequential(nn.Linear(2, 2), nn.ReLU()).named_modules()]
        ['', '0', '1']
        """
        seen = set() if memo is None else memo
        stack: list[tuple[str, Module]] = [(prefix, cast("Module", self))]
        while stack:
            path, module = stack.pop()
            if remove_duplicate and module in seen:
                continue
            seen.add(module)
            yield path, module
            for name, part in reversed(module._registered(MODULE)):
                stack.append((f"{path}.{name}" if path else name, part))

    def modules(self) -> Iterator[Module]:
        """The module itself, its parts, and theirs, each once."""
        return (module for _, module in self.named_modules())

    def get_submodule(self, target: str) -> Module:
        """The part at a path such as ``"encoder.0"``; the module itself for ``""``.

        Raises:
            MissingNameError: there is none.
        """
        module = cast("Module", self)
        for name in target.split(".") if target else ():
            if module._kinds.get(name) != MODULE or module.__dict__[name] is None:
                raise _no_such(self, target, MODULE, dict(self.named_modules()))
            module = module.__dict__[name]
        return module

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a path such as ``"encoder.0.weight"``.

        Raises:
            MissingNameError: there is none.
        """
        known = dict(self.named_parameters(remove_duplicate=False))
        if target not in known:
            raise _no_such(self, target, PARAMETER, known)
        return known[target]

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a path such as ``"norm.running_mean"``.

        Raises:
            MissingNameError: there is none.
        """
        known = dict(self.named_buffers(remove_duplicate=False))
        if target not in known:
            raise _no_such(self, target, BUFFER, known)
        return known[target]


def _not_initialised(module: Registry, what: str) -> MissingNameError:
    kind = type(module).__name__
    return MissingNameError(
        f"{kind}: {what} before super().__init__() ran.",
        mend=f"Begin {kind}.__init__ with super().__init__().",
    )


def _warn_of_requires_grad(module: Registry, value: Any) -> None:
    warn(
        f"{type(module).__name__}.requires_grad: a module has no such attribute, so nothing heeds "
        "it.",
        [f"requires_grad: {value!r}"],
        "module.requires_grad_(False) freezes all its parameters, requires_grad_(True) thaws them.",
    )


def _parameters_of(value: Any) -> list[Any]:
    """The parameters that a registered attribute has or is."""
    if isinstance(value, Registry):
        return list(value._each_parameter())
    return [value] if isinstance(value, Parameter) else []


def _wrong_kind(module: Registry, name: str, value: Any, kind: str) -> ArgumentTypeError:
    owner, found = type(module).__name__, type(value).__name__
    expected, mend = {
        PARAMETER: ("a Parameter", f"nn.Parameter(value) makes one; {name}.copy_(value) under "
                    "dg.no_grad() changes the values of the one that is there."),
        MODULE: ("a Module", "nn.Lambda(function) makes one of a function."),
    }.get(kind, ("a Tensor", "dg.tensor(value) makes one."))  # fmt: skip
    return ArgumentTypeError(
        f"{owner}.{name}: a {kind} is {expected} or None, not {found}.", mend=mend
    )


def _no_such(
    module: Registry, target: str, kind: str, known: Mapping[str, Any]
) -> MissingNameError:
    names = [name for name in known if name]
    return MissingNameError(
        f"{type(module).__name__}: there is no {kind} {target!r}.",
        [f"it has: {', '.join(names) or 'none'}"],
    )
