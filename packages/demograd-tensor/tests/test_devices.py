"""Where a tensor's memory is: ``device``, ``to``, ``dg.backend``, and tensors that don't mix."""

import copy
import importlib.util
import pickle
import threading
from typing import Any

import array_api_strict
import numpy as np
import pytest

import demograd as dg
from demograd import Tensor
from demograd._libraries._backends import _declared, _load
from demograd.autograd import gradcheck, gradgradcheck
from demograd.errors import (
    ArgumentTypeError,
    DeviceError,
    DtypeError,
    MissingPackageError,
    ProviderError,
)
from demograd.interfaces import Backend

WITHOUT_CUPY = importlib.util.find_spec("cupy") is None


def strict(*values: float, **settings: Any) -> Tensor:
    return Tensor(array_api_strict.asarray(np.array(values)), **settings)


def message(kind: type[Exception], function: Any) -> str:
    with pytest.raises(kind) as caught:
        function()
    return str(caught.value)


def test_a_device_is_a_name_with_a_type_and_an_index() -> None:
    assert (dg.device("cuda", 1), dg.device("cuda:1").type, dg.device("cuda:1").index) == (
        "cuda:1",
        "cuda",
        1,
    )
    assert (repr(dg.device("cpu")), str(dg.device("cpu"))) == ("device(type='cpu')", "cpu")
    assert repr(dg.device("cuda", 0)) == "device(type='cuda', index=0)"
    assert dg.device("cpu").index is None
    assert pickle.loads(pickle.dumps(dg.device("cuda:1"))) == "cuda:1"
    assert copy.deepcopy(dg.device("jax")) == dg.device("jax")


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:x", "", "cpu:a"])
def test_a_device_that_nothing_offers_is_refused_with_those_that_there_are(name: str) -> None:
    text = message(DeviceError, lambda: dg.device(name))
    lines = text.splitlines()
    assert lines[0] == f"device: there is no device {name!r}."
    assert lines[1].startswith("  devices: ")
    assert {"cpu", "cuda", "jax"} <= {*lines[1].removeprefix("  devices: ").split(", ")}
    assert lines[2] == 'dg.device("cpu") is NumPy, dg.device("cuda", 0) the first GPU.'


def test_a_tensor_says_where_it_is() -> None:
    assert (dg.ones(2).device, dg.tensor(1.0).device) == ("cpu", "cpu")
    x = strict(1.0)
    assert x.device == "array_api_strict"
    assert not x.is_cuda
    assert (dg.zeros(2, device=x.device) + x).device == x.device
    assert dg.zeros_like(x).device == dg.rand_like(x).device == dg.empty_like(x).device == x.device


def test_to_moves_and_brings_the_gradient_back() -> None:
    x = dg.tensor([1.0, 2.0], dtype="float64", requires_grad=True)
    y = x.to(device=array_api_strict)
    assert type(y.data) is type(array_api_strict.asarray(1.0))
    (y * y).sum().backward()
    assert x.grad is not None
    assert (x.grad.tolist(), x.grad.device) == ([2.0, 4.0], "cpu")
    assert y.cpu().to("cpu").tolist() == [1.0, 2.0]
    assert y.cpu().data.flags.writeable

    def there_and_back(x: Tensor) -> Tensor:
        return (x.to(device=array_api_strict) ** 3).cpu()

    assert gradcheck(there_and_back, x)
    assert gradgradcheck(there_and_back, x)


def test_to_takes_devices_types_and_tensors_as_pytorch_does() -> None:
    x = dg.ones(2)
    assert x.to("cpu") is x
    assert x.to("cpu", "float64").dtype == np.float64
    assert x.to(device="cpu", dtype=dg.float16).dtype == np.float16
    assert x.to("float64").dtype == np.float64
    assert x.to("cpu", non_blocking=True) is x
    assert x.to("cpu", copy=True) is not x
    y = x.to(strict(1.0))
    assert (y.device, y.dtype) == ("array_api_strict", np.float64)
    assert strict(1.0).to(x).device == "cpu"
    assert x.cpu() is x


def test_to_refuses_what_is_neither_device_nor_type() -> None:
    text = message(DeviceError, lambda: dg.ones(2).to("nowhere"))
    assert text.splitlines()[0] == "device: there is no device 'nowhere'."


def test_operands_on_two_devices_are_refused_by_name() -> None:
    x, w = dg.ones(2, dtype="float64"), strict(1.0, 2.0, name="w")
    expected = """{}: the tensors are on different devices.
  x: shape (2,), dtype float64, on cpu
  w: shape (2,), dtype float64, on array_api_strict
Move one of them: w.to("cpu"), or x.to("array_api_strict")."""
    assert message(DeviceError, lambda: x + w) == expected.format("add")
    assert message(DeviceError, lambda: dg.sub(x, w)) == expected.format("sub")
    assert message(DeviceError, lambda: x < w) == expected.format("lt")
    with pytest.raises(RuntimeError):  # as PyTorch raises
        dg.where(x > 0, w, w)
    with pytest.raises(DeviceError, match=r"^matmul: the tensors are on different devices"):
        x @ w


def test_a_number_without_dimensions_goes_where_the_others_are() -> None:
    scale, x = dg.tensor(2.0, requires_grad=True), strict(1.0, 3.0, requires_grad=True)
    out = (scale * x).sum()
    assert out.device == "array_api_strict"
    out.backward()
    assert scale.grad is not None
    assert x.grad is not None
    assert (scale.grad.item(), scale.grad.device) == (4.0, "cpu")
    assert (x.grad.tolist(), x.grad.device) == ([2.0, 2.0], "array_api_strict")
    assert (x > dg.tensor(2.0)).tolist() == [False, True]


def test_a_gradient_is_where_its_tensor_is() -> None:
    x = strict(1.0, 2.0)
    text = message(DeviceError, lambda: setattr(x, "grad", dg.ones(2, dtype="float64")))
    assert text.splitlines()[0] == "grad: the tensors are on different devices."
    y = strict(1.0, 2.0, requires_grad=True) * 2
    with pytest.raises(DeviceError):
        y.backward(dg.ones(2, dtype="float64"))


def test_copy_takes_values_from_another_device() -> None:
    x = strict(1.0, 2.0)
    x.copy_(dg.tensor([3.0, 4.0]))
    assert (x.tolist(), x.device, x.dtype) == ([3.0, 4.0], "array_api_strict", np.float64)


def test_backend_is_where_factories_make_tensors_until_the_end_of_the_block() -> None:
    with dg.backend(array_api_strict) as library:
        assert isinstance(library, Backend)
        made = [
            dg.tensor([1.0]), dg.as_tensor([1.0]), dg.zeros(2), dg.ones(2), dg.empty(2),
            dg.full((2,), 3), dg.arange(3), dg.linspace(0, 1, 3), dg.eye(2), dg.rand(2),
            dg.randn(2), dg.randint(3, (2,)), dg.randperm(3),
        ]  # fmt: skip
        assert {x.device for x in made} == {"array_api_strict"}
        assert dg.get_default_device() == "array_api_strict"
        assert dg.zeros(2, device="cpu").device == "cpu"
        with dg.backend("numpy"):
            assert dg.zeros(2).device == "cpu"
        assert dg.zeros(2).device == "array_api_strict"
        assert dg.tensor(dg.ones(1, device="cpu")).device == "cpu"  # a Tensor stays where it is
    assert dg.zeros(2).device == "cpu"


def test_backend_holds_at_once_and_for_its_thread() -> None:
    setting = dg.backend(array_api_strict)
    try:
        assert dg.zeros(1).device == "array_api_strict"
        elsewhere: list[str] = []
        thread = threading.Thread(target=lambda: elsewhere.append(dg.zeros(1).device))
        thread.start()
        thread.join()
        assert elsewhere == ["cpu"]
    finally:
        setting.__exit__(None, None, None)
    assert dg.zeros(1).device == "cpu"


def test_the_same_seed_gives_the_same_numbers_on_every_device() -> None:
    draws = []
    for place in ("cpu", array_api_strict):
        dg.manual_seed(3)
        draws.append(
            [dg.randn(3, device=place).tolist(), dg.randint(9, (3,), device=place).tolist()]
        )
    assert draws[0] == draws[1]


def test_no_library_is_loaded_before_it_is_asked_for() -> None:
    with pytest.raises(ArgumentTypeError) as caught:
        dg.backend(3)
    assert str(caught.value).splitlines()[0] == "device: 3 is no device and no array library."


@pytest.mark.skipif(not WITHOUT_CUPY, reason="CuPy is installed: what lacks is not missed")
def test_cuda_without_cupy_names_what_to_install() -> None:
    expected = """device: "cuda" needs CuPy, which is not installed.
pip install cupy-cuda12x, or cupy-cuda13x, as nvidia-smi names the CUDA version."""
    for function in (
        lambda: dg.ones(2).to("cuda"),
        lambda: dg.ones(2).cuda(),
        lambda: dg.ones(2, device="cuda:0"),
        lambda: dg.backend("cupy"),
    ):
        assert message(MissingPackageError, function) == expected
    assert (dg.cuda.is_available(), dg.cuda.device_count()) == (False, 0)


class Entry:
    """What importlib.metadata gives for an entry point, as far as it is read."""

    dist = None

    def __init__(self, name: str, value: Any) -> None:
        self.name, self.value, self._made = name, f"somewhere:{name}", value

    def load(self) -> Any:
        if isinstance(self._made, Exception):
            raise self._made
        return self._made


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Declares backends as packages do, for the time of a test."""
    import importlib.metadata

    def declare(*entries: Entry) -> None:
        monkeypatch.setattr(
            importlib.metadata, "entry_points", lambda group: list(entries) if group else []
        )
        _declared.cache_clear()

    yield declare
    monkeypatch.undo()
    _declared.cache_clear()
    _load.cache_clear()


def test_a_package_declares_a_backend_by_name(declared: Any) -> None:
    class Mine(Backend):
        def __init__(self) -> None:
            super().__init__(array_api_strict)

    declared(Entry("mine", Mine))
    assert dg.zeros(2, device="mine").data.__array_namespace__() is array_api_strict
    with dg.backend("mine") as library:
        assert (type(library), library.name) == (Mine, "mine")


def test_two_packages_cannot_take_one_name(declared: Any) -> None:
    first, second = Entry("mine", Backend), Entry("mine", Backend)
    second.value = "elsewhere:mine"
    declared(first, second)
    assert message(ProviderError, lambda: dg.device("mine")) == (
        "backends: the name 'mine' is taken twice.\n"
        "  first: somewhere:mine\n"
        "  second: elsewhere:mine\n"
        "Uninstall one of the packages."
    )


def test_a_backend_that_fails_to_load_is_named(declared: Any) -> None:
    declared(Entry("mine", ImportError("no such library")))
    assert message(ProviderError, lambda: dg.zeros(1, device="mine")) == (
        "backends: the backend 'mine' fails to load.\n"
        "  entry point: somewhere:mine\n"
        "  ImportError: no such library\n"
        "Mend or uninstall that package."
    )
    declared(Entry("mine", dict))
    assert message(ProviderError, lambda: dg.zeros(1, device="mine")) == (
        "backends: 'mine' is a dict, not a demograd.interfaces.Backend.\n"
        "  entry point: somewhere:mine\n"
        "Derive its class from Backend."
    )


def test_float64_stays_float64_when_it_moves() -> None:
    x = dg.ones(2, dtype="float64").to(device=array_api_strict)
    assert x.dtype == np.float64
    assert x.float().dtype == np.float32
    with pytest.raises(DtypeError):
        dg.ones(2, dtype=dg.int64, device=array_api_strict).requires_grad_()
