"""Nested states as a flat dictionary of arrays and a JSON text, and back.

safetensors holds named arrays and a few strings. A state (of a model, an optimizer, a run) is
dictionaries and lists of tensors, numbers and strings. So the arrays go under the path at which
they stand (``optimizer.state.0.exp_avg``), and the rest becomes JSON in which an array is a
reference. Whatever JSON has no word for is an object with one key that says what it is:

=======================================  ===================================================
``{"dict": [[key, value], ...]}``        a dictionary; keys are strings or integers
``{"tuple": [...]}``                     a tuple
``{"float": "nan"}``                     a number that is not finite
``{"complex": [re, im]}``                a complex number
``{"tensor": name}``                     a Tensor; also ``array`` and ``scalar``, of NumPy
``{"tensor": name, "as": "complex64"}``  complex values, stored as pairs of floats
=======================================  ===================================================
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from demograd import Tensor
from demograd.errors import ArgumentError, ArgumentTypeError

__all__ = ["KEY", "from_text", "to_text"]

Array = np.ndarray[Any, np.dtype[Any]]

# Under which key of the metadata the text stands, and which form it has.
KEY = "demograd"
FORM = 1

STORABLE = frozenset(
    "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64".split()
)
PAIRS = {"complex64": "float32", "complex128": "float64"}


def to_text(state: Any, operation: str) -> tuple[str, dict[str, Array]]:
    """The JSON text of a state, and its arrays by name, each C-contiguous and native.

    Raises:
        ArgumentTypeError: something in the state is neither a tensor nor plain data.
        ArgumentError: it contains itself, or is nested too deeply.
    """
    arrays: dict[str, Array] = {}
    try:
        tree = _encode(state, (), arrays, operation)
        text = json.dumps({"form": FORM, "tree": tree}, allow_nan=False, separators=(",", ":"))
    except RecursionError as error:
        raise ArgumentError(
            f"{operation}: the object contains itself, or is nested too deeply.",
            [f"object: {type(state).__name__}"],
            "Save a dictionary of tensors and numbers, such as model.state_dict().",
        ) from error
    return text, arrays


def from_text(text: str, arrays: Mapping[str, Array]) -> Any:
    """The state that :func:`to_text` took apart.

    Raises:
        ValueError: the text is no such tree, or refers to arrays that are not there.
    """
    try:
        whole = json.loads(text)
        if not isinstance(whole, dict) or whole.get("form") != FORM:
            raise ValueError("it was written in another form, perhaps by a later version")
        return _decode(whole["tree"], arrays)
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"its description is damaged ({type(error).__name__}: {error})") from error


def _encode(value: Any, path: tuple[str, ...], arrays: dict[str, Array], operation: str) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (Tensor, np.ndarray, np.generic)):
        return _encode_array(value, path, arrays, operation)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"float": repr(float(value))}
    if isinstance(value, complex):
        return {"complex": [_encode(part, path, arrays, operation) for part in _parts(value)]}
    if isinstance(value, Mapping):
        pairs = []
        for key, part in value.items():
            if isinstance(key, bool) or not isinstance(key, (str, int)):
                raise _unknown(key, (*path, repr(key)), "a key", operation)
            pairs.append([key, _encode(part, (*path, str(key)), arrays, operation)])
        return {"dict": pairs}
    if isinstance(value, (list, tuple)):
        parts = [_encode(v, (*path, str(i)), arrays, operation) for i, v in enumerate(value)]
        return {"tuple": parts} if isinstance(value, tuple) else parts
    raise _unknown(value, path, "a value", operation)


def _encode_array(
    value: Any, path: tuple[str, ...], arrays: dict[str, Array], operation: str
) -> dict[str, str]:
    kind = "tensor" if isinstance(value, Tensor) else "array"
    if isinstance(value, np.generic):
        kind = "scalar"
    array = value.detach().cpu().numpy() if isinstance(value, Tensor) else np.asanyarray(value)
    name = ".".join(path) or kind
    while name in arrays or name == "__metadata__":
        name += "_"
    dtype = array.dtype.name
    if isinstance(array, np.ma.MaskedArray) or dtype not in STORABLE | PAIRS.keys():
        raise _unknown(value, path, f"an array of dtype {array.dtype}", operation)
    # safetensors reads the memory from its start and looks at no strides, and it knows little
    # endian alone: a transposed or a reversed array would be written in the wrong order.
    native: Array = np.asarray(array, dtype=array.dtype.newbyteorder("="), order="C")
    reference = {kind: name}
    if dtype in PAIRS:
        native = native.reshape(-1).view(PAIRS[dtype]).reshape(*native.shape, 2)
        reference["as"] = dtype
    arrays[name] = native
    return reference


def _decode(node: Any, arrays: Mapping[str, Array]) -> Any:
    if isinstance(node, list):
        return [_decode(part, arrays) for part in node]
    if not isinstance(node, dict):
        return node
    kind, content = next(iter(node.items()))
    if kind == "dict":
        return {_key(key): _decode(part, arrays) for key, part in content}
    if kind == "tuple":
        return tuple([_decode(part, arrays) for part in content])
    if kind == "float":
        return float(content)
    if kind == "complex":
        return complex(*[_decode(part, arrays) for part in content])
    array = arrays[content]
    if "as" in node:
        if node["as"] not in PAIRS:
            raise ValueError(f"its description holds the type {node['as']!r}, which is not known")
        array = array.view(node["as"]).reshape(array.shape[:-1])
    if kind == "tensor":
        return Tensor(array)
    if kind in ("array", "scalar"):
        return array if kind == "array" else array[()]
    raise ValueError(f"its description holds {kind!r}, which is not known")


def _key(key: Any) -> str | int:
    if isinstance(key, (str, int)):
        return key
    raise ValueError(f"its description has the key {key!r}")


def _parts(value: complex) -> tuple[float, float]:
    return value.real, value.imag


def _unknown(value: Any, path: tuple[str, ...], role: str, operation: str) -> ArgumentTypeError:
    return ArgumentTypeError(
        f"{operation}: only tensors, arrays, numbers, strings, lists, tuples and dictionaries "
        "can be saved.",
        [f"at: {'.'.join(path) or 'the object itself'}", f"found: {type(value).__name__}, {role}"],
        "Save a state, not the object: model.state_dict(), optimizer.state_dict().",
    )
