"""Each row of the page on differences from PyTorch, run in both libraries.

A row is a program and what it gives in PyTorch and in demograd: a value, or a type of exception.
A row of the page without a program here, or the other way round, fails.
"""

import copy
import pickle
import re
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.utils.data

import demograd as dg
import demograd.data

PAGE = Path(__file__).parents[2] / "docs" / "differences.md"


class Library:
    """The names that differ between the two, so that a program can be written once."""

    def __init__(self, root, data):
        self.root = root
        self.data = data

    def __getattr__(self, name):
        return getattr(self.root, name)


LIBRARIES = [Library(torch, torch.utils.data), Library(dg, demograd.data)]


def outcome(program, library):
    """What a program gives: its value, or the type of what it raised or warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            value = program(library)
        except Exception as error:  # noqa: BLE001 - the type is the outcome
            return type(error)
    return (value, caught[0].category) if caught else value


def leaf(lib, *values):
    return lib.tensor(list(values), requires_grad=True)


def a_softmax_too_many(lib):
    logits = lib.zeros(2, 3, requires_grad=True)
    probabilities = lib.nn.Softmax(dim=1)(logits)
    return round(lib.nn.CrossEntropyLoss()(probabilities, lib.tensor([0, 2])).item(), 4)


def anomaly_in_another_thread(lib):
    seen = []

    def work():
        x = lib.zeros(1, requires_grad=True)
        try:
            (x.sqrt() * 0).sum().backward()
            seen.append("passes")
        except RuntimeError:
            seen.append("raises")

    with warnings.catch_warnings(), lib.autograd.set_detect_anomaly(True):
        warnings.simplefilter("ignore")  # PyTorch shows the traceback of forward as a warning
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    return seen


def saved_intermediates(lib):
    class Third(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            square = x * x
            ctx.save_for_backward(x, square)
            return square * x

        @staticmethod
        def backward(ctx, grad):
            x, square = ctx.saved_tensors
            return (square + 2 * x * x) * grad

    x = lib.tensor(2.0, requires_grad=True)
    (first,) = lib.autograd.grad(Third.apply(x), x, create_graph=True)
    (second,) = lib.autograd.grad(first, x)
    return second.item()


def gradients_after_an_exception(lib):
    class Broken(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, grad):
            raise ArithmeticError

    x, y = leaf(lib, 2.0), leaf(lib, 2.0)
    broken = Broken.apply(x)
    with pytest.raises(ArithmeticError):
        (broken + y * 3).sum().backward()
    return [None if t.grad is None else t.grad.tolist() for t in (x, y)]


def numpy_functions(lib):
    np.sin(leaf(lib, 0.0)).sum().backward()
    with pytest.raises(TypeError):
        np.fft.fft(leaf(lib, 0.0))
    return "recorded"


def array_on_the_left(lib):
    return (np.ones(1) * leaf(lib, 2.0)).requires_grad


def the_constructor(lib):
    array = np.zeros(2)
    made, copied = lib.Tensor(array), lib.tensor(array)
    array[0] = 7.0
    return (
        str(made.dtype).removeprefix("torch."), made.tolist(), lib.Tensor(3).numel(),
        copied.tolist(),
    )  # fmt: skip


def strides(lib):
    x = lib.ones(2, 3)
    return x.stride(), x.is_contiguous()


def mixed_products(lib):
    a, b = lib.ones(2, 2), lib.ones(2, 2, dtype=lib.float64)
    with pytest.raises(RuntimeError):
        lib.nn.Linear(2, 2)(b)
    return (a @ b).dtype == lib.float64


def negative_steps(lib):
    x = leaf(lib, 1.0, 2.0)
    (x[::-1] * lib.tensor([1.0, 3.0])).sum().backward()
    return x.grad.tolist()


def random_numbers(lib):
    lib.manual_seed(0)
    first = lib.rand(3)
    lib.manual_seed(0)
    assert lib.rand(3).tolist() == first.tolist()
    return round(first[0].item(), 4)


def callables_in_sequential(lib):
    return lib.nn.Sequential(lib.nn.Linear(2, 3), lambda x: x * 0)(lib.ones(1, 2)).tolist()


def a_used_up_generator(lib):
    class Stream(lib.data.IterableDataset):
        def __init__(self):
            self.values = iter([1.0, 2.0, 3.0])

        def __iter__(self):
            return self.values

    loader = lib.data.DataLoader(Stream())
    return [len(list(loader)) for _ in range(2)]


def a_parameter_twice(lib):
    x = leaf(lib, 1.0)
    return len(lib.optim.SGD([x, x], lr=0.1).param_groups)


def settings_for_speed(lib):
    return [
        len(lib.optim.Adam([leaf(lib, 1.0)], **{name: False}).param_groups)
        for name in ("foreach", "fused", "capturable", "differentiable")
    ]


def saved_files(lib, tmp_path):
    path = tmp_path / "state"
    lib.save({"weight": lib.ones(2)}, path)
    if lib.root is torch:
        return path.read_bytes()[:2]
    from safetensors.numpy import load_file

    return load_file(path)["weight"].tolist()


def unsigned_types(lib):
    return [hasattr(lib.root, name) for name in ("bfloat16", "uint16", "float16", "uint8")]


def devices(lib):
    assert lib.ones(2, device="cpu").to("cpu").tolist() == [1.0, 1.0]
    return lib.ones(2, device="meta").device.type


def data_exchanged(lib):
    x = leaf(lib, 2.0, 3.0)
    y = x * x
    new = lib.tensor([10.0, 10.0])
    x.data = new if lib.root is torch else new.numpy()
    y.sum().backward()
    return x.grad.tolist()


def an_index_changed_afterwards(lib):
    x, index = leaf(lib, 1.0, 2.0, 3.0), lib.tensor([0, 1])
    y = x[index]
    index[0] = 2
    y.sum().backward()
    return x.grad.tolist()


def places_named_twice(lib):
    values, y = leaf(lib, 1.0, 2.0), lib.zeros(2)
    y[[0, 0]] = values
    y.sum().backward()
    return y.tolist() in ([1.0, 0.0], [2.0, 0.0]), values.grad.tolist()


def gradients_in_a_pickle(lib):
    x = leaf(lib, 2.0)
    (x * x).sum().backward()
    twins = copy.deepcopy(x), pickle.loads(pickle.dumps(x))
    return [None if twin.grad is None else twin.grad.tolist() for twin in twins]


def smaller_gradients(lib):
    class Tripled(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 3

        @staticmethod
        def backward(ctx, grad):
            return lib.tensor(3.0) if lib.root is torch else np.float32(3.0)

    x = leaf(lib, 1.0, 2.0)
    Tripled.apply(x).sum().backward()
    return x.grad.tolist()


def hooks_that_cast(lib):
    x = leaf(lib, 1.0)
    x.register_hook(lambda g: g.double() * 2)
    (x * 3).sum().backward()
    return str(x.grad.dtype).removeprefix("torch.")


def post_accumulate_hooks(lib):
    x, y = leaf(lib, 1.0), leaf(lib, 1.0)
    missing = []
    for leaf_, other in ((x, y), (y, x)):
        leaf_.register_post_accumulate_grad_hook(lambda _, o=other: missing.append(o.grad is None))
    (x * y).sum().backward()
    return any(missing)


def place_of_checkpoint(lib):
    from torch.utils.checkpoint import checkpoint

    checkpoint = checkpoint if lib.root is torch else lib.autograd.checkpoint
    x = leaf(lib, 2.0)
    checkpoint(lambda x: x * x, x, use_reentrant=True).sum().backward()
    return x.grad.tolist()


def checkpoint_that_runs_otherwise(lib):
    from torch.utils.checkpoint import checkpoint

    checkpoint = checkpoint if lib.root is torch else lib.autograd.checkpoint
    calls = []

    def more_each_time(x):
        calls.append(1)
        return (x * x + len(calls)) ** 3

    x = leaf(lib, 2.0)
    checkpoint(more_each_time, x, use_reentrant=False).sum().backward()
    return x.grad.tolist()


def packed_and_overwritten(lib):
    x = leaf(lib, 1.0)
    y = x * 1
    with lib.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t):
        z = y * y
    y.mul_(5)
    z.sum().backward()
    return x.grad.tolist()


def backward_hooks_of_a_dictionary(lib):
    class Named(lib.nn.Module):
        def forward(self, x):
            return {"y": x * 2}

    said = []
    module = Named()
    module.register_full_backward_hook(lambda *_: said.append(1))
    module(leaf(lib, 1.0))["y"].sum().backward()
    return said


def enable_grad_in_inference_mode(lib):
    with lib.inference_mode(), lib.enable_grad():
        return lib.is_grad_enabled(), (leaf(lib, 1.0) * 2).requires_grad


def changes_that_overlap(lib):
    x = lib.tensor([1.0, 2.0, 3.0])
    x[1:] += x[:-1]
    return x.tolist()


def an_output_twice(lib):
    class Twice(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x * 2
            return y, y

        @staticmethod
        def backward(ctx, first, second):
            return first * 2 + second * 2

    first, second = Twice.apply(leaf(lib, 1.0))
    with lib.no_grad():
        first.mul_(5)
    return second.tolist()


def part_of_a_repeated_tensor(lib):
    x = lib.tensor([1.0, 2.0])
    x.expand(2, 2)[0].fill_(5)
    assert x.tolist() == [5.0, 5.0]
    x.expand(2, 2)[0] = 7
    return x.tolist()


# The row's name, its program, and what comes of it in PyTorch and in demograd.
def own_function_in_transforms(lib):
    class Cube(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return 3 * x * x * grad

    each = lib.func.vmap(lib.func.grad(Cube.apply))(lib.tensor([1.0, 2.0]))
    _, along = lib.func.jvp(Cube.apply, (lib.tensor(2.0),), (lib.tensor(1.0),))
    return each.tolist(), along.item()


def leaf_in_transforms(lib):
    def slope(x):
        x = x.detach().requires_grad_()
        (x * x).sum().backward()
        return x.grad

    return lib.func.vmap(slope)(lib.tensor([1.0, 2.0])).tolist()


ROWS = {
    "Functions of one's own in transforms": (
        own_function_in_transforms,
        RuntimeError,
        ([3.0, 12.0], 12.0),
    ),
    "`requires_grad_` in transforms": (leaf_in_transforms, RuntimeError, [2.0, 4.0]),
    "`chunk_size`": (
        lambda lib: lib.func.vmap(lambda x: x, chunk_size=1)(lib.ones(2)).tolist(),
        [1.0, 1.0],
        TypeError,
    ),
    "saved intermediates": (saved_intermediates, 8.0, dg.errors.GradientError),
    "`.grad` after an exception": (gradients_after_an_exception, [None, [3.0]], [None, None]),
    "complex gradients": (
        lambda lib: leaf(lib, 1j).requires_grad,
        True,
        dg.errors.DtypeError,
    ),
    "NumPy functions": (numpy_functions, RuntimeError, "recorded"),
    "arrays on the left": (array_on_the_left, TypeError, True),
    "lists of tensors": (
        lambda lib: lib.tensor([lib.tensor(1.0, requires_grad=True)]).requires_grad,
        (False, UserWarning),
        dg.errors.GradientError,
    ),
    "complex results": (
        lambda lib: (leaf(lib, 2.0) * 1j).requires_grad,
        True,
        dg.errors.GradientError,
    ),
    "`.data` exchanged before backward": (data_exchanged, [20.0, 20.0], [4.0, 6.0]),
    "index arrays changed afterwards": (
        an_index_changed_afterwards,
        RuntimeError,
        [1.0, 1.0, 0.0],
    ),
    "places named twice": (places_named_twice, (True, [1.0, 1.0]), (True, [0.0, 1.0])),
    "gradients smaller than the input": (smaller_gradients, RuntimeError, [3.0, 3.0]),
    "hooks and data types": (hooks_that_cast, RuntimeError, "float32"),
    "post-accumulate hooks": (post_accumulate_hooks, True, False),
    "`set_detect_anomaly`": (anomaly_in_another_thread, ["raises"], ["passes"]),
    "where `checkpoint` stands": (place_of_checkpoint, [4.0], dg.errors.ArgumentError),
    "a checkpoint that runs otherwise": (
        checkpoint_that_runs_otherwise,
        [432.0],  # where it is 300
        dg.errors.GradientError,
    ),
    "packed values overwritten": (packed_and_overwritten, [10.0], dg.errors.GradientError),
    "backward hooks of a dictionary": (
        backward_hooks_of_a_dictionary,
        ([], UserWarning),
        dg.errors.ArgumentTypeError,
    ),
    "`enable_grad` in `inference_mode`": (
        enable_grad_in_inference_mode,
        (True, False),
        (False, False),
    ),
    "changes that overlap": (changes_that_overlap, RuntimeError, [1.0, 3.0, 5.0]),
    "an output returned twice": (an_output_twice, [10.0], [2.0]),
    "assignments to part of a repeated tensor": (
        part_of_a_repeated_tensor,
        [7.0, 7.0],
        dg.errors.GradientError,
    ),
    "an index array after a slice": (
        lambda lib: tuple(lib.zeros(2, 3, 4)[0, :, [0, 1]].shape),
        (3, 2),
        (2, 3),
    ),
    "uint8 as an index": (
        lambda lib: lib.tensor([5.0, 6.0, 7.0])[lib.tensor([1, 0, 1], dtype=lib.uint8)].tolist(),
        ([5.0, 7.0], UserWarning),
        [6.0, 5.0, 6.0],
    ),
    "numbers beyond an integer type": (
        lambda lib: (lib.tensor([1], dtype=lib.int8) + 300).tolist(),
        [45],
        dg.errors.ArgumentError,
    ),
    "`.grad` in a pickle": (gradients_in_a_pickle, [[4.0], None], [[4.0], [4.0]]),
    "pickles of what was computed": (
        lambda lib: pickle.loads(pickle.dumps(leaf(lib, 2.0) * 2)).is_leaf,
        True,
        dg.errors.GradientError,
    ),
    "data types": (
        lambda lib: lib.ones(1, dtype="float32").dtype == np.dtype("float32"),
        TypeError,
        True,
    ),
    "repr": (
        lambda lib: repr(lib.ones(1, dtype=lib.float64)),
        "tensor([1.], dtype=torch.float64)",
        "tensor([1.], dtype=float64)",
    ),
    "shape": (lambda lib: type(lib.ones(2, 3).shape), torch.Size, tuple),
    "`Tensor(data)`": (
        the_constructor,
        ("float32", [0.0, 0.0], 3, [0.0, 0.0]),
        ("float64", [7.0, 0.0], 1, [0.0, 0.0]),
    ),
    "`.data`": (lambda lib: type(lib.ones(1).data), torch.Tensor, np.ndarray),
    "mixed matrix products": (mixed_products, RuntimeError, True),
    "`view` out of order": (lambda lib: lib.ones(2, 3).T.view(6).numel(), RuntimeError, 6),
    "negative steps": (negative_steps, ValueError, [3.0, 1.0]),
    "sign of NaN": (lambda lib: str(lib.sign(lib.tensor(np.nan)).item()), "0.0", "nan"),
    "integer division by zero": (
        lambda lib: (lib.tensor([1]) // lib.tensor([0])).tolist(),
        RuntimeError,
        ([0], RuntimeWarning),
    ),
    "division by zero warns": (
        lambda lib: (1 / lib.tensor(0.0)).item(),
        np.inf,
        (np.inf, RuntimeWarning),
    ),
    "complex default": (
        lambda lib: str(lib.tensor([1j]).dtype),
        "torch.complex64",
        "complex128",
    ),
    "random numbers": (random_numbers, 0.4963, 0.8506),
    "plain callables in `Sequential`": (callables_in_sequential, TypeError, [[0.0, 0.0, 0.0]]),
    "mistakes that run": (
        a_softmax_too_many,
        1.0986,
        (1.0986, dg.errors.DemogradWarning),
    ),
    "a parameter given twice": (a_parameter_twice, (1, UserWarning), dg.errors.ArgumentError),
    "Python floats in a batch": (
        lambda lib: str(next(iter(lib.data.DataLoader([1.0, 2.0]))).dtype),
        "torch.float64",
        "float32",
    ),
    "an empty dataset": (
        lambda lib: list(lib.data.DataLoader([])),
        [],
        dg.errors.DataError,
    ),
    "a generator used up": (a_used_up_generator, [3, 0], dg.errors.DataError),
    "workers": (
        lambda lib: len(lib.data.DataLoader([1.0], num_workers=0)),
        1,
        TypeError,
    ),
    "settings for speed": (settings_for_speed, [1, 1, 1, 1], TypeError),
    "saved files": (saved_files, b"PK", [1.0, 1.0]),
    "devices": (devices, "meta", dg.errors.DeviceError),
    "bfloat16, unsigned types": (
        unsigned_types,
        [True, True, True, True],
        [False, False, True, True],
    ),
    "sparse tensors": (
        lambda lib: lib.ones(2).to_sparse().is_sparse,
        True,
        dg.errors.MissingNameError,
    ),
    "strides": (strides, ((3, 1), True), dg.errors.MissingNameError),
}


@pytest.mark.parametrize("row", ROWS)
def test_the_libraries_differ_as_the_page_says(row, tmp_path):
    program, *expected = ROWS[row]
    if program is saved_files:
        actual = [saved_files(lib, tmp_path) for lib in LIBRARIES]
    else:
        actual = [outcome(program, lib) for lib in LIBRARIES]
    assert actual == expected


def test_each_row_of_the_page_is_run():
    rows = re.findall(r"^\| \*\*(.+?)\*\* \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(ROWS)
