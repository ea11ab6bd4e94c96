"""``summary``: the layers of a model with their output shapes and parameter counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, Any

import demograd as dg
from demograd import Tensor
from demograd.errors import ArgumentError, ArgumentTypeError
from demograd.interfaces import Model
from demograd.viz._inference import inference, modules_of

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["Row", "Summary", "summary"]


@dataclass(frozen=True)
class Row:
    """One layer of a :class:`Summary`.

    Attributes:
        path: its place in the model, such as ``encoder.0``; empty for the model itself.
        guide: the lines of the tree before its name.
        kind: its class.
        shapes: of its outputs, at its first call; empty if it was not called.
        calls: how often it was called.
        trainable, frozen: numbers in its own parameters, with and without a gradient. A shared
            parameter counts where it comes up first.
    """

    path: str
    guide: str
    kind: str
    shapes: tuple[tuple[int, ...], ...] = ()
    calls: int = 0
    trainable: int = 0
    frozen: int = 0

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition(".")[2]


@dataclass(frozen=True)
class Summary:
    """What :func:`summary` found: a table in terminals and notebooks, and its numbers.

    ``print(s)`` gives plain text, ``s.print()`` colours where the terminal has them, and a
    notebook shows a table of HTML.

    Attributes:
        rows: the layers, in the order of the model's ``named_modules()``.
        trainable, frozen: numbers in all parameters, with and without a gradient.
        input_bytes, output_bytes, parameter_bytes: the memory of the inputs, of what the
            innermost layers gave out, and of the parameters.
    """

    rows: tuple[Row, ...]
    trainable: int
    frozen: int
    input_bytes: int
    output_bytes: int
    parameter_bytes: int

    @property
    def parameters(self) -> int:
        """Numbers in all parameters."""
        return self.trainable + self.frozen

    @property
    def total_bytes(self) -> int:
        """Inputs, outputs and parameters together."""
        return self.input_bytes + self.output_bytes + self.parameter_bytes

    def print(self, file: IO[str] | None = None) -> None:
        """Print it by rich, to the standard output if no file is given."""
        from rich.console import Console

        Console(file=file).print(self)

    def __str__(self) -> str:
        from demograd.viz._summary_table import plain

        return plain(self)

    __repr__ = __str__

    def __rich__(self) -> RenderableType:
        from demograd.viz._summary_table import renderable

        return renderable(self)

    def _repr_html_(self) -> str:
        from demograd.viz._summary_table import html

        return html(self)


def summary(
    model: Model,
    *inputs: Any,
    input_size: Sequence[int] | Sequence[Sequence[int]] | None = None,
    dtype: Any = None,
    depth: int | None = None,
) -> Summary:
    """The layers of a model: names, classes, output shapes and numbers of parameters.

    The model is run once in evaluation mode without recording; its modes, hooks, gradients and
    the random numbers are afterwards what they were. Without inputs it is not run, and shapes are
    left out.

    Args:
        model: what to look at. Parts are listed if it has ``named_modules()``, their outputs if
            they have ``register_forward_hook()``.
        inputs: what the model is called with.
        input_size: instead of inputs, the shape of one, or a list of shapes, with the batch.
        dtype: of the inputs made from ``input_size``: random numbers for floats (the default
            type if left out), zeros for integers.
        depth: how deep the tree of layers is shown; what is deeper counts for the layer above.

    Raises:
        ArgumentTypeError: it is no model.
        ArgumentError: both inputs and ``input_size`` are given, or ``depth`` is negative.

    >>> class Scale:
    ...     training = True
    ...     weight = dg.ones(3, requires_grad=True)
    ...
    ...     def __call__(self, x):
    ...         return x * self.weight
    ...
    ...     def parameters(self):
    ...         return iter([self.weight])
    ...
    ...     def named_parameters(self):
    ...         return [("weight", self.weight)]
    ...
    ...     def state_dict(self):
    ...         return {"weight": self.weight}
    ...
    ...     def load_state_dict(self, state):
    ...         pass
    ...
    ...     def train(self, mode=True):
    ...         self.training = mode
    ...
    ...     def eval(self):
    ...         self.train(False)
    >>> found = summary(Scale(), input_size=(2, 3))
    >>> found.rows[0].shapes, found.parameters, found.total_bytes
    (((2, 3),), 3, 60)
    """
    if not isinstance(model, Model):
        raise ArgumentTypeError(
            f"summary: expected a model, not {type(model).__name__}.",
            mend="A model has what demograd.interfaces.Model names: its methods and training.",
        )
    if depth is not None and depth < 0:
        raise ArgumentError(f"summary: depth is {depth}.", mend="Use 0 for the model alone.")
    if input_size is not None:
        if inputs:
            raise ArgumentError(
                "summary: both inputs and input_size are given.", mend="Leave one of them out."
            )
        inputs = _make_inputs(input_size, dtype)
    parts = modules_of(model)
    parameters = [(name, p) for name, p in model.named_parameters()]
    seen = _run(model, parts, inputs) if inputs else {}
    containers = {path.rpartition(".")[0] for path, _ in parts if path}
    innermost = [seen[path] for path, _ in parts if path in seen and path not in containers]
    trainable = sum(p.numel() for _, p in parameters if p.requires_grad)
    return Summary(
        rows=tuple(_rows(parts, parameters, seen, depth)),
        trainable=trainable,
        frozen=sum(p.numel() for _, p in parameters) - trainable,
        input_bytes=sum(x.nbytes for x in _tensors(inputs)),
        output_bytes=sum(outputs.nbytes for outputs in innermost),
        parameter_bytes=sum(p.nbytes for _, p in parameters),
    )


def _make_inputs(size: Any, dtype: Any) -> tuple[Tensor, ...]:
    shapes = [size] if not size or isinstance(size[0], int) else size
    generator = dg.Generator(0)
    if dtype is None or dg.zeros((), dtype=dtype).dtype.kind == "f":
        return tuple(dg.rand(*shape, generator=generator, dtype=dtype) for shape in shapes)
    return tuple(dg.zeros(*shape, dtype=dtype) for shape in shapes)


@dataclass
class _Outputs:
    """What a layer gave out."""

    shapes: tuple[tuple[int, ...], ...]
    calls: int = 0
    nbytes: int = 0


def _run(
    model: Any, parts: Sequence[tuple[str, Any]], inputs: tuple[Any, ...]
) -> dict[str, _Outputs]:
    """Call the model; what each part gave out, by path."""
    seen: dict[str, _Outputs] = {}

    def note(path: str, out: Any) -> None:
        tensors = list(_tensors(out))
        noted = seen.setdefault(path, _Outputs(tuple(x.shape for x in tensors)))
        noted.calls += 1
        noted.nbytes += sum(x.nbytes for x in tensors)

    with ExitStack() as stack:
        stack.enter_context(inference(model))
        for path, part in parts:
            if hasattr(part, "register_forward_hook"):
                handle = part.register_forward_hook(
                    lambda _module, _inputs, out, path=path: note(path, out)
                )
                stack.callback(handle.remove)
        out = model(*inputs)
        if "" not in seen:
            note("", out)
    return seen


def _tensors(values: Any) -> Iterator[Tensor]:
    """The tensors in nested tuples, lists and dicts, in order."""
    stack = [values]
    while stack:
        value = stack.pop()
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, Mapping):
            stack += reversed(list(value.values()))
        elif isinstance(value, (tuple, list)):
            stack += reversed(value)


def _prefixes(path: str) -> Iterator[str]:
    """The paths of everything around a part: ``a.b`` and ``a`` and the model of ``a.b.0``."""
    while path:
        path = path.rpartition(".")[0]
        yield path


def _rows(
    parts: Sequence[tuple[str, Any]],
    parameters: Sequence[tuple[str, Tensor]],
    seen: Mapping[str, _Outputs],
    depth: int | None,
) -> list[Row]:
    rows: dict[str, Row] = {}
    for path, part in parts:
        if depth is None or _depth(path) <= depth:
            outputs = seen.get(path, _Outputs(()))
            rows[path] = Row(path, "", _kind(part), outputs.shapes, outputs.calls)
    for name, p in parameters:
        path = next(prefix for prefix in _prefixes(name) if prefix in rows)
        row, number = rows[path], p.numel()
        if p.requires_grad:
            rows[path] = replace(row, trainable=row.trainable + number)
        else:
            rows[path] = replace(row, frozen=row.frozen + number)
    # From the last row upwards it is known whether more rows of a depth follow below.
    following: set[int] = set()
    out: list[Row] = []
    for row in reversed(rows.values()):
        level = _depth(row.path)
        guide = "".join("│  " if k in following else "   " for k in range(1, level))
        if level:
            guide += "├─ " if level in following else "└─ "
        following = {k for k in following if k < level} | {level}
        out.append(replace(row, guide=guide))
    return out[::-1]


def _depth(path: str) -> int:
    return path.count(".") + 1 if path else 0


def _kind(part: Any) -> str:
    # A module may say what it shows as, as in PyTorch: one that wraps a function, for example.
    name = getattr(part, "_get_name", None)
    return str(name()) if callable(name) else type(part).__name__
