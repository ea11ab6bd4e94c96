"""What demograd's packages, and packages from outside, know of one another.

Each interface has a conformance check in :mod:`demograd.testing` that an outside author runs in
their own tests.

===================  ==========================  ================================================
interface            entry point                 check
===================  ==========================  ================================================
Function                                         :func:`demograd.testing.check_function`
FunctionProvider     ``demograd.functions``      :func:`demograd.testing.check_provider`
Optimizer            ``demograd.optimizers``     :func:`demograd.testing.check_optimizer`
Model                                            :func:`demograd.testing.check_model`
GraphNode                                        :func:`demograd.testing.check_graph_node`
Backend              ``demograd.backends``       :func:`demograd.testing.check_backend`
===================  ==========================  ================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from demograd._backend import Backend
from demograd._place import Place
from demograd._tensor import Tensor
from demograd.autograd._function import Function

__all__ = ["Backend", "Function", "FunctionProvider", "GraphNode", "Model", "Optimizer"]


@dataclass(frozen=True)
class FunctionProvider:
    """What a package adds to ``dg.``, to Tensor and to the namespace of rules.

    A distribution makes one of these and declares it in its pyproject.toml::

        [project.entry-points."demograd.functions"]
        mish = "demograd_mish:provider"

    Nothing is patched at import; the names are looked up when they are used. Two packages that
    offer one name are an error that names both.

    Args:
        distribution: the name of the distribution, for messages.
        functions: what ``dg.<name>`` finds.
        methods: what ``x.<name>`` finds; each takes the tensor first.
        array_functions: what ``xp.<name>`` finds in a rule that runs on Tensors, where the array
            API standard's name or signature differs from that in ``functions``; a dotted name,
            ``linalg.solve``, is one of an extension.
        numpy_functions: what ``np.<name>`` does with Tensors, under NumPy's own name (``sum``,
            ``linalg.norm``) and with NumPy's arguments.

    >>> provider = FunctionProvider("demograd-double", functions={"double_up": lambda x: x + x})
    >>> provider.functions["double_up"](2)
    4
    """

    distribution: str
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    methods: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    array_functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    numpy_functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)


@runtime_checkable
class Optimizer(Protocol):
    """What training code asks of an optimizer.

    An outside optimizer needs demograd-tensor alone. Its constructor takes the parameters (an
    iterable of Tensors, or of dicts with ``params`` and settings) and keyword settings that all
    have defaults, ``lr`` among them, and it is declared as an entry point::

        [project.entry-points."demograd.optimizers"]
        lion = "demograd_lion:Lion"

    Attributes:
        param_groups: dicts with ``params``, ``lr`` and the other settings; a schedule writes
            to ``lr``.
    """

    param_groups: list[dict[str, Any]]

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change the parameters in place by their gradients; return what ``closure`` returned."""

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients."""

    def state_dict(self) -> dict[str, Any]:
        """The state and settings: ``state`` by parameter number, and ``param_groups``."""

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from what ``state_dict`` gave."""

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Optimize further parameters."""


@runtime_checkable
class Model(Protocol):
    """What training code and pictures ask of a model: a callable with parameters and two modes."""

    training: bool

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output."""

    def parameters(self) -> Iterator[Tensor]:
        """The tensors to be trained."""

    def named_parameters(self) -> Iterable[tuple[str, Tensor]]:
        """The same with their names."""

    def state_dict(self) -> Mapping[str, Any]:
        """Parameters and buffers by name."""

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> Any:
        """Take over parameters and buffers."""

    def train(self, mode: bool = True) -> Any:
        """Switch to training."""

    def eval(self) -> Any:
        """Switch to evaluation."""


@runtime_checkable
class GraphNode(Protocol):
    """A read-only view of one recorded operation; ``tensor.grad_fn`` is one.

    Attributes:
        name: the operator, such as ``Mul``.
        next_functions: for each input the node that computed it, the leaf Tensor, or None.
        output_shapes, output_dtypes: of each output.
        nbytes_saved: bytes held for the backward pass.
        time: the node's number; later nodes have larger ones.
        scopes: calls that ended with this node: (time of the start, label), innermost first. Nodes
            reached from it that are not older than the start belong to the call.
        place: the line of the user's code that made it, under ``dg.debug()``; else None.
        module_path: the modules in whose calls it was made, under the same; else empty.
    """

    @property
    def name(self) -> str: ...

    @property
    def next_functions(self) -> tuple[Any, ...]: ...

    @property
    def output_shapes(self) -> tuple[tuple[int, ...], ...]: ...

    @property
    def output_dtypes(self) -> tuple[Any, ...]: ...

    @property
    def nbytes_saved(self) -> int: ...

    @property
    def time(self) -> int: ...

    @property
    def scopes(self) -> tuple[tuple[int, str], ...]: ...

    @property
    def place(self) -> Place | None: ...

    @property
    def module_path(self) -> str: ...
