"""Conformance checks: what an author of a package runs in their own tests.

Each check takes the thing itself, tries what the interface promises, and raises AssertionError
with the broken promise in words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from demograd._backend import Backend, backend_of
from demograd._dtype import native
from demograd._tensor import Tensor
from demograd.autograd._engine import as_tuple, grad
from demograd.autograd._function import Function
from demograd.autograd._gradcheck import gradcheck, gradgradcheck
from demograd.interfaces import FunctionProvider, GraphNode, Model, Optimizer

__all__ = [
    "check_array_library",
    "check_backend",
    "check_function",
    "check_graph_node",
    "check_model",
    "check_optimizer",
    "check_provider",
]


def _promise(kept: bool, words: str) -> None:
    if not kept:
        raise AssertionError(words)


def check_function(
    function: type[Function] | Callable[..., Any],
    *inputs: Any,
    second_order: bool = True,
    **settings: Any,
) -> None:
    """Check that an operator keeps the promises of ``Function``.

    Its values do not depend on recording; it leaves its inputs as they were; its gradients have
    their inputs' dtype (float32 too) and agree with central differences, and so do its second
    derivatives.

    Args:
        function: a Function, or a function of Tensors.
        inputs: float64 Tensors, and constants; Tensors of floats are checked as inputs.
        second_order: whether the rule can be differentiated again.
        settings: passed on.

    >>> from demograd.operators import Mul
    >>> check_function(Mul, Tensor([1.0, 2.0], dtype="float64"), Tensor([3.0], dtype="float64"))
    """
    name = getattr(function, "__name__", repr(function))
    call: Any = getattr(function, "apply", function)

    def run(*xs: Any) -> Any:
        return call(*xs, **settings)

    given = [
        Tensor(np.array(x.detach().data), requires_grad=x.dtype.kind == "f")
        if isinstance(x, Tensor)
        else x
        for x in inputs
    ]
    before = [np.array(x.detach().data) if isinstance(x, Tensor) else x for x in given]
    recorded = as_tuple(run(*given))
    plain = as_tuple(run(*(x.detach() if isinstance(x, Tensor) else x for x in given)))
    for a, b in zip(recorded, plain, strict=True):
        _promise(isinstance(a, Tensor), f"{name}: returned {type(a).__name__}, not a Tensor")
        _promise(
            np.array_equal(np.asarray(a.detach().data), np.asarray(b.data), equal_nan=True),
            f"{name}: the value differs when it is recorded",
        )
    for x, old in zip(given, before, strict=True):
        if isinstance(x, Tensor):
            _promise(np.array_equal(np.asarray(x.detach().data), old), f"{name}: wrote to an input")
    gradcheck(run, given)
    if second_order:
        gradgradcheck(run, given)
    singles = [
        Tensor(np.array(x.detach().data, dtype=np.float32), requires_grad=True)
        if isinstance(x, Tensor) and x.requires_grad
        else x
        for x in given
    ]
    total: Any = None
    for out in as_tuple(run(*singles)):
        if out.requires_grad:
            _promise(out.dtype == np.float32, f"{name}: float32 in, {out.dtype} out")
            total = out.sum() if total is None else total + out.sum()
    total.backward()
    for x in singles:
        if isinstance(x, Tensor) and x.requires_grad and x.grad is not None:
            _promise(x.grad.dtype == np.float32, f"{name}: the gradient of float32 is not float32")


def check_array_library(
    function: type[Function] | Callable[..., Any],
    *inputs: Any,
    device: Any,
    order: int = 2,
    tolerance: float = 1e-9,
    **settings: Any,
) -> None:
    """Check that an operator's rules run on another array library as they do on NumPy.

    Values, first derivatives by the ordinary backward pass, and derivatives up to ``order`` by
    recorded ones, agree with NumPy's, and are arrays of that library.

    Args:
        function: a Function, or a function of Tensors.
        inputs: Tensors of NumPy, of which those of floats are differentiated, and constants.
        device: the library's name, its namespace, or its Backend.
        order: up to which derivative.
        tolerance: relative and absolute.
        settings: passed on.

    >>> from demograd.operators import Mul
    >>> check_array_library(Mul, Tensor([1.0, 2.0]), Tensor([3.0]), device="cpu")
    """
    name = getattr(function, "__name__", repr(function))
    call: Any = getattr(function, "apply", function)

    def run(place: Any) -> list[Tensor]:
        given = [_copied_to(x, place) if isinstance(x, Tensor) else x for x in inputs]
        outs = as_tuple(call(*given, **settings))
        found = [out.detach() for out in outs]
        leaves = [x for x in given if isinstance(x, Tensor) and x.requires_grad]
        if leaves and any(out.requires_grad for out in outs):
            _squares(outs).backward(retain_graph=True)
            found += [x.grad for x in leaves if x.grad is not None]
            for _ in range(1, order):
                total = _squares(outs)
                if not total.requires_grad:
                    break
                slopes = grad(total, leaves, create_graph=True, materialize_grads=True)
                outs = tuple(slope for slope in slopes if slope is not None)
                found += [slope.detach() for slope in outs]
        return found

    expected, actual = run("cpu"), run(device)
    _promise(len(expected) == len(actual), f"{name}: there are not as many derivatives")
    library = backend_of(_copied_to(Tensor([0.0]), device).data)
    for number, (ours, numpys) in enumerate(zip(actual, expected, strict=True)):
        _promise(
            backend_of(ours.data) is library,
            f"{name}: result {number} is on {ours.device}, not on {library.name}",
        )
        _promise(
            ours.shape == numpys.shape
            and np.allclose(
                ours.cpu().numpy(), numpys.numpy(), tolerance, tolerance, equal_nan=True
            ),
            f"{name}: result {number} differs from NumPy's",
        )


def _copied_to(x: Tensor, place: Any) -> Tensor:
    copy = x.detach().to(device=place, copy=True)
    return copy.requires_grad_() if x.dtype.kind == "f" else copy


def _squares(outs: Sequence[Tensor]) -> Tensor:
    """One number that depends on all outputs, none of them linearly."""
    total: Any = 0.0
    for out in outs:
        if out.requires_grad:
            total = total + (out * out).sum()
    return total if isinstance(total, Tensor) else Tensor(total)


def check_provider(provider: Any) -> None:
    """Check that an object can be declared under ``demograd.functions``.

    >>> check_provider(FunctionProvider("mine", functions={"double_up": lambda x: x + x}))
    """
    _promise(
        isinstance(provider, FunctionProvider),
        f"provider: expected a FunctionProvider, not {type(provider).__name__}",
    )
    _promise(bool(provider.distribution), "provider: the distribution has no name")
    for kind in ("functions", "methods", "array_functions", "numpy_functions"):
        for name, value in getattr(provider, kind).items():
            # Of an extension of the standard, or a module of NumPy's: linalg.solve.
            parts = name.split(".") if kind.endswith("y_functions") else [name]
            _promise(
                all(part.isidentifier() and not part.startswith("_") for part in parts),
                f"provider: {name!r} in {kind} is no public name",
            )
            _promise(callable(value), f"provider: {kind}[{name!r}] cannot be called")


def check_optimizer(make: Callable[..., Any], *, steps: int = 200, lr: float | None = None) -> None:
    """Check that an optimizer keeps the promises of the ``Optimizer`` interface.

    It lowers a quadratic loss; it changes parameters in place and leaves those without a gradient
    alone; it reads ``lr`` from its groups at each step; it takes groups with settings of their own;
    a state saved half-way leads to the same parameters bit for bit; ``step`` calls a closure and
    returns its loss; it refuses to be given no parameters.

    Args:
        make: the class, or a function ``make(params, **settings)``.
        steps: how many steps it may take to lower the loss to a tenth.
        lr: the learning rate for that; its own default if left out.
    """
    settings = {} if lr is None else {"lr": lr}
    x = _parameter()
    opt = make([x], **settings)
    _promise(isinstance(opt, Optimizer), "optimizer: a method or attribute of the interface lacks")
    _promise(bool(opt.param_groups) and "lr" in opt.param_groups[0], "optimizer: no lr in a group")
    memory = x.data
    first = _quadratic(x)
    for _ in range(steps):
        _train(opt, x)
    last = _quadratic(x)
    _promise(last.item() < first.item(), f"optimizer: the loss rose from {first.item()} to {last}")
    _promise(x.data is memory, "optimizer: a parameter's memory was replaced, not changed in place")
    _promise(x.is_leaf and x.requires_grad, "optimizer: a parameter is no leaf any more")

    idle = _parameter()
    make([idle], **settings).step()
    _promise(
        np.array_equal(idle.detach().numpy(), _parameter().detach().numpy()),
        "optimizer: a parameter without a gradient was changed",
    )

    still = _parameter()
    opt = make([still], **settings)
    opt.param_groups[0]["lr"] = 0.0
    opt.param_groups[0]["weight_decay"] = 0.0
    _train(opt, still)
    _promise(
        np.array_equal(still.detach().numpy(), _parameter().detach().numpy()),
        "optimizer: lr in param_groups is not what a step uses",
    )

    _check_resume(make, settings)

    a, b = _parameter(), _parameter()
    opt = make([{"params": [a]}, {"params": [b], "lr": 0.0, "weight_decay": 0.0}], **settings)
    (_quadratic(a) + _quadratic(b)).backward()
    opt.step()
    _promise(
        not np.array_equal(a.detach().numpy(), b.detach().numpy()),
        "optimizer: the settings of a group are not used",
    )
    opt.zero_grad()
    _promise(a.grad is None and b.grad is None, "optimizer: zero_grad left a gradient")
    c = _parameter()
    opt.add_param_group({"params": [c]})
    _promise(len(opt.param_groups) == 3, "optimizer: add_param_group added none")

    def closure() -> Tensor:
        opt.zero_grad()
        loss = _quadratic(a)
        loss.backward()
        return loss

    loss = opt.step(closure)
    _promise(isinstance(loss, Tensor), "optimizer: step(closure) does not return the loss")

    nothing: list[Any] = [[], iter(())]
    for wrong in nothing:
        try:
            make(wrong, **settings)
        except ValueError:
            continue
        raise AssertionError("optimizer: no parameters at all raised no ValueError")


def _parameter() -> Tensor:
    return Tensor(np.array([3.0, -2.0, 0.5, 4.0]), requires_grad=True)


def _quadratic(x: Tensor) -> Tensor:
    return (x * x * Tensor(np.array([1.0, 0.5, 2.0, 0.1]))).sum()


def _train(opt: Any, x: Tensor) -> None:
    opt.zero_grad()
    _quadratic(x).backward()
    opt.step()


def _check_resume(make: Callable[..., Any], settings: dict[str, Any]) -> None:
    x = _parameter()
    opt = make([x], **settings)
    for _ in range(5):
        _train(opt, x)
    kept, values = opt.state_dict(), np.array(x.detach().data)
    for _ in range(5):
        _train(opt, x)
    y = Tensor(values, requires_grad=True)
    resumed = make([y], **settings)
    resumed.load_state_dict(kept)
    for _ in range(5):
        _train(resumed, y)
    _promise(
        np.array_equal(x.detach().numpy(), y.detach().numpy()),
        "optimizer: a run resumed from state_dict differs from the unbroken one",
    )


def check_model(model: Any, *inputs: Any) -> None:
    """Check that a model keeps the promises of the ``Model`` interface."""
    _promise(isinstance(model, Model), "model: a method or attribute of the interface lacks")
    names = [name for name, _ in model.named_parameters()]
    _promise(len(names) == len(set(names)), "model: two parameters have one name")
    _promise(
        [id(p) for p in model.parameters()] == [id(p) for _, p in model.named_parameters()],
        "model: parameters() and named_parameters() differ",
    )
    for name, p in model.named_parameters():
        _promise(isinstance(p, Tensor) and p.is_leaf, f"model: {name} is no leaf Tensor")
    model.eval()
    _promise(model.training is False, "model: eval() left training on")
    first = [np.array(out.detach().data) for out in as_tuple(model(*inputs))]
    state = {name: np.array(t.detach().data) for name, t in model.state_dict().items()}
    _promise(set(names) <= set(state), "model: a parameter is not in state_dict()")
    for p in model.parameters():
        p.data = p.data + 1.0
    model.load_state_dict({name: Tensor(values) for name, values in state.items()})
    second = [np.array(out.detach().data) for out in as_tuple(model(*inputs))]
    _promise(
        all(np.array_equal(a, b) for a, b in zip(first, second, strict=True)),
        "model: the output differs after its own state was loaded again",
    )
    model.train()
    _promise(model.training is True, "model: train() left training off")


def check_graph_node(node: Any) -> None:
    """Check that a node of a recorded graph can be drawn.

    >>> check_graph_node((Tensor(1.0, requires_grad=True) * 2).grad_fn)
    """
    _promise(isinstance(node, GraphNode), "graph node: an attribute of the interface lacks")
    _promise(isinstance(node.name, str) and bool(node.name), "graph node: it has no name")
    _promise(
        len(node.output_shapes) == len(node.output_dtypes) >= 1, "graph node: outputs disagree"
    )
    for source in node.next_functions:
        if isinstance(source, Function):
            _promise(source.time < node.time, "graph node: an input is not earlier than its use")


def check_backend(backend: Backend, arrays: Sequence[Any] | Iterable[Any] = ()) -> None:
    """Check that a backend has what rules use beyond the array API standard.

    Args:
        backend: the backend.
        arrays: some arrays of the library; float64 vectors made by it if left out.
    """
    values = backend.to_numpy
    for x in arrays or [backend.asarray([1.0, 2.0, 3.0])]:
        rows = backend.index_add((4,), np.array([0, 1, 0]), x)
        _promise(
            np.allclose(
                values(rows),
                [values(x)[0] + values(x)[2], values(x)[1], 0, 0],
            ),
            "backend: index_add does not add up what repeats",
        )
        back = backend.from_numpy(np.array(values(x)))
        _promise(
            type(back) is type(x) and np.array_equal(values(back), values(x)),
            "backend: from_numpy does not give back what to_numpy took",
        )
        _promise(
            backend.astype(x, np.dtype("float32")).dtype != x.dtype
            or native(x.dtype) == np.dtype("float32"),
            "backend: astype does not take NumPy's data types",
        )
        _promise(isinstance(backend.device_of(x), str), "backend: device_of gives no name")
        changed = backend.index_set(x, 0, 7.0)
        _promise(
            float(changed[0]) == 7.0 and float(x[0]) != 7.0,
            "backend: index_set must change a copy",
        )
        seen = backend.windows(x, 0, 2, 1, 1)
        _promise(
            np.array_equal(values(seen), [values(x)[:2], values(x)[1:]]),
            "backend: windows does not show each window of the axis",
        )
        parts = [((slice(i, i + 2),), backend.index(seen, i)) for i in range(2)]
        _promise(
            np.allclose(values(backend.overlap_add((3,), parts)), values(x) * [1, 2, 1]),
            "backend: overlap_add does not add up where parts overlap",
        )
        apart = [((slice(1, 3),), backend.index(x, slice(0, 2)))]
        _promise(
            np.allclose(
                values(backend.overlap_add((3,), apart, disjoint=True)),
                [0, *values(x)[:2]],
            ),
            "backend: overlap_add does not put each of disjoint parts at its place",
        )
